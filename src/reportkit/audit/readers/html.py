"""Web pages into lines: tables by their spans, also those pasted from Word or used for layout."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lxml import html

from reportkit.audit.readers.decoding import decoded
from reportkit.audit.readers.lines import grid_line, joined, text_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportkit.audit.readers.lines import Line

_BLOCKS = frozenset(
    "address article aside blockquote body br center dd div dl dt fieldset figcaption figure "
    "footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section table td th tr ul".split()
)
# A raised number is the mark of a footnote.
_SILENT = frozenset("script style noscript template head title svg select button nav sup".split())
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all", re.I)
_CHARSET = re.compile(rb"""<meta[^>]+charset\s*=\s*["']?\s*([\w-]+)""", re.IGNORECASE)
_WIDEST = 200


def read_html(content: bytes) -> Iterator[Line]:
    """Lines of a page, its tables in the order in which they stand."""
    root = html.fromstring(_text(content) or "<p></p>", parser=html.HTMLParser(huge_tree=False))
    yield from _Walk().lines(root)


def _text(content: bytes) -> str:
    """The page's text without a declaration of its encoding, which lxml refuses in a text."""
    charset = _CHARSET.search(content[:4096])
    text = ""
    if charset and charset[1].lower() in (b"gb2312", b"gbk", b"gb18030"):
        with suppress(UnicodeDecodeError):
            text = content.decode("gb18030")
    text = text or decoded(content)
    return re.sub(r"^\s*<\?xml[^>]*\?>", "", text.replace("\0", ""))


class _Walk:
    """One way through a page: counts its tables and lines."""

    def __init__(self) -> None:
        self.table = self.row = 0
        self.pending = ""

    def lines(self, root: Any) -> Iterator[Line]:
        """Lines of an element, and of what it holds."""
        yield from self._inside(root)
        yield from self._break()

    def _break(self) -> Iterator[Line]:
        text, self.pending = self.pending, ""
        if text.strip():
            self.row += 1
            yield text_line(text, self.row)

    def _inside(self, element: Any) -> Iterator[Line]:
        if not isinstance(element.tag, str) or element.tag in _SILENT or _hidden(element):
            return
        if element.tag == "table" and not _is_layout(element):
            yield from self._break()
            self.table += 1
            yield from _rows(element, self.table)
            return
        block = element.tag in _BLOCKS
        if block:
            yield from self._break()
        self.pending += element.text or ""
        for child in element:
            yield from self._inside(child)
            self.pending += child.tail or ""
        if block:
            yield from self._break()


def _hidden(element: Any) -> bool:
    """Return True for a part that no reader sees; a closed fold is no part of the text."""
    if element.tag == "details" and element.get("open") is None:
        return True
    return element.get("hidden") is not None or bool(_HIDDEN.search(element.get("style") or ""))


def _is_layout(table: Any) -> bool:
    """A table that only places others, or text."""
    if table.find(".//table") is not None:
        return True
    rows = table.findall(".//tr")
    return all(len(row.findall("td")) + len(row.findall("th")) <= 1 for row in rows)


def _rows(table: Any, number: int) -> Iterator[Line]:
    """Rows of a table; each cell stands in the first column that it covers."""
    covered: dict[int, int] = {}
    for at, row in enumerate(table.iter("tr"), 1):
        cells, column = [], 0
        free = {column: left - 1 for column, left in covered.items() if left > 1}
        for cell in row:
            if cell.tag not in ("td", "th") or _hidden(cell):
                continue
            while covered.get(column, 0) > 0:
                column += 1
            wide, high = _span(cell, "colspan"), _span(cell, "rowspan")
            cells.append((column, joined(line.text for line in _Walk().lines(cell))))
            for under in range(column, column + wide):
                if high > 1:
                    free[under] = high - 1
            column += wide
        covered = free
        yield grid_line(cells, page=None, table=number, row=at)


def _span(cell: Any, name: str) -> int:
    """The number of columns or rows that a cell covers; nonsense counts as one."""
    number = re.match(r"\s*(\d{1,4})", cell.get(name) or "1")
    return min(max(int(number[1]) if number else 1, 1), _WIDEST)
