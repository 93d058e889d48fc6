"""Making a run again, in a clean folder that holds its recorded inputs and nothing else."""

from __future__ import annotations

import json
import os
import posixpath
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportkit.errors import InputError
from reportkit.evidence.paths import inside
from reportkit.export.documents import DOCUMENTS
from reportkit.export.files import digest
from reportkit.language import Message
from reportkit.proof.inputs import ROLLUP
from reportkit.proof.manifest import MANIFEST, SUMS, named, read_manifest
from reportkit.proof.normal import cell_digests
from reportkit.proof.places import (
    facts_of,
    named_file,
    outputs_of,
    own_form,
    own_notebook,
)
from reportkit.proof.plainjson import read_json
from reportkit.proof.verify import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# What a process of its own does: make the report, its kernel forked from what is warm, or cold.
_MAKE = """
import json, multiprocessing, sys
from pathlib import Path
given = json.loads(sys.argv[1])
folders = {name: Path(given.pop(name)) for name in ("params", "data", "out") if name in given}
fork = multiprocessing.get_context("fork") if given.pop("warm") else None
if fork:
    import reportkit.batch.template
from reportkit.warm.processes import kernel_environment
from reportkit.run.request import Request
from reportkit.run.run import run
with kernel_environment():
    run(Request(**given, **folders), fork=lambda: fork)
"""
# Kernels that are forked keep the hash seed of their process; threads of Arrow forbid forking.
_PLAIN = {"PYTHONHASHSEED": "0", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
_OTHER_NOTEBOOK = Message(
    "the run executed a notebook that is neither in your notebooks/ nor the "
    "package's, and its code is not executed: read its report.ipynb, then say "
    "--trust-notebook, or name with --keys the keys of those who signed it"
)


def rerun_level(
    run: Path,
    *,
    data: Path,
    params: Path,
    cold: bool = False,
    trusted: bool = False,
) -> Verdict:
    """Check that a run comes out again: facts, evidence, notebook in normal form, documents.

    The report is made by a process of its own, so that nothing of this one can help it. It
    executes the code of a notebook: one of the reader's own project or of the package, and the
    run's own only where the reader trusts it.

    Parameters
    ----------
    run : Path
    data, params : Path
        Folders of the ledgers and parameters; the notebook is sought beside the latter.
    cold : bool
        Execute the notebook in a kernel that starts from nothing, as Jupyter starts one, instead
        of one that is forked from a process in which everything is loaded.
    trusted : bool
        Whether the run's own notebook may be executed where the reader has not the same one.
    """
    manifest = read_manifest(run)
    # Figures of last year stand in the run of last year, beside this one.
    roots = {"params": params, "data": data, "out": outputs_of(run)}
    with tempfile.TemporaryDirectory(prefix="rk-rerun-") as name:
        clean = Path(name)
        missing = list(_collect(manifest, clean, roots))
        notebook = own_notebook(manifest, params.parent / "notebooks")
        if notebook is None and trusted:
            notebook = run / "report.ipynb"
        if notebook is None:
            missing.append(_OTHER_NOTEBOOK)
        else:
            (clean / "notebooks").mkdir()
            file = ROLLUP if "members" in manifest else own_form(manifest, params).model.notebook
            shutil.copy(notebook, clean / "notebooks" / file)
        if missing:
            return Verdict("rerun", False, tuple(missing), (Message("nothing was executed"),))
        done = _execute(manifest, clean, warm=not cold)
        new = clean / "outputs" / manifest["district"] / named(manifest) / "current"
        if done.returncode or not new.is_dir():
            last = "\n".join(done.stderr.strip().splitlines()[-5:])
            return Verdict("rerun", False, (Message("it cannot be made again: {last}", last=last),))
        findings = tuple(compare(run, new))
        log = (new / "run.log").read_text(encoding="utf-8")
    notes = [Message("executed in a kernel forked from a warm process")]
    if Message("kernel: cold") in log:
        notes = [
            Message("executed in a cold kernel")
            + ("" if cold else Message(", since none can be forked here"))
        ]
    if not findings:
        notes.append(Message("facts, evidence, notebook and documents came out the same"))
    return Verdict("rerun", not findings, findings, tuple(notes))


def _collect(manifest: Mapping[str, Any], clean: Path, roots: Mapping[str, Path]) -> Iterator[str]:
    """Copy the recorded inputs but notebooks; say which are not here, or not as they were."""
    for item in manifest["inputs"]:
        # Of a table of a database the digest is among the inputs of the new run.
        if item["bytes"] is None or item["name"].startswith("notebooks/"):
            continue
        try:
            source, place = _places(item["name"], manifest, clean, roots)
        except InputError as error:
            yield error.message
            continue
        if not source.is_file():
            yield Message("{name} is not here", name=item["name"])
        elif digest(source) != item["sha256"]:
            yield Message("{name} is not what the run read", name=item["name"])
        elif place is not None:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, place)
            if place.name == MANIFEST and place.parents[1].name == "runs":
                current = place.parents[2] / "current"
                if not current.exists():  # a member's run is in force, as it was then
                    current.symlink_to(f"runs/{place.parent.name}")
            beside = [source.parent / name for name in (MANIFEST, SUMS)]
            for path in beside if item["name"].startswith("out/") else ():
                if path.is_file():
                    shutil.copy(path, place.parent)


