"""Csv into raw text tables: strictly decoded, every record with its true line."""

from __future__ import annotations

import csv
import io
import re
from itertools import pairwise
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import pyarrow.compute as pc

from reportkit.errors import InputError
from reportkit.language import Message, joined
from reportkit.language.message import OR, of_library
from reportkit.ledgers.readers.heading import find_head
from reportkit.ledgers.readers.table import Note, Row, Tell, TextTable, quiet, records
from reportkit.ledgers.schema import heading_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt
    import pyarrow as pa

    from reportkit.ledgers.schema import LedgerSchema

_BOM = "\ufeff".encode()
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
# What Excel reads, and others write, to say what separates the cells.
_SEPARATOR_LINE = re.compile(rb"[Ss][Ee][Pp]=([^\w\"\r\n])\r?\n?")
# A record of more lines has most likely a quote that was never closed.
_LINES = 50
_OTHERS = {
    b"PK\x03\x04": Message("a workbook (.xlsx) or another archive"),
    b"\xd0\xcf\x11\xe0": Message("an old workbook (.xls)"),
    b"PAR1": Message("a parquet file"),
}


def read_csv(
    file: BinaryIO, schema: LedgerSchema, name: str, *, tell: Tell = quiet
) -> list[TextTable]:
    """Read one csv file with commas, semicolons or tabs, or what its line ``sep=`` says.

    Parameters
    ----------
    file : binary file
    schema : LedgerSchema
    name : str
        As shown in messages.
    tell : callable
        Is given the number of rows so far, time and again.

    Raises
    ------
    InputError
        ``ledger-encoding``, ``ledger-unreadable``, ``ledger-heading`` or ``ledger-ragged``.
    """
    content = file.read()
    _refuse_other_formats(content, name)
    body, encoding = _as_utf8(content, name)
    del content
    _refuse_control(body, name)
    long: list[tuple[int, int]] = []
    head = find_head(_rows(body, _delimiter(body, schema), name, long), schema, name)
    whole = body.endswith((b"\n", b"\r"))
    columns, lines = records(head, schema, name, whole=whole, tell=tell)
    expected = Message("one record of many lines: is a quote left open in it?")
    notes = [Note(f"{a}-{b}", "L-lines", "warn", "", "", expected) for a, b in long]
    notes += _cut_amounts(columns, lines, schema)
    return [TextTable(columns, lines, encoding, notes=(*head.notes, *notes))]


def _cut_amounts(
    columns: Mapping[str, pa.ChunkedArray], lines: npt.NDArray[np.int32], schema: LedgerSchema
) -> Iterator[Note]:
    """Note amounts that a comma without quotes may have cut: 1 and 234.50 in a text beside it.

    Where the last cells of a row are missing, as many cells are left as the heading has.
    """
    wanted = schema.headings()
    for title, beside in pairwise(columns):
        column, other = (wanted.get(heading_key(one), (None, 1))[0] for one in (title, beside))
        if not (column and other) or (column.type, other.type) != ("amount", "text"):
            continue
        begun = pc.match_substring_regex(columns[title], r"^\s*[-¥￥]?[0-9]{1,3}\s*$")
        rest = pc.match_substring_regex(columns[beside], r"^\s*[0-9]{3}(?:\.[0-9]+)?\s*$")
        expected = Message(
            "a whole amount; it seems that a comma in it has cut it, for want of quotes"
        )
        for row in np.flatnonzero(pc.and_(begun, rest).to_numpy()).tolist():
            line = int(lines[row])
            found = columns[title][row].as_py()
            yield Note(str(line), "L-odd", "warn", column.name, found, expected, line)


def _refuse_other_formats(content: bytes, name: str) -> None:
    for first, kind in _OTHERS.items():
        if content.startswith(first):
            raise InputError(
                "ledger-format",
                "{file} is {kind} under the name .csv; name it as what it is, or save it as csv",
                kind=kind,
                file=name,
            )


def _as_utf8(content: bytes, name: str) -> tuple[bytes, str]:
    """BOM, else strict UTF-8, else strict GB18030, else refused."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        candidates = ["utf-16"]
    elif content.startswith(_BOM):
        candidates = ["utf-8-sig"]
    else:
        candidates = ["utf-8", "gb18030"]
    where = 0
    # What is wrong stands where the encoding that got farthest stopped.
    for encoding in candidates:
        try:
            text = content.decode(encoding)
        except UnicodeError as error:
            where = max(where, getattr(error, "start", 0))
            continue
        if encoding.startswith("utf-8"):
            return content.removeprefix(_BOM), encoding
        return text.encode(), encoding
    line = content.count(b"\n", 0, where) + 1
    raise InputError(
        "ledger-encoding",
        "{file}:{line} is not {candidates} (byte {where}); save the file as UTF-8 or "
        "GB18030, and check that it is not cut off",
        candidates=joined(OR, candidates),
        where=where,
        file=name,
        line=line,
    )


def _refuse_control(body: bytes, name: str) -> None:
    if found := _CONTROL.search(body):
        problem = Message(
            "holds the control character {found!r}; export the file again", found=found[0].decode()
        )
        raise _unreadable(name, body.count(b"\n", 0, found.start()) + 1, problem)
    if (where := body.find(b"\n" + _BOM)) >= 0:
        problem = Message(
            "begins with a byte order mark: two files were joined; keep them as two files, "
            "each with its heading"
        )
        raise _unreadable(name, body.count(b"\n", 0, where) + 2, problem)


def _unreadable(name: str, line: int, problem: str) -> InputError:
    return InputError(
        "ledger-unreadable", "{file}:{line} {problem}", problem=problem, file=name, line=line
    )


def _delimiter(body: bytes, schema: LedgerSchema) -> str:
    """The separator that the file says, or that shows most headings in its first lines."""
    if line := _SEPARATOR_LINE.match(body):
        return line[1].decode()
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


def _rows(body: bytes, delimiter: str, name: str, long: list[tuple[int, int]]) -> Iterator[Row]:
    """Records, each with the line that it begins on; those of many lines are put to *long*."""
    # The end of the line that was read last.
    tail = [""]
    lines = io.TextIOWrapper(io.BytesIO(body), encoding="utf-8", newline="")
    # The csv module drops how a line ends, so its end is noted as the line goes by.
    watched = (tail.__setitem__(0, line[-1:]) or line for line in lines)
    reader = csv.reader(watched, delimiter=delimiter, strict=True)
    line, ends = 1, ""
    try:
        for row in reader:
            # Where lines end otherwise, a carriage return alone splits a record in two.
            end = tail[0] if tail[0] in "\r\n" else ends
            if ends and end != ends:
                problem = Message(
                    "ends in another way than the lines before it: a carriage return is in it"
                )
                raise _unreadable(
                    name, line, problem + Message(", or a line feed; export the file again")
                )
            ends = end
            if reader.line_num - line >= _LINES:
                long.append((line, reader.line_num))
            yield Row(line, row)
            line = reader.line_num + 1
    except csv.Error as error:
        problem = Message(
            "is not well-formed csv: {error}; mend the quotes of this record or export the "
            "file again",
            error=of_library(str(error)),
        )
        raise _unreadable(name, line, problem) from None
