"""Progress of a batch: a live line on a terminal; failures are always shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.text import Text

from reportkit.catalogue.causes import first_line
from reportkit.language import Message, joined
from reportkit.language.message import COLON, COMMA, translated

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from reportkit.batch.jobs import Result
    from reportkit.language.message import Translate
    from reportkit.params.naming import Report

# How many of the running reports are named.
_NAMED = 6


class Progress:
    """Counts what is done, and shows it on stderr.

    Parameters
    ----------
    clock : callable
        Seconds that only rise.
    translate : callable
        Into the language of the terminal's user.
    """

    def __init__(self, *, clock: Callable[[], float], translate: Translate = str) -> None:
        self._translate = translate
        self._total: int | None = None
        self._clock, self._begun = clock, clock()
        self.done, self.failed, self.skipped, self.tried = 0, 0, 0, 0
        self._printed: set[tuple[str, str]] = set()
        self._running: dict[Report, float] = {}
        self._console = Console(stderr=True)
        self._live: Live | None = None
        if self._console.is_terminal:
            self._live = Live(
                get_renderable=self.line,
                console=self._console,
                refresh_per_second=4,
                transient=True,
            )

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._live:
            self._live.stop()

    def planned(self, total: int, unchanged: int) -> None:
        """Take note of the number of reports in the plan, and of those that are unchanged."""
        self._total, self.skipped, self._begun = total, unchanged, self._clock()

    def started(self, report: Report) -> None:
        """A report was begun."""
        self._running[report] = self._clock()

    def ended(self, result: Result) -> None:
        """A report is done, for good or bad."""
        self._running.pop(result.report, None)
        self.done += result.state == "made"
        self.skipped += result.state == "unchanged"
        self.failed += result.state == "failed"
        # A report that was refused took no time, and does not count for the time left.
        self.tried += result.seconds > 0
        # What is wrong with a district's ledger fails each of its years, and is shown once.
        failure = result.district, result.common_message
        if result.state == "failed" and failure not in self._printed:
            self._printed.add(failure)
            self.note(Message("failed: {why}", why=_as_line(result)))

    def again(self, result: Result) -> None:
        """A report failed and is tried again."""
        self._running.pop(result.report, None)
        self.note(Message("again: {why}", why=_as_line(result)))

    def note(self, text: str) -> None:
        """Show a message; elsewhere than on a terminal it stays in one line."""
        self._console.print(
            Text(translated(text, self._translate)), soft_wrap=not self._console.is_terminal
        )

    def line(self) -> Text:
        """The live line: counts, rate, time left, what runs."""
        if self._total is None:
            return Text(translated(Message("looking at what has changed"), self._translate))
        left = self._total - self.done - self.failed - self.skipped
        spent = self._clock() - self._begun
        parts = [
            Message("{count} made", count=self.done),
            Message("{count} failed", count=self.failed),
            Message("{count} unchanged", count=self.skipped),
            Message("{count} to go", count=left),
        ]
        if self.tried and spent:
            parts.append(Message("{rate:.0f}/min", rate=self.tried / spent * 60))
            parts.append(Message("{time} left", time=_duration(left * spent / self.tried)))
        names = [
            f"{' '.join(report)} ({self._clock() - since:.0f} s)"
            for report, since in list(self._running.items())[:_NAMED]
        ]
        more = len(self._running) - len(names)
        running = Message("  running: {reports}", reports=joined(COMMA, names))
        running += Message(" and {count} more", count=more) if more > 0 else ""
        lines = [joined(" · ", parts), *([running] if names else [])]
        return Text(translated(joined("\n", lines), self._translate), overflow="ellipsis")


def _as_line(result: Result) -> str:
    return joined(COLON, [" ".join(result.report), first_line(result)]) + f" [{result.reason}]"


def _duration(seconds: float) -> str:
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"
