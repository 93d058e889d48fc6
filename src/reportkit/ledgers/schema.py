"""The ledgers of a form as data: columns, types, categories, row rules."""

from __future__ import annotations

import difflib
import re
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from pydantic import Field, RootModel

from reportkit.errors import HeadingError, InputError
from reportkit.language import Message, joined
from reportkit.language.message import COMMA
from reportkit.ledgers.normal import fold, loose, units
from reportkit.persons import without_persons
from reportkit.worktime import Clock
from reportkit.yamlfile import Strict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reportkit.forms import Edition, Form

ColumnType = Literal["text", "date", "category", "integer", "amount", "flag"]
_HINT = re.compile(
    r"[(\[【]\s*(?:必填|选填|必填项|选填项|年月日|年/月/日|y{2,4}[-/.年]?m{1,2}[-/.月]?d{1,2}日?)\s*[)\]】]",
    re.IGNORECASE,
)
# A unit in a heading: 元, 万元; 千元 and 美元 are others, as is （万）.
_UNIT = re.compile(r"[十百千万亿美港日欧]*元|(?<=\()[十百千万亿]+(?=\))")
NOTES_SHEET = "填写说明"
"""The sheet of a workbook that says how to fill in the others, in those that we hand out."""


class FormAxis(Strict):
    """The rows or columns of a statutory table whose labels are a column's categories."""

    table: str
    axis: Literal["rows", "columns"]


class Column(Strict):
    """One column of a ledger."""

    name: str
    key: str
    aliases: list[str] = Field(default_factory=list)
    type: ColumnType = "text"
    required: bool = False
    blank: bool = False
    personal: bool = False
    pseudonym: bool = False
    free_text: bool = False
    values: list[str] | None = None
    variants: dict[str, str] = Field(default_factory=dict)
    default: str | None = None
    open: bool = False
    form: FormAxis | None = None
    labels: dict[str, str] = Field(default_factory=dict, exclude=True)
    """By the form: each way to write a label of its tables, and the value it means."""
    without: str | None = None
    signs: list[str] = Field(default_factory=list)
    # By an office's mapping: its own headings and values, one value for all, the year of 3.15.
    mapped: list[str] = Field(default_factory=list)
    swaps: dict[str, str] = Field(default_factory=dict)
    fixed: str | None = None
    year: int | None = None

    @property
    def spellings(self) -> dict[str, str]:
        """Each way to write a value, and the value it means."""
        return self.labels | {value: value for value in self.values or ()} | self.variants

    @property
    def may_be_empty(self) -> bool:
        """Return True where a record without a value here is still a good record."""
        return self.blank or not self.required

    def categories(self) -> tuple[str, ...]:
        """The values that a cell can take, in the order of the form."""
        return tuple(dict.fromkeys(self.spellings.values()))

    def offered(self, edition: Edition) -> tuple[str, ...]:
        """The values to choose from under one edition of the form."""
        if self.form is None:
            renamed = edition.renamed(self.name)
            former = {value for _, was in renamed for value in was}
            kept = (value for value in self.values or () if value not in former)
            return (*kept, *(value for value, was in renamed if former & {*(self.values or ())}))
        labels = edition.vocabulary(self.form.table, self.form.axis, former=False)
        return tuple(dict.fromkeys(labels.values()))

    def vocabulary(self) -> dict[str, str]:
        """Loose spelling of each accepted value, and the value it means."""
        return {loose(name): value for name, value in self.spellings.items()}


