"""Help texts in Chinese, broken where a terminal's line ends: a character takes two columns."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

# A word in Latin letters stays whole; a mark stays with what it opens or closes.
_PIECE = re.compile(r"[（“《]*(?:[!-~]+|[^!-~])[，。、；：！？）”》]*")
# A line that ends in Chinese goes on without a space.
_ENDS = re.compile(r"(?<=[^ -~])\n|\n(?=[^ -~])")


def width(text: str) -> int:
    """Return the columns of a terminal that a text takes.

    Examples
    --------
    >>> width("台账 data")
    9
    """
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def broken(text: str, columns: int) -> str:
    """Return a paragraph in lines of so many columns.

    Examples
    --------
    >>> print(broken("读取并检查各地区的台账，不写任何文件。", 20))
    读取并检查各地区的台
    账，不写任何文件。
    """
    lines = [""]
    for piece in _PIECE.findall(" ".join(_ENDS.sub("", text).split())):
        if lines[-1] and width((lines[-1] + piece).rstrip()) > columns:
            lines[-1] = lines[-1].rstrip()
            lines.append("")
        lines[-1] += piece.lstrip() if not lines[-1] else piece
    return "\n".join(lines)


class _Formatter(click.HelpFormatter):
    def write_text(self, text: str) -> None:
        """Write paragraphs."""
        columns = self.width - self.current_indent
        super().write_text("\n\n".join(_kept(part, columns) for part in text.split("\n\n")))

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write a list of terms and what they mean."""
        rows = list(rows)
        first = min(max((width(term) for term, _ in rows), default=0), col_max) + col_spacing
        columns = max(self.width - self.current_indent - first, 10)
        super().write_dl(
            [(term, _kept(text, columns)) for term, text in rows], col_max, col_spacing
        )


def _kept(text: str, columns: int) -> str:
    """Return a paragraph that click leaves in its lines."""
    return f"\b\n{broken(text, columns)}"


class ChineseContext(click.Context):
    """A context whose help is broken by columns."""

    formatter_class = _Formatter
