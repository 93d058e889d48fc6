"""PDF into lines: tables by their rules, and words by where they stand on the page."""

from __future__ import annotations

import io
import logging
from collections import Counter
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

import pdfplumber
from pdfplumber.page import Page

from reportkit.audit.readers.lines import Line, Piece, grid_line, joined, squeeze
from reportkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Word = dict[str, Any]

_PAGES = 300
# Digits of one number stand closer than half a character's height.
_GAP = 0.5
# Words whose middles differ by less than this share of their height stand on one line.
_SAME_LINE = 0.45
# Text is written in a direction if it goes so many times as far that way as across it.
_ASKEW = 10
# Letters of less than this share of the height before them are small.
_SMALL = 0.75


def read_pdf(content: bytes) -> Iterator[Line]:
    """Lines of all pages from top to bottom.

    Raises
    ------
    InputError
        ``audit-picture``: its pages are pictures, or it has no words; ``audit-large``.
    """
    # Fonts of browsers make it warn of every glyph.
    logging.getLogger("pdfminer").setLevel(logging.ERROR)
    with pdfplumber.open(io.BytesIO(content)) as document:
        if len(document.pages) > _PAGES:
            raise InputError(
                "audit-large",
                "the document has {pages} pages; a report has no more than {most}",
                pages=len(document.pages),
                most=_PAGES,
            )
        tables = rows = 0
        found = False
        for page in document.pages:
            for view in _views(page):
                words = _words(view)
                found = found or bool(words)
                for line in _page(view, words, tables, rows):
                    tables = max(tables, line.table or 0)
                    rows += line.table is None
                    yield line
            page.close()
        if not found:
            raise InputError(
                "audit-picture",
                "the pages of the document are pictures without text; read them with a program for "
                "character recognition first, or ask for the file that they were printed from",
            )


def _views(page: Any) -> Iterator[Any]:
    """The page for each direction in which it is written, turned so that its text is upright.

    A watermark stands askew, and the mark of a footnote is raised: both are left out.
    """
    ways = Counter(map(_direction, page.chars))
    for way in sorted(way for way in ways if way is not None):
        view = page
        if way:
            turn = (page.page_obj.rotate + way) % 360
            page.page_obj.attrs["Rotate"] = page.page_obj.rotate = turn
            view = Page(page.pdf, page.page_obj, page.page_number, page.initial_doctop)
        for rule in view.lines:
            # A rule that was turned is not quite straight.
            rule.update({side: round(rule[side], 2) for side in ("x0", "x1", "top", "bottom")})
        left_out = {id(char) for char in view.chars if _direction(char) != 0}
        left_out |= _raised(view.chars)
        yield view.filter(lambda one, out=left_out: id(one) not in out) if left_out else view


def _raised(chars: Sequence[Word]) -> set[int]:
    """Small digits that stand high right behind another character, or narrow ones of its font."""
    digits = [char for char in chars if char["text"].isdigit()]
    alike: dict[tuple[Any, ...], float] = {}
    for char in digits:
        for kind in (_font(char), (*_font(char), char["text"])):
            alike[kind] = max(alike.get(kind, 0), char["width"])
    # As wide as the font's digits, or else narrower than the same digit elsewhere.
    wide = {id(char) for char in digits if char["width"] > _SMALL * alike[_font(char)]}
    narrow = {
        id(char) for char in digits if char["width"] < _SMALL * alike[(*_font(char), char["text"])]
    }
    raised: set[int] = set()
    base = None  # the character that marks stand behind
    for last, char in pairwise(chars):
        base = last if id(last) not in raised else base
        if base is None or not char["text"].isdigit() or not _follows(char, last):
            continue
        # A number that is squeezed into its cell is narrow from its first digit on.
        if _is_raised(char, base) or (id(char) in narrow and id(base) in wide):
            raised.add(id(char))
    return raised


def _font(char: Word) -> tuple[str, float]:
    return char["fontname"], round(char["size"], 1)


def _follows(char: Word, last: Word) -> bool:
    size = last["bottom"] - last["top"]
    beside = abs(char["x0"] - last["x1"]) < _GAP * size
    return bool(beside and char["top"] < last["bottom"] and last["top"] < char["bottom"])


def _is_raised(char: Word, base: Word) -> bool:
    size = base["bottom"] - base["top"]
    small = char["bottom"] - char["top"] < _SMALL * size
    return bool(small and char["bottom"] < base["bottom"] - 0.1 * size)


