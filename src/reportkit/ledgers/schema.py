"""The nine ledgers as data: columns, types, categories, row rules."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import Field, RootModel

from reportkit.errors import InputError
from reportkit.forms import forms
from reportkit.yamlfile import Strict, read_yaml

ColumnType = Literal["text", "date", "category", "integer", "amount", "flag"]
UNITS = {"元": 1, "万元": 10_000, "亿元": 100_000_000}


class FormAxis(Strict):
    """The rows or columns of a statutory table whose labels are a column's categories."""

    table: str
    axis: Literal["rows", "columns"]


class Column(Strict):
    """One column of a ledger."""

    name: str
    key: str
    type: ColumnType = "text"
    required: bool = False
    blank: bool = False
    personal: bool = False
    values: list[str] | None = None
    variants: dict[str, str] = Field(default_factory=dict)
    default: str | None = None
    open: bool = False
    form: FormAxis | None = None

    @property
    def may_be_empty(self) -> bool:
        """Whether a record without a value here is still a good record."""
        return self.blank or not self.required

    def categories(self) -> tuple[str, ...]:
        """The values that a cell can take, in the order of the form."""
        return tuple(dict.fromkeys(self.vocabulary().values()))

    def vocabulary(self) -> dict[str, str]:
        """Loose spelling of each accepted value, and the value it means."""
        names = {value: value for value in self.values or ()} | self.variants
        if self.form:
            for form in forms():
                names = form.vocabulary(self.form.table, self.form.axis) | names
        return {loose(name): value for name, value in names.items()}


class RowRule(Strict):
    """A rule that each record must meet.

    ``order``: the first day is not after the second; ``together``: all filled or all empty.
    """

    id: str
    severity: Literal["reject", "warn"]
    message: str
    basis: str
    order: tuple[str, str] | None = None
    together: tuple[str, str] | None = None


class LedgerSchema(Strict):
    """One ledger: its Chinese name, columns (the first is the record's key) and row rules."""

    name: str
    columns: list[Column]
    rules: list[RowRule] = Field(default_factory=list)

    @property
    def key_column(self) -> str:
        """Name of the column that is unique within the ledger."""
        return self.columns[0].name

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
                found |= {loose(base + unit): (column, factor) for unit, factor in UNITS.items()}
            else:
                found[loose(column.name)] = (column, 1)
        return found


class _Schemas(RootModel[dict[str, LedgerSchema]]):
    pass


def loose(text: str) -> str:
    """Spelling without width, case, spaces and punctuation, to compare headings and labels."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).lower()


@cache
def schemas() -> dict[str, LedgerSchema]:
    """All ledgers by key, in the order of the contract."""
    path = Path(str(files("reportkit.ledgers"))) / "schemas.yaml"
    return read_yaml(path).validate(_Schemas).root


def schema_of(key: str) -> LedgerSchema:
    """The schema of one ledger.

    Raises
    ------
    InputError
        ``ledger-unknown``: there is no such ledger.
    """
    if key not in schemas():
        message = f"there is no ledger '{key}'; ledgers are {', '.join(schemas())}"
        raise InputError("ledger-unknown", message)
    return schemas()[key]
