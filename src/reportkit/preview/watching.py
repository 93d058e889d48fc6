"""Files that a draft is made from, and a wait until one is saved."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from watchfiles import Change, watch

from reportkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event

    from reportkit.params import Project

# What editors and Jupyter write beside a file, and what changes by reading it.
_ASIDE = (".ipynb_checkpoints", "__pycache__")
_ENDS = ("~", ".swp", ".swx", ".tmp", ".part")


def watched(project: Project, district: str) -> list[Path]:
    """Folders, since editors replace files; those that are not there are left out."""
    above = project.params.parent
    found = [project.params, project.data / district, above / "notebooks", above / "forms"]
    with suppress(InputError):  # it may be broken now, and is mended
        named = project.district(district).ledgers.values()
        files = [
            project.data / source for many in named for source in many if isinstance(source, str)
        ]
        found += [file.parent for file in files]
    return sorted({path.resolve() for path in found if path.is_dir()})


def saved(folders: list[Path], stop: Event) -> Iterator[None]:
    """Each time that something of these was saved; changes that come together are one."""
    for _ in watch(
        *folders,
        watch_filter=_counts,
        debounce=200,
        step=30,
        stop_event=stop,
        raise_interrupt=False,
    ):
        yield


def _counts(_change: Change, path: str) -> bool:
    file = Path(path)
    aside = any(part in _ASIDE for part in file.parts) or file.name.startswith((".", "#"))
    return not aside and not file.name.endswith(_ENDS)
