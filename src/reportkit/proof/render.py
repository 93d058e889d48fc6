"""The level ``render`` of ``verify``: what follows from a run's inputs, made again and compared.

No kernel runs. Documents are made again from the executed notebook; what the library showed in it,
figures, checks and evidence are made again from the auditor's own ledgers and parameters, by the
code that made them first. What cells computed by themselves is named: ``--rerun`` shows it.
"""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pyarrow as pa
import pyarrow.parquet as pq
from ipykernel.ipkernel import IPythonKernel
from papermill.translators import PythonTranslator

from reportkit.errors import ReportkitError
from reportkit.evidence.rows import rows_of
from reportkit.evidence.write import evidence_files
from reportkit.export.blocks import MIME, unpacked
from reportkit.export.document import arrange
from reportkit.export.documents import DOCUMENTS, make_documents
from reportkit.export.original import INJECTED
from reportkit.facts import facts_bytes
from reportkit.ledgers.privacy import Pseudonyms
from reportkit.notebook.filled import as_executed
from reportkit.proof.crate import crate_bytes
from reportkit.proof.differences import difference_in_file, first_difference
from reportkit.proof.manifest import digest, read_manifest
from reportkit.proof.normal import normal_form
from reportkit.proof.places import own_form
from reportkit.proof.plainjson import read_json
from reportkit.proof.record import checks_bytes, what_follows
from reportkit.proof.remade import key_of, made_there, remade
from reportkit.proof.reopened import Reopened, reopened
from reportkit.proof.surroundings import OURS, code_digest, environment, fonts
from reportkit.proof.verify import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reportkit.forms import Form
    from reportkit.notebook.report import Report

    Key = tuple[str, str]

# What decides over the bytes of a document, besides our own code and Python; over everything else
# any package may.
_MADE_WITH = {
    "report.html": ("jinja2", "markupsafe"),
    "audit.html": ("jinja2", "markupsafe"),
    "report.pdf": ("typst", "fonts"),
    "report.docx": ("python-docx", "lxml", "typst", "fonts", "zlib"),
    "tables.xlsx": ("xlsxwriter", "zlib"),
}
_SHOWN = 40
# A cell that does nothing but let the library show something.
_ASKS = re.compile(r"""report\.(head|inputs|section|table|checks|seal)\(["']?(\w*)["']?\)""")


@dataclass
class _Told:
    """Collected differences; none counts as a finding where other versions may have made it.

    Parameters
    ----------
    versions : mapping of str to str
        What is of another version here, and which one the run had.
    """

    versions: Mapping[str, str]
    findings: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    needed: list[str] = field(default_factory=list)

    def differs(self, what: str, name: str = "") -> None:
        """Something comes out otherwise, which is in the file of this name."""
        deciding = {OURS, "python", *_MADE_WITH.get(name, self.versions)}
        causes = deciding & {*self.versions}
        (self.untold if causes else self.findings).append(what)
        self.needed += sorted({self.versions[cause] for cause in causes} - {*self.needed})


def render_level(run: Path, *, data: Path | None = None, params: Path | None = None) -> Verdict:
    """Check that documents, notebook, figures, checks and evidence come out the same, made again.

    Parameters
    ----------
    run : Path
        A run whose files were verified.
    data, params : Path, optional
        Folders of the ledgers and parameters; the notebook is looked for beside the latter.

    Returns
    -------
    Verdict
        ``render``; without a verdict where inputs are not here, or where something comes out
        otherwise and versions are not those of the run: it names the ones to install.
    """
    params, data = params or Path("params"), data or Path("data")
    try:
        manifest = read_manifest(run)
        told = _Told(_other_versions(manifest))
        with reopened(run, manifest, params=params, data=data) as opened:
            _look_at(run, manifest, opened, own_form(manifest, params), told)
    except ReportkitError as error:
        return Verdict("render", False, (error.message,))
    except (
        LookupError, TypeError, ValueError, AttributeError, OSError, RecursionError,
        pa.ArrowException, nbformat.ValidationError,
    ) as error:  # fmt: skip
        # Somebody else has written these files: what is in them can be anything.
        what = f"a file is not as reportkit writes it: {type(error).__name__}: {error}"
        return Verdict("render", False, (what[:300],))
    findings = told.findings[:_SHOWN]
    if len(told.findings) > _SHOWN:
        findings.append(f"… and {len(told.findings) - _SHOWN} more")
    if told.needed:
        told.notes.insert(0, f"to tell it, this is needed: {', '.join(told.needed)}")
    holds = False if told.findings else None if told.untold else True
    notes = (*told.untold, *told.notes)
    return Verdict("render", holds, tuple(findings), notes, tuple(told.needed))


def _other_versions(manifest: Mapping[str, Any]) -> dict[str, str]:
    there, here = manifest["environment"], environment()
    other = {
        name: f"{name} {version}"
        for name, version in there["packages"].items()
        if here["packages"].get(name) != version
    }
    ours = f"{OURS} {there['packages'].get(OURS)}"
    if OURS in other or manifest["code_sha256"] != code_digest():
        other[OURS] = f"{ours} with code {manifest['code_sha256'][:12]}"
    if there["python"].split(".")[:2] != here["python"].split(".")[:2]:
        other["python"] = f"Python {there['python']}"
    if manifest["fonts"] != fonts():
        other["fonts"] = f"the fonts of {ours}"
    return other


