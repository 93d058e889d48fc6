"""Rendering of the catalogue's templates; its words and marks for states."""

from __future__ import annotations

import os
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from reportkit.catalogue.causes import encodable
from reportkit.export.pages import asset, environment
from reportkit.facts.numerals import plain
from reportkit.language.catalogue import translator
from reportkit.language.message import translated

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

WORDS = {
    "final": "定稿",
    "draft": "草稿",
    "failed": "失败",
    "absent": "未报送",
    "waiting": "未生成",
    "": "未列入",
}
# Marks that tell states apart where no colour does.
MARKS = {"final": "●", "draft": "◐", "failed": "✕", "absent": "○", "waiting": "·"}


def in_chinese(text: str) -> str:
    """A message in Chinese, without bytes that are no character."""
    return encodable(translated(text, translator("zh")))


def render(template: str, fields: Mapping[str, Any]) -> str:
    """Return a page; everything that is not the template's own is escaped."""
    made = environment("reportkit.catalogue")
    made.filters["grouped"] = grouped
    return made.get_template(template).render({**fields, "words": WORDS, "marks": MARKS})


def style() -> str:
    """The style sheet of all pages: the documents' own, and what only these pages have."""
    return asset("base.css") + asset("catalogue.css", package="reportkit.catalogue")


def script() -> str:
    """The script of the table."""
    return asset("catalogue.js", package="reportkit.catalogue")


def link(to: Path, folder: Path) -> str:
    """A relative address of one folder from another; empty, or with a slash at its end."""
    relative = os.path.relpath(to, folder)
    return "" if relative == "." else quote(relative.replace(os.sep, "/")) + "/"


def grouped(value: object) -> str:
    """A number with its thousands grouped: 1,234.5; a dash for none.

    Examples
    --------
    >>> grouped("1234.50"), grouped(None)
    ('1,234.5', '—')
    """
    return "—" if value is None or value == "" else f"{Decimal(plain(Decimal(str(value)))):,}"
