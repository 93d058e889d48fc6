"""Rows of a document matched to the rows of the form: by label, and between those by order."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from reportkit.audit.columns import columns_of, values_of
from reportkit.audit.labels import SURE, heads_score, letters, plain_letters, score

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reportkit.audit.entries import Entry
    from reportkit.audit.labels import FormRow

    Pair = tuple[int, int]
    """Number of an entry, and that of a row of the form."""

# Signs, and an amount of money at the end.
_RUN = re.compile(r"[\d,+-]+(?:\.\d+)?(?:[万亿]?元)?")
_INSIDE = re.compile(r"[\u4e00-\u9fff]\d+[\u4e00-\u9fff]")
_NOTE = re.compile(r"[((*※]?(?:备?注|说明|单位|填[报表])\d*[:：]")
# Cells that name columns, from which a row is one of the head.
_HEADS = 2


@dataclass(frozen=True)
class Aligned:
    """The entries that are rows of the form.

    Parameters
    ----------
    rows : sequence of FormRow
    entries : mapping of str to Entry
        By key of the form's row.
    places : mapping of str to int
        Number of each among the entries of the document.
    texts : mapping of str to list of str
        The texts of its cells; one text where they run together.
    extra : tuple of Entry
        Rows that the form does not have.
    weight : float
        Rows that were found, and how surely: for choosing between editions.
    """

    rows: Sequence[FormRow]
    entries: Mapping[str, Entry] = field(default_factory=dict)
    places: Mapping[str, int] = field(default_factory=dict)
    texts: Mapping[str, list[str]] = field(default_factory=dict)
    extra: tuple[Entry, ...] = ()
    weight: float = 0.0

    @property
    def span(self) -> tuple[int, int]:
        """The first and the last entry."""
        return min(self.places.values()), max(self.places.values())


def align(entries: Sequence[Entry], rows: Sequence[FormRow]) -> Aligned:
    """Find the rows of a table among all entries of a document.

    Anchors are rows with a sure label that stand in the form's order. Between two of them the
    others are taken in order, but only if there are as many as the form has there.
    """
    matching = _Matching(entries, rows)
    sure = matching.sure()
    anchors = _chain(sure, entries)
    if not anchors:
        return matching.unlabelled()
    matching.found |= anchors
    # A row that stands elsewhere than in the form, under its own full label.
    for (at, k), value in sorted(sure.items(), key=lambda item: -item[1]):
        inside = anchors[0][0] <= at <= anchors[-1][0]
        if inside and value == 1.0 and at not in matching.found and matching.missing([k]):
            matching.found[at] = k
    extra = matching.fill()
    weight = sum(1 + sure.get(pair, 0.0) for pair in matching.found.items()) - len(extra)
    return matching.aligned(matching.found, extra, weight)


class _Matching:
    """Entries of a document as rows of a table of the form, while more of them are found."""

    def __init__(self, entries: Sequence[Entry], rows: Sequence[FormRow]) -> None:
        self.entries, self.rows = entries, rows
        self.texts = _texts(entries, rows)
        self.found: dict[int, int] = {}

    def aligned(self, found: Mapping[int, int], extra: tuple[Entry, ...], weight: float) -> Aligned:
        """The result, from numbers of entries with the numbers of their rows."""
        keys = {at: self.rows[k].key for at, k in found.items()}
        return Aligned(
            self.rows,
            {key: self.entries[at] for at, key in keys.items()},
            {key: at for at, key in keys.items()},
            {keys[at]: self.texts[at, k] for at, k in found.items()},
            extra,
            weight,
        )

    def missing(self, numbers: Iterable[int]) -> list[int]:
        """Those of some rows that were not found."""
        found = set(self.found.values())
        return [k for k in numbers if k not in found]

    def sure(self) -> dict[Pair, float]:
        """Pairs whose labels agree; lines around an entry count if its own label is no row's."""
        heads = {at for at, entry in enumerate(self.entries) if is_head(entry, self.rows)}
        found = {}
        for (at, k), texts in self.texts.items():
            entry = self.entries[at]
            if at in heads or not (any(texts) or entry.grid is not None):
                continue
            own = any(score(entry.label, row) >= SURE for row in self.rows)
            labels = entry.labels[:1] if own else entry.labels
            best = max(score(label, self.rows[k]) for label in labels)
            if best >= SURE:
                found[at, k] = best
        return found

    def fill(self) -> tuple[Entry, ...]:
        """Take rows without a sure label in order; return those that the form does not have."""
        extra: list[Entry] = []
        ordered = sorted((k, at) for at, k in self.found.items())
        in_order = [
            (k, at)
            for k, at in ordered
            if all((k - other) * (at - place) >= 0 for other, place in ordered)
        ]
        for (k1, first), (k2, last) in pairwise(in_order):
            missing = self.missing(range(k1 + 1, k2))
            free = [
                at
                for at in range(first + 1, last)
                if at not in self.found and self.is_row(at, range(k1, k2 + 1))
            ]
            pairs = list(zip(free, missing, strict=False))
            fits = len(free) == len(missing)
            if fits and all(pair in self.texts and self.counts(*pair) for pair in pairs):
                self.found |= pairs
            elif not missing:
                others = (self.entries[at] for at in free)
                extra += [entry for entry in others if entry.label and entry.filled]
        self.extend(-1)
        self.extend(1)
        return tuple(extra)

    def counts(self, at: int, k: int) -> bool:
        """Return True for a line that can be a row without its label: it has all its numbers.

        Numbers within its label are of a row before it.
        """
        entry = self.entries[at]
        if entry.grid is not None:
            return True
        several = _INSIDE.search(plain_letters(entry.label))
        return len(entry.filled) in (1, len(self.rows[k].columns)) and not several

    def extend(self, step: int) -> None:
        """Take the rows before the first one (step -1) or after the last (1), if all are there."""
        entries, rows = self.entries, self.rows
        edge = (max if step > 0 else min)(self.found)
        missing = range(self.found[edge] + step, len(rows) if step > 0 else -1, step)
        free: list[int] = []
        at = edge + step
        while 0 <= at < len(entries) and len(free) <= len(missing):
            if entries[at].grid != entries[edge].grid:
                break
            in_text = entries[at].grid is None
            if self.is_row(at, missing):
                if in_text and not self.is_full(at, edge):
                    break
                free.append(at)
            elif in_text and (free or entries[at].cells):
                break
            at += step
        pairs = list(zip(free, missing, strict=False))
        if len(free) == len(missing) and all(any(self.texts.get(pair, ())) for pair in pairs):
            self.found |= pairs

    def is_full(self, at: int, edge: int) -> bool:
        """Return True for a line of text that is surely a row: all numbers, and not far away."""
        count = len(self.rows[0].columns)
        near = self.entries[at].line.page == self.entries[edge].line.page
        return near and count > 1 and len(self.entries[at].filled) >= count

    def is_row(self, at: int, near: Sequence[int]) -> bool:
        """Return True for an entry with the values of one of these rows, no head and no note."""
        entry = self.entries[at]
        if not near or _NOTE.match(entry.label) or is_head(entry, self.rows):
            return False
        if not any(cell.text for cell in (*entry.cells, *entry.line.cells)):
            return len(entry.cells) >= min(len(self.rows[k].columns) for k in near)
        return any((at, k) in self.texts for k in near)

    def unlabelled(self) -> Aligned:
        """A table of which no label is left: as many full rows in one piece as the form has."""
        count = len(self.rows[0].columns)
        if count < 5 or any(len(row.columns) != count for row in self.rows):
            return Aligned(self.rows)
        runs: list[list[int]] = [[]]
        for at, entry in enumerate(self.entries):
            if (at, 0) in self.texts and len(entry.filled) == count:
                runs[-1].append(at)
            elif entry.filled and runs[-1]:
                runs.append([])
        fitting = [run for run in runs if len(run) == len(self.rows)]
        if len(fitting) != 1:
            return Aligned(self.rows)
        return self.aligned({at: k for k, at in enumerate(fitting[0])}, (), float(len(self.rows)))


