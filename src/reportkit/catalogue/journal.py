"""The journal of a folder of reports: one JSON object a line, appended and never rewritten."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

NAME = "batch.jsonl"


class Journal:
    """Adds lines to ``batch.jsonl``; several batches may do so at once.

    Parameters
    ----------
    out : Path
        The folder of reports.
    batch : str
        Id of the batch that writes.
    now : callable
        The clock.

    Attributes
    ----------
    new : bool
        Nothing was in it when it was opened.
    lost : int
        Events that could not be written whole.
    """

    def __init__(self, out: Path, batch: str, *, now: Callable[[], datetime]) -> None:
        self._batch, self._now = batch, now
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(out / NAME, flags, 0o666)
        size = os.fstat(self._file).st_size
        self.new = size == 0
        # A torn line of a batch that was killed must not swallow the next one.
        self._torn = size > 0 and os.pread(self._file, 1, size - 1) != b"\n"
        self.lost = 0

    def add(self, event: str, **fields: Any) -> None:
        """Write one event, whole and flushed to the disk, without the fields that are None.

        A full disk does not stop the batch here: what is in force the runs themselves say.
        """
        entry = {"at": self._now().isoformat(timespec="milliseconds"), "batch": self._batch}
        known = {name: value for name, value in fields.items() if value is not None}
        line = json.dumps(entry | {"event": event} | known, ensure_ascii=False) + "\n"
        # A file's name can hold bytes that are no character; JSON reads the escape in their stead.
        # One write a line, so that lines of batches at the same time do not mix.
        packed = (b"\n" if self._torn else b"") + line.encode(errors="backslashreplace")
        try:
            self._torn = os.write(self._file, packed) < len(packed)
            os.fsync(self._file)
        except OSError:
            self._torn = True
        self.lost += self._torn

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def read_journal(out: Path, start: int = 0) -> tuple[list[dict[str, Any]], int]:
    """The events of a journal, and where it ends; a torn line is passed over.

    Parameters
    ----------
    out : Path
        The folder of reports.
    start : int
        Bytes that are known already; all is read again if the journal is shorter.
    """
    try:
        with (out / NAME).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(start if start <= size else 0)
            content = file.read()
            end = file.tell()
    except OSError:
        return [], 0
    events = []
    for line in content.decode("utf-8", errors="replace").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and "event" in event:
            events.append(event)
    return events, end
