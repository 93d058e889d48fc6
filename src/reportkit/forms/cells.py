"""Tables of an edition: rows, columns, and the definition of each cell in a report year."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from reportkit.errors import InputError
from reportkit.forms.conditions import Definition, parse_where

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reportkit.forms.model import Band, Define, Node, TableModel


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
    def total(self) -> bool:
        """True where it adds others up."""
        return self.node.total

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
        Its place in the form.
    label : str
        Printed headings that lead to it.
    unit : str
    definition : Definition or None
        How it follows from a ledger; None for a total.
    sum_of : tuple of str
        Leaf cells that a total adds up.
    once : str
        Pattern of the keys by which records that several members share count once in their
        parent's report; empty where each counts its own.
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
    once: str = ""


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
        return leaves_of(band.rows)

    def columns(self, band: Band) -> tuple[Leaf, ...]:
        """Value columns of a band, in order."""
        return leaves_of(band.columns)

    def axes(self) -> Iterator[Axis]:
        """Rows and columns of each band."""
        for band in self.model.bands:
            yield Axis(self, band, is_row=True)
            yield Axis(self, band, is_row=False)

    def places(self) -> Iterator[tuple[Band, Leaf, Leaf]]:
        """Every value cell as (band, row, column), in reading order."""
        for band in self.model.bands:
            for row in self.rows(band):
                for column in self.columns(band):
                    yield band, row, column

    @property
    def totals(self) -> dict[str, str]:
        """Text of each total column of a grid by its key: a short table shows these alone."""
        if self.model.layout != "grid":
            return {}
        columns = (column for band in self.model.bands for column in self.columns(band))
        return {column.key: column.text for column in columns if column.parts}

    def cell_id(self, row: str, column: str) -> str:
        """Fact id of a cell."""
        return f"{self.id}.{row}.{column}"


@dataclass(frozen=True)
class Axis:
    """The rows of a band, or its columns, with those of the other axis across them."""

    table: Table
    band: Band
    is_row: bool

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """Its rows or columns."""
        return leaves_of(self.band.rows if self.is_row else self.band.columns)

    @property
    def across(self) -> tuple[Leaf, ...]:
        """The columns across its rows, or the rows across its columns."""
        return leaves_of(self.band.columns if self.is_row else self.band.rows)

    def cell(self, key: str, across: str) -> str:
        """Fact id of the cell where one of its leaves meets one across."""
        return self.table.cell_id(*((key, across) if self.is_row else (across, key)))


def _heaviest(by: str, values: list[str], order: list[str]) -> dict[str, list[str]]:
    if unknown := [value for value in values if value not in order]:
        raise InputError(
            "condition",
            "{values} of {by} has no place among heaviest, the kinds from light to heavy",
            values="、".join(unknown),
            by=by,
        )
    return {"heaviest": values, "over": order[max(map(order.index, values)) + 1 :]}


def shown_by(table: str) -> str:
    """Argument that shows a table in a notebook, ``report.table(3)``: its number, or its id.

    Examples
    --------
    >>> [shown_by(name) for name in ("t3", "visits")]
    ['3', '"visits"']
    """
    number = table.removeprefix("t")
    return number if number.isdigit() and number != table else f'"{table}"'


def leaves_of(nodes: list[Any], groups: tuple[Node, ...] = ()) -> tuple[Leaf, ...]:
    """Value rows (or columns) in order; a total adds up all leaves of the group it closes.

    Of totals of inner groups it adds what they add, so that nothing counts twice.
    """
    leaves: list[Leaf] = []
    for node in nodes:
        if node.children:
            leaves += leaves_of(node.children, (*groups, node))
        else:
            parts = tuple(leaf.key for leaf in leaves if not leaf.total) if node.total else ()
            leaves.append(Leaf(node, groups, parts))
    return tuple(leaves)


def innermost(defines: Sequence[Define], name: str) -> Any:
    """Return a field of the innermost of some groups that has it; None where none has."""
    values = (getattr(define, name) for define in reversed(defines))
    return next((value for value in values if value is not None), None)


def cell_of(table: Table, band: Band, row: Leaf, column: Leaf, year: int) -> Cell:
    """The cell of a row and a column, defined by its band, groups, row and column together."""
    defines: tuple[Define, ...] = (band.define, *row.path, *column.path)
    last = partial(innermost, defines)
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
        "once": last("once") or "",
    }
    if row.total or column.total:
        parts = [
            table.cell_id(r, c)
            for r in (row.parts if row.total else (row.key,))
            for c in (column.parts if column.total else (column.key,))
        ]
        return Cell(**common, definition=None, sum_of=tuple(parts))

    where: dict[str, Any] = {}
    for define in defines:
        where.update(define.where or {})
    for leaf, around in ((row, (band.define, *row.path)), (column, column.path)):
        if by := innermost(around, "by"):
            values = leaf.node.categories
            where[by] = values[0] if len(values) == 1 else values
            if order := innermost(around, "heaviest"):
                where[by] = _heaviest(by, values, order)
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
