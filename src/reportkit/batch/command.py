"""A batch from its file and options to its summary."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportkit.batch.jobs import Result, Settings
from reportkit.batch.journal import NAME, Journal
from reportkit.batch.loop import Limits, run_batch
from reportkit.batch.plan import BatchFile, Plan, make_plan, parse_years, read_batch_file
from reportkit.batch.progress import Progress
from reportkit.batch.summary import summary, summary_page, summary_text
from reportkit.batch.workers.local import LocalWorkers, start_template
from reportkit.errors import ExecutionError, InputError
from reportkit.params import Project
from reportkit.run.publishing import clear_stale

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reportkit.batch.loop import Workers

# A report's process with all of pandas in it, and room to work.
_ROOM = 1 << 30


@dataclass(frozen=True)
class Options:
    """What stands in the command; it goes before what stands in the file."""

    file: Path | None = None
    districts: str | None = None
    years: str | None = None
    scope: Any = None
    jobs: int | None = None
    retries: int | None = None
    timeout: float | None = None
    force: bool = False
    cold: bool = False
    dry_run: bool = False
    explain_cache: bool = False
    scheduler: str | None = None
    store: str | None = None


def batch(
    options: Options,
    *,
    params: Path | None,
    data: Path | None,
    out: Path,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> tuple[int, Any, str]:
    """Plan and run a batch.

    Returns
    -------
    tuple of int, object, str
        Exit status, the document of ``batch.json`` (or of the plan), text for a terminal.

    Raises
    ------
    InputError
        The matrix or the settings are wrong; nothing was run.
    ExecutionError
        ``not-writable``: nothing can be written to *out*.
    """
    file = _file(options, Project.find(params, data).params)
    wanted = (options.districts and tuple(options.districts.split(","))) or file.districts
    jobs = file.jobs or default_jobs()
    settings = Settings(
        params, data, out, Path.cwd(), scope=file.scope, force=options.force,
        warm=not options.cold, timeout=file.timeout, memory=_memory(file, jobs),
    )  # fmt: skip
    local = options.scheduler is None and not options.dry_run and not options.cold
    begin = start_template if local else lambda: None
    started = now()
    name = f"{started:%Y%m%dT%H%M%SZ}-{os.getpid()}"
    with Progress(clock=time.monotonic) as progress:
        plan = make_plan(wanted, file.years, settings=settings, begin=begin)
        if options.dry_run:
            return 0, _plan_document(plan), _plan_text(plan)
        journal = _open_journal(out, name, plan, now)
        progress.planned(len(plan.reports), sum(not one.reasons for one in plan.reports))
        for one in plan.reports:
            if not one.reasons:  # nobody else comes there
                clear_stale(out / one.district / str(one.year))
        done = run_batch(
            plan, _workers(options, jobs), limits=Limits(file.retries, file.stop_after),
            journal=journal, watcher=progress,
        )  # fmt: skip
    journal.close()
    times = (started.isoformat(timespec="seconds"), now().isoformat(timespec="seconds"))
    folders = {"--params": params, "--data": data, "--out": out if out != Path("outputs") else None}
    given = [str(word) for pair in folders.items() if pair[1] for word in pair]
    document = summary(done, batch=name, times=times, options=given, out=out)
    if options.explain_cache:
        document["plan"] = _plan_document(plan)["reports"]
    text = (f"{_plan_text(plan)}\n" if options.explain_cache else "") + summary_text(document)
    status = done.exit_status
    try:
        _leave(out, document, name)
        if any(result.state == "made" for result in done.results):
            _chain(out, done.results, name)
    except OSError as error:
        document["unwritten"] = f"{error.filename or out} cannot be written: {error.strerror}"
        text += f"\n{document['unwritten']}; what {out} says of the last batch is not of this one"
        status = max(status, 3)
    if journal.lost:
        text += f"\n{journal.lost} events could not be written to {out / NAME}"
    return status, document, text


def _leave(out: Path, document: Any, name: str) -> None:
    """Put ``batch.json`` and ``batch.html`` in place of the last batch's, each at once."""
    for suffix, content in (("json", _json(document)), ("html", summary_page(document))):
        new = out / f".batch-{name}.{suffix}"
        try:
            new.write_text(content, encoding="utf-8")
            new.replace(out / f"batch.{suffix}")
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
        "years": years, "scope": options.scope, "jobs": options.jobs, "retries": options.retries,
        "timeout": options.timeout,
    }  # fmt: skip
    return file.model_copy(update={name: v for name, v in given.items() if v is not None})


def _workers(options: Options, jobs: int) -> Callable[[Any], Workers]:
    address = options.scheduler
    if address is None:
        return lambda tell: LocalWorkers(jobs, tell=tell)
    try:
        from reportkit.batch.workers.cluster import ClusterWorkers
    except ModuleNotFoundError as error:
        message = f"--scheduler needs {error.name}: pip install 'reportkit-zwgk[cluster]'"
        raise InputError("extra-missing", message) from None
    return lambda tell: ClusterWorkers(address, options.store, jobs=jobs, tell=tell)


def _open_journal(out: Path, name: str, plan: Plan, now: Callable[[], datetime]) -> Journal:
    """The journal; one that is gone is begun anew with the runs that are there."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        missing = not (out / NAME).exists()
        journal = Journal(out, name, now=now)
    except OSError as error:
        message = f"{out} cannot be written: {error.strerror}; choose another --out"
        raise ExecutionError("not-writable", message) from None
    if missing:
        for planned in plan.reports:
            current = out / planned.district / str(planned.year) / "current"
            if current.is_dir():
                run = current.resolve().name
                journal.add("found", district=planned.district, year=planned.year, run=run)
    return journal


def _plan_document(plan: Plan) -> Any:
    reports = [
        {
            "district": planned.district, "year": planned.year,
            "runs": bool(planned.reasons), "why": list(planned.reasons),
        }
        for planned in plan.reports
    ]  # fmt: skip
    order = [[part.district, list(part.years)] for job in plan.jobs for part in job.parts]
    return {"schema": "reportkit/plan/1", "reports": reports, "order": order}


def _plan_text(plan: Plan) -> str:
    lines = []
    for planned in plan.reports:
        why = "; ".join(planned.reasons) if planned.reasons else "unchanged"
        lines.append(f"{planned.district} {planned.year}: {why}")
    runs = sum(bool(planned.reasons) for planned in plan.reports)
    return "\n".join([*lines, f"{runs} of {len(plan.reports)} must be made"])


def _json(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"
