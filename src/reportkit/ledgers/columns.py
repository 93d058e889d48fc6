"""Columns of raw cells into typed arrays; each different text is parsed once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from reportkit.ledgers.values import clean_texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from reportkit.ledgers.schema import Column
    from reportkit.ledgers.values import Parser

# Hash tables of so many texts at once; by so many letters at most.
_LOOKED_AT_ONCE, _LETTERS = 2_000_000, 64


def all_differ(cells: pa.ChunkedArray) -> bool:
    """Whether no text is there twice; a long column is looked at by the last letters of texts."""
    if len(cells) > _LOOKED_AT_ONCE:
        last = pc.utf8_slice_codeunits(cells, start=-1, stop=2**31)
        letters = pc.unique(last)
        if len(letters) <= _LETTERS:
            return all(
                len(pc.unique(part)) == len(part)
                for part in (cells.filter(pc.equal(last, letter)) for letter in letters)
            )
    return bool(len(pc.unique(cells)) == len(cells))


def joined(columns: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    """Cells of one column from several files, as one array."""
    kinds = {column.type for column in columns}
    if len(kinds) > 1:
        columns = [column.cast(pa.string()) for column in columns]
    return pa.chunked_array([c for column in columns for c in column.chunks], columns[0].type)


def parse_each(
    column: Column, chunks: Sequence[pa.ChunkedArray], parsers: Sequence[Parser]
) -> tuple[Any, dict[int, str]]:
    """As `parse_column`, each file with a parser of its own."""
    values: list[Any] = []
    bad: dict[int, str] = {}
    start = 0
    for chunk, parse in zip(chunks, parsers, strict=True):
        part, wrong = parse_column(column, chunk, parse)
        values.append(part)
        bad |= {start + row: reason for row, reason in wrong.items()}
        start += len(chunk)
    joined = pd.concat([pd.Series(part) for part in values], ignore_index=True)
    return joined.array, bad


def parse_column(column: Column, raw: pa.ChunkedArray, parse: Parser) -> tuple[Any, dict[int, str]]:
    """Typed values of a column, and the reason for each row that cannot be read."""
    if column.type == "text":
        return pd.StringDtype(na_value=np.nan).__from_arrow__(clean_texts(raw)), {}
    if not pa.types.is_dictionary(raw.type):
        raw = raw.dictionary_encode()
    encoded = raw.unify_dictionaries().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0)
    texts = encoded.dictionary.to_pylist()
    codes = encoded.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)
    parsed: list[Any] = []
    reasons: dict[int, str] = {}
    for code, text in enumerate(texts):
        try:
            parsed.append(parse(text))
        except (ValueError, ArithmeticError) as error:
            parsed.append(None)
            reasons[code] = str(error)
    parsed.append(None)
    if column.default is not None:
        parsed = [column.default if value is None else value for value in parsed]
    bad: dict[int, str] = {}
    if reasons:
        wrong = np.isin(codes, list(reasons))
        bad = {int(row): reasons[int(codes[row])] for row in np.flatnonzero(wrong)}
    return _take(column, parsed, codes), bad


def _take(column: Column, parsed: list[Any], codes: npt.NDArray[Any]) -> Any:
    if column.type == "date":
        days = np.array([value or "NaT" for value in parsed], dtype="datetime64[s]")
        return pd.array(days[codes])
    if column.type == "category":
        names = column.categories()
        if column.open:
            names = tuple(dict.fromkeys([*names, *(v for v in parsed if v is not None)]))
        index = {name: i for i, name in enumerate(names)}
        positions = np.array([-1 if v is None else index[v] for v in parsed], dtype=np.int16)
        return pd.Categorical.from_codes(positions[codes], categories=pd.Index(names, dtype="str"))
    if column.type == "amount":
        exact = pa.array(parsed, pa.decimal128(38, 6))
        return pd.array(exact.take(pa.array(codes)), dtype=pd.ArrowDtype(exact.type))
    dtype = {"integer": "Int64", "flag": "boolean"}[column.type]
    return pd.array(parsed, dtype=dtype).take(codes)
