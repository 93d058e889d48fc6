"""A batch from its file and options to its summary."""

from __future__ import annotations

import errno
import json
import os
import shlex
import subprocess
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Literal

from reportkit.batch.jobs import Settings
from reportkit.batch.loop import Done, Event, FailOn, run_batch
from reportkit.batch.matrix import BatchFile, parse_years, read_batch_file
from reportkit.batch.metrics import metrics
from reportkit.batch.plan import Plan, make_plan, plan_document, plan_text
from reportkit.batch.progress import Progress
from reportkit.batch.signals import Signals
from reportkit.batch.summary import About, summary, summary_text
from reportkit.batch.workers.local import LocalWorkers, start_template
from reportkit.catalogue.journal import NAME, Journal
from reportkit.catalogue.state import NAME as STATE
from reportkit.catalogue.state import StateOfAll, as_json, read_state, renew
from reportkit.catalogue.store import NAME as STORE
from reportkit.catalogue.store import opened
from reportkit.errors import (
    ExecutionError,
    InputError,
    ReportkitError,
    Stopped,
    refusal,
    refused_by_system,
)
from reportkit.export.files import write_whole
from reportkit.language import Message, joined
from reportkit.language.catalogue import translator
from reportkit.language.message import COLON, translated
from reportkit.params import Project
from reportkit.run.publishing import clear_stale
from reportkit.warm.limits import free_memory, processors
from reportkit.warm.processes import need_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from reportkit.batch.loop import Workers

# A report's process with all of pandas in it, and room to work.
_ROOM = 1 << 30
# Seconds that somebody may take to be notified.
_PATIENCE = 60


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Options:
    """Options of the command line; they take precedence over the batch file.

    Parameters
    ----------
    command : tuple of str
        The command as it was given, to be given again.
    language : {"en", "zh"}
        Of what people are told.
    """

    file: Path | None = None
    params: Path | None = None
    data: Path | None = None
    districts: str | None = None
    years: str | None = None
    form: str | None = None
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
    notify: str | None = None
    metrics: Path | None = None
    command: tuple[str, ...] = ("reportkit", "batch")
    language: Literal["en", "zh"] = "en"


def batch(options: Options, out: Path) -> tuple[int, Any, str]:
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
    started = _now()
    project = Project.find(options.params, options.data, out)
    if options.dry_run:
        settings, file, _ = _settings(options, project)
        plan = _plan(options, file, settings, read_state(out))
        status = max((result.exit_status for result in plan.refused), default=0)
        return status, plan_document(plan), plan_text(plan)
    name = f"{started:%Y%m%dT%H%M%SZ}-{os.getpid()}"
    events: SimpleQueue[Event] = SimpleQueue()
    with Signals(events.put) as signals:
        try:
            fresh = not (out / NAME).exists()
            journal = _open_journal(out, name)
            begun = _Begun(options, project, name, started, journal, read_state(out))
            plan, done = _make(begun, events, signals, fresh=fresh)
            status, document, text = _finish(begun, plan, done, events)
        except ReportkitError as error:
            if problem := _notify(options, joined(COLON, ["reportkit", str(error)])):
                raise type(error)(
                    error.reason,
                    "{message}\n{problem}",
                    message=error.message,
                    problem=problem,
                    **error.fields,
                ) from None
            raise
        if problem := _notify(options, text):
            status, text = max(status, 3), joined("\n", [text, problem])
        return status, document, text


@dataclass(frozen=True)
class _Begun:
    """A batch that has begun to write."""

    options: Options
    project: Project
    name: str
    started: datetime
    journal: Journal
    before: StateOfAll


