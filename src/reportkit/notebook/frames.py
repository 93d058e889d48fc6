"""Tables of an analyst's own: a DataFrame as a block that every document can set.

How wide each column is, how large the type and whether the page is turned are decided here, once
for all documents, from the length of what stands in the cells.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reportkit.errors import InputError
from reportkit.export.blocks import Block, block, visible
from reportkit.facts import Fact
from reportkit.facts.numerals import plain
from reportkit.notebook.printed import as_frame, number_in, printed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# Points of type, and True for a turned page: a table is set in the first that has room.
_SETTINGS = [(12, False), (10, False), (9, False), (8, False), (10, True), (8, True), (7, True)]
# Points that a page is wide, between its margins, and high when it is turned (GB/T 9704).
_UPRIGHT, _TURNED = 442.2, 637.8
_PADDING = 6.5
# Characters: a text breaks into lines, but not into slivers; a longer one needs no wider column.
_LEAST, _EASY, _MOST = 6, 12, 40
# Share of a page that a cell of text may fill, and height of a line, in sizes of type.
_FILLED, _LEADING = 0.8, 1.4
# Letters and digits in a row; a line may break after - and /.
_UNBROKEN = re.compile("[!-,.0-~]{7,}")
_WIDE = "%‰—…WM@"
_ROWS = 400
# What the rows of a ledger are counted by.
_ROW_INDEX = ["row"]
# What pandas calls the labels of a crosstab of nameless data.
_NAMELESS = re.compile(r"(row|col)_\d+")
# Types that Python prints in its own notation.
_NO_VALUES = (list, tuple, dict, set, frozenset, bytes, np.ndarray, complex, timedelta)


@dataclass(frozen=True)
class _Column:
    """One column of cells below each other, with its heading of one or several levels."""

    heading: tuple[str, ...]
    cells: list[Block]
    number: bool

    @property
    def full(self) -> float:
        """Characters that the longest cell needs on one line."""
        return min(_MOST, max([_long(cell["text"]) for cell in self.cells], default=2))

    @property
    def whole(self) -> float:
        """Characters with which no cell is broken, nor a heading of usual length."""
        return max(self.full, min(_EASY, max(map(_long, self.heading))))

    @property
    def least(self) -> float:
        """Characters without which a column cannot be read: a number is never broken."""
        text = max(min(self.full, _LEAST), *(_word(cell["text"]) for cell in self.cells), 0)
        return max(self._heads(3, 2), self.full if self.number else text)

    @property
    def easy(self) -> float:
        """Characters with which most cells are of one line, and headings of two."""
        return max(self.least, self._heads(2, 4), min(self.full, _EASY))

    def _heads(self, lines: int, unbroken: int) -> float:
        texts = map(_long, self.heading)
        return max(min(long, max(unbroken, math.ceil(long / lines))) for long in texts)


def _long(text: str) -> float:
    """Return the length of a text in Chinese characters; a figure of our Song is 0.56 of one."""
    return sum(1 if ord(character) > 0x2E7F or character in _WIDE else 0.56 for character in text)


def _word(text: str) -> float:
    """Return the length of the longest part of a text that no line breaks."""
    return max(map(_long, _UNBROKEN.findall(text)), default=0)


def table_of(
    data: pd.DataFrame | pd.Series, *, title: str, note: str, formats: Mapping[str, str] | str
) -> Block:
    """The block of a table.

    Parameters
    ----------
    data : pandas.DataFrame or Series
        Labels in the index and, in one or several levels, in the columns. A cell may hold a
        `Fact`, which is then bound as in the statutory tables.
    title, note : str
        Above and below the table.
    formats : mapping of str to str
        By column: ``percent`` (0.953 is 95.3%), or a format of Python's for numbers (``,.2f``).

    Raises
    ------
    InputError
        ``table-wide``, ``table-long``: no page holds it; ``table-value``: a cell holds what is no
        text, number or day; ``format``: a form or column unknown.
    """
    frame = as_frame(data)
    if len(frame) > _ROWS:
        raise InputError(
            "table-long",
            "the table has {frame} rows; a document shows {rows} at most: show the "
            "largest (.head), sum up, or draw a figure",
            frame=len(frame),
            rows=_ROWS,
        )
    labels, columns = _labels(frame), _values(frame, formats)
    if not labels and columns and not columns[0].number:
        for cell in columns[0].cells:
            cell["role"] = "label"
        labels, columns = columns[:1], columns[1:]
    named = [*labels, *columns]
    if not named:
        raise InputError("table-wide", "the table has no column; there is nothing to show")
    size, turned, widths = _fitted(named)
    room = (_UPRIGHT if turned else _TURNED) * _FILLED
    for column, width in zip(named, widths, strict=True):
        if any(_long(cell["text"]) / width * size * _LEADING > room for cell in column.cells):
            raise InputError(
                "table-long",
                "a cell of the column {name} is a text longer than a page; give it to report.text, "
                "or shorten it",
                name=column.heading[-1],
            )
    rows = [*_heads(labels, columns), *_body(labels, columns, len(frame))]
    return block(
        "table",
        own=True,
        title=title,
        note=note,
        columns=len(named),
        label_columns=len(labels),
        head_rows=max(len(column.heading) for column in columns or labels),
        rows=rows,
        size=size,
        turned=turned,
        widths=widths,
        align=["right" if column.number else "left" for column in named],
        kept=[column.number or column.full <= _EASY for column in named],
    )


def _cell(text: str, role: str, *, across: int = 1, down: int = 1) -> Block:
    return {"text": str(visible(text)), "role": role, "colspan": across, "rowspan": down}


def _texts(label: Any, levels: int) -> tuple[str, ...]:
    parts = label if isinstance(label, tuple) else (label,)
    return tuple(printed([part])[0] for part in parts) + ("",) * (levels - len(parts))


def _labels(frame: pd.DataFrame) -> list[_Column]:
    """The index as columns of labels; one that only counts the rows is left out."""
    index, levels = frame.index, frame.columns.nlevels
    counts = isinstance(index, pd.RangeIndex) and index.name is None and index.start == 0
    if counts or list(index.names) == _ROW_INDEX:  # a number of a row tells a reader nothing
        return []
    made = []
    for level, name in enumerate(index.names):
        cells = [_cell(text, "label") for text in printed(index.get_level_values(level))]
        nameless = name is None or _NAMELESS.fullmatch(str(name))
        made.append(_Column(_texts("" if nameless else name, levels), cells, number=False))
    return made


def _values(frame: pd.DataFrame, formats: Mapping[str, str] | str) -> list[_Column]:
    names = [_texts(label, frame.columns.nlevels) for label in frame.columns]
    if isinstance(formats, str):
        raise InputError(
            "format",
            "formats={given!r} says not of which column: {{'{name}': {given!r}}}",
            given=formats,
            name=names[0][-1] if names else "",
        )
    if unknown := sorted(set(formats) - {name[-1] for name in names}):
        known = "、".join(name[-1] for name in names)
        raise InputError(
            "format",
            "formats names {unknown}; columns are {known}",
            unknown="、".join(unknown),
            known=known,
        )
    made = []
    for at, name in enumerate(names):
        values = list(frame.iloc[:, at])
        form = formats.get(name[-1], "")
        texts = printed(values, form)
        cells = [_value(value, text, form) for value, text in zip(values, texts, strict=True)]
        number = all("value" in c or "fact" in c or not c["text"] for c in cells)
        made.append(_Column(name, cells, number))
    return made


def _value(value: Any, text: str, form: str) -> Block:
    if isinstance(value, Fact):
        return _cell(value.text, "value") | {"fact": value.id}
    if isinstance(value, _NO_VALUES) or (isinstance(value, float) and math.isinf(value)):
        raise InputError(
            "table-value",
            "a cell of the table holds {value:.40}, which is no text, number or day: a division "
            "by zero gives inf, Timedeltas have .dt.days; write what shall be printed",
            value=repr(value),
        )
    cell = _cell(text, "value")
    number = number_in(value)
    if number is None:
        return cell
    # What the workbook reckons with; all digits, also where fewer are printed.
    return cell | {"value": plain(number), "form": form}


def _fitted(columns: Sequence[_Column]) -> tuple[int, bool, list[float]]:
    """Size of type, whether the page is turned, and how many characters wide each column is."""
    least, easy = [column.least for column in columns], [column.easy for column in columns]
    # Smaller type where that spares most cells a second line, then smaller still, then turned.
    # Room that is left over is shared among the columns that could use it.
    for wanted, settings in ((easy, _SETTINGS[:3]), (least, _SETTINGS)):
        for size, turned in settings:
            room = ((_TURNED if turned else _UPRIGHT) - _PADDING * len(columns)) / size
            if sum(wanted) <= room:
                full = [max(a, c.whole) for a, c in zip(wanted, columns, strict=True)]
                wished = sum(full) - sum(wanted)
                share = min(1, (room - sum(wanted)) / wished) if wished else 0
                widths = [a + (b - a) * share for a, b in zip(wanted, full, strict=True)]
                return size, turned, [round(width, 2) for width in widths]
    raise InputError(
        "table-wide",
        "the table is too wide for a page, also for one on its side: {columns} columns "
        "need {width:.0f} characters; turn it round (.T), split it, or show 万元 instead "
        "of 元",
        columns=len(columns),
        width=sum(least),
    )


def _down_to(level: int) -> Callable[[_Column], tuple[str, ...]]:
    return lambda column: column.heading[: level + 1]


def _heads(labels: Sequence[_Column], columns: Sequence[_Column]) -> list[list[Block]]:
    """Rows of headings: one that several columns share spans them."""
    levels = max(len(column.heading) for column in columns or labels)
    rows: list[list[Block]] = [[] for _ in range(levels)]
    for label in labels:
        rows[0].append(_cell(label.heading[0], "head", down=levels))
    for level in range(levels):
        # Under another heading the same word is another heading.
        for above, found in groupby(columns, _down_to(level)):
            under = list(found)
            if level and not above[-1]:
                continue  # the heading above spans this level too
            ends = not any(any(column.heading[level + 1 :]) for column in under)
            for group in [[column] for column in under] if ends else [under]:
                down = levels - level if ends else 1
                rows[level].append(_cell(above[-1], "head", across=len(group), down=down))
    return rows


def _body(labels: Sequence[_Column], columns: Sequence[_Column], rows: int) -> list[list[Block]]:
    """Rows of cells; a label of an outer level spans all its rows."""
    made: list[list[Block]] = [[] for _ in range(rows)]
    for depth, label in enumerate(labels):

        def outer(at: int, depth: int = depth) -> tuple[Any, ...]:
            innermost = at if depth == len(labels) - 1 else -1
            return (innermost, *(level.cells[at]["text"] for level in labels[: depth + 1]))

        for _, found in groupby(range(rows), outer):
            beside = list(found)
            made[beside[0]].append(label.cells[beside[0]] | {"rowspan": len(beside)})
    for column in columns:
        for row, cell in zip(made, column.cells, strict=True):
            row.append(cell)
    if not rows:
        made.append([_cell("（没有记录）", "value", across=len(labels) + len(columns))])
    return made
