"""The manifest of a run and its sums: every file that stands in it, and nothing else."""

from __future__ import annotations

import json
import os
import stat
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportkit.errors import InputError, ReportkitError
from reportkit.export.files import digest, digest_of
from reportkit.language import Message, joined
from reportkit.params import report_name
from reportkit.proof.plainjson import parse_json
from reportkit.proof.surroundings import code_digest, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

MANIFEST, SUMS, ATTESTATION = "MANIFEST.json", "SHA256SUMS", "attestation.dsse.json"
# Stands in a run while its files are taken away, so that a half of them is no damage.
PRUNING = ".pruning"
# By the suffix; short ones share a line, so that the long names of Office stand out.
_MEDIA = {
    ".html": "text/html", ".pdf": "application/pdf", ".json": "application/json",
    ".ipynb": "application/x-ipynb+json", ".js": "text/javascript", ".log": "text/plain",
    ".parquet": "application/vnd.apache.parquet",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}  # fmt: skip


def input_digest(inputs: Iterable[tuple[str, str]], settings: Mapping[str, Any]) -> str:
    """One digest over all that a report is made from: same digest, same documents.

    Parameters
    ----------
    inputs : iterable of (name, digest)
        Ledgers, parameters, narrative and notebook.
    settings : mapping
        Parameters of the run, of JSON types.
    """
    settings_text = json.dumps([settings, environment()], sort_keys=True, ensure_ascii=False)
    pairs = [*sorted(inputs), ("code", code_digest()), ("settings", settings_text)]
    return digest_of("".join(f"{n}\0{v}\n" for n, v in pairs).encode())


def named(manifest: Mapping[str, Any]) -> str:
    """The name of a run's report among those of its district: ``2024``, or ``2024-<form>``."""
    return report_name(int(manifest["year"]), manifest["parameters"].get("form"))


def media_type(name: str) -> str:
    """Media type of a file of a run."""
    return _MEDIA.get(Path(name).suffix, "application/octet-stream")


def write_manifest(folder: Path, record: Mapping[str, Any]) -> None:
    """Write ``MANIFEST.json`` and ``SHA256SUMS`` over every file of a run.

    Parameters
    ----------
    folder : Path
        The run, complete but for these two files and its attestation.
    record : mapping
        Identity, inputs, code, environment and times of the run.

    Raises
    ------
    ReportkitError
        ``record-wrong``: the record is not as ``manifest.schema.json`` says, or the folder holds
        what no run holds (a link, a device, a name of other characters).
    """
    listed = []
    for name, kind in entries(folder):
        # sha256sum writes and reads other names in a way of its own.
        if kind != "file" or not name.isprintable() or "\\" in name:
            raise ReportkitError(
                "record-wrong",
                "{folder} is a {kind} that cannot be part of a run",
                folder=folder / name,
                kind=Message(kind),
                file=name,
            )
        path = folder / name
        file = {"path": name, "media_type": media_type(name), "sha256": digest(path)}
        listed.append(file | {"bytes": path.stat().st_size})
    manifest = {"schema": "reportkit/manifest/1", **record, "files": listed}
    if problem := _problem(manifest):
        raise ReportkitError(
            "record-wrong",
            "the record of {name} is not whole: {problem}",
            name=folder.name,
            problem=problem,
        )
    text = json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    (folder / SUMS).write_text(_sums(manifest, digest(folder / MANIFEST)), encoding="utf-8")


def _sums(manifest: Mapping[str, Any], own: str) -> str:
    lines = [f"{file['sha256']}  {file['path']}\n" for file in manifest["files"]]
    return "".join([*lines, f"{own}  {MANIFEST}\n"])


