"""Files: their digests, and writing them whole or not at all, whichever process is killed."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HALVES = ".*.new"
"""Pattern of the rest of a file where a process was killed; no part of us reads such names."""


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of(content: bytes) -> str:
    """SHA-256 of the content of a file."""
    return hashlib.sha256(content).hexdigest()


def write_whole(
    path: Path, content: bytes, *, scratch: Path | None = None, flushed: bool = False
) -> None:
    """Write a file beside its place, then put it there at once.

    Parameters
    ----------
    path : Path
        A file there is replaced; the folder is made.
    content : bytes
    scratch : Path, optional
        The folder where it is written first; its own by default.
    flushed : bool
        It is on the disk before it is put there, and its name when this returns.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Several processes may write it at once; the last one counts.
    half = (scratch or path.parent) / f".{path.name}-{os.getpid()}.new"
    try:
        half.write_bytes(content)
        if flushed:
            flush(half)
        half.replace(path)
    except OSError:
        half.unlink(missing_ok=True)
        raise
    if flushed:
        flush(path.parent)


def flush(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
