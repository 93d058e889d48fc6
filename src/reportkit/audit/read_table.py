"""One table of a published report, as it was read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reportkit.audit.numbers import is_blank, read_cell
from reportkit.audit.readers.lines import one_line
from reportkit.facts.numerals import json_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from reportkit.audit.labels import FormRow
    from reportkit.audit.readers.lines import Line
    from reportkit.forms import Edition, Table


@dataclass
class ReadTable:
    """One table as it was read.

    Parameters
    ----------
    table : Table
    edition : Edition
        Whose rows it has.
    values : mapping of str to Decimal or None
        By fact id; None where a cell is blank or cannot be read.
    lines : mapping of str to Line
        Where each cell stands.
    printed : mapping of str to str
        The text of each cell.
    unread : list of str
        What is printed and could not be read.
    inferred : list of str
        Rows that only the sums of the form make clear, with the numbers that were so found.
    by_sums : set of str
        The cells of these rows.
    extra_rows : list of (str, list of str)
        Rows that the form does not have: label and texts.
    found : bool
        False where the document has no such table.
    """

    table: Table
    edition: Edition
    values: dict[str, Decimal | None]
    lines: dict[str, Line] = field(default_factory=dict)
    printed: dict[str, str] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    inferred: list[str] = field(default_factory=list)
    by_sums: set[str] = field(default_factory=set)
    extra_rows: list[tuple[str, list[str]]] = field(default_factory=list)
    found: bool = False

    def fill(
        self, row: FormRow, texts: Sequence[str], line: Line, units: Mapping[str, str] | None = None
    ) -> None:
        """Take the texts of a row's cells; amounts of money into the units of the cells."""
        for name, text in zip(row.cells, texts, strict=True):
            self.values[name] = read_cell(text).in_unit((units or {}).get(name, ""))
            self.lines[name], self.printed[name] = line, text

    def infer(self, row: FormRow, text: str, numbers: Sequence[int]) -> list[str]:
        """Note that only sums tell the cells of a row; return their texts."""
        texts = [str(number) for number in numbers]
        self.by_sums |= set(row.cells)
        self.inferred.append(f"{row.title}：“{one_line(text)}”按勾稽关系读作{'、'.join(texts)}")
        return texts

    @property
    def known(self) -> dict[str, Decimal]:
        """The cells that are known."""
        return {name: value for name, value in self.values.items() if value is not None}

    @property
    def blank(self) -> list[str]:
        """Cells that are printed blank."""
        return [n for n, text in self.printed.items() if self.values[n] is None and is_blank(text)]

    @property
    def rows(self) -> dict[str, dict[str, int | float | None]]:
        """The values for JSON, by the keys of rows and columns."""
        rows: dict[str, dict[str, int | float | None]] = {}
        for name, value in self.values.items():
            _, row, column = name.split(".")
            rows.setdefault(row, {})[column] = json_number(value)
        return rows
