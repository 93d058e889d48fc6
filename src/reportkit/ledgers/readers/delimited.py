"""Csv into raw text tables: strictly decoded, every record with its true line."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from reportkit.errors import InputError
from reportkit.ledgers.readers.table import Head, Part, Row, find_head, matches, raw_type, records
from reportkit.ledgers.schema import heading_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from reportkit.ledgers.schema import LedgerSchema

_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_BOM = "\ufeff".encode()
_BLOCK, _CACHED = 1 << 22, 1 << 17
# What Python's reader allows in one cell, unless somebody raised it.
_LONGEST = 131_072


def read_csv(content: bytes, schema: LedgerSchema, name: str, *, fast: bool = True) -> list[Part]:
    """Read one csv file with commas, semicolons or tabs.

    Parameters
    ----------
    content : bytes
    schema : LedgerSchema
    name : str
        As shown in messages.
    fast : bool
        Whether pyarrow may read the records of a file whose bytes prove that it reads the same.

    Raises
    ------
    InputError
        ``ledger-encoding``, ``ledger-unreadable``, ``ledger-heading`` or ``ledger-ragged``.
    """
    body, encoding = _as_utf8(content, name)
    _refuse_control(body, name)
    delimiter = _delimiter(body, schema)
    head = find_head(_rows(body, delimiter, name), schema, name)
    columns = _fast(body, delimiter, head, schema) if fast else None
    if columns is None:
        return [Part(*records(head, name), encoding=encoding)]
    return [Part(*columns, encoding=encoding)]


def _as_utf8(content: bytes, name: str) -> tuple[bytes, str]:
    """BOM, else strict UTF-8, else strict GB18030, else refused."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        candidates = ["utf-16"]
    elif content.startswith(_BOM):
        candidates = ["utf-8-sig"]
    else:
        candidates = ["utf-8", "gb18030"]
    where = 0
    for encoding in candidates:
        if encoding.startswith("utf-8") and _is_utf8(content):
            return content.removeprefix(_BOM), encoding
        try:
            return content.decode(encoding).encode(), encoding
        except UnicodeError as error:
            where = getattr(error, "start", 0)
    line = content.count(b"\n", 0, where) + 1
    message = (
        f"{name}:{line} is not {' or '.join(candidates)} (byte {where}); "
        "save the file as UTF-8 or GB18030, and check that it is not cut off"
    )
    raise InputError("ledger-encoding", message, file=name, line=line)


def _is_utf8(content: bytes) -> bool:
    """Whether bytes are strict UTF-8, without making a text of them."""
    ends = pa.py_buffer(np.array([0, len(content)], dtype=np.int64))
    cell = pa.Array.from_buffers(pa.large_binary(), 1, [None, ends, pa.py_buffer(content)])
    try:
        cell.cast(pa.large_string())
    except pa.ArrowInvalid:
        return False
    return True


def _refuse_control(body: bytes, name: str) -> None:
    cells = np.frombuffer(body, dtype=np.uint8)
    for start in range(0, len(cells), _CACHED):
        block = cells[start : start + _CACHED]
        allowed = sum(int(np.count_nonzero(block == mark)) for mark in b"\t\n\r")
        if int(np.count_nonzero(block < 0x20)) == allowed:
            continue
        found = _CONTROL.search(body, start)
        if found:
            line = body.count(b"\n", 0, found.start()) + 1
            message = (
                f"{name}:{line} holds the control character {found[0].decode()!r}; "
                "export the file again"
            )
            raise InputError("ledger-unreadable", message, file=name, line=line)
    if _BOM in body and (where := body.find(b"\n" + _BOM)) >= 0:
        line = body.count(b"\n", 0, where) + 2
        message = (
            f"{name}:{line} begins with a byte order mark: two files were joined; "
            "keep them as two files, each with its heading"
        )
        raise InputError("ledger-unreadable", message, file=name, line=line)


def _delimiter(body: bytes, schema: LedgerSchema) -> str:
    """The separator that shows most headings of the ledger in the first lines."""
    head = body[:65_536].decode(errors="ignore")
    wanted = schema.headings()

    def known(delimiter: str) -> int:
        reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
        count = 0
        try:
            for row, _ in zip(reader, range(24), strict=False):
                count += sum(len(cell) < 100 and heading_key(cell) in wanted for cell in row)
        except csv.Error:
            pass
        return count

    return max(",;\t", key=known)


def _rows(body: bytes, delimiter: str, name: str) -> Iterator[Row]:
    text = io.TextIOWrapper(io.BytesIO(body), encoding="utf-8", newline="")
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    line = 1
    try:
        for row in reader:
            yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        message = (
            f"{name}:{line} is not well-formed csv: {error}; "
            "mend the quotes of this record or export the file again"
        )
        raise InputError("ledger-unreadable", message, file=name, line=line) from None


def _fast(
    body: bytes, delimiter: str, head: Head, schema: LedgerSchema
) -> tuple[dict[str, pa.ChunkedArray], npt.NDArray[np.int32]] | None:
    """Records read by pyarrow, or nothing where it could read them otherwise than we do.

    It reads the same where there are no quotes and no carriage returns alone: then every line is a
    record, and it refuses those that have not as many cells as the heading.
    """
    start = 0
    for _ in range(head.line):
        start = body.find(b"\n", start) + 1
        if not start:
            return None
    if b'"' in body or start == len(body):
        return None
    if b"\r" in body and body.count(b"\r") != body.count(b"\r\n"):
        return None
    lines = body.count(b"\n", start) + (not body.endswith(b"\n"))
    names = [str(number) for number in range(head.cells)]
    wanted = schema.headings()
    kinds = dict.fromkeys(names, pa.string())
    for number, title in zip(names, head.titles, strict=False):
        if heading_key(title) in wanted:
            kinds[number] = raw_type(wanted[heading_key(title)][0])
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(pa.py_buffer(body).slice(start)),
            read_options=pa_csv.ReadOptions(column_names=names, block_size=_BLOCK),
            parse_options=pa_csv.ParseOptions(
                delimiter=delimiter, quote_char=False, ignore_empty_lines=False
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=kinds, null_values=[], strings_can_be_null=False, check_utf8=False
            ),
        )
    except pa.ArrowException:
        return None
    if table.num_rows != lines or any(_longest(column) > _LONGEST for column in table.columns):
        return None
    # Columns that keep few different texts are looked through in no time.
    ordered = sorted(table.columns, key=lambda cells: not pa.types.is_dictionary(cells.type))
    blank = _blank(ordered[0])
    for column in ordered[1:]:
        if not blank.any():
            break
        blank &= _blank(column)
    places = np.arange(head.line + 1, head.line + 1 + lines, dtype=np.int32)
    if blank.any():
        table, places = table.filter(pa.array(~blank)), places[~blank]
    if not all(_blank(column).all() for column in table.columns[head.width :]):
        return None
    columns = {
        title: column for title, column in zip(head.titles, table.columns, strict=False) if title
    }
    return columns, places


def _longest(column: pa.ChunkedArray) -> int:
    parts = [c.dictionary if pa.types.is_dictionary(c.type) else c for c in column.chunks]
    return max((pc.max(pc.binary_length(part)).as_py() or 0 for part in parts), default=0)


def _blank(column: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    return matches(column, pa.array([""]))