def _look_at(
    run: Path, manifest: Mapping[str, Any], opened: Reopened, form: Form, told: _Told
) -> None:
    stored, report = read_json(run / "report.ipynb"), opened.report
    nbformat.validate(stored)
    notebook = _parsed(json.dumps(stored))
    told.findings += opened.other
    told.needed += opened.needed
    if report is None:
        why = opened.absent or "inputs are not those of the run"
        told.untold.append(f"what ledgers and parameters decide was not made again: {why}")
    made, filled = remade(report, form, notebook, manifest)
    _compare_notebook(stored, notebook, manifest, opened, made, told)
    _compare_filled(notebook, filled, told)
    seal = unpacked(made["seal", ""][MIME])
    if report is not None and (names := made_there(report, seal)):
        told.notes.append(f"figures of the notebook's own code: {', '.join(names)}")
    files = {
        "facts.json": facts_bytes(seal["facts"]),
        "checks.json": checks_bytes(filled["metadata"]["reportkit"]["checks"]),
        "ro-crate-metadata.json": crate_bytes(run, manifest, form.model),
    }
    document = arrange(notebook)
    if document.head.get("fonts"):
        # A folder that a received file names is not looked into.
        own = report.fonts() if report else None
        document = replace(document, head=document.head | {"fonts": own})
    for name, content in (*files.items(), *make_documents(document)):
        _compare_file(run, name, content, told)
    told.notes.append(f"{len(DOCUMENTS)} documents were made again from the executed notebook")
    if report is not None:
        told.notes.append(f"{len(made)} parts of it from ledgers and parameters, and the evidence")
        _compare_evidence(run, report, told)
        sha256 = digest(opened.notebook) if opened.notebook else ""
        follows = what_follows(report, stored, manifest["parameters"], notebook_sha256=sha256)
        said = {name: manifest[name] for name in follows}
        if said != follows:
            told.differs(f"MANIFEST.json: {first_difference(said, follows)}")
    _compare_log(run, manifest, told)
    told.notes.append("machine, times, commit and most of run.log are as the run says")


def _compare_notebook(
    stored: Mapping[str, Any], notebook: Mapping[str, Any], manifest: Mapping[str, Any],
    opened: Reopened, made: Mapping[Key, Mapping[str, Any]], told: _Told,
) -> None:  # fmt: skip
    """Cells with the auditor's own notebook, and what they show with what is made here."""
    cells = normal_form(as_executed(stored))["cells"]
    if opened.notebook is not None:
        told.notes.append("the notebook is the one that is here")
        told.findings += _other_cells(cells, _as_given(opened.notebook, manifest))
        _compare_metadata(stored, opened.notebook, told)
    else:
        told.untold.append("the notebook is the run's own: it is neither yours nor the package's")
    seen: set[Key] = set()
    rest, count = [], 0
    for number, (cell, plain) in enumerate(zip(notebook["cells"], cells, strict=True), 1):
        if cell["cell_type"] != "code":
            continue
        count += 1
        name = f"report.ipynb: cell {number} ({plain['id']})"
        if cell["execution_count"] != count:
            told.findings.append(f"{name} ran as {cell['execution_count']}, not in its turn")
        held = []
        for output in cell["outputs"]:
            data = output.get("data", {})
            key = key_of(data[MIME]) if MIME in data else ("", "")
            held.append(key)
            if output.get("execution_count", count) != count:
                told.findings.append(f"{name} shows what ran as {output['execution_count']}")
            if key not in made:
                kind = " ".join(key) if key[0] else " and ".join(data) or output["output_type"]
                rest.append(f"{plain['id']} ({kind.strip()})")
            elif data != made[key] or output["metadata"]:
                what = first_difference(unpacked(data[MIME]), unpacked(made[key][MIME]))
                if data[MIME] == made[key][MIME]:
                    what = first_difference({**output["metadata"], **data}, made[key])
                told.differs(f"{name}: {' '.join(key).strip()}: {what}")
        asked = _ASKS.fullmatch("".join(cell["source"]).strip())
        if asked and held != [_asked(*asked.groups())]:
            told.findings.append(f"{name} shows something else than {cell['source'].strip()}")
        seen |= {*held}
    if missing := sorted(set(made) - seen):
        listed = ", ".join(" ".join(key).strip() for key in missing)
        told.differs(f"report.ipynb does not show {listed}")
    if rest:
        told.notes.append(
            f"shown by the notebook's own code, which --rerun executes: {', '.join(rest)}"
        )


