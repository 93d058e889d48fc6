"""Which reports a batch makes: districts and years, all looked at before it begins."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, Field

from reportkit.batch.jobs import Job, Result, Settings, together
from reportkit.errors import InputError
from reportkit.language import Message, joined
from reportkit.ledgers import entries_of, find_files, schemas
from reportkit.ledgers.mapping import mappings_of
from reportkit.params import District, Project, Scope
from reportkit.proof.manifest import digest
from reportkit.run.request import changes, outcome_of, seconds_of
from reportkit.yamlfile import Strict, read_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from pathlib import Path

    from reportkit.run.request import Request


def parse_years(text: str) -> tuple[int, ...]:
    """Years from ``2020``, ``2019,2021`` or ``2019-2021``.

    Examples
    --------
    >>> parse_years("2019-2021,2023")
    (2019, 2020, 2021, 2023)
    """
    years: set[int] = set()
    for part in str(text).replace(" ", "").split(","):
        match = re.fullmatch(r"(\d{4})(?:-(\d{4}))?", part)
        if match is None:
            message = Message(
                "'{part}' is no year and no range of years, such as 2019-2021", part=part
            )
            raise ValueError(message)
        years |= set(range(int(match[1]), int(match[2] or match[1]) + 1))
    return tuple(sorted(years))


def _years(value: str | list[str] | None) -> tuple[int, ...] | None:
    if not value:
        return None
    return parse_years(",".join(value) if isinstance(value, list) else value)


class BatchFile(Strict):
    """``params/batch.yaml``."""

    districts: tuple[str, ...] | None = None
    years: Annotated[tuple[int, ...] | None, BeforeValidator(_years)] = None
    scope: Scope | None = None
    jobs: int | None = Field(default=None, ge=1)
    retries: int = Field(default=1, ge=0)
    timeout: float = Field(default=600, gt=0)
    memory: int | None = Field(default=None, ge=256)
    stop_after: int = Field(default=20, ge=0)


# So many districts with a ledger in common are done one after another, by one process that has read
# it; more would leave other processors idle at the end.
_TOGETHER = 16

Families = dict[str, tuple[str, ...]]
Report = tuple[str, int]


@dataclass(frozen=True)
class Planned:
    """One report of the matrix: why it must be made, or what is known without making it.

    Parameters
    ----------
    reasons : tuple of str
        Empty if the run in force holds, and if the report cannot be made.
    seconds : float
        How long it took last time, or is expected to take.
    known : Result, optional
        The run in force, if it holds; or why the report cannot be made.
    named : tuple of str
        Ledgers that its district's file names.
    """

    district: str
    year: int
    reasons: tuple[str, ...]
    seconds: float
    known: Result | None = None
    named: tuple[str, ...] = ()

    @property
    def refused(self) -> Result | None:
        """The failure that is known before the report is made, if there is one."""
        return self.known if self.known and self.known.state == "failed" else None


@dataclass(frozen=True)
class Plan:
    """All reports of a batch, and the jobs that make those which must be made."""

    reports: tuple[Planned, ...] = ()
    jobs: tuple[Job, ...] = ()

    @property
    def refused(self) -> list[Result]:
        """Those that cannot be made, each with its reason."""
        return [report.refused for report in self.reports if report.refused]


def read_batch_file(path: Path) -> BatchFile:
    """The settings of a batch.

    Raises
    ------
    InputError
        ``parameters``: with file, line and the nearest known key.
    """
    return read_yaml(path).validate(BatchFile)


def make_plan(
    districts: Sequence[str] | None,
    years: Sequence[int] | None,
    *,
    settings: Settings,
    failed: Collection[Report] = (),
    only_failed: bool = False,
    strict: bool = False,
    begin: Callable[[], object] = lambda: None,
) -> Plan:
    """Plan a batch; reads no ledger.

    Parameters
    ----------
    districts : sequence of str, optional
        All that the project has by default.
    years : sequence of int, optional
        For each district those that have a file under ``params/reports`` by default.
    settings : Settings
    failed : collection of (district, year)
        Reports that failed when they were last tried; their districts start last.
    only_failed : bool
        Plan these alone.
    strict : bool
        Refuse the whole batch if something is wrong with one district.
    begin : callable
        Is called once, as soon as it is clear that there is something to do.

    Returns
    -------
    Plan
        Members before their parents, else the longest jobs first; within a district the years in
        their order. What is wrong with a district's own parameters and ledgers is in its reports.

    Raises
    ------
    InputError
        ``batch``: there is nothing to do; or, with *strict*, all that is wrong, at once.
    """
    project = Project.find(settings.params, settings.data)
    folder = project.params / "districts"
    matrix = [
        (district, year)
        for district in dict.fromkeys(districts or sorted(p.stem for p in folder.glob("*.yaml")))
        for year in years or _years_of(project, district)
    ]
    if not matrix:
        raise InputError(
            "batch", "there is nothing to do: {folder} and --years name no report", folder=folder
        )
    if only_failed:
        matrix = [report for report in matrix if report in failed]
    reports: list[Planned] = []
    # What many reports are made from, such as the notebook, is read once.
    begin_once, digest_once = cache(begin), cache(digest)
    places = (settings.out / name / str(year) / "current" for name, year in matrix)
    if not all(place.exists() for place in places):
        begin_once()
    families = project.families() if matrix else {}
    for district, year in matrix:
        members = families.get(district, ())
        try:
            request = settings.request(district, year, members)
            reports.append(_planned(request, project, settings, digest_once, begin_once))
        except InputError as error:
            refused = Result(
                district,
                year,
                "failed",
                error.exit_status,
                reason=error.reason,
                message=error.message,
            )
            reports.append(Planned(district, year, (), 0, refused))
    plan = Plan(tuple(reports))
    if strict and plan.refused:
        messages = dict.fromkeys(result.message for result in plan.refused)
        things = (
            Message("one thing is")
            if len(messages) == 1
            else Message("{count} things are", count=len(messages))
        )
        listed = joined("\n", ["  " + message for message in messages])
        raise InputError(
            "batch",
            "the batch cannot begin; {things} wrong:\n{listed}",
            things=things,
            listed=listed,
        )
    reports = _with_those_that_follow(reports, families)
    last = {district for district, _ in failed}
    return Plan(tuple(reports), _jobs(reports, families, settings, last))


def _years_of(project: Project, district: str) -> list[int]:
    files = (project.params / "reports" / district).glob("*.yaml")
    return sorted(int(path.stem) for path in files if re.fullmatch(r"\d{4}", path.stem))


def _planned(
    request: Request,
    project: Project,
    settings: Settings,
    digest: Callable[[Path], str],
    begin: Callable[[], object],
) -> Planned:
    district, year = request.district, request.year
    reasons = list(changes(request, digest=digest))
    last = seconds_of(request.place)
    if not reasons and not settings.force:
        outcome = outcome_of(request.place, unchanged=True)
        result = Result(
            district,
            year,
            "unchanged",
            outcome.exit_status,
            run=str(outcome.folder),
            draft=outcome.draft,
            findings=outcome.findings,
        )
        return Planned(district, year, (), last or 0, result)
    begin()
    who = project.district(district)
    project.report(district, year)
    size = sum(path.stat().st_size for path in _ledgers(project, who, year))
    seconds = last or 1 + size / 1e6
    reasons += [Message("asked for by --force")] if settings.force else []
    named = tuple(f"{key}\0{source!r}" for key, source in who.ledgers.items())
    return Planned(district, year, tuple(reasons), seconds, named=named)


def _ledgers(project: Project, district: District, year: int) -> list[Path]:
    """Files of the ledgers that a report reads.

    Raises
    ------
    InputError
        ``ledger-missing``: with all that are missing; ``not-handed-in``: none of them is there.
    """
    files: list[Path] = []
    folder = project.data / district.id
    entries = entries_of(folder)
    form = project.form(district.form)
    mappings = mappings_of(form, district, project.params / "districts" / f"{district.id}.yaml")
    missing = []
    edition = form.edition(year)
    needed, elsewhere = edition.ledgers(), form.unused(edition)
    for key, schema in schemas(form).items():
        if key in elsewhere:
            continue
        named = district.ledgers.get(key)
        if named is None:
            paths = find_files(form, folder, key, entries, mappings=mappings.get(key, ()))
            if key in needed and not paths:
                missing.append(
                    Message(
                        "{name} is missing: {folder}/{key}-….csv, .xlsx or .parquet",
                        name=schema.name,
                        folder=folder,
                        key=key,
                    )
                )
        else:
            paths = [project.data / source for source in named if isinstance(source, str)]
            gone = [path for path in paths if not path.is_file()]
            missing += [
                Message("{path}, named in the district's file, is missing", path=path)
                for path in gone
            ]
        files += [path for path in paths if path.is_file()]
    if missing and not files and not district.ledgers:
        raise InputError(
            "not-handed-in",
            "{id} {year}: {missing}",
            id=district.id,
            year=year,
            missing=Message("nothing is handed in: {folder} holds no ledger", folder=folder),
        )
    if missing:
        raise InputError(
            "ledger-missing",
            "{id} {year}: {missing}",
            id=district.id,
            year=year,
            missing=joined("; ", missing),
        )
    return files


def _with_those_that_follow(reports: Iterable[Planned], families: Families) -> list[Planned]:
    """Add those that hold, but read the run of one that is made anew."""
    all_of = {(planned.district, planned.year): planned for planned in reports}
    parents = {member: parent for parent, members in families.items() for member in members}
    todo = [report for report, planned in all_of.items() if planned.reasons]
    while todo:
        district, year = todo.pop()
        readers = {(district, year + 1): f"{year}", (parents.get(district, ""), year): district}
        for reader, named in readers.items():
            if reader in all_of and not all_of[reader].reasons:
                why = (Message("the report of {named} is made first", named=named),)
                all_of[reader] = replace(all_of[reader], reasons=why, known=None)
                todo.append(reader)
    return list(all_of.values())


def _jobs(
    reports: Iterable[Planned], families: Families, settings: Settings, last: Collection[str]
) -> tuple[Job, ...]:
    """One job for each district that has something to do, or for some that share a ledger."""
    chains: dict[str, list[Planned]] = {}
    for planned in reports:
        if planned.reasons:
            chains.setdefault(planned.district, []).append(planned)

    def height(district: str, above: tuple[str, ...] = ()) -> int:
        line = (*above, district)
        below = (height(name, line) for name in families.get(district, ()) if name not in line)
        return 1 + max(below, default=-1)

    def urgency(district: str) -> tuple[bool, int, float]:
        # A parent waits for its members wherever it stands.
        seconds = sum(planned.seconds for planned in chains[district])
        return district in last, height(district), -seconds

    # Ledgers that several districts name are read once for some of them; see `Job.then`.
    uses = Counter(name for chain in chains.values() for name in chain[0].named)
    groups: dict[object, list[Job]] = {}
    for name in sorted(chains, key=urgency):
        years = tuple(sorted(planned.year for planned in chains[name]))
        shared = frozenset(ledger for ledger in chains[name][0].named if uses[ledger] > 1)
        group = groups.setdefault((urgency(name)[:2], shared) if shared else name, [])
        group.append(Job(name, years, settings, families.get(name, ())))
    return tuple(
        together(group[start : start + _TOGETHER])
        for group in groups.values()
        for start in range(0, len(group), _TOGETHER)
    )
