"""Tables for programs: values with their labels, and the grid without merged cells."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reportkit.export.blocks import Block

# A program that finds one of these first may take a text for a formula; so also full-width ones.
FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_LONGEST = 400


@dataclass(frozen=True)
class TidyTable:
    """Rows of a table under the same headings.

    Parameters
    ----------
    title : str
        The heading over all of its columns; empty if there is none.
    columns : list of str
        Each value column's headings from above, joined by ``/``.
    rows : list of (str, list of dict)
        Each row's labels, joined likewise, with its value cells.
    """

    title: str
    columns: list[str]
    rows: list[tuple[str, list[Block]]]


def grid(table: Mapping[str, Sequence[Sequence[Block]]]) -> list[list[Block]]:
    """Return the cell at each place of a table whose cells know their columns."""
    rows: list[dict[int, Block]] = [{} for _ in table["rows"]]
    for at, row in enumerate(table["rows"]):
        for cell in row:
            for below in range(cell["rowspan"]):
                for beside in range(cell["colspan"]):
                    rows[at + below][cell["column"] + beside] = cell
    return [[row[column] for column in sorted(row)] for row in rows]


def parts_of(table: Mapping[str, Sequence[Sequence[Block]]]) -> list[TidyTable]:
    """Return the parts of a table, from its first heading to its last value."""
    parts: list[TidyTable] = []
    heads: list[list[Block]] = []
    for row in grid(table):
        if all(cell["role"] in ("head", "band") for cell in row):
            heads = [*heads, row]
            continue
        values = _once(cell for cell in row if cell["role"] == "value")
        if heads or not parts:
            parts.append(_part(heads, values))
            heads = []
        label = "/".join(c["text"] for c in _once(c for c in row if c["role"] == "label"))
        parts[-1].rows.append((label, values))
    return parts


def _part(heads: list[list[Block]], values: list[Block]) -> TidyTable:
    title = "".join(row[0]["text"] for row in heads if row[0]["role"] == "band")
    columns = []
    for value in values:
        above = _once(row[value["column"]] for row in heads if row[0]["role"] != "band")
        columns.append("/".join(cell["text"] for cell in above))
    return TidyTable(title, columns, [])


def _once(cells: Iterable[Block]) -> list[Block]:
    return list({id(cell): cell for cell in cells}.values())


def value_of(cell: Block, facts: Mapping[str, Block]) -> str:
    """Return the value of a cell, without the unit that is printed with it."""
    if cell.get("fact"):
        return str(facts[cell["fact"]]["value"])
    return str(cell["value"] if cell.get("value") else cell["text"])


def harmless(value: object) -> str:
    """Return a value for a CSV that people open in a workbook: no text of it becomes a formula."""
    text = str(value)
    return f"'{text}" if FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def csv_text(rows: Iterable[Iterable[object]]) -> str:
    """Return rows as CSV after RFC 4180."""
    made = io.StringIO()
    csv.writer(made, lineterminator="\r\n").writerows(rows)
    return made.getvalue()


def summary(table: Mapping[str, Sequence[Sequence[Block]]]) -> str:
    """Return the content of a table in words, for those who cannot see its layout."""
    lines = []
    for part in parts_of(table):
        rows = "、".join(label for label, _ in part.rows if label)
        columns = "、".join(part.columns)
        title = f"{part.title}，" if part.title else ""
        lines.append(f"{title}列：{columns}" + (f"；行：{rows}" if rows else ""))
    text = "。".join(lines)
    return f"{text[:_LONGEST]}…" if len(text) > _LONGEST else text
