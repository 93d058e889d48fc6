"""The pages of the catalogue: path, template and fields of each."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from decimal import Decimal
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from reportkit.catalogue.causes import first_line
from reportkit.catalogue.comparing import distribution
from reportkit.catalogue.drawing import line
from reportkit.catalogue.front import DOCUMENTS, front, place_row
from reportkit.catalogue.overview import local
from reportkit.catalogue.rendering import WORDS, in_chinese, link
from reportkit.export.files import digest_of
from reportkit.forms import DEFAULT

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
    yield "r/index.html", "rules.html.j2", {"base": "../", **_rules(overview, by_rule)}
    for (kind, name), found in by_rule.items():
        yield f"r/{name}.html", "rule.html.j2", {"base": "../", **_rule(overview, kind, found)}
    for name, year in _compared_pages(overview):
        fields = _compare(overview, year)
        yield f"compare/{name}.html", "compare.html.j2", {"base": "../", **fields}
    failing: dict[str, list[dict[str, Any]]] = {}
    for check in overview.failing:
        failing.setdefault(check["district"], []).append(check)
    for name in overview.places:
        fields = _place(overview, name, out, failing.get(name, []))
        base = {"base": "../", "reports": f"../{reports}"}
        yield f"d/{name}.html", "place.html.j2", base | fields


def _all(overview: Overview) -> dict[str, Any]:
    """Every place with the state of each of its reports, in the order of the tree."""

    def walk(names: Iterable[str], depth: int, seen: frozenset[str]) -> Iterator[dict[str, Any]]:
        for name in names:
            reports = [
                (overview.label(one), one.state)
                for year in overview.years
                for one in overview.of_place(name, year)
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


def _by_rule(overview: Overview) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Checks that do not hold, by the kind of their reports and the name of their rule's page."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for check in overview.failing:
        kind = overview.kind(overview.reports[check["district"], check["report"]])
        found.setdefault((kind, _page_of(kind, check["check"])), []).append(check)
    kinds = [*overview.kinds]
    ordered = sorted(found.items(), key=lambda it: (kinds.index(it[0][0]), _natural(it[0][1])))
    return dict(ordered)


def _page_of(kind: str, rule: str) -> str:
    """The name of a rule's page: rules of other kinds of reports can have the same name."""
    name = rule if kind == DEFAULT else f"{kind}-{rule}"
    known = _RULE.fullmatch(name) and name != "index"
    return name if known else f"x-{digest_of(name.encode())[:12]}"


def _natural(name: str) -> list[tuple[int, str]]:
    return [
        (int(part or 0), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)
    ]


def _rules(
    overview: Overview, by_rule: Mapping[tuple[str, str], list[dict[str, Any]]]
) -> dict[str, Any]:
    return {
        "kinds": len(overview.kinds) > 1,
        "rules": [
            {
                **_named(found),
                "page": page,
                "kind": overview.title_of(kind),
                "open": sum(not check["accepted"] for check in found),
                "accepted": sum(bool(check["accepted"]) for check in found),
                "places": len({check["district"] for check in found}),
            }
            for (kind, page), found in by_rule.items()
        ],
    }


def _named(found: list[dict[str, Any]]) -> dict[str, Any]:
    titles = Counter(check["title"] for check in found).most_common(3)
    return {"id": found[0]["check"], "titles": titles, "severity": found[0]["severity"]}


