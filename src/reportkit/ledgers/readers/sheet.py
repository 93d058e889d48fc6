"""One sheet of a workbook, of whatever format, as a reader of that format gives it.

A reader gives rows of texts and what it saw of cells besides; `judging` decides what becomes of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xlsxwriter.utility import xl_col_to_name as column_name

from reportkit.language import Message
from reportkit.ledgers.readers.table import Epoch, Note, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reportkit.ledgers.readers.formats import Oddities

_LIGHT = 0xF0
THIN = 0.04
"""Rows lower than so many inches, and narrower columns, are hidden."""
_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?([1-9]\d{0,6})", re.ASCII)
_COLUMNS = 16_384
Range = tuple[int, int, int, int]
"""Top, left, bottom, right; rows from 1, columns from 0."""
MACROS = Note(
    "",
    "L-macros",
    "warn",
    "",
    "",
    Message("the workbook holds macros; they are not run, its values count"),
)


@dataclass
class Sheet:
    """One sheet as a reader of a format gives it.

    What is below *rows* is known when they have been read.
    """

    title: str
    visible: bool
    rows: Iterator[Row] = field(default_factory=lambda: iter(()))
    comments: set[tuple[int, int]] = field(default_factory=set)
    """Row and column of each cell with a comment."""
    totals: set[int] = field(default_factory=set)
    """Rows that a table within the sheet keeps for its sums."""
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    """First and last column of each hidden range."""
    merges: list[Range] = field(default_factory=list)
    conditional: list[Range] = field(default_factory=list)
    """Cells that a conditional format may strike out, hide or show in another number format."""


@dataclass(frozen=True)
class Book:
    """A workbook: its sheets one after the other, and notes on the whole."""

    epoch: Epoch
    sheets: Iterable[Sheet]
    notes: tuple[Note, ...] = ()


def shade(red: int, green: int, blue: int) -> str:
    """A colour, to compare; what is nearly white is white."""
    light = min(red, green, blue) >= _LIGHT
    return "FFFFFF" if light else f"{red:02X}{green:02X}{blue:02X}"


def of_runs(
    runs: Sequence[tuple[str, Sequence[str]]], *, leave_out: bool = False
) -> tuple[str, Oddities]:
    """A text of runs, each with the marks of its font, and the oddities of its cell.

    With *leave_out* what is struck out is left out, where anything else is left.
    """
    whole = "".join(text for text, _ in runs)
    if not any(marks for _, marks in runs):
        return whole, ()
    filled = [(text, marks) for text, marks in runs if text.strip()]
    struck = "".join(text for text, marks in filled if "struck" in marks)
    odd = [("raised", whole)] if any("raised" in marks for _, marks in filled) else []
    if all("struck" in marks for _, marks in filled):
        return whole, (*odd, *([("struck", whole)] * bool(struck)))
    if struck:
        odd.append(("struck-run", struck) if leave_out else ("struck-part", whole))
    kept = "".join(text for text, marks in runs if not leave_out or "struck" not in marks)
    return kept, tuple(odd)


def column_number(letters: str) -> int:
    """0 for A, 26 for AA.

    Raises
    ------
    ValueError
        There is no such column.
    """
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64 if "A" <= letter <= "Z" else _COLUMNS + 1
    if not 0 < number <= _COLUMNS:
        raise ValueError(Message("'{letters}' is no column", letters=letters[:20]))
    return number - 1


def cell_name(row: int, column: int) -> str:
    """``C5`` for row 5, column 2."""
    return f"{column_name(column)}{row}"


def range_of(reference: str) -> Range:
    """The cells of ``C5`` or ``C5:D6``.

    Raises
    ------
    ValueError
        They are none.
    """
    first, _, last = reference.partition(":")
    ends = _REFERENCE.fullmatch(first), _REFERENCE.fullmatch(last or first)
    if not ends[0] or not ends[1]:
        raise ValueError(Message("'{reference}' is no cell", reference=reference[:20]))
    top, bottom = int(ends[0][2]), int(ends[1][2])
    return top, column_number(ends[0][1]), bottom, column_number(ends[1][1])
