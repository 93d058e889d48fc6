"""The one family of errors: a reason code, and a text that says what to do.

A text is a literal template and its values, which are joined when somebody reads it: so it can be
translated, and its site is not touched for that.
"""

from __future__ import annotations

import errno
import linecache
import signal
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from reportkit.language import Message, joined
from reportkit.language.catalogue import translator_here
from reportkit.language.message import COLON, COMMA, SEMICOLON, of_library, translated

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Values of a text that say where: programs are given them under these names.
PLACES = {
    "district": Message("district"), "year": Message("year"), "report": Message("report"),
    "ledger": Message("ledger"), "file": Message("file"), "sheet": Message("sheet"),
    "line": Message("line"), "column": Message("column"), "row": Message("row"),
    "cell": Message("cell"), "table": Message("table"), "chart": Message("chart"),
    "fact": Message("fact"),
}  # fmt: skip
# Errors of a file system that are no fault of ours, and their reason codes.
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
    """A signal asked this process to end; it leaves through its clean-up.

    Parameters
    ----------
    number : int
        The signal. A shell is given 128 and this.
    """

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.number = number

    def __str__(self) -> str:
        return Message("stopped by {name}", name=signal.Signals(self.number).name)


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
    message: Message
    """The text, joined; translated from its template and values."""

    def __init__(self, reason: str, template: str, /, **values: Any) -> None:
        self.reason = reason
        self.message = Message(
            template,
            **{
                name: value.message if isinstance(value, ReportkitError) else value
                for name, value in values.items()
            },
        )
        super().__init__(self.message)

    @property
    def template(self) -> str:
        """The text before it is joined."""
        return self.message.template

    @property
    def values(self) -> dict[str, Any]:
        """The values of the text, and the places that it does not name."""
        return self.message.values

    @property
    def fields(self) -> dict[str, Any]:
        """The places that the error names: district, file, line and the like."""
        values = self.values.items()
        return {name: value for name, value in values if name in PLACES and value is not None}

    def __str__(self) -> str:
        places = [joined(" ", [PLACES[name], str(value)]) for name, value in self.fields.items()]
        known = [self.reason, joined(COMMA, places)] if self.fields else [self.reason]
        return joined("", [self.message, " [", joined(SEMICOLON, known), "]"])

    def _render_traceback_(self) -> list[str]:
        """Return the lines that a notebook shows for a traceback; IPython asks by this name."""
        places = [joined(COLON, [PLACES[name], str(at)]) for name, at in self.fields.items()]
        lines = [f"{type(self).__name__}: " + self.message, *("  " + place for place in places)]
        at = self.__traceback__
        # Frames below the cell's own line are ours, and tell an analyst nothing.
        while at is not None and at.tb_frame.f_globals.get("__name__") != "__main__":
            at = at.tb_next
        if at is not None:
            code = linecache.getline(at.tb_frame.f_code.co_filename, at.tb_lineno).strip()
            lines.append(
                Message("  in this cell: line {line}: {code}", line=at.tb_lineno, code=code)
            )
        lines.append(Message("  reason: {reason}", reason=self.reason))
        following = Message("next: mend this, then run the notebook again from its first cell")
        if self.reason.startswith("ledger"):
            following += Message("; `reportkit intake` lists every problem of the ledgers at once")
        translate = translator_here()
        return [translated(line, translate) for line in (*lines, following)]

    @classmethod
    @contextmanager
    def on_refusal(cls, reason: str, template: str, /, **values: Any) -> Iterator[None]:
        """Raise what the system refuses inside as such an error; ``{problem}`` is its text."""
        try:
            yield
        except OSError as error:
            problem = refused_by_system(error)
            raise cls(reason, template, problem=problem, **values) from None

    def __reduce__(self) -> tuple[Any, ...]:
        # The default rebuilds from args alone and would lose the fields between processes.
        return (partial(type(self), self.reason, self.template, **self.values), ())


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
    return ExecutionError(
        reason, "{path}: {problem}", path=error.filename, problem=refused_by_system(error)
    )


def refused_by_system(error: OSError) -> Message:
    """Return the system's own words for what it refused."""
    return of_library(error.strerror or str(error))


class ExportError(ReportkitError):
    """A document cannot be made from an executed notebook."""