def _rule(overview: Overview, kind: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    ordered = sorted(
        found, key=lambda check: (-check["year"], check["accepted"] is not None, check["district"])
    )
    years = sorted({check["year"] for check in found}, reverse=True)
    return {
        **_named(found),
        "kind": overview.title_of(kind) if len(overview.kinds) > 1 else "",
        "years": [
            {
                "year": year,
                "made": sum(key in overview.runs for key in overview.kinds[kind][year]),
                "count": sum(check["year"] == year for check in found),
            }
            for year in years
        ],
        "rows": [
            _failing(overview, check) | {"name": overview.name(check["district"])}
            for check in ordered[:_LISTED]
        ],
        "more": max(len(found) - _LISTED, 0),
    }


def _compared_pages(overview: Overview) -> Iterator[tuple[str, int | None]]:
    """Name and year of each page of comparisons; the first is the newest year's."""
    yield "index", next(iter(overview.comparisons), None)
    for year in overview.comparisons:
        yield str(year), year


def _compare(overview: Overview, year: int | None) -> dict[str, Any]:
    kinds = []
    for kind, compared in overview.comparisons[year].items() if year else ():
        shown = []
        for one, values in compared:
            unit = "%" if one.share else overview.units.get(one.facts[0], "")
            shown.append(distribution(one, list(values.values()), unit))
        kinds.append((overview.title_of(kind), shown))
    return {"year": year, "years": [*overview.comparisons], "kinds": kinds}


def _place(
    overview: Overview, name: str, out: Path, failing: list[dict[str, Any]]
) -> dict[str, Any]:
    place = overview.places[name]
    kinds = []
    for kind, years in overview.kinds.items():
        own = [one for year in sorted(years) for one in overview.of_place(name, year, kind)]
        if own:
            kinds.append(_years(overview, kind, own))
    standings = [one for year in overview.years for one in overview.of_place(name, year)]
    above: dict[str, Place] = {}
    parent = place.parent
    while parent and parent not in {name, *above}:
        above[parent] = overview.places[parent]
        parent = above[parent].parent
    ordered = sorted(failing, key=lambda check: (-check["year"], _natural(check["check"])))
    members = overview.members.get(name, ())
    nodes = [
        (overview.title_of(kind), year, [place_row(overview, one, kind, year) for one in members])
        for kind, (year, *_) in overview.kinds.items()
        if members and overview.of_places(kind, year, overview.below(name))
    ]
    return {
        "place": {"district": name, "name": place.name},
        "title": overview.title,
        "above": [(one.district, one.name) for one in reversed(above.values())],
        "kinds": kinds,
        "synthetic": any(
            (overview.runs.get(one.report) or {}).get("synthetic") for one in standings
        ),
        "standings": [_shown(overview, one, out) for one in standings],
        "failing": [_failing(overview, check) for check in ordered],
        "members": nodes,
        "documents": DOCUMENTS,
    }


def _failing(overview: Overview, check: dict[str, Any]) -> dict[str, Any]:
    """Return a check that does not hold, with the label of its report and the page of its rule."""
    report = overview.reports[check["district"], check["report"]]
    page = _page_of(overview.kind(report), check["check"])
    return check | {"label": overview.label(report), "page": page}


def _years(overview: Overview, kind: str, standings: list[Standing]) -> dict[str, Any]:
    """Reports of a kind of a place, its years beside each other."""
    rows = []
    for column in overview.columns[kind]:
        figures = [overview.figures.get(one.report, {}).get(column.title) for one in standings]
        if any(figures):
            values = [one["value"] if one else None for one in figures]
            numbers = [None if value is None else Decimal(value) for value in values]
            parts = [one and one["of"] and f"{one['count']}／{one['of']}" for one in figures]
            drawn = line(numbers) if len(standings) > 1 else None
            row = {"title": column.title, "unit": column.unit, "values": values}
            rows.append(row | {"beside": parts, "line": drawn})
    return {
        "title": overview.title_of(kind),
        "years": [(one.year, overview.variant(one)) for one in standings],
        "states": [one.state for one in standings],
        "findings": [(one.errors, one.warnings) for one in standings],
        "rows": rows,
    }


def _shown(overview: Overview, standing: Standing, out: Path) -> dict[str, Any]:
    failed = out.joinpath(*standing.report, "failed")
    return {
        **{name: getattr(standing, name) for name in ("called", "state", "run", "reason")},
        "kept": bool(standing.reason) and (failed / "run.log").is_file(),
        "label": overview.label(standing),
        "made": local(standing.made) if standing.made else "",
        "message": in_chinese(first_line(standing)) if standing.reason else "",
    }


def _feed(overview: Overview) -> dict[str, Any]:
    """Runs in force as entries of a feed, the newest first."""
    order = itemgetter("made", "district", "report")
    newest = sorted(overview.runs.values(), key=order, reverse=True)
    entries = []
    for run in newest[:_FEED]:
        standing = overview.reports[run["district"], run["report"]]
        figures = [
            f"{column.title}{value}{column.unit}"
            for column in overview.columns[overview.kind(standing)]
            if (value := overview.value(standing.report, column.title)) is not None
        ]
        entries.append(
            {
                "id": _uuid(f"{run['name']}/{run['district']}/{run['report']}"),
                "title": f"{run['name']}{overview.label(standing)}：{WORDS[standing.state]}",
                "updated": run["made"],
                "state": standing.state,
                "summary": "，".join(figures) or "没有主要数据",
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
    # Derived from the name alone: a report keeps its id from run to run.
    return uuid.uuid5(uuid.NAMESPACE_URL, f"reportkit-zwgk:{name}").urn
