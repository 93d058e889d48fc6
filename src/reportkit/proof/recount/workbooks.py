"""Sheets of xlsx files as text, by calamine: intake reads them in another way, by its own."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from python_calamine import CalamineSheet

Row = tuple[int, list[str]]
_FROM_1904 = re.compile(rb"<(?:\w+:)?workbookPr[^>]* date1904=\"(?:1|true)\"")


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
    ValueError, zipfile.BadZipFile
        It is no workbook.
    """
    with zipfile.ZipFile(path) as archive:
        epoch = 1904 if _FROM_1904.search(archive.read("xl/workbook.xml")) else 1900
    try:
        book = CalamineWorkbook.from_path(path)
    except CalamineError as error:
        raise ValueError(str(error)) from None
    sheets = [one.name for one in book.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet]
    return {name: Sheet(epoch, _rows(book.get_sheet_by_name(name))) for name in sheets}


def _rows(sheet: CalamineSheet) -> Iterator[Row]:
    # First and last row, and first column, of what is merged over several rows.
    merged = sheet.merged_cell_ranges or []
    ranges = [(top, bottom, left) for (top, left), (bottom, _) in merged if top < bottom]
    shown: dict[int, str] = {}
    for number, cells in enumerate(sheet.to_python(skip_empty_area=False)):
        row = [plain_text(cell) for cell in cells]
        blank = not any(map(str.strip, row))
        for top, bottom, left in ranges:
            if top == number:
                shown[left] = row[left]
            elif top < number <= bottom and not blank:
                row[left] = row[left] or shown[left]
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
        return "" if cell != cell else format(Decimal(repr(cell)).normalize(), "f")
    if isinstance(cell, Decimal):
        return format(cell, "f")
    if isinstance(cell, datetime):
        return str(cell.date()) if cell.time() == time() else str(cell)
    if isinstance(cell, bytes | bytearray | memoryview | list | dict):
        raise TypeError(type(cell).__name__)
    return str(cell)
