"""One report, from parameters to a published run; nothing half-written is ever in force.

The stages, in their order: *prepare* reads parameters and ledgers and computes the report;
*execute* runs the notebook; *gate* lets only that pass which is what was computed; *write* makes
facts, evidence and documents in a staging folder; *seal* adds the record and the attestation;
*publish* renames the folder into place and switches the link ``current``. A run that fails leaves
``current`` as it was, and its notebook and log under ``failed/``.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from reportkit.errors import ExecutionError, InputError, ReportkitError, refused_by_system
from reportkit.evidence.write import write_evidence
from reportkit.export.document import arrange
from reportkit.export.documents import make_documents
from reportkit.facts import facts_bytes
from reportkit.language import Message, joined
from reportkit.notebook.compilation import Compilation
from reportkit.notebook.filled import fill, foresee
from reportkit.proof import verify_files
from reportkit.proof.inputs import digests_read, find_notebook, inputs_of
from reportkit.proof.manifest import read_manifest
from reportkit.proof.record import Making, checks_bytes, seal_run
from reportkit.proof.signing.settings import signer_from
from reportkit.rollup.evidence import write_members
from reportkit.run.gate import gate, rows_of_sealed, same_checks
from reportkit.run.leaks import Gate
from reportkit.run.notebook import execute, read_notebook, write_notebook
from reportkit.run.publishing import clear_stale, keep_failed, locked, publish, staging_of
from reportkit.run.request import Outcome, Request, changes, final_in_force, outcome_of, standing
from reportkit.warm.processes import need_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from multiprocessing.context import BaseContext
    from pathlib import Path

    from reportkit.evidence.rows import FactRows
    from reportkit.export.blocks import Block
    from reportkit.ledgers.district import Kept

_WITHHELD = Message("it failed, and what it says holds personal data, so that it is not repeated")
_log = logging.getLogger("reportkit")
_CHINA = ZoneInfo("Asia/Shanghai")


def _now() -> datetime:
    return datetime.now(UTC)


def run(
    request: Request,
    *,
    force: bool = False,
    fork: Callable[[], BaseContext | None] = lambda: None,
    wait: bool = False,
    planned: bool = False,
    kept: Kept | None = None,
    tell: Callable[[str], object] = lambda _stage: None,
    now: Callable[[], datetime] = _now,
) -> Outcome:
    """Make one report.

    Parameters
    ----------
    request : Request
    force : bool
        Make it also when nothing has changed since the run in force.
    fork : callable, optional
        Gives the multiprocessing context whose processes are forked: the kernel is one, where that
        is safe. It is called when it is clear that a kernel is needed; by default that starts cold.
    wait : bool
        Wait for another run of the same report to end, instead of refusing with ``busy``.
    planned : bool
        It is known that something has changed.
    kept : dict, optional
        Ledgers read before; see `Ledgers`.
    tell : callable
        Is given what is being done, as it begins.
    now : callable
        The one clock.

    Raises
    ------
    InputError
        Bad parameters or ledgers, or a year that is not over; no notebook was started.
    ExecutionError
        The notebook failed, the folder is busy, or there is no space; nothing was published.
    """
    need_files()
    started = now()
    if not request.draft:
        _refuse_to_come(request, started)
    place = request.place
    if not (force or planned) and next(changes(request), None) is None:
        clear_stale(place)
        return outcome_of(standing(request), unchanged=True)
    context = fork()
    making, expected = prepare(request, started, kept, tell)
    with locked(place, wait=wait):
        # Another process may have made it meanwhile; and a database is known only now.
        if not force and _made_from(standing(request)) == making.key:
            return outcome_of(standing(request), unchanged=True)
        staging = staging_of(place, making.run_id)
        try:
            staging.mkdir()
            with _log_to(staging / "run.log"):
                tell(Message("executing the notebook"))
                executed = _execute(making, staging, context)
                passed = _pass_gate(making, executed, expected)
                _write(making, passed, staging, tell)
                tell(Message("sealing"))
                _log.info("sealed as %s", making.run_id)
                seal_run(staging, making, ended=now(), signer=signer_from(os.environ))
            replaced = final_in_force(place)
            publish(staging, place, making.run_id)
        except BaseException as error:
            held_back = cache(partial(gate_of, making.report))
            keep_failed(staging, place / "failed", error, lambda text: held_back().hide(text))
            if isinstance(error, OSError) and error.errno not in (errno.EMFILE, errno.ENFILE):
                full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
                raise ExecutionError(
                    "no-space" if full else "not-writable",
                    "{folder} cannot be written: {problem}",
                    folder=staging.parent,
                    problem=refused_by_system(error),
                    district=request.district,
                ) from error
            if isinstance(error, Exception):
                raise _cleaned(_placed(error, place / "failed"), held_back()) from None
            raise
        return outcome_of(place / "runs" / making.run_id, unchanged=False, replaced=replaced)


def _placed(error: Exception, failed: Path) -> Exception:
    """An error of a cell, with where the notebook is as far as it ran."""
    notebook = failed / "report.ipynb"
    if isinstance(error, ExecutionError) and "cell" in error.fields and notebook.is_file():
        return ExecutionError(
            error.reason,
            "{message}; what ran until then is in {notebook}: open it in Jupyter",
            message=error.message,
            notebook=notebook,
            **error.fields,
        )
    return error


def _refuse_to_come(request: Request, now: datetime) -> None:
    # A year ends where its districts are.
    if now.astimezone(_CHINA).year <= request.year:
        raise InputError(
            "year-not-over",
            "{year} is not over: a report of it would leave out what is still to come; "
            "make a draft (--draft), or wait for its end",
            district=request.district,
            year=request.year,
        )


def prepare(
    request: Request,
    started: datetime,
    kept: Kept | None = None,
    tell: Callable[[str], object] = lambda _stage: None,
) -> tuple[Making, dict[str, Any]]:
    """Read and compute the report, which finds every fault of its inputs before a kernel starts.

    Returns
    -------
    tuple of Making and dict
        What is on its way; the document ``facts.json`` as it must come out.
    """
    report = Compilation.open(
        request.district,
        request.year,
        form=request.form,
        scope=request.scope,
        draft=request.draft,
        params=request.params,
        data=request.data,
        out=request.out,
        hierarchy=request.hierarchy,
        rollup=request.rollup,
        kept=kept,
        tell=lambda name, rows: tell(
            Message("reading {name}: {rows:,} rows", name=name, rows=rows)
        ),
    )
    tell(Message("computing figures"))
    notebook = request.notebook or find_notebook(report.project, report.form, rollup=request.rollup)
    foresee(read_notebook(notebook), report)
    expected = report.facts_document()
    inputs = inputs_of(report, notebook)
    digests = tuple(inputs.digests(digests_read(report)))
    key = inputs.key(digests, request.parameters)
    return Making(report, request.parameters, digests, key, notebook, started), expected


def _made_from(run: Path) -> str:
    """The key of a run; empty if it is not there, or not whole."""
    try:
        verify_files(run)
        return str(read_manifest(run)["inputs_sha256"])
    except ReportkitError:
        return ""


def _execute(making: Making, staging: Path, fork: BaseContext | None) -> Mapping[str, Any]:
    """Run the notebook in a kernel of its own, which reads and computes by itself."""
    _log.info("executing %s with %s", making.notebook, making.parameters)
    if fork is None:
        _log.info("kernel: cold")
    output = staging / "report.ipynb"
    return execute(making.notebook, making.parameters, output, fork=fork)


@dataclass(frozen=True)
class _Passed:
    """An executed notebook that shows what was computed, its seal, and the rows of its facts."""

    notebook: Mapping[str, Any]
    seal: Block
    held: Mapping[str, FactRows]


def _pass_gate(making: Making, executed: Mapping[str, Any], expected: Mapping[str, Any]) -> _Passed:
    """Let pass only what is whole, and what was computed from inputs that are still the same."""
    report, seal = making.report, gate(executed)
    rows = rows_of_sealed(report, seal, expected)
    report.adopt(seal["facts"])
    changed = report.ledgers.changed()
    changed += [path for past in report.made for path in past.changed()]
    if changed:
        raise ExecutionError(
            "input-changed",
            "{changed} changed while the report was made; run again",
            changed=joined(", ", changed),
        )
    same_checks(report, seal)
    return _Passed(fill(executed), seal, rows)


def _write(making: Making, passed: _Passed, staging: Path, tell: Callable[[str], object]) -> None:
    """Write facts, checks, evidence and documents, and search all of them for persons."""
    report, seal = making.report, passed.seal
    checks = passed.notebook["metadata"]["reportkit"]["checks"]
    write_notebook(passed.notebook, staging / "report.ipynb")
    (staging / "facts.json").write_bytes(facts_bytes(seal["facts"]))
    (staging / "checks.json").write_bytes(checks_bytes(checks))
    tell(Message("writing evidence"))
    write_evidence(staging / "evidence", passed.held, report.ledgers, key=report.ledgers.row_key)
    if report.sums:
        write_members(staging / "evidence", report.sums, report.facts)
    tell(Message("making documents"))
    for name, body in make_documents(arrange(passed.notebook)):
        tell(Message("making documents: {name}", name=name))
        (staging / name).write_bytes(body)
        _log.info("%s: %d bytes", name, len(body))
    gate_of(report).check(staging)


def gate_of(report: Compilation) -> Gate:
    """Collect what must not be published of a report's ledgers."""
    columns = [ledger.personal.unique() for ledger in report.ledgers.values()]
    personal = {value for cells in columns for value in cells.to_pylist() if value}
    allowed = [str(value) for value in report.district.model_dump().values()]
    return Gate(personal, allowed)


def _cleaned(error: Exception, held_back: Gate) -> Exception:
    """An error of a run, its text without persons of the ledgers: a cell's can hold any."""
    if isinstance(error, ReportkitError):
        message = held_back.hide(error.message)
        if message == error.message:
            return error
        return type(error)(error.reason, "{message}", message=message or _WITHHELD, **error.fields)
    if isinstance(error, OSError | MemoryError):
        return error
    message = held_back.hide("".join(traceback.format_exception(error))) or _WITHHELD
    return ExecutionError("internal", "{message}", message=message)


class _UtcFormatter(logging.Formatter):
    """Lines with their time as the journal and the manifest have it: UTC, with its offset."""

    def formatTime(self, record: logging.LogRecord, _: str | None = None) -> str:  # noqa: N802 - logging's own
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


@contextlib.contextmanager
def _log_to(path: Path) -> Iterator[None]:
    handler = logging.FileHandler(path, encoding="utf-8")
    # papermill does not know that `open_report` finds this parameter by itself.
    handler.addFilter(lambda record: record.getMessage() != "Passed unknown parameter: form")
    handler.setFormatter(_UtcFormatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    loggers = [logging.getLogger(name) for name in ("reportkit", "papermill")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
        handler.close()
