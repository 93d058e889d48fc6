"""All that the pages of the catalogue show, collected once."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pyarrow.compute import field as field_of

from reportkit.catalogue.places import Place, read_places, tree
from reportkit.catalogue.state import CHINA, STATES, as_it_stands, read_state, summaries
from reportkit.errors import InputError
from reportkit.export.blocks import visible
from reportkit.facts.headline import figure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reportkit.catalogue.state import Standing, StateOfAll
    from reportkit.catalogue.store import Store
    from reportkit.forms import Form
    from reportkit.forms.model import Comparison, Headline
    from reportkit.params import Project
    from reportkit.params.naming import Report


@dataclass(frozen=True)
class HeadlineColumn:
    """A headline as a column of the catalogue.

    Parameters
    ----------
    title, unit : str
    share : bool
        A percentage, which is added up by its parts.
    """

    title: str
    unit: str
    share: bool


@dataclass(frozen=True)
class Overview:
    """All reports and places.

    Parameters
    ----------
    state : StateOfAll
        How each report stands.
    places : dict
    members : dict
        See `tree`.
    runs : dict
        Rows of the store.
    numbers : dict
        Of each run, the facts that its headlines and comparisons are made of.
    failing : list of dict
        Checks that do not hold.
    forms : dict
        By name, as far as they are there.
    batch : dict
        ``batch.json`` of the last batch; empty if there was none.
    """

    state: StateOfAll
    places: Mapping[str, Place]
    members: Mapping[str | None, list[str]]
    runs: Mapping[Report, dict[str, Any]]
    numbers: Mapping[Report, dict[str, Decimal]]
    failing: list[dict[str, Any]]
    forms: Mapping[str, Form]
    units: Mapping[str, str]
    batch: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reports(self) -> Mapping[Report, Standing]:
        """State of each report."""
        return self.state.reports

    @cached_property
    def kinds(self) -> dict[str, dict[int, list[Report]]]:
        """Reports by their kinds and years: the kind of most reports first, and the newest year.

        Of one kind are the reports of all forms that go back to the same.
        """
        found: dict[str, dict[int, list[Report]]] = {}
        for key, standing in self.reports.items():
            found.setdefault(self.kind(standing), {}).setdefault(standing.year, []).append(key)
        many = {kind: sum(map(len, years.values())) for kind, years in found.items()}
        return {
            kind: dict(sorted(found[kind].items(), reverse=True))
            for kind in sorted(found, key=lambda kind: (-many[kind], kind))
        }

    def kind(self, standing: Standing) -> str:
        """The kind of a report: of the form of its run, else of that by which it is to be made."""
        run = self.runs.get(standing.report)
        usual = self.places[standing.district].form
        return self._kind(run["form"] if run else standing.form or usual)

    def _kind(self, form: str) -> str:
        return self.forms[form].kind if form in self.forms else form

    def title_of(self, kind: str) -> str:
        """The title of the reports of a kind."""
        return self.forms[kind].model.title if kind in self.forms else kind

    def variant(self, standing: Standing) -> str:
        """The form of a report that is of the kind of the district's usual ones, yet another."""
        usual = self._kind(self.places[standing.district].form)
        return standing.form if standing.form and self.kind(standing) == usual else ""

    def label(self, standing: Standing) -> str:
        """The printed name of a report: its year, with its kind and form where several have one."""
        kind = self.title_of(self.kind(standing)) if len(self.kinds) > 1 else ""
        variant = self.variant(standing)
        return f"{standing.year}年{kind}" + (f"（{variant}）" if variant else "")

    @cached_property
    def years(self) -> list[int]:
        """Report years, the newest first."""
        return sorted({standing.year for standing in self.reports.values()}, reverse=True)

    @cached_property
    def columns(self) -> dict[str, list[HeadlineColumn]]:
        """Headlines of all editions in use of each kind, each once, in their order."""
        found: dict[str, dict[str, HeadlineColumn]] = {kind: {} for kind in self.kinds}
        editions = {(run["form"], run["edition"]): run for run in self.runs.values()}
        for run in sorted(editions.values(), key=lambda run: run["edition"], reverse=True):
            for headline in self._headlines(run):
                unit = "%" if headline.share else self.units.get(headline.facts[0], "")
                of_kind = found.setdefault(self._kind(run["form"]), {})
                of_kind.setdefault(
                    headline.label, HeadlineColumn(headline.label, unit, headline.share)
                )
        return {kind: list(columns.values()) for kind, columns in found.items()}

    @cached_property
    def figures(self) -> dict[Report, dict[str, dict[str, str | None]]]:
        """Headlines of each run by their titles: ``value``, ``count``, ``of``."""
        return {
            key: {
                headline.label: found
                for headline in self._headlines(run)
                if (found := figure(headline, self.numbers.get(key, {})))
            }
            for key, run in self.runs.items()
        }

    def value(self, report: Report, title: str) -> str | None:
        """The value of a headline in a report; None where the report has none."""
        return self.figures.get(report, {}).get(title, {}).get("value")

    @cached_property
    def comparisons(self) -> dict[int, dict[str, list[tuple[Comparison, dict[str, Decimal]]]]]:
        """Each year's comparisons with what every place has of them, the newest year first.

        Of reports in force that are no drafts, of places that sum up no others; those of each kind
        among themselves.
        """
        found = {
            year: {
                kind: compared
                for kind, years in self.kinds.items()
                if (compared := self._compared(kind, years.get(year, ())))
            }
            for year in self.years
        }
        return {year: kinds for year, kinds in found.items() if kinds}

    def _compared(
        self, kind: str, keys: Iterable[Report]
    ) -> list[tuple[Comparison, dict[str, Decimal]]]:
        found: dict[str, tuple[Comparison, dict[str, Decimal]]] = {
            comparison.label: (comparison, {})
            for _, form in sorted(self.forms.items())
            if form.kind == kind
            for comparison in form.model.compared
        }
        for key in keys:
            run = self.runs.get(key)
            if run is None or run["draft"] or key[0] in self.members:
                continue
            form = self.forms.get(run["form"])
            for comparison in form.model.compared if form else ():
                shown = figure(comparison, self.numbers.get(key, {})) or {}
                value, whole = shown.get("value"), Decimal(shown.get("of") or 0)
                if value is not None and whole >= comparison.least:
                    found[comparison.label][1].setdefault(key[0], Decimal(value))
        return [(comparison, values) for comparison, values in found.values() if values]

    def counted(self, keys: Iterable[Report]) -> dict[str, int]:
        """So many reports in each state, of all states."""
        found = Counter(str(self.reports[key].state) for key in keys)
        return {state: found[state] for state in reversed(STATES)}

    def name(self, district: str) -> str:
        """The name of a place; its id where nobody says."""
        place = self.places.get(district)
        return place.name if place else district

    @property
    def title(self) -> str:
        """The title of the reports, where all are of one kind."""
        return self.title_of(*self.kinds) if len(self.kinds) == 1 else "年度报告"

    def below(self, district: str) -> list[str]:
        """A place and all places that belong to it, over however many others."""
        found = {district: None}
        waiting = [district]
        while waiting:
            new = [one for one in self.members.get(waiting.pop(), ()) if one not in found]
            found |= dict.fromkeys(new)
            waiting += new
        return [*found]

    def of_places(self, kind: str, year: int, districts: Iterable[str]) -> list[Report]:
        """Reports of a kind and a year that are of some places."""
        return [key for one in districts for key in self._of_place.get((one, kind, year), ())]

    def of_place(self, district: str, year: int, kind: str = "") -> list[Standing]:
        """Reports of a place and a year: of one kind, or of all, the kind of most first."""
        kinds = (kind,) if kind else self.kinds
        keys = (key for one in kinds for key in self.of_places(one, year, (district,)))
        return [self.reports[key] for key in keys]

    @cached_property
    def _of_place(self) -> dict[tuple[str, str, int], list[Report]]:
        found: dict[tuple[str, str, int], list[Report]] = {}
        for kind, years in self.kinds.items():
            for year, keys in years.items():
                for key in keys:
                    found.setdefault((key[0], kind, year), []).append(key)
        return found

    def totals(self, kind: str, keys: Iterable[Report]) -> dict[str, Any]:
        """Headlines of reports of a kind added up by title, and of how many ``units``.

        Those of places that sum up others are left out.
        """
        counts: dict[str, Decimal] = {}
        wholes: dict[str, Decimal] = {}
        units = 0
        for key in keys:
            titles = self.figures.get(key)
            if titles is None or key[0] in self.members:
                continue
            units += 1
            for title, shown in titles.items():
                counts[title] = counts.get(title, Decimal()) + Decimal(shown["count"] or 0)
                wholes[title] = wholes.get(title, Decimal()) + Decimal(shown["of"] or 0)
        totals: dict[str, Any] = {"units": units}
        for column in self.columns[kind]:
            if column.title in counts:
                count, whole = counts[column.title], wholes[column.title]
                share = round(100 * count / whole, 1) if whole else None
                totals[column.title] = share if column.share else count
        return totals

    @cached_property
    def as_of(self) -> str:
        """The newest time at which one of all this was made or tried, China time."""
        times = [time for one in self.reports.values() for time in (one.made, one.tried) if time]
        times += [self.batch["ended"]] if self.batch.get("ended") else []
        newest = max(map(datetime.fromisoformat, times), default=None)
        return local(newest.isoformat()) if newest else ""

    def _headlines(self, run: Mapping[str, Any]) -> list[Headline]:
        form = self.forms.get(run["form"])
        editions = [one for one in form.editions if one.name == run["edition"]] if form else []
        return list(editions[0].model.headlines) if editions else []


