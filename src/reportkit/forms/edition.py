"""Editions of a form: the cells of a report year, and the definition of each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from reportkit.errors import InputError
from reportkit.forms.cells import Cell, Leaf, Table, cell_of, leaves_of
from reportkit.language import Message, joined
from reportkit.language.message import COMMA

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reportkit.forms.model import Band, EditionModel, Follow, Rule, Section
    from reportkit.yamlfile import Key, YamlFile


@dataclass(frozen=True, eq=False)
class Edition:
    """One edition of a form.

    Parameters
    ----------
    model : EditionModel
    tables : mapping of str to Table
    narrative : str
        The plain text of a report that has no narrative of its own.
    file : YamlFile
        The file that was read, for the lines of errors.
    """

    model: EditionModel
    tables: Mapping[str, Table]
    narrative: str
    file: YamlFile

    @property
    def name(self) -> str:
        """Name of the edition as reports state it: ``2019``."""
        return self.model.edition

    @property
    def sections(self) -> list[Section]:
        """Its sections, in order."""
        return self.model.sections

    @property
    def rules(self) -> list[Rule]:
        """Reconciliation rules, in order."""
        return self.model.rules

    def table(self, name: str | int) -> Table:
        """A table by its number (3) or id ("t3")."""
        key = f"t{name}" if str(name).isdigit() else str(name)
        if key not in self.tables:
            known = joined(COMMA, self.tables)
            raise InputError(
                "table",
                "edition {edition} has no table {name!r}; it has {known}",
                edition=self.name,
                name=name,
                known=known,
            )
        return self.tables[key]

    def bands(self) -> Iterator[tuple[Key, Table, Band]]:
        """Every band with its table, and its key in the file."""
        for number, model in enumerate(self.model.tables):
            for at, band in enumerate(model.bands):
                yield ("tables", number, "bands", at), self.tables[model.id], band

    def cells(self, year: int) -> list[Cell]:
        """All value cells, with their definitions for one report year.

        Raises
        ------
        InputError
            ``condition``: a definition is none; with file and line.
        """
        return [
            self._cell(key, table, band, row, column, year)
            for key, table, band in self.bands()
            for row in table.rows(band)
            for column in table.columns(band)
        ]

    def _cell(self, key: Key, table: Table, band: Band, row: Leaf, column: Leaf, year: int) -> Cell:
        try:
            return cell_of(table, band, row, column, year)
        except InputError as error:
            name = table.cell_id(row.key, column.key)
            message = Message("{cell}: {message}", cell=name, message=error.message)
            problem = self.file.problem(self.place((*key, "rows"), row), message)
            raise InputError(error.reason, "{problem}", problem=problem) from None

    def place(self, at: Key, leaf: Leaf) -> Key:
        """The key of a row or column in the file, below that of its list."""
        data: Any = self.file.data
        for part in at:
            data = data[part]
        return _inside(data, leaf, at) or at

    def ledgers(self) -> set[str]:
        """Keys of the ledgers that the value cells need."""
        return set(self._ledgers)

    @cached_property
    def _ledgers(self) -> frozenset[str]:
        cells = self.cells(self.model.years.first)
        counted = (cell.definition for cell in cells if cell.definition)
        return frozenset(definition.ledger for definition in counted if definition.ledger)

    def renamed(self, column: str) -> list[tuple[str, tuple[str, ...]]]:
        """Values of a ledger's column that have a new label in the form, and their former ones."""
        return [
            (leaf.node.categories[0], tuple(leaf.node.was))
            for _, table, band in self.bands()
            for leaf in (*table.rows(band), *table.columns(band))
            if leaf.node.was and column in (node.by for node in (band.define, *leaf.path))
        ]

    def covers(self, year: int) -> bool:
        """Return True where reports of a year can be made by it."""
        years = self.model.years
        return years.first <= year and (years.last is None or year <= years.last)

    def successor(self, name: str) -> Follow | None:
        """Return the cells that replace one of the edition before; None if the edition names none.

        A cell that has the same id in both counts the same and has no successor.
        """
        for follow in self.model.follows:
            match = re.fullmatch(re.escape(follow.cells).replace(r"\*", r"(\w+)"), name)
            if match:
                here = [cell.replace("*", match[1]) for cell in follow.here]
                return follow.model_copy(update={"cells": name, "here": here})
        return None

    def vocabulary(self, table: str, axis: str, *, former: bool = True) -> dict[str, str]:
        """Every way to name a row or column of a table in a ledger, with the value it means.

        Parameters
        ----------
        table : str
            Table id.
        axis : {"rows", "columns"}
        former : bool
            Former labels too.

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
                node = leaf.node
                was = () if former else node.was
                for value in node.categories:
                    if value not in was:
                        names.setdefault(value, value)
                inner = [group for group in leaf.path if not group.by] or [node]
                spellings = [
                    leaf.key,
                    node.label,
                    node.number + node.label,
                    node.label + node.note,
                    node.text,
                    leaf.text,
                    "/".join(group.text for group in inner),
                    "/".join(group.label for group in inner),
                ]
                for name in spellings:
                    names.setdefault(name, node.categories[0])
        return names


def _inside(data: Any, leaf: Leaf, at: Key) -> Key | None:
    """Return the key of a row or column in a list of them, or of groups."""
    for number, entry in enumerate(data):
        if (entry.get("key"), entry.get("label")) == (leaf.node.key, leaf.node.label):
            return (*at, number)
        for inner in ("rows", "columns"):
            found = _inside(entry.get(inner, ()), leaf, (*at, number, inner))
            if found:
                return found
    return None
