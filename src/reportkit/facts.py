"""Facts: every value of a report, computed from the numbers of its source rows.

A fact is made in two steps that cannot disagree: the definition gives ordered row numbers, and
the value is measured on exactly those rows. A total holds no rows; it points at its leaves.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from reportkit.definitions import Definition, parse_where
from reportkit.errors import InputError
from reportkit.ledgers import schema_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from reportkit.forms import Cell
    from reportkit.ledgers import Ledger
    from reportkit.params import Declared, FactSpec

Origin = Literal["ledger", "sum", "declared"]


@dataclass(frozen=True)
class Fact:
    """One value of a report with its definition and its source rows.

    Parameters
    ----------
    id, label, unit : str
    value : Decimal or str
        A number, or an ISO day for a fact of unit 日期.
    origin : {"ledger", "sum", "declared"}
    definition : str
        In Chinese, as printed for auditors.
    ledger : str or None
        Key of the ledger the rows are of.
    where : tuple of mapping
        The filter, in groups with their sign; see ``Definition.where_json``.
    rows : numpy.ndarray of int64 or None
        Row numbers in the ledger, in order; for a change first the added rows, then the others.
    subtracted : int
        How many rows at the end of *rows* are subtracted.
    sum_of : tuple of str
        Facts that a sum adds up.
    source : str or None
        Where a declared value comes from.
    places : tuple of str
        Where it appears: ``table:t3``, ``section:一``.
    show_unit : bool
        Whether its table cell prints the unit.
    """

    id: str
    label: str
    value: Decimal | str
    unit: str
    origin: Origin
    definition: str
    ledger: str | None = None
    where: tuple[Mapping[str, Any], ...] = ()
    rows: npt.NDArray[np.int64] | None = field(default=None, compare=False)
    subtracted: int = 0
    sum_of: tuple[str, ...] = ()
    source: str | None = None
    places: tuple[str, ...] = ()
    show_unit: bool = False

    @property
    def number(self) -> Decimal:
        """The value as a number.

        Raises
        ------
        InputError
            ``fact-not-a-number``: the fact is a day or a text.
        """
        if isinstance(self.value, str):
            message = f"fact {self.id} is '{self.value}', which is no number"
            raise InputError("fact-not-a-number", message)
        return self.value

    @property
    def text(self) -> str:
        """The value as printed: no exponent, no trailing zeros."""
        return self.value if isinstance(self.value, str) else plain(self.value)

    def as_json(self) -> dict[str, Any]:
        """The fact as it stands in ``facts.json``."""
        decimals = 0
        if isinstance(self.value, Decimal):
            decimals = len(self.text.partition(".")[2])
        has_rows = self.rows is not None and len(self.rows) > 0
        return {
            "id": self.id,
            "label": self.label,
            "value": self.text,
            "unit": self.unit,
            "decimals": decimals,
            "origin": self.origin,
            "definition": self.definition,
            "ledger": self.ledger,
            "where": [dict(group) for group in self.where],
            "rows": 0 if self.rows is None else len(self.rows),
            "rows_sha256": None if self.rows is None else rows_sha256(self.rows),
            "evidence": f"evidence/{self.id}.parquet" if has_rows else None,
            "sum_of": list(self.sum_of),
            "source": self.source,
            "places": list(self.places),
        }


class Facts(Mapping[str, Fact]):
    """The facts of one report, by id, in order of id."""

    def __init__(self, facts: Mapping[str, Fact]) -> None:
        self._facts = {name: facts[name] for name in sorted(facts)}

    def __getitem__(self, name: str) -> Fact:
        return self._facts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)

    def placed(self, places: Mapping[str, tuple[str, ...]]) -> Facts:
        """The same facts, with where each one appears."""
        return Facts({n: replace(f, places=places.get(n, ())) for n, f in self._facts.items()})

    def as_json(self, **head: Any) -> dict[str, Any]:
        """The document ``facts.json``."""
        facts = [fact.as_json() for fact in self.values()]
        return {"schema": "reportkit/facts/1", **head, "facts": facts}


def plain(value: Decimal) -> str:
    """A decimal in plain digits without trailing zeros; zero is ``0``."""
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def rows_sha256(rows: npt.NDArray[np.int64]) -> str:
    """SHA-256 of row numbers as little-endian 64-bit integers, in order."""
    return hashlib.sha256(rows.astype("<i8").tobytes()).hexdigest()


def facts_bytes(document: Mapping[str, Any]) -> bytes:
    """``facts.json`` as written: UTF-8, one value a line, the same bytes for the same facts."""
    # Keys in order: a notebook read from disk, which sorts them, gives the same bytes.
    text = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True)
    return (text + "\n").encode()


def measure(definition: Definition, ledger: Ledger) -> tuple[Decimal | str, Any, int]:
    """Value, row numbers and number of subtracted rows of a definition.

    Parameters
    ----------
    definition : Definition
    ledger : Ledger
        The ledger that the definition names.

    Raises
    ------
    InputError
        ``fact-column``: the definition reads a column that the ledger does not have.
    """
    frame = ledger.frame
    if unknown := sorted(definition.columns - set(frame.columns)):
        known = "、".join(frame.columns)
        message = f"{ledger.schema.name} has no column {'、'.join(unknown)}; it has {known}"
        raise InputError("fact-column", message, ledger=ledger.key)
    groups = [definition.where] + ([definition.minus] if definition.minus is not None else [])
    values: list[Decimal | str] = []
    rows = []
    for where in groups:
        mask = np.ones(len(frame), dtype=bool)
        for condition in where:
            mask &= condition.mask(frame)
        rows.append(frame.index.to_numpy()[mask].astype(np.int64))
        values.append(_measure_rows(definition, frame[mask]))
    value = values[0]
    if len(values) == 2 and isinstance(value, Decimal) and isinstance(values[1], Decimal):
        value -= values[1]
    if definition.divide != 1 and isinstance(value, Decimal):
        value /= definition.divide
    return value, np.concatenate(rows), len(rows[1]) if len(rows) == 2 else 0


def _measure_rows(definition: Definition, chosen: pd.DataFrame) -> Decimal | str:
    if definition.measure == "count":
        return Decimal(len(chosen))
    column = chosen[str(definition.column)]
    if definition.measure == "distinct":
        return Decimal(column.nunique())
    if definition.measure in ("sum", "median", "max"):
        if pd.api.types.is_integer_dtype(column.dtype):
            numbers = pa.array(column, pa.int64()).cast(pa.decimal128(38, 0))
        elif isinstance(column.dtype, pd.ArrowDtype):
            numbers = pa.array(column)
        else:
            message = (
                f"the {definition.measure} of {definition.column} is asked for, but it is no "
                "amount or number"
            )
            raise InputError("fact-measure", message, ledger=definition.ledger)
        if definition.measure == "sum":
            total = pc.sum(numbers).as_py()
            return Decimal(0) if total is None else total
        ordered = sorted(numbers.drop_null().to_pylist())
        if not ordered:
            return ""
        middle = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
        return ordered[-1] if definition.measure == "max" else sum(middle, Decimal(0)) / 2
    if not pd.api.types.is_datetime64_any_dtype(column.dtype):
        message = f"the {definition.measure} {definition.column} is asked for, but it is no date"
        raise InputError("fact-measure", message, ledger=definition.ledger)
    day = column.min() if definition.measure == "first" else column.max()
    return "" if pd.isna(day) else str(day.date())


def definition_of(spec: FactSpec, year: int) -> Definition:
    """The definition of a narrative fact for one report year."""
    kind, column = ("count", None)
    if isinstance(spec.measure, dict):
        kind, column = next(iter(spec.measure.items()))
    return Definition(
        ledger=str(spec.ledger),
        where=parse_where(spec.where, year),
        minus=None if spec.minus is None else parse_where(spec.minus, year),
        measure=kind,  # type: ignore[arg-type]  # the parameters allow these words only
        column=column,
    )


class Computer:
    """Computes facts on demand, each once: cells of the form, narrative facts, declared ones."""

    def __init__(
        self,
        year: int,
        *,
        cells: list[Cell],
        specs: Mapping[str, FactSpec],
        declared: list[Declared],
        ledgers: Mapping[str, Ledger],
    ) -> None:
        self.year = year
        self.cells = {cell.id: cell for cell in cells}
        self.specs = specs
        self.declared = {fact.id: fact for fact in declared}
        self.ledgers = ledgers
        self.facts: dict[str, Fact] = {}
        for name in self.declared:
            if name in self.cells or name in specs:
                message = f"fact '{name}' is declared, but it is computed from a ledger already"
                raise InputError("fact-twice", message)

    def __contains__(self, name: str) -> bool:
        return name in self.cells or name in self.specs or name in self.declared

    def known(self) -> list[str]:
        """Ids of all facts that can be asked for."""
        return sorted({*self.cells, *self.specs, *self.declared})

    def get(self, name: str) -> Fact:
        """One fact.

        Raises
        ------
        InputError
            ``fact-unknown``, ``ledger-missing``, or what is wrong with its definition.
        """
        if name not in self.facts:
            self.facts[name] = self._compute(name, ())
        return self.facts[name]

    def _compute(self, name: str, above: tuple[str, ...]) -> Fact:
        if name in above:
            message = f"fact '{name}' is a sum of itself: {' → '.join((*above, name))}"
            raise InputError("fact-circle", message)
        if name in self.declared:
            return _declared(self.declared[name])
        if name in self.cells:
            cell = self.cells[name]
            label, unit, parts, show_unit = cell.label, cell.unit, cell.sum_of, cell.show_unit
            definition = cell.definition
        elif name in self.specs:
            spec = self.specs[name]
            label, unit, parts, show_unit = spec.label, spec.unit, tuple(spec.sum_of or ()), False
            definition = None if parts else definition_of(spec, self.year)
        else:
            message = f"there is no fact '{name}'"
            raise InputError("fact-unknown", message)
        if definition is None:
            for part in parts:
                if part not in self.facts:
                    self.facts[part] = self._compute(part, (*above, name))
            total = sum((self.facts[part].number for part in parts), Decimal(0))
            text = f"{len(parts)}项之和" if len(parts) > 8 else " + ".join(parts)
            return Fact(name, label, total, unit, "sum", text, sum_of=parts, show_unit=show_unit)
        ledger = self.ledgers.get(definition.ledger)
        if ledger is None:
            message = (
                f"fact '{name}' ({label}) needs the ledger {schema_of(definition.ledger).name}, "
                "which is not there"
            )
            raise InputError("ledger-missing", message, ledger=definition.ledger)
        value, rows, subtracted = measure(definition, ledger)
        return Fact(
            name, label, value, unit, "ledger", definition.text(ledger.schema.name),
            ledger=ledger.key, where=tuple(definition.where_json()), rows=rows,
            subtracted=subtracted, show_unit=show_unit,
        )  # fmt: skip


def _declared(fact: Declared) -> Fact:
    try:
        value: Decimal | str = Decimal(fact.value)
    except ArithmeticError:
        value = fact.value
    source = fact.source
    if fact.stated_by or fact.stated_on:
        source += f"（{'，'.join(str(s) for s in (fact.stated_by, fact.stated_on) if s)}）"
    return Fact(
        fact.id, fact.label, value, fact.unit, "declared", "申报数据，不由台账计算", source=source
    )
