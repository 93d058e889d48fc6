"""Sections and tables of a notebook that no form prescribes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportkit.export.blocks import block
from reportkit.facts.numerals import chinese_number
from reportkit.notebook.display import Shown, show
from reportkit.notebook.frames import table_of

if TYPE_CHECKING:
    import pandas as pd


def next_section(titles: list[str], title: str) -> Shown:
    """A heading, numbered as it comes; *titles* are those shown so far, and gain this one."""
    if title not in titles:
        titles.append(title)
    number = chinese_number(titles.index(title) + 1)
    return show(block("section", number=number, title=title, body=[]))


def first_rows(table: pd.DataFrame, *, title: str, note: str, rows: int) -> Shown:
    """A table, of which a long one shows its first rows and says so."""
    if len(table) > rows:
        note = "；".join(filter(None, [note, f"共{len(table)}行，列出前{rows}行"]))
    return show(table_of(table.head(rows), title=title, note=note, formats={}))
