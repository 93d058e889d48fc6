"""A workbook is looked at before the fast reader sees it, and that reader sees nothing else.

The reader shows an error value, or a formula that was never calculated, as an empty cell, says
nothing of what is hidden, and makes room for every cell between the first and the last. So the
parts of the file are unpacked here within limits, looked at, and handed on as they were seen.

Source: ECMA-376 part 1 (SpreadsheetML), 18.2 and 18.3.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO
from xml.parsers import expat

from reportkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportkit.ledgers.readers.table import Epoch

_MEMBERS = 10_000
_BYTES = 1 << 30
_RATIO = 250
_RATIO_FROM = 1 << 24
_CELLS = 60_000_000
_ROWS, _COLUMNS = 1_048_576, 16_384
_KEPT = re.compile(
    r"\[Content_Types\]\.xml|_rels/\.rels|xl/(?:_rels/)?workbook\.xml(?:\.rels)?"
    r"|xl/(?:styles|sharedStrings)\.xml|xl/worksheets/[^/]+\.xml"
)
_BOOK, _BOOK_RELS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_REFERENCE = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})")
_ZIP_ERRORS = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError,
    OSError,
)  # fmt: skip
Span = tuple[int, int]


@dataclass
class Sheet:
    """What the fast reader does not say about one sheet; rows and columns count from 1."""

    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[Span] = field(default_factory=list)
    errors: list[Span] = field(default_factory=list)
    """Row and column of each error value."""
    uncalculated: list[Span] = field(default_factory=list)
    """Row and column of each formula without a stored value."""
    formulas: list[Span] = field(default_factory=list)


@dataclass(frozen=True)
class Guarded:
    """A workbook that can be read, and what a reader of it must know."""

    content: io.BytesIO = field(repr=False)
    """The workbook's parts as they were seen, and nothing else."""
    epoch: Epoch
    calculate: bool
    """Whether the program that wrote it left all formulas to be calculated by another."""
    sheets: dict[str, Sheet]


def guard(file: BinaryIO, name: str) -> Guarded:
    """Unpack and look at a workbook.

    Raises
    ------
    InputError
        ``ledger-format`` (not an .xlsx workbook), ``ledger-unreadable`` (damaged) or
        ``ledger-unsafe`` (macros, links to other workbooks, entities, or larger than any ledger).
    """
    content = file.read()
    _refuse_other_formats(content, name)
    packed = io.BytesIO()
    parts: dict[str, bytes] = {}
    plain: set[str] = set()
    try:
        # Sheets are packed again at once: unpacked, one of them takes more room than all records.
        with zipfile.ZipFile(packed, "w") as target:
            for member, part in _unpack(content, name):
                target.writestr(zipfile.ZipInfo(member), part, zipfile.ZIP_DEFLATED, 1)
                if member in (_BOOK, _BOOK_RELS):
                    parts[member] = part
                elif member.startswith("xl/worksheets/") and _is_plain(part):
                    plain.add(member)
    except _ZIP_ERRORS as error:
        message = f"{name} is not a readable .xlsx workbook: {error}; save it again as .xlsx"
        raise InputError("ledger-unreadable", message, file=name) from None
    if len(parts) < 2:
        raise _not_xlsx(name, "a zip file without a workbook in it")
    try:
        book, sheets = _look_at_book(parts)
        with zipfile.ZipFile(packed) as looked_at:
            members = set(looked_at.namelist())
            looked = {
                title: Sheet()
                if member in plain
                else _Scan(f"{name}: {title}", name).run(looked_at.read(member))
                for title, member in sheets.items()
                if member in members
            }
    except (expat.ExpatError, ValueError, OverflowError) as error:
        message = f"{name} is damaged: {error}; open it in Excel or WPS and save it again as .xlsx"
        raise InputError("ledger-unreadable", message, file=name) from None
    packed.seek(0)
    epoch: Epoch = 1904 if book.get("date1904") in ("1", "true") else 1900
    return Guarded(packed, epoch, book.get("fullCalcOnLoad") in ("1", "true"), looked)


