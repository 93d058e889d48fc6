"""Several audited documents: bodies and years, trends, texts that are alike, missing reports."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from typing import TYPE_CHECKING, Any

from reportkit.audit.labels import letters
from reportkit.audit.wording import wording_of
from reportkit.facts import plain
from reportkit.facts.numerals import json_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from reportkit.audit.published import Flaw, Published
    from reportkit.errors import InputError
    from reportkit.forms import Form

ALIKE = 50
"""Per cent of their passages that two texts must share to be called alike."""
_PASSAGE = 5  # letters
_SHORTEST = 100  # passages; of a shorter text the usual words are too great a part


@dataclass(frozen=True)
class Audited:
    """One document among others.

    Parameters
    ----------
    path : Path
    report : Published or None
        None where it could not be read.
    flaws : tuple of Flaw
    error : InputError or None
        Why it could not be read.
    body : str or None
        Who reports: the fullest of the names that the documents have for it.
    previous : Path or None
        Last year's report that it was compared with.
    """

    path: Path
    report: Published | None = None
    flaws: tuple[Flaw, ...] = ()
    error: InputError | None = None
    body: str | None = None
    previous: Path | None = None

    @property
    def year(self) -> int | None:
        """The year that it says it is of."""
        return self.report.heading.year if self.report else None

    @property
    def unread(self) -> int:
        """The number of places that could not be read."""
        return len(self.report.unread) if self.report else 0

    def count(self, severity: str) -> int:
        """The number of open findings of a severity."""
        return sum(flaw.open and flaw.severity == severity for flaw in self.flaws)

    @property
    def verdict(self) -> str:
        """The first that holds of unreadable, errors, warnings, unread, and else sound."""
        if self.report is None:
            return "unreadable"
        counts = {
            "errors": self.count("error"),
            "warnings": self.count("warning"),
            "unread": self.unread,
        }
        return next((name for name, count in counts.items() if count), "sound")


@dataclass(frozen=True)
class Trend:
    """A key figure of a body over the years."""

    body: str
    label: str
    values: Mapping[int, Decimal | None]

    def shown(self, year: int) -> str:
        """The figure of a year; a dash where it is not known."""
        value = self.values.get(year)
        return "—" if value is None else plain(value)


@dataclass(frozen=True)
class Alike:
    """Two texts that share more of their passages than `ALIKE`."""

    one: Path
    other: Path
    section: str
    percent: int


@dataclass(frozen=True)
class Copies:
    """Two documents of one body and one year, and the cells in which they differ."""

    one: Path
    other: Path
    cells: tuple[str, ...]


@dataclass(frozen=True)
class AuditOverview:
    """Several documents taken together.

    Parameters
    ----------
    documents : sequence of Audited
        By body and year.
    years : sequence of int
    trends : sequence of Trend
    missing : mapping of str to list of int
        Years that others have, and a body has not.
    alike : sequence of Alike
    copies : sequence of Copies
    """

    documents: Sequence[Audited]
    years: Sequence[int]
    trends: Sequence[Trend]
    missing: Mapping[str, Sequence[int]]
    alike: Sequence[Alike]
    copies: Sequence[Copies]

    def as_json(self) -> dict[str, Any]:
        """The overview as it stands in the command's JSON, beside the documents."""
        return {
            "years": list(self.years),
            "rows": [
                {
                    "path": str(one.path),
                    "body": one.body,
                    "year": one.year,
                    "verdict": one.verdict,
                    "errors": one.count("error"),
                    "warnings": one.count("warning"),
                    "unread": one.unread,
                    "previous": str(one.previous) if one.previous else None,
                }
                for one in self.documents
            ],
            "trends": [
                {
                    "body": one.body,
                    "label": one.label,
                    "values": {str(year): json_number(value) for year, value in one.values.items()},
                }
                for one in self.trends
            ],
            "missing": {body: list(years) for body, years in self.missing.items()},
            "alike": [
                vars(pair) | {"one": str(pair.one), "other": str(pair.other)} for pair in self.alike
            ],
            "copies": [
                {"one": str(pair.one), "other": str(pair.other), "cells": list(pair.cells)}
                for pair in self.copies
            ],
        }


def bodies(
    reports: Iterable[Published], form: Form, *, known: Iterable[str] = ()
) -> dict[str, str]:
    """The body that each printed name is of: 洪泽区人民政府 is 淮安市洪泽区人民政府.

    A name that ends another one is of the same body, if it ends no second one, and no year has
    reports under both.

    Parameters
    ----------
    reports : iterable of Published
    form : Form
    known : iterable of str
        Names of bodies that shall report.

    Returns
    -------
    dict of str to str
        To each name the fullest one.
    """
    rest = wording_of(form).rest_of_name
    years: dict[str, set[int | None]] = {}
    printed: dict[str, set[str]] = {}
    named: list[tuple[str, int | None]] = [(name, None) for name in known]
    named += [(one.heading.issuer, one.heading.year) for one in reports if one.heading.issuer]
    for name, year in named:
        short = re.sub(f"(?:{rest})$", "", letters(name))
        printed.setdefault(short, set()).add(name)
        years.setdefault(short, set()).update({year} - {None})
    fullest = {}
    for short, its in years.items():
        longer = [one for one in years if one != short and one.endswith(short) and len(short) > 2]
        alone = len(longer) != 1 or its & years[longer[0]]
        fullest[short] = short if alone else longer[0]
    groups: dict[str, set[str]] = defaultdict(set)
    for one, other in fullest.items():
        groups[other] |= printed[one] | printed[other]
    return {
        name: max(sorted(groups[other]), key=len)
        for one, other in fullest.items()
        for name in printed[one]
    }


