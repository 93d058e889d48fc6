"""A published report as it was read, and the flaws that are found in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from reportkit.facts.numerals import json_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal
    from pathlib import Path

    from reportkit.audit.heading import Heading
    from reportkit.audit.read_table import ReadTable
    from reportkit.audit.readers.lines import Line
    from reportkit.forms import Edition


@dataclass(frozen=True)
class Published:
    """A published report as it was read.

    Parameters
    ----------
    path : Path
    heading : Heading
    edition : Edition
        The one that its year must use.
    tables : sequence of ReadTable
    sections : mapping of str to str
        Texts by number, the preamble under "".
    """

    path: Path
    heading: Heading
    edition: Edition
    tables: Sequence[ReadTable]
    sections: Mapping[str, str]

    @property
    def year(self) -> int:
        """The report year; the edition's first where the document does not say it."""
        return self.heading.year or self.edition.model.years.first

    @cached_property
    def values(self) -> dict[str, Decimal]:
        """All cells that are known."""
        return {name: value for table in self.tables for name, value in table.known.items()}

    @cached_property
    def lines(self) -> dict[str, Line]:
        """The line in which each cell stands."""
        return {name: line for table in self.tables for name, line in table.lines.items()}

    @cached_property
    def labels(self) -> dict[str, str]:
        """Printed headings of each cell."""
        return {
            cell.id: cell.label
            for table in self.tables
            for cell in table.edition.cells(table.edition.model.years.first)
            if cell.table == table.table.id
        }

    @property
    def printed_edition(self) -> str:
        """The edition whose tables it prints; the one that is due where they are of several."""
        editions = {
            table.edition.name
            for table in self.tables
            if table.found and table.table.model.layout == "grid"
        }
        return editions.pop() if len(editions) == 1 else self.edition.name

    @property
    def unread(self) -> list[str]:
        """All that is printed and could not be read."""
        return [text for table in self.tables for text in table.unread]


@dataclass(frozen=True)
class Flaw:
    """One thing that is not as it should be.

    Parameters
    ----------
    check : str
        Id of the rule.
    severity : {"error", "warning", "info"}
    place : str
    expected, printed : str or None
    title, detail : str
        What the rule asks for, and what was found.
    cells : tuple of str
        Fact ids that take part.
    sentence : str or None
        The sentence in which it is.
    dismissed : str or None
        The reason for which somebody dismissed it.
    """

    check: str
    severity: str
    place: str
    expected: str | None
    printed: str | None
    title: str
    detail: str
    cells: tuple[str, ...] = ()
    sentence: str | None = None
    dismissed: str | None = None

    @property
    def message(self) -> str:
        """The demand of the rule, with what was found."""
        return "：".join(filter(None, (self.title, self.detail)))

    @property
    def open(self) -> bool:
        """Nobody has dismissed it."""
        return self.dismissed is None

    def as_json(self) -> dict[str, Any]:
        """The finding as it stands in the command's JSON."""
        fields = vars(self) | {"message": self.message, "cells": list(self.cells)}
        return {name: value for name, value in fields.items() if name not in ("title", "detail")}


def document_json(report: Published, findings: Sequence[Flaw]) -> dict[str, Any]:
    """One document of ``audit --json``."""
    tables: dict[str, Any] = {}
    for read in report.tables:
        number = read.table.id.removeprefix("t")
        if len(read.table.model.bands) > 1:
            tables[number] = {name: json_number(value) for name, value in read.values.items()}
        else:
            tables[number] = {row: list(cells.values()) for row, cells in read.rows.items()}
    return {
        "path": str(report.path),
        "issuer": report.heading.issuer,
        "year": report.heading.year,
        "edition": report.printed_edition,
        "tables": tables,
        "findings": [finding.as_json() for finding in findings],
        "unread": report.unread,
        "inferred": [text for table in report.tables for text in table.inferred],
        "aside": [
            f"{label}：{' '.join(texts)}"
            for table in report.tables
            for label, texts in table.extra_rows
        ],
    }
