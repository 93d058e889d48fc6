"""Signals to a batch: they end its planning at once, and are events of its loop afterwards."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from reportkit.errors import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

_CAUGHT = (signal.SIGINT, signal.SIGTERM)


class Signals:
    """Within it SIGINT and SIGTERM raise `Stopped`, once; after `defer` they go to *put*.

    Parameters
    ----------
    put : callable
        Takes the number of a signal, such as a queue's ``put``.
    """

    def __init__(self, put: Callable[[int], None]) -> None:
        self._put, self._interrupts = put, True

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._caught) for number in _CAUGHT}
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def defer(self) -> None:
        """From now on signals are events."""
        self._interrupts = False

    def _caught(self, number: int, _: object) -> None:
        if self._interrupts:
            self.defer()
            raise Stopped(number)
        self._put(number)
