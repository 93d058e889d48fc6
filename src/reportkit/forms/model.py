"""Schema of an edition file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, model_validator

from reportkit.language import Message
from reportkit.yamlfile import Strict


class Define(Strict):
    """Contribution of a row, a column or a group of them to the definition of a cell.

    ``by`` is the column whose value is the row's (or column's); ``heaviest`` all its values from
    light to heavy, where a record can have several and counts once, in the heaviest. ``once`` says
    that a record which several members have under one key counts once in their parent's report: a
    pattern of the keys that mean the same record in every office, as a mere serial does not.
    """

    ledger: str | None = None
    unit: str | None = None
    by: str | None = None
    heaviest: list[str] | None = None
    where: dict[str, Any] | None = None
    plus: dict[str, Any] | None = None
    minus: dict[str, Any] | None = None
    sum: str | None = None
    divide: int | None = None
    once: str | None = None


class Node(Define):
    """A row or column, or a group of them under one heading."""

    key: str | None = None
    number: str = ""
    label: str
    note: str = ""
    value: str | None = None
    values: list[str] | None = None
    was: Sequence[str] = ()
    total: bool = False
    show_unit: bool = False
    children: Sequence[Node] = ()

    @property
    def text(self) -> str:
        """The heading as printed."""
        return self.number + self.label + self.note

    @property
    def categories(self) -> list[str]:
        """Ledger values that belong to this row or column; under former labels too."""
        return [*(self.values or [self.value or self.label]), *self.was]


class RowNode(Node):
    """A row or a group of rows."""

    children: Sequence[RowNode] = Field(default=(), alias="rows")


class ColumnNode(Node):
    """A column or a group of columns."""

    children: Sequence[ColumnNode] = Field(default=(), alias="columns")


class Band(Strict):
    """A block of a table with columns of its own."""

    title: str | None = None
    corner: str = ""
    define: Define = Define()
    columns: list[ColumnNode]
    rows: list[RowNode]


class TableModel(Strict):
    """One statutory table."""

    id: str
    title: str
    layout: Literal["grid", "line"] = "grid"
    bands: list[Band]


class Equal(Strict):
    """Left rows (or columns) add up to the right ones, in each column (or row)."""

    table: str
    each: Literal["row", "column"]
    left: list[str] | Literal["parts"]
    right: list[str]


class NoMore(Equal):
    """Left rows (or columns) add up to no more than the right ones."""


class Disjoint(Strict):
    """No record is counted in two of the rows that make up a total."""

    table: str
    parts_of: str


class Complete(Strict):
    """Every record of the group that a total closes is counted in one of its rows."""

    table: str
    parts_of: str


class Continues(Strict):
    """In each column (or row): now = last year's cells + plus - minus of this year."""

    table: str
    each: Literal["row", "column"]
    now: str
    past: list[str]
    plus: Sequence[str] = ()
    minus: Sequence[str] = ()


class Share(Strict):
    """Rows that should be a small part of another, in one column."""

    table: str
    column: str
    rows: list[str]
    of: str


class Rule(Strict):
    """Computation of a rule of the form; ``zero`` and ``natural`` name cells or tables.

    Its texts are in the form's ``rules.yaml``.
    """

    id: str
    equal: Equal | None = None
    at_most: NoMore | None = None
    disjoint: Disjoint | None = None
    complete: Complete | None = None
    natural: list[str] | None = None
    zero: list[str] | None = None
    continues: Continues | None = None
    share: Share | None = None


class Section(Strict):
    """One section, and what the notice demands of its text."""

    number: str
    title: str
    table: str | None = None
    at_most: int | None = None
    must_say: str | None = None
    own_words: bool = False


class YearSpan(Strict):
    """Report years of an edition; open-ended without ``last``."""

    first: int
    last: int | None = None

    @model_validator(mode="after")
    def _covers_a_year(self) -> YearSpan:
        if self.last is not None and self.last < self.first:
            raise ValueError(Message("the last year is before the first"))
        return self


class Follow(Strict):
    """Successor of cells of the edition before; ``*`` is one word of their ids."""

    cells: str
    here: list[str]
    comparable: bool = False
    why: str


class Headline(Strict):
    """A figure that readers see before the text.

    ``facts`` are added up; with ``share`` they are a percentage of ``of``, else ``of`` says among
    how many they are. ``months`` is the date column by which their records are drawn.
    """

    label: str
    facts: list[str]
    of: Sequence[str] = ()
    share: bool = False
    months: str | None = None


class Comparison(Headline):
    """A figure by which places are set beside each other, as a distribution.

    Parameters
    ----------
    caveat : str
        A warning against misreading it, in a sentence.
    least : int
        Of a place that has fewer of ``of`` it is left out: one more or less would change it much.
    """

    caveat: str
    least: int = 0


class EditionModel(Strict):
    """One edition file, as written, with what it takes from the one that it extends."""

    edition: str
    extends: str | None = None
    years: YearSpan
    name: str
    basis: str
    sections: list[Section]
    tables: list[TableModel]
    rules: list[Rule] = Field(default_factory=list)
    follows: list[Follow] = Field(default_factory=list)
    headlines: Sequence[Headline] = ()
    """Figures that are shown before the text, in their order."""
    bases: dict[str, str] = Field(default_factory=dict)
    """Grounds of rules, where they are this edition's own."""


class Summary(Strict):
    """A figure that sums up a report: facts added up, under a label."""

    label: str
    english: str = ""
    facts: list[str]


class FormModel(Strict):
    """Content of a form's ``form.yaml``.

    Parameters
    ----------
    name : str
        That of the folder.
    extends : str, optional
        The form that it takes the rest from.
    title : str
        What a report of it is called, after its issuer and year.
    law : str
        What it is published under.
    notebook : str
        File of the notebook, in ``notebooks/`` of the project.
    summary : list of Summary
        Figures that sum up a report in a line, for a page of many.
    compared : list of Comparison
        Figures by which the catalogue sets places beside each other.
    """

    name: str
    extends: str | None = None
    title: str
    law: str
    notebook: str
    summary: list[Summary] = Field(default_factory=list)
    compared: list[Comparison] = Field(default_factory=list)
