"""A workbook is looked at before its cells are read: what it is, and how far it may be trusted.

Parts are read within limits, and no part but those that hold its cells.

Source: ECMA-376 part 1 (SpreadsheetML), 18.2; part 2 (packages).
"""

from __future__ import annotations

import contextlib
import posixpath
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import pyarrow as pa

from reportkit.errors import InputError
from reportkit.ledgers.readers.cells import heard_strings, local, parser
from reportkit.ledgers.readers.numbers import date_styles
from reportkit.ledgers.readers.plain import DoubtError, plain_strings

if TYPE_CHECKING:
    from reportkit.ledgers.readers.table import Epoch

_MEMBERS = 10_000
_BYTES = 1 << 30
_RATIO = 250
_RATIO_FROM = 1 << 24
_BOOK, _BOOK_RELS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
ZIP_ERRORS = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError,
    OSError,
)  # fmt: skip
"""What reading a damaged archive ends in."""


@dataclass(frozen=True)
class SheetPart:
    """Where a sheet is in the archive, and whether it is shown."""

    path: str
    visible: bool


@dataclass(frozen=True)
class Book:
    """A workbook whose cells can be read."""

    name: str
    archive: zipfile.ZipFile
    sheets: dict[str, SheetPart]
    epoch: Epoch
    calculate: bool
    """Whether the program that wrote it left all formulas to be calculated by another."""
    days: list[bool]
    """For each style, whether it shows a number as a day."""
    strings_path: str | None

    def part(self, title: str) -> BinaryIO:
        """The XML of a sheet."""
        return cast("BinaryIO", self.archive.open(self.sheets[title].path))

    @cached_property
    def strings(self) -> pa.Array:
        """Texts that cells share."""
        if self.strings_path is None:
            return pa.array([], pa.large_string())
        with contextlib.suppress(DoubtError), self.archive.open(self.strings_path) as file:
            return plain_strings(cast("BinaryIO", file), self.name)
        with self.archive.open(self.strings_path) as file:
            return heard_strings(cast("BinaryIO", file), self.name)


def guard(file: BinaryIO, name: str) -> Book:
    """Look at a workbook.

    Raises
    ------
    InputError
        ``ledger-format`` (not an .xlsx workbook) or ``ledger-unsafe`` (macros, links to other
        workbooks, entities, or larger than any ledger).
    """
    _refuse_other_formats(file, name)
    archive = zipfile.ZipFile(file)
    _refuse_unsafe(archive.infolist(), name)
    if not {_BOOK, _BOOK_RELS} <= set(archive.namelist()):
        raise _not_xlsx(name, "a zip file without a workbook in it")
    parts = {
        attributes.get("Id", ""): (
            attributes.get("Type", "").rpartition("/")[2],
            posixpath.normpath(posixpath.join("/xl", attributes.get("Target", ""))).lstrip("/"),
        )
        for tag, attributes in _elements(archive.read(_BOOK_RELS), name)
        if tag == "Relationship"
    }
    properties: dict[str, str] = {}
    sheets: dict[str, SheetPart] = {}
    for tag, attributes in _elements(archive.read(_BOOK), name):
        if tag in ("workbookPr", "calcPr"):
            properties |= attributes
        elif tag == "sheet":
            title = attributes.get("name", "")
            kind, path = parts.get(attributes.get("id", ""), ("worksheet", ""))
            if title in sheets:
                message = f"two sheets are named '{title}'"
                raise ValueError(message)
            if kind == "worksheet":
                sheets[title] = SheetPart(path, attributes.get("state", "visible") == "visible")
    paths = {kind: path for kind, path in parts.values() if kind in ("styles", "sharedStrings")}
    styles = archive.read(paths["styles"]) if "styles" in paths else None
    return Book(
        name, archive, sheets,
        epoch=1904 if properties.get("date1904") in ("1", "true") else 1900,
        calculate=properties.get("fullCalcOnLoad") in ("1", "true"),
        days=date_styles(_elements(styles, name)) if styles else [],
        strings_path=paths.get("sharedStrings"),
    )  # fmt: skip


def _refuse_other_formats(file: BinaryIO, name: str) -> None:
    content = file.read(512)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        if "EncryptedPackage".encode("utf-16-le") in content + file.read():
            what = "encrypted; take the password off"
        else:
            what = "an old .xls workbook under the name .xlsx"
        raise _not_xlsx(name, what)
    if (
        content.lstrip(b"\xef\xbb\xbf \t\r\n")
        .lower()
        .startswith((b"<html", b"<!doctype html", b"<table", b"<?xml", b"<meta", b"<head"))
    ):
        raise _not_xlsx(name, "a web page under the name .xlsx")
    if not content.startswith(b"PK"):
        raise _not_xlsx(name, "no workbook (a text file is named .csv)")


def _not_xlsx(name: str, what: str) -> InputError:
    message = f"{name} is {what}; open it in Excel or WPS and save it as .xlsx"
    return InputError("ledger-format", message, file=name)


def unsafe(name: str, what: str, do: str) -> InputError:
    """The refusal of a workbook that no program for ledgers should read."""
    return InputError("ledger-unsafe", f"{name} {what}; {do}", file=name)


def _refuse_unsafe(members: list[zipfile.ZipInfo], name: str) -> None:
    save = "copy its cells into a new workbook and save that as .xlsx"
    names = [member.filename for member in members]
    lower = [member.lower() for member in names]
    if len(names) > _MEMBERS or len(set(lower)) < len(names):
        what = f"has {len(names)} parts, or one part twice: it is no plain workbook"
        raise unsafe(name, what, save)
    if found := next((n for n in names if "vbaproject" in n.lower()), None):
        raise unsafe(name, f"holds macros ({found})", "save it as .xlsx without macros")
    if found := next((n for n in names if n.lower().startswith("xl/externallinks/")), None):
        what = f"takes values from other workbooks ({found})"
        raise unsafe(name, what, "break the links (数据 › 编辑链接 › 断开链接) and save it")
    needed = [member for member in members if member.filename.endswith((".xml", ".rels"))]
    total = sum(member.file_size for member in needed)
    if total > _BYTES:
        what = f"unpacks to {total >> 20} MiB, more than {_BYTES >> 20} MiB"
        raise unsafe(name, what, "split it by year")
    for member in needed:
        size, packed = member.file_size, max(member.compress_size, 1)
        if size > _RATIO_FROM and size > _RATIO * packed:
            what = f"{member.filename}, which unpacks to {size // packed} times its size"
            raise unsafe(name, f"holds {what}", save)


def _elements(part: bytes, name: str) -> list[tuple[str, dict[str, str]]]:
    """All elements of a small part, without their name spaces."""
    found: list[tuple[str, dict[str, str]]] = []

    def start(tag: str, attributes: dict[str, Any]) -> None:
        found.append((local(tag), {local(key): value for key, value in attributes.items()}))

    listener = parser(name)
    listener.StartElementHandler = start
    listener.Parse(part, True)
    return found