def _refuse_other_formats(content: bytes, name: str) -> None:
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        if "EncryptedPackage".encode("utf-16-le") in content:
            what = "encrypted; take the password off"
        else:
            what = "an old .xls workbook under the name .xlsx"
        raise _not_xlsx(name, what)
    if (
        content[:512]
        .lstrip(b"\xef\xbb\xbf \t\r\n")
        .lower()
        .startswith((b"<html", b"<!doctype html", b"<table", b"<?xml", b"<meta", b"<head"))
    ):
        raise _not_xlsx(name, "a web page under the name .xlsx")


def _not_xlsx(name: str, what: str) -> InputError:
    message = f"{name} is {what}; open it in Excel or WPS and save it as .xlsx"
    return InputError("ledger-format", message, file=name)


def _unsafe(name: str, what: str, do: str) -> InputError:
    return InputError("ledger-unsafe", f"{name} {what}; {do}", file=name)


def _unpack(content: bytes, name: str) -> Iterator[tuple[str, bytes]]:
    """The parts that are needed, unpacked within limits."""
    save = "copy its cells into a new workbook and save that as .xlsx"
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        members = book.infolist()
        names = [member.filename for member in members]
        lower = [member.lower() for member in names]
        if len(names) > _MEMBERS or len(set(lower)) < len(names):
            what = f"has {len(names)} parts, or one part twice: it is no plain workbook"
            raise _unsafe(name, what, save)
        if found := next((n for n in names if "vbaproject" in n.lower()), None):
            raise _unsafe(name, f"holds macros ({found})", "save it as .xlsx without macros")
        if found := next((n for n in names if n.lower().startswith("xl/externallinks/")), None):
            what = f"takes values from other workbooks ({found})"
            raise _unsafe(name, what, "break the links (数据 › 编辑链接 › 断开链接) and save it")
        needed = [member for member in members if _KEPT.fullmatch(member.filename)]
        total = sum(member.file_size for member in needed)
        if total > _BYTES:
            what = f"unpacks to {total >> 20} MiB, more than {_BYTES >> 20} MiB"
            raise _unsafe(name, what, "split it by year")
        for member in needed:
            size, packed = member.file_size, max(member.compress_size, 1)
            if size > _RATIO_FROM and size > _RATIO * packed:
                what = f"{member.filename}, which unpacks to {size // packed} times its size"
                raise _unsafe(name, f"holds {what}", save)
            part = book.read(member)
            if b"<!DOCTYPE" in part or b"<!ENTITY" in part:
                raise _unsafe(name, f"declares entities in {member.filename}", save)
            if b"\x00" in part:
                raise _unsafe(name, f"holds NUL or UTF-16 in {member.filename}", save)
            yield member.filename, part


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def _elements(part: bytes) -> list[tuple[str, dict[str, str]]]:
    """All elements of a small part, without their name spaces."""
    found: list[tuple[str, dict[str, str]]] = []
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = lambda tag, attributes: found.append(
        (_local(tag), {_local(key): value for key, value in attributes.items()})
    )
    parser.Parse(part, True)
    return found


def _look_at_book(parts: dict[str, bytes]) -> tuple[dict[str, str], dict[str, str]]:
    """Properties of the workbook, and the part of each sheet."""
    targets = {
        attributes.get("Id", ""): attributes.get("Target", "")
        for tag, attributes in _elements(parts[_BOOK_RELS])
        if tag == "Relationship"
    }
    properties: dict[str, str] = {}
    sheets: dict[str, str] = {}
    for tag, attributes in _elements(parts[_BOOK]):
        if tag in ("workbookPr", "calcPr"):
            properties |= attributes
        elif tag == "sheet":
            target = targets.get(attributes.get("id", ""), "")
            path = posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")
            title = attributes.get("name", "")
            if title in sheets:
                message = f"two sheets are named '{title}'"
                raise ValueError(message)
            sheets[title] = path
    return properties, sheets


