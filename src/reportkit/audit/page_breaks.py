"""Rows of a table that a page break has cut in two, put together again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reportkit.audit.entries import is_label, split_line
from reportkit.audit.labels import numbered
from reportkit.audit.readers.lines import BROKEN, Line, Piece

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportkit.audit.entries import Entry


def joined_pages(lines: Sequence[Line]) -> list[Line]:
    """Lines of a document, with each row in one that a page break has cut in two."""
    made: list[Line] = []
    tables: dict[int, list[str]] = {0: []}
    last: int | None = None  # the row before, wherever it stands
    for line in lines:
        made.append(line)
        if line.table is None or line.page is None:
            continue
        earlier = tables[max(number for number in tables if number < line.table)]
        rows = tables.setdefault(line.table, [])
        rows.append(line.text)
        # A head that each page repeats stands between the halves of a row.
        if rows == earlier[: len(rows)]:
            continue
        begins = line.edge or rows[:-1] == earlier[: len(rows) - 1]
        before = made[last] if last is not None else line
        cut = begins and before.edge and before.page == line.page - 1
        if last is not None and cut and (whole := _whole(before, line)):
            made[last] = whole
            made.pop()
        else:
            last = len(made) - 1
    return made


def _whole(first: Line, second: Line) -> Line | None:
    """The row that two halves are of; None where they are two rows."""
    upper, lower = split_line(first), split_line(second)
    if lower.filled and upper.filled:
        return _both(first, upper, lower)
    own = [cell.text for cell in second.cells if is_label(cell.text)]
    if not own or any(map(numbered, own)) or len(first.cells) < 2 or not upper.label:
        return None
    values = (upper if upper.filled or not lower.filled else lower).cells
    label = Piece(upper.label + lower.label, first.cells[0].at)
    return replace(first, cells=(label, *values)) if values else None


def _both(first: Line, upper: Entry, lower: Entry) -> Line | None:
    """A row of which a page break has cut even the numbers: they are kept as two pieces each."""
    if lower.label or not upper.label or len(lower.filled) >= len(upper.filled):
        return None
    rest = {round(cell.at): cell.text for cell in lower.filled}
    values = [
        replace(cell, text=BROKEN.join(filter(None, (cell.text, rest.pop(round(cell.at), "")))))
        for cell in upper.cells
    ]
    if rest:
        return None
    return replace(first, cells=(*first.cells[: len(first.cells) - len(values)], *values))
