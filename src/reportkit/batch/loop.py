"""The loop of a batch: a failed report stops no other, a stopped batch resumes where it was."""

from __future__ import annotations

import signal
from collections import Counter, deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol

from reportkit.batch.jobs import MACHINE, Job, Result, Started, together
from reportkit.errors import ReportkitError
from reportkit.language import Message, joined
from reportkit.language.message import packed

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from queue import SimpleQueue

    from reportkit.batch.matrix import BatchFile
    from reportkit.batch.plan import Plan
    from reportkit.batch.progress import Progress
    from reportkit.catalogue.journal import Journal
    from reportkit.params.naming import Report

FailOn = Literal["error", "draft", "never"]


class Workers(Protocol):
    """Executor of `concurrent.futures` whose jobs report events, and can be ended."""

    capacity: int

    def submit(self, fn: Callable[..., None], job: Job, /) -> Future[list[Result]]:
        """Start a job; its future ends once all its results were reported."""

    def close(self) -> None:
        """Let the reports that run end, and begin with no other."""

    def kill(self) -> None:
        """End all that runs, now."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Close the workers, as every executor does."""


@dataclass(frozen=True)
class Done:
    """Results of a batch.

    Parameters
    ----------
    results : tuple of Result
        Of every report that was tried or held.
    left : tuple of (district, name)
        Not tried, since the batch was stopped.
    stopped : int or str, optional
        The signal that stopped it, or the reason code of too many failures in a row.
    refused : ReportkitError, optional
        Why it could not begin.
    """

    results: tuple[Result, ...] = ()
    left: tuple[Report, ...] = ()
    stopped: int | str | None = None
    refused: ReportkitError | None = None

    def exit_status(self, fail_on: FailOn = "error") -> int:
        """128 + signal if stopped by one, 2 or 3 if refused, else the worst of its reports.

        Parameters
        ----------
        fail_on : {"error", "draft", "never"}
            ``draft``: a report that is a draft for whatever reason counts as one with an open
            error. ``never``: reports do not count, only that the batch was stopped.
        """
        if isinstance(self.stopped, int):
            return 128 + self.stopped
        if self.refused:
            return self.refused.exit_status
        statuses = [3] if self.stopped else [0]
        if fail_on != "never":
            statuses += [result.exit_status for result in self.results]
        if fail_on == "draft":
            statuses += [1 for result in self.results if result.draft]
        return max(statuses)


@dataclass(frozen=True)
class Ended:
    """A job is over; its error, if it had one of its own."""

    job: Job
    error: BaseException | None


Event = Started | Result | Ended | int


