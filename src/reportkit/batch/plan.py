"""The plan of a batch: which reports are made and why, decided before the first begins."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from reportkit.batch.jobs import Job, Result, Settings, made, together
from reportkit.batch.matrix import reports_of
from reportkit.errors import InputError
from reportkit.export.files import digest
from reportkit.language import Message, joined
from reportkit.language.message import COLON
from reportkit.ledgers import Ledgers, entries_of, find_files, schemas
from reportkit.ledgers.mapping_check import mappings_of
from reportkit.params import District, Project, report_name
from reportkit.params.naming import OfReport, Report
from reportkit.rollup.members import counts_itself
from reportkit.run.request import changes, outcome_of, seconds_of, standing

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from pathlib import Path

    from reportkit.params.hierarchy import Hierarchy
    from reportkit.run.request import Request


# Most districts with a ledger in common that one process makes, which reads it once; with more of
# them other processors would be idle at the end.
_TOGETHER = 16


@dataclass(frozen=True)
class Planned(OfReport):
    """One report of the plan: why it is made, or its result that is known already.

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
    rollup : bool
        It adds the reports of its members.
    """

    reasons: tuple[str, ...]
    seconds: float
    known: Result | None = None
    named: tuple[str, ...] = ()
    rollup: bool = False

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


def make_plan(
    districts: Sequence[str] | None,
    years: Sequence[int] | None,
    *,
    settings: Settings,
    forms: Sequence[str] | None = None,
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
    forms : sequence of str, optional
        Of each district those that its file names, and that a file of a report names, by default.
    failed : collection of (district, name)
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
    hierarchy = project.hierarchy()
    matrix = [
        OfReport(district, year, form=form)
        for district in dict.fromkeys(
            map(project.district_id, districts or sorted(p.stem for p in folder.glob("*.yaml")))
        )
        for year, form in reports_of(project, district, years, forms, hierarchy)
    ]
    if not matrix:
        raise InputError(
            "batch", "there is nothing to do: {folder} and --years name no report", folder=folder
        )
    if only_failed:
        matrix = [wanted for wanted in matrix if wanted.report in failed]
    reports: list[Planned] = []
    # What many reports are made from, such as the notebook, is read once.
    begin_once, digest_once = cache(begin), cache(digest)
    places = (settings.out.joinpath(*wanted.report, "current") for wanted in matrix)
    if not all(place.exists() for place in places):
        begin_once()
    for wanted in matrix:
        members = hierarchy.members(wanted.district)
        try:
            adds = bool(members) and settings.scope != "office"
            rollup = adds and _sums_up(project, wanted.district, wanted.form)
            request = settings.request(wanted, hierarchy, rollup=rollup)
            reports.append(_planned(request, project, settings, digest_once, begin_once))
        except InputError as error:
            refused = Result.failure(wanted, error.reason, error.message, error.exit_status)
            reports.append(Planned(wanted.district, wanted.year, (), 0, refused, form=wanted.form))
    plan = Plan(tuple(reports))
    if strict and plan.refused:
        messages = dict.fromkeys(result.message for result in plan.refused)
        several = Message("{count} things are", count=len(messages))
        things = several if len(messages) > 1 else Message("one thing is")
        listed = joined("\n", ["  " + message for message in messages])
        raise InputError(
            "batch",
            "the batch cannot begin; {things} wrong:\n{listed}",
            things=things,
            listed=listed,
        )
    reports = _with_readers(reports, hierarchy)
    last = {district for district, _ in failed}
    return Plan(tuple(reports), _jobs(reports, hierarchy, settings, last))


def _sums_up(project: Project, parent: str, form: str | None) -> bool:
    """Return True where a parent's report is the sum of its members', not one from ledgers."""
    who = project.district(parent, form)
    return who.scope == "office" or not Ledgers(project, who).any_kept


def _planned(
    request: Request,
    project: Project,
    settings: Settings,
    digest: Callable[[Path], str],
    begin: Callable[[], object],
) -> Planned:
    district, year, form = request.district, request.year, request.form
    who = project.district(district, form)
    own = request.rollup and counts_itself(project, who)
    reasons = list(changes(request, digest=digest))
    if own:
        of_office = replace(request, rollup=False)
        reasons += [
            Message("its own office: {why}", why=why) for why in changes(of_office, digest=digest)
        ]
    last = seconds_of(request.place)
    planned = Planned(district, year, (), last, form=form, rollup=request.rollup)
    if not reasons and not settings.force:
        outcome = outcome_of(standing(request), unchanged=True)
        return replace(planned, known=made(planned, outcome))
    begin()
    project.report(who, year)
    files = _ledgers(project, who, year) if own or not request.rollup else []
    seconds = last or 1 + sum(path.stat().st_size for path in files) / 1e6
    reasons += [Message("asked for by --force")] if settings.force else []
    named = tuple(f"{key}\0{source!r}" for key, source in who.ledgers.items())
    return replace(planned, reasons=tuple(reasons), seconds=seconds, named=named)


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
    needed, unused = edition.ledgers(), form.unused(edition)
    for key, schema in schemas(form).items():
        if key in unused:
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
            missing += [
                Message("{path}, named in the district's file, is missing", path=path)
                for path in paths
                if not path.is_file()
            ]
        files += [path for path in paths if path.is_file()]
    if missing:
        nothing = not files and not district.ledgers
        raise InputError(
            "not-handed-in" if nothing else "ledger-missing",
            "{id} {year}: {missing}",
            id=district.id,
            year=year,
            missing=Message("nothing is handed in: {folder} holds no ledger", folder=folder)
            if nothing
            else joined("; ", missing),
        )
    return files


def _with_readers(reports: Iterable[Planned], hierarchy: Hierarchy) -> list[Planned]:
    """Have those reports made too that read the run of one that is made anew."""
    all_of = {planned.report: planned for planned in reports}
    of_year: dict[tuple[str, int], list[Report]] = {}
    for planned in all_of.values():
        of_year.setdefault((planned.district, planned.year), []).append(planned.report)
    todo = [report for report, planned in all_of.items() if planned.reasons]
    while todo:
        made = all_of[todo.pop()]
        next_year = (made.district, report_name(made.year + 1, made.form))
        above = of_year.get((str(hierarchy.above.get(made.district, "")), made.year), [])
        readers = {next_year: made.called, **dict.fromkeys(above, made.district)}
        for reader, named in readers.items():
            if reader in all_of and not all_of[reader].reasons:
                why = (Message("the report of {named} is made first", named=named),)
                all_of[reader] = replace(all_of[reader], reasons=why, known=None)
                todo.append(reader)
    return list(all_of.values())


def _jobs(
    reports: Iterable[Planned], hierarchy: Hierarchy, settings: Settings, last: Collection[str]
) -> tuple[Job, ...]:
    """One job for each district that has something to do, or for some that share a ledger."""
    chains: dict[tuple[str, str | None], list[Planned]] = {}
    for planned in reports:
        if planned.reasons:
            chains.setdefault((planned.district, planned.form), []).append(planned)

    def height(district: str, above: tuple[str, ...] = ()) -> int:
        line = (*above, district)
        below = (height(name, line) for name in hierarchy.members(district) if name not in line)
        return 1 + max(below, default=-1)

    def urgency(chain: tuple[str, str | None]) -> tuple[bool, int, float]:
        seconds = sum(planned.seconds for planned in chains[chain])
        return chain[0] in last, height(chain[0]), -seconds

    # Ledgers that several districts name are read once for some of them; see `Job.then`.
    uses = Counter(name for chain in chains.values() for name in chain[0].named)
    groups: dict[object, list[Job]] = {}
    for name in sorted(chains, key=urgency):
        years = tuple(sorted(planned.year for planned in chains[name]))
        district, form = name
        shared = frozenset(ledger for ledger in chains[name][0].named if uses[ledger] > 1)
        group = groups.setdefault((urgency(name)[:2], form, shared) if shared else name, [])
        rollup = any(planned.rollup for planned in chains[name])
        around = hierarchy.around(district)
        group.append(Job(district, years, settings, around, rollup, form=form))
    return tuple(
        together(group[start : start + _TOGETHER])
        for group in groups.values()
        for start in range(0, len(group), _TOGETHER)
    )


def plan_document(plan: Plan) -> dict[str, Any]:
    """The document of ``--dry-run``."""
    reports = [
        {
            **{name: getattr(planned, name) for name in ("district", "year", "form")},
            "runs": bool(planned.reasons),
            "why": list(planned.reasons),
            "refused": planned.refused
            and {"reason": planned.refused.reason, "message": planned.refused.message},
        }
        for planned in plan.reports
    ]
    order = [
        [part.district, list(part.years), *([part.form] if part.form else [])]
        for job in plan.jobs
        for part in job.parts
    ]
    return {"schema": "reportkit/plan/1", "reports": reports, "order": order}


def plan_text(plan: Plan) -> str:
    """The plan for a terminal."""
    lines = []
    for planned in plan.reports:
        why = joined("; ", planned.reasons or [Message("unchanged")])
        if planned.refused:
            why = joined("", [planned.refused.message, f" [{planned.refused.reason}]"])
        lines.append(joined(COLON, [" ".join(planned.report), why]))
    runs = sum(bool(planned.reasons) for planned in plan.reports)
    text = Message("{runs} of {reports} must be made", runs=runs, reports=len(plan.reports))
    refused = Message(", {refused} cannot be", refused=len(plan.refused)) if plan.refused else ""
    return joined("\n", [*lines, text + refused])
