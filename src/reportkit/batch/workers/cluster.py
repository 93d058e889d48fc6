"""Workers of a dask cluster: each job in a process of its own there, the runs published here.

With a store (any URL that fsspec opens) workers share no disk with us: the inputs of a job go there
as one archive, its runs come back as others, and are published as those made here are.
"""

from __future__ import annotations

import io
import posixpath
import shutil
import signal
import sys
from asyncio import CancelledError
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import distributed
import fsspec

from reportkit.batch.jobs import FAILED, Job, Result, Started, together
from reportkit.batch.workers.local import Living, in_process, start_template
from reportkit.errors import ExecutionError, InputError
from reportkit.internals import allow_children
from reportkit.params import Project
from reportkit.proof.surroundings import code_digest
from reportkit.rollup.members import READ
from reportkit.run.publishing import adopt
from reportkit.warm.processes import scratch

if sys.version_info >= (3, 11, 4):
    import tarfile
else:  # Debian 12 has a Python whose archives know no filters
    from backports import tarfile  # type: ignore[no-redef]  # mypy tells no patches apart

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reportkit.batch.workers.local import Tell, Work


LOCAL = "local"
# What a parent's report reads of its members' runs.
READ_OF_A_RUN = (*READ, "report.ipynb", "SHA256SUMS")
# Seconds without a result after which the cluster is asked for its workers.
_PATIENCE = 30