class _Batch:
    """The state of a running batch, changed in one thread, event by event."""

    def __init__(self, plan: Plan, limits: BatchFile, journal: Journal, watcher: Progress) -> None:
        self.limits, self.journal, self.watcher = limits, journal, watcher
        self.waiting = deque(plan.jobs)
        self.running = 0
        self._unfinished = Counter(part.district for job in plan.jobs for part in job.parts)
        self.results: dict[Report, Result] = {}
        self.stopped: int | str | None = None
        self.killed = False
        self._tries: Counter[Report] = Counter()
        self._broken: dict[str, str] = {}
        self._begun: set[Report] = set()

    def take(self, event: Started | Result) -> None:
        report = event.report
        if isinstance(event, Started):
            if report in self._begun:
                self.watcher.note(
                    Message(
                        "{report}: begun again, since the worker that had it is lost",
                        report=" ".join(report),
                    )
                )
            self._begun.add(report)
            self.journal.add("started", district=event.district, year=event.year, form=event.form)
            self.watcher.started(report)
            return
        self._begun.discard(report)
        if self.killed and event.killed:
            return
        self._tries[report] += 1
        if event.transient and self._tries[report] <= self.limits.retries:
            self._write("again", event)
            self.watcher.again(event)
            return
        self.results[report] = event
        self._write(event.state, event)
        self.watcher.ended(event)
        if event.state != "failed":
            self._broken.clear()
        elif event.reason in MACHINE:
            self._broken[event.district] = event.reason
        if 0 < self.limits.stop_after <= len(self._broken):
            self.stop(Counter(self._broken.values()).most_common(1)[0][0])

    def next(self) -> Job | None:
        """The first job whose members' reports are done; of two that wait for each other, one."""
        for number, job in enumerate(self.waiting):
            members = (member for part in job.parts for member in part.members)
            if not any(self._unfinished[member] for member in members):
                del self.waiting[number]
                return job
        return self.waiting.popleft() if self.waiting and not self.running else None

    def ended(self, job: Job, error: BaseException | None) -> None:
        self.running -= 1
        if self.killed:
            return
        rest = self._rest(job)
        if error is not None and rest:
            reason, message = "worker-died", joined("", [f"{type(error).__name__}: ", str(error)])
            if isinstance(error, ReportkitError):
                reason, message = error.reason, error.message
            first = rest[0].started(rest[0].years[0])
            lost = reason == "worker-died"
            self.take(Result.failure(first, reason, message, killed=lost))
            rest = self._rest(job)
        if rest:
            self.waiting.append(together(rest))
        left = {(part.district, part.form) for part in rest}
        self._unfinished -= Counter(
            part.district for part in job.parts if (part.district, part.form) not in left
        )

    def _rest(self, job: Job) -> list[Job]:
        """Return the reports of a job that have no result yet, as one job a district."""
        rest = []
        for part in job.parts:
            left = (year for year in part.years if part.started(year).report not in self.results)
            if years := tuple(left):
                # A kernel that died warm is tried in a cold one: the reference.
                again = self._tries[part.started(years[0]).report] > 0
                settings = replace(part.settings, warm=part.settings.warm and not again)
                rest.append(replace(part, years=years, settings=settings))
        return rest

    def stop(self, cause: int | str) -> None:
        if isinstance(self.stopped, str) and isinstance(cause, str):
            return
        if self.stopped is None or isinstance(cause, int):
            self.stopped = cause
            self.journal.add("stopping", cause=cause)
        if cause == signal.SIGINT:
            self.watcher.note(
                Message("stopping when the running reports are done; Ctrl-C again stops now")
            )
        elif isinstance(cause, str):
            self.watcher.note(
                Message(
                    "stopping: the machine failed {stop_after} districts in a row, most of them "
                    "for one cause [{cause}]; mend it and give the same command again",
                    stop_after=self.limits.stop_after,
                    cause=cause,
                )
            )

    def _write(self, event: str, result: Result) -> None:
        self.journal.add(
            event,
            district=result.district,
            year=result.year,
            form=result.form,
            run=result.run or None,
            seconds=round(result.seconds, 3) or None,
            reason=result.reason or None,
            message=result.message or None,
            words=packed(result.message) if isinstance(result.message, Message) else None,
            exit_status=result.exit_status or None,
        )


def run_batch(
    plan: Plan,
    workers: Workers,
    events: SimpleQueue[Event],
    *,
    limits: BatchFile,
    journal: Journal,
    watcher: Progress,
) -> Done:
    """Make all reports of a plan.

    Parameters
    ----------
    plan : Plan
    workers : Workers
        The executor; its events go to *events*, and it is shut down at the end.
    events : SimpleQueue
        Also of signals, as their numbers; see `reportkit.batch.signals`.
    limits : BatchFile
        Of tries for a report, and of failures of the machine in a row.
    journal : Journal
    watcher : Progress
        Shows the events.

    Returns
    -------
    Done
        Ctrl-C once lets running reports end; a second one, or SIGTERM, ends them. The same
        command goes on from there.
    """
    batch = _Batch(plan, limits, journal, watcher)
    known = [planned.known for planned in plan.reports if planned.known]
    unchanged = sum(result.state == "unchanged" for result in known)
    journal.add("planned", reports=len(plan.reports), unchanged=unchanged)
    for result in known:
        if result.state == "failed":
            batch.take(result)
        else:
            batch.results[result.report] = result
    try:
        while batch.waiting or batch.running:
            while batch.running < workers.capacity and not batch.stopped and events.empty():
                if (job := batch.next()) is None:
                    break
                batch.running += 1
                workers.submit(_work, job).add_done_callback(_put_end(job, events.put))
            if not batch.running and events.empty():
                break
            event = events.get()
            if isinstance(event, Ended):
                batch.ended(event.job, event.error)
            elif isinstance(event, int):
                if event != signal.SIGINT or batch.stopped == signal.SIGINT:
                    batch.killed = True
                    workers.kill()
                batch.stop(event)
            else:
                batch.take(event)
            if batch.stopped:
                workers.close()
    finally:
        if batch.running:
            workers.kill()
        workers.shutdown(wait=True, cancel_futures=True)
    left = [p.report for p in plan.reports if p.report not in batch.results]
    order = [batch.results[p.report] for p in plan.reports if p.report in batch.results]
    return Done(tuple(order), tuple(left), batch.stopped)


def _work(job: Job, tell: Callable[[Started | Result], None]) -> None:
    # Imported by the process that does the job: what it needs takes time and memory.
    from reportkit.batch.work import work

    work(job, tell)


def _put_end(job: Job, put: Callable[[Ended], None]) -> Callable[[Future[list[Result]]], None]:
    def end(future: Future[list[Result]]) -> None:
        put(Ended(job, None if future.cancelled() else future.exception()))

    return end
