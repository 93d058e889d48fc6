"""The words and working days of demonstration ledgers, and dice that always fall the same."""

from __future__ import annotations

import hashlib
import random
from bisect import bisect_left
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from reportkit.forms import shipped_form
from reportkit.worktime import work_calendar
from reportkit.yamlfile import read_yaml

FORM = shipped_form("zfxxgk")
"""Demonstration ledgers are of this form."""


@cache
def words() -> dict[str, Any]:
    """Everything in ``words.yaml``."""
    data: dict[str, Any] = read_yaml(Path(str(files("synth"))) / "words.yaml").data
    return data


def seed(*names: str) -> int:
    """A number that depends on the names only; 32 bits, as the oldest generators take."""
    return int.from_bytes(hashlib.sha256("/".join(names).encode()).digest()[:4], "big")


def dice(*names: str) -> random.Random:
    """A generator of its own for each ledger, so that one never moves another."""
    return random.Random(seed(*names))  # noqa: S311  # plausible dates, no secrets


def span(text: str) -> tuple[date, date]:
    """First and last day of ``2020-01-01..2020-03-31``, or a single day twice."""
    first, _, last = text.partition("..")
    return date.fromisoformat(first), date.fromisoformat(last or first)


def _each(first: date, last: date) -> list[date]:
    return [first + timedelta(n) for n in range((last - first).days + 1)]


@dataclass(frozen=True)
class Calendar:
    """Working days in order; a day is its place in them."""

    days: tuple[date, ...]

    @classmethod
    def between(cls, first: int, last: int) -> Calendar:
        """The working days of the years *first* to *last*; as announced, where that is known."""
        yearly = {
            day.isoformat()[4:]
            for text in words()["holidays_of_each_year"]
            for day in _each(*span("..".join(f"2000-{end}" for end in text.split(".."))))
        }
        days = np.array(_each(date(first, 1, 1), date(last, 12, 31)), dtype="datetime64[D]")
        table = work_calendar()
        known = table.covers(days)
        worked = np.is_busday(days) & [day.isoformat()[4:] not in yearly for day in days.tolist()]
        worked[known] = table.is_working_day(days[known])
        return cls(tuple(days[worked].tolist()))

    def first(self, year: int) -> int:
        """Place of the first working day of a year."""
        return self.at(date(year, 1, 1))

    def at(self, day: date) -> int:
        """Place of a day, or of the next working day."""
        return bisect_left(self.days, day)

    def draw(self, rng: random.Random, first: int, last: int) -> int:
        """A day from *first* up to *last* (exclusive), busier months more often."""
        seasons = [int(share) for share in words()["seasons"]]
        while True:
            day = rng.randrange(first, max(last, first + 1))
            if rng.random() * max(seasons) <= seasons[self.days[day].month - 1]:
                return day
