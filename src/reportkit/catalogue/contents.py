"""The pages of the catalogue: each one a path, its template, and what that is given."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from reportkit.catalogue.causes import first_line
from reportkit.catalogue.comparing import distribution
from reportkit.catalogue.drawing import line
from reportkit.catalogue.front import DOCUMENTS, front, place_row
from reportkit.catalogue.overview import local
from reportkit.catalogue.rendering import WORDS, in_chinese, link

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from reportkit.catalogue.overview import Overview
    from reportkit.catalogue.places import Place
    from reportkit.catalogue.state import Standing

# Reports that a rule's page lists; open data have all.
_LISTED = 300
_FEED = 100
_RULE = re.compile(r"[A-Za-z0-9_-]{1,40}")

Page = tuple[str, str, dict[str, Any]]


def pages(overview: Overview, *, out: Path, site: Path, version: str) -> Iterator[Page]:
    """Path, template and fields of each page of a site.

    Parameters
    ----------
    overview : Overview
    out : Path
        The folder of reports, to which the pages link.
    site : Path
        Where the pages go.
    version : str
        See `front`.
    """
    reports = link(out, site)
    yield "index.html", "index.html.j2", front(overview, base="", reports=reports, version=version)
    yield "all.html", "all.html.j2", {"base": "", **_all(overview)}
    yield "feed.xml", "feed.xml.j2", _feed(overview)
    by_rule = _by_rule(overview)
    yield "r/index.html", "rules.html.j2", {"base": "../", **_rules(by_rule)}
    for name, found in by_rule.items():
        yield f"r/{name}.html", "rule.html.j2", {"base": "../", **_rule(overview, found)}
    for name, year in _compared_pages(overview):
        fields = _compare(overview, year)
        yield f"compare/{name}.html", "compare.html.j2", {"base": "../", **fields}
    failing: dict[str, list[dict[str, Any]]] = {}
    for check in overview.failing:
        failing.setdefault(check["district"], []).append(check)
    years: dict[str, list[int]] = {}
    for district, year in overview.reports:
        years.setdefault(district, []).append(year)
    for name in overview.places:
        fields = _place(overview, name, out, sorted(years.get(name, ())), failing.get(name, []))
        yield (
            f"d/{name}.html",
            "place.html.j2",
            {"base": "../", "reports": f"../{reports}", **fields},
        )


def _all(overview: Overview) -> dict[str, Any]:
    """Every place with the state of each of its reports, in the order of the tree."""

    def walk(names: Iterable[str], depth: int, seen: frozenset[str]) -> Iterator[dict[str, Any]]:
        for name in names:
            reports = [
                (year, overview.reports[name, year].state)
                for year in overview.years
                if (name, year) in overview.reports
            ]
            shown = overview.name(name)
            yield {"district": name, "name": shown, "depth": min(depth, 4), "reports": reports}
            if name not in seen:
                yield from walk(overview.members.get(name, ()), depth + 1, seen | {name})

    return {
        "title": overview.title,
        "as_of": overview.as_of,
        "rows": list(walk(overview.members[None], 0, frozenset())),
    }


def _by_rule(overview: Overview) -> dict[str, list[dict[str, Any]]]:
    """Checks that do not hold, by the name of their rule's page."""
    found: dict[str, list[dict[str, Any]]] = {}
    for check in overview.failing:
        found.setdefault(_page_of(check["check"]), []).append(check)
    return dict(sorted(found.items(), key=lambda item: _natural(item[0])))


def _page_of(rule: str) -> str:
    return (
        rule
        if _RULE.fullmatch(rule) and rule != "index"
        else f"x-{sha256(rule.encode()).hexdigest()[:12]}"
    )


def _natural(name: str) -> list[tuple[int, str]]:
    return [
        (int(part or 0), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)
    ]


