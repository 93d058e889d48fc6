"""Rows of a document put beside the rows of the form: by label, and in between by order."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from reportkit.audit.entries import columns_of, values_of
from reportkit.audit.labels import SURE, heads_score, letters, plain_letters, score

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reportkit.audit.entries import Entry
    from reportkit.audit.labels import FormRow

# Signs, and an amount of money at the end.
_RUN = re.compile(r"[\d,+-]+(?:\.\d+)?(?:[万亿]?元)?")
_INSIDE = re.compile(r"[\u4e00-\u9fff]\d+[\u4e00-\u9fff]")
_NOTE = re.compile(r"[((*※]?(?:备?注|说明|单位|填[报表])\d*[:：]")
# Cells of which so many are heads make a row one of the head.
_HEADS = 2


@dataclass(frozen=True)
class Aligned:
    """Which entry is which row of the form.

    Parameters
    ----------
    rows : sequence of FormRow
    entries : mapping of str to Entry
        By key of the form's row.
    texts : mapping of str to list of str
        The texts of its cells; one text where they run together.
    aside : tuple of Entry
        Rows that the form does not have.
    weight : float
        How much was found: for choosing between editions.
    """

    rows: Sequence[FormRow]
    entries: Mapping[str, Entry]
    texts: Mapping[str, list[str]]
    aside: tuple[Entry, ...] = ()
    weight: float = 0.0
    span: tuple[int, int] = field(default=(0, 0))


def align(entries: Sequence[Entry], rows: Sequence[FormRow]) -> Aligned:
    """Find the rows of a table among all entries of a document.

    Anchors are rows with a sure label that stand in the form's order. Between two of them the
    others are taken in order, but only if there are as many as the form has there.
    """
    texts = _texts(entries, rows)
    sure = _sure(entries, rows, _fitting(entries, rows, texts))
    anchors = _chain(sure, entries)
    if not anchors:
        return _unlabelled(entries, rows, texts)
    found = dict(anchors)  # entry to row
    taken = {k: at for at, k in anchors}
    # A row that stands elsewhere than in the form, under its own full label.
    for (at, k), value in sorted(sure.items(), key=lambda item: -item[1]):
        first, last = anchors[0][0], anchors[-1][0]
        if k not in taken and at not in found and first <= at <= last and value == 1.0:
            found[at], taken[k] = k, at
    aside = _fill(entries, rows, texts, found, taken)
    at_rows = {rows[k].key: entries[at] for at, k in found.items()}
    kept = {rows[k].key: texts[at, k] for at, k in found.items()}
    weight = len(found) + sum(sure.get(pair, 0.0) for pair in found.items()) - len(aside)
    return Aligned(rows, at_rows, kept, aside, weight, (min(found), max(found)))


def _sure(
    entries: Sequence[Entry], rows: Sequence[FormRow], pairs: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], float]:
    """Entries and rows whose labels agree; the lines around one count if its own says nothing."""
    best = {(at, k): score(entries[at].label, rows[k]) for at, k in pairs}
    told = {
        at
        for at in {at for at, _ in pairs}
        if any(score(entries[at].label, row) >= SURE for row in rows)
    }
    for at, k in best:
        if at not in told:
            best[at, k] = max(score(label, rows[k]) for label in entries[at].labels)
    return {pair: value for pair, value in best.items() if value >= SURE}


def _texts(entries: Sequence[Entry], rows: Sequence[FormRow]) -> dict[tuple[int, int], list[str]]:
    """Texts of the cells of each entry, taken for each row of the form that it can be."""
    texts: dict[tuple[int, int], list[str]] = {}
    counts = {len(row.columns) for row in rows}
    for count in counts:
        columns = _columns(entries, rows, count) if count > 1 else {}
        for at, entry in enumerate(entries):
            values = values_of(entry, count, columns.get(_part(entry), ()))
            if values is None and count > 1:
                values = _together(entry, count)
            if values is None:
                continue
            for k, row in enumerate(rows):
                if len(row.columns) == count:
                    texts[at, k] = values
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
        columns[part] = columns_of(members, count) or before
        before = columns[part]
    return columns


def _together(entry: Entry, count: int) -> list[str] | None:
    """The text of a row whose cells run together."""
    filled = entry.filled
    text = "".join(cell.text for cell in filled)
    digits = sum(map(str.isdigit, text))
    run = _RUN.fullmatch(text) and digits >= count
    if run and (entry.line.ragged or len(filled) == 1):
        return [text]
    return None


def _fitting(
    entries: Sequence[Entry],
    rows: Sequence[FormRow],
    texts: Mapping[tuple[int, int], list[str]],
) -> list[tuple[int, int]]:
    heads = {at for at, entry in enumerate(entries) if is_head(entry, rows)}
    return [
        (at, k)
        for at, k in texts
        if at not in heads and (any(texts[at, k]) or entries[at].grid is not None)
    ]


def is_head(entry: Entry, rows: Sequence[FormRow]) -> bool:
    """Return True for a row of the table's head: a title, or names of columns, and no numbers."""
    if any(any(c.isdigit() for c in cell.text) for cell in entry.filled):
        return False
    if entry.label and letters(entry.label) in {row.band for row in rows}:
        return True
    told = [cell.text for cell in entry.line.cells if cell.text]
    if len(told) < _HEADS:
        return False
    return any(
        heads_score(told, row) * len(row.heads) >= min(_HEADS, len(row.heads)) - 0.5
        and max((score(text, one) for text in told for one in rows), default=0) < SURE
        for row in rows
    )


