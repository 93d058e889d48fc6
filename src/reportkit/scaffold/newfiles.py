"""Files that are not there yet: all are written, or none, and nothing is ever replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportkit.errors import ExecutionError, InputError, refused_by_system
from reportkit.language import joined
from reportkit.language.message import AND

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


def write_new(files: Mapping[Path, bytes]) -> None:
    """Write all files, or none; a file that is there is never replaced.

    Raises
    ------
    InputError
        ``exists``: one of them is there already.
    ExecutionError
        ``not-written``: no space, no permission.
    """
    refuse_existing(files)
    written: list[Path] = []
    try:
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            # "x" refuses what somebody else made in the meantime.
            with path.open("xb") as file:
                written.append(path)
                file.write(content)
    except BaseException as error:
        for path in written:
            path.unlink()
        if not isinstance(error, OSError):
            raise
        raise ExecutionError(
            "not-written",
            "nothing is written: {path}: {problem}",
            path=error.filename,
            problem=refused_by_system(error),
        ) from None


def refuse_existing(paths: Iterable[Path]) -> None:
    """Raise InputError ``exists`` if any of these is there, be it a dangling link."""
    if existing := [str(path) for path in paths if path.exists() or path.is_symlink()]:
        raise InputError(
            "exists",
            "{existing} exist already; nothing is replaced, and nothing written",
            existing=joined(AND, existing),
        )
