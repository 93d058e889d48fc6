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
from typing import TYPE_CHECKING, Any

import nbformat
import pyarrow as pa
import pyarrow.parquet as pq
from papermill.translators import PythonTranslator

from reportkit.errors import ReportkitError
from reportkit.evidence.rows import rows_of
from reportkit.evidence.write import evidence_files
from reportkit.export.blocks import MIME, unpacked
from reportkit.export.document import arrange
from reportkit.export.documents import DOCUMENTS, make_documents
from reportkit.export.files import digest
from reportkit.export.original import INJECTED
from reportkit.facts import facts_bytes
from reportkit.language import Message, joined
from reportkit.ledgers.privacy import Pseudonyms
from reportkit.notebook.filled import as_executed
from reportkit.notebook.sealing import fonts_of
from reportkit.proof.crate import crate_bytes
from reportkit.proof.differences import difference_in_file, first_difference
from reportkit.proof.manifest import read_manifest
from reportkit.proof.normal import normal_form
from reportkit.proof.places import DATA, PARAMS, own_form
from reportkit.proof.plainjson import read_json
from reportkit.proof.record import checks_bytes, what_follows
from reportkit.proof.remade import key_of, made_there, remade
from reportkit.proof.reopened import Reopened, reopened
from reportkit.proof.surroundings import OURS, code_digest, environment, fonts
from reportkit.proof.verify import WRITTEN_BY_OTHERS, Verdict
from reportkit.rollup.evidence import members_evidence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from reportkit.forms import Form
    from reportkit.notebook.compilation import Compilation

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
class _Differences:
    """Collected differences; none counts as a finding where other versions may have made it.

    Parameters
    ----------
    versions : mapping of str to str
        What is of another version here, and which one the run had.
    """

    versions: Mapping[str, str]
    findings: list[str] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    needed: list[str] = field(default_factory=list)

    def differs(self, what: str, name: str = "") -> None:
        """Something comes out otherwise, which is in the file of this name."""
        deciding = {OURS, "python", *_MADE_WITH.get(name, self.versions)}
        causes = deciding & {*self.versions}
        (self.undecided if causes else self.findings).append(what)
        self.needed += sorted({self.versions[cause] for cause in causes} - {*self.needed})


def render_level(run: Path, *, data: Path = DATA, params: Path = PARAMS) -> Verdict:
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
    try:
        manifest = read_manifest(run)
        differences = _Differences(_other_versions(manifest))
        with reopened(run, manifest, params=params, data=data) as opened:
            _look_at(run, manifest, opened, own_form(manifest, params), differences)
    except ReportkitError as error:
        return Verdict("render", False, (error.message,))
    except (*WRITTEN_BY_OTHERS, pa.ArrowException, nbformat.ValidationError) as error:
        what = Message(
            "a file is not as reportkit writes it: {name}: {error}",
            name=type(error).__name__,
            error=error,
        )
        return Verdict("render", False, (what[:300],))
    findings, notes = differences.findings[:_SHOWN], differences.undecided
    if more := len(differences.findings[_SHOWN:]):
        findings.append(Message("… and {findings} more", findings=more))
    holds = False if findings else None if notes else True
    if differences.needed:
        needed = joined(", ", differences.needed)
        notes = [*notes, Message("to tell it, this is needed: {needed}", needed=needed)]
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


def _look_at(
    run: Path, manifest: Mapping[str, Any], opened: Reopened, form: Form, differences: _Differences
) -> None:
    stored, report = read_json(run / "report.ipynb"), opened.report
    nbformat.validate(stored)
    notebook = _parsed(json.dumps(stored))
    differences.findings += opened.other
    differences.needed += opened.needed
    if report is None:
        why = opened.absent or Message("inputs are not those of the run")
        differences.undecided.append(
            Message("what ledgers and parameters decide was not made again: {why}", why=why)
        )
    blocks, filled = remade(report, form, notebook, manifest)
    _compare_notebook(stored, notebook, manifest, opened, blocks, differences)
    _compare_filled(notebook, filled, differences)
    seal = unpacked(blocks["seal", ""][MIME])
    if report is not None and (names := made_there(report, seal)):
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
        # A folder that a received file names is not looked into.
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
        said = {name: manifest[name] for name in follows}
        if said != follows:
            what = first_difference(said, follows)
            differences.differs(Message("MANIFEST.json: {difference}", difference=what))
    _compare_log(run, manifest, differences)
    differences.notes.append(
        Message("machine, times, commit and most of run.log are as the run says")
    )