def _texts(entries: Sequence[Entry], rows: Sequence[FormRow]) -> dict[Pair, list[str]]:
    """Texts of the cells of each entry, taken for each row of the form that it can be."""
    texts: dict[Pair, list[str]] = {}
    for count in {len(row.columns) for row in rows}:
        columns = _columns(entries, rows, count) if count > 1 else {}
        for at, entry in enumerate(entries):
            values = values_of(entry, count, columns.get(_part(entry), ()))
            if values is None and count > 1:
                values = _together(entry, count)
            if values is not None:
                fitting = (k for k, row in enumerate(rows) if len(row.columns) == count)
                texts |= {(at, k): values for k in fitting}
    return texts


def _part(entry: Entry) -> tuple[object, ...]:
    """The part that shares its columns: a table, or the text of a page."""
    return (entry.grid, None if entry.grid else entry.line.page)


def _columns(
    entries: Sequence[Entry], rows: Sequence[FormRow], count: int
) -> dict[tuple[object, ...], tuple[float, ...]]:
    """Columns of the values in each part; a part that has no full row has the one's before it."""
    parts: dict[tuple[object, ...], list[Entry]] = {}
    for entry in entries:
        # Without rules as many numbers may be a row of another table, in which some are blank.
        if entry.grid is not None or any(score(entry.label, row) >= SURE for row in rows):
            parts.setdefault(_part(entry), []).append(entry)
    columns: dict[tuple[object, ...], tuple[float, ...]] = {}
    before: tuple[float, ...] = ()
    for part, members in parts.items():
        before = columns[part] = columns_of(members, count) or before
    return columns


