"""The state of all reports under a folder: what is in force of each, and why the last try failed.

``state.json`` is written at the end of each batch. Runs are read from the disk where they are new;
why a report failed is in the journal, which also tells of batches that were killed before their
end.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Literal

from reportkit.batch.jobs import without_report
from reportkit.batch.journal import read_journal
from reportkit.errors import InputError
from reportkit.forms import DEFAULT
from reportkit.language import Message
from reportkit.language.message import packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from reportkit.batch.jobs import Result
    from reportkit.params import Project

NAME = "state.json"
STATES = ("failed", "absent", "waiting", "draft", "final")
CHINA = timezone(timedelta(hours=8))

Key = tuple[str, int]
State = Literal["failed", "absent", "waiting", "draft", "final"]


@dataclass(frozen=True)
class Standing:
    """State of one report.

    Parameters
    ----------
    district, year, name
        Which; the name is the Chinese one, as far as known.
    run, made : str
        Id of the run in force and when it was made; empty if there is none.
    draft, errors, warnings, figures
        Of that run: whether it is one, open findings, the figures that its form sums up by.
    seconds : float
        How long the last try took.
    tried : str
        When a batch last tried it or found it unchanged.
    reason, message : str
        Why that failed; empty if it did not.
    """

    district: str
    year: int
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
    def told(self) -> str:
        """As of a `Result`."""
        return without_report(self.message, self.district, self.year)

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
    """All reports, and how they stood the night before.

    Parameters
    ----------
    reports : dict
        (district, year) to its `Standing`.
    night : str
        The day on which the night of the last batch began; a night goes from noon to noon, China
        time.
    before, since : dict, str
        The reports as they stood when that night began, and the night of which they are.
    journal : int
        Bytes of the journal that are in it already.
    """

    reports: dict[Key, Standing] = field(default_factory=dict)
    night: str = ""
    before: dict[Key, Standing] = field(default_factory=dict)
    since: str = ""
    journal: int = 0

    @property
    def failed(self) -> set[Key]:
        """Reports whose last try failed, those that were not handed in too."""
        return {key for key, standing in self.reports.items() if standing.reason}

    def unchanged(self, standing: Standing) -> bool:
        """Return True where the run in force is the same as the night before."""
        was = self.before.get((standing.district, standing.year))
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
    """The state as the last batch left it, with what the journal tells since then."""
    state = StateOfAll()
    try:
        document = json.loads((out / NAME).read_text(encoding="utf-8"))
        reports, before = (
            {(fields["district"], fields["year"]): _read(fields) for fields in document[name]}
            for name in ("reports", "before")
        )
        state = StateOfAll(
            reports, document["night"], before, document["since"], document["journal"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        # Runs and journal are the truth; this only saves reading all of them.
        pass
    events, end = read_journal(out, state.journal)
    reports = dict(state.reports)
    for event in events:
        whole = {"at", "district", "year"} <= event.keys()
        if whole and event["event"] in ("made", "unchanged", "failed"):
            _note(reports, event["at"], event)
    return replace(state, reports=reports, journal=end)


def _note(reports: dict[Key, Standing], at: str, event: dict[str, Any]) -> None:
    """Write down an event that a batch told of one report."""
    key = (str(event["district"]), int(event["year"]))
    reports[key] = replace(
        reports.get(key) or Standing(*key),
        tried=at,
        seconds=float(event.get("seconds", 0)),
        reason=str(event.get("reason", "")),
        message=_in_words(event),
    )


def _in_words(fields: dict[str, Any]) -> str:
    """The message of an event or of a report, as one that can be told in other languages."""
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
    state: StateOfAll, results: Iterable[Result], *, out: Path, project: Project, at: datetime
) -> StateOfAll:
    """The state after a batch.

    Parameters
    ----------
    state : StateOfAll
        As it was before.
    results : iterable of Result
    out : Path
        The folder of reports: what is in force is read from there, whoever made it.
    project : Project
        Says which reports there should be.
    at : datetime
        When the batch began.
    """
    fresh = read_state(out)
    reports = fresh.reports
    for result in results:
        _note(reports, at.isoformat(timespec="seconds"), vars(result))
    known = {path.stem for path in (project.params / "districts").glob("*.yaml")}
    files = (project.params / "reports").glob("*/[0-9][0-9][0-9][0-9].yaml")
    wanted = {(path.parent.name, int(path.stem)) for path in files if path.parent.name in known}
    links = (path.parts[-3:-1] for path in out.glob("*/*/current"))
    wanted |= {(district, int(year)) for district, year in links if re.fullmatch(r"\d{4}", year)}
    renewed = {}
    for key in sorted(wanted | reports.keys()):
        standing = _as_it_stands(reports.get(key) or Standing(*key), out, project)
        # Of a name that was mistyped there is nothing.
        if standing.run or standing.district in known:
            # A run says whose it is; where there is none the district's file does.
            name = "" if standing.run else _name(project, standing.district)
            renewed[key] = replace(standing, name=name or standing.name)
    night = night_of(at)
    if fresh.night == night:
        return replace(fresh, reports=renewed)
    return StateOfAll(renewed, night, state.reports, fresh.night, fresh.journal)


def _as_it_stands(standing: Standing, out: Path, project: Project) -> Standing:
    """A report with what is in force of it now."""
    place = out / standing.district / str(standing.year)
    try:
        run = (place / "current").readlink().name
        if run == standing.run:
            return standing
        fields = read_run(place / "runs" / run, project)
    except (OSError, ValueError, KeyError):
        return replace(standing, run="", made="", draft=False, errors=0, warnings=0, figures={})
    standing = replace(standing, **fields)
    # Whoever made it since then, it is made.
    newer = standing.tried and _when(standing.made) > _when(standing.tried)
    return replace(standing, reason="", message="") if newer else standing


def _when(time: str) -> datetime:
    return datetime.fromisoformat(time)


def read_run(run: Path, project: Project) -> dict[str, Any]:
    """Read the fields of a `Standing` from a run; its figures are those that sum up the form."""
    manifest, checks, facts = (
        json.loads((run / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("MANIFEST", "checks", "facts")
    )
    still = [
        check["severity"] for check in checks if not check["holds"] and not check.get("waived")
    ]
    form = project.form(manifest.get("form", DEFAULT))
    values = {fact["id"]: fact["value"] for fact in facts["facts"]}
    return {
        "name": manifest["name"],
        "run": run.name,
        "made": manifest["ended"],
        "draft": manifest["draft"],
        "errors": still.count("error"),
        "warnings": still.count("warning"),
        "figures": {name: values[name] for name in form.model.summary if name in values},
    }


def _name(project: Project, district: str) -> str:
    try:
        return project.district(district).name
    except InputError:
        return ""


def as_json(state: StateOfAll) -> dict[str, Any]:
    """The document ``state.json``."""
    return {
        "schema": "reportkit/state/1",
        "night": state.night,
        "since": state.since,
        "journal": state.journal,
        "reports": [_written(standing) for standing in state.reports.values()],
        "before": [_written(standing) for standing in state.before.values()],
    }


@dataclass(frozen=True)
class Change:
    """A report that stands otherwise than the night before.

    Parameters
    ----------
    was : str
        Its state then; empty if nobody knew of it.
    now : Standing
    figures : tuple of (id, before, now)
        Those of its figures that changed.
    """

    was: str
    now: Standing
    figures: tuple[tuple[str, str, str], ...]


def changes(state: StateOfAll) -> list[Change]:
    """Return the changes since the night before; none where there was no batch then."""
    changed = []
    for key, now in state.reports.items():
        was = state.before.get(key) or Standing(*key)
        figures = tuple(
            (name, was.figures[name], now.figures[name])
            for name in now.figures
            if name in was.figures and now.figures[name] != was.figures[name]
        )
        if state.before and (key not in state.before or was.state != now.state or figures):
            changed.append(Change(was.state if key in state.before else "", now, figures))
    return changed
