"""Markdown and plain text into lines: pipes, tabs and commas part columns, blanks are gaps."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

from reportkit.audit.numbers import is_value
from reportkit.audit.readers.lines import grid_line, joined, squeeze, text_line
from reportkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportkit.audit.readers.lines import Line

_RULE = re.compile(r"^[\s|:+=_─━┄—-]*-{2,}[\s|:+=_─━┄—-]*$|^[\s│┌┐└┘├┤┬┴┼─═╔╗╚╝╠╣╦╩╬+]+$")
_MARKS = re.compile(r"\*\*|__|`|^\s*#{1,6}\s+|^\s*>\s?")
_BREAK = re.compile(r"<br\s*/?>|&nbsp;", re.IGNORECASE)
_DAMAGED = 0.02
_COMMAS = 2  # in a row of a table, and so many of its cells are numbers or blank
_PIPES = re.compile(r"(?<!\\)[|│｜]")


def decoded(content: bytes) -> str:
    """The text of a file, in whichever encoding offices save it.

    Raises
    ------
    InputError
        ``audit-encoding``: it is in none of them.
    """
    for start, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if content.startswith(start):
            return content.decode(encoding, errors="replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    # A few damaged bytes are no other encoding.
    texts = [content.decode(encoding, errors="replace") for encoding in ("utf-8", "gb18030")]
    best = min(texts, key=lambda text: text.count("\ufffd"))
    if best.count("\ufffd") <= len(best) * _DAMAGED:
        return best
    raise InputError(
        "audit-encoding", "the text is neither UTF-8 nor GB 18030 (GBK); save it as UTF-8"
    )


def read_plain(content: bytes) -> Iterator[Line]:
    """Lines of a Markdown or text file; a table is a run of lines with pipes or tabs."""
    pages = decoded(content).split("\f")
    number = table = 0
    inside = False
    for page, body in enumerate(pages, 1):
        for line in body.splitlines():
            number += 1
            if _RULE.match(line):
                continue
            bare = _MARKS.sub("", line)
            pieces = _pieces(bare)
            if pieces is None:
                # A blank line does not end a table that a page break or an office has torn.
                inside = inside and not bare.strip()
                if bare.strip():
                    yield text_line(_BREAK.sub(" ", bare), number, page if len(pages) > 1 else None)
                continue
            table += not inside
            inside = True
            cells = [(at, joined(_BREAK.split(piece))) for at, piece in enumerate(pieces)]
            yield grid_line(cells, page=page if len(pages) > 1 else None, table=table, row=number)


def _pieces(line: str) -> list[str] | None:
    """Cells of a line with pipes, tabs, or commas between numbers; None for a line of text."""
    if _PIPES.search(line):
        pieces = _PIPES.split(line.strip())
        first, last = not pieces[0].strip(), not pieces[-1].strip()
        closed = line.strip()[0] in "|│｜"
        return pieces[(1 if first and closed else 0) : (-1 if last and len(pieces) > 1 else None)]
    if "\t" in line.lstrip():
        return line.rstrip("\n").split("\t")
    if line.count(",") >= _COMMAS and "。" not in line:
        pieces = next(csv.reader([line], skipinitialspace=True))
        numbers = sum(not piece.strip() or is_value(squeeze(piece)) for piece in pieces)
        return pieces if numbers >= _COMMAS else None
    return None
