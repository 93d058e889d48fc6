"""Facts: every value of a report, computed from the numbers of its source rows.

A fact is made in two steps that cannot disagree: the definition gives ordered row numbers, and
the value is measured on exactly those rows. A total holds no rows; it points at its leaves.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from reportkit.derived import Figure, change, share
from reportkit.errors import InputError
from reportkit.ledgers import schema_of
from reportkit.measuring import measure
from reportkit.numerals import plain as plain

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from reportkit.definitions import Definition
    from reportkit.forms import Cell
    from reportkit.ledgers import Ledger
    from reportkit.params import Declared
    from reportkit.specs import FactSpec

# "sum" is whatever is computed from other facts, which sum_of names: a total, a share, a change.
Origin = Literal["ledger", "sum", "declared"]
# What stands for a declared figure that is not filled in yet; a final report refuses it.
TO_DO = "〔待填〕"


@dataclass(frozen=True)
class Fact:
    """One value of a report with its definition and its source rows.

    Parameters
    ----------
    id, label, unit : str
    value : Decimal or str
        A number, an ISO day for a fact of unit 日期, or words where there is no number.
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
        Facts that this one is computed from.
    source : str or None
        Where a declared value comes from.
    places : tuple of str
        Where it appears: ``table:t3``, ``section:一``.
    show_unit : bool
        Whether its table cell prints the unit.
    compared : tuple of Decimal or None
        Of a change: this year's figure and last year's.
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
    compared: tuple[Decimal, Decimal] | None = None

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


def rows_sha256(rows: npt.NDArray[np.int64]) -> str:
    """SHA-256 of row numbers as little-endian 64-bit integers, in order."""
    return hashlib.sha256(rows.astype("<i8").tobytes()).hexdigest()


def facts_bytes(document: Mapping[str, Any]) -> bytes:
    """``facts.json`` as written: UTF-8, one value a line, the same bytes for the same facts."""
    # Keys in order: a notebook read from disk, which sorts them, gives the same bytes.
    text = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True)
    return (text + "\n").encode()


class Computer:
    """Computes facts on demand, each once: cells of the form, narrative facts, declared ones.

    Parameters
    ----------
    year : int
    cells, specs, declared
        What can be asked for.
    ledgers : mapping of str to Ledger
    past : mapping of str to Decimal, optional
        Last year's figures by fact id, for facts that compare with them.
    """

    def __init__(
        self,
        year: int,
        *,
        cells: list[Cell],
        specs: Mapping[str, FactSpec],
        declared: list[Declared],
        ledgers: Mapping[str, Ledger],
        past: Mapping[str, Decimal] | None = None,
    ) -> None:
        self.year = year
        self.past = past
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

    def possible(self) -> Mapping[str, Fact]:
        """Every fact that could be asked for and can be computed; the report gains none by it."""
        trial = copy(self)
        trial.facts = dict(self.facts)
        for name in self.known():
            with suppress(InputError):
                trial.get(name)
        return trial.facts

    def _compute(self, name: str, above: tuple[str, ...]) -> Fact:
        if name in above:
            message = f"fact '{name}' is computed from itself: {' → '.join((*above, name))}"
            raise InputError("fact-circle", message)
        above = (*above, name)
        if name in self.declared:
            return _declared(self.declared[name])
        if name in self.cells:
            cell = self.cells[name]
            blank = Fact(name, cell.label, "", cell.unit, "ledger", "", show_unit=cell.show_unit)
            if cell.definition:
                return self._counted(blank, cell.definition)
            return self._total(blank, self._parts(cell.sum_of, above))
        if name not in self.specs:
            near = difflib.get_close_matches(name, self.known(), n=3, cutoff=0.5)
            hint = f"; nearest: {', '.join(near)}" if near else ""
            raise InputError("fact-unknown", f"there is no fact '{name}'{hint}")
        spec = self.specs[name]
        blank = Fact(name, spec.label, "", spec.unit, "ledger", "")
        try:
            if spec.ledger:
                return self._counted(blank, spec.definition(self.year))
            if spec.sum_of:
                return self._total(blank, self._parts(spec.sum_of, above))
            return self._derived(replace(blank, unit=spec.unit or "%"), spec, above)
        except InputError as error:
            if error.reason != "fact-unknown":
                raise
            message = f"{spec.place}: fact '{name}': {error.message}"
            raise InputError("fact-missing", message) from None

    def _parts(self, names: Iterable[str], above: tuple[str, ...]) -> list[Fact]:
        for name in names:
            if name not in self.facts:
                self.facts[name] = self._compute(name, above)
        return [self.facts[name] for name in names]

    def _total(self, blank: Fact, parts: Sequence[Fact]) -> Fact:
        names = tuple(part.id for part in parts)
        text = f"{len(parts)}项之和" if len(parts) > 8 else " + ".join(names)
        value = TO_DO if _to_do(parts) else sum((part.number for part in parts), Decimal(0))
        return replace(blank, value=value, origin="sum", definition=text, sum_of=names)

    def _derived(self, blank: Fact, spec: FactSpec, above: tuple[str, ...]) -> Fact:
        names = tuple(str(name) for name in (spec.part, spec.share_of, spec.change_of) if name)
        parts = self._parts(names, above)
        made = replace(blank, origin="sum", sum_of=names)
        if _to_do(parts):
            return replace(made, value=TO_DO, definition=f"{TO_DO}{'、'.join(names)}")
        figures = [Figure(part.label, part.number, part.unit) for part in parts]
        if spec.share_of:
            value, text = share(spec, *figures)
            return replace(made, value=value, definition=text)
        (now,) = parts
        if self.past is None or now.id not in self.past:
            message = (
                f"'{spec.id}' compares {now.id} with {self.year - 1}, which is not known: run the "
                f"report of {self.year - 1} first, or add its published figures as "
                f"params/reports/<district>/{self.year - 1}.published.json"
            )
            raise InputError("past-missing", message, fact=now.id)
        before = self.past[now.id]
        value, text = change(spec, figures[0], before)
        return replace(made, value=value, definition=text, compared=(now.number, before))

    def _counted(self, blank: Fact, definition: Definition) -> Fact:
        ledger = self.ledgers.get(definition.ledger)
        if ledger is None:
            message = (
                f"fact '{blank.id}' ({blank.label}) needs the ledger "
                f"{schema_of(definition.ledger).name}, which is not there"
            )
            raise InputError("ledger-missing", message, ledger=definition.ledger)
        value, rows, subtracted = measure(definition, ledger)
        return replace(
            blank, value=value, definition=definition.text(ledger.schema.name), ledger=ledger.key,
            where=tuple(definition.where_json()), rows=rows, subtracted=subtracted,
        )  # fmt: skip


def _to_do(parts: Sequence[Fact]) -> bool:
    return any(part.value == TO_DO for part in parts)


def _declared(fact: Declared) -> Fact:
    value: Decimal | str = fact.value or TO_DO
    with suppress(ArithmeticError):
        number = Decimal(value)
        value = number if number.is_finite() else value
    stated = "，".join(str(one) for one in (fact.stated_by, fact.stated_on) if one)
    source = (fact.source or "来源待填") + (f"（{stated}）" if stated else "")
    text = "申报数据，不由台账计算"
    return Fact(fact.id, fact.label, value, fact.unit, "declared", text, source=source)