def _rules(by_rule: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    return {
        "rules": [
            {
                "page": page,
                "id": found[0]["check"],
                "titles": Counter(check["title"] for check in found).most_common(3),
                "open": sum(not check["accepted"] for check in found),
                "accepted": sum(bool(check["accepted"]) for check in found),
                "severity": found[0]["severity"],
                "places": len({check["district"] for check in found}),
            }
            for page, found in by_rule.items()
        ]
    }


def _rule(overview: Overview, found: list[dict[str, Any]]) -> dict[str, Any]:
    ordered = sorted(
        found, key=lambda check: (-check["year"], check["accepted"] is not None, check["district"])
    )
    years = sorted({check["year"] for check in found}, reverse=True)
    return {
        "id": found[0]["check"],
        "titles": Counter(check["title"] for check in found).most_common(3),
        "severity": found[0]["severity"],
        "years": [
            {
                "year": year,
                "made": sum(of_year == year for _, of_year in overview.runs),
                "count": sum(check["year"] == year for check in found),
            }
            for year in years
        ],
        "rows": [check | {"name": overview.name(check["district"])} for check in ordered[:_LISTED]],
        "more": max(len(found) - _LISTED, 0),
    }


def _compared_pages(overview: Overview) -> Iterator[tuple[str, int | None]]:
    """Name and year of each page of comparisons; the first is the newest year's."""
    yield "index", next(iter(overview.comparisons), None)
    for year in overview.comparisons:
        yield str(year), year


def _compare(overview: Overview, year: int | None) -> dict[str, Any]:
    shown = []
    for one, values in overview.comparisons[year] if year else ():
        unit = "%" if one.share else overview.units.get(one.facts[0], "")
        shown.append(distribution(one, list(values.values()), unit))
    return {"year": year, "years": [*overview.comparisons], "charts": shown}


def _place(
    overview: Overview, name: str, out: Path, years: list[int], failing: list[dict[str, Any]]
) -> dict[str, Any]:
    place = overview.places[name]
    standings = [overview.reports[name, year] for year in years]
    rows = []
    for column in overview.columns:
        told = [overview.figures.get((name, year), {}).get(column.title) for year in years]
        if any(told):
            values = [one["value"] if one else None for one in told]
            numbers = [None if value is None else Decimal(value) for value in values]
            rows.append(
                {
                    "title": column.title,
                    "unit": column.unit,
                    "values": values,
                    "beside": [
                        one and one["of"] and f"{one['count']}／{one['of']}" for one in told
                    ],
                    "line": line(numbers, width=90, high=22) if len(years) > 1 else None,
                }
            )
    above: list[Place] = []
    while (parent := (above or [place])[-1].parent) and parent not in {
        name,
        *(one.district for one in above),
    }:
        above.append(overview.places[parent])
    newest = overview.years[0] if overview.years else None
    return {
        "place": {"district": name, "name": place.name},
        "title": overview.title,
        "above": [(one.district, one.name) for one in reversed(above)],
        "years": years,
        "synthetic": any(
            (overview.runs.get((name, year)) or {}).get("synthetic") for year in years
        ),
        "standings": [_shown(one, out) for one in reversed(standings)],
        "states": [one.state for one in standings],
        "findings": [(one.errors, one.warnings) for one in standings],
        "rows": rows,
        "failing": sorted(
            ({**check, "page": _page_of(check["check"])} for check in failing),
            key=lambda check: (-check["year"], _natural(check["check"])),
        ),
        "members": [place_row(overview, one, newest) for one in overview.members.get(name, ())],
        "newest": newest,
        "documents": DOCUMENTS,
    }


def _shown(standing: Standing, out: Path) -> dict[str, Any]:
    failed = out / standing.district / str(standing.year) / "failed"
    return {
        "kept": bool(standing.reason) and (failed / "run.log").is_file(),
        "year": standing.year,
        "state": standing.state,
        "run": standing.run,
        "made": local(standing.made) if standing.made else "",
        "reason": standing.reason,
        "told": in_chinese(first_line(standing)) if standing.reason else "",
    }


def _feed(overview: Overview) -> dict[str, Any]:
    """Runs in force, the newest first, as a feed tells of them."""
    newest = sorted(
        overview.runs.values(), key=lambda run: (run["made"], run["district"]), reverse=True
    )
    entries = []
    for run in newest[:_FEED]:
        key = (run["district"], run["year"])
        figures = overview.figures.get(key, {})
        told = [
            f"{column.title}{figures[column.title]['value']}{column.unit}"
            for column in overview.columns
            if figures.get(column.title, {}).get("value") is not None
        ]
        state = overview.reports[key].state
        entries.append(
            {
                "id": _uuid(f"{run['name']}/{run['district']}/{run['year']}"),
                "title": f"{run['name']}{run['year']}年：{WORDS[state]}",
                "updated": run["made"],
                "state": state,
                "summary": "，".join(told) or "没有主要数据",
                "link": f"d/{run['district']}.html",
            }
        )
    places = overview.members[None]
    return {
        "id": _uuid("/".join(overview.name(name) for name in places[:20])),
        "title": overview.title,
        "updated": entries[0]["updated"] if entries else "1970-01-01T00:00:00+00:00",
        "entries": entries,
    }


def _uuid(name: str) -> str:
    # A name in a space of our own: the same report has the same one in every run.
    return uuid.uuid5(uuid.NAMESPACE_URL, f"reportkit-zwgk:{name}").urn