def local(time: str) -> str:
    """A time as people in China write it, to the minute."""
    return datetime.fromisoformat(time).astimezone(CHINA).strftime("%Y-%m-%d %H:%M")


def read_overview(
    project: Project, store: Store, *, state: StateOfAll | None = None, batch: Any = None
) -> Overview:
    """Collect what the pages show.

    Parameters
    ----------
    project : Project
    store : Store
    state : StateOfAll, optional
        As a batch has just found it; read from its files otherwise.
    batch : mapping, optional
        Of that batch; read from ``batch.json`` otherwise.
    """
    # Runs may come from others: their texts lose invisible characters.
    runs = {key: visible(run) for key, run in store.runs.items()}
    found = read_places(project, runs.values())
    places = {name: replace(one, name=visible(one.name)) for name, one in found.items()}
    if state is None:
        figures = summaries(store, project)
        known = read_state(project.out)
        state = as_it_stands(known, figures, places=places, store=store, project=project)
    state = replace(state, reports={key: _visible(one) for key, one in state.reports.items()})
    for district in {district for district, _ in state.reports} - places.keys():
        places[district] = Place(district, district)
    places = dict(sorted(places.items(), key=lambda item: item[0]))
    named = {one.form or places[one.district].form for one in state.reports.values()}
    forms = _forms(project, named | {run["form"] for run in runs.values()})
    facts = store.read(
        "facts",
        columns=["district", "report", "fact", "number", "unit"],
        filters=field_of("fact").isin(sorted(_needed(forms.values()))),
    ).to_pylist()
    numbers: dict[Report, dict[str, Decimal]] = {}
    units: dict[str, str] = {}
    for fact in facts:
        if fact["number"] is not None:
            key = fact["district"], fact["report"]
            numbers.setdefault(key, {})[fact["fact"]] = fact["number"]
            units[fact["fact"]] = fact["unit"]
    failing = visible(store.read("checks", filters=~field_of("holds")).to_pylist())
    return Overview(
        state=state,
        places=places,
        members=tree(places),
        runs=runs,
        numbers=numbers,
        failing=failing,
        forms=forms,
        units=visible(units),
        batch=_last_batch(project) if batch is None else batch,
    )


