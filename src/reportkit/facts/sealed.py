"""Facts read back from where they were sealed: to be printed again, not computed again."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from reportkit.facts.computer import unknown_fact
from reportkit.facts.fact import Fact
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
    """

    facts: Mapping[str, Fact]

    @classmethod
    def read(cls, document: Mapping[str, Any], compared: Mapping[str, list[str]]) -> Self:
        """The facts of a document like ``facts.json``.

        Parameters
        ----------
        document : mapping
        compared : mapping of str to list of str
            Of each change this year's figure and last year's.
        """
        return cls({one["id"]: _fact(one, compared.get(one["id"])) for one in document["facts"]})

    def get(self, name: str) -> Fact:
        """One fact.

        Raises
        ------
        InputError
            ``fact-unknown`` with the nearest ids.
        """
        if name not in self.facts:
            raise unknown_fact(name, self.facts)
        return self.facts[name]


def _fact(told: Mapping[str, Any], compared: list[str] | None) -> Fact:
    number = number_of(told["value"])
    return Fact(
        told["id"], told["label"], told["value"] if number is None else number, told["unit"],
        told["origin"], told["definition"], ledger=told["ledger"], where=tuple(told["where"]),
        sum_of=tuple(told["sum_of"]), source=told["source"], places=tuple(told["places"]),
        compared=(Decimal(compared[0]), Decimal(compared[1])) if compared else None,
    )  # fmt: skip
