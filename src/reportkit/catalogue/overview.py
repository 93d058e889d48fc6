"""Everything that the pages of the catalogue show, put together once."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pyarrow.compute import field as column

from reportkit.catalogue.places import Place, read_places, tree
from reportkit.catalogue.state import CHINA, STATES, as_it_stands, read_state, summaries
from reportkit.errors import InputError
from reportkit.export.blocks import visible
from reportkit.facts.headline import figure
from reportkit.forms import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reportkit.catalogue.runs import Key
    from reportkit.catalogue.state import Standing, StateOfAll
    from reportkit.catalogue.store import Store
    from reportkit.forms import Form
    from reportkit.forms.model import Comparison, Headline
    from reportkit.params import Project


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
        Rows of the store by (district, year).
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
    runs: Mapping[Key, dict[str, Any]]
    numbers: Mapping[Key, dict[str, Decimal]]
    failing: list[dict[str, Any]]
    forms: Mapping[str, Form]
    units: Mapping[str, str]
    labels: Mapping[str, str]
    batch: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def reports(self) -> Mapping[Key, Standing]:
        """State of each report by the district's usual form, by (district, year)."""
        usual = (one for one in self.state.reports.values() if not one.form)
        return {(one.district, one.year): one for one in usual}

    @cached_property
    def years(self) -> list[int]:
        """Report years, the newest first."""
        return sorted({year for _, year in self.reports}, reverse=True)

    @cached_property
    def columns(self) -> list[HeadlineColumn]:
        """Headlines of all editions in use, each once, in their order."""
        found: dict[str, HeadlineColumn] = {}
        editions = {(run["form"], run["edition"]): run for run in self.runs.values()}
        for run in sorted(editions.values(), key=lambda one: one["edition"], reverse=True):
            for one in self._headlines(run):
                unit = "%" if one.share else self.units.get(one.facts[0], "")
                found.setdefault(one.label, HeadlineColumn(one.label, unit, one.share))
        return list(found.values())

    @cached_property
    def figures(self) -> dict[Key, dict[str, dict[str, str | None]]]:
        """Headlines of each run by their titles: ``value``, ``count``, ``of``."""
        return {
            key: {
                one.label: told
                for one in self._headlines(run)
                if (told := figure(one, self.numbers.get(key, {})))
            }
            for key, run in self.runs.items()
        }

    @cached_property
    def comparisons(self) -> dict[int, list[tuple[Comparison, dict[str, Decimal]]]]:
        """Each year's comparisons with what every place has of them, the newest year first.

        Of reports in force that are no drafts, of places that sum up no others.
        """
        found = {year: self._compared(year) for year in self.years}
        return {year: compared for year, compared in found.items() if compared}

    def _compared(self, year: int) -> list[tuple[Comparison, dict[str, Decimal]]]:
        found = []
        for name, form in sorted(self.forms.items()):
            for one in form.model.compared:
                values = {}
                for (district, of_year), run in self.runs.items():
                    ours = of_year == year and (run["form"] or DEFAULT) == name
                    if not ours or run["draft"] or district in self.members:
                        continue
                    told = figure(one, self.numbers.get((district, year), {}))
                    if told and told["value"] is not None and Decimal(told["of"] or 0) >= one.least:
                        values[district] = Decimal(told["value"])
                if values:
                    found.append((one, values))
        return found

    def counted(self, keys: Iterable[Key]) -> dict[str, int]:
        """So many reports in each state, of all states."""
        found: Counter[str] = Counter(
            self.reports[key].state for key in keys if key in self.reports
        )
        return {state: found[state] for state in reversed(STATES)}

    def name(self, district: str) -> str:
        """The name of a place; its id where nobody says."""
        place = self.places.get(district)
        return place.name if place else district

    @property
    def title(self) -> str:
        """The title of the form, where there is only one."""
        titles = {form.model.title for form in self.forms.values()}
        return titles.pop() if len(titles) == 1 else "年度报告"

    def below(self, district: str) -> list[str]:
        """A place and all places that belong to it, over however many others."""
        found = {district: None}
        waiting = [district]
        while waiting:
            new = [one for one in self.members.get(waiting.pop(), ()) if one not in found]
            found |= dict.fromkeys(new)
            waiting += new
        return [*found]

    def totals(self, year: int, districts: Iterable[str] | None = None) -> dict[str, Any]:
        """Headlines added up over places that sum up no others, by title, and ``units``.

        Parameters
        ----------
        year : int
        districts : iterable of str, optional
            Those to add up; all by default.
        """
        counts: dict[str, Decimal] = {}
        wholes: dict[str, Decimal] = {}
        units = 0
        for district in self.places if districts is None else districts:
            titles = self.figures.get((district, year))
            if titles is None or district in self.members:
                continue
            units += 1
            for title, told in titles.items():
                counts[title] = counts.get(title, Decimal()) + Decimal(told["count"] or 0)
                wholes[title] = wholes.get(title, Decimal()) + Decimal(told["of"] or 0)
        shown: dict[str, Any] = {"units": units}
        for one in self.columns:
            if one.title in counts:
                count, whole = counts[one.title], wholes[one.title]
                share = round(100 * count / whole, 1) if whole else None
                shown[one.title] = share if one.share else count
        return shown

    @cached_property
    def as_of(self) -> str:
        """The newest time at which one of all this was made or tried, China time."""
        times = [time for one in self.reports.values() for time in (one.made, one.tried) if time]
        times += [self.batch["ended"]] if self.batch.get("ended") else []
        newest = max(map(datetime.fromisoformat, times), default=None)
        return local(newest.isoformat()) if newest else ""

    def _headlines(self, run: Mapping[str, Any]) -> list[Headline]:
        form = self.forms.get(run["form"] or DEFAULT)
        editions = [one for one in form.editions if one.name == run["edition"]] if form else []
        return list(editions[0].model.headlines) if editions else []


