"""One report, from parameters to a published run; nothing half-written is ever in force.

A run is made in a staging folder under a lock, passes the gate, gets its documents and manifest,
and is renamed into place; then the link ``current`` is switched. A failed run leaves ``current``
as it was and its notebook and log under ``failed/``.
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportkit.errors import ExecutionError, ReportkitError
from reportkit.evidence.rows import FactRows, rows_of
from reportkit.evidence.seal import unseal_rows
from reportkit.evidence.write import write_evidence
from reportkit.export.document import arrange
from reportkit.export.documents import make_documents
from reportkit.facts import facts_bytes, rows_sha256
from reportkit.notebook.compilation import keep_report
from reportkit.notebook.filled import fill, foresee
from reportkit.notebook.report import Report, open_report
from reportkit.params import Project
from reportkit.proof import input_digest, seal_run, verify_files
from reportkit.proof.record import checks_bytes, find_notebook, inputs_of, sources_of
from reportkit.proof.signing.settings import signer_from
from reportkit.proof.surroundings import code_digest, environment
from reportkit.run.leaks import Gate
from reportkit.run.notebook import execute, gate, read_notebook, write_notebook
from reportkit.run.publishing import keep_failed, locked, publish, staging_of
from reportkit.run.unchanged import (
    Seen,
    Watch,
    asked_for,
    files_sight,
    read_seen,
    write_seen,
)
from reportkit.warm.processes import need_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from reportkit.export.blocks import Block
    from reportkit.params import Scope

_UNTOLD = "it failed, and what it says holds personal data, so that it is not repeated"
_log = logging.getLogger("reportkit")


@dataclass(frozen=True)
class Outcome:
    """What came of a run.

    Parameters
    ----------
    folder : Path
        The run in force.
    draft, unchanged : bool
        Whether its documents are marked as a draft; whether it was there already.
    findings : list of dict
        Checks that do not hold, as in ``checks.json``.
    """

    folder: Path
    draft: bool
    unchanged: bool
    findings: list[dict[str, Any]]

    @property
    def exit_status(self) -> int:
        """1 if a check of severity error does not hold and is not accepted, else 0."""
        return int(any(c["severity"] == "error" and not c["waived"] for c in self.findings))


def run(
    district: str,
    year: int,
    *,
    params: Path | None = None,
    data: Path | None = None,
    out: Path = Path("outputs"),
    scope: Scope | None = None,
    draft: bool = False,
    force: bool = False,
    notebook: Path | None = None,
    warm: bool = False,
    wait: bool = False,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Outcome:
    """Make one report.

    Parameters
    ----------
    district, year
        Whose, and of which year.
    params, data, out : Path
        Folders.
    scope, draft
        As for `open_report`.
    force : bool
        Run also when nothing has changed since the run in force.
    notebook : Path, optional
        The notebook to execute; ``notebooks/annual_report.ipynb`` of the project, else the
        package's own.
    warm : bool
        Fork the kernel from this process, where that is safe, instead of starting a cold one.
    wait : bool
        Wait for another run of the same report to end, instead of refusing with ``busy``.
    now : callable
        The one clock.

    Returns
    -------
    Outcome

    Raises
    ------
    InputError
        Bad parameters or ledgers; no notebook was started.
    ExecutionError
        The notebook failed, the folder is busy, or there is no space; nothing was published.
    """
    need_files()
    started = now()
    report = open_report(
        district, year, scope=scope, draft=draft, params=params, data=data, out=out
    )
    notebook = notebook or find_notebook(report.project)
    # This finds every fault of narrative and definitions before a kernel starts.
    foresee(read_notebook(notebook), report)
    expected = report.facts_document()
    members = report.project.members(district)
    watch = Watch(int(started.timestamp() * 1e9), members)
    watch.folders(_watched(report, out))
    inputs = inputs_of(report, notebook, watch.digest)
    parameters: dict[str, Any] = {"district": district, "year": year}
    given = {"scope": scope, "draft": draft or None, "params": params, "data": data, "out": out}
    if out == Project.find(params, data).out:
        del given["out"]
    parameters |= {k: v if k == "draft" else str(v) for k, v in given.items() if v is not None}
    # What the report says of its pseudonyms depends on it, the pseudonyms themselves do not count.
    key = input_digest(inputs, parameters | {"note": report.ledgers.note})
    place = out / district / str(year)
    with locked(place, wait=wait):
        current = place / "current"
        asked = asked_for(scope=scope, draft=draft, params=params, data=data)
        files_only = all(isinstance(one, Path) for one in sources_of(report))
        if not force and (kept := _unchanged(current, key)):
            if files_only:
                _remember(place, kept, asked, watch, 0)
            return kept
        run_id = f"{started:%Y%m%dT%H%M%SZ}-{key[:12]}"
        staging = staging_of(place, run_id)
        try:
            staging.mkdir()
            with _log_to(staging / "run.log"):
                _make(report, expected, notebook, parameters, staging, warm=warm)
                _seal(report, staging, key, run_id, started, now(), inputs, parameters)
            final = publish(staging, place, run_id)
        except BaseException as error:
            held_back = cache(partial(gate_of, report))
            keep_failed(staging, place / "failed", error, lambda text: held_back().hide(text))
            if isinstance(error, OSError) and error.errno not in (errno.EMFILE, errno.ENFILE):
                full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
                message = f"{staging.parent} cannot be written: {error.strerror}"
                reason = "no-space" if full else "not-writable"
                raise ExecutionError(reason, message, district=district) from error
            if isinstance(error, Exception):
                raise _cleaned(error, held_back()) from None
            raise
        outcome = _outcome(final, unchanged=False)
        if files_only:  # what a database holds is known only by reading it
            _remember(place, outcome, asked, watch, (now() - started).total_seconds())
    return outcome


def _watched(report: Report, out: Path) -> list[Path]:
    """Folders and links that decide which files the report is made from."""
    project, district = report.project, report.district.id
    folders = [project.params / "facts", project.params / "reports" / district]
    folders += [project.data / district, project.holidays_file]
    compared = [(district, report.year - 1), *((one, report.year) for one in report.members)]
    return [*folders, *(out / name / str(year) / "current" for name, year in compared)]


def _remember(
    place: Path, outcome: Outcome, asked: dict[str, Any], watch: Watch, seconds: float
) -> None:
    """Keep what a run was made from, so that the next batch need not read it."""
    known = read_seen(place)
    write_seen(
        place,
        Seen(
            run=outcome.folder.name, asked=asked, code=code_digest(), packages=environment(),
            members=list(watch.members), seen=watch.seen, files=files_sight(outcome.folder),
            seconds=known.seconds if known and outcome.unchanged else seconds,
            exit_status=outcome.exit_status, draft=outcome.draft, findings=outcome.findings,
        ),
    )  # fmt: skip


def _make(
    report: Report, expected: Mapping[str, Any], notebook: Path, parameters: dict[str, Any],
    staging: Path, *, warm: bool,
) -> None:  # fmt: skip
    """Execute, gate, and write everything that is made from the executed notebook."""
    _log.info("executing %s with %s", notebook, parameters)
    if not warm:
        _log.info("kernel: cold")
    with keep_report(report):
        executed = execute(notebook, parameters, staging / "report.ipynb", warm=warm)
    seal = gate(executed)
    held = _rests_on(report, seal, expected)
    report.adopt(seal["facts"])
    changed = report.ledgers.changed()
    if changed := changed + [path for past in report.made for path in past.changed()]:
        message = f"{', '.join(changed)} changed while the report was made; run again"
        raise ExecutionError("input-changed", message)
    _same_checks(report, seal)
    filled = fill(executed)
    write_notebook(filled, staging / "report.ipynb")
    (staging / "facts.json").write_bytes(facts_bytes(seal["facts"]))
    (staging / "checks.json").write_bytes(checks_bytes(filled["metadata"]["reportkit"]["checks"]))
    write_evidence(staging / "evidence", held, report.ledgers, key=report.ledgers.row_key)
    for name, body in make_documents(arrange(filled)):
        (staging / name).write_bytes(body)
        _log.info("%s: %d bytes", name, len(body))
    gate_of(report).check(staging)


def gate_of(report: Report) -> Gate:
    """What must not be published of the ledgers of a report."""
    columns = [ledger.personal.unique() for ledger in report.ledgers.values()]
    personal = {value for cells in columns for value in cells.to_pylist() if value}
    allowed = [str(value) for value in report.district.model_dump().values()]
    return Gate(personal, allowed)


def _cleaned(error: Exception, held_back: Gate) -> Exception:
    """An error of a run, its text without persons of the ledgers: a cell's can hold any."""
    if isinstance(error, ReportkitError):
        message = held_back.hide(error.message) or _UNTOLD
        return type(error)(error.reason, message, **error.fields)
    if isinstance(error, OSError | MemoryError):
        return error
    told = held_back.hide("".join(traceback.format_exception(error))) or _UNTOLD
    return ExecutionError("internal", told)


