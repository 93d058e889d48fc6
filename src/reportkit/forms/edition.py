"""Editions of the statutory form: which cells a report year has, and what each one means.

Source: 国办公开办函〔2019〕60号 (years 2019-2020), 国办公开办函〔2021〕30号 (from 2021).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportkit.definitions import Definition, parse_where
from reportkit.errors import InputError
from reportkit.forms.model import Band, Define, Edition, Follow, Node, Rule, Section, TableModel
from reportkit.yamlfile import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FOLDER = Path(str(files("reportkit.forms")))

__all__ = ["Cell", "Follow", "Form", "Leaf", "Rule", "Table", "form_for", "forms"]


@dataclass(frozen=True)
class Leaf:
    """A row or column that holds values, with the groups it stands in (outermost first)."""

    node: Node
    groups: tuple[Node, ...]
    parts: tuple[str, ...]
    """For a total: the keys of the rows or columns that it adds up; empty otherwise."""

    @property
    def key(self) -> str:
        """Its part of a fact id."""
        return self.node.key or ""

    @property
    def path(self) -> tuple[Node, ...]:
        """Groups and leaf."""
        return (*self.groups, self.node)

    @property
    def text(self) -> str:
        """Printed headings from outside in."""
        return "/".join(node.text for node in self.path)


@dataclass(frozen=True)
class Cell:
    """One value cell of the form in one report year.

    Parameters
    ----------
    id : str
        Fact id, ``t3.new.total``.
    table, row, column : str
        Where it stands.
    label : str
        Printed headings that lead to it.
    unit : str
    definition : Definition or None
        How it follows from a ledger; None for a total.
    sum_of : tuple of str
        Leaf cells that a total adds up.
    """

    id: str
    table: str
    row: str
    column: str
    label: str
    unit: str
    definition: Definition | None
    sum_of: tuple[str, ...] = ()
    show_unit: bool = False


@dataclass(frozen=True)
class Table:
    """A statutory table."""

    model: TableModel

    @property
    def id(self) -> str:
        """``t2``, ``t3`` or ``t4``."""
        return self.model.id

    @property
    def title(self) -> str:
        """Caption."""
        return self.model.title

    def rows(self, band: Band) -> tuple[Leaf, ...]:
        """Value rows of a band, in order."""
        return _leaves(band.rows)

    def columns(self, band: Band) -> tuple[Leaf, ...]:
        """Value columns of a band, in order."""
        return _leaves(band.columns)

    def places(self) -> Iterator[tuple[Band, Leaf, Leaf]]:
        """Every value cell as (band, row, column), in reading order."""
        for band in self.model.bands:
            for row in self.rows(band):
                for column in self.columns(band):
                    yield band, row, column

    def cell_id(self, row: str, column: str) -> str:
        """Fact id of a cell."""
        return f"{self.id}.{row}.{column}"


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
            raise InputError("table", f"edition {self.name} has no table {name!r}; it has {known}")
        return self.tables[key]

    def cells(self, year: int) -> list[Cell]:
        """All value cells, with their definitions for one report year."""
        return [
            _cell(table, band, row, column, year)
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
            for leaf in _leaves(getattr(band, axis)):
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


def _leaves(nodes: list[Any], groups: tuple[Node, ...] = ()) -> tuple[Leaf, ...]:
    """Value rows (or columns) in order; a total adds up all leaves of the group it closes."""
    leaves: list[Leaf] = []
    for node in nodes:
        if node.children:
            leaves += _leaves(node.children, (*groups, node))
        elif node.total:
            leaves.append(Leaf(node, groups, tuple(leaf.key for leaf in leaves)))
        else:
            leaves.append(Leaf(node, groups, ()))
    return tuple(leaves)


def _cell(table: Table, band: Band, row: Leaf, column: Leaf, year: int) -> Cell:
    defines: list[Define] = [band.define, *row.path, *column.path]

    def last(name: str) -> Any:
        return next((v for d in reversed(defines) if (v := getattr(d, name)) is not None), None)

    name = column.text if table.model.layout == "grid" else column.node.text
    label = "/".join(part for part in (row.text, name) if part)
    common: dict[str, Any] = {
        "id": table.cell_id(row.key, column.key),
        "table": table.id,
        "row": row.key,
        "column": column.key,
        "label": label,
        "unit": last("unit") or "件",
        "show_unit": column.node.show_unit,
    }
    if row.parts or column.parts:
        parts = [
            table.cell_id(r, c)
            for r in row.parts or (row.key,)
            for c in column.parts or (column.key,)
        ]
        return Cell(**common, definition=None, sum_of=tuple(parts))

    where: dict[str, Any] = {}
    for define in defines:
        where.update(define.where or {})
    for leaf, around in ((row, (band.define, *row.path)), (column, column.path)):
        by = next((define.by for define in reversed(around) if define.by), None)
        if by:
            values = leaf.node.categories
            where[by] = values[0] if len(values) == 1 else values
    plus, minus = last("plus"), last("minus")
    definition = Definition(
        ledger=last("ledger"),
        where=parse_where(where | (plus or {}), year),
        minus=parse_where(where | minus, year) if minus else None,
        measure="sum" if last("sum") else "count",
        column=last("sum"),
        divide=last("divide") or 1,
    )
    return Cell(**common, definition=definition)


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
    message = f"no form edition covers the report year {year}; the first one is for {first}"
    raise InputError("edition", message, year=year)
