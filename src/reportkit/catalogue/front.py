"""The first page: how everything stands, and the data of its table."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pypinyin import lazy_pinyin

from reportkit.catalogue.causes import by_cause, encodable, first_line
from reportkit.catalogue.drawing import bars
from reportkit.catalogue.rendering import in_chinese
from reportkit.catalogue.state import STATES, changes
from reportkit.export.dataset import FILES
from reportkit.facts.numerals import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportkit.catalogue.overview import Overview
    from reportkit.catalogue.places import Place
    from reportkit.catalogue.state import Change, Standing

# What the page lists in full; the table has all.
_LISTED = 300
_CHANGES = 200
_ALIKE, _MESSAGES, _OPEN = 20, 50, 6
# Nodes of the tree that the page shows below each other.
_TREE = 80
# Reports that a reader without script finds on it.
_STATIC = 200
DOCUMENTS = (("report.html", "网页"), *((name, word) for name, _, word, _ in FILES))
"""Files of a run that the pages link to, and their names."""


def front(overview: Overview, *, base: str, reports: str, version: str) -> dict[str, Any]:
    """Fields of the first page, which is also ``batch.html``.

    Parameters
    ----------
    overview : Overview
    base, reports : str
        Relative addresses of the site and of the folder of reports.
    version : str
        Another word when the data are others, so that no browser keeps the old ones.
    """
    newest = overview.years[0] if overview.years else None
    # Of few reports all years are shown at once; else the newest, and the others come when idle.
    first = overview.years if len(overview.reports) <= _STATIC else overview.years[:1]
    changed = changes(overview.state)
    absent: dict[int, list[str]] = {}
    for standing in overview.reports.values():
        if standing.state == "absent":
            absent.setdefault(standing.year, []).append(overview.name(standing.district))
    failed = [one for one in overview.reports.values() if one.state == "failed"]
    return {
        "base": base,
        "reports": reports,
        "further": _further(overview),
        "title": overview.title,
        "as_of": overview.as_of,
        "batch": _batch(overview),
        "places": len(overview.places),
        "years": overview.years,
        "newest": newest,
        # A state that no report is in takes room of a phone, and tells nothing.
        "states": [
            name
            for name in reversed(STATES)
            if name == "final" or any(one.state == name for one in overview.reports.values())
        ],
        "counts": {
            year: overview.counted(key for key in overview.reports if key[1] == year)
            for year in overview.years
        },
        "findings": {
            year: sum(
                one.errors + one.warnings > 0
                for key, one in overview.reports.items()
                if key[1] == year
            )
            for year in overview.years
        },
        "synthetic": sum(bool(run["synthetic"]) for run in overview.runs.values()),
        "since": overview.state.since,
        "compared_with": bool(overview.state.before),
        "unchanged": sum(map(overview.state.unchanged, overview.reports.values())),
        "changes": [_change(overview, one) for one in changed[:_CHANGES]],
        "more_changes": max(len(changed) - _CHANGES, 0),
        "absent": {
            year: (names[:_LISTED], max(len(names) - _LISTED, 0))
            for year, names in sorted(absent.items(), reverse=True)
        },
        "failures": _failures(overview, failed),
        "tree": _tree(overview, newest),
        "multiples": _multiples(overview),
        "columns": [{"title": one.title, "unit": one.unit} for one in overview.columns],
        "rows": _rows(overview),
        "documents": DOCUMENTS,
        "compared": next(iter(overview.comparisons), None),
        "scripts": [
            f"{name}.js?{version}"
            for name in ("assets/catalogue", "data/places", *(f"data/y{year}" for year in first))
        ],
        "later": [f"data/y{year}.js?{version}" for year in overview.years if year not in first],
        "asked": first[0] if len(first) == 1 else "",
    }


def _batch(overview: Overview) -> dict[str, Any]:
    """Return what the page says of the last batch itself."""
    batch = overview.batch
    told = {name: batch.get(name) for name in ("batch", "stopped", "again")}
    refused = batch.get("refused")
    told["again"] = encodable(told["again"] or "")
    return {**told, "refused": in_chinese(refused["message"]) if refused else None}


def _rows(overview: Overview) -> list[tuple[dict[str, Any], list[str | None]]]:
    """Reports for a reader without script, worst first; none where they are too many."""
    if len(overview.reports) > _STATIC:
        return []
    ordered = sorted(
        overview.reports.items(),
        key=lambda item: (STATES.index(item[1].state), -item[1].errors, -item[1].warnings, item[0]),
    )
    rows = []
    for key, one in ordered:
        told = {"state": one.state, "told": in_chinese(first_line(one)) if one.reason else ""}
        fields = ("district", "year", "name", "run", "reason")
        told |= {name: getattr(one, name) for name in fields}
        figures = overview.figures.get(key, {})
        rows.append((told, [(figures.get(c.title) or {}).get("value") for c in overview.columns]))
    return rows


def _further(overview: Overview) -> list[dict[str, Any]]:
    """Reports by further forms of their districts: they stand beside the table, not in it."""
    fields = ("district", "name", "called", "state", "run", "reason", "figures")
    return [
        {name: getattr(one, name) for name in fields}
        | {"told": in_chinese(first_line(one)) if one.reason else ""}
        for one in overview.state.reports.values()
        if one.form
    ]


def _change(overview: Overview, change: Change) -> dict[str, Any]:
    return {
        "district": change.now.district,
        "name": overview.name(change.now.district),
        "year": change.now.year,
        "was": change.was,
        "now": change.now.state,
        "figures": change.figures,
    }


def _failures(overview: Overview, failed: list[Standing]) -> list[dict[str, Any]]:
    return [
        {
            "reason": reason,
            "count": sum(map(len, messages)),
            "open": len(messages) < _OPEN,
            "messages": [
                {
                    "who": [
                        (one.district, overview.name(one.district), one.year)
                        for one in alike[:_ALIKE]
                    ],
                    "more": max(len(alike) - _ALIKE, 0),
                    "told": in_chinese(alike[0].told),
                }
                for alike in messages[:_MESSAGES]
            ],
            "more": max(len(messages) - _MESSAGES, 0),
        }
        for reason, messages in by_cause(failed).items()
    ]


def place_row(overview: Overview, district: str, year: int | None) -> dict[str, Any]:
    """Return what a row of a tree shows of a place and of all that belong to it.

    Parameters
    ----------
    overview : Overview
    district : str
    year : int, optional
        None where there is no report at all.
    """
    below = overview.below(district)
    keys = [(name, year) for name in below if year is not None]
    own = overview.reports.get((district, year)) if year is not None else None
    column = overview.columns[0] if overview.columns else None
    totals = overview.totals(year, below) if year is not None else {}
    return {
        "district": district,
        "name": overview.name(district),
        "members": [],
        "own": own.state if own else None,
        "counts": overview.counted(keys),
        "units": len(below),
        "findings": sum(
            1 for key in keys if (one := overview.reports.get(key)) and one.errors + one.warnings
        ),
        "figure": (column.title, totals.get(column.title), column.unit) if column else None,
    }


def _tree(overview: Overview, year: int | None) -> list[dict[str, Any]]:
    """Nodes of the two upper levels, as far as they fit a page; none where all are on one level."""
    roots = overview.members[None]
    if not any(name in overview.members for name in roots) or len(roots) > _TREE:
        return []
    nodes = [place_row(overview, name, year) for name in roots]
    children = {name: overview.members.get(name, []) for name in roots}
    for node in nodes:
        fits = sum(map(len, children.values())) + len(roots) <= _TREE
        if fits:
            node["members"] = [place_row(overview, one, year) for one in children[node["district"]]]
    return nodes


def _multiples(overview: Overview) -> list[dict[str, Any]]:
    """Each headline added up over the years, as a small drawing."""
    years = overview.years[:6][::-1]
    totals = {year: overview.totals(year) for year in years}
    shown = []
    for column in overview.columns:
        values = [(year, totals[year].get(column.title)) for year in years]
        if any(value is not None for _, value in values):
            shown.append(
                {
                    "title": column.title,
                    "unit": column.unit,
                    "share": column.share,
                    "values": [(year, None if v is None else plain(v)) for year, v in values],
                    "units": [totals[year]["units"] for year in years],
                    "bars": bars(values, whole=Decimal(100) if column.share else None),
                }
            )
    return shown


def readings(place: Place) -> str:
    """Initials and pinyin of a name, as usual and as its file says, by which it is found too."""
    told = [lazy_pinyin(place.name, errors="ignore")]
    if place.pinyin:
        told.insert(0, place.pinyin.lower().split())
    found = []
    for syllables in told:
        found += ["".join(word[:1] for word in syllables), "".join(syllables)]
    return " ".join(one for one in dict.fromkeys(found) if one and one != place.district)


def data_files(overview: Overview) -> Iterator[tuple[str, Any]]:
    """Name and content of the first page's data: the places, and each year in columns."""
    numbers = {name: number for number, name in enumerate(overview.places)}
    places = overview.places.values()
    yield (
        "places",
        {
            "id": [*overview.places],
            "name": [place.name for place in places],
            "alt": [readings(place) for place in places],
            "parent": [numbers.get(place.parent or "", -1) for place in places],
            "columns": [[one.title, one.unit] for one in overview.columns],
            "states": [*reversed(STATES)],
            "years": overview.years,
        },
    )
    for year in overview.years:
        rows = [(key, one) for key, one in overview.reports.items() if key[1] == year]
        told = sorted({_why(one) for _, one in rows if one.reason})
        figures = [overview.figures.get(key, {}) for key, _ in rows]
        yield (
            f"y{year}",
            {
                "place": [numbers[district] for (district, _), _ in rows],
                "state": "".join(str(STATES[::-1].index(one.state)) for _, one in rows),
                "told": told,
                # Of most rows there is nothing to say of these.
                "errors": {at: one.errors for at, (_, one) in enumerate(rows) if one.errors},
                "warnings": {at: one.warnings for at, (_, one) in enumerate(rows) if one.warnings},
                "why": {
                    at: told.index(_why(one)) for at, (_, one) in enumerate(rows) if one.reason
                },
                "figures": [
                    [_number((of.get(column.title) or {}).get("value")) for of in figures]
                    for column in overview.columns
                ],
            },
        )


def _why(standing: Standing) -> str:
    return f"{standing.reason}: {in_chinese(first_line(standing))}"


def _number(value: str | None) -> float | int | None:
    if value is None:
        return None
    number = Decimal(value)
    return int(number) if number == number.to_integral_value() else float(number)
