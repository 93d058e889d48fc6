"""The one family of errors: a reason code, and a text that says what to do.

A text is a literal template and its values, which are joined when somebody reads it: so it can be
told in another language, and its site is not touched for that.
"""

from __future__ import annotations

import errno
import linecache
import signal
from types import NoneType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

# Values of a text that say where: programs are given them under these names.
PLACES = frozenset({
    "district", "year", "report", "ledger", "file", "sheet", "line", "column", "row", "cell",
    "table", "chart", "fact",
})  # fmt: skip
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


class ReportkitError(Exception):
    """Refusal, with a reason code for programs and a text for people.

    Parameters
    ----------
    reason : str
        Stable code of the cause, such as ``ledger-missing``.
    template : str
        What was expected, what was found and what to do: literal, with the name of each value in
        braces, as `str.format` reads it.
    **values : object
        What stands for the names. Those that say where (`PLACES`) may be without a name in the
        template, and None where they are not known.
    """

    exit_status = 3

    def __init__(self, reason: str, template: str, /, **values: Any) -> None:
        self.reason = reason
        self.template = template
        self.values = {name: _plain(value) for name, value in values.items()}
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The text, joined."""
        return self.template.format_map(self.values)

    @property
    def fields(self) -> dict[str, Any]:
        """The places that the error names: district, file, line and the like."""
        told = self.values.items()
        return {name: value for name, value in told if name in PLACES and value is not None}

    def __str__(self) -> str:
        place = ", ".join(f"{key} {value}" for key, value in self.fields.items())
        return f"{self.message}" + (f" [{self.reason}; {place}]" if place else f" [{self.reason}]")

    def _render_traceback_(self) -> list[str]:
        """Return the lines that a notebook shows for a traceback; IPython asks by this name."""
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
        return (_rebuild, (type(self), self.reason, self.template, self.values))


def _plain(value: Any) -> Any:
    """A value as it is told, which goes from one process to another."""
    if isinstance(value, ReportkitError):
        return value.message
    return value if isinstance(value, (str, int, float, NoneType)) else str(value)


def _rebuild(
    kind: type[ReportkitError], reason: str, template: str, values: dict[str, Any]
) -> ReportkitError:
    return kind(reason, template, **values)


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
        self, reason: str, template: str, /, *, headings: Sequence[str] = (), **values: Any
    ) -> None:
        super().__init__(reason, template, **values)
        self.headings = tuple(headings)


class ExecutionError(ReportkitError):
    """The notebook did not run to its seal, or what it left is not whole."""


def refusal(error: OSError) -> ExecutionError | None:
    """Return the error for what the file system refused; None if it is another kind of fault."""
    reason = _REFUSALS.get(error.errno or 0)
    if reason is None:
        return None
    return ExecutionError(reason, "{path}: {why}", path=error.filename, why=error.strerror)


class ExportError(ReportkitError):
    """A document cannot be made from an executed notebook."""
