"""Parquet into raw text tables, batch by batch, and only the columns that the ledger has."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from reportkit.errors import InputError
from reportkit.language.message import of_library
from reportkit.ledgers.readers.heading import likely_heading, names_ledger, no_heading
from reportkit.ledgers.readers.table import (
    CHINA,
    EXACT,
    Note,
    Tell,
    TextTable,
    as_text,
    quiet,
    rounded,
    rounded_persons,
)
from reportkit.ledgers.schema import heading_key
from reportkit.persons import without_persons

if TYPE_CHECKING:
    from reportkit.ledgers.schema import LedgerSchema

_BATCH = 128 * 1024
_ROWS = 2**31 - 1
# Of floating numbers, those of half the size have lost what a day or an amount needs.
_PLAIN = (
    pa.types.is_string, pa.types.is_large_string, pa.types.is_integer, pa.types.is_float64,
    pa.types.is_decimal, pa.types.is_date, pa.types.is_timestamp,
    pa.types.is_boolean, pa.types.is_null,
)  # fmt: skip


def read_parquet(
    source: BinaryIO, schema: LedgerSchema, name: str, *, tell: Tell = quiet
) -> list[TextTable]:
    """Read one parquet file; every cell in its plain written form.

    Raises
    ------
    InputError
        ``ledger-unreadable``, ``ledger-heading``, ``ledger-heading-twice`` or ``ledger-type``: a
        column of the ledger is nested or binary.
    """
    try:
        with pq.ParquetFile(source, page_checksum_verification=True) as file:
            return [_read(file, schema, name, tell)]
    except (pa.ArrowException, UnicodeError, OSError, EOFError) as error:
        # Arrow's own errors are OSError too: what the system says has a number.
        if isinstance(error, OSError) and error.errno:
            raise
        problem = of_library(without_persons(str(error)))
        raise InputError(
            "ledger-unreadable",
            "{file} is not a readable parquet file: {problem}; export it again",
            problem=problem,
            file=name,
        ) from None


def _read(file: pq.ParquetFile, schema: LedgerSchema, name: str, tell: Tell) -> TextTable:
    arrow = file.schema_arrow
    wanted = schema.headings()
    if not names_ledger(arrow.names, schema, wanted):
        raise no_heading(name, None, schema, arrow.names, likely_heading([arrow.names]))
    titles = [title for title in arrow.names if heading_key(title) in wanted]
    physical = map(file.schema.column, range(len(file.schema)))
    old = {column.path for column in physical if column.physical_type == "INT96"}
    for title in titles:
        if titles.count(title) > 1:
            raise InputError(
                "ledger-heading-twice",
                "{file}: the heading '{title}' stands twice; rename one of them",
                title=title,
                file=name,
            )
        kind: Any = arrow.field(title).type
        if title in old:
            kind = "INT96, a time of no zone"
        if title in old or not _plain(kind):
            raise InputError(
                "ledger-type",
                "{file}: column '{column}' is of type {kind}; write it as text, day or number",
                kind=kind,
                file=name,
                column=title,
            )
    if file.metadata.num_rows > _ROWS:
        raise InputError(
            "ledger-unreadable",
            "{file} has {num_rows} rows, more than {rows}; split it by year",
            num_rows=file.metadata.num_rows,
            rows=_ROWS,
            file=name,
        )
    fields = {title: wanted[heading_key(title)][0] for title in titles}
    chunks: dict[str, list[Any]] = {title: [] for title in titles}
    notes: list[Note] = []
    persons: Counter[str] = Counter()
    rows = 0
    for batch in file.iter_batches(_BATCH, columns=titles):
        for title, column in fields.items():
            cells = batch.column(title)
            # Arrow does not check the texts of a file: they could be in any encoding.
            cells.validate(full=True)
            if pa.types.is_floating(cells.type) and column.type == "text":
                large = pc.greater_equal(pc.abs(cells), EXACT).fill_null(False)
                found = np.flatnonzero(large.to_numpy(zero_copy_only=False)).tolist()
                persons[title] += len(found) if column.personal else 0
                for row in found if not column.personal else ():
                    line = rows + row + 1
                    notes.append(rounded(column, line, str(line), as_text(cells[row].as_py())))
            chunks[title].append(_as_text_column(cells).cast(pa.string()))
        rows += batch.num_rows
        tell(rows)
    if rows != file.metadata.num_rows:
        raise InputError(
            "ledger-unreadable",
            "{file} holds {rows} rows and says {num_rows}; export it again",
            rows=rows,
            num_rows=file.metadata.num_rows,
            file=name,
        )
    notes += [rounded_persons(fields[t], t, count) for t, count in persons.items() if count]
    columns = {title: pa.chunked_array(chunks[title], pa.string()) for title in titles}
    lines = np.arange(1, rows + 1, dtype=np.int32)
    return TextTable(columns, lines, notes=tuple(notes), headings=tuple(arrow.names))


def _plain(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return kind == pa.string_view() or any(is_kind(kind) for is_kind in _PLAIN)


def _as_text_column(column: pa.Array) -> pa.Array:
    """Each different value is written once; integers and texts at once."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _as_text_column(column.dictionary).take(column.indices)
    if pa.types.is_string(kind):
        return column
    if pa.types.is_integer(kind) or pa.types.is_large_string(kind) or kind == pa.string_view():
        return column.cast(pa.string())
    if pa.types.is_timestamp(kind) and kind.tz:
        # An instant is the day that it is in China, whatever zone the file names.
        column = pc.local_timestamp(column.cast(pa.timestamp(kind.unit, CHINA)))
    encoded = column.dictionary_encode()
    if pa.types.is_timestamp(column.type) or pa.types.is_date(kind):
        # As Arrow writes it: Python knows no day after the year 9999.
        cells = [_moment(cell) for cell in encoded.dictionary.cast(pa.string()).to_pylist()]
    elif pa.types.is_decimal(kind) or pa.types.is_null(kind):
        cells = [str(cell) for cell in encoded.dictionary.to_pylist()]
    else:
        cells = [as_text(cell) for cell in encoded.dictionary.to_pylist()]
    return pa.array(cells, pa.string()).take(encoded.indices)


def _moment(text: str) -> str:
    day, _, clock = text.partition(" ")
    return text if clock.strip("0:.") else day
