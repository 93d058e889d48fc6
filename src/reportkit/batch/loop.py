"""Many reports: one that fails stops no other, and what was stopped goes on where it was."""

from __future__ import annotations

import signal
from collections import Counter, deque
from contextlib import contextmanager
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol

from reportkit.batch.jobs import Job, Result, Started, together
from reportkit.errors import ReportkitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from reportkit.batch.journal import Journal
    from reportkit.batch.plan import Plan

Report = tuple[str, int]


class Workers(Protocol):
    """An executor of `concurrent.futures` that also tells what its workers do, and can end them."""

    capacity: int

    def submit(self, fn: Callable[..., None], job: Job, /) -> Future[list[Result]]:
        """Begin with a job; its future ends after all of it was told."""

    def kill(self) -> None:
        """End all that runs, now."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As of every executor."""


class Watcher(Protocol):
    """Is shown what happens."""

    def started(self, report: Report) -> None:
        """A report was begun."""

    def ended(self, result: Result) -> None:
        """A report is done, for good or bad."""

    def again(self, result: Result) -> None:
        """A report failed and is tried again."""

    def note(self, text: str) -> None:
        """Something that concerns the whole batch."""


@dataclass(frozen=True)
class Limits:
    """When to give up.

    Parameters
    ----------
    retries : int
        Further tries of a report whose failure may pass.
    stop_after : int
        So many failures of one cause in a row, and no success, end the batch; 0: never.
    """

    retries: int = 1
    stop_after: int = 20


@dataclass(frozen=True)
class Done:
    """What came of a batch.

    Parameters
    ----------
    results : tuple of Result
        Of every report that was tried or held.
    left : tuple of (district, year)
        Not tried, since the batch was stopped.
    stopped : int or str, optional
        The signal that stopped it, or the cause that too many reports failed for.
    """

    results: tuple[Result, ...]
    left: tuple[Report, ...]
    stopped: int | str | None = None

    @property
    def exit_status(self) -> int:
        """128 + signal if stopped by one, else the worst of its reports."""
        if isinstance(self.stopped, int):
            return 128 + self.stopped
        return max((result.exit_status for result in self.results), default=0)


@dataclass(frozen=True)
class _Ended:
    job: Job
    error: BaseException | None


class _Batch:
    """The state of a running batch; all of it is changed in one thread, event by event."""

    def __init__(self, plan: Plan, limits: Limits, journal: Journal, watcher: Watcher) -> None:
        self.limits, self.journal, self.watcher = limits, journal, watcher
        self.waiting = deque(plan.jobs)
        self.running = 0
        self._unfinished = {part.district for job in plan.jobs for part in job.parts}
        self.results: dict[Report, Result] = {}
        self.stopped: int | str | None = None
        self.killed = False
        self._tries: Counter[Report] = Counter()
        self._streak: list[str] = []

    def told(self, event: Started | Result) -> None:
        report = (event.district, event.year)
        if isinstance(event, Started):
            self.journal.add("started", district=event.district, year=event.year)
            self.watcher.started(report)
            return
        if self.killed and event.reason == "worker-died":
            return
        self._tries[report] += 1
        if event.passing and self._tries[report] <= self.limits.retries:
            self._write("again", event)
            self.watcher.again(event)
            return
        self.results[report] = event
        self._write(event.state, event)
        self.watcher.ended(event)
        self._streak = [*self._streak, event.reason] if event.reason else []
        most = self.limits.stop_after
        if most and len(self._streak) >= most and len(set(self._streak[-most:])) == 1:
            self.stop(event.reason)

    def next(self) -> Job | None:
        """The first job whose members' reports are done; of two that wait for each other, one."""
        for number, job in enumerate(self.waiting):
            members = (member for part in job.parts for member in part.members)
            if self._unfinished.isdisjoint(members):
                del self.waiting[number]
                return job
        return self.waiting.popleft() if self.waiting and not self.running else None

    def ended(self, job: Job, error: BaseException | None) -> None:
        self.running -= 1
        if self.killed:
            return
        rest = self._rest(job)
        if error is not None and rest:
            reason, message = "worker-died", f"{type(error).__name__}: {error}"
            if isinstance(error, ReportkitError):
                reason, message = error.reason, error.message
            first = rest[0]
            self.told(
                Result(first.district, first.years[0], "failed", 3, reason=reason, message=message)
            )
            rest = self._rest(job)
        if rest:
            self.waiting.append(together(rest))
        self._unfinished -= {part.district for part in job.parts} - {one.district for one in rest}

    def _rest(self, job: Job) -> list[Job]:
        """What of a job has no result yet, by districts."""
        rest = []
        for part in job.parts:
            if years := tuple(y for y in part.years if (part.district, y) not in self.results):
                # A kernel that died warm is tried in a cold one: the reference.
                again = self._tries[part.district, years[0]] > 0
                settings = replace(part.settings, warm=part.settings.warm and not again)
                rest.append(replace(part, years=years, settings=settings))
        return rest

    def stop(self, cause: int | str) -> None:
        if self.stopped is None:
            self.stopped = cause
            self.journal.add("stopping", cause=cause)
        if cause == signal.SIGINT:
            self.watcher.note("stopping when the running reports are done; Ctrl-C again stops now")
        elif isinstance(cause, str):
            self.watcher.note(
                f"stopping: {self.limits.stop_after} reports in a row failed for one cause "
                f"[{cause}]; mend it and give the same command again"
            )

    def _write(self, event: str, result: Result) -> None:
        fields = {
            "district": result.district, "year": result.year, "run": result.run or None,
            "seconds": round(result.seconds, 3), "reason": result.reason or None,
            "message": result.message or None, "exit_status": result.exit_status,
        }  # fmt: skip
        self.journal.add(event, **{name: value for name, value in fields.items() if value})


