"""A published document into lines, by its format; whatever a library raises becomes a refusal."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from itertools import islice
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from reportkit.errors import InputError, ReportkitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from reportkit.audit.readers.lines import Line

FORMATS = {
    ".pdf": "pdf:read_pdf",
    ".docx": "word:read_docx",
    ".html": "html:read_html",
    ".htm": "html:read_html",
    ".md": "plain:read_plain",
    ".txt": "plain:read_plain",
    ".xlsx": "sheets:read_workbook",
    ".xls": "sheets:read_workbook",
    ".ods": "sheets:read_workbook",
}
"""Ends of names, with the reader of each."""
_LARGEST = 50 << 20
_SECONDS = 60
_MOST_LINES = 200_000


def read_lines(path: Path) -> list[Line]:
    """All lines of a document.

    Raises
    ------
    InputError
        ``audit-missing``, ``audit-format``, ``audit-large``, ``audit-slow``, ``audit-picture``,
        ``audit-encoding``, ``audit-empty`` or ``audit-damaged``.
    """
    try:
        return _read(path)
    except InputError as error:
        error.values["file"] = str(path)
        raise


def _read(path: Path) -> list[Line]:
    if not path.is_file():
        raise InputError("audit-missing", "there is no such document; is its path right?")
    size = path.stat().st_size
    if size > _LARGEST:
        raise InputError(
            "audit-large",
            "the document has {size} MiB; a report has no more than {most}",
            size=size >> 20,
            most=_LARGEST >> 20,
        )
    content = path.read_bytes()
    reader = _reader(path, content)
    try:
        with _no_longer_than(_SECONDS):
            lines = list(islice(reader(content), _MOST_LINES + 1))
    except (ReportkitError, KeyboardInterrupt):
        raise
    except Exception as error:
        raise InputError(
            "audit-damaged",
            "the document cannot be read as {kind} ({fault}); open it, save it again, and try once "
            "more",
            kind=path.suffix.lower(),
            fault=type(error).__name__,
        ) from None
    if len(lines) > _MOST_LINES:
        raise InputError(
            "audit-large",
            "the document has more than {most} lines; no report is as long",
            most=_MOST_LINES,
        )
    if not any(line.text for line in lines):
        raise InputError("audit-empty", "there is no text in the document")
    return lines


def _reader(path: Path, content: bytes) -> Callable[[bytes], Iterable[Line]]:
    """The reader of a format, imported now, since its library takes a while.

    How a file begins counts for more than how its name ends, which is often wrong.
    """
    kind, start = path.suffix.lower(), content[:1024].lstrip(b"\xef\xbb\xbf \t\r\n\0").lower()
    if kind not in FORMATS:
        raise InputError(
            "audit-format",
            "documents of this kind are not read; it can be one of {known} (an old .doc or .wps is "
            "saved as .docx first)",
            known=", ".join(FORMATS),
        )
    if start.startswith(b"%pdf"):
        kind = ".pdf"
    elif kind in (".md", ".txt") and start.startswith((b"<!doctype html", b"<html")):
        kind = ".html"
    reader: Callable[[bytes], Iterable[Line]] = resolve_name(f"{__package__}.{FORMATS[kind]}")
    return reader


@contextmanager
def _no_longer_than(seconds: int) -> Iterator[None]:
    """Give up on a document that keeps a library busy; only in the main thread, by an alarm."""

    def stop(*_: object) -> None:
        raise InputError(
            "audit-slow",
            "the document was not read within {seconds} seconds; save it anew, or without pictures",
            seconds=seconds,
        )

    try:
        before = signal.signal(signal.SIGALRM, stop)
    except ValueError:  # another thread
        yield
        return
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
