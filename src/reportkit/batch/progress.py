"""Progress of a batch: a live line on a terminal, elsewhere only its failures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.text import Text

from reportkit.catalogue.causes import first_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from reportkit.batch.jobs import Result

# How many of the running reports are named.
_NAMED = 6


class Progress:
    """Counts what is done, and shows it on stderr.

    Parameters
    ----------
    clock : callable
        Seconds that only rise.
    """

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._total: int | None = None
        self._clock, self._begun = clock, clock()
        self.done, self.failed, self.skipped, self.tried = 0, 0, 0, 0
        self._printed: set[tuple[str, str]] = set()
        self._running: dict[tuple[str, int], float] = {}
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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.stop()

    def planned(self, total: int, unchanged: int) -> None:
        """Take note of the number of reports in the plan, and of those that are unchanged."""
        self._total, self.skipped, self._begun = total, unchanged, self._clock()

    def started(self, report: tuple[str, int]) -> None:
        """A report was begun."""
        self._running[report] = self._clock()

    def ended(self, result: Result) -> None:
        """A report is done, for good or bad."""
        self._running.pop((result.district, result.year), None)
        self.done += result.state == "made"
        self.skipped += result.state == "unchanged"
        self.failed += result.state == "failed"
        # What cannot be made takes no time, and says nothing of what the others will take.
        self.tried += result.seconds > 0
        # What is wrong with a district's ledger is wrong in each of its years, and said once.
        if result.state == "failed" and (result.district, result.told) not in self._printed:
            self._printed.add((result.district, result.told))
            self._tell(f"failed: {_told(result)}")

    def again(self, result: Result) -> None:
        """A report failed and is tried again."""
        self._running.pop((result.district, result.year), None)
        self._tell(f"again: {_told(result)}")

    def note(self, text: str) -> None:
        """Show a message about the whole batch."""
        self._tell(text)

    def line(self) -> Text:
        """The live line: counts, rate, time left, what runs."""
        if self._total is None:
            return Text("looking at what has changed")
        left = self._total - self.done - self.failed - self.skipped
        spent = self._clock() - self._begun
        parts = [f"{self.done} made", f"{self.failed} failed", f"{self.skipped} unchanged"]
        parts.append(f"{left} to go")
        if self.tried and spent:
            parts.append(f"{self.tried / spent * 60:.0f}/min")
            parts.append(f"{_duration(left * spent / self.tried)} left")
        names = [
            f"{district} {year} ({self._clock() - since:.0f} s)"
            for (district, year), since in list(self._running.items())[:_NAMED]
        ]
        more = len(self._running) - len(names)
        running = "  running: " + ", ".join(names) + (f" and {more} more" if more > 0 else "")
        return Text(" · ".join(parts) + (f"\n{running}" if names else ""), overflow="ellipsis")

    def _tell(self, text: str) -> None:
        # Elsewhere than on a terminal a message stays in one line.
        self._console.print(Text(text), soft_wrap=not self._console.is_terminal)


def _told(result: Result) -> str:
    return f"{result.district} {result.year}: {first_line(result)} [{result.reason}]"


def _duration(seconds: float) -> str:
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"
