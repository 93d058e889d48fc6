"""Sheets of workbooks as text, by calamine: intake reads them in other ways.

What a cell looks like decides here too: calamine joins the runs of a text, so those that are struck
out are taken out of the workbook's parts first. Of .xls and .ods files intake refuses such texts.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, BinaryIO

from lxml import etree
from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum

from reportkit.language import Message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from python_calamine import CalamineSheet

Row = tuple[int, list[str]]
_FROM_1904 = re.compile(rb"<(?:\w+:)?workbookPr[^>]* date1904=\"(?:1|true)\"")
# The record DATEMODE of an .xls file.
_FROM_1904_OLD = b"\x22\x00\x02\x00\x01\x00"
_TOTALS = re.compile(rb"<(?:\w+:)?table [^>]*totalsRowCount=\"[1-9]")
_TABLE = re.compile(rb" displayName=\"([^\"]+)\"")
_PLACE = re.compile(rb" r=\"([A-Z]+)(\d+)\"")
# Signs that a text has runs or is written in a way that calamine reads otherwise.
_RUNS = re.compile(rb"strike|<!|<(?:\w+:)?v>\s|\s</(?:\w+:)?v>")
_CELLS = 20_000_000
# What of an .ods file calamine reads otherwise, or not at all.
_UNSEEN = re.compile(rb"(?:rows|columns)-spanned=\"(?!1\")|<text:(?:line-break|tab)")


@dataclass(frozen=True)
class RawSheet:
    """One sheet: the year that its day numbers count from, and its rows with their numbers."""

    epoch: int
    rows: Iterator[Row]


def read_sheets(path: Path, kind: str) -> dict[str, RawSheet]:
    """The sheets of a workbook by name, each read when its rows are asked for.

    A merged cell shows its value in each row beside it that has text, and hides what is under it.

    Parameters
    ----------
    path : Path
    kind : str
        ``xlsx``, ``xlsm``, ``xls`` or ``ods``.

    Raises
    ------
    KeyError
        A part is not there.
    ValueError, zipfile.BadZipFile
        It is no workbook, or one that is not read a second time.
    """
    epoch, tables = 1900, set()
    content: BinaryIO = io.BytesIO(path.read_bytes())
    if kind == "xls":
        epoch = 1904 if _FROM_1904_OLD in content.read() else 1900
    else:
        with zipfile.ZipFile(content) as archive:
            if kind == "ods":
                if _UNSEEN.search(archive.read("content.xml")):
                    message = Message(
                        "merged cells and broken lines in .ods files are not read twice"
                    )
                    raise ValueError(message)
            else:
                epoch = 1904 if _FROM_1904.search(archive.read("xl/workbook.xml")) else 1900
                tables = _with_sums(archive)
                content = _without_struck(archive, content)
    content.seek(0)
    try:
        book = CalamineWorkbook.from_filelike(content, load_tables=bool(tables))
    except CalamineError as error:
        raise ValueError(str(error)) from None
    sums: dict[str, set[int]] = {}
    for name in tables:
        table = book.get_table_by_name(name)
        sums.setdefault(table.sheet, set()).add(table.end[0] + 1 if table.end else -1)
    sheets = [sheet.name for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    return {
        name: RawSheet(epoch, _rows(book.get_sheet_by_name(name), sums.get(name, set())))
        for name in sheets
    }


def _with_sums(archive: zipfile.ZipFile) -> set[str]:
    """Names of tables within sheets that end in a row of sums."""
    parts = [archive.read(name) for name in archive.namelist() if "xl/tables/" in name]
    return {
        name.decode() for part in parts if _TOTALS.search(part) for name in _TABLE.findall(part)
    }


def _without_struck(archive: zipfile.ZipFile, content: BinaryIO) -> BinaryIO:
    """The workbook without the runs of texts that are struck out, where others are left."""
    changed = {}
    for name in archive.namelist():
        if not name.endswith(".xml") or name.endswith("styles.xml"):
            continue
        part = archive.read(name)
        _refuse_large(part)
        if not _RUNS.search(part):
            continue
        tree = etree.fromstring(part, etree.XMLParser(resolve_entities=False, remove_comments=True))
        for text in tree.iter("{*}si", "{*}is"):
            struck = [run for run in text.iterfind("{*}r") if _is_struck(run)]
            left = [run for run in text.iterfind("{*}r") if run not in struck]
            if any("".join(run.itertext()).strip() for run in left):
                for run in struck:
                    text.remove(run)
        for cell in tree.iter("{*}c"):
            for value in cell.iterfind("{*}v") if cell.get("t") != "str" else ():
                value.text = (value.text or "").strip()
        changed[name] = etree.tostring(tree, encoding="UTF-8")
    if not changed:
        return content
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w") as target:
        for name in archive.namelist():
            target.writestr(name, changed.get(name) or archive.read(name))
    return plain


def _refuse_large(part: bytes) -> None:
    """Refuse a rectangle that calamine would have no room for: it ends the process."""
    places = set(_PLACE.findall(part))
    widest = max(((len(letters), letters) for letters, _ in places), default=(0, b""))[1]
    width = sum((letter - 64) * 26**at for at, letter in enumerate(reversed(widest)))
    if width * max((int(line) for _, line in places), default=0) > _CELLS:
        raise ValueError(Message("its cells lie too far apart to be read a second time"))


def _is_struck(run: Any) -> bool:
    mark = run.find("{*}rPr/{*}strike")
    return mark is not None and mark.get("val", "1") in ("1", "true")


class Spread(str):
    """Text of a merged cell, repeated in a row that is not its first."""

    __slots__ = ()


def _rows(sheet: CalamineSheet, sums: set[int]) -> Iterator[Row]:
    begun: dict[int, list[tuple[int, int, int]]] = {}
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        begun.setdefault(top, []).append((bottom, left, right))
    beside: list[tuple[int, int, int, str]] = []
    for number, cells in enumerate(sheet.to_python(skip_empty_area=False)):
        row = [plain_text(cell) for cell in cells]
        blank = not any(map(str.strip, row))
        # Merged cells that reach down to this row; an empty row is left empty, and so ignored.
        beside = [merged for merged in beside if merged[0] >= number]
        for _, left, right, shown in () if blank else beside:
            row[left : right + 1] = [Spread(shown), *[""] * (right - left)]
        for bottom, left, right in begun.get(number, ()):
            if left < len(row):
                row[left + 1 : right + 1] = [""] * (right - left)
                beside.append((bottom, left, right, row[left]))
        if number not in sums:
            yield number + 1, row


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
        # Fifteen digits, as spreadsheets show.
        return "" if cell != cell else format(Decimal(f"{cell + 0:.15g}"), "f")
    if isinstance(cell, Decimal):
        return format(cell, "f")
    if isinstance(cell, timedelta):
        return plain_text(cell / timedelta(days=1))
    if isinstance(cell, datetime):
        return str(cell.date()) if cell.time() == time() else str(cell)
    if isinstance(cell, bytes | bytearray | memoryview | list | dict):
        raise TypeError(type(cell).__name__)
    return str(cell)