def entries(folder: Path) -> Iterator[tuple[str, str]]:
    """Everything in a run but what proves it: path, and "file", "link", "device" or "folder".

    Folders are given only where they are empty.
    """
    listed, root = [], str(folder)
    for place, folders, names in os.walk(root):
        base = place[len(root) + 1 :]
        # Thousands of runs of hundreds of files: as paths they would take ten times as long.
        links = (name for name in folders if os.path.islink(f"{place}/{name}"))  # noqa: PTH114
        for name in [*names, *links]:
            mode = os.lstat(f"{place}/{name}").st_mode
            kind = "file" if stat.S_ISREG(mode) else "link" if stat.S_ISLNK(mode) else "device"
            listed.append((f"{base}/{name}" if base else name, kind))
        if not folders and not names and base:
            listed.append((base, "folder"))
    own = {(name, "file") for name in (MANIFEST, SUMS, ATTESTATION)}
    yield from sorted(set(listed) - own)


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a run.

    Raises
    ------
    InputError
        ``run-missing``: the folder holds none; ``run-changed``: it is not as it was written.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise InputError(
            "run-missing",
            "{folder} is no run: it has no {manifest}",
            folder=folder,
            manifest=MANIFEST,
        )
    content = path.read_bytes()
    if problem := _problem_of(content):
        text = Message("{manifest} was changed: {problem}", manifest=MANIFEST, problem=problem)
        raise InputError("run-changed", "{folder}: {problems}", folder=folder, problems=text)
    manifest: dict[str, Any] = json.loads(content)
    return manifest


@lru_cache(maxsize=8)
def _problem_of(content: bytes) -> str:
    # Several levels read one manifest, and the schema takes longer than all of its files.
    try:
        return _problem(parse_json(content, Message("it")))
    except ReportkitError as error:
        return error.message


def is_pruned(folder: Path) -> bool:
    """Return True where only a run's record is to remain; never for the run in force."""
    folder = folder.resolve()
    if (folder.parent.parent / "current").resolve() == folder:
        return False
    names = [name for name, _ in entries(folder)]
    return not names or PRUNING in names


def verify_files(
    folder: Path, *, pruned: bool = False, manifest: Mapping[str, Any] | None = None
) -> None:
    """Check that a run's files are exactly those that it was sealed with.

    Parameters
    ----------
    folder : Path
    pruned : bool
        Files may be missing, all but the record.
    manifest : mapping, optional
        The run's manifest, where it was read and is known to be a whole one.

    Raises
    ------
    InputError
        ``run-missing``; ``run-changed``: names each file that is missing, added, changed or a link.
    """
    manifest = manifest or read_manifest(folder)
    if problems := [*_seal_problems(folder, manifest), *_file_problems(folder, manifest, pruned)]:
        raise InputError(
            "run-changed", "{folder}: {problems}", folder=folder, problems=joined("; ", problems)
        )


def _seal_problems(folder: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the record itself."""
    try:
        sums = (folder / SUMS).read_bytes().decode(errors="replace")
        own = digest(folder / MANIFEST)
        if sums != _sums(manifest, own):
            both = Message(
                "{manifest} or {sums} was changed: they disagree", manifest=MANIFEST, sums=SUMS
            )
            whole = f"{own}  {MANIFEST}\n" in sums
            yield Message("{sums} was changed", sums=SUMS) if whole else both
    except OSError:
        yield Message("{sums} is missing", sums=SUMS)
    if not (folder / ATTESTATION).is_file():
        yield Message("{attestation} is missing", attestation=ATTESTATION)


def _file_problems(folder: Path, manifest: Mapping[str, Any], pruned: bool) -> Iterator[str]:
    """Yield what is wrong with the files that the record names."""
    present = dict(entries(folder))
    listed = {file["path"]: file["sha256"] for file in manifest["files"]}
    if pruned:
        present.pop(PRUNING, None)
    else:
        yield from (
            Message("{name} is missing", name=name) for name in sorted(listed.keys() - present)
        )
    for name, kind in present.items():
        if kind in ("link", "device"):
            yield Message("{name} is a {kind}", name=name, kind=Message(kind))
        elif name not in listed:
            yield Message("{name} was added", name=name)
        elif digest(folder / name) != listed[name]:
            yield Message("{name} was changed", name=name)


@cache
def schema_check() -> Callable[[Any], Any]:
    """Return the function that checks a manifest against its schema; it is compiled once."""
    import fastjsonschema

    path = Path(str(files("reportkit.proof"))) / "manifest.schema.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    check: Callable[[Any], Any] = fastjsonschema.compile(schema)
    return check


def _problem(manifest: Any) -> str:
    """The first way in which a manifest is not as its schema says; empty if there is none."""
    from fastjsonschema import JsonSchemaValueException

    try:
        schema_check()(manifest)
    except JsonSchemaValueException as error:
        return Message(
            "{value}: {message}",
            value="/".join(map(str, error.path[1:])) or "manifest",
            message=error.message[:200],
        )
    return ""