def _together(entry: Entry, count: int) -> list[str] | None:
    """The text of a row whose cells run together."""
    text = "".join(cell.text for cell in entry.filled)
    run = _RUN.fullmatch(text) and sum(map(str.isdigit, text)) >= count
    return [text] if run and (entry.line.ragged or len(entry.filled) == 1) else None


def is_head(entry: Entry, rows: Sequence[FormRow]) -> bool:
    """Return True for a row of the table's head: a title, or names of columns, and no numbers."""
    if any(any(c.isdigit() for c in cell.text) for cell in entry.filled):
        return False
    if entry.label and letters(entry.label) in {row.band for row in rows}:
        return True
    texts = [cell.text for cell in entry.line.cells if cell.text]
    named = len(texts) >= _HEADS and any(
        heads_score(texts, row) * len(row.heads) >= min(_HEADS, len(row.heads)) - 0.5
        for row in rows
    )
    return named and not any(score(text, row) >= SURE for text in texts for row in rows)


def _chain(sure: Mapping[Pair, float], entries: Sequence[Entry]) -> list[Pair]:
    """The pairs that keep both orders and whose labels fit best, taken together.

    The best chain that ends in each pair is that of an earlier pair with this one behind it.
    """
    pairs = sorted(sure)
    best: list[tuple[float, int]] = []
    for at, (i, k) in enumerate(pairs):
        own = sure[i, k] + (0.05 if any(c.text for c in entries[i].cells) else -0.3)
        before, link = 0.0, -1
        for other in range(at):
            j, m = pairs[other]
            if j < i and m < k and best[other][0] - _apart(j, i) > before:
                before, link = best[other][0] - _apart(j, i), other
        best.append((before + own, link))
    chain = []
    at = max(range(len(best)), key=lambda one: best[one][0], default=-1)
    while at >= 0:
        chain.append(pairs[at])
        at = best[at][1]
    return chain[::-1]


def _apart(first: int, second: int) -> float:
    """A little against rows that stand far from each other: a label in a text is no row."""
    return 0.002 * min(second - first - 1, 100)
