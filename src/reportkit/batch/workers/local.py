"""Local workers: each job in a process of its own, forked from the warm one, killed whole."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

from reportkit.batch.jobs import Job, Result, Started
from reportkit.run.publishing import clear_stale
from reportkit.warm.processes import (
    clear_scratch,
    die_with_parent,
    end_session,
    kernel_environment,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Tell = Callable[[Started | Result], None]
    Work = Callable[[Job, Tell], None]

# Arrow's allocator would start a thread on import, and nothing with threads is forked.
_WARM = {
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    # Typst sets one document at a time, and each processor has a report of its own.
    "RAYON_NUM_THREADS": "1",
}

# Seconds in which a process that is to end may do so by itself.
_GRACE = 5
# The environment belongs to all threads: one at a time changes it.
_STARTING = threading.Lock()


def start_template() -> Any:
    """Start the warm process, if it does not run yet; it imports while others work.

    Returns
    -------
    multiprocessing context
        Whose processes are forked from it; where forking is not safe they are spawned.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", "reportkit.batch.template"])
    with _STARTING, kernel_environment(_WARM):
        forkserver.ensure_running()
    return context


class LocalWorkers(Executor):
    """Runs jobs in processes of their own, so many at once.

    Parameters
    ----------
    jobs : int
        How many at once.
    tell : callable
        Is given what the workers tell, from threads of this process.
    """

    def __init__(self, jobs: int, *, tell: Tell) -> None:
        self.capacity = jobs
        self._threads = ThreadPoolExecutor(jobs, thread_name_prefix="reportkit-job")
        self._tell, self._stopped = tell, threading.Event()
        self._living: set[int] = set()
        self._context: Any = None

    # Of an executor's functions it takes the one that makes reports.
    def submit(self, work: Work, job: Job, /) -> Future[list[Result]]:  # type: ignore[override]
        """Run ``work(job, tell)`` in a process; the future holds the results that it told."""
        # A batch in which nothing has changed needs no warm process.
        self._context = self._context or start_template()
        return self._threads.submit(self._in_process, work, job)

    def kill(self) -> None:
        """End all that runs, now."""
        self._stopped.set()
        for leader in list(self._living):
            end_session(leader)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As of every executor."""
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)

    def _in_process(self, work: Work, job: Job) -> list[Result]:
        if self._stopped.is_set():
            return []
        return in_process(self._context, work, job, tell=self._tell, living=self._living)


def in_process(context: Any, work: Work, job: Job, *, tell: Tell, living: set[int]) -> list[Result]:
    """Run a job in a process of its own, and end that process whole, whatever it does.

    A report that takes longer than its time, or whose process dies, is a failed result; the years
    after it are not tried and have no result.
    """
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(send, work, job))
    process.start()
    send.close()
    living.add(process.pid)
    results: list[Result] = []
    running: Started | None = None
    reason, message = "", ""
    try:
        while True:
            if not wait([receive, process.sentinel], job.settings.timeout):
                reason = "timeout"
                message = f"it took longer than {job.settings.timeout:g} s; see --timeout"
                # It may keep its notebook and log, if it can do so at once.
                process.terminate()
                process.join(_GRACE)
                break
            try:
                told = receive.recv() if receive.poll() else None
            except (EOFError, OSError):
                told = None
            if told is None:
                break
            running = told if isinstance(told, Started) else None
            results += [told] if isinstance(told, Result) else []
            tell(told)
    finally:
        if not reason and running is None:
            process.join(_GRACE)
        end_session(process.pid)
        process.kill()
        process.join()
        clear_scratch(process.pid)
        living.discard(process.pid)
        receive.close()
    if running or not results:
        district, year = job.district, job.years[0]
        if running:
            district, year = running.district, running.year
        if not reason:
            reason = "worker-died"
            message = f"the process of the report ended with status {process.exitcode}"
        clear_stale(job.settings.folder / job.settings.out / district / str(year))
        failed = Result(district, year, "failed", 3, reason=reason, message=message)
        results.append(failed)
        tell(failed)
    return results


def _child(send: Connection, work: Work, job: Job) -> None:
    die_with_parent()
    os.setsid()
    # The fork server lives while this is open somewhere, and this process while the server lives:
    # held here, neither would end when the batch is killed.
    alive = getattr(forkserver._forkserver, "_forkserver_alive_fd", None)
    if alive is not None:
        os.close(alive)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    with suppress(BrokenPipeError):
        work(job, send.send)
