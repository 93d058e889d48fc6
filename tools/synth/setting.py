"""Common ground of all ledgers of a district: its reports, its names, its days, its dice."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth.printed import Printed, category
from synth.recipe import Recipe, Row, expand
from synth.words import Calendar, dice, words

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence
    from datetime import date


@dataclass(frozen=True)
class Setting:
    """One district and its consecutive report years."""

    district: str
    reports: Sequence[Printed]
    recipes: Mapping[int, Recipe]
    calendar: Calendar

    @property
    def recipe(self) -> Recipe:
        """The latest recipe, which names the district and who makes its documents."""
        return self.recipes[self.reports[-1].year]

    @property
    def issuers(self) -> list[str]:
        """Makers of documents: the recipe's, or whoever issues the report."""
        return self.recipe.issuers or [self.reports[-1].issuer.partition("（")[0]]

    @property
    def start(self) -> int:
        """The first report year."""
        return self.reports[0].year

    def dice(self, ledger: str) -> random.Random:
        """Dice of a ledger's own, so that one ledger never moves another."""
        return dice(self.district, ledger)

    def span(self, year: int) -> tuple[int, int]:
        """Places of the first working day of a year and of the next year."""
        return self.calendar.first(year), self.calendar.first(year + 1)

    def day(self, rng: random.Random, begin: int, end: int) -> date:
        """Draw a working day."""
        return self.calendar.days[self.calendar.draw(rng, begin, end)]

    def categories(self, ledger: str, column: str) -> dict[str, str]:
        """Ledger values that tell the form's rows apart, with the key of the row."""
        cells = [cell for report in self.reports for cell in report.leaves(ledger)]
        return {v: cell.row for cell in cells if (v := category(cell, column))}

    def title(self, rng: random.Random, kind: str, **more: str) -> str:
        """Make up a title."""
        text: str = rng.choice(words()[kind])
        name = self.recipe.name or self.issuers[0]
        return text.format(topic=rng.choice(words()["topics"]), name=name, **more)

    def recipe_rows(self, ledger: str, report: Printed, rng: random.Random) -> list[Row]:
        """Rows that the recipe of a year asks for."""
        entries = getattr(self.recipes[report.year], ledger)
        return list(expand(entries, ledger, year=report.year, calendar=self.calendar, rng=rng))


def number(rows: list[Row], order: str, key: str, text: str) -> None:
    """Sort rows by the day in *order*, and give each a serial number within its year as *key*."""
    serials: Counter[int] = Counter()
    rows.sort(key=lambda row: row[order])
    for row in rows:
        year = row[order].year
        serials[year] += 1
        row.setdefault(key, text.format(year=year, n=serials[year], **row))