def _places(
    name: str, manifest: Mapping[str, Any], clean: Path, roots: Mapping[str, Path]
) -> tuple[Path, Path | None]:
    """Return an input's place here, and its place in the new run unless that finds it by itself."""
    params, data = roots["params"], roots["data"]
    named = named_file(name, manifest["district"], data, params)
    if named is not None and Path(name).is_absolute():
        return named, None
    if named is not None and ".." in name.split("/"):
        return named, inside(clean, posixpath.normpath(name))
    root, _, rest = name.partition("/")
    if root in roots:
        folder = clean / _folder(manifest, root)
        return inside(roots[root], rest, own=root != "out"), inside(folder, rest)
    return inside(params.parent, name, own=True), inside(clean, name)


def _folder(manifest: Mapping[str, Any], root: str) -> str:
    """Name of a folder in the clean place: as in the first run, since places of rows show it."""
    given = manifest["parameters"].get(root) if root in ("params", "data") else None
    name = Path(str(given)).name if given else {"out": "outputs"}.get(root, root)
    if name in ({"params", "data", "outputs", "notebooks"} - {root}) and root != "out":
        raise InputError(
            "received-path", "the folder of {root} cannot be called {name}", root=root, name=name
        )
    return inside(Path(), name, own=True).name if name else ""


def _execute(
    manifest: Mapping[str, Any], clean: Path, *, warm: bool
) -> subprocess.CompletedProcess[str]:
    kept = ("form", "scope", "draft")
    given = {k: v for k, v in manifest["parameters"].items() if k in kept and v}
    given |= {"district": manifest["district"], "year": manifest["year"], "warm": warm}
    given |= {"rollup": True} if "members" in manifest else {}
    for name in ("params", "data"):
        given |= {name: _folder(manifest, name)} if name in manifest["parameters"] else {}
    command = [sys.executable, "-c", _MAKE, json.dumps(given | {"out": "outputs"})]
    return subprocess.run(  # noqa: S603 - our own command
        command, cwd=clean, env=os.environ | _PLAIN, capture_output=True, text=True, check=False
    )


def compare(run: Path, again: Path) -> Iterator[str]:
    """Describe what came out differently in a run made again, the first cause first."""
    before, after = facts_of(run), facts_of(again)
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            values = [facts.get(name, {}).get("value", "nothing") for facts in (before, after)]
            yield Message(
                "{name} is {before} in the run and comes out as {after}",
                name=name,
                before=values[0],
                after=values[1],
            )
    then, now = (_digests(folder) for folder in (run, again))
    for name in sorted({*then, *now}):
        if name not in now:
            yield Message("{name} does not come out again", name=name)
        elif then.get(name) != now[name]:
            yield Message("{name} comes out otherwise", name=name)
    cells = [cell_digests(read_json(folder / "report.ipynb")) for folder in (run, again)]
    if len(cells[0]) != len(cells[1]):
        yield Message(
            "report.ipynb has {before} cells and comes out with {after}",
            before=len(cells[0]),
            after=len(cells[1]),
        )
    for number, (left, right) in enumerate(zip(*cells, strict=False), 1):
        if left != right:
            yield Message(
                "report.ipynb: cell {number} ({left}) comes out otherwise",
                number=number,
                left=left[0],
            )
    for name in DOCUMENTS:
        old, new = run / name, again / name
        if old.is_file() and not (new.is_file() and digest(old) == digest(new)):
            yield Message("{name} comes out with other bytes", name=name)


def _digests(folder: Path) -> dict[str, str]:
    """Digests of facts, checks and evidence, but of records: those may be under another key."""
    paths = [folder / "facts.json", folder / "checks.json", *(folder / "evidence").iterdir()]
    return {
        path.relative_to(folder).as_posix(): digest(path)
        for path in paths
        if path.name != "records.parquet"
    }