def _direction(char: Word) -> int | None:
    """The angle by which a character must be turned, clockwise; None where it stands askew."""
    a, b, *_ = char["matrix"]
    if abs(a) > _ASKEW * abs(b):
        return 0 if a > 0 else 180
    if abs(b) > _ASKEW * abs(a):
        return 90 if b > 0 else 270
    return None


def _words(page: Any) -> list[Word]:
    words: list[Word] = page.extract_words(
        x_tolerance_ratio=_GAP, y_tolerance=2, keep_blank_chars=False
    )
    return [word for word in words if squeeze(word["text"])]


def _page(page: Any, words: list[Word], tables: int, rows: int) -> Iterator[Line]:
    """Tables and lines of one page, by their upper edges."""
    found = [table for table in page.find_tables() if _is_table(table)]
    pieces: list[tuple[float, list[Line]]] = []
    for number, table in enumerate(found, tables + 1):
        inside = [char for char in page.chars if _within(char, table.bbox)]
        over = [word for word in words if _within(word, table.bbox)]
        words = [word for word in words if not _within(word, table.bbox)]
        lines = list(_grid(table, inside, over, page.page_number, number))
        pieces.append((table.bbox[1], lines))
    for number, group in enumerate(_lines(words), rows + 1):
        line = _loose(group, page.page_number, number)
        pieces.append((line.y, [line]))
    for _, lines in sorted(pieces, key=lambda piece: piece[0]):
        yield from lines


def _is_table(table: Any) -> bool:
    """Backgrounds of texts look like tables of one cell or column."""
    return max((sum(cell is not None for cell in row.cells) for row in table.rows), default=0) >= 2


def _within(word: Word, box: Sequence[float]) -> bool:
    x, y = (word["x0"] + word["x1"]) / 2, (word["top"] + word["bottom"]) / 2
    return bool(box[0] <= x <= box[2] and box[1] <= y <= box[3])


def _grid(
    table: Any, chars: list[Word], words: list[Word], page: int, number: int
) -> Iterator[Line]:
    """Rows of a ruled table; a cell stands where its middle is.

    Characters are taken, not words: two numbers on both sides of a rule can stand close.
    """
    rows = table.rows
    for at, row in enumerate(rows):
        cells, boxes = [], [box for box in row.cells if box]
        if len(boxes) == 1:
            # A caption, or a background: a text that runs over the whole width.
            for line in _lines([word for word in words if _within(word, boxes[0])]):
                yield _loose(line, page, at + 1)
            continue
        for box in boxes:
            lines = _lines([char for char in chars if _within(char, box)])
            texts = ["".join(char["text"] for char in line) for line in lines]
            cells.append(((box[0] + box[2]) / 2, joined(texts)))
        if cells:
            edge = at in (0, len(rows) - 1)
            y = (row.bbox[1] + row.bbox[3]) / 2
            yield grid_line(cells, page=page, table=number, row=at + 1, y=y, edge=edge)


def _lines(words: list[Word]) -> list[list[Word]]:
    """Words by lines, from top to bottom and from left to right."""
    lines: list[list[Word]] = []
    middle = 0.0
    for word in sorted(words, key=_middle):
        height = word["bottom"] - word["top"]
        if lines and _middle(word) - middle < _SAME_LINE * max(height, 1):
            lines[-1].append(word)
        else:
            lines.append([word])
        middle = median(map(_middle, lines[-1]))
    return [sorted(line, key=lambda word: float(word["x0"])) for line in lines]


def _middle(word: Word) -> float:
    return float(word["top"] + word["bottom"]) / 2


def _loose(words: list[Word], page: int, number: int) -> Line:
    """A line without rules: words are its cells."""
    cells = tuple(
        Piece(squeeze(word["text"]), (word["x0"] + word["x1"]) / 2, word["x1"] - word["x0"])
        for word in words
    )
    text = words[0]["text"]
    for before, word in pairwise(words):
        apart = before["text"][-1:].isascii() and word["text"][:1].isascii()
        text += (" " if apart else "") + word["text"]
    return Line(
        cells,
        page,
        None,
        number,
        text,
        y=median(map(_middle, words)),
        height=median(word["bottom"] - word["top"] for word in words),
        ragged=True,
    )
