"""The state of all reports under a folder: the run in force of each, and why the last try failed.

``state.json`` is written at the end of each batch. Newer runs are read from the disk; the journal
says why a report failed, also in a batch that was killed before its end.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from pyarrow.compute import field as column

from reportkit.catalogue.causes import without_report
from reportkit.catalogue.journal import read_journal
from reportkit.catalogue.places import read_places
from reportkit.errors import InputError
from reportkit.facts.numerals import number_of, plain
from reportkit.language import Message
from reportkit.language.message import packed, unpacked
from reportkit.params.naming import ID, OfReport, parse_report_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from reportkit.catalogue.places import Place
    from reportkit.catalogue.store import Store
    from reportkit.forms.model import Summary
    from reportkit.params import Project
    from reportkit.params.naming import Report

NAME = "state.json"
STATES = ("failed", "absent", "waiting", "draft", "final")
CHINA = timezone(timedelta(hours=8))

# Of a run in force that is not as it was sealed.
_BROKEN = "run-changed"

State = Literal["failed", "absent", "waiting", "draft", "final"]


@dataclass(frozen=True)
class Standing(OfReport):
    """State of one report.

    Parameters
    ----------
    name : str
        The district's Chinese one, as far as known.
    run, made : str
        Id of the run in force and when it was made; empty if there is none.
    draft, errors, warnings, figures
        Of that run: whether it is a draft, its open findings, its form's summary figures by label.
    seconds : float
        How long the last try took.
    tried : str
        When a batch last tried it or found it unchanged.
    reason, message : str
        Why that failed; empty if it did not.
    """

    name: str = ""
    run: str = ""
    made: str = ""
    draft: bool = False
    errors: int = 0
    warnings: int = 0
    figures: dict[str, str] = field(default_factory=dict)
    seconds: float = 0
    tried: str = ""
    reason: str = ""
    message: str = ""

    @property
    def common_message(self) -> str:
        """Message without the report's name, the same for all that failed in the same way."""
        return without_report(self.message, self.district, self.year)

    @property
    def has_findings(self) -> bool:
        """Return True where the run in force has open findings."""
        return self.errors + self.warnings > 0

    @property
    def state(self) -> State:
        """Failed; absent: not handed in; waiting: never tried; draft or final."""
        if self.reason:
            return "absent" if self.reason == "not-handed-in" and not self.run else "failed"
        if not self.run:
            return "waiting"
        return "draft" if self.draft else "final"


@dataclass(frozen=True)
class StateOfAll:
    """All reports, now and the night before.

    Parameters
    ----------
    reports : dict
        Each with its `Standing`.
    night : str
        The day on which the night of the last batch began; a night goes from noon to noon, China
        time.
    before, since : dict, str
        The reports as that night found them, and the night that they date from.
    journal : int
        Bytes of the journal that have been read into it.
    """

    reports: dict[Report, Standing] = field(default_factory=dict)
    night: str = ""
    before: dict[Report, Standing] = field(default_factory=dict)
    since: str = ""
    journal: int = 0

    @property
    def failed(self) -> set[Report]:
        """Reports whose last try failed, those that were not handed in too."""
        return {key for key, standing in self.reports.items() if standing.reason}

    def unchanged(self, standing: Standing) -> bool:
        """Return True where the run in force is the same as the night before."""
        was = self.before.get(standing.report)
        return bool(standing.run and not standing.reason and was and was.run == standing.run)


def night_of(when: datetime) -> str:
    """The day on which the night began that a time belongs to.

    Examples
    --------
    >>> [night_of(datetime.fromisoformat(f"2022-01-{when}:00+08:00"))
    ...  for when in ("03T23:00", "04T08:30", "04T13:00")]
    ['2022-01-03', '2022-01-03', '2022-01-04']
    """
    return str((when.astimezone(CHINA) - timedelta(hours=12)).date())


