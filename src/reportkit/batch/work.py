"""One job in the process that was made for it: read the ledgers once, make each year's report."""

from __future__ import annotations

import gc
import multiprocessing
import os
import resource
import sys
import time
import traceback
import warnings
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from reportkit.batch.jobs import Job, Result, Started, made
from reportkit.errors import InputError, ReportkitError, refusal
from reportkit.language import Message
from reportkit.ledgers import Ledgers
from reportkit.params import Project
from reportkit.persons import without_persons
from reportkit.proof.surroundings import peak
from reportkit.rollup.members import counts_itself
from reportkit.run.run import run
from reportkit.run.uncorrected import uncorrected_changes
from reportkit.warm.processes import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Callable

    from reportkit.ledgers.district import Kept


def work(job: Job, tell: Callable[[Started | Result], None]) -> None:
    """Make the reports of a job.

    Parameters
    ----------
    job : Job
    tell : callable
        Takes a `Started` when a report begins, and its `Result` when it ends.
    """
    settings = job.settings
    os.chdir(settings.folder)
    if settings.memory is not None and sys.platform == "linux":
        # What the warm process has mapped is shared, and does not count.
        limit = _mapped() + settings.memory
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    if not job.then or sys.platform != "linux":
        for part in job.parts:
            _make_years(part, tell, {})
        return
    kept = read_shared(job)
    for part in job.parts:
        _in_fork(part, tell, kept)


def read_shared(job: Job) -> Kept:
    """Read the ledgers that all districts of a job share; what is wrong there each report says."""
    project = Project.find(job.settings.params, job.settings.data)
    kept: Kept = {}
    with suppress(InputError):
        districts = [project.district(part.district, part.form) for part in job.parts]
        ledgers = Ledgers(project, districts[0], kept=kept)
        for key, sources in districts[0].ledgers.items():
            if all(district.ledgers.get(key) == sources for district in districts):
                ledgers[key]
    gc.collect()
    gc.freeze()
    return kept


def _in_fork(part: Job, tell: Callable[[Started | Result], None], kept: Kept) -> None:
    """The reports of one district in a process of their own, with the ledgers that are shared."""
    parent = os.getpid()

    def make_years() -> None:
        die_with_parent(parent)
        _make_years(part, tell, kept)

    child = multiprocessing.get_context("fork").Process(target=make_years)
    with warnings.catch_warnings():
        # Python 3.12 warns of threads. Ours has none of Python's; Arrow mends its own.
        warnings.simplefilter("ignore", DeprecationWarning)
        child.start()
    try:
        child.join()
    except SystemExit:
        # On SIGTERM the child may still save its notebook and log.
        child.terminate()
        child.join()
        raise
    if child.exitcode:
        sys.exit(child.exitcode)


def _make_years(job: Job, tell: Callable[[Started | Result], None], kept: Kept) -> None:
    for year in job.years:
        tell(job.started(year))
        result = make(job, year, kept)
        tell(result)
        if result.transient:
            # The years after it read its run, and wait until it was tried again.
            break


def make(job: Job, year: int, kept: Kept) -> Result:
    """Make one report; a failure is a result too. *kept* keeps its ledgers for the next ones."""
    settings, begun = job.settings, time.monotonic()
    # A template that was started again lacks the environment of the first, such as PYTHONHASHSEED.
    warm = settings.warm and sys.flags.hash_randomization == 0
    fork = multiprocessing.get_context("fork") if warm and sys.platform == "linux" else None
    request = settings.request(job.started(year), job.hierarchy, rollup=job.rollup)
    try:
        if job.rollup and counts_itself(request.project, request.whose):
            own = replace(request, rollup=False)
            run(own, force=settings.force, fork=lambda: fork, wait=True, kept=kept)
        outcome = run(
            request, force=settings.force, fork=lambda: fork, wait=True, planned=True, kept=kept
        )
    except Exception as error:
        status, reason, message = 3, "internal", without_persons(traceback.format_exc())
        if isinstance(error, ReportkitError):
            status, reason, message = error.exit_status, error.reason, error.message
        elif isinstance(error, OSError) and (refused := refusal(error)):
            reason, message = refused.reason, refused.message
        elif isinstance(error, MemoryError):
            reason = "out-of-memory"
            message = Message("there was not enough memory to make the report")
        result = Result.failure(job.started(year), reason, message, status)
    else:
        untold = len(uncorrected_changes(request, outcome))
        result = replace(made(job.started(year), outcome), untold=untold)
    return replace(result, seconds=time.monotonic() - begun, peak=peak())


def _mapped() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * resource.getpagesize()
