"""The command batch: from its options over plan and loop to the summary."""

from __future__ import annotations

import errno
import os
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from reportkit.batch.files import unwritten, write_files
from reportkit.batch.loop import Done, Event, run_batch
from reportkit.batch.notify import notify
from reportkit.batch.options import Options, jobs_of
from reportkit.batch.plan import Plan, make_plan, plan_document, plan_text
from reportkit.batch.progress import Progress
from reportkit.batch.signals import Signals
from reportkit.batch.summary import About, summary, summary_text
from reportkit.batch.workers.local import LocalWorkers, start_template
from reportkit.catalogue.journal import NAME, Journal
from reportkit.catalogue.state import StateOfAll, read_state, renew
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
from reportkit.language import Message, joined
from reportkit.language.catalogue import translator
from reportkit.language.message import COLON, translated
from reportkit.params import Project
from reportkit.run.publishing import clear_stale
from reportkit.warm.processes import need_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reportkit.batch.loop import Workers
    from reportkit.batch.matrix import BatchFile


def _now() -> datetime:
    return datetime.now(UTC)


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
        plan = _plan(options, project, options.batch_file(project), read_state(out))
        status = max((result.exit_status for result in plan.refused), default=0)
        return status, plan_document(plan), plan_text(plan)
    name = f"{started:%Y%m%dT%H%M%SZ}-{os.getpid()}"
    events: SimpleQueue[Event] = SimpleQueue()
    with Signals(events.put) as signals:
        try:
            journal = _open_journal(out, name)
            context = _Context(options, project, name, started, journal, read_state(out))
            plan, done = _make(context, events, signals)
            status, document, text = _finish(context, plan, done, events)
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


def _notify(options: Options, text: str) -> str:
    if options.notify is None:
        return ""
    return notify(options.notify, translated(text, translator(options.language)))


@dataclass(frozen=True)
class _Context:
    """Fields that the steps of a batch share; *before* is the state that it found."""

    options: Options
    project: Project
    name: str
    started: datetime
    journal: Journal
    before: StateOfAll


def _make(context: _Context, events: SimpleQueue[Event], signals: Signals) -> tuple[Plan, Done]:
    """Plan and make the reports; a batch that cannot begin, or is stopped before, is a result."""
    options, journal, project = context.options, context.journal, context.project
    plan = Plan()
    with Progress(clock=time.monotonic, translate=translator(options.language)) as progress:
        try:
            need_files()
            file = options.batch_file(project)
            plan = _plan(options, project, file, context.before)
            workers = _workers(options, jobs_of(file), events.put)
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
        if journal.new:
            _add_found(journal, plan, project.out)
        unchanged = [
            planned for planned in plan.reports if not planned.reasons and not planned.refused
        ]
        progress.planned(len(plan.reports), len(unchanged))
        for planned in unchanged:  # the others' leftovers are cleared when they are made
            clear_stale(project.out.joinpath(*planned.report))
        done = run_batch(plan, workers, events, limits=file, journal=journal, watcher=progress)
        return plan, done


def _finish(
    context: _Context, plan: Plan, done: Done, events: SimpleQueue[Event]
) -> tuple[int, dict[str, Any], str]:
    """Sum up, and write what the batch leaves, however it ended."""
    options, project, journal = context.options, context.project, context.journal
    out = project.out
    state, problem = _renewed(context, done)
    while not events.empty():
        if isinstance(event := events.get(), int):
            done = replace(done, stopped=event)
    status = done.exit_status(options.fail_on)
    about = About(context.name, context.started, _now(), options.command, status)
    document = summary(done, about, out=out)
    written = write_files(project, document, state, done, metrics_file=options.metrics)
    if problem := written or problem:
        status = document["exit_status"] = max(status, 3)
        document["unwritten"] = problem
    journal.add("ended", exit_status=status, left=len(done.left))
    journal.close()
    if done.refused:
        raise done.refused
    text = summary_text(document)
    if problem:
        text += Message(
            "\n{unwritten}; what {out} says of the last batch is not of this one",
            unwritten=problem,
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


def _renewed(context: _Context, done: Done) -> tuple[StateOfAll, str]:
    """The state of all reports, from the store; and why that could not be written."""
    project = context.project
    renewed = partial(renew, context.before, done.results, project=project, at=context.started)
    try:
        with opened(project.out) as store:
            return renewed(store=store), ""
    except OSError as error:
        return renewed(store=None), unwritten(error, project.out / STORE)


def _plan(options: Options, project: Project, file: BatchFile, state: StateOfAll) -> Plan:
    local = options.scheduler is None and not options.dry_run and not options.cold
    begin = start_template if local else lambda: None
    return make_plan(
        file.districts,
        file.years,
        settings=options.settings(project, file),
        forms=file.form,
        failed=state.failed,
        only_failed=options.failed,
        strict=options.strict,
        begin=begin,
    )


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


def _add_found(journal: Journal, plan: Plan, out: Path) -> None:
    """Begin a new journal with the runs that are in force already."""
    for planned in plan.reports:
        current = out.joinpath(*planned.report, "current")
        if current.is_dir():
            names = {"district": planned.district, "year": planned.year, "form": planned.form}
            journal.add("found", **names, run=current.resolve().name)
