"""Workbooks into lines: each sheet is a table."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from python_calamine import CalamineWorkbook

from reportkit.audit.readers.lines import grid_line, joined

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportkit.audit.readers.lines import Line

_MOST = 1_000_000  # cells of a sheet


def read_workbook(content: bytes) -> Iterator[Line]:
    """Rows of all sheets; what a merged cell covers is left out."""
    workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
    for table, name in enumerate(workbook.sheet_names, 1):
        sheet = workbook.get_sheet_by_name(name)
        covered = {
            (row, column)
            for first, last in sheet.merged_cell_ranges or ()
            for row in range(first[0], min(last[0], first[0] + 500) + 1)
            for column in range(first[1], min(last[1], first[1] + 200) + 1)
            if (row, column) != (first[0], first[1])
        }
        if sheet.total_height * sheet.total_width > _MOST:
            continue  # no table of a report is as large
        for row, values in enumerate(sheet.to_python(skip_empty_area=False), 1):
            cells = [
                (column, joined(_text(value).splitlines()))
                for column, value in enumerate(values)
                if (row - 1, column) not in covered
            ]
            if any(text for _, text in cells):
                yield grid_line(cells, page=None, table=table, row=row)


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)