def _make(
    begun: _Begun, events: SimpleQueue[Event], signals: Signals, *, fresh: bool
) -> tuple[Plan, Done]:
    """Plan and make; what ends a batch before its first report is in what came of it."""
    options, journal, out = begun.options, begun.journal, begun.project.out
    plan = Plan()
    with Progress(clock=time.monotonic, translate=translator(options.language)) as progress:
        try:
            need_files()
            settings, file, jobs = _settings(options, begun.project)
            plan = _plan(options, file, settings, begun.before)
            workers = _workers(options, jobs, events.put)
        except (ReportkitError, OSError) as error:
            signals.defer()
            refused = refusal(error) if isinstance(error, OSError) else error
            if refused is None:
                raise
            journal.add("refused", reason=refused.reason, message=refused.message)
            return plan, Done(refused=refused)
        except Stopped as stopped:
            journal.add("stopping", cause=stopped.number)
            left = tuple(planned.report for planned in plan.reports)
            return plan, Done((), left, stopped.number)
        signals.defer()
        if fresh:
            _tell_found(journal, plan, out)
        unchanged = [
            planned for planned in plan.reports if not planned.reasons and not planned.refused
        ]
        progress.planned(len(plan.reports), len(unchanged))
        for planned in unchanged:  # nobody else comes there
            clear_stale(out.joinpath(*planned.report))
        done = run_batch(plan, workers, events, limits=file, journal=journal, watcher=progress)
        return plan, done


def _finish(
    begun: _Begun, plan: Plan, done: Done, events: SimpleQueue[Event]
) -> tuple[int, dict[str, Any], str]:
    """Sum up, and write what a batch leaves; whatever came of it."""
    options, out, journal = begun.options, begun.project.out, begun.journal
    state, unwritten = _renewed(begun, done)
    while not events.empty():
        if isinstance(event := events.get(), int):
            done = replace(done, stopped=event)
    status = done.exit_status(options.fail_on)
    about = About(begun.name, begun.started, _now(), options.command, status)
    document = summary(done, about, out=out)
    unwritten = _leave(begun, document, state, done) or unwritten
    if unwritten:
        status = document["exit_status"] = max(status, 3)
        document["unwritten"] = unwritten
    journal.add("ended", exit_status=status, left=len(done.left))
    journal.close()
    if done.refused:
        raise done.refused
    text = summary_text(document)
    if unwritten:
        text += Message(
            "\n{unwritten}; what {out} says of the last batch is not of this one",
            unwritten=unwritten,
            out=out,
        )
    if journal.lost:
        text += Message(
            "\n{lost} events could not be written to {out}", lost=journal.lost, out=out / NAME
        )
    if options.explain_cache:
        document["plan"] = plan_document(plan)["reports"]
        text = joined("\n", [plan_text(plan), text])
    return status, document, text


def _renewed(begun: _Begun, done: Done) -> tuple[StateOfAll, str]:
    """The state of all reports, from the store; and why that could not be written."""
    renewed = partial(renew, begun.before, done.results, project=begun.project, at=begun.started)
    try:
        with opened(begun.project.out) as store:
            return renewed(store=store), ""
    except OSError as error:
        return renewed(store=None), _unwritten(error, begun.project.out / STORE)


def _unwritten(error: OSError, place: Path) -> Message:
    out = error.filename or place
    return Message("{out} cannot be written: {why}", out=out, why=refused_by_system(error))


def _notify(options: Options, text: str) -> str:
    """Run a command with the summary on stdin; says what was wrong with it."""
    command = options.notify
    if command is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - the words of the option, no shell
            shlex.split(command),
            input=translated(text, translator(options.language)),
            text=True,
            capture_output=True,
            check=False,
            timeout=_PATIENCE,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        return Message("--notify failed: {error}", error=error)
    if not done.returncode:
        return ""
    detail = f": {done.stderr.strip()}" if done.stderr.strip() else ""
    return Message(
        "--notify ended with status {returncode}{detail}",
        returncode=done.returncode,
        detail=detail,
    )


def _settings(options: Options, project: Project) -> tuple[Settings, BatchFile, int]:
    file = _file(options, project)
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
        memory=file.memory << 20 if file.memory else max(2 * _ROOM, free_memory() // jobs),
    )
    return settings, file, jobs