def run_batch(
    plan: Plan,
    open_workers: Callable[[Callable[[Started | Result], None]], Workers],
    *,
    limits: Limits,
    journal: Journal,
    watcher: Watcher,
) -> Done:
    """Make all reports of a plan.

    Parameters
    ----------
    plan : Plan
    open_workers : callable
        Makes the executor; is given the function that it tells events to.
    limits : Limits
    journal : Journal
    watcher : Watcher

    Returns
    -------
    Done
        Ctrl-C once lets running reports end; a second one, or SIGTERM, ends them. The same
        command goes on from there.
    """
    events: SimpleQueue[Started | Result | _Ended | int] = SimpleQueue()
    batch = _Batch(plan, limits, journal, watcher)
    held = [planned.known for planned in plan.reports if planned.known]
    journal.add("planned", reports=len(plan.reports), unchanged=len(held))
    again = {(part.district, y) for job in plan.jobs for part in job.parts for y in part.years}
    for result in held:
        if (result.district, result.year) not in again:
            batch.results[result.district, result.year] = result
    with _signals(events.put):
        workers = open_workers(events.put)
        try:
            while batch.waiting or batch.running:
                while batch.running < workers.capacity and not batch.stopped:
                    if (job := batch.next()) is None:
                        break
                    batch.running += 1
                    workers.submit(_work, job).add_done_callback(_put_end(job, events.put))
                if not batch.running:
                    break
                event = events.get()
                if isinstance(event, _Ended):
                    batch.ended(event.job, event.error)
                elif isinstance(event, int):
                    if event == signal.SIGTERM or batch.stopped == signal.SIGINT:
                        batch.killed = True
                        workers.kill()
                    batch.stop(event)
                else:
                    batch.told(event)
        finally:
            if batch.running:
                workers.kill()
            workers.shutdown(wait=True, cancel_futures=True)
    left = [(p.district, p.year) for p in plan.reports if (p.district, p.year) not in batch.results]
    order = [batch.results[p.district, p.year] for p in plan.reports
             if (p.district, p.year) in batch.results]  # fmt: skip
    done = Done(tuple(order), tuple(left), batch.stopped)
    journal.add("ended", exit_status=done.exit_status, left=len(left))
    return done


def _work(job: Job, tell: Callable[[Started | Result], None]) -> None:
    # Where the job is done all that it needs has been imported; here it is not.
    from reportkit.batch.work import work

    work(job, tell)


def _put_end(job: Job, put: Callable[[_Ended], None]) -> Callable[[Future[list[Result]]], None]:
    def end(future: Future[list[Result]]) -> None:
        put(_Ended(job, None if future.cancelled() else future.exception()))

    return end


@contextmanager
def _signals(put: Callable[[int], None]) -> Iterator[None]:
    """Signals become events; a queue may be written to at any moment."""
    caught = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda n, _: put(n)) for number in caught}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
