"""Local workers: each job in a process of its own, forked from the warm one, killed whole."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any, TypeVar

from reportkit.batch.jobs import Job, Result, Started
from reportkit.errors import ExecutionError, ReportkitError
from reportkit.run.publishing import clear_stale
from reportkit.warm.limits import killed_for_memory, kills_for_memory
from reportkit.warm.processes import (
    SIGNING,
    die_with_parent,
    end_session,
    kernel_environment,
    sweep,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Tell = Callable[[Started | Result], None]
    Work = Callable[[Job, Tell], None]

Returned = TypeVar("Returned")

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
    """Start the warm process, if none runs; it imports while others work.

    Returns
    -------
    multiprocessing context
        Whose processes are forked from it; where forking is not safe they are spawned.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", "reportkit.batch.template"])
    with _STARTING:
        process = template()
        if process is None or not _runs(process):
            with kernel_environment(_WARM):
                forkserver.ensure_running()
    return context


def template() -> int | None:
    """Process id of the warm process, once it was started."""
    # multiprocessing tells it nowhere else.
    process: int | None = getattr(forkserver._forkserver, "_forkserver_pid", None)
    return process


def _runs(process: int) -> bool:
    with suppress(ChildProcessError):
        return os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    return False


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
        self._tell, self._living = tell, Living()

    # Of an executor's functions it takes the one that makes reports.
    def submit(self, work: Work, job: Job, /) -> Future[list[Result]]:  # type: ignore[override]
        """Run ``work(job, tell)`` in a process; the future holds the results that it told."""
        return self._threads.submit(self._in_process, work, job)

    def close(self) -> None:
        """Let the reports that run end, and begin with no other."""
        self._living.closing = True

    def kill(self) -> None:
        """End all that runs, now, and the warm process: jobs may wait for its imports."""
        self._living.end()
        process = template()
        if process is not None and _runs(process):
            os.kill(process, signal.SIGKILL)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As of every executor."""
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)

    def _in_process(self, work: Work, job: Job) -> list[Result]:
        if self._living.closing or self._living.ended:
            return []
        return in_process(start_template(), work, job, tell=self._tell, living=self._living)


class Living:
    """The processes of the jobs that run; all of them can be ended, also those just starting."""

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
    """Run a job in a process of its own, and end that process whole, whatever it does.

    A report that takes longer than its time, or whose process dies, is a failed result; the years
    after it are not tried and have no result.
    """
    receive, send = context.Pipe(duplex=False)
    killed = kills_for_memory()
    process = _started(context, send, _work, work, job)
    living.add(process)
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
            if told is None or (living.closing and isinstance(told, Started)):
                break
            running = told if isinstance(told, Started) else None
            results += [told] if isinstance(told, Result) else []
            tell(told)
    finally:
        if not reason and running is None:
            process.join(_GRACE)
        _end(process)
        living.discard(process)
        process.join()
        sweep()
        receive.close()
    if running or not (results or living.closing):
        district, year = job.district, job.years[0]
        if running:
            district, year = running.district, running.year
        if not reason:
            reason, message = _why_it_ended(process, killed)
        clear_stale(job.settings.folder / job.settings.out / district / str(year))
        failed = Result(district, year, "failed", 3, reason=reason, message=message, killed=True)
        results.append(failed)
        tell(failed)
    return results


def call(function: Callable[..., Returned], *arguments: Any, **options: Any) -> Returned:
    """What a function returns or raises in a process forked from the warm one.

    Parameters
    ----------
    function : callable
        Of a module, as are its arguments and what it returns: they are pickled.

    Raises
    ------
    ExecutionError
        ``worker-died`` or ``out-of-memory``, if the process ended without a word.
    """
    context = start_template()
    receive, send = context.Pipe(duplex=False)
    killed = kills_for_memory()
    process = _started(context, send, _answer, function, arguments, options)
    try:
        returned, error = receive.recv()
    except EOFError:
        process.join(_GRACE)
        raise ExecutionError(*_why_it_ended(process, killed)) from None
    finally:
        # It cleans up behind itself if it is still at work.
        process.terminate()
        process.join(_GRACE)
        _end(process)
        process.join()
        sweep()
    if error is not None:
        raise error
    answer: Returned = returned
    return answer


def _started(context: Any, send: Connection, task: Callable[..., None], *arguments: Any) -> Any:
    """A process that does a task, and tells by a pipe whose end is its own from now on."""
    with _STARTING:
        signing = {name: os.environ[name] for name in SIGNING if name in os.environ}
    parent = template() if context.get_start_method() == "forkserver" else os.getpid()
    process = context.Process(target=_child, args=(parent, signing, task, send, *arguments))
    killed = kills_for_memory()
    try:
        process.start()
    except (EOFError, OSError) as error:
        # The warm process ended before it had forked.
        if kills_for_memory() > killed:
            message = f"the warm process was {killed_for_memory()}"
            raise ExecutionError("out-of-memory", message) from None
        raise ExecutionError("worker-died", f"the warm process ended: {error!r}") from None
    finally:
        send.close()
    return process


def _why_it_ended(process: Any, killed: int) -> tuple[str, str]:
    """Reason and message of a process that ended without a word."""
    if kills_for_memory() > killed:
        reason, message = "out-of-memory", f"its process was {killed_for_memory()}"
    else:
        reason = "worker-died"
        message = f"the process of the report ended with status {process.exitcode}"
    return reason, message


def _child(
    parent: int,
    signing: dict[str, str],
    task: Callable[..., None],
    send: Connection,
    *arguments: Any,
) -> None:
    die_with_parent(parent)
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
    os.environ.update(signing)
    with suppress(BrokenPipeError):
        task(send, *arguments)


def _work(send: Connection, work: Work, job: Job) -> None:
    work(job, send.send)


def _answer(
    send: Connection, function: Callable[..., Any], arguments: Any, options: dict[str, Any]
) -> None:
    try:
        send.send((function(*arguments, **options), None))
    except Exception as error:
        if not isinstance(error, ReportkitError):
            error.add_note(traceback.format_exc())
        send.send((None, error))