def _rests_on(report: Report, seal: Block, expected: Mapping[str, Any]) -> dict[str, FactRows]:
    """The rows of every sealed fact: as computed here, so that a changed notebook cannot bend them.

    Of a fact that the notebook made the seal holds the rows.
    """
    sealed = {fact["id"]: fact for fact in seal["facts"]["facts"]}
    computed = {fact["id"]: fact for fact in expected["facts"]}
    ours = {name: report.computer.get(name) for name in sealed if name in report.computer}
    for name in sorted(ours.keys() | computed.keys()):
        there = sealed.get(name, {})
        here = computed.get(name) or ours[name].as_json() | {"places": there["places"]}
        other = [key for key in here if there.get(key) != here[key]]
        if "value" in other:
            message = (
                f"{name} is {there.get('value')} in the notebook, {here['value']} in the ledgers"
            )
            raise ExecutionError("facts-differ", message, fact=name)
        if other:
            message = f"{name}: {', '.join(other)} in the notebook are not what the ledgers give"
            raise ExecutionError("facts-differ", message, fact=name)
    held = rows_of(ours)
    made = unseal_rows(seal["rows"])
    for name in sealed.keys() - ours.keys():
        fact, one = sealed[name], made.get(name)
        if one is None and not fact["rows"]:
            continue
        ledger = report.ledgers.get(fact["ledger"])
        if (
            one is None or ledger is None or one.ledger != fact["ledger"]
            or rows_sha256(one.rows) != fact["rows_sha256"] or one.rows.max() >= ledger.read
        ):  # fmt: skip
            message = f"the rows of {name} are not those that its value was made from"
            raise ExecutionError("evidence-wrong", message, fact=name)
        held[name] = one
    return held