def _compare_notebook(
    stored: Mapping[str, Any],
    notebook: Mapping[str, Any],
    manifest: Mapping[str, Any],
    opened: Reopened,
    blocks: Mapping[Key, Mapping[str, Any]],
    differences: _Differences,
) -> None:
    """Cells with the auditor's own notebook, and what they show with what is made here."""
    cells = normal_form(as_executed(stored))["cells"]
    if opened.notebook is not None:
        differences.notes.append(Message("the notebook is the one that is here"))
        differences.findings += _other_cells(cells, _as_given(opened.notebook, manifest))
        _compare_metadata(stored, opened.notebook, differences)
    else:
        differences.undecided.append(
            Message("the notebook is the run's own: it is neither yours nor the package's")
        )
    shown: set[Key] = set()
    rest: list[str] = []
    numbered = enumerate(zip(notebook["cells"], cells, strict=True), 1)
    code = [(number, *pair) for number, pair in numbered if pair[0]["cell_type"] == "code"]
    for count, (number, cell, plain) in enumerate(code, 1):
        name = Message("report.ipynb: cell {number} ({id})", number=number, id=plain["id"])
        differences.findings += _out_of_turn(name, cell, count)
        keys = []
        for output in cell["outputs"]:
            data = output.get("data", {})
            key = key_of(data[MIME]) if MIME in data else ("", "")
            keys.append(key)
            if key not in blocks:
                kind = " ".join(key) if key[0] else " and ".join(data) or output["output_type"]
                rest.append(f"{plain['id']} ({kind.strip()})")
            elif data != blocks[key] or output["metadata"]:
                what = first_difference(unpacked(data[MIME]), unpacked(blocks[key][MIME]))
                if data[MIME] == blocks[key][MIME]:
                    what = first_difference({**output["metadata"], **data}, blocks[key])
                differences.differs(
                    Message(
                        "{name}: {key}: {what}", name=name, key=" ".join(key).strip(), what=what
                    )
                )
        asked = _ASKS.fullmatch("".join(cell["source"]).strip())
        kind, which = asked.groups() if asked else ("", "")
        which = f"t{which}" if kind == "table" and which.isdigit() else which
        if asked and keys != [(kind, which)]:
            differences.findings.append(
                Message(
                    "{name} shows something else than {source}",
                    name=name,
                    source=cell["source"].strip(),
                )
            )
        shown |= {*keys}
    if missing := sorted(set(blocks) - shown):
        listed = ", ".join(" ".join(key).strip() for key in missing)
        differences.differs(Message("report.ipynb does not show {listed}", listed=listed))
    if rest:
        differences.notes.append(
            Message(
                "shown by the notebook's own code, which --rerun executes: {rest}",
                rest=", ".join(rest),
            )
        )


def _out_of_turn(name: str, cell: Mapping[str, Any], count: int) -> Iterator[str]:
    if cell["execution_count"] != count:
        yield Message(
            "{name} ran as {execution_count}, not in its turn",
            name=name,
            execution_count=cell["execution_count"],
        )
    for output in cell["outputs"]:
        if output.get("execution_count", count) != count:
            yield Message(
                "{name} shows what ran as {execution_count}",
                name=name,
                execution_count=output["execution_count"],
            )