def _visible(standing: Standing) -> Standing:
    """Return the state of a report without invisible characters in its texts."""
    texts = {name: visible(getattr(standing, name)) for name in ("name", "message")}
    # A text without such characters stays a message, which can be translated.
    others = {name: text for name, text in texts.items() if text != getattr(standing, name)}
    return replace(standing, **others) if others else standing


def _forms(project: Project, names: Iterable[str]) -> dict[str, Form]:
    """Return the forms that are there, with those that they go back to.

    A run whose form is gone shows no headlines.
    """
    found = {}
    for name in sorted(names):
        with suppress(InputError):
            form = found[name] = project.form(name)
            found.setdefault(form.kind, project.form(form.kind))
    return found


def _needed(forms: Iterable[Form]) -> set[str]:
    """Ids of the facts that headlines, comparisons and summaries are made of."""
    needed: set[str] = set()
    for form in forms:
        shown = [one for edition in form.editions for one in edition.model.headlines]
        needed |= {name for one in form.model.summary for name in one.facts}
        for one in (*shown, *form.model.compared):
            needed |= {*one.facts, *one.of}
    return needed


def _last_batch(project: Project) -> dict[str, Any]:
    try:
        batch = json.loads((project.out / "batch.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return batch if isinstance(batch, dict) else {}