class ClusterWorkers(Executor):
    """Runs jobs on the workers of a dask scheduler.

    Parameters
    ----------
    address : str
        Of the scheduler; `LOCAL` starts one with workers on this machine, for the time of the
        batch: what a cluster would do, to be tried before there is one.
    store : str, optional
        Where inputs and runs are exchanged; without it workers see our folders at the same paths.
    jobs : int
        Workers of a local cluster.
    tell : callable
        Takes the events of the workers, from threads of this process.
    """

    def __init__(self, address: str, store: str | None, *, jobs: int, tell: Tell) -> None:
        # Batches that use one store keep apart; nothing stays in it.
        self._store = f"{store.rstrip('/')}/{uuid4().hex}" if store else None
        connect: Any = distributed.Client
        with ExitStack() as opened:
            try:
                where = opened.enter_context(_local(jobs)) if address == LOCAL else address
                self._client = connect(where, timeout=10, set_as_default=False)
            except (OSError, TimeoutError, ValueError) as error:
                raise InputError(
                    "scheduler",
                    "no dask scheduler at {address}: {error}",
                    address=address,
                    error=error,
                ) from None
            opened.callback(self._client.close)
            slots = sum(self._client.nthreads().values())
            if not slots:
                raise InputError(
                    "scheduler",
                    "the scheduler at {address} has no workers; start some",
                    address=address,
                )
            if self._store:
                _try(self._store)
            self._close = opened.pop_all()
        # Two jobs a worker: one waits there while the other runs.
        self.capacity = 2 * slots
        self._threads = ThreadPoolExecutor(self.capacity, thread_name_prefix="reportkit-cluster")
        self._tell = tell
        self._futures: dict[tuple[str, str | None], Any] = {}
        # Workers announce a report that begins by an event of dask; a result comes only at the end.
        self._topic = f"reportkit-{uuid4().hex}"
        self._client.subscribe_topic(self._topic, self._begun)

    # Of an executor's functions it takes the one that makes reports.
    def submit(self, work: Work, job: Job, /) -> Future[list[Result]]:  # type: ignore[override]
        """Run a job on some worker; the future ends when its runs are published here."""
        return self._threads.submit(self._on_cluster, work, job)

    def close(self) -> None:
        """Do nothing: the cluster finishes all jobs that it has, waiting ones too."""

    def kill(self) -> None:
        """Take back what waits; a report that a worker has begun ends by itself, and is dropped."""
        self._client.cancel(list(self._futures.values()), force=True)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Close the workers, as every executor does."""
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)
        self._close.close()
        if self._store:
            system, path = fsspec.url_to_fs(self._store)
            system.invalidate_cache()
            if system.exists(path):
                system.rm(path, recursive=True)

    def _on_cluster(self, work: Work, job: Job) -> list[Result]:
        packed = ""
        if self._store:
            packed = f"{self._store}/{'-'.join(job.started(job.years[0]).report)}-in.tar"
            _put(packed, _inputs(job))
        whose = [(part.district, part.form) for part in job.parts]
        try:
            future = self._client.submit(
                _on_worker, work, job, packed, code_digest(), self._topic, pure=False
            )
            self._futures |= dict.fromkeys(whose, future)
            pairs = self._result(future)
        except (Exception, CancelledError):
            if self._client.status == "running":
                raise
            raise ExecutionError("no-scheduler", "the scheduler of the cluster is gone") from None
        finally:
            for part in whose:
                self._futures.pop(part, None)
        results = []
        for result, archive in pairs:
            done = result
            place = job.settings.out.joinpath(*result.report)
            if archive and result.run:
                run = adopt(place, Path(result.run).name, partial(_fetch, archive))
                done = replace(result, run=str(run))
            elif archive:
                shutil.rmtree(place / FAILED, ignore_errors=True)
                _fetch(archive, place / FAILED)
            self._tell(done)
            results.append(done)
        return results

    def _begun(self, event: tuple[float, tuple[str, int, str | None]]) -> None:
        _, (district, year, form) = event
        if (district, form) in self._futures:
            self._tell(Started(district, year, form=form))

    def _result(self, future: Any) -> list[tuple[Result, str]]:
        """Return the results of a worker; fail once the cluster has lost all its workers."""
        empty = 0
        while empty < 2:
            try:
                results: list[tuple[Result, str]] = future.result(timeout=_PATIENCE)
                return results
            except TimeoutError:
                if future.done():
                    raise
            empty = 0 if self._client.nthreads() else empty + 1
        raise ExecutionError("no-workers", "the cluster has lost all its workers")


@contextmanager
def _local(jobs: int) -> Iterator[Any]:
    """A scheduler and its workers as processes of this machine."""
    start: Any = distributed.LocalCluster
    # Ctrl-C reaches every process of a terminal; the workers shall be stopped by us alone.
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        # What a report may take is limited by the report's own process.
        cluster = start(
            n_workers=jobs,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address=None,
            memory_limit=0,
            silence_logs="ERROR",
        )
    finally:
        signal.signal(signal.SIGINT, previous)
    with cluster:
        yield cluster


def _try(store: str) -> None:
    """Check that the store can be written, before the first report is sent there."""
    try:
        _put(f"{store}/begun", b"")
    except Exception as error:
        # Each kind of store has errors of its own.
        raise InputError(
            "store",
            "nothing can be written to the store: {kind}: {error}",
            kind=type(error).__name__,
            error=error,
        ) from None


def _on_worker(
    work: Work, job: Job, packed: str, code: str, topic: str
) -> list[tuple[Result, str]]:
    """On the worker: the job in a process of its own; each result with the archive of its run."""
    if code_digest() != code:
        raise ExecutionError(
            "code-differs", "the worker has another reportkit than the batch; install the same one"
        )
    allow_children()  # ours are ended with the worker, as dask wants it
    context, worker = start_template(), distributed.get_worker()

    def tell(event: Started | Result) -> None:
        if isinstance(event, Started):
            worker.log_event(topic, (event.district, event.year, event.form))

    if not packed:
        done = in_process(context, work, job, tell=tell, living=Living())
        return [(result, "") for result in done]
    with scratch() as folder:
        _fetch(packed, folder)
        own = together(
            [replace(part, settings=replace(part.settings, folder=folder)) for part in job.parts]
        )
        done = in_process(context, work, own, tell=tell, living=Living())
        results = []
        for result in done:
            archive, place = "", job.settings.out.joinpath(*result.report)
            # Of a report that failed its notebook and log, where it left any.
            produced = folder / (result.run or place / FAILED)
            if produced.is_dir():
                archive = packed.replace("-in.tar", f"-{'-'.join(result.report)}-run.tar")
                _put(archive, _archive(produced, ["."]))
            results.append((result, archive))
        return results


def _inputs(job: Job) -> bytes:
    """Pack the inputs of a job as an archive of a small project."""
    settings = job.settings
    project = Project.find(settings.params, settings.data)
    for path in (project.params, project.data, settings.out):
        if path.is_absolute() or ".." in path.parts:
            raise InputError(
                "store",
                "with --store, give folders below the working folder, not {path}",
                path=path,
            )
    root, params = settings.folder, project.params
    wanted = [path for path in sorted(params.glob("*")) if path.name not in _OF_ONE]
    wanted += [params.parent / "notebooks", project.forms]
    for part in job.parts:
        wanted += _inputs_of(part, project)
    return _archive(root, [str(path) for path in dict.fromkeys(wanted) if (root / path).exists()])


def _inputs_of(job: Job, project: Project) -> list[Path]:
    """List the input files of one district, and those that it reads of other districts."""
    root, out, params = job.settings.folder, job.settings.out, project.params
    wanted = [params / "districts" / f"{job.district}.yaml", params / "reports" / job.district]
    wanted.append(project.data / job.district)
    who = project.district(job.district, job.form)
    wanted += [
        project.data / source
        for sources in who.ledgers.values()
        for source in sources
        if isinstance(source, str)
    ]
    for year in (job.years[0] - 1, *job.years):
        current = out.joinpath(*job.started(year).report, "current")
        wanted += [current, current.resolve().relative_to(root)] if current.exists() else []
    if job.rollup:
        # Behind a roll-up stands the run of the parent's own office.
        for year in job.years:
            runs = out.joinpath(*job.started(year).report, "runs").glob("*")
            wanted += [run / name for run in sorted(runs) for name in READ_OF_A_RUN]
    for member in (project.member(one, who) for one in job.members):
        wanted.append(params / "districts" / f"{member.id}.yaml")
        for year in job.years:
            wanted.append(project.report_file(member, year, "published.json"))
            current = out / member.id / member.report_name(year) / "current"
            run = current.resolve().relative_to(root) if current.exists() else current
            wanted += [current, *(run / name for name in READ_OF_A_RUN)]
    return wanted


_OF_ONE = {"districts", "reports"}


def _archive(root: Path, names: Iterable[str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in names:
            archive.add(root / name, arcname=name)
    return buffer.getvalue()


def _put(url: str, content: bytes) -> None:
    system, path = fsspec.url_to_fs(url)
    system.makedirs(posixpath.dirname(path), exist_ok=True)
    with system.open(path, "wb") as file:
        file.write(content)


def _fetch(url: str, folder: Path) -> None:
    with fsspec.open(url, "rb") as file, tarfile.open(fileobj=file, mode="r|") as archive:
        # The links of an archive may not lead out of the folder.
        archive.extractall(folder, filter="data")