def _compare_filled(
    notebook: Mapping[str, Any], filled: Mapping[str, Any], differences: _Differences
) -> None:
    """Text in cells with the text filled in here, and what was found in the whole."""
    for number, cells in enumerate(zip(notebook["cells"], filled["cells"], strict=True), 1):
        pairs = [[(cell["source"], cell["metadata"].get("reportkit")) for cell in cells]]
        if cells[0]["cell_type"] == "code":
            outputs = zip(*(cell["outputs"] for cell in cells), strict=True)
            pairs += [
                [one["data"] for one in pair] for pair in outputs if MIME in pair[0].get("data", {})
            ]
        for theirs, expected in pairs:
            if theirs != expected:
                what = first_difference(theirs, expected)
                differences.differs(
                    Message("report.ipynb: cell {number}: {what}", number=number, what=what)
                )
    theirs, expected = (document["metadata"].get("reportkit") for document in (notebook, filled))
    if theirs != expected:
        what = first_difference(theirs, expected, "metadata/reportkit/")
        differences.differs(Message("report.ipynb: {difference}", difference=what))


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


def _other_cells(own: list[dict[str, Any]], given: list[dict[str, Any]]) -> Iterator[str]:
    """Cells that are not the notebook's: their text, kind, tags and what is attached."""
    before, after = (
        [json.dumps(_before(cell), sort_keys=True) for cell in cells] for cells in (given, own)
    )
    matcher = SequenceMatcher(a=before, b=after, autojunk=False)
    for kind, first, last, start, end in matcher.get_opcodes():
        if kind == "equal":
            continue
        for number in range(start, end):
            yield Message(
                "report.ipynb: cell {number} ({id}) is not the notebook's",
                number=number + 1,
                id=own[number]["id"],
            )
        names = {cell["id"] for cell in own[start:end]}
        for cell in given[first:last]:
            if cell["id"] not in names:
                yield Message("report.ipynb: cell {id} of the notebook is not in it", id=cell["id"])


def _before(cell: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in cell.items() if name not in ("count", "outputs")}
    return kept | {"metadata": {"tags": [], **cell["metadata"]}}


def _compare_metadata(stored: Mapping[str, Any], path: Path, differences: _Differences) -> None:
    given = _parsed(path.read_text(encoding="utf-8"))
    # Here alone: asyncio and zmq come with it.
    from ipykernel.ipkernel import IPythonKernel

    given.metadata["language_info"] = dict(IPythonKernel.language_info)
    said = normal_form(as_executed(stored))["metadata"]
    expected = normal_form({"metadata": given.metadata, "cells": []})["metadata"]
    if said != expected:
        what = first_difference(said, expected, "metadata/")
        differences.differs(Message("report.ipynb: {difference}", difference=what))


def _compare_file(run: Path, name: str, content: bytes, differences: _Differences) -> None:
    path = run / name
    stored = path.read_bytes() if path.is_file() else None
    if stored is None:
        differences.findings.append(Message("{name} is missing", name=name))
    elif stored != content:
        difference = difference_in_file(name, stored, content)
        differences.differs(joined(" ", [name, difference]), name)


def _compare_evidence(run: Path, report: Compilation, differences: _Differences) -> None:
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


def _compare_log(run: Path, manifest: Mapping[str, Any], differences: _Differences) -> None:
    """Compare the log's lines on the run's files and id; the rest of the log is a note."""
    lines = (run / "run.log").read_text(encoding="utf-8").splitlines()
    said = {line.partition(" INFO ")[2] for line in lines}
    sizes = {
        Message("{name}: {size} bytes", name=name, size=(run / name).stat().st_size)
        for name in DOCUMENTS
        if (run / name).is_file()
    }
    for statement in sorted({*sizes, Message("sealed as {run}", run=manifest["run"])} - said):
        differences.findings.append(
            Message("run.log does not say {statement}", statement=statement)
        )


def _without_digests(content: bytes) -> pa.Table:
    return pq.read_table(io.BytesIO(content)).drop_columns(["digest"])
