"""The catalogue as a folder of static pages; only pages whose source has changed are written."""

from __future__ import annotations

import fcntl
import json
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from reportkit.catalogue.contents import pages
from reportkit.catalogue.downloads import Made, downloads
from reportkit.catalogue.front import data_files, front
from reportkit.catalogue.overview import read_overview
from reportkit.catalogue.rendering import render, script, style
from reportkit.errors import InputError
from reportkit.export.files import HALVES, digest, digest_of, write_whole
from reportkit.proof.surroundings import code_digest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reportkit.catalogue.overview import Overview
    from reportkit.catalogue.store import Store
    from reportkit.params import Project

NAME = "site"
# By path the digests of each file's source and content.
_LIST = ".made.json"
_PATH = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)*")


@dataclass(frozen=True)
class Site:
    """A catalogue that was written.

    Parameters
    ----------
    folder : Path
    files : int
        All that it holds.
    written, removed : tuple of str
        Paths of those that are new or others now, and of those that are gone.
    overview : Overview
    """

    folder: Path
    files: int
    written: tuple[str, ...]
    removed: tuple[str, ...]
    overview: Overview

    def front_page(self, out: Path) -> str:
        """The first page as it stands in the folder of reports, the site being in its own place."""
        base = f"{self.folder.relative_to(out).as_posix()}/"
        fields = front(self.overview, base=base, reports="", version=_version(self.overview))
        return render("index.html.j2", fields)


def write_site(
    project: Project,
    store: Store,
    to: Path,
    *,
    state: Any = None,
    batch: Any = None,
) -> Site:
    """Write the catalogue.

    Parameters
    ----------
    project : Project
    store : Store
    to : Path
        The folder; files in it that are not of an earlier catalogue are left, and never replaced.
    state, batch
        See `read_overview`.

    Raises
    ------
    InputError
        ``not-ours``: a file that is not of a catalogue is in the way of a page.
    OSError
        The folder cannot be written.
    """
    overview = read_overview(project, store, state=state, batch=batch)
    to.mkdir(parents=True, exist_ok=True)
    with (to / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = list(_made(overview, store, out=project.out, to=to))
        return _written(made, overview, to)


def _version(overview: Overview) -> str:
    """A short digest of the data of the first page."""
    return _digest([data for _, data in data_files(overview)])[:12]


def _digest(content: Any) -> str:
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, default=str)
    return digest_of(text.encode())


def _made(overview: Overview, store: Store, *, out: Path, to: Path) -> Iterator[Made]:
    yield "assets/catalogue.css", "", lambda: style().encode()
    yield "assets/catalogue.js", "", lambda: script().encode()
    for name, data in data_files(overview):
        yield f"data/{name}.js", data, partial(_data, name, data)
    version = _version(overview)
    for path, template, fields in pages(overview, out=out, site=to, version=version):
        yield path, fields, partial(_page, template, fields)
    files = list(downloads(overview, store))
    yield from files
    fields = {"base": "../", "files": [path.removeprefix("open/") for path, *_ in files]}
    yield "open/index.html", fields, partial(_page, "open.html.j2", fields)


def _data(name: str, data: Any) -> bytes:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"catalogue.take({json.dumps(name)},{text});\n".encode()


def _page(template: str, fields: dict[str, Any]) -> bytes:
    return render(template, fields).encode()


def _written(made: list[Made], overview: Overview, to: Path) -> Site:
    before = _read_list(to)
    paths = [path for path, _, _ in made]
    foreign = [path for path in paths if path not in before and (to / path).exists()]
    if foreign:
        raise InputError(
            "not-ours",
            "{folder} holds {files}, which no catalogue has made; take another folder (--to)",
            folder=to,
            files=", ".join(foreign[:3]),
        )
    # A process that is killed on the way leaves a list of all files that may exist.
    write_whole(to / _LIST, json.dumps(before | {path: ["", ""] for path in paths}).encode())
    code = code_digest()
    listed, written = {}, []
    for path, source, make in made:
        key = digest_of(f"{code}\0{_digest(source)}".encode())
        present = digest(to / path) if (to / path).is_file() else ""
        if before.get(path) != [key, present]:
            content = make()
            if digest_of(content) != present:
                write_whole(to / path, content)
                written.append(path)
                present = digest_of(content)
        listed[path] = [key, present]
    gone = sorted(before.keys() - listed.keys())
    for path in gone:
        (to / path).unlink(missing_ok=True)
    for folder in sorted({(to / path).parent for path in gone} - {to}):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    for half in to.rglob(HALVES):
        half.unlink()
    write_whole(to / _LIST, json.dumps(listed, separators=(",", ":")).encode())
    return Site(to, len(listed), tuple(written), tuple(gone), overview)


def _read_list(to: Path) -> dict[str, Any]:
    try:
        listed = json.loads((to / _LIST).read_bytes()).items()
    except (OSError, ValueError, AttributeError):
        return {}
    # Files of this list are removed: one that somebody else wrote may name no place outside.
    return {path: digests for path, digests in listed if _PATH.fullmatch(path)}
