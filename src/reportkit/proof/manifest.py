"""The manifest of a run: what went in, what ran, what came out, with digests of everything."""

from __future__ import annotations

import hashlib
import json
import platform
from functools import cache
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportkit.errors import ReportkitError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SUMS = "SHA256SUMS"
_PACKAGES = (
    "reportkit", "reportkit-fonts", "ipykernel", "jinja2", "matplotlib", "mistune", "nbclient",
    "nbconvert", "nbformat", "numpy", "pandas", "papermill", "pyarrow", "pydantic",
    "python-calamine", "pyyaml", "typst",
)  # fmt: skip


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def environment() -> dict[str, Any]:
    """Versions of everything that can change a byte of a report."""
    packages = {}
    for name in _PACKAGES:
        try:
            packages[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            packages[name] = "unknown"
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": packages,
    }


@cache
def code_digest() -> str:
    """One digest over all files of the library."""
    root = Path(str(files("reportkit")))
    found = sorted(
        path
        for path in root.rglob("*")
        if path.is_file() and path.suffix not in (".pyc", ".so") and "__pycache__" not in path.parts
    )
    return _digest_of((path.relative_to(root).as_posix(), digest(path)) for path in found)


def input_digest(inputs: Iterable[tuple[str, str]], settings: Mapping[str, Any]) -> str:
    """One digest over all that a report is made from: same digest, same documents.

    Parameters
    ----------
    inputs : iterable of (name, digest)
        Ledgers, parameters, narrative and notebook.
    settings : mapping
        Parameters of the run, of JSON types.
    """
    told = json.dumps([settings, environment()], sort_keys=True, ensure_ascii=False)
    return _digest_of([*sorted(inputs), ("code", code_digest()), ("settings", told)])


def _digest_of(pairs: Iterable[tuple[str, str]]) -> str:
    text = "".join(f"{name}\0{value}\n" for name, value in pairs)
    return hashlib.sha256(text.encode()).hexdigest()


def write_manifest(folder: Path, record: Mapping[str, Any]) -> None:
    """Write ``MANIFEST.json`` and ``SHA256SUMS`` over every file of a run.

    Parameters
    ----------
    folder : Path
        The run, complete but for these two files.
    record : mapping
        Identity, inputs, code, environment and times of the run.
    """
    listed = [
        {"path": name, "sha256": digest(folder / name), "bytes": (folder / name).stat().st_size}
        for name in _files(folder)
    ]
    manifest = {"schema": "reportkit/manifest/1", **record, "files": listed}
    text = json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"
    (folder / "MANIFEST.json").write_text(text, encoding="utf-8")
    lines = [f"{digest(folder / name)}  {name}\n" for name in _files(folder)]
    (folder / _SUMS).write_text("".join(lines), encoding="utf-8")


def _files(folder: Path) -> list[str]:
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in found if name != _SUMS)


def verify_files(folder: Path) -> None:
    """Whether a run's files are exactly those that it was sealed with.

    Raises
    ------
    ReportkitError
        ``run-changed``: names each file that is missing, added, changed or a link.
    """
    try:
        lines = (folder / _SUMS).read_text(encoding="utf-8").splitlines()
        sums = {name: value for value, name in (line.split("  ", 1) for line in lines)}
    except (OSError, ValueError) as error:
        raise ReportkitError("run-changed", f"{folder / _SUMS} is not readable: {error}") from None
    there = set(_files(folder))
    told = [f"{name} is missing" for name in sorted(set(sums) - there)]
    told += [f"{name} was added" for name in sorted(there - set(sums))]
    for name in sorted(there & set(sums)):
        if (folder / name).is_symlink():
            told.append(f"{name} is a link")
        elif digest(folder / name) != sums[name]:
            told.append(f"{name} was changed")
    if told:
        raise ReportkitError("run-changed", f"{folder}: " + "; ".join(told))
