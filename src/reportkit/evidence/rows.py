"""The rows that a fact rests on, and how a text names them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from reportkit.facts import Fact

    Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class FactRows:
    """The rows of a ledger that a fact rests on.

    Parameters
    ----------
    ledger : str
    rows : numpy.ndarray of int64
        Row numbers, in the order of the fact.
    subtracted : int
        How many of them, the last ones, are taken away.
    """

    ledger: str
    rows: Rows
    subtracted: int = 0

    @property
    def signs(self) -> npt.NDArray[np.int8]:
        """1 for each row that is added, -1 for each that is taken away."""
        added = len(self.rows) - self.subtracted
        return np.repeat(np.array([1, -1], np.int8), [added, self.subtracted])


def rows_of(facts: Mapping[str, Fact]) -> dict[str, FactRows]:
    """The rows of each fact that has some, by its id."""
    return {
        name: FactRows(fact.ledger, fact.rows, fact.subtracted)
        for name, fact in facts.items()
        if fact.ledger is not None and fact.rows is not None and len(fact.rows)
    }


def steps(rows: Rows) -> str:
    """Row numbers as a text: the first, then from each to the next, with how often in a row.

    Examples
    --------
    >>> steps(np.array([4, 5, 6, 7, 9]))
    '4,1x3,2'
    """
    differences = np.diff(rows, prepend=0)
    # What is put before the first step always differs from it, so that a run starts there.
    starts = np.flatnonzero(np.diff(differences, prepend=-1 - differences[:1]))
    times = np.diff(starts, append=len(rows))
    pairs = zip(differences[starts].tolist(), times.tolist(), strict=True)
    return ",".join(f"{step}x{count}" if count > 1 else f"{step}" for step, count in pairs)


def rows_from(text: str) -> Rows:
    """Row numbers from the text that `steps` made of them."""
    pairs = np.array([(*map(int, item.split("x")), 1)[:2] for item in text.split(",")], np.int64)
    return np.cumsum(np.repeat(pairs[:, 0], pairs[:, 1]))