def _plan(options: Options, file: BatchFile, settings: Settings, state: StateOfAll) -> Plan:
    local = options.scheduler is None and not options.dry_run and not options.cold
    begin = start_template if local else lambda: None
    return make_plan(
        file.districts,
        file.years,
        settings=settings,
        forms=file.form,
        failed=state.failed,
        only_failed=options.failed,
        strict=options.strict,
        begin=begin,
    )


def _leave(begun: _Begun, document: dict[str, Any], state: StateOfAll, done: Done) -> str:
    """Write what the batch leaves, each file at once; says what could not be written."""
    options, project = begun.options, begun.project
    name, out = document["batch"], project.out
    reports = [report for report in document["reports"] if report["state"] != "unchanged"]
    try:
        _write(out / "batches" / f"{name}.json", _json(document | {"reports": reports}))
        _write(out / "batch.json", _json(document))
        _write(out / STATE, json.dumps(as_json(state), ensure_ascii=False))
        if options.metrics:
            _write(options.metrics, metrics(document, state))
        # Imported here, since it takes memory that reports need before.
        from reportkit.catalogue.site import NAME as SITE
        from reportkit.catalogue.site import write_site

        if any(result.state == "made" for result in done.results):
            from reportkit.proof.chain import seal_batch
            from reportkit.proof.signing.settings import signer_from

            runs = [Path(result.run) for result in done.results if result.run]
            seal_batch(out, runs, name=name, signer=signer_from(os.environ))
        # Last, since all the rest counts for more.
        with opened(out) as store:
            site = write_site(project, store, out / SITE, state=state, batch=document)
        _write(out / "batch.html", site.front_page(out))
    except OSError as error:
        return _unwritten(error, out)
    except InputError as error:
        return error.message
    return ""


def _write(path: Path, content: str) -> None:
    # Names of files can hold what is no character.
    write_whole(path, content.encode(errors="backslashreplace"))


def default_jobs() -> int:
    """Number of jobs for which there are processors and memory."""
    return max(1, min(processors(), free_memory() // _ROOM))


def _file(options: Options, project: Project) -> BatchFile:
    """The batch file with the options put over it."""
    path = options.file or project.params / "batch.yaml"
    if options.file and not path.is_file():
        raise InputError("batch", "there is no batch file {path}", path=path)
    file = read_batch_file(path) if path.is_file() else BatchFile()
    try:
        years = options.years and parse_years(options.years)
    except ValueError as error:
        raise InputError("batch", "--years: {error}", error=error) from None
    given = {
        "years": years,
        "scope": options.scope,
        "jobs": options.jobs,
        "retries": options.retries,
        "timeout": options.timeout,
        "districts": options.districts
        and tuple(map(project.district_id, options.districts.split(","))),
        "form": options.form and tuple(options.form.split(",")),
    }
    return file.model_copy(update={name: v for name, v in given.items() if v is not None})


def _workers(options: Options, jobs: int, tell: Callable[[Any], None]) -> Workers:
    address = options.scheduler
    if address is None:
        return LocalWorkers(jobs, tell=tell)
    try:
        from reportkit.batch.workers.cluster import ClusterWorkers
    except ModuleNotFoundError as error:
        raise InputError(
            "extra-missing",
            "--scheduler needs {name}: pip install 'reportkit-zwgk[cluster]'",
            name=error.name,
        ) from None
    return ClusterWorkers(address, options.store, jobs=jobs, tell=tell)


def _open_journal(out: Path, name: str) -> Journal:
    try:
        out.mkdir(parents=True, exist_ok=True)
        return Journal(out, name, now=_now)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise
        raise ExecutionError(
            "not-writable",
            "{out} cannot be written: {why}; choose another --out",
            out=out,
            why=refused_by_system(error),
        ) from None


def _tell_found(journal: Journal, plan: Plan, out: Path) -> None:
    """A journal that is gone is begun anew with the runs that are there."""
    for planned in plan.reports:
        current = out.joinpath(*planned.report, "current")
        if current.is_dir():
            whose = {"district": planned.district, "year": planned.year, "form": planned.form}
            journal.add("found", **whose, run=current.resolve().name)


def _json(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"
