"""A batch from its file and options to its summary."""

from __future__ import annotations

import errno
import json
import os
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from reportkit.batch.jobs import Result, Settings
from reportkit.batch.journal import NAME, Journal
from reportkit.batch.loop import Done, Event, FailOn, Limits, run_batch
from reportkit.batch.page import Language, state_page
from reportkit.batch.plan import BatchFile, Plan, make_plan, parse_years, read_batch_file
from reportkit.batch.progress import Progress
from reportkit.batch.signals import Signals
from reportkit.batch.state import NAME as STATE
from reportkit.batch.state import StateOfAll, as_json, read_state, renew
from reportkit.batch.summary import About, summary, summary_text
from reportkit.batch.workers.local import LocalWorkers, start_template
from reportkit.errors import ExecutionError, InputError, ReportkitError, Stopped, refusal
from reportkit.params import Project
from reportkit.run.publishing import clear_stale

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reportkit.batch.loop import Workers

# A report's process with all of pandas in it, and room to work.
_ROOM = 1 << 30


@dataclass(frozen=True)
class Options:
    """What stands in the command; it goes before what stands in the file.

    Parameters
    ----------
    command : tuple of str
        The command as it was given, to be given again.
    language : {"en", "zh"}
        Of the page for people.
    """

    file: Path | None = None
    params: Path | None = None
    data: Path | None = None
    districts: str | None = None
    years: str | None = None
    scope: Any = None
    jobs: int | None = None
    retries: int | None = None
    timeout: float | None = None
    force: bool = False
    failed: bool = False
    strict: bool = False
    fail_on: FailOn = "error"
    cold: bool = False
    dry_run: bool = False
    explain_cache: bool = False
    scheduler: str | None = None
    store: str | None = None
    command: tuple[str, ...] = ("reportkit", "batch")
    language: Language = "en"