def body_of(report: Published, names: Mapping[str, str]) -> str | None:
    """The body of a report, by `bodies`."""
    issuer = report.heading.issuer
    return names[issuer] if issuer else None


def years_before(reports: Sequence[Published], names: Mapping[str, str]) -> dict[Path, Published]:
    """For each report the one of the same body and the year before, if there is just one."""
    by_year: dict[tuple[str, int], list[Published]] = {}
    for report in reports:
        body, year = body_of(report, names), report.heading.year
        if body and year:
            by_year.setdefault((body, year), []).append(report)
    return {
        report.path: before[0]
        for (body, year), of_year in by_year.items()
        if len(before := by_year.get((body, year - 1), [])) == 1
        for report in of_year
    }


def overview(
    documents: Sequence[Audited], form: Form, *, expected: Iterable[str] = ()
) -> AuditOverview:
    """Put documents together.

    Parameters
    ----------
    documents : sequence of Audited
    form : Form
        Its ``summary`` names the key figures.
    expected : iterable of str
        Bodies that shall report; called missing only if one of them is among the documents.
    """
    order = sorted(documents, key=lambda one: (one.body or "~", one.year or 0, str(one.path)))
    years = sorted({document.year for document in order if document.year})
    have: dict[str, set[int]] = defaultdict(set)
    for document in order:
        if document.body and document.year:
            have[document.body].add(document.year)
    if any(body in have for body in expected):
        have |= {body: set() for body in expected if body not in have}
    missing = {
        body: sorted(lacking)
        for body, its_years in sorted(have.items())
        if (lacking := set(years) - its_years)
    }
    return AuditOverview(
        order,
        years,
        list(_trends(order, form)),
        missing,
        sorted(_alike(order), key=lambda pair: -pair.percent),
        list(_copies(order)),
    )


def _trends(documents: Sequence[Audited], form: Form) -> Iterator[Trend]:
    """Key figures of bodies that have several years."""
    of_body: dict[str, dict[int, Published]] = defaultdict(dict)
    for document in documents:
        if document.body and document.year and document.report:
            of_body[document.body].setdefault(document.year, document.report)
    for body, reports in of_body.items():
        for figure in form.model.summary if len(reports) > 1 else ():
            values = {year: _sum(report, figure.facts) for year, report in reports.items()}
            yield Trend(body, figure.label, values)


def _sum(report: Published, facts: Sequence[str]) -> Decimal | None:
    values = report.values
    if not all(name in values for name in facts):
        return None
    return sum((values[name] for name in facts), Decimal(0))


def _copies(documents: Sequence[Audited]) -> Iterator[Copies]:
    for one, other in combinations(documents, 2):
        if not (one.report and other.report and one.body and one.year):
            continue
        if (one.body, one.year) == (other.body, other.year):
            first, second = one.report.values, other.report.values
            cells = [name for name, value in first.items() if second.get(name, value) != value]
            yield Copies(one.path, other.path, tuple(cells))


def _alike(documents: Sequence[Audited]) -> Iterator[Alike]:
    """Texts that share passages, by Jaccard's index over passages of five letters.

    Figures and punctuation do not count. Where the whole texts are not alike, sections that a form
    wants in own words are compared by themselves.

    Source: A. Broder, On the resemblance and containment of documents, 1997.
    """
    texts = [(one, _passages(one)) for one in documents if one.report]
    for (one, first), (other, second) in combinations(texts, 2):
        # Copies of one report are alike.
        if one.body and (one.body, one.year) == (other.body, other.year):
            continue
        for section in (name for name in first if name in second):
            percent = _shared(first[section], second[section])
            if percent >= ALIKE:
                yield Alike(one.path, other.path, section, percent)
                break


def _passages(document: Audited) -> dict[str, frozenset[str]]:
    """Passages of the whole text, under "", and of the sections that are wanted in own words."""
    report = document.report
    if report is None:
        return {}
    edition, sections = report.edition, report.sections
    with_text = [one for one in edition.sections if one.table is None]
    texts = {"": "".join(sections.get(one.number, "") for one in with_text)}
    texts |= {one.number: sections.get(one.number, "") for one in with_text if one.own_words}
    made = {}
    for number, text in texts.items():
        plain = re.sub(r"[\W\d_]", "", text)
        passages = {plain[at : at + _PASSAGE] for at in range(len(plain) - _PASSAGE + 1)}
        if len(passages) >= _SHORTEST:
            made[number] = frozenset(passages)
    return made


def _shared(one: frozenset[str], other: frozenset[str]) -> int:
    """Per cent of all passages that are in both; 0 where their numbers tell that they are few."""
    small, large = sorted((len(one), len(other)))
    if 100 * small < ALIKE * large:
        return 0
    both = len(one & other)
    return round(100 * both / (small + large - both))