def _compare_filled(notebook: Mapping[str, Any], filled: Mapping[str, Any], told: _Told) -> None:
    """Text in cells with the text filled in here, and what was found in the whole."""
    for number, (cell, other) in enumerate(zip(notebook["cells"], filled["cells"], strict=True), 1):
        ours = [(one["source"], one["metadata"].get("reportkit")) for one in (cell, other)]
        if ours[0] != ours[1]:
            told.differs(f"report.ipynb: cell {number}: {first_difference(ours[0], ours[1])}")
        if cell["cell_type"] == "code":
            for output, made in zip(cell["outputs"], other["outputs"], strict=True):
                block = output.get("data", {}).get(MIME)
                if block is not None and output["data"] != made["data"]:
                    what = first_difference(output["data"], made["data"])
                    told.differs(f"report.ipynb: cell {number}: {what}")
    said, found = (one["metadata"].get("reportkit") for one in (notebook, filled))
    if said != found:
        told.differs(f"report.ipynb: {first_difference(said, found, 'metadata/reportkit/')}")


def _asked(kind: str, which: str) -> Key:
    return kind, f"t{which}" if kind == "table" and which.isdigit() else which


def _parsed(text: str) -> Any:
    return nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]  # nbformat has no types


def _as_given(path: Path, manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The cells of a notebook before it is executed, with those of its parameters put in."""
    given = _parsed(path.read_text(encoding="utf-8"))
    for at, cell in enumerate(given.cells, 1):
        if "parameters" in cell.metadata.get("tags", ()):
            source = PythonTranslator.codify(manifest["parameters"], "Parameters")
            kind: dict[str, Any] = {"cell_type": "code", "execution_count": None, "outputs": []}
            given.cells.insert(at, kind | {"source": source, "metadata": {"tags": [INJECTED]}})
            break
    cells: list[dict[str, Any]] = normal_form(given)["cells"]
    return cells


def _other_cells(found: list[dict[str, Any]], given: list[dict[str, Any]]) -> Iterator[str]:
    """Cells that are not the notebook's: their text, kind, tags and what is attached."""
    before, after = (
        [json.dumps(_before(cell), sort_keys=True) for cell in cells] for cells in (given, found)
    )
    matcher = SequenceMatcher(a=before, b=after, autojunk=False)
    for kind, first, last, start, end in matcher.get_opcodes():
        if kind == "equal":
            continue
        for number in range(start, end):
            yield f"report.ipynb: cell {number + 1} ({found[number]['id']}) is not the notebook's"
        names = {cell["id"] for cell in found[start:end]}
        for cell in given[first:last]:
            if cell["id"] not in names:
                yield f"report.ipynb: cell {cell['id']} of the notebook is not in it"


def _before(cell: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in cell.items() if name not in ("count", "outputs")}
    return kept | {"metadata": {"tags": [], **cell["metadata"]}}


def _compare_metadata(stored: Mapping[str, Any], path: Path, told: _Told) -> None:
    given = _parsed(path.read_text(encoding="utf-8"))
    given.metadata["language_info"] = dict(IPythonKernel.language_info)
    said = normal_form(as_executed(stored))["metadata"]
    made = normal_form({"metadata": given.metadata, "cells": []})["metadata"]
    if said != made:
        told.differs(f"report.ipynb: {first_difference(said, made, 'metadata/')}")


def _compare_file(run: Path, name: str, made: bytes, told: _Told) -> None:
    path = run / name
    found = path.read_bytes() if path.is_file() else None
    if found is None:
        told.findings.append(f"{name} is missing")
    elif found != made:
        told.differs(f"{name} {difference_in_file(name, found, made)}", name)


def _compare_evidence(run: Path, report: Report, told: _Told) -> None:
    """The evidence, written again by the writer that wrote it."""
    # Digests of records under a key that is not here cannot be made again.
    secret = not report.ledgers.pseudonyms.of_session and Pseudonyms.from_environment().of_session
    if secret:
        told.notes.append("digests of records are keyed, and the key is not here")
    ledgers = report.ledgers
    made = set()
    for name, content in evidence_files(rows_of(report.facts), ledgers, key=ledgers.row_key):
        made.add(name)
        there = run / "evidence" / name
        keyed = secret and name == "records.parquet" and there.is_file()
        if not keyed or _without_digests(there.read_bytes()) != _without_digests(content):
            _compare_file(run, f"evidence/{name}", content, told)
    found = {one.relative_to(run).as_posix() for one in (run / "evidence").rglob("*")}
    for name in sorted(found - {f"evidence/{one}" for one in made}):
        told.differs(f"{name} does not come out again")


def _compare_log(run: Path, manifest: Mapping[str, Any], told: _Told) -> None:
    """Compare the log's lines on the run's files and id; the rest of the log is a note."""
    lines = (run / "run.log").read_text(encoding="utf-8").splitlines()
    said = {line.partition(" INFO ")[2] for line in lines}
    there = [run / name for name in DOCUMENTS if (run / name).is_file()]
    sizes = {f"{path.name}: {path.stat().st_size} bytes" for path in there}
    for one in sorted({*sizes, f"sealed as {manifest['run']}"} - said):
        told.findings.append(f"run.log does not say {one}")


def _without_digests(content: bytes) -> pa.Table:
    return pq.read_table(io.BytesIO(content)).drop_columns(["digest"])
