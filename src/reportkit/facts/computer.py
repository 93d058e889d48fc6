"""Computing facts, from definitions and rows, and from other facts."""

from __future__ import annotations

import difflib
from contextlib import suppress
from copy import copy
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from reportkit.errors import InputError
from reportkit.facts.derived import change, share
from reportkit.facts.fact import TO_DO, Fact
from reportkit.facts.measuring import measure
from reportkit.language import Message, joined
from reportkit.language.message import COMMA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from reportkit.facts.specs import FactSpec
    from reportkit.forms import Cell
    from reportkit.forms.conditions import Definition
    from reportkit.ledgers import Ledger
    from reportkit.params import Declared


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
    names : mapping of str to str, optional
        Chinese names of ledgers by key, for the error about one that is missing.
    count : callable, optional
        Gives the fact of a definition instead of counting it in a ledger.
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
        names: Mapping[str, str] | None = None,
        count: Callable[[Fact, Definition], Fact] | None = None,
    ) -> None:
        self.year = year
        self.past = past
        self.names = names or {}
        self._count = count or self._counted
        self.cells = {cell.id: cell for cell in cells}
        self.specs = specs
        self.declared = {fact.id: fact for fact in declared}
        self.ledgers = ledgers
        self.facts: dict[str, Fact] = {}
        for name in self.declared:
            if name in self.cells or name in specs:
                raise InputError(
                    "fact-twice",
                    "fact '{name}' is declared, but it is computed from a ledger already",
                    name=name,
                )

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
        """Every fact that can be computed, whether the report uses it or not."""
        trial = copy(self)
        trial.facts = dict(self.facts)
        for name in self.known():
            with suppress(InputError):
                trial.get(name)
        return trial.facts

    def _compute(self, name: str, above: tuple[str, ...]) -> Fact:
        if name in above:
            raise InputError(
                "fact-circle",
                "fact '{name}' is computed from itself: {circle}",
                name=name,
                circle=" → ".join((*above, name)),
            )
        above = (*above, name)
        if name in self.declared:
            return _declared(self.declared[name])
        if name in self.cells:
            cell = self.cells[name]
            blank = Fact(name, cell.label, "", cell.unit, "ledger", "", show_unit=cell.show_unit)
            if cell.definition:
                return self._count(blank, cell.definition)
            return self._total(blank, self._parts(cell.sum_of, above))
        if name not in self.specs:
            raise unknown_fact(name, self.known())
        spec = self.specs[name]
        blank = Fact(name, spec.label, "", spec.unit, "ledger", "")
        try:
            if spec.ledger:
                return self._count(blank, spec.definition(self.year))
            if spec.sum_of:
                return self._total(blank, self._parts(spec.sum_of, above))
            return self._derived(replace(blank, unit=spec.unit or "%"), spec, above)
        except InputError as error:
            if error.reason != "fact-unknown":
                raise
            raise InputError(
                "fact-missing",
                "{place}: fact '{name}': {message}",
                place=spec.place,
                name=name,
                message=error.message,
            ) from None

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
        derived = replace(blank, origin="sum", sum_of=names)
        if _to_do(parts):
            return replace(derived, value=TO_DO, definition=f"{TO_DO}{'、'.join(names)}")
        if spec.share_of:
            value, text = share(spec, *parts)
            return replace(derived, value=value, definition=text)
        (now,) = parts
        if self.past is None or now.id not in self.past:
            raise InputError(
                "past-missing",
                "'{id}' compares {fact} with {year}, which is not known: run the "
                "report of {year} first, or add its published figures as "
                "params/reports/<district>/{year}.published.json",
                id=spec.id,
                year=self.year - 1,
                fact=now.id,
            )
        before = self.past[now.id]
        value, text = change(spec, now, before)
        return replace(derived, value=value, definition=text, compared=(now.number, before))

    def _counted(self, blank: Fact, definition: Definition) -> Fact:
        ledger = self.ledgers.get(definition.ledger)
        if ledger is None:
            raise InputError(
                "ledger-missing",
                "fact '{id}' ({label}) needs the ledger {name}, which is not there",
                id=blank.id,
                label=blank.label,
                name=self.names.get(definition.ledger, definition.ledger),
                ledger=definition.ledger,
            )
        value, rows, subtracted = measure(definition, ledger)
        return replace(
            blank,
            value=value,
            definition=definition.text(ledger.schema.name),
            ledger=ledger.key,
            where=tuple(definition.where_json()),
            rows=rows,
            subtracted=subtracted,
        )


def unknown_fact(name: str, known: Iterable[str]) -> InputError:
    """The error for an id that no fact has, with the nearest that there are."""
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    hint = Message("; nearest: {near}", near=joined(COMMA, near)) if near else ""
    return InputError("fact-unknown", "there is no fact '{name}'{hint}", name=name, hint=hint)


def _to_do(parts: Sequence[Fact]) -> bool:
    return any(part.value == TO_DO for part in parts)


def _declared(fact: Declared) -> Fact:
    value: Decimal | str = fact.value or TO_DO
    with suppress(ArithmeticError):
        number = Decimal(value)
        value = number if number.is_finite() else value
    stated = "，".join(str(part) for part in (fact.stated_by, fact.stated_on) if part)
    source = (fact.source or "来源待填") + (f"（{stated}）" if stated else "")
    text = "申报数据，不由台账计算"
    return Fact(fact.id, fact.label, value, fact.unit, "declared", text, source=source)
