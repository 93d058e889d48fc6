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

_MAKE = "from reportkit.cli import main; main()"
_DOCUMENTS = ("report.html", "audit.html", "report.pdf", "report.docx", "tables.xlsx")


def rerun_level(run: Path, *, data: Path | None = None, params: Path | None = None) -> Verdict:
    """Whether a run comes out again: facts, evidence, notebook in normal form, documents.

    The report is made by a process of its own with a kernel of its own, so that nothing of this
    one can help it.

    Parameters
    ----------
    run : Path
    data, params : Path, optional
        Folders of the ledgers and parameters; the notebook is looked for beside the latter.
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
        done = _execute(manifest, clean)
        made = clean / "outputs" / manifest["district"] / str(manifest["year"]) / "current"
        if done.returncode not in (0, 1) or not made.is_dir():
            last = "\n".join(done.stderr.strip().splitlines()[-5:])
            return Verdict("rerun", False, (f"it cannot be made again: {last}",))
        findings = tuple(compare(run, made))
    notes = () if findings else ("facts, evidence, notebook and documents came out the same",)
    return Verdict("rerun", not findings, findings, notes)


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


def _execute(manifest: Mapping[str, Any], clean: Path) -> subprocess.CompletedProcess[str]:
    given = manifest["parameters"]
    arguments = ["run", str(given["district"]), str(given["year"]), "--out", "outputs"]
    arguments += ["--scope", str(given["scope"])] if given.get("scope") else []
    arguments += ["--draft"] if given.get("draft") else []
    for name in ("params", "data"):
        arguments += [f"--{name}", _folder(manifest, name)] if name in given else []
    environment = {k: v for k, v in os.environ.items() if k != "REPORTKIT_SIGNING_KEY_FILE"}
    command = [sys.executable, "-c", _MAKE, *arguments]
    return subprocess.run(  # noqa: S603 - our own command
        command, cwd=clean, env=environment, capture_output=True, text=True, check=False
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
        if not path.name.startswith("rowmap-")
    }
