"""Runs changed by somebody who can write there, and sealed anew so that nobody sees it."""

import contextlib
import json
import re
import shutil
import zipfile
from pathlib import Path

import nbformat
from shipped import ZFXXGK

from reportkit.evidence.seal import seal_of
from reportkit.export.blocks import from_notebook, packed, unpacked
from reportkit.export.document import arrange
from reportkit.export.documents import DOCUMENTS, make_documents
from reportkit.facts import facts_bytes
from reportkit.proof.attestation import attest
from reportkit.proof.crate import crate_bytes
from reportkit.proof.manifest import digest, write_manifest
from reportkit.proof.normal import normal_digest
from reportkit.proof.record import checks_bytes

MIME = "application/vnd.reportkit.block+json"


def reseal(run: Path, change=None) -> None:
    """Make a run's log, crate, manifest, sums and unsigned envelope anew, as anybody can.

    Parameters
    ----------
    run : Path
    change : callable, optional
        Is given the manifest to change it.
    """
    manifest = json.loads((run / "MANIFEST.json").read_text(encoding="utf-8"))
    manifest["figures"]["facts_sha256"] = digest(run / "facts.json")
    # What was forged may be no JSON at all.
    with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
        facts = json.loads((run / "facts.json").read_text(encoding="utf-8"))
        manifest["seal"] = seal_of(facts)
        stored = json.loads((run / "report.ipynb").read_text(encoding="utf-8"))
        manifest["notebook"]["normal_sha256"] = normal_digest(stored)
    if change:
        change(manifest)
    log = (run / "run.log").read_text(encoding="utf-8")
    for name in DOCUMENTS:
        if (run / name).is_file():
            size = (run / name).stat().st_size
            log = re.sub(rf"{re.escape(name)}: \d+ bytes", f"{name}: {size} bytes", log)
    (run / "run.log").write_text(log, encoding="utf-8")
    (run / "ro-crate-metadata.json").write_bytes(crate_bytes(run, manifest, ZFXXGK.model))
    del manifest["files"], manifest["schema"]
    write_manifest(run, manifest)
    attest(run)


def rewrite(path: Path, old, new, *, count: int = 1) -> None:
    """Change a text where it stands first in a file; it must stand there."""
    content = path.read_bytes()
    old, new = (one.encode() if isinstance(one, str) else one for one in (old, new))
    assert old in content, f"{old!r} is not in {path.name}"
    path.write_bytes(content.replace(old, new, count))


def rewrite_part(path: Path, part: str, old: bytes, new: bytes) -> None:
    """Change a text in one part of a Word file or workbook; *part* is a pattern."""
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    name = next(name for name in parts if re.fullmatch(part, name) and old in parts[name])
    parts[name] = parts[name].replace(old, new, 1)
    _pack(path, parts)


def add_part(path: Path, name: str, content: bytes) -> None:
    """Put a further part into a Word file or workbook."""
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    _pack(path, parts | {name: content})


def _pack(path: Path, parts: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


def change_json(path: Path, change) -> None:
    """Change the JSON of a file, which is then written as it was."""
    found = json.loads(path.read_text(encoding="utf-8"))
    change(found)
    written = {"facts.json": facts_bytes, "checks.json": checks_bytes}
    path.write_bytes(written.get(path.name, lambda one: json.dumps(one).encode())(found))


def cells_of(notebook) -> dict:
    """The cells of a notebook by their ids."""
    return {cell["id"]: cell for cell in notebook.cells}


def block_of(notebook, kind: str, which: str = "") -> dict:
    """The first block of a kind that a notebook shows, to be changed in place."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            one = output.get("data", {}).get(MIME, {})
            if one.get("kind") == kind and which in ("", one.get("id"), one.get("number")):
                one.update(unpacked(one))
                return one
    raise LookupError(kind)


def change_notebook(run: Path, change) -> None:
    """Change the executed notebook and nothing that was made from it."""
    notebook = nbformat.read(run / "report.ipynb", as_version=4)
    change(notebook)
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.get("data", {}).get(MIME, {}).get("kind") == "seal":
                output.data[MIME].update(packed(unpacked(output.data[MIME])))
    nbformat.write(notebook, run / "report.ipynb")


def change_all(run: Path, change) -> None:
    """Change the executed notebook, and make everything anew that is made from it."""

    def seal_again(notebook):
        change(notebook)
        seal = block_of(notebook, "seal")
        seal["seal"] = seal_of(seal["facts"])

    change_notebook(run, seal_again)
    notebook = nbformat.read(run / "report.ipynb", as_version=4)
    (seal,) = from_notebook(notebook, "seal")
    (run / "facts.json").write_bytes(facts_bytes(seal["facts"]))
    (run / "checks.json").write_bytes(checks_bytes(seal["checks"]))
    for name, content in make_documents(arrange(notebook)):
        (run / name).write_bytes(content)


def copy_run(run: Path, out: Path) -> Path:
    """A run under another folder of outputs, in force there."""
    place = out / run.parents[2].name / run.parents[1].name
    shutil.copytree(run, place / "runs" / run.name)
    (place / "current").symlink_to(f"runs/{run.name}")
    return place / "runs" / run.name
