"""Paths out of files that somebody else wrote: each stays in the folder that it is meant for."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from reportkit.errors import InputError
from reportkit.language import Message

if TYPE_CHECKING:
    from pathlib import Path

# Control characters, marks that turn the direction of a text, characters of nobody; ends of lines.
_ODD = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_DRIVE = re.compile(r"[A-Za-z]:")
_LONGEST, _LONGEST_PART = 1_000, 255


def inside(folder: Path, name: object, *, own: bool = False) -> Path:
    """The place in a folder that a name out of a received file stands for.

    Parameters
    ----------
    folder : Path
        Where it must be.
    name : object
        What the file says; only a plain relative path with ``/`` will do.
    own : bool
        The folder is the reader's own, so that links in it are theirs, and may lead anywhere. In
        a folder that was received a link must stay inside.

    Returns
    -------
    Path
        Below *folder*; whether anything is there is not asked.

    Raises
    ------
    InputError
        ``received-path``: it is absolute, goes up, leaves the folder by a link, or holds what no
        path of ours holds.

    Examples
    --------
    >>> from pathlib import Path
    >>> inside(Path("data"), "huli/fees-2020.csv").as_posix()
    'data/huli/fees-2020.csv'
    """
    if not isinstance(name, str):
        raise _refusal(name, Message("is no text"))
    if problem := _wrong(name):
        raise _refusal(name, problem)
    path = folder / name
    if not own:
        try:
            left = not path.resolve().is_relative_to(folder.resolve())
        except (OSError, RuntimeError):  # links in a circle
            left = True
        if left:
            raise _refusal(name, Message("leads out of {folder} by a link", folder=folder))
    return path


def _wrong(name: str) -> str:
    # As compatible software would read it: ．． and ‥ are two points there.
    parts = re.split(r"[/\\]", unicodedata.normalize("NFKC", name))
    if "\\" in name or name.startswith("/") or _DRIVE.match(name):
        return Message("is no relative path with '/'")
    if ".." in parts:
        return Message("goes up with '..'")
    if "" in parts or "." in parts:
        return Message("has an empty part")
    sizes = [len(part.encode(errors="replace")) for part in name.split("/")]
    if len(name) > _LONGEST or max(sizes) > _LONGEST_PART:
        return Message("is too long")
    return (
        Message("holds odd characters")
        if any(unicodedata.category(c) in _ODD for c in name)
        else ""
    )


def _refusal(name: object, problem: str) -> InputError:
    return InputError(
        "received-path",
        "the path {name!r:.80} of a received file {problem}; it is not followed",
        name=name,
        problem=problem,
    )
