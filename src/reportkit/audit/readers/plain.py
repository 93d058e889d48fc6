"""Markdown and plain text into lines: pipes, tabs and commas part columns, blanks are gaps."""

from __future__ import annotations

import csv
import html
import re
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from reportkit.audit.numbers import is_value
from reportkit.audit.readers.decoding import decoded
from reportkit.audit.readers.html import read_html
from reportkit.audit.readers.lines import grid_line, joined, squeeze, text_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reportkit.audit.readers.lines import Line

_RULE = re.compile(r"^[\s|:+=_─━┄—-]*-{2,}[\s|:+=_─━┄—-]*$|^[\s│┌┐└┘├┤┬┴┼─═╔╗╚╝╠╣╦╩╬+]+$")
_MARKS = re.compile(r"\*\*|__|`|^\s*#{1,6}\s+|^\s*>\s?")
_ESCAPED = re.compile(r"\\([^\w\s])")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_PIPES = re.compile(r"(?<!\\)[|│｜]")
# Markdown takes tables in HTML, which can have merged cells.
_HTML = re.compile(r"(<table\b.*?</table\s*>)", re.IGNORECASE | re.DOTALL)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_COMMAS = 2  # in a row of a table, and so many of its cells are numbers or blank


def read_plain(content: bytes) -> Iterator[Line]:
    """Lines of a Markdown or text file; a table is a run of lines with pipes, tabs or commas."""
    tables = above = 0
    for piece in _HTML.split(decoded(content)):
        is_html = bool(_HTML.match(piece))
        lines = list(read_html(piece.encode()) if is_html else _lines(piece))
        for line in lines:
            row = line.row if is_html else above + line.row
            yield replace(line, table=line.table and tables + line.table, row=row)
        tables += max((line.table or 0 for line in lines), default=0)
        above += piece.count("\n")


def _lines(text: str) -> Iterator[Line]:
    pages = text.split("\f")
    lines = [
        (page if len(pages) > 1 else None, line)
        for page, body in enumerate(pages, 1)
        for line in body.splitlines()
    ]
    # A blank line does not end a table that a page break or an office has torn.
    texts = [
        (page, at, _MARKS.sub("", line))
        for at, (page, line) in enumerate(lines, 1)
        if _MARKS.sub("", line).strip() and not _RULE.match(line)
    ]
    table = 0
    for sign, run in groupby(texts, key=lambda one: _sign(one[2])):
        table += sign is not None
        members = list(run)
        rows = _rows([line for _, _, line in members], sign)
        for (page, at, line), pieces in zip(members, rows, strict=True):
            if sign is None:
                yield text_line(_plain(line), at, page)
            else:
                cells = [(n, joined(map(_plain, _BREAK.split(p)))) for n, p in enumerate(pieces)]
                yield grid_line(cells, page=page, table=table, row=at)


def _plain(text: str) -> str:
    """A text without the escapes of Markdown and HTML."""
    return html.unescape(_ESCAPED.sub(r"\1", _BREAK.sub(" ", text)))


def _sign(line: str) -> str | None:
    """The sign that parts a line's cells; None for a line of text."""
    if _PIPES.search(line):
        return "|"
    if "\t" in line.lstrip():
        return "\t"
    # Commas between digits part thousands.
    if _THOUSANDS.sub("", line).count(",") >= 1 and "。" not in line:
        pieces = _by_commas(line)
        numbers = sum(not piece.strip() or is_value(squeeze(piece)) for piece in pieces)
        if numbers >= min(_COMMAS, len(pieces) - 1):
            return ","
    return None


def _rows(lines: Sequence[str], sign: str | None) -> Iterator[list[str]]:
    """Cells of the lines of a table."""
    if sign == "|":
        split = [_PIPES.split(line.strip()) for line in lines]
        # A blank first cell is one, unless every line begins with a pipe.
        closed = not any(pieces[0] for pieces in split)
        for pieces in split:
            end = -1 if closed and len(pieces) > 1 and not pieces[-1] else None
            yield pieces[closed:end]
    elif sign == ",":
        yield from map(_by_commas, lines)
    else:
        yield from (line.split(sign) for line in lines)


def _by_commas(line: str) -> list[str]:
    return next(csv.reader([line], skipinitialspace=True))
