"""Lines of cells: the one shape that every document is read into."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_BLANKS = re.compile(r"[\s\u200b-\u200f\u2060\ufeff\u00ad]+")
# Marks of footnotes: NFKC would make digits of them, and another number of the one before them.
_MARKS = {0x2460 + at: f"({at + 1})" for at in range(20)} | dict.fromkeys(map(ord, "⁰¹²³⁴⁵⁶⁷⁸⁹"))
# Two pieces of a number that a line break parts may be one number or two.
BROKEN = "\n"


@dataclass(frozen=True)
class Piece:
    """One cell, or one word where nothing is ruled.

    Parameters
    ----------
    text : str
        In NFKC without blanks; `BROKEN` between digits that stand on two lines.
    at : float
        Its column in a grid, or the middle of its word on the page.
    wide : float
        How wide a word is on the page; 0 where that says nothing.
    """

    text: str
    at: float
    wide: float = 0.0


@dataclass(frozen=True)
class Line:
    """One row of a table, or one line of text.

    Parameters
    ----------
    cells : tuple of Piece
        Without what a merged cell covers; a blank cell has an empty text.
    page : int or None
        From 1; None where a format has no pages.
    table : int or None
        The number of the table in the document, from 1; None for a line of text.
    row : int
        The row of the table, or the line of the document, from 1.
    text : str
        The line as it is read aloud, with its blanks.
    y, height : float
        Where its middle stands on the page and how high its letters are; 0 where that is unknown.
    ragged : bool
        The cells are words in a row: a blank cell leaves no trace.
    edge : bool
        The first or last row of a table on its page: a page break may have cut it.
    """

    cells: tuple[Piece, ...]
    page: int | None
    table: int | None
    row: int
    text: str
    y: float = 0.0
    height: float = 0.0
    ragged: bool = False
    edge: bool = False


def normal(text: str) -> str:
    """A text in NFKC; marks of footnotes become no digits."""
    return unicodedata.normalize("NFKC", text.translate(_MARKS))


def squeeze(text: str) -> str:
    """A text in one form: NFKC, without blanks and marks of no width."""
    return _BLANKS.sub("", normal(text))


def one_line(text: str) -> str:
    """The text of a cell with a blank in the place of a line break."""
    return text.replace(BROKEN, " ")


def joined(pieces: Iterable[str]) -> str:
    """The pieces of one cell; a break between two numbers is kept, since it may part them."""
    text = ""
    for piece in filter(None, map(squeeze, pieces)):
        broken = text and text[-1].isdigit() and piece[0].isdigit()
        text += (BROKEN if broken else "") + piece
    return text


def text_line(text: str, row: int, page: int | None = None) -> Line:
    """A line of text whose words are its cells."""
    words = text.split()
    cells = tuple(Piece(squeeze(word), at) for at, word in enumerate(words))
    return Line(cells, page, None, row, normal(text).strip(), ragged=True)


def grid_line(
    cells: Sequence[tuple[float, str]],
    *,
    page: int | None,
    table: int,
    row: int,
    y: float = 0.0,
    edge: bool = False,
) -> Line:
    """A row of a table, of columns and texts."""
    text = " ".join(text for _, text in cells if text)
    made = tuple(Piece(text, at) for at, text in cells)
    return Line(made, page, table, row, text, y=y, edge=edge)
