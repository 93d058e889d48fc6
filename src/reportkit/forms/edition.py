"""Editions of the statutory form: which cells a report year has, and what each one means.

Source: 国办公开办函〔2019〕60号 (years 2019-2020), 国办公开办函〔2021〕30号 (from 2021).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from reportkit.errors import InputError
from reportkit.forms.cells import Cell, Table, cell_of, leaves_of
from reportkit.forms.model import Edition, Follow, Rule, Section
from reportkit.yamlfile import read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

_FOLDER = Path(str(files("reportkit.forms")))


@dataclass(frozen=True)
class Form:
    """One edition of the form."""

    edition: Edition
    tables: Mapping[str, Table]

    @property
    def name(self) -> str:
        """``2019`` or ``2021``."""
        return self.edition.edition

    @property
    def sections(self) -> list[Section]:
        """The six sections, in order."""
        return self.edition.sections

    @property
    def rules(self) -> list[Rule]:
        """Reconciliation rules, in order."""
        return self.edition.rules

    def table(self, name: str | int) -> Table:
        """A table by its number (3) or id ("t3")."""
        key = f"t{name}" if str(name).isdigit() else str(name)
        if key not in self.tables:
            known = ", ".join(self.tables)
            raise InputError(
                "table",
                "edition {edition} has no table {name!r}; it has {known}",
                edition=self.name,
                name=name,
                known=known,
            )
        return self.tables[key]

    def cells(self, year: int) -> list[Cell]:
        """All value cells, with their definitions for one report year."""
        return [
            cell_of(table, band, row, column, year)
            for table in self.tables.values()
            for band, row, column in table.places()
        ]

    def ledgers(self) -> set[str]:
        """Keys of the ledgers that the value cells need."""
        return set(self._ledgers)

    @cached_property
    def _ledgers(self) -> frozenset[str]:
        cells = self.cells(self.edition.years.first)
        return frozenset(cell.definition.ledger for cell in cells if cell.definition)

    def unused(self) -> set[str]:
        """Keys of the ledgers that cells of other editions need, and none of this one."""
        return {key for other in forms() for key in other.ledgers()} - self.ledgers()

    def successor(self, name: str) -> Follow | None:
        """What this edition has in the place of a cell of the edition before; None if unsaid.

        A cell that has the same id in both counts the same and has no successor.
        """
        for follow in self.edition.follows:
            match = re.fullmatch(re.escape(follow.cells).replace(r"\*", r"(\w+)"), name)
            if match:
                here = [cell.replace("*", match[1]) for cell in follow.here]
                return follow.model_copy(update={"cells": name, "here": here})
        return None

    def default_narrative(self) -> str:
        """The plain text of a report that has no narrative of its own."""
        return (_FOLDER / f"{self.name}.md").read_text(encoding="utf-8")

    def vocabulary(self, table: str, axis: str) -> dict[str, str]:
        """Every way to name a row or column of a table in a ledger, with the value it means.

        Parameters
        ----------
        table : str
            Table id.
        axis : {"rows", "columns"}

        Returns
        -------
        dict
            Printed label with and without its number and groups, and the row key, to the value
            that the definitions of this edition use.
        """
        names: dict[str, str] = {}
        for band in self.table(table).model.bands:
            for leaf in leaves_of(getattr(band, axis)):
                if leaf.parts or not any(node.by for node in (band.define, *leaf.path)):
                    continue
                for value in leaf.node.categories:
                    names.setdefault(value, value)
                first = leaf.node.categories[0]
                inner = [node for node in leaf.path if not node.by] or [leaf.node]
                spellings = [leaf.key, leaf.node.label, leaf.node.number + leaf.node.label]
                spellings += [
                    leaf.node.label + leaf.node.note,
                    leaf.node.text,
                    leaf.text,
                    "/".join(node.text for node in inner),
                ]
                spellings.append("/".join(node.label for node in inner))
                for name in spellings:
                    names.setdefault(name, first)
        return names


@cache
def forms() -> tuple[Form, ...]:
    """All editions shipped with the package, oldest first.

    Raises
    ------
    InputError
        ``parameters``: an edition file is wrong; with its line.
    """
    found = []
    for path in sorted(_FOLDER.glob("*.yaml")):
        edition = read_yaml(path).validate(Edition)
        found.append(Form(edition, {table.id: Table(table) for table in edition.tables}))
    return tuple(sorted(found, key=lambda form: form.edition.years.first))


def form_for(year: int) -> Form:
    """The edition that a report year must use.

    Raises
    ------
    InputError
        ``edition``: no edition covers the year.
    """
    for form in forms():
        years = form.edition.years
        if years.first <= year and (years.last is None or year <= years.last):
            return form
    first = forms()[0].edition.years.first
    raise InputError(
        "edition",
        "no form edition covers the report year {year}; the first one is for {first}",
        first=first,
        year=year,
    )
