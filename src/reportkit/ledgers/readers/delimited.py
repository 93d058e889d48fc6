"""Csv into raw text tables: strictly decoded, every record with its true line."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import pyarrow as pa

from reportkit.errors import InputError
from reportkit.ledgers.readers.streamed import (
    BOM,
    DoubtError,
    blocks,
    decoded,
    is_utf8,
    stream_csv,
)
from reportkit.ledgers.readers.table import Part, Row, Tell, find_head, quiet, records
from reportkit.ledgers.schema import heading_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportkit.ledgers.schema import LedgerSchema

_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_CACHED = 1 << 17
_OTHERS = {
    b"PK\x03\x04": "a workbook (.xlsx) or another archive",
    b"\xd0\xcf\x11\xe0": "an old workbook (.xls)",
    b"PAR1": "a parquet file",
}


def read_csv(
    file: BinaryIO, schema: LedgerSchema, name: str, *, tell: Tell = quiet, fast: bool = True
) -> list[Part]:
    """Read one csv file with commas, semicolons or tabs.

    Parameters
    ----------
    file : binary file
    schema : LedgerSchema
    name : str
        As shown in messages.
    tell : callable
        Is given the number of rows so far, time and again.
    fast : bool
        Whether pyarrow may read the records of a file whose bytes prove that it reads the same.

    Raises
    ------
    InputError
        ``ledger-encoding``, ``ledger-unreadable``, ``ledger-heading`` or ``ledger-ragged``.
    """
    _refuse_other_formats(file.read(8), name)
    file.seek(0)
    part = _stream(file, schema, name, tell) if fast else None
    if part is None:
        file.seek(0)
        body, encoding = _as_utf8(file.read(), name)
        _refuse_control(body, name)
        delimiter = _delimiter(body, schema)
        head = find_head(_rows(body, delimiter, name), schema, name)
        part = Part(*records(head, name, tell=tell), encoding=encoding)
    return [part]


def _refuse_other_formats(start: bytes, name: str) -> None:
    for first, what in _OTHERS.items():
        if start.startswith(first):
            message = (
                f"{name} is {what} under the name .csv; name it as what it is, or save it as csv"
            )
            raise InputError("ledger-format", message, file=name)


def _stream(file: BinaryIO, schema: LedgerSchema, name: str, tell: Tell) -> Part | None:
    """What the fast reader makes of the file, if there is no doubt about any of its lines."""
    marked = file.read(len(BOM)) == BOM
    for encoding in ("utf-8-sig",) if marked else ("utf-8", "gb18030"):
        try:
            first = decoded(next(blocks(file), b""), encoding).removeprefix(BOM)
            delimiter = _delimiter(first, schema)
            head = find_head(_rows(first, delimiter, name), schema, name)
            return stream_csv(file, encoding, delimiter, head, schema, tell=tell)
        except UnicodeError:
            continue
        except (DoubtError, InputError, pa.ArrowException):
            return None
    return None


def _as_utf8(content: bytes, name: str) -> tuple[bytes, str]:
    """BOM, else strict UTF-8, else strict GB18030, else refused."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        candidates = ["utf-16"]
    elif content.startswith(BOM):
        candidates = ["utf-8-sig"]
    else:
        candidates = ["utf-8", "gb18030"]
    where = 0
    # What is wrong stands where the encoding that got farthest stopped.
    for encoding in candidates:
        if encoding.startswith("utf-8") and is_utf8(content):
            return content.removeprefix(BOM), encoding
        try:
            return content.decode(encoding).encode(), encoding
        except UnicodeError as error:
            where = max(where, getattr(error, "start", 0))
    line = content.count(b"\n", 0, where) + 1
    message = (
        f"{name}:{line} is not {' or '.join(candidates)} (byte {where}); "
        "save the file as UTF-8 or GB18030, and check that it is not cut off"
    )
    raise InputError("ledger-encoding", message, file=name, line=line)


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
    if BOM in body and (where := body.find(b"\n" + BOM)) >= 0:
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