def read_state(out: Path) -> StateOfAll:
    """The state as the last batch left it, with the events of the journal since then."""
    state = StateOfAll()
    try:
        document = json.loads((out / NAME).read_text(encoding="utf-8"))
        reports, before = (
            {standing.report: standing for standing in map(_read, document[name])}
            for name in ("reports", "before")
        )
        state = StateOfAll(
            reports, document["night"], before, document["since"], document["journal"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        # The file only saves reading the whole journal.
        pass
    events, end = read_journal(out, state.journal)
    reports = dict(state.reports)
    for event in events:
        whole = {"at", "district", "year"} <= event.keys()
        if whole and event["event"] in ("made", "unchanged", "failed"):
            _note(reports, event["at"], event)
    return replace(state, reports=reports, journal=end)


def _note(reports: dict[Report, Standing], at: str, event: dict[str, Any]) -> None:
    """Take an event of one report, or its result, into the state."""
    known = Standing(str(event["district"]), int(event["year"]), form=event.get("form"))
    reports[known.report] = replace(
        reports.get(known.report) or known,
        tried=at,
        seconds=float(event.get("seconds", 0)),
        reason=str(event.get("reason", "")),
        message=_in_words(event),
    )


def _in_words(fields: dict[str, Any]) -> str:
    """The message of an event or of a report, as one that can be translated."""
    message = str(fields.get("message", ""))
    with suppress(LookupError, TypeError, ValueError, AttributeError):
        words = unpacked(fields["words"])
        return words if words == message else message
    return message


def _read(fields: dict[str, Any]) -> Standing:
    known = {name: value for name, value in fields.items() if name != "words"}
    return Standing(**known | {"message": _in_words(fields)})


def _written(standing: Standing) -> dict[str, Any]:
    words = {"words": packed(standing.message)} if isinstance(standing.message, Message) else {}
    return asdict(standing) | words


def renew(
    state: StateOfAll,
    results: Iterable[object],
    *,
    store: Store | None,
    project: Project,
    at: datetime,
) -> StateOfAll:
    """The state after a batch.

    Parameters
    ----------
    state : StateOfAll
        As it was before.
    results : iterable of Result
        What became of each report.
    store : Store, optional
        What is in force, whoever made it; without it only the results are noted.
    project : Project
        Says which reports there should be.
    at : datetime
        When the batch began.
    """
    fresh = read_state(project.out)
    for result in results:
        _note(fresh.reports, at.isoformat(timespec="seconds"), vars(result))
    if store is not None:
        places = read_places(project, store.runs.values())
        figures = summaries(store, project)
        fresh = as_it_stands(fresh, figures, places=places, store=store, project=project)
    night = night_of(at)
    if fresh.night == night:
        return fresh
    return StateOfAll(fresh.reports, night, state.reports, fresh.night, fresh.journal)


def as_it_stands(
    state: StateOfAll,
    figures: Mapping[Report, dict[str, str]],
    *,
    places: Mapping[str, Place],
    store: Store,
    project: Project,
) -> StateOfAll:
    """The state with what is in force now, and with every report that there should be.

    Parameters
    ----------
    state : StateOfAll
        As batches left it.
    figures : mapping
        Summary figures of each run; see `summaries`.
    places : mapping
        Every place by its id; see `read_places`.
    store, project
        See `renew`.
    """
    runs = store.runs
    files = (project.params / "districts").glob("*.yaml")
    known = {path.stem for path in files if ID.fullmatch(path.stem)}
    files = (project.params / "reports").glob("*/[0-9]*.yaml")
    wanted = {(path.parent.name, path.stem) for path in files if path.parent.name in known}
    wanted = {report for report in wanted | state.reports.keys() if parse_report_name(report[1])}
    in_store = {*runs, *store.broken}
    reports = {}
    for report in sorted(wanted | in_store):
        standing = state.reports.get(report) or _unknown(report)
        if report in store.broken:
            standing = _without_run(standing, _BROKEN, store.broken[report])
        elif report in runs:
            standing = _with_run(standing, runs[report], figures.get(report, {}))
        else:
            standing = _without_run(standing, standing.reason, standing.message)
        # A mistyped name has neither a run nor a district file.
        if standing.run or report in in_store or standing.district in known:
            # A run has its district's name; where there is none the district's file has it.
            place = places.get(report[0])
            name = standing.name if standing.run or not place else place.name
            reports[report] = replace(standing, name=name)
    return replace(state, reports=reports)


def _unknown(report: Report) -> Standing:
    """A report of which nothing is known."""
    year, form = parse_report_name(report[1]) or (0, None)
    return Standing(report[0], year, form=form)


def _without_run(standing: Standing, reason: str, message: str) -> Standing:
    kept = {name: getattr(standing, name) for name in ("form", "name", "seconds", "tried")}
    return Standing(standing.district, standing.year, reason=reason, message=message, **kept)


def _with_run(standing: Standing, run: dict[str, Any], figures: dict[str, str]) -> Standing:
    same = ("name", "run", "made", "draft", "errors", "warnings")
    standing = replace(standing, **{name: run[name] for name in same}, figures=figures)
    # A run that is newer than the last try, or is no longer broken, ends the failure.
    when = datetime.fromisoformat
    newer = standing.tried and when(standing.made) > when(standing.tried)
    if newer or standing.reason == _BROKEN:
        return replace(standing, reason="", message="")
    return standing


def summaries(store: Store, project: Project) -> dict[Report, dict[str, str]]:
    """The summary figures of each run by label, in the order of its form."""
    runs = store.runs
    wanted = {form: _summary_of(project, form) for form in {run["form"] for run in runs.values()}}
    ids = sorted({name for listed in wanted.values() for figure in listed for name in figure.facts})
    table = store.read(
        "facts", columns=["district", "report", "fact", "value"], filters=column("fact").isin(ids)
    )
    values: dict[Report, dict[str, str]] = {}
    for row in table.to_pylist():
        values.setdefault((row["district"], row["report"]), {})[row["fact"]] = row["value"]
    return {
        key: _summed(wanted[runs[key]["form"]], of) for key, of in values.items() if key in runs
    }


def _summed(summary: Sequence[Summary], values: Mapping[str, str]) -> dict[str, str]:
    """Add up the facts of each figure; those with a fact that is no number are left out."""
    found = {}
    for figure in summary:
        parts = [number_of(values.get(name, "")) for name in figure.facts]
        if None not in parts:
            found[figure.label] = plain(sum(filter(None, parts), Decimal(0)))
    return found


def _summary_of(project: Project, form: str) -> list[Summary]:
    """Figures that sum up a report of a form; none of a form that is no longer there."""
    try:
        return project.form(form).model.summary
    except InputError:
        return []


def as_json(state: StateOfAll) -> dict[str, Any]:
    """The document ``state.json``."""
    return {
        "schema": "reportkit/state/1",
        **{name: getattr(state, name) for name in ("night", "since", "journal")},
        "reports": [_written(standing) for standing in state.reports.values()],
        "before": [_written(standing) for standing in state.before.values()],
    }


@dataclass(frozen=True)
class Change:
    """A report whose state or figures changed since the night before.

    Parameters
    ----------
    was : str
        Its state then; empty if nobody knew of it.
    now : Standing
    figures : tuple of (label, before, now)
        Those of its figures that changed.
    """

    was: str
    now: Standing
    figures: tuple[tuple[str, str, str], ...]


def changes(state: StateOfAll) -> list[Change]:
    """Return the changes since the night before; none where there was no batch then."""
    changed = []
    for key, now in state.reports.items():
        was = state.before.get(key) or _unknown(key)
        figures = tuple(
            (name, was.figures[name], now.figures[name])
            for name in now.figures
            if name in was.figures and now.figures[name] != was.figures[name]
        )
        if state.before and (key not in state.before or was.state != now.state or figures):
            changed.append(Change(was.state if key in state.before else "", now, figures))
    return changed
