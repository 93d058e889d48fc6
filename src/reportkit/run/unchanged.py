"""What a run was made from, as the file system shows it: enough to know in a moment that it holds.

``.seen.json`` stands beside the runs of a district and year. A file is known by inode, size and
the times of its last change, in nanoseconds; where one of them differs its bytes are read again.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportkit.proof.manifest import digest
from reportkit.proof.surroundings import code_digest, environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reportkit.params import Scope

Sight = list[Any]

_NAME = ".seen.json"
# A change within the clock tick of the last one cannot be told by its time.
_TICK = 2_000_000_000


def sight(path: Path) -> Sight:
    """A path as it stands: a file's identity and times, a folder's names, a link's target."""
    try:
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            return ["link", str(path.readlink())]
        if stat.S_ISDIR(found.st_mode):
            names = sorted(one.name for one in path.iterdir() if not one.name.startswith("."))
            told = "\0".join(names).encode("utf-8", "surrogateescape")
            return ["folder", hashlib.sha256(told).hexdigest()]
    except OSError:
        return ["missing"]
    return ["file", found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]


@dataclass
class Watch:
    """Remembers what a run reads while it reads it.

    Parameters
    ----------
    started : int
        Nanoseconds since the epoch; a file changed just before is read again next time.
    members : tuple of str
        Districts that name the run's own as their parent.
    """

    started: int
    members: tuple[str, ...] = ()
    seen: dict[str, Sight] = field(default_factory=dict)

    def digest(self, path: Path) -> str:
        """SHA-256 of a file, looked at before its bytes are read."""
        found = sight(path)
        value = digest(path)
        if found[0] == "file":
            recent = found[4] > self.started - _TICK
            self.seen[path.as_posix()] = [*(["file", 0, 0, 0, 0] if recent else found), value]
        return value

    def folders(self, paths: Iterable[Path]) -> None:
        """Folders and links whose content decides which files are read."""
        self.seen |= {path.as_posix(): sight(path) for path in paths}


@dataclass(frozen=True)
class Seen:
    """The record of a run.

    Parameters
    ----------
    run : str
        Id of the run that was in force.
    asked : dict
        How it was called.
    code, packages : str, dict
        Digest of the library; versions of what it depends on.
    members : list of str
        Districts that named this one as their parent.
    seen : dict
        Path to `Sight`, a file's with its digest.
    files : str
        Digest over the identities of the run's own files.
    seconds, exit_status, draft, findings
        As of its `Result`.
    """

    run: str
    asked: dict[str, Any]
    code: str
    packages: dict[str, Any]
    members: list[str]
    seen: dict[str, Sight]
    files: str
    seconds: float
    exit_status: int
    draft: bool
    findings: list[dict[str, Any]]


@dataclass
class Present:
    """The present state of files, library and packages; each is looked at once in a batch."""

    code: str = field(default_factory=code_digest)
    packages: dict[str, Any] = field(default_factory=environment)
    _sights: dict[str, Sight] = field(default_factory=dict)
    _digests: dict[str, str] = field(default_factory=dict)

    def changes(
        self, known: Seen, current: Path, asked: Mapping[str, Any], members: Iterable[str]
    ) -> list[str]:
        """Why a report must be made again; empty if it stands as it was made."""
        told = [] if known.asked == asked else ["it is asked for in another way"]
        told += [] if known.code == self.code else ["the library has changed"]
        told += [
            f"{name} is {now} and was {known.packages.get(name)}"
            for name, now in _flat(self.packages).items()
            if now != _flat(known.packages).get(name)
        ]
        if others := sorted(set(members) ^ set(known.members)):
            told.append(f"it is the parent of other districts than before: {', '.join(others[:5])}")
        if sight(current) != ["link", f"runs/{known.run}"]:
            told.append("another run is in force, or none")
        elif files_sight(current) != known.files:
            told.append("files of the run were touched or changed")
        for path, was in known.seen.items():
            if reason := self._change(path, was):
                told.append(reason)
        return told

    def _change(self, path: str, was: Sight) -> str:
        if path not in self._sights:
            self._sights[path] = sight(Path(path))
        now = self._sights[path]
        if now == was[:5]:
            return ""
        if now[0] == "file" and was[0] == "file":
            if path not in self._digests:
                self._digests[path] = digest(Path(path))
            return "" if self._digests[path] == was[5] else f"{path} has changed"
        if now == ["missing"]:
            return f"{path} is gone"
        if was == ["missing"]:
            return f"{path} is new"
        return f"{path} holds other files" if now[0] == "folder" else f"{path} leads elsewhere"


def _flat(packages: Mapping[str, Any]) -> dict[str, Any]:
    flat = {key: value for key, value in packages.items() if not isinstance(value, dict)}
    for value in packages.values():
        flat |= value if isinstance(value, dict) else {}
    return flat


def files_sight(run: Path) -> str:
    """One digest over name, inode, size and times of every file of a run."""
    lines = []
    for folder, folders, names in os.walk(run):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)  # noqa: PTH118 - a hundred files, 3 000 times
            found = os.lstat(path)
            told = (
                found.st_mode,
                found.st_ino,
                found.st_size,
                found.st_mtime_ns,
                found.st_ctime_ns,
            )
            lines.append(f"{path[len(str(run)) :]}\0{told}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def read_seen(place: Path) -> Seen | None:
    """The record of a district and year; None if there is none that can be read."""
    try:
        return Seen(**json.loads((place / _NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_seen(place: Path, seen: Seen) -> None:
    """Replace the record at once; it is only an aid, so it is not flushed."""
    new = place / f"{_NAME}-new"
    new.write_text(json.dumps(vars(seen), ensure_ascii=False), encoding="utf-8")
    new.replace(place / _NAME)


def asked_for(
    *, scope: Scope | None, draft: bool, params: Path | None, data: Path | None
) -> dict[str, Any]:
    """How a report is asked for, as its record keeps it."""
    folders = {"params": str(params) if params else None, "data": str(data) if data else None}
    return {"scope": scope, "draft": draft} | folders
