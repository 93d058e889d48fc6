"""Columns of raw cells into typed arrays; each different text is parsed once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandas.api.types import union_categoricals

from reportkit.language.message import of_library
from reportkit.ledgers.readers.table import holds
from reportkit.ledgers.values import clean_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from reportkit.ledgers.schema import Column
    from reportkit.ledgers.values import Parser

# 2.02103E+11, as a spreadsheet shows a long number and writes it into csv.
_SHOWN_SHORT = r"^\s*[0-9](?:\.[0-9]+)?[eE]\+[0-9]+\s*$"


def joined(columns: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    """Cells of one column from several files, as one array."""
    kinds = {column.type for column in columns}
    if len(kinds) > 1:
        columns = [column.cast(pa.large_string()) for column in columns]
    return pa.chunked_array([c for column in columns for c in column.chunks], columns[0].type)


def pandas_text(cells: pa.ChunkedArray) -> Any:
    """Texts as pandas holds them, not copied."""
    return pd.StringDtype(na_value=np.nan).__from_arrow__(cells)


def replaced(cells: pa.ChunkedArray, made: Callable[[str], str | None]) -> pa.ChunkedArray:
    """Another text in the place of each; of each different one of a chunk it is made once."""
    chunks = []
    for chunk in cells.chunks:
        encoded = chunk.dictionary_encode()
        texts = [made(text) for text in encoded.dictionary.to_pylist()]
        chunks.append(pa.array(texts, pa.large_string()).take(encoded.indices))
    return pa.chunked_array(chunks, pa.large_string())


def parse_each(
    columns: Sequence[Column], chunks: Sequence[pa.ChunkedArray], parsers: Sequence[Parser]
) -> tuple[Any, dict[int, str]]:
    """As `parse_column`, each file with a column and parser of its own."""
    values: list[Any] = []
    bad: dict[int, str] = {}
    start = 0
    for column, chunk, parse in zip(columns, chunks, parsers, strict=True):
        part, wrong = parse_column(column, chunk, parse)
        values.append(part)
        bad |= {start + row: reason for row, reason in wrong.items()}
        start += len(chunk)
    if columns[0].type == "category":
        return union_categoricals(values), bad
    return pd.concat(map(pd.Series, values), ignore_index=True).array, bad


def parse_column(column: Column, raw: pa.ChunkedArray, parse: Parser) -> tuple[Any, dict[int, str]]:
    """Typed values of a column, and the reason for each row that cannot be read."""
    if column.type == "text":
        cells = clean_texts(raw)
        return pandas_text(replaced(cells, parse) if column.swaps else cells), {}
    # Each different text has a code; only these texts are parsed, and their values taken by code.
    if not pa.types.is_dictionary(raw.type):
        raw = raw.dictionary_encode()
    chunks = raw.unify_dictionaries().chunks
    texts = chunks[0].dictionary.to_pylist() if chunks else []
    # One after the last text stands for no text at all.
    parts = [c.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False) for c in chunks]
    codes = np.concatenate([np.empty(0, np.int32), *parts])
    parsed: list[Any] = []
    reasons: dict[int, str] = {}
    for code, text in enumerate(texts):
        try:
            parsed.append(parse(text))
        except (ValueError, ArithmeticError) as error:
            parsed.append(None)
            reasons[code] = of_library(str(error))
    parsed.append(None)
    if column.default is not None:
        parsed = [column.default if value is None else value for value in parsed]
    wrong = np.flatnonzero(np.isin(codes, list(reasons))).tolist()
    return _take(column, parsed, codes), {row: reasons[int(codes[row])] for row in wrong}


def _take(column: Column, parsed: list[Any], codes: npt.NDArray[np.int32]) -> Any:
    """The value of each code, as one array of pandas."""
    if column.type == "date":
        days = np.array([value or "NaT" for value in parsed], dtype="datetime64[s]")
        return pd.array(days[codes], copy=False)
    if column.type == "category":
        names = column.categories()
        if column.open:
            names = tuple(dict.fromkeys([*names, *(v for v in parsed if v is not None)]))
        index = {name: i for i, name in enumerate(names)}
        kind = np.int8 if len(names) <= np.iinfo(np.int8).max else np.int32
        positions = np.array([-1 if v is None else index[v] for v in parsed], dtype=kind)
        labels = pd.Index(names, dtype="str")
        return pd.Categorical.from_codes(positions[codes], categories=labels)
    if column.type == "amount":
        exact = pa.array(parsed, pa.decimal128(38, 6))
        return pd.array(exact.take(pa.array(codes)), dtype=pd.ArrowDtype(exact.type))
    absent = np.array([value is None for value in parsed])[codes]
    if column.type == "flag":
        held = np.array([bool(value) for value in parsed])
        return pd.arrays.BooleanArray(held[codes], absent)
    numbers = np.array([value or 0 for value in parsed], dtype=np.int64)
    return pd.arrays.IntegerArray(numbers[codes], absent)


def shown_short(cells: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Return a mask of the long numbers that a spreadsheet wrote with most digits lost."""
    if not holds(cells, b"E+", b"e+"):
        return np.zeros(len(cells), bool)
    found = pc.match_substring_regex(cells, _SHOWN_SHORT).fill_null(False)
    return np.asarray(found.to_numpy(), bool)