_WIDE = (
    re.compile(rb'<c r="(?![A-Z][1-9]\d{0,5}")'),
    re.compile(rb'<c r="(?!A?[A-Z][1-9]\d{0,5}")'),
)


def _is_plain(part: bytes) -> bool:
    """Whether the bytes show, without parsing, that there is nothing to tell.

    Every cell is written ``<c r="A1"…``, no attribute is written in another way than ``a="b"``, and
    there is no formula, error value, hidden thing, or cell far out.
    """
    cells = part.count(b'<c r="')
    return (
        not any(mark in part for mark in (b"<f", b't="e"', b"hidden", b"<!", b' ="', b":c "))
        and part.count(b'="') == part.count(b"=")
        and part.count(b"<c ") == cells
        and not any(mark in part for mark in (b"<c>", b"<c/", b"<c\n", b"<c\r", b"<c\t"))
        and any(not wide.search(part) for wide in _WIDE)
    )


class _Scan:
    """One pass over a sheet with an XML parser."""

    def __init__(self, place: str, name: str) -> None:
        self.place, self.name = place, name
        self.sheet = Sheet()
        self.row = self.column = 0
        self.last_row = self.last_column = 0
        self.kind = ""
        self.formula = self.value = self.in_value = False

    def run(self, part: bytes) -> Sheet:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.text
        parser.Parse(part, True)
        if self.last_row * self.last_column > _CELLS:
            what = f"has cells from row 1 to {self.last_row} and column 1 to {self.last_column}"
            do = "delete the empty rows and columns around the table and save it"
            raise _unsafe(self.place, what, do)
        return self.sheet

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = _local(tag)
        if tag == "c":
            self.cell(attributes)
        elif tag == "v":
            self.in_value = True
        elif tag == "is":
            self.value = True
        elif tag == "f":
            self.formula = True
        elif tag == "row":
            self.row = int(attributes.get("r", self.row + 1))
            self.column = 0
            if attributes.get("hidden") in ("1", "true"):
                self.sheet.hidden_rows.append(self.row)
        elif tag == "col" and attributes.get("hidden") in ("1", "true"):
            span = int(attributes.get("min", 1)), int(attributes.get("max", _COLUMNS))
            self.sheet.hidden_columns.append(span)

    def cell(self, attributes: dict[str, str]) -> None:
        if "r" in attributes:
            found = _REFERENCE.fullmatch(attributes["r"])
            if not found:
                message = f"'{attributes['r'][:20]}' is no cell"
                raise ValueError(message)
            self.row, self.column = int(found[2]), column_number(found[1])
        else:
            self.column += 1
        if self.row > _ROWS or self.column > _COLUMNS:
            what = f"has a cell in row {self.row}, column {self.column}"
            raise _unsafe(self.place, what, f"a sheet ends at row {_ROWS}, column {_COLUMNS}")
        self.kind = attributes.get("t", "n")
        self.formula = self.value = False

    def text(self, text: str) -> None:
        if self.in_value and text.strip():
            self.value = True

    def end(self, tag: str) -> None:
        tag = _local(tag)
        if tag == "v":
            self.in_value = False
            # A formula whose result is an empty text has a value: that text.
            self.value = self.value or self.kind == "str"
        elif tag == "c":
            at = (self.row, self.column)
            if self.kind == "e":
                self.sheet.errors.append(at)
            if self.formula:
                self.sheet.formulas.append(at)
                if not self.value:
                    self.sheet.uncalculated.append(at)
            if self.value:
                self.last_row = max(self.last_row, self.row)
                self.last_column = max(self.last_column, self.column)


def column_number(letters: str) -> int:
    """1 for A, 27 for AA."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def cell_name(row: int, column: int) -> str:
    """``C5`` for row 5, column 3."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row}"
