"""Facts of a roll-up: each is the sum of the members' facts of the same id."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

from reportkit.errors import InputError
from reportkit.rollup.members import present
from reportkit.rollup.shared import find_shared

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportkit.facts import Fact
    from reportkit.facts.specs import FactSpec
    from reportkit.forms import Cell
    from reportkit.forms.conditions import Definition
    from reportkit.rollup.members import Member
    from reportkit.rollup.shared import Shared

# Medians, earliest days and numbers of different values of several offices do not add up.
_ADDED = ("count", "sum")


@dataclass(frozen=True)
class Sums:
    """Sums over the members of a parent.

    Parameters
    ----------
    members : mapping of str to Member
        All, those without a report too.
    cells : mapping of str to Cell
        Cells of the parent's edition.
    names : mapping of str to str
        Chinese names of ledgers by key.
    """

    members: Mapping[str, Member]
    cells: Mapping[str, Cell]
    names: Mapping[str, str]

    @cached_property
    def shared(self) -> Shared:
        """Records that several members have, of the cells that count them once."""
        return find_shared(self.members.values(), self.once)

    @property
    def once(self) -> dict[str, str]:
        """Cells whose records count once, with the pattern of their keys; totals follow."""
        return {c.id: c.once for c in self.cells.values() if c.once and c.definition}

    @property
    def present(self) -> list[Member]:
        """Members whose figures are at hand."""
        return present(self.members.values())

    def without(self, name: str, definition: Definition) -> list[Member]:
        """Members whose report does not have a fact, or counts it in another way."""
        text = definition.text(self.names.get(definition.ledger, definition.ledger))
        return [
            member
            for member in self.present
            if name not in member.values
            or (name not in self.cells and member.definitions.get(name, text) != text)
        ]

    def adds(self, name: str, definition: Definition) -> bool:
        """Return True where a figure adds up and every member has it, counted alike."""
        return definition.measure in _ADDED and not self.without(name, definition)

    def fact(self, blank: Fact, definition: Definition) -> Fact:
        """The sum that takes the place of a fact counted in a ledger.

        Raises
        ------
        InputError
            ``not-added``: figures of this kind do not add up, or a member has none, so that the
            sum would not be the parent's. A cell of the form is summed all the same: its check
            names the members that lack it.
        """
        if definition.measure not in _ADDED:
            raise InputError(
                "not-added",
                "{fact} is a {measure}, and those of several members do not add up",
                fact=blank.id,
                measure=definition.measure,
            )
        lacking = self.without(blank.id, definition)
        if lacking and blank.id not in self.cells:
            raise InputError(
                "not-added",
                "{fact} is not in the reports of {members}, or counted otherwise there, so that "
                "it cannot be added",
                fact=blank.id,
                members=", ".join(member.id for member in lacking),
            )
        parts = [member for member in self.present if blank.id in member.values]
        less = self.shared.less[blank.id] if blank.id in self.once else 0
        text = f"所属{len(parts)}个单位报告中此数之和"
        if less:
            text += f"，同一记录见于几个单位的只计一次（减{less}）"
        return replace(
            blank,
            value=sum((member.values[blank.id] for member in parts), Decimal(-less)),
            origin="sum",
            definition=text,
            sum_of=tuple(f"{member.id}/{blank.id}" for member in parts),
        )

    def gaps(self, specs: Mapping[str, FactSpec], year: int) -> dict[str, list[Member]]:
        """Facts that some members have and others have not, or count otherwise."""
        asked = {cell.id: cell.definition for cell in self.cells.values() if cell.definition}
        asked |= {name: spec.definition(year) for name, spec in specs.items() if spec.ledger}
        found = {
            name: self.without(name, definition)
            for name, definition in asked.items()
            if definition.measure in _ADDED
        }
        return {
            name: lacking
            for name, lacking in found.items()
            if lacking and (name in self.cells or len(lacking) < len(self.present))
        }
