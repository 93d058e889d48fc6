"""Cells that run together, taken apart where the form's sums leave exactly one way."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    Row = tuple[int, ...]

_DIGITS = 36  # of a row; seven numbers of five digits
_MOST = 20_000  # partial sums held at once; more are no table of a report


def _splits(text: str, count: int) -> Iterator[Row]:
    """All ways to read a run of digits as so many numbers without leading zeros."""
    if count == 0:
        if not text:
            yield ()
        return
    signed = text[:1] in ("-", "+")
    for end in range(2 if signed else 1, len(text) - count + 2):
        piece = text[:end]
        digits = piece[1:] if signed else piece
        if not digits.isdigit() or (len(digits) > 1 and digits[0] == "0"):
            break
        for rest in _splits(text[end:], count - 1):
            yield (int(piece), *rest)


@lru_cache(maxsize=4096)
def row_splits(text: str, count: int) -> tuple[Row, ...]:
    """The ways in which the last number is the sum of the others."""
    if len(text) > _DIGITS or not (text.isascii() and text.isdigit()):
        return ()
    found: list[Row] = []

    def walk(at: int, left: int, row: Row, total: int) -> None:
        if left == 1:
            last = text[at:]
            if last == str(total):
                found.append((*row, total))
            return
        for end in range(at + 1, len(text) - left + 2):
            if end - at > 1 and text[at] == "0":
                break
            number = int(text[at:end])
            # The sum has at least as many digits as what is added up so far.
            if len(text) - end < len(str(total + number)):
                break
            walk(end, left - 1, (*row, number), total + number)

    walk(0, count, (), 0)
    return tuple(found)


def only_split(text: str, count: int) -> Row | None:
    """The one way to read a run of digits as so many numbers; None if there are several."""
    if len(text.replace("-", "").replace("+", "")) > 24:
        return None
    found = list(islice(_splits(text, count), 2))
    return found[0] if len(found) == 1 else None


def in_blocks(text: str, count: int, size: int) -> Row | None:
    """The one way to read a run as blocks of so many numbers, each block's last its sum."""
    solutions: set[Row] = set()

    def walk(at: int, left: int, row: Row) -> None:
        if len(solutions) > 1:
            return
        if left == 0:
            if at == len(text):
                solutions.add(row)
            return
        for end in range(at + size, min(at + 6 * size, len(text)) + 1):
            for block in row_splits(text[at:end], size):
                walk(end, left - 1, row + block)

    if text.isdigit() and len(text) <= 60:
        walk(0, count, ())
    return next(iter(solutions)) if len(solutions) == 1 else None


@dataclass(frozen=True)
class TableSums:
    """Rows of a table that add up.

    Parameters
    ----------
    left, right : sequence of str
        Rows that add up to the same (R1).
    parts : sequence of str
    total : str
        Rows that add up to a total (R2).
    """

    left: Sequence[str]
    right: Sequence[str]
    parts: Sequence[str]
    total: str

    @property
    def rows(self) -> set[str]:
        """All rows that take part."""
        return {*self.left, *self.right, *self.parts}


def jointly(candidates: Mapping[str, Sequence[Row]], sums: TableSums) -> dict[str, Row] | None:
    """The one choice of a reading for each row that keeps the sums of all columns.

    Parameters
    ----------
    candidates : mapping of str to sequence of Row
        Ways to read each row; of a row that was read there is one.
    sums : TableSums
    """
    if any(not candidates.get(name) for name in (*sums.rows, sums.total)):
        return None
    outer = _sums_of({name: candidates[name] for name in sums.left})
    for_right = _sums_of({name: candidates[name] for name in sums.right})
    if outer is None or for_right is None:
        return None
    solutions: list[dict[str, Row]] = []
    for whole in dict.fromkeys(candidates[sums.total]):
        ways = [
            (one, other)
            for sum_left, ones in outer.items()
            for other in for_right.get(sum_left, [])
            if other[sums.total] == whole
            for one in ones
        ]
        if not ways:
            continue
        inner = _parts(candidates, sums.parts, whole)
        if inner is None:
            return None
        solutions += [{**one, **other, **rest} for one, other in ways for rest in inner]
        if len(solutions) > 1:
            return None
    return solutions[0] if solutions else None


def _sums_of(rows: Mapping[str, Sequence[Row]]) -> dict[Row, list[dict[str, Row]]] | None:
    """Choices of readings by the sum of their columns; None where there are too many."""
    if prod(len(ways) for ways in rows.values()) > _MOST:
        return None
    sums: dict[Row, list[dict[str, Row]]] = {}
    choices: list[dict[str, Row]] = [{}]
    for name, ways in rows.items():
        choices = [{**choice, name: way} for choice in choices for way in ways]
    for choice in choices:
        sums.setdefault(_added(choice.values()), []).append(choice)
    return sums


def _added(rows: Iterable[Row]) -> Row:
    return tuple(sum(column) for column in zip(*rows, strict=True))


def _parts(
    candidates: Mapping[str, Sequence[Row]], parts: Sequence[str], whole: Row
) -> list[dict[str, Row]] | None:
    """Up to two choices of the parts that add up to a total; None where there are too many."""
    states: dict[Row, list[tuple[Row, ...]]] = {tuple(0 for _ in whole): [()]}
    names = sorted(parts, key=lambda name: len(candidates[name]))
    for name in names:
        following: dict[Row, list[tuple[Row, ...]]] = {}
        for so_far, chosen in states.items():
            for way in dict.fromkeys(candidates[name]):
                added = _added((so_far, way))
                if all(a <= b for a, b in zip(added, whole, strict=True)):
                    ways = following.setdefault(added, [])
                    # Two are as good as many: there is no single solution.
                    ways += [(*one, way) for one in chosen][: 2 - len(ways)]
        if len(following) > _MOST:
            return None
        states = following
    return [dict(zip(names, choice, strict=True)) for choice in states.get(whole, [])]
