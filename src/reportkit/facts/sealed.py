"""Facts read back from where they were sealed: to be printed again, not computed again."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from reportkit.facts.computer import unknown_fact
from reportkit.facts.fact import Fact, to_come
from reportkit.facts.numerals import number_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self


@dataclass(frozen=True)
class SealedFacts:
    """The facts of a seal, by id.

    Parameters
    ----------
    facts : mapping of str to Fact
        Without their row numbers, which the evidence holds.
    later : bool
        Others are still to be made.
    """

    facts: Mapping[str, Fact]
    later: bool = False

    @classmethod
    def read(
        cls,
        document: Mapping[str, Any],
        compared: Mapping[str, list[str]],
        *,
        later: bool = False,
    ) -> Self:
        """The facts of a document like ``facts.json``.

        Parameters
        ----------
        document : mapping
        compared : mapping of str to list of str
            Of each change this year's figure and last year's.
        later : bool
            See the class.
        """
        facts = {fact["id"]: _fact(fact, compared.get(fact["id"])) for fact in document["facts"]}
        return cls(facts, later)

    def get(self, name: str) -> Fact:
        """One fact.

        Raises
        ------
        InputError
            ``fact-unknown`` with the nearest ids.
        """
        if name not in self.facts and self.later:
            return to_come(name)
        if name not in self.facts:
            raise unknown_fact(name, self.facts)
        return self.facts[name]


def _fact(fact: Mapping[str, Any], compared: list[str] | None) -> Fact:
    number = number_of(fact["value"])
    return Fact(
        fact["id"],
        fact["label"],
        fact["value"] if number is None else number,
        fact["unit"],
        fact["origin"],
        fact["definition"],
        ledger=fact["ledger"],
        where=tuple(fact["where"]),
        sum_of=tuple(fact["sum_of"]),
        source=fact["source"],
        places=tuple(fact["places"]),
        compared=(Decimal(compared[0]), Decimal(compared[1])) if compared else None,
    )