def _same_checks(report: Report, seal: Block) -> None:
    """What was found here stands in the notebook, and it knows whether it is a draft."""
    if seal["checks"] != [check.as_json() for check in report.all_checks]:
        message = "the checks in the notebook are not those of its ledgers and parameters"
        raise ExecutionError("checks-differ", message)
    if seal["head"]["draft"] != report.is_draft or seal["form"] != report.prescribed():
        message = "the notebook says wrongly whether it is a draft, or what its form prescribes"
        raise ExecutionError("draft-differs", message)


def _seal(
    report: Report, staging: Path, key: str, run_id: str, started: datetime, ended: datetime,
    inputs: list[tuple[str, str]], parameters: dict[str, Any],
) -> None:  # fmt: skip
    _log.info("sealed as %s", run_id)
    seal_run(
        staging, report, run_id=run_id, key=key, started=started, ended=ended, inputs=inputs,
        parameters=parameters, signer=signer_from(os.environ),
    )  # fmt: skip


def _unchanged(current: Path, key: str) -> Outcome | None:
    """The run in force, if it is whole and was made from the same inputs."""
    try:
        manifest = json.loads((current / "MANIFEST.json").read_text(encoding="utf-8"))
        if manifest["inputs_sha256"] != key:
            return None
        verify_files(current)
    except (OSError, ValueError, KeyError, ReportkitError):
        return None
    return _outcome(current.parent / "runs" / current.resolve().name, unchanged=True)


def _outcome(folder: Path, *, unchanged: bool) -> Outcome:
    checks = json.loads((folder / "checks.json").read_text(encoding="utf-8"))
    manifest = json.loads((folder / "MANIFEST.json").read_text(encoding="utf-8"))
    findings = [check for check in checks if not check["holds"]]
    return Outcome(folder, manifest["draft"], unchanged, findings)


class _Told(logging.Formatter):
    """Lines with their time as the journal and the manifest have it: UTC, with its offset."""

    def formatTime(self, record: logging.LogRecord, _: str | None = None) -> str:  # noqa: N802 - logging's own
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


@contextlib.contextmanager
def _log_to(path: Path) -> Iterator[None]:
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(_Told("%(asctime)s %(name)s %(levelname)s %(message)s"))
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