class RowRule(Strict):
    """A rule that each record must meet, over the cells that are filled.

    ``order``: no day is later than one named after it; ``together``: both filled or both empty;
    ``needs``: where the first is filled so is the second; ``at_most``: a number is not above a
    bound; ``within``: the second day is within so many working days of the first; ``dates``: each
    day is from *first* to *last*; ``ended``: where the first says one of the words, the second, a
    day, is filled.
    """

    id: str
    severity: Literal["reject", "warn"]
    message: str
    basis: str
    order: list[str] | None = None
    together: tuple[str, str] | None = None
    needs: tuple[str, str] | None = None
    at_most: tuple[str, int] | None = None
    within: tuple[str, str, int] | None = None
    dates: list[str] | None = None
    ended: tuple[str, str] | None = None
    words: list[str] = Field(default_factory=list)
    first: date | None = None
    last: date | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that the rule concerns."""
        days = (self.order, self.within, self.dates, self.ended)
        named: Iterable[object] = next(
            filter(None, (*days, self.together, self.needs, self.at_most)), ()
        )
        return tuple(name for name in named if isinstance(name, str))


class Doubt(Strict):
    """A sign in the records of a year that they are not all, or not as exact as they should be.

    Each *by* is judged alone. ``amount``: all are multiples of the rule's limit; ``flag``: all
    are true.

    Parameters
    ----------
    id : str
        The rule that says so.
    day : str
        Column whose day decides the year of a record.
    amount, flag : str, optional
        The column that is judged.
    by : str, optional
        Column of kinds.
    """

    id: str
    day: str
    amount: str | None = None
    flag: str | None = None
    by: str | None = None


class DerivedColumn(Strict):
    """A column that no file has: reportkit computes it for each record."""

    name: str
    key: str
    type: ColumnType
    text: str


class LedgerSchema(Strict):
    """One ledger: its Chinese name, columns (the first is the record's key) and row rules.

    ``row`` says what one row is, after 每行一; ``clock`` which statutory limit is counted for it,
    from columns with the keys that it knows.
    """

    name: str
    row: str
    columns: list[Column]
    derived: list[DerivedColumn] = Field(default_factory=list)
    rules: list[RowRule] = Field(default_factory=list)
    doubts: list[Doubt] = Field(default_factory=list)
    clock: Clock | None = None
    # By an office's mapping: the column that goes before the key, or "year".
    prefix: str | None = None
    known: frozenset[str] = Field(default=frozenset(), exclude=True)
    """By the form: all values that a category of any of its ledgers can have."""

    @property
    def day_column(self) -> Column:
        """The day that every record has; the key where records need not have one."""
        days = (c for c in self.columns if c.type == "date" and not c.may_be_empty)
        return next(days, self.columns[0])

    @property
    def key_column(self) -> str:
        """Name of the column that is unique within the ledger."""
        return self.columns[0].name

    def names(self) -> dict[str, str]:
        """Names of columns by their keys, those that are derived too."""
        columns: list[Column | DerivedColumn] = [*self.columns, *self.derived]
        return {column.key: column.name for column in columns}

    def column(self, name: str) -> Column:
        """A column by its Chinese name."""
        return next(column for column in self.columns if column.name == name)

    def headings(self) -> dict[str, tuple[Column, int]]:
        """Loose spelling of each accepted heading, with its column and the unit's factor."""
        found: dict[str, tuple[Column, int]] = {}
        for column in self.columns:
            found[loose(column.key)] = (column, 1)
            if column.type == "amount":
                base = column.name.removesuffix("（元）")
                for unit, factor in units().items():
                    found[loose(base + unit)] = found[loose(f"{base}单位{unit}")] = (column, factor)
            else:
                found[loose(column.name)] = (column, 1)
            found |= {loose(alias): (column, 1) for alias in column.aliases}
        for column in self.columns:
            for heading in column.mapped:
                factor = unit_of(heading) if column.type == "amount" else 1
                found[heading_key(heading)] = (column, factor)
        return found

    def spellings(self) -> list[str]:
        """Names of its columns as offices write them, and of that which counts the rows."""
        return ["序号"] + [
            spelt
            for column in self.columns
            for name in (column.name, *column.aliases, *column.mapped)
            for spelt in (name, f"{name}*", name.replace("（元）", "（万元）"))
        ]

    def rank(self, heading: str) -> int:
        """The office's own heading of a column goes first, then its name, then other names."""
        key = heading_key(heading)
        if any(key in map(heading_key, column.mapped) for column in self.columns):
            return 0
        return 2 if any(key in map(loose, column.aliases) for column in self.columns) else 1


class _Schemas(RootModel[dict[str, LedgerSchema]]):
    pass


def map_headings(
    headings: Sequence[str], schema: LedgerSchema, file: str, key: str
) -> dict[str, tuple[str, int]]:
    """Column name to the heading it stands under in a file, and the heading's unit factor.

    Raises
    ------
    InputError
        ``ledger-heading-twice``; ``ledger-column`` with the nearest headings.
    """
    wanted = schema.headings()
    mapped: dict[str, tuple[str, int]] = {}
    known = [heading for heading in headings if heading_key(heading) in wanted]
    for heading in sorted(known, key=schema.rank):
        column, factor = wanted[heading_key(heading)]
        if column.name in mapped and schema.rank(heading) > schema.rank(mapped[column.name][0]):
            continue
        if column.name in mapped:
            raise InputError(
                "ledger-heading-twice",
                "{file}: '{mapped}' and '{heading}' both mean {name}; keep one",
                mapped=mapped[column.name][0],
                heading=heading,
                name=column.name,
                file=file,
                ledger=key,
            )
        mapped[column.name] = (heading, factor)
    for name in [column.name for column in schema.columns if column.fixed is not None]:
        mapped.pop(name, None)
    missing = [
        column.name
        for column in schema.columns
        if column.required and column.fixed is None and column.name not in mapped
    ]
    if missing:
        free = [
            without_persons(heading)[:40]
            for heading in headings
            if heading_key(heading) not in wanted
        ]
        near = {name: difflib.get_close_matches(name, free, n=2, cutoff=0.3) for name in missing}
        columns = joined(
            "; ",
            [
                name + (Message(" (nearest: {found})", found="、".join(found)) if found else "")
                for name, found in near.items()
            ],
        )
        raise HeadingError(
            "ledger-column",
            "{file}: required columns of {name} are missing: {columns}",
            name=schema.name,
            columns=columns,
            headings=headings,
            file=file,
            ledger=key,
        )
    return mapped


@lru_cache(maxsize=4096)
def heading_key(text: str) -> str:
    """Loose spelling of a heading, without what it says about how to fill it in."""
    return loose(_HINT.sub("", fold(text)))


def unit_of(heading: str) -> int:
    """Return the number of 元 in an amount's unit, as its heading says; 0 of an unread unit."""
    found = {units().get(unit, 0) for unit in _UNIT.findall(fold(heading))}
    return (found.pop() if len(found) == 1 else 0) if found else 1


@lru_cache(maxsize=64)
def schemas(form: Form) -> Mapping[str, LedgerSchema]:
    """All ledgers of a form by key, in its order.

    Raises
    ------
    InputError
        ``parameters``: the form's ledgers.yaml is wrong; with its line.
    """
    found = form.parts["ledgers"].validate(_Schemas).root
    columns = {key: [_labelled(c, form) for c in schema.columns] for key, schema in found.items()}
    values = frozenset(v for own in columns.values() for c in own for v in c.categories())
    return {
        key: schema.model_copy(update={"columns": columns[key], "known": values})
        for key, schema in found.items()
    }


def _labelled(column: Column, form: Form) -> Column:
    """A column whose categories are the labels of a table, with those of every edition."""
    labels: dict[str, str] = {}
    if column.form is None:
        # What a row is called now is a value, where what it was called is one.
        for edition in form.editions if column.values else ():
            for value, was in edition.renamed(column.name):
                labels |= {value: value} if {*was} & {*(column.values or ())} else {}
        return column.model_copy(update={"labels": labels}) if labels else column
    for edition in (edition for edition in form.editions if column.form.table in edition.tables):
        labels = edition.vocabulary(column.form.table, column.form.axis) | labels
    return column.model_copy(update={"labels": labels})


def schema_of(form: Form, key: str) -> LedgerSchema:
    """The schema of one ledger.

    Raises
    ------
    InputError
        ``ledger-unknown``: there is no such ledger.
    """
    known = schemas(form)
    if key not in known:
        raise InputError(
            "ledger-unknown",
            "there is no ledger '{key}'; ledgers are {known}",
            key=key,
            known=joined(COMMA, [f"{schema.name} ({name})" for name, schema in known.items()]),
        )
    return known[key]
