"""Making a run again, in a clean folder that holds its recorded inputs and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportkit.proof.manifest import MANIFEST, SUMS, digest, read_manifest
from reportkit.proof.normal import cell_digests
from reportkit.proof.verify import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# What a process of its own does: make the report, its kernel forked from what is warm, or cold.
_MAKE = """
import json, sys
from pathlib import Path
given = json.loads(sys.argv[1])
folders = {name: Path(given.pop(name)) for name in ("params", "data", "out") if name in given}
if given["warm"]:
    import reportkit.batch.template
from reportkit.warm.processes import kernel_environment
from reportkit.run.run import run
with kernel_environment():
    run(given.pop("district"), given.pop("year"), **folders, **given)
"""
# Kernels that are forked keep the hash seed of their process; threads of Arrow forbid forking.
_PLAIN = {"PYTHONHASHSEED": "0", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
_DOCUMENTS = ("report.html", "audit.html", "report.pdf", "report.docx", "tables.xlsx")


def rerun_level(
    run: Path, *, data: Path | None = None, params: Path | None = None, cold: bool = False
) -> Verdict:
    """Whether a run comes out again: facts, evidence, notebook in normal form, documents.

    The report is made by a process of its own, so that nothing of this one can help it.

    Parameters
    ----------
    run : Path
    data, params : Path, optional
        Folders of the ledgers and parameters; the notebook is looked for beside the latter.
    cold : bool
        Execute the notebook in a kernel that starts from nothing, as Jupyter starts one, instead
        of one that is forked from a process in which everything is loaded.
    """
    manifest = read_manifest(run)
    params, data = params or Path("params"), data or Path("data")
    roots = {"params": params, "data": data, "notebooks": params.parent / "notebooks"}
    # Figures of last year stand in the run of last year, beside this one.
    roots["out"] = run.resolve().parents[3]
    with tempfile.TemporaryDirectory(prefix="rk-rerun-") as name:
        clean = Path(name)
        missing = list(_collect(manifest, clean, roots))
        if missing:
            return Verdict("rerun", False, tuple(missing), ("nothing was executed",))
        done = _execute(manifest, clean, warm=not cold)
        made = clean / "outputs" / manifest["district"] / str(manifest["year"]) / "current"
        if done.returncode or not made.is_dir():
            last = "\n".join(done.stderr.strip().splitlines()[-5:])
            return Verdict("rerun", False, (f"it cannot be made again: {last}",))
        findings = tuple(compare(run, made))
        log = (made / "run.log").read_text(encoding="utf-8")
    notes = ["executed in a kernel forked from a warm process"]
    if "kernel: cold" in log:
        notes = ["executed in a cold kernel" + ("" if cold else ", since none can be forked here")]
    if not findings:
        notes.append("facts, evidence, notebook and documents came out the same")
    return Verdict("rerun", not findings, findings, tuple(notes))


def _collect(manifest: Mapping[str, Any], clean: Path, roots: Mapping[str, Path]) -> Iterator[str]:
    """Copy the recorded inputs; say which are not here, or not as they were."""
    for one in manifest["inputs"]:
        if one["bytes"] is None:
            continue  # a table of a database: its digest is among the inputs of the new run
        root, _, rest = one["name"].partition("/")
        places = [roots[root] / rest] if root in roots else []
        if root == "notebooks" or not places:  # the package's own, or outside the project
            places.append(Path(one["path"]))
        found = [path for path in places if path.is_file()]
        if not found:
            yield f"{one['name']} is not here"
        elif digest(found[0]) != one["sha256"]:
            yield f"{one['name']} is not what the run read"
        else:
            folder = _folder(manifest, root) if root in roots else root
            place = clean / folder / rest
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(found[0], place)
            for name in (MANIFEST, SUMS) if root == "out" else ():
                shutil.copy(found[0].parent / name, place.parent)


def _folder(manifest: Mapping[str, Any], root: str) -> str:
    """Name of a folder in the clean place: as in the first run, since places of rows show it."""
    given = manifest["parameters"].get(root) if root in ("params", "data") else None
    return Path(given).name if given else {"out": "outputs"}.get(root, root)


def _execute(
    manifest: Mapping[str, Any], clean: Path, *, warm: bool
) -> subprocess.CompletedProcess[str]:
    given = {k: v for k, v in manifest["parameters"].items() if k in ("scope", "draft") and v}
    given |= {"district": manifest["district"], "year": manifest["year"], "warm": warm}
    for name in ("params", "data"):
        given |= {name: _folder(manifest, name)} if name in manifest["parameters"] else {}
    command = [sys.executable, "-c", _MAKE, json.dumps(given | {"out": "outputs"})]
    return subprocess.run(  # noqa: S603 - our own command
        command, cwd=clean, env=os.environ | _PLAIN, capture_output=True, text=True, check=False
    )


def compare(run: Path, made: Path) -> Iterator[str]:
    """What came out otherwise in a run made again, the first cause first."""
    there, here = (_facts(folder) for folder in (run, made))
    for name in sorted({*there, *here}):
        if there.get(name) != here.get(name):
            values = [one.get(name, {}).get("value", "nothing") for one in (there, here)]
            yield f"{name} is {values[0]} in the run and comes out as {values[1]}"
    for name in ("facts.json", "checks.json"):
        if digest(run / name) != digest(made / name):
            yield f"{name} comes out otherwise"
    then, now = (_names(folder) for folder in (run, made))
    yield from (f"{name} does not come out again" for name in sorted(set(then) - set(now)))
    for name in sorted(set(now)):
        if then.get(name) != now[name]:
            yield f"{name} comes out otherwise"
    cells = [
        cell_digests(json.loads((folder / "report.ipynb").read_text(encoding="utf-8")))
        for folder in (run, made)
    ]
    if len(cells[0]) != len(cells[1]):
        yield f"report.ipynb has {len(cells[0])} cells and comes out with {len(cells[1])}"
    for number, (one, other) in enumerate(zip(*cells, strict=False), 1):
        if one != other:
            yield f"report.ipynb: cell {number} ({one[0]}) comes out otherwise"
    for name in _DOCUMENTS:
        old, new = run / name, made / name
        if old.is_file() and not (new.is_file() and digest(old) == digest(new)):
            yield f"{name} comes out with other bytes"


def _facts(folder: Path) -> dict[str, Any]:
    document = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    return {fact["id"]: fact for fact in document["facts"]}


def _names(folder: Path) -> dict[str, str]:
    """Digests of the evidence; keyed digests of rows differ where the key does."""
    return {
        path.relative_to(folder).as_posix(): digest(path)
        for path in sorted((folder / "evidence").iterdir())
        if path.name != "records.parquet"
    }