def local(time: str) -> str:
    """A time as people in China write it, to the minute."""
    return datetime.fromisoformat(time).astimezone(CHINA).strftime("%Y-%m-%d %H:%M")


def read_overview(
    project: Project, store: Store, *, state: StateOfAll | None = None, batch: Any = None
) -> Overview:
    """Put together what the pages show.

    Parameters
    ----------
    project : Project
    store : Store
    state : StateOfAll, optional
        As a batch has just found it; read from its files otherwise.
    batch : mapping, optional
        Of that batch; read from ``batch.json`` otherwise.
    """
    # Names and messages come from runs, which others may have made: nothing unseen is in them.
    runs = {key: visible(run) for key, run in store.runs.items()}
    found = read_places(project, runs.values())
    places = {name: _seen_place(one) for name, one in found.items()}
    if state is None:
        figures = summaries(store, project)
        known = read_state(project.out)
        state = as_it_stands(known, figures, places=places, store=store, project=project)
    state = replace(state, reports={key: _seen(one) for key, one in state.reports.items()})
    forms = _forms(project, {run["form"] or DEFAULT for run in runs.values()})
    facts = store.read(
        "facts",
        columns=["district", "fact", "label", "number", "unit"],
        filters=column("fact").isin(sorted(_needed(forms.values()))),
    ).to_pylist()
    numbers: dict[Key, dict[str, Decimal]] = {}
    units: dict[str, str] = {}
    labels: dict[str, str] = {}
    for fact in facts:
        if fact["number"] is not None:
            numbers.setdefault((fact["district"], fact["year"]), {})[fact["fact"]] = fact["number"]
            units[fact["fact"]] = fact["unit"]
        labels[fact["fact"]] = fact["label"]
    failing = visible(store.read("checks", filters=~column("holds")).to_pylist())
    for district in {district for district, _ in state.reports} - places.keys():
        places[district] = Place(district, district)
    places = dict(sorted(places.items(), key=lambda item: item[0]))
    return Overview(
        state=state,
        places=places,
        members=tree(places),
        runs=runs,
        numbers=numbers,
        failing=failing,
        forms=forms,
        units=visible(units),
        labels=visible(labels),
        batch=_last_batch(project) if batch is None else batch,
    )


def _seen(standing: Standing) -> Standing:
    """The same, with nothing unseen in its texts."""
    texts = {name: visible(getattr(standing, name)) for name in ("name", "message")}
    # What is the same stays a message that can be told in Chinese.
    others = {name: text for name, text in texts.items() if text != getattr(standing, name)}
    return replace(standing, **others) if others else standing


def _seen_place(place: Place) -> Place:
    name = visible(place.name)
    return place if name == place.name else replace(place, name=name)


def _forms(project: Project, names: Iterable[str]) -> dict[str, Form]:
    """Return the forms that are there; of a run whose form is gone no headline is told."""
    found = {}
    for name in sorted(names):
        try:
            found[name] = project.form(name)
        except InputError:
            continue
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
        told = json.loads((project.out / "batch.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
