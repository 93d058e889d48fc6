"""Columns of a table's values, and each row's values in them, blank ones too."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reportkit.audit.entries import Entry
    from reportkit.audit.readers.lines import Line, Piece

NEAR = 6.0
"""Points between the middles of cells of one column."""


def columns_of(entries: Iterable[Entry], count: int) -> tuple[float, ...]:
    """Columns of the values of a table's rows; empty where that is not sure.

    As in most rows that have all of them; where none has, as in all rows taken together.
    """
    listed = list(entries)
    found = Counter(
        tuple(round(cell.at, 1) for cell in entry.filled)
        for entry in listed
        if len(entry.filled) == count
    )
    if found:
        best, _ = found.most_common(1)[0]
        near = _nearness(listed[0].line)
        alike = sum(n for places, n in found.items() if _same(places, best, near))
        # Where each row has its cells elsewhere, their places say nothing.
        return best if 3 * alike > 2 * found.total() or listed[0].line.ragged else ()
    places = {
        cell.at
        for entry in listed
        if entry.label and not entry.line.ragged
        for cell in entry.filled
        if any(map(str.isdigit, cell.text))
    }
    return tuple(sorted(places)) if len(places) == count > 2 else ()


def _nearness(line: Line) -> float:
    """The distance within which cells are of one column."""
    return NEAR if line.y else 0.1


def _same(places: Sequence[float], others: Sequence[float], near: float) -> bool:
    return all(abs(one - other) <= near for one, other in zip(places, others, strict=True))


def values_of(entry: Entry, count: int, columns: Sequence[float]) -> list[str] | None:
    """The texts of a row's cells, blank ones too; None where it is not known which is which."""
    filled = entry.filled
    in_order = [cell.text for cell in filled] if len(filled) == count else None
    if columns and not entry.line.ragged:
        near = _nearness(entry.line)
        picked = [_at(entry.cells, column, near) for column in columns]
        if None not in picked:
            by_place = [cell.text for cell in picked if cell]
            # So many numbers, and some elsewhere: a blank and a remark, or a row that is shifted.
            return by_place if in_order in (None, by_place) else None
    if in_order is not None:
        return in_order
    if not entry.line.ragged and len(entry.cells) == count:
        return [cell.text for cell in entry.cells]
    if columns and entry.line.ragged and entry.line.y and 0 < len(filled) < count:
        return _by_place(filled, columns)
    return None


def _at(cells: Iterable[Piece], column: float, near: float) -> Piece | None:
    found = [cell for cell in cells if abs(cell.at - column) <= near]
    return found[0] if len(found) == 1 else None


def _by_place(filled: Sequence[Piece], columns: Sequence[float]) -> list[str] | None:
    """Values of a row without rules by where they stand; None where one stands between two.

    A word about as wide as a column can be two numbers that stand close.
    """
    texts = [""] * len(columns)
    gaps = [right - left for left, right in pairwise(columns)] or [0.0]
    if any(cell.wide > 0.7 * min(gaps) for cell in filled):
        return None
    for cell in filled:
        near = min(range(len(columns)), key=lambda at: abs(columns[at] - cell.at))
        if abs(columns[near] - cell.at) > 0.25 * min(gaps) or texts[near]:
            return None
        texts[near] = cell.text
    return texts