def batch(
    options: Options, out: Path, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> tuple[int, Any, str]:
    """Plan and run a batch.

    Returns
    -------
    tuple of int, object, str
        Exit status, the document of ``batch.json`` (or of the plan), text for a terminal.

    Raises
    ------
    ReportkitError
        The matrix or the settings are wrong, nothing was run, and ``batch.json`` says so;
        ``not-writable``: nothing can be written to *out*.
    """
    started = now()
    name = f"{started:%Y%m%dT%H%M%SZ}-{os.getpid()}"
    project = Project.find(options.params, options.data, out)
    if options.dry_run:
        settings, file, _ = _settings(options, project)
        plan = _plan(options, file, settings, read_state(out))
        status = max((one.exit_status for one in plan.refused), default=0)
        return status, _plan_document(plan), _plan_text(plan)
    fresh = not (out / NAME).exists()
    journal = _open_journal(out, name, now)
    state = read_state(out)
    plan, done, workers = Plan(), Done(), None
    refused: ReportkitError | None = None
    events: SimpleQueue[Event] = SimpleQueue()
    with Progress(clock=time.monotonic) as progress, Signals(events.put) as signals:
        try:
            settings, file, jobs = _settings(options, project)
            plan = _plan(options, file, settings, state)
            workers = _workers(options, jobs, events.put)
        except (ReportkitError, OSError) as error:
            refused = refusal(error) if isinstance(error, OSError) else error
            if refused is None:
                raise
            journal.add("refused", reason=refused.reason, message=refused.message)
        except Stopped as stopped:
            journal.add("stopping", cause=stopped.number)
            left = tuple((one.district, one.year) for one in plan.reports)
            done = Done((), left, stopped.number)
        signals.defer()
        if workers is not None:
            if fresh:
                _tell_found(journal, plan, out)
            progress.planned(len(plan.reports), sum(not one.reasons for one in plan.reports))
            for one in plan.reports:
                if not one.reasons:  # nobody else comes there
                    clear_stale(out / one.district / str(one.year))
            limits = Limits(file.retries, file.stop_after)
            done = run_batch(
                plan, workers, events, limits=limits, journal=journal, watcher=progress
            )
        state = renew(state, done.results, out=out, project=project, at=started)
        while not events.empty():
            if isinstance(event := events.get(), int):
                done = replace(done, stopped=event)
        status = refused.exit_status if refused else done.exit_status(options.fail_on)
        about = About(name, started, now(), options.command, status, refused)
        document = summary(done, about, out=out)
        if unwritten := _leave(options, document, state, done, out):
            status = document["exit_status"] = max(status, 3)
            document["unwritten"] = unwritten
        journal.add("ended", exit_status=status, left=len(done.left))
        journal.close()
    if refused:
        raise refused
    text = summary_text(document)
    if unwritten:
        text += f"\n{unwritten}; what {out} says of the last batch is not of this one"
    if journal.lost:
        text += f"\n{journal.lost} events could not be written to {out / NAME}"
    if options.explain_cache:
        document["plan"] = _plan_document(plan)["reports"]
        text = f"{_plan_text(plan)}\n{text}"
    return status, document, text


def _settings(options: Options, project: Project) -> tuple[Settings, BatchFile, int]:
    file = _file(options, project.params)
    jobs = file.jobs or default_jobs()
    settings = Settings(
        options.params,
        options.data,
        project.out,
        Path.cwd(),
        scope=file.scope,
        force=options.force,
        warm=not options.cold,
        timeout=file.timeout,
        memory=_memory(file, jobs),
    )
    return settings, file, jobs


def _plan(options: Options, file: BatchFile, settings: Settings, state: StateOfAll) -> Plan:
    local = options.scheduler is None and not options.dry_run and not options.cold
    begin = start_template if local else lambda: None
    return make_plan(
        file.districts,
        file.years,
        settings=settings,
        failed=state.failed,
        only_failed=options.failed,
        strict=options.strict,
        begin=begin,
    )


def _leave(
    options: Options, document: dict[str, Any], state: StateOfAll, done: Done, out: Path
) -> str:
    """Write what the batch leaves, each file at once; says what could not be written."""
    name = document["batch"]
    told = [one for one in document["reports"] if one["state"] != "unchanged"]
    try:
        history = out / "batches" / f"{name}.json"
        history.parent.mkdir(exist_ok=True)
        _replace(history, _json(document | {"reports": told}), name)
        _replace(out / "batch.json", _json(document), name)
        _replace(out / STATE, _json(as_json(state)), name)
        page = state_page(state, document, out=out, language=options.language)
        _replace(out / "batch.html", page, name)
        if any(result.state == "made" for result in done.results):
            _chain(out, done.results, name)
    except OSError as error:
        return f"{error.filename or out} cannot be written: {error.strerror}"
    return ""


def _replace(path: Path, content: str, name: str) -> None:
    new = path.with_name(f".batch-{name}{path.suffix}")
    try:
        new.write_text(content, encoding="utf-8")
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise


def _chain(out: Path, results: Sequence[Result], name: str) -> None:
    """State which runs are in force now, after the batch before; signed if a key is named."""
    from reportkit.proof.chain import seal_batch
    from reportkit.proof.signing.settings import signer_from

    runs = [Path(result.run) for result in results if result.run]
    seal_batch(out, runs, name=name, signer=signer_from(os.environ))


def default_jobs() -> int:
    """As many as there are processors for us, and as memory has room for."""
    ours = getattr(os, "sched_getaffinity", None)
    processors = len(ours(0)) if ours else os.cpu_count() or 1
    return max(1, min(processors, _available() // _ROOM))


def _available() -> int:
    """Bytes of memory that are free for us; all of it where the system does not tell."""
    told = Path("/proc/meminfo")
    if not told.is_file():
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    lines = told.read_text(encoding="ascii").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))


def _memory(file: BatchFile, jobs: int) -> int:
    return file.memory << 20 if file.memory else max(2 * _ROOM, _available() // jobs)


def _file(options: Options, params: Path) -> BatchFile:
    """The batch file with the options put over it."""
    path = options.file or params / "batch.yaml"
    if options.file and not path.is_file():
        raise InputError("batch", f"there is no batch file {path}")
    file = read_batch_file(path) if path.is_file() else BatchFile()
    try:
        years = options.years and parse_years(options.years)
    except ValueError as error:
        raise InputError("batch", f"--years: {error}") from None
    given = {
        "years": years,
        "scope": options.scope,
        "jobs": options.jobs,
        "retries": options.retries,
        "timeout": options.timeout,
        "districts": options.districts and tuple(options.districts.split(",")),
    }
    return file.model_copy(update={name: v for name, v in given.items() if v is not None})


def _workers(options: Options, jobs: int, tell: Callable[[Any], None]) -> Workers:
    address = options.scheduler
    if address is None:
        return LocalWorkers(jobs, tell=tell)
    try:
        from reportkit.batch.workers.cluster import ClusterWorkers
    except ModuleNotFoundError as error:
        message = f"--scheduler needs {error.name}: pip install 'reportkit-zwgk[cluster]'"
        raise InputError("extra-missing", message) from None
    return ClusterWorkers(address, options.store, jobs=jobs, tell=tell)


def _open_journal(out: Path, name: str, now: Callable[[], datetime]) -> Journal:
    try:
        out.mkdir(parents=True, exist_ok=True)
        return Journal(out, name, now=now)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise
        message = f"{out} cannot be written: {error.strerror}; choose another --out"
        raise ExecutionError("not-writable", message) from None


def _tell_found(journal: Journal, plan: Plan, out: Path) -> None:
    """A journal that is gone is begun anew with the runs that are there."""
    for planned in plan.reports:
        current = out / planned.district / str(planned.year) / "current"
        if current.is_dir():
            run = current.resolve().name
            journal.add("found", district=planned.district, year=planned.year, run=run)


def _plan_document(plan: Plan) -> Any:
    reports = [
        {
            "district": planned.district,
            "year": planned.year,
            "runs": bool(planned.reasons),
            "why": list(planned.reasons),
            "refused": planned.refused
            and {"reason": planned.refused.reason, "message": planned.refused.message},
        }
        for planned in plan.reports
    ]
    order = [[part.district, list(part.years)] for job in plan.jobs for part in job.parts]
    return {"schema": "reportkit/plan/1", "reports": reports, "order": order}


def _plan_text(plan: Plan) -> str:
    lines = []
    for planned in plan.reports:
        why = "; ".join(planned.reasons) or "unchanged"
        if planned.refused:
            why = f"{planned.refused.message} [{planned.refused.reason}]"
        lines.append(f"{planned.district} {planned.year}: {why}")
    runs = sum(bool(planned.reasons) for planned in plan.reports)
    told = f"{runs} of {len(plan.reports)} must be made"
    refused = f", {len(plan.refused)} cannot be" if plan.refused else ""
    return "\n".join([*lines, told + refused])


def _json(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"
