"""A published report as the ledgers' makers ask it, and what they cannot give of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from reportkit.facts.published import PublishedReport, read_report
from synth.words import FORM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportkit.forms import Cell


@dataclass(frozen=True)
class Difference:
    """A published value that the ledgers do not give, because reports contradict themselves.

    Parameters
    ----------
    year : int
    fact : str
        Fact id; for a figure of the text, its category.
    published, given : Decimal or None
        None where nothing is printed, or where the form of the year has no such cell.
    reason : str
    """

    year: int
    fact: str
    published: Decimal | None
    given: Decimal | None
    reason: str

    def __str__(self) -> str:
        values = f"published {self.published}, ledgers give {self.given}"
        return f"{self.year} {self.fact}: {values}; {self.reason}"


@dataclass
class Printed(PublishedReport):
    """One published report; its differences grow while ledgers are made."""

    differences: list[Difference] = field(default_factory=list)

    @classmethod
    def of(cls, published: Mapping[str, Any]) -> Printed:
        """Read a report; rows of another edition are its first differences."""
        report = cls(**vars(read_report(FORM, published)))
        for fact, (value, row) in report.regrouped.items():
            report.differs(fact, None, f"a row of another edition; counted as {row}", value)
        return report

    def count(self, fact: str) -> int:
        """Count as published; a cell that is not printed is nought."""
        return int(self.published.get(fact, 0))

    def differs(
        self, fact: str, given: int | Decimal | None, why: str, published: Any = None
    ) -> None:
        """Note that the ledgers give something else than the report."""
        printed = self.published.get(fact) if published is None else Decimal(published)
        value = None if given is None else Decimal(given)
        self.differences.append(Difference(self.year, fact, printed, value, why))

    def leaves(self, ledger: str) -> list[Cell]:
        """Cells that rows of a ledger fill."""
        return [c for c in self.cells if c.definition and c.definition.ledger == ledger]


def category(cell: Cell, column: str) -> str | None:
    """Ledger value of *column* that puts a row into a cell; None if the cell does not ask."""
    where = cell.definition.where if cell.definition else ()
    chosen = (test.value[0] for test in where if test.column == column and test.op in ("=", "in"))
    return next(chosen, None)
