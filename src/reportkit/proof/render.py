"""The level ``render`` of ``verify``: what follows from a run's inputs, made again and compared.

No kernel runs. Documents are made again from the executed notebook; what the library showed in it,
figures, checks and evidence are made again from the auditor's own ledgers and parameters, by the
code that made them first. What cells computed by themselves is named: ``--rerun`` shows it.
"""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import nbformat
import pyarrow as pa
import pyarrow.parquet as pq

from reportkit.errors import ReportkitError
from reportkit.evidence.rows import rows_of
from reportkit.evidence.write import evidence_files
from reportkit.export.blocks import MIME, unpacked
from reportkit.export.document import arrange
from reportkit.export.documents import DOCUMENTS, make_documents
from reportkit.export.files import digest
from reportkit.facts import facts_bytes
from reportkit.language import Message, joined
from reportkit.ledgers.privacy import Pseudonyms
from reportkit.notebook.sealing import fonts_of
from reportkit.proof.cells import compare_filled, compare_notebook, parsed
from reportkit.proof.crate import crate_bytes
from reportkit.proof.differences import Differences, difference_in_file
from reportkit.proof.manifest import MANIFEST, read_manifest
from reportkit.proof.places import DATA, PARAMS, own_form
from reportkit.proof.plainjson import read_json
from reportkit.proof.record import checks_bytes, what_follows
from reportkit.proof.remade import facts_of_notebook, remade
from reportkit.proof.reopened import Reopened, reopened
from reportkit.proof.surroundings import OURS, code_digest, environment, fonts
from reportkit.proof.verify import WRITTEN_BY_OTHERS, Verdict
from reportkit.rollup.evidence import members_evidence

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reportkit.forms import Form
    from reportkit.notebook.compilation import Compilation

    Key = tuple[str, str]

_SHOWN = 40


def render_level(run: Path, *, data: Path = DATA, params: Path = PARAMS) -> Verdict:
    """Check that documents, notebook, figures, checks and evidence come out the same, made again.

    Parameters
    ----------
    run : Path
        A run whose files were verified.
    data, params : Path, optional
        Folders of the ledgers and parameters; the notebook is sought beside the latter.

    Returns
    -------
    Verdict
        ``render``; without a verdict where inputs are not here, or where something comes out
        otherwise and versions are not those of the run: it names the ones to install.
    """
    try:
        manifest = read_manifest(run)
        differences = Differences(_other_versions(manifest))
        with reopened(run, manifest, params=params, data=data) as opened:
            _compare_run(run, manifest, opened, own_form(manifest, params), differences)
    except ReportkitError as error:
        return Verdict("render", False, (error.message,))
    except (*WRITTEN_BY_OTHERS, pa.ArrowException, nbformat.ValidationError) as error:
        problem = Message(
            "a file is not as reportkit writes it: {name}: {error}",
            name=type(error).__name__,
            error=error,
        )
        return Verdict("render", False, (problem[:300],))
    findings, notes = differences.findings[:_SHOWN], differences.undecided
    if more := len(differences.findings[_SHOWN:]):
        findings.append(Message("… and {findings} more", findings=more))
    holds = False if findings else None if notes else True
    if differences.needed:
        needed = joined(", ", differences.needed)
        notes = [*notes, Message("to judge it, this is needed: {needed}", needed=needed)]
    notes = [*notes, *differences.notes]
    return Verdict("render", holds, tuple(findings), tuple(notes), tuple(differences.needed))


def _other_versions(manifest: Mapping[str, Any]) -> dict[str, str]:
    before, now = manifest["environment"], environment()
    changed = {
        name: f"{name} {version}"
        for name, version in before["packages"].items()
        if now["packages"].get(name) != version
    }
    ours = f"{OURS} {before['packages'].get(OURS)}"
    if OURS in changed or manifest["code_sha256"] != code_digest():
        changed[OURS] = Message(
            "{ours} with code {code}", ours=ours, code=manifest["code_sha256"][:12]
        )
    if before["python"].split(".")[:2] != now["python"].split(".")[:2]:
        changed["python"] = Message("Python {python}", python=before["python"])
    if manifest["fonts"] != fonts():
        changed["fonts"] = Message("the fonts of {ours}", ours=ours)
    return changed


