"""The one family of errors: a reason code, a text that says what to do, and fields that say where.

A text is a template and its values, joined when somebody reads it: `said`.
"""

from __future__ import annotations

import errno
import linecache
import signal
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# What a file system refuses, and is no fault of ours.
_REFUSALS = {
    errno.ENOSPC: "no-space",
    errno.EDQUOT: "no-space",
    errno.EFBIG: "no-space",
    errno.EROFS: "not-writable",
    errno.EMFILE: "too-many-files",
    errno.ENFILE: "too-many-files",
    errno.EACCES: "no-permission",
    errno.ENAMETOOLONG: "path",
}


class Stopped(SystemExit):
    """A signal told this process to end; it leaves through its clean-up.

    Parameters
    ----------
    number : int
        The signal. A shell is given 128 and this.
    """

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.number = number

    def __str__(self) -> str:
        return f"stopped by {signal.Signals(self.number).name}"


def end_on_signals() -> None:
    """Have SIGINT and SIGTERM raise `Stopped`, in whatever the process does."""

    def stop(number: int, _: object) -> None:
        raise Stopped(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


class Said(NamedTuple):
    """A text for people, not joined yet: what it says always, and what it says this time."""

    template: str
    values: Mapping[str, Any]

    def __str__(self) -> str:
        return self.template.format_map(self.values)


def said(template: str, **values: Any) -> Said:
    """A text for people.

    Parameters
    ----------
    template : str
        Literal, with a name in braces for each value, as `str.format` reads it.
    **values : object
        What stands for the names; another text stands as it is told.
    """
    return Said(template, values)


class ReportkitError(Exception):
    """Something reportkit refuses, with a reason code for programs and a text for people.

    Parameters
    ----------
    reason : str
        Stable code of the cause, such as ``ledger-missing``.
    text : Said or str
        What was expected, what was found and what to do; a plain string has no values.
    **fields : object
        Where: ``district``, ``year``, ``file``, ``line`` … as far as known.
    """

    exit_status = 3

    def __init__(self, reason: str, text: Said | str, **fields: Any) -> None:
        super().__init__(str(text))
        self.reason = reason
        self.text = text
        self.fields = {key: value for key, value in fields.items() if value is not None}

    @property
    def message(self) -> str:
        """The text, joined."""
        return str(self.text)

    def __str__(self) -> str:
        place = ", ".join(f"{key} {value}" for key, value in self.fields.items())
        return f"{self.message}" + (f" [{self.reason}; {place}]" if place else f" [{self.reason}]")

    def _render_traceback_(self) -> list[str]:
        """What a notebook cell shows in place of a traceback; IPython asks for it by this name."""
        lines = [f"{type(self).__name__}: {self.message}"]
        lines += [f"  {key}: {value}" for key, value in self.fields.items()]
        at = self.__traceback__
        # What lies below the cell's own line is ours, and tells an analyst nothing.
        while at is not None and at.tb_frame.f_globals.get("__name__") != "__main__":
            at = at.tb_next
        if at is not None:
            line = linecache.getline(at.tb_frame.f_code.co_filename, at.tb_lineno).strip()
            lines.append(f"  in this cell: line {at.tb_lineno}: {line}")
        lines.append(f"  reason: {self.reason}")
        following = "next: mend this, then run the notebook again from its first cell"
        if self.reason.startswith("ledger"):
            following += "; `reportkit intake` lists every problem of the ledgers at once"
        return [*lines, following]

    def __reduce__(self) -> tuple[Any, ...]:
        # The default rebuilds from args alone and would lose the fields between processes.
        return (_rebuild, (type(self), self.reason, self.text, self.fields))


def _rebuild(
    kind: type[ReportkitError], reason: str, text: Said | str, fields: dict[str, Any]
) -> ReportkitError:
    return kind(reason, text, **fields)


class InputError(ReportkitError):
    """Parameters, a form or a ledger cannot be used; no notebook was started."""

    exit_status = 2


class HeadingError(InputError):
    """A file in which columns of a ledger are missing.

    Parameters
    ----------
    headings : sequence of str
        What its heading says, where a row is one: for a mapping, not for the message.
    """

    def __init__(
        self, reason: str, text: Said | str, *, headings: Sequence[str] = (), **fields: Any
    ) -> None:
        super().__init__(reason, text, **fields)
        self.headings = tuple(headings)


class ExecutionError(ReportkitError):
    """The notebook did not run to its seal, or what it left is not whole."""


def refusal(error: OSError) -> ExecutionError | None:
    """What the file system refused, as one of ours; None if it is another kind of fault."""
    reason = _REFUSALS.get(error.errno or 0)
    if reason is None:
        return None
    return ExecutionError(reason, said("{file}: {why}", file=error.filename, why=error.strerror))


class ExportError(ReportkitError):
    """A document cannot be made from an executed notebook."""
