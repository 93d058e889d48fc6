"""The first page: the state of all reports, and the data of its table."""

from __future__ import annotations

from decimal import Decimal
from signal import Signals
from typing import TYPE_CHECKING, Any

from pypinyin import lazy_pinyin

from reportkit.catalogue.causes import by_cause, encodable, first_line
from reportkit.catalogue.drawing import bars
from reportkit.catalogue.rendering import in_chinese
from reportkit.catalogue.state import STATES, changes
from reportkit.export.dataset import FILES
from reportkit.facts.numerals import json_number, plain
from reportkit.forms import DEFAULT
from reportkit.params import report_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reportkit.catalogue.overview import Overview
    from reportkit.catalogue.places import Place
    from reportkit.catalogue.state import Change, Standing
    from reportkit.params.naming import Report

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
        Changes with the data, so that no browser shows old ones.
    """
    # Of few reports all are shown at once; else the first kind's newest, and the others when idle.
    named = (_file(kind, year) for kind, years in overview.kinds.items() for year in years)
    files = [f"data/{name}.js?{version}" for name in ("places", *named)]
    first = files if len(overview.reports) <= _STATIC else files[:2]
    changed = changes(overview.state)
    absent: dict[tuple[int, str], list[str]] = {}
    for one in overview.reports.values():
        if one.state == "absent":
            key = (-one.year, overview.label(one))
            absent.setdefault(key, []).append(overview.name(one.district))
    failed = [one for one in overview.reports.values() if one.state == "failed"]
    return {
        "base": base,
        "reports": reports,
        "title": overview.title,
        "as_of": overview.as_of,
        "batch": _batch(overview),
        "places": len(overview.places),
        "years": overview.years,
        # Columns without a report are left out, for narrow screens.
        "states": [
            name
            for name in reversed(STATES)
            if name == "final" or any(one.state == name for one in overview.reports.values())
        ],
        "synthetic": sum(bool(run["synthetic"]) for run in overview.runs.values()),
        "since": overview.state.since,
        "compared_with": bool(overview.state.before),
        "unchanged": sum(map(overview.state.unchanged, overview.reports.values())),
        "changes": [_change(overview, one) for one in changed[:_CHANGES]],
        "more_changes": max(len(changed) - _CHANGES, 0),
        "absent": {
            label: (names[:_LISTED], max(len(names) - _LISTED, 0))
            for (_, label), names in sorted(absent.items())
        },
        "failures": _failures(overview, failed),
        "kinds": [_kind(overview, kind) for kind in overview.kinds],
        "documents": DOCUMENTS,
        "scripts": [f"assets/catalogue.js?{version}", *first],
        "later": [name for name in files if name not in first],
        "asked": overview.years[0] if first != files else "",
    }


def _kind(overview: Overview, kind: str) -> dict[str, Any]:
    """Return what the page shows of the reports of a kind."""
    years, reports = overview.kinds[kind], overview.reports
    return {
        "name": kind,
        "title": overview.title_of(kind),
        "newest": next(iter(years)),
        "years": {
            year: (overview.counted(keys), sum(reports[key].has_findings for key in keys))
            for year, keys in years.items()
        },
        "multiples": _multiples(overview, kind),
        "tree": _tree(overview, kind),
        "columns": [
            {"title": column.title, "unit": column.unit} for column in overview.columns[kind]
        ],
        "rows": _rows(overview, kind),
    }


def _batch(overview: Overview) -> dict[str, Any]:
    """Return what the page says of the last batch itself."""
    batch = overview.batch
    refused, stopped = batch.get("refused"), batch.get("stopped")
    untold = list(_untold(overview))
    return {
        "batch": batch.get("batch"),
        # The number of a signal, or the reason code of too many failures in a row.
        "stopped": Signals(stopped).name if isinstance(stopped, int) else stopped,
        "left": batch.get("counts", {}).get("left", 0),
        "again": encodable(batch.get("again") or ""),
        "refused": in_chinese(refused["message"]) if refused else None,
        "untold": untold[:_LISTED],
        "more_untold": max(len(untold) - _LISTED, 0),
    }


def _untold(overview: Overview) -> Iterator[tuple[str, str, str, int]]:
    """Yield reports of the batch with changed figures that no correction mentions, and how many."""
    for report in overview.batch.get("reports", ()):
        key = report["district"], report_name(report["year"], report["form"])
        if report.get("untold") and key in overview.reports:
            name, label = overview.name(key[0]), overview.label(overview.reports[key])
            yield key[0], name, label, report["untold"]


def _rows(overview: Overview, kind: str) -> list[tuple[dict[str, Any], list[str | None]]]:
    """Reports for a reader without script, worst first; none where they are too many."""
    if len(overview.reports) > _STATIC:
        return []
    listed = (overview.reports[key] for keys in overview.kinds[kind].values() for key in keys)
    ordered = sorted(
        listed,
        key=lambda one: (STATES.index(one.state), -one.errors, -one.warnings, one.report),
    )
    rows = []
    for standing in ordered:
        names = ("state", "district", "year", "called", "name", "run", "reason")
        row = {name: getattr(standing, name) for name in names}
        row["message"] = in_chinese(first_line(standing)) if standing.reason else ""
        row["variant"] = overview.variant(standing)
        columns = overview.columns[kind]
        rows.append((row, [overview.value(standing.report, column.title) for column in columns]))
    return rows


def _change(overview: Overview, change: Change) -> dict[str, Any]:
    return {
        "district": change.now.district,
        "name": overview.name(change.now.district),
        "report": overview.label(change.now),
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
                        (one.district, overview.name(one.district), overview.label(one))
                        for one in alike[:_ALIKE]
                    ],
                    "more": max(len(alike) - _ALIKE, 0),
                    "message": in_chinese(alike[0].common_message),
                }
                for alike in messages[:_MESSAGES]
            ],
            "more": max(len(messages) - _MESSAGES, 0),
        }
        for reason, messages in by_cause(failed).items()
    ]


def place_row(overview: Overview, district: str, kind: str, year: int) -> dict[str, Any]:
    """Return what a row of a tree shows of a place and of all that belong to it.

    Parameters
    ----------
    overview : Overview
    district, kind : str
    year : int
    """
    below = overview.below(district)
    keys = overview.of_places(kind, year, below)
    column = next(iter(overview.columns[kind]), None)
    totals = overview.totals(kind, keys)
    reports = [overview.reports[key] for key in keys]
    return {
        "district": district,
        "name": overview.name(district),
        "members": [],
        "own": next(
            (standing.state for standing in reports if standing.district == district), None
        ),
        "counts": overview.counted(keys),
        "units": len(below),
        "findings": sum(standing.has_findings for standing in reports),
        "figure": (column.title, totals.get(column.title), column.unit) if column else None,
    }


def _tree(overview: Overview, kind: str) -> list[dict[str, Any]]:
    """Nodes of the two upper levels, as far as they fit a page; none where all are on one level."""
    year = next(iter(overview.kinds[kind]))
    roots = overview.members[None]
    if not any(name in overview.members for name in roots) or len(roots) > _TREE:
        return []
    nodes = [place_row(overview, name, kind, year) for name in roots]
    fits = len(roots) + sum(len(overview.members.get(name, ())) for name in roots) <= _TREE
    for node in nodes if fits else ():
        children = overview.members.get(node["district"], ())
        node["members"] = [place_row(overview, child, kind, year) for child in children]
    return nodes


def _multiples(overview: Overview, kind: str) -> list[dict[str, Any]]:
    """Each headline of a kind added up over the years, as a small drawing."""
    years = [*overview.kinds[kind]][:6][::-1]
    totals = {year: overview.totals(kind, overview.kinds[kind][year]) for year in years}
    shown = []
    for column in overview.columns[kind]:
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
    """Initials and pinyin of a name, by which it is found too: as usual and as its file says."""
    own = place.pinyin.lower().split() if place.pinyin else []
    found: dict[str, None] = {}
    for syllables in (own, lazy_pinyin(place.name, errors="ignore")):
        found |= {"".join(word[:1] for word in syllables): None, "".join(syllables): None}
    return " ".join(one for one in found if one and one != place.district)


def data_files(overview: Overview) -> Iterator[tuple[str, Any]]:
    """Name and content of the first page's data: the places, and each kind's years in columns."""
    numbers = {name: number for number, name in enumerate(overview.places)}
    places = overview.places.values()
    yield (
        "places",
        {
            "id": [*overview.places],
            "name": [place.name for place in places],
            "alt": [readings(place) for place in places],
            "parent": [numbers.get(place.parent or "", -1) for place in places],
            "kinds": [
                {
                    "name": kind,
                    "title": overview.title_of(kind),
                    "columns": [[column.title, column.unit] for column in overview.columns[kind]],
                }
                for kind in overview.kinds
            ],
            "states": [*reversed(STATES)],
            "years": overview.years,
        },
    )
    for number, (kind, years) in enumerate(overview.kinds.items()):
        for year, keys in years.items():
            columns = _columns(overview, kind, keys, numbers)
            yield _file(kind, year), {"year": year, "kind": number, **columns}


def _file(kind: str, year: int) -> str:
    return f"y{year}" if kind == DEFAULT else f"y{year}-{kind}"


def _columns(
    overview: Overview, kind: str, keys: list[Report], numbers: Mapping[str, int]
) -> dict[str, Any]:
    rows = [overview.reports[key] for key in keys]
    reasons = sorted({_reason(row) for row in rows if row.reason})
    return {
        "place": [numbers[row.district] for row in rows],
        "state": "".join(str(STATES[::-1].index(row.state)) for row in rows),
        "reasons": reasons,
        # By number of the row, since most rows have none of these.
        "variant": {at: name for at, row in enumerate(rows) if (name := overview.variant(row))},
        "errors": {at: row.errors for at, row in enumerate(rows) if row.errors},
        "warnings": {at: row.warnings for at, row in enumerate(rows) if row.warnings},
        "reason": {at: reasons.index(_reason(row)) for at, row in enumerate(rows) if row.reason},
        "figures": [
            [_number(overview.value(key, column.title)) for key in keys]
            for column in overview.columns[kind]
        ],
    }


def _reason(standing: Standing) -> str:
    return f"{standing.reason}: {in_chinese(first_line(standing))}"


def _number(value: str | None) -> float | int | None:
    return None if value is None else json_number(Decimal(value))
