"""Sheets of xlsx files as text, by zip and xml of the standard library alone.

The first reading is calamine's; nothing of it is used here. Source: ECMA-376, SpreadsheetML.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Row = tuple[int, list[str]]
_LARGEST = 1 << 31
# Numbers of the built-in formats that show a day or a time, Chinese ones too.
_DATED = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
_UNSHOWN = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.|\*.')


@dataclass(frozen=True)
class Sheet:
    """One sheet: the year that its day numbers count from, and its rows with their numbers."""

    epoch: int
    rows: Iterator[Row]


def read_sheets(path: Path) -> dict[str, Sheet]:
    """The sheets of a workbook by name, each read when its rows are asked for.

    Cells merged downwards show their value in each row that has text.

    Raises
    ------
    KeyError
        A part is not there.
    ValueError, zipfile.BadZipFile, xml.etree.ElementTree.ParseError
        It is no workbook, or unpacks to more than 2 GiB.
    """
    book = zipfile.ZipFile(path)
    if sum(one.file_size for one in book.infolist()) > _LARGEST:
        message = "it unpacks to more than 2 GiB"
        raise ValueError(message)
    tree = _tree(book, "xl/workbook.xml")
    targets = {one.get("Id"): one.get("Target", "") for one in _tree(book, _relations(_BOOK))}
    counted = [one.get("date1904") for one in _each(tree, "workbookPr")]
    epoch = 1904 if counted and counted[0] in ("1", "true") else 1900
    strings, dated = _strings(book), _dated(book)
    sheets = {}
    for one in _each(tree, "sheet"):
        part = posixpath.normpath(posixpath.join("/xl", targets[_attribute(one, "id")]))[1:]
        rows = _rows(book, part, strings, dated, epoch)
        sheets[one.get("name", "")] = Sheet(epoch, rows)
    return sheets


_BOOK = "xl/workbook.xml"


def _relations(part: str) -> str:
    folder, _, name = part.rpartition("/")
    return f"{folder}/_rels/{name}.rels"


def _tree(book: zipfile.ZipFile, part: str) -> ET.Element:
    # Expat itself stops entities that grow; files that are read here were guarded at intake.
    return ET.fromstring(book.read(part))  # noqa: S314


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _each(tree: ET.Element, name: str) -> list[ET.Element]:
    return [one for one in tree.iter() if _local(one.tag) == name]


def _attribute(element: ET.Element, name: str) -> str:
    return next(value for key, value in element.items() if _local(key) == name and "}" in key)


def _said(element: ET.Element) -> str:
    """Text of a cell or shared string, without what is read over it (拼音)."""
    if _local(element.tag) == "t":
        return element.text or ""
    return "".join(_said(one) for one in element if _local(one.tag) in ("t", "r", "is"))


def _strings(book: zipfile.ZipFile) -> list[str]:
    part = "xl/sharedStrings.xml"
    return [_said(one) for one in _tree(book, part)] if part in book.namelist() else []


def _dated(book: zipfile.ZipFile) -> list[bool]:
    """Whether cells of each style show days or times."""
    if "xl/styles.xml" not in book.namelist():
        return []
    tree = _tree(book, "xl/styles.xml")
    own = {one.get("numFmtId"): one.get("formatCode", "") for one in _each(tree, "numFmt")}

    def dated(number: str) -> bool:
        code = own.get(number)
        if code is None:
            return int(number) in _DATED
        shown = _UNSHOWN.sub("", code).split(";")[0].lower()
        return "general" not in shown and bool(re.search("[dmyhs]", shown))

    formats = [xf for group in _each(tree, "cellXfs") for xf in group]
    return [dated(xf.get("numFmtId", "0")) for xf in formats]


def _rows(
    book: zipfile.ZipFile, part: str, strings: list[str], dated: list[bool], epoch: int
) -> Iterator[Row]:
    ranges = _merged(book, part)
    shown: dict[int, str] = {}
    number = 0
    with book.open(part) as file:
        for _, element in ET.iterparse(file):  # noqa: S314 - as above
            if not element.tag.endswith("}row"):
                continue
            number = int(element.get("r", number + 1))
            row: list[str] = []
            for cell in element:
                at = _column(cell.get("r", "")) or len(row) + 1
                row += [""] * (at - len(row))
                row[at - 1] = _cell(cell, strings, dated, epoch)
            element.clear()
            blank = not any(map(str.strip, row))
            for column, top, bottom in ranges:
                if top == number:
                    shown[column] = row[column - 1] if column <= len(row) else ""
                elif top < number <= bottom and not blank:
                    row += [""] * (column - len(row))
                    row[column - 1] = row[column - 1] or shown[column]
            yield number, row


def _merged(book: zipfile.ZipFile, part: str) -> list[tuple[int, int, int]]:
    """First column, first and last row of each range that is merged over several rows."""
    pattern = rb"<(?:\w+:)?mergeCell [^>]*?ref=\"([A-Z]+)(\d+):[A-Z]+(\d+)\""
    found = re.findall(pattern, book.read(part))
    ranges = [(_column(column.decode()), int(top), int(bottom)) for column, top, bottom in found]
    return [one for one in ranges if one[1] < one[2]]


def _column(place: str) -> int:
    number = 0
    for letter in place.rstrip("0123456789"):
        number = number * 26 + ord(letter) - 64
    return number


def _cell(cell: ET.Element, strings: list[str], dated: list[bool], epoch: int) -> str:
    kind = cell.get("t", "n")
    value = next((one.text or "" for one in cell if one.tag.endswith("}v")), "")
    if kind == "s":
        return strings[int(value)] if value else ""
    if kind == "inlineStr":
        return _said(cell)
    if kind == "b":
        return "是" if value in ("1", "true") else "否" if value else ""
    if kind == "d":
        return value.replace("T00:00:00", "")
    if kind != "n" or not value:
        return value
    style = int(cell.get("s", 0))
    if style < len(dated) and dated[style]:
        return _moment(float(value), epoch)
    return value if re.fullmatch(r"-?\d{1,15}", value) else plain_text(float(value))


def _moment(number: float, epoch: int) -> str:
    begin = datetime(1904, 1, 1) if epoch == 1904 else datetime(1899, 12, 30)  # noqa: DTZ001 - days have no zone
    if 0 <= number < 1:
        return str((begin + _days(number)).time())
    # The 29th of February 1900, which never was, has a number.
    return plain_text(begin + _days(number + (epoch == 1900 and number < 60)))


def _days(number: float) -> timedelta:
    return timedelta(milliseconds=round(number * 86_400_000))


def plain_text(cell: Any) -> str:
    """A typed cell as it would be written; nothing for none.

    Raises
    ------
    TypeError
        It is no text, number, truth, day or time.
    """
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float):
        return "" if cell != cell else format(Decimal(repr(cell)).normalize(), "f")
    if isinstance(cell, Decimal):
        return format(cell, "f")
    if isinstance(cell, datetime):
        return str(cell.date()) if cell.time() == time() else str(cell)
    if isinstance(cell, bytes | bytearray | memoryview | list | dict):
        raise TypeError(type(cell).__name__)
    return str(cell)