def _compare_run(
    run: Path, manifest: Mapping[str, Any], opened: Reopened, form: Form, differences: Differences
) -> None:
    stored, report = read_json(run / "report.ipynb"), opened.report
    nbformat.validate(stored)
    notebook = parsed(json.dumps(stored))
    differences.findings += opened.other
    differences.needed += opened.needed
    if report is None:
        cause = opened.absent or Message("inputs are not those of the run")
        differences.undecided.append(
            Message("what ledgers and parameters decide was not made again: {cause}", cause=cause)
        )
    blocks, filled = remade(report, form, notebook, manifest)
    compare_notebook(stored, notebook, manifest, opened, blocks, differences)
    compare_filled(notebook, filled, differences)
    seal = unpacked(blocks["seal", ""][MIME])
    if report is not None and (names := facts_of_notebook(report, seal)):
        differences.notes.append(
            Message("figures of the notebook's own code: {names}", names=", ".join(names))
        )
    files = {
        "facts.json": facts_bytes(seal["facts"]),
        "checks.json": checks_bytes(filled["metadata"]["reportkit"]["checks"]),
        "ro-crate-metadata.json": crate_bytes(run, manifest, form.model),
    }
    document = arrange(notebook)
    if document.head.get("fonts"):
        # A folder that a received file names is not opened.
        own = fonts_of(report) if report else None
        document = replace(document, head=document.head | {"fonts": own})
    for name, content in (*files.items(), *make_documents(document)):
        _compare_file(run, name, content, differences)
    made = Message(
        "{documents} documents were made again from the executed notebook",
        documents=len(DOCUMENTS),
    )
    differences.notes.append(made)
    if report is not None:
        parts = Message(
            "{blocks} parts of it from ledgers and parameters, and the evidence",
            blocks=len(blocks),
        )
        differences.notes.append(parts)
        _compare_evidence(run, report, differences)
        sha256 = digest(opened.notebook) if opened.notebook else ""
        follows = what_follows(report, stored, manifest["parameters"], notebook_sha256=sha256)
        recorded = {name: manifest[name] for name in follows}
        differences.compare(MANIFEST, recorded, follows)
    _compare_log(run, manifest, differences)
    differences.notes.append(
        Message("machine, times, commit and most of run.log are as the run says")
    )


def _compare_file(run: Path, name: str, content: bytes, differences: Differences) -> None:
    path = run / name
    stored = path.read_bytes() if path.is_file() else None
    if stored is None:
        differences.findings.append(Message("{name} is missing", name=name))
    elif stored != content:
        difference = difference_in_file(name, stored, content)
        differences.differs(joined(" ", [name, difference]), name)


def _compare_evidence(run: Path, report: Compilation, differences: Differences) -> None:
    """The evidence, written again by the writer that wrote it."""
    # Digests of records under a key that is not here cannot be made again.
    secret = not report.ledgers.pseudonyms.of_session and Pseudonyms.from_environment().of_session
    if secret:
        differences.notes.append(Message("digests of records are keyed, and the key is not here"))
    ledgers = report.ledgers
    names = set()
    of_members = members_evidence(report.sums, report.facts) if report.sums else ()
    of_rows = evidence_files(rows_of(report.facts), ledgers, key=ledgers.row_key)
    for name, content in (*of_rows, *of_members):
        names.add(name)
        path = run / "evidence" / name
        keyed = secret and name == "records.parquet" and path.is_file()
        if not keyed or _without_digests(path.read_bytes()) != _without_digests(content):
            _compare_file(run, f"evidence/{name}", content, differences)
    stored = {path.relative_to(run).as_posix() for path in (run / "evidence").rglob("*")}
    for name in sorted(stored - {f"evidence/{file}" for file in names}):
        differences.differs(Message("{name} does not come out again", name=name))


def _compare_log(run: Path, manifest: Mapping[str, Any], differences: Differences) -> None:
    """Compare the log's lines on the run's files and id; the rest of the log is a note."""
    lines = (run / "run.log").read_text(encoding="utf-8").splitlines()
    logged = {line.partition(" INFO ")[2] for line in lines}
    sizes = {
        Message("{name}: {size} bytes", name=name, size=(run / name).stat().st_size)
        for name in DOCUMENTS
        if (run / name).is_file()
    }
    for statement in sorted({*sizes, Message("sealed as {run}", run=manifest["run"])} - logged):
        differences.findings.append(
            Message("run.log does not say {statement}", statement=statement)
        )


def _without_digests(content: bytes) -> pa.Table:
    return pq.read_table(io.BytesIO(content)).drop_columns(["digest"])