def _chain(
    sure: Mapping[tuple[int, int], float], entries: Sequence[Entry]
) -> list[tuple[int, int]]:
    """The pairs that keep both orders and whose labels fit best, taken together."""
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
    if not best:
        return []
    at = max(range(len(best)), key=lambda one: best[one][0])
    chain = []
    while at >= 0:
        chain.append(pairs[at])
        at = best[at][1]
    return chain[::-1]


def _apart(first: int, second: int) -> float:
    """A little against rows that stand far from each other: a label in a text is no row."""
    return 0.002 * min(second - first - 1, 100)


def _fill(
    entries: Sequence[Entry],
    rows: Sequence[FormRow],
    texts: Mapping[tuple[int, int], list[str]],
    found: dict[int, int],
    taken: dict[int, int],
) -> tuple[Entry, ...]:
    """Take rows without a sure label in order; return those that the form does not have."""
    aside: list[Entry] = []
    ordered = sorted((k, at) for at, k in found.items())
    chain = [
        pair
        for pair in ordered
        if all((pair[0] - other[0]) * (pair[1] - other[1]) >= 0 for other in ordered)
    ]
    for (k1, i1), (k2, i2) in pairwise(chain):
        missing = [k for k in range(k1 + 1, k2) if k not in taken]
        free = [
            at
            for at in range(i1 + 1, i2)
            if at not in found and _is_row(entries, rows, texts, at, [*range(k1, k2 + 1)])
        ]
        pairs = list(zip(free, missing, strict=False))
        if len(free) == len(missing) and all(
            pair in texts and _counts(entries[pair[0]], rows[pair[1]]) for pair in pairs
        ):
            for at, k in zip(free, missing, strict=True):
                found[at], taken[k] = k, at
        elif not missing:
            aside += [entries[at] for at in free if entries[at].label and entries[at].filled]
    _extend(entries, rows, texts, found, taken, -1)
    _extend(entries, rows, texts, found, taken, 1)
    return tuple(aside)


def _counts(entry: Entry, row: FormRow) -> bool:
    """A line of text is counted as a row without its label only if it has all its numbers.

    Numbers within its label are of a row before it.
    """
    if entry.grid is not None:
        return True
    several = _INSIDE.search(plain_letters(entry.label))
    return len(entry.filled) in (1, len(row.columns)) and not several


def _extend(
    entries: Sequence[Entry],
    rows: Sequence[FormRow],
    texts: Mapping[tuple[int, int], list[str]],
    found: dict[int, int],
    taken: dict[int, int],
    step: int,
) -> None:
    """Rows before the first sure one, or after the last: all that stand in one piece with it."""
    edge = (max if step > 0 else min)(found)
    k = found[edge]
    missing = [*range(k + step, len(rows) if step > 0 else -1, step)]
    free: list[int] = []
    at = edge + step
    while 0 <= at < len(entries) and len(free) <= len(missing):
        if entries[at].grid != entries[edge].grid:
            break
        if _is_row(entries, rows, texts, at, missing):
            if entries[at].grid is None and not _full(entries, at, edge, rows):
                break
            free.append(at)
        elif entries[at].grid is None and (free or entries[at].cells):
            break
        at += step
    if (
        missing
        and len(free) == len(missing)
        and all((at, k) in texts and any(texts[at, k]) for at, k in zip(free, missing, strict=True))
    ):
        for at, k in zip(free, missing, strict=True):
            found[at], taken[k] = k, at


def _full(entries: Sequence[Entry], at: int, edge: int, rows: Sequence[FormRow]) -> bool:
    """Return True for a line of text that is surely a row: all numbers, and not far away."""
    count = len(rows[0].columns)
    near = entries[at].line.page == entries[edge].line.page
    return near and count > 1 and len(entries[at].filled) >= count


def _is_row(
    entries: Sequence[Entry],
    rows: Sequence[FormRow],
    texts: Mapping[tuple[int, int], list[str]],
    at: int,
    near: Sequence[int],
) -> bool:
    """Return True for an entry that has the values of one of these rows, and is no head or note."""
    if _NOTE.match(entries[at].label) or is_head(entries[at], rows):
        return False
    if not entries[at].filled and len([c for c in entries[at].line.cells if c.text]) == 0:
        return len(entries[at].cells) >= min(len(rows[k].columns) for k in near) if near else False
    return any((at, k) in texts for k in near)


def _unlabelled(
    entries: Sequence[Entry],
    rows: Sequence[FormRow],
    texts: Mapping[tuple[int, int], list[str]],
) -> Aligned:
    """A table of which no label is left: as many full rows in one piece as the form has."""
    count = len(rows[0].columns)
    if count < 5 or any(len(row.columns) != count for row in rows):
        return Aligned(rows, {}, {})
    runs: list[list[int]] = [[]]
    for at, entry in enumerate(entries):
        if (at, 0) in texts and len(entry.filled) == count:
            runs[-1].append(at)
        elif entry.filled and runs[-1]:
            runs.append([])
    fitting = [run for run in runs if len(run) == len(rows)]
    if len(fitting) != 1:
        return Aligned(rows, {}, {})
    run = fitting[0]
    at_rows = {row.key: entries[at] for row, at in zip(rows, run, strict=True)}
    kept = {row.key: texts[at, 0] for row, at in zip(rows, run, strict=True)}
    return Aligned(rows, at_rows, kept, (), float(len(rows)), (run[0], run[-1]))
