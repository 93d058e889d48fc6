"""Local workers: each job in a process forked from the warm one, ended with all its children."""

from __future__ import annotations

import os
import signal
import sys
import threading
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

from reportkit.batch.jobs import Job, Result, Started
from reportkit.errors import ExecutionError
from reportkit.internals import leave_fork_server
from reportkit.language import Message
from reportkit.run.publishing import clear_stale
from reportkit.warm.limits import killed_for_memory, kills_for_memory
from reportkit.warm.processes import die_with_parent, end_session, sweep
from reportkit.warm.template import (
    parent_of_forks,
    signing_environment,
    stop_template,
)
from reportkit.warm.template import start_template as warm_process

if TYPE_CHECKING:
    from collections.abc import Callable

    Tell = Callable[[Started | Result], None]
    Work = Callable[[Job, Tell], None]

# Seconds that a process gets to end by itself.
_GRACE = 5


def start_template() -> Any:
    """Start the process that reports are forked from; see `reportkit.warm.template`."""
    return warm_process("reportkit.batch.template")


class LocalWorkers(Executor):
    """Runs jobs in processes of their own.

    Parameters
    ----------
    jobs : int
        How many at once.
    tell : callable
        Takes the events of the workers, from threads of this process.
    """

    def __init__(self, jobs: int, *, tell: Tell) -> None:
        self.capacity = jobs
        self._threads = ThreadPoolExecutor(jobs, thread_name_prefix="reportkit-job")
        self._tell, self._living = tell, Living()

    # Of an executor's functions it takes the one that makes reports.
    def submit(self, work: Work, job: Job, /) -> Future[list[Result]]:  # type: ignore[override]
        """Run ``work(job, tell)`` in a process; the future holds the results that it reported."""
        return self._threads.submit(self._in_process, work, job)

    def close(self) -> None:
        """Let the reports that run end, and begin with no other."""
        self._living.closing = True

    def kill(self) -> None:
        """End all that runs, now, and the warm process: jobs may wait for its imports."""
        self._living.end()
        stop_template()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Close the workers, as every executor does."""
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)

    def _in_process(self, work: Work, job: Job) -> list[Result]:
        if self._living.closing or self._living.ended:
            return []
        return in_process(start_template(), work, job, tell=self._tell, living=self._living)


class Living:
    """The processes of running jobs, which can all be ended, also one that is just starting."""

    def __init__(self) -> None:
        self._processes: set[Any] = set()
        self._lock, self.closing, self.ended = threading.Lock(), False, False

    def add(self, process: Any) -> None:
        """Take a process that has just started; it is ended at once if all were meanwhile."""
        with self._lock:
            self._processes.add(process)
            if self.ended:
                _end(process)

    def discard(self, process: Any) -> None:
        """Forget a process that has ended, before its id can be another's."""
        with self._lock:
            self._processes.discard(process)

    def end(self) -> None:
        """End all that runs, and whatever starts from now on."""
        with self._lock:
            self.ended = True
            for process in self._processes:
                _end(process)


def _end(process: Any) -> None:
    end_session(process.pid)
    # One that has no session of its own yet.
    process.kill()


def in_process(context: Any, work: Work, job: Job, *, tell: Tell, living: Living) -> list[Result]:
    """Run a job in a process of its own, and end it with all its children.

    A report that takes longer than its time, or whose process dies, is a failed result; the years
    after it are not tried and have no result.
    """
    receive, send = context.Pipe(duplex=False)
    killed = kills_for_memory()
    signing = signing_environment()
    parent = parent_of_forks(context)
    process = context.Process(target=_child, args=(send, work, job, parent, signing))
    try:
        process.start()
    except (EOFError, OSError) as error:
        # The warm process ended before it had forked.
        if kills_for_memory() > killed:
            raise ExecutionError(
                "out-of-memory",
                "the warm process was {how}",
                how=killed_for_memory(),
            ) from None
        raise ExecutionError(
            "worker-died", "the warm process ended: {error}", error=repr(error)
        ) from None
    finally:
        send.close()
    living.add(process)
    results: list[Result] = []
    running: Started | None = None
    reason, message = "", ""
    try:
        while True:
            if not wait([receive, process.sentinel], job.settings.timeout):
                reason = "timeout"
                message = Message(
                    "it took longer than {timeout:g} s; see --timeout", timeout=job.settings.timeout
                )
                # It may keep its notebook and log, if it can do so at once.
                process.terminate()
                process.join(_GRACE)
                break
            try:
                event = receive.recv() if receive.poll() else None
            except (EOFError, OSError):
                event = None
            if event is None or (living.closing and isinstance(event, Started)):
                break
            running = event if isinstance(event, Started) else None
            results += [event] if isinstance(event, Result) else []
            tell(event)
    finally:
        if not reason and running is None:
            process.join(_GRACE)
        _end(process)
        living.discard(process)
        process.join()
        sweep()
        receive.close()
    if running or not (results or living.closing):
        begun = running or job.started(job.years[0])
        if not reason and kills_for_memory() > killed:
            reason = "out-of-memory"
            message = Message("its process was {how}", how=killed_for_memory())
        elif not reason:
            reason = "worker-died"
            message = Message(
                "the process of the report ended with status {exitcode}", exitcode=process.exitcode
            )
        clear_stale(job.settings.folder.joinpath(job.settings.out, *begun.report))
        failed = Result.failure(begun, reason, message, killed=True)
        results.append(failed)
        tell(failed)
    return results


def _child(send: Connection, work: Work, job: Job, parent: int, signing: dict[str, str]) -> None:
    die_with_parent(parent)
    os.setsid()
    os.environ.update(signing)
    leave_fork_server()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    with suppress(BrokenPipeError):
        work(job, send.send)
