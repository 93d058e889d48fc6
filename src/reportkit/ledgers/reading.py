"""Raw rows into a ledger, in steps that each take what the ones before have found.

Rows that are no records are set aside; columns are typed; keys and row rules are checked; persons
are hidden; and every row read is accounted for.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reportkit.language import Message
from reportkit.ledgers.columns import parse_column, parse_each, shown_short
from reportkit.ledgers.keys import keys_alike, odd_keys, unique_keys
from reportkit.ledgers.protecting import protected
from reportkit.ledgers.quoting import taken_out
from reportkit.ledgers.records import Ledger, Source, Violation
from reportkit.ledgers.rows import RowFinding, Rows
from reportkit.ledgers.set_aside import set_aside
from reportkit.ledgers.unread import (
    doubted_in_unread,
    misspelt_headings,
    near_headings,
    refuse_other_units,
    stated_in_unread,
)
from reportkit.ledgers.values import parser_for
from reportkit.persons import without_persons
from reportkit.worktime import WorkCalendar, limits

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    import numpy.typing as npt
    import pyarrow as pa

    from reportkit.ledgers.privacy import Pseudonyms
    from reportkit.ledgers.schema import Column, LedgerSchema, RowRule

    Mask = npt.NDArray[np.bool_]

# Rows of which more is in memory at once than what is kept.
_STEP = 2_000
# What these rules find cannot be read; what others find is read, and wrong.
_UNREAD = {"L-value", "L-empty", "L-key"}


def read_rows(rows: Rows, calendar: WorkCalendar, pseudonyms: Pseudonyms) -> Ledger:
    """The ledger of these rows."""
    for part in rows.parts:
        refuse_other_units(part)
    aside, of_aside = set_aside(rows)
    findings = [*_notes(rows), *near_headings(rows), *misspelt_headings(rows)]
    typed, found = _typed(rows)
    findings += found
    typed[rows.schema.key_column], found = unique_keys(rows, typed, aside)
    findings += found
    findings += keys_alike(rows, typed[rows.schema.key_column], aside)
    findings += odd_keys(rows, aside)
    findings += stated_in_unread(rows, typed)
    findings += doubted_in_unread(rows, aside)
    bad = _refused(len(rows), findings)
    for rule in rows.schema.rules:
        found = _broken(rows, rule, typed, calendar, ~bad & ~aside)
        findings += found
        bad |= _refused(len(rows), found)
    kept, personal, found = protected(rows, typed, pseudonyms)
    findings += found
    # A row that is no record has no further finding.
    findings = of_aside + [
        finding for finding in findings if finding.row is None or not aside[finding.row]
    ]
    return _ledger(rows, typed | kept, findings, aside, personal, calendar)


def _notes(rows: Rows) -> Iterator[RowFinding]:
    """Collect the readers' notes about files and records."""
    for start, part in rows.each():
        for note in part.raw.notes:
            row = None
            if note.line is not None:
                row = start + int(np.searchsorted(part.raw.lines, note.line))
            violation = Violation(
                rows.key,
                part.raw.path,
                note.place,
                note.rule,
                note.severity,
                note.column,
                rows.quoted(note.column, [note.found]),
                note.expected,
            )
            yield RowFinding(row, violation)


def _typed(rows: Rows) -> tuple[dict[str, Any], list[RowFinding]]:
    """Columns with their types, and what cannot be read of them."""
    columns = [column for column in rows.schema.columns if not column.personal]
    typed: dict[str, Any] = {}
    findings: list[RowFinding] = []
    for column in columns:
        values, bad = _parsed(rows, column)
        typed[column.name] = values
        findings += _judged(rows, column, values, bad)
    return typed, findings


def _parsed(rows: Rows, column: Column) -> tuple[Any, dict[int, str]]:
    """Typed cells of a column, and why some cannot be read."""
    own = [part.column(column) for part in rows.parts]
    given = [(part.headings.get(column.name, ("", 1))[1], part.raw.epoch) for part in rows.parts]
    parsers = [
        parser_for(variant, factor=factor, epoch=epoch)
        for variant, (factor, epoch) in zip(own, given, strict=True)
    ]
    if len(set(given)) > 1 or any(variant != own[0] for variant in own):
        # Files count in different units, or days from different years, or in different words.
        chunks = [part.cells(column.name) for part in rows.parts]
        return parse_each(own, chunks, parsers)
    return parse_column(own[0] if own else column, rows.raw[column.name], parsers[0])


def _judged(
    rows: Rows, column: Column, values: Any, bad: Mapping[int, str]
) -> Iterator[RowFinding]:
    name = column.name
    if name == rows.schema.key_column:
        for row in np.flatnonzero(shown_short(rows.raw[name])).tolist():
            expected = Message(
                "all its digits; a spreadsheet wrote it short: format the column as text"
            )
            yield rows.finding(row, "L-rounded", "reject", name, expected)
    for row, reason in bad.items():
        yield rows.finding(row, "L-value", "reject" if column.required else "warn", name, reason)
    if column.required and not column.blank and name != rows.schema.key_column:
        empty = np.asarray(pd.isna(values))
        for row in np.flatnonzero(empty).tolist():
            if row not in bad:
                yield rows.finding(row, "L-empty", "reject", name, Message("must not be empty"))
    if column.open:
        yield from _others(rows, column, values)


def _others(rows: Rows, column: Column, values: Any) -> Iterator[RowFinding]:
    """Values of an open column that are none of those that the form counts; each but once."""
    meant = {target for part in rows.parts for target in part.column(column).swaps.values()}
    known = meant.union(column.categories())
    for value in [value for value in values.categories if value not in known]:
        where = np.flatnonzero(np.asarray(values == value))
        many = Message(" ({where} records)", where=len(where)) if len(where) > 1 else ""
        expected = Message(
            "none of {column}; it is counted as none of them{many}: map it to what it "
            "means, or to itself",
            column="、".join(column.categories()),
            many=many,
        )
        yield rows.finding(int(where[0]), "L-other", "warn", column.name, expected)


def _broken(
    rows: Rows, rule: RowRule, typed: Mapping[str, Any], calendar: WorkCalendar, good: Mask
) -> list[RowFinding]:
    """Good rows that break one row rule of the schema."""
    cells = [pd.Series(typed[name]) for name in rule.columns]
    broken = np.zeros(len(rows), dtype=bool)
    if rule.order:
        for a, b in combinations(cells, 2):
            broken |= (a > b).to_numpy(dtype=bool)
    elif rule.together:
        broken = (cells[0].isna() != cells[1].isna()).to_numpy(dtype=bool)
    elif rule.needs:
        broken = (cells[0].notna() & cells[1].isna()).to_numpy(dtype=bool)
    elif rule.dates:
        first, last = pd.Timestamp(rule.first), pd.Timestamp(rule.last)
        for cell in cells:
            broken |= ((cell < first) | (cell > last)).to_numpy(dtype=bool)
    elif rule.ended:
        says = cells[0].astype("string").str.strip().isin(rule.words).fillna(False)
        broken = (says & cells[1].isna()).to_numpy(dtype=bool)
    elif rule.at_most:
        broken = (cells[0] > rule.at_most[1]).fillna(False).to_numpy(dtype=bool)
    elif rule.within:
        begin, end = (cell.to_numpy(dtype="datetime64[D]") for cell in cells)
        # Where the table does not know the days, the rule is left alone.
        known = calendar.covers(begin) & calendar.covers(end)
        broken = known & (calendar.count(begin, end) > rule.within[2])
    columns = "、".join(rule.columns)
    return [
        rows.finding(int(row), rule.id, rule.severity, columns, rule.message)
        for row in np.flatnonzero(broken & good)
    ]


def _derive(frame: pd.DataFrame, schema: LedgerSchema, calendar: WorkCalendar) -> None:
    """Add the derived columns of the schema to accepted records."""
    if schema.clock is None:
        return
    names = {column.key: column.name for column in schema.columns}
    dates = [column for column in schema.columns if column.type == "date"]
    made = []
    for start in range(0, max(len(frame), 1), _STEP):
        part = frame.iloc[start : start + _STEP]
        days = {c.key: part[c.name].to_numpy(dtype="datetime64[D]") for c in dates}
        extension = part[names["extension_days"]].to_numpy(dtype=float, na_value=np.nan)
        made.append(limits(days, extension, calendar))
    for column in schema.derived:
        parts = [np.ma.asarray(getattr(part, column.key)) for part in made]
        values = np.concatenate([part.data for part in parts])
        mask = np.concatenate([np.ma.getmaskarray(part) for part in parts])
        if column.type == "date":
            frame[column.name] = pd.array(values.astype("datetime64[s]"))
        elif column.type == "integer":
            frame[column.name] = pd.arrays.IntegerArray(values, mask)
        else:
            frame[column.name] = pd.arrays.BooleanArray(values, mask)


def _refused(size: int, findings: Sequence[RowFinding], rules: Collection[str] = ()) -> Mask:
    """Rows that something speaks against; where *rules* are named, one of these."""
    mask = np.zeros(size, dtype=bool)
    mask[
        [
            finding.row
            for finding in findings
            if finding.row is not None
            and finding.violation.severity == "reject"
            and (not rules or finding.violation.rule in rules)
        ]
    ] = True
    return mask


def _ledger(
    rows: Rows,
    typed: Mapping[str, Any],
    findings: Sequence[RowFinding],
    aside: Mask,
    personal: pa.ChunkedArray,
    calendar: WorkCalendar,
) -> Ledger:
    """The finished ledger; every row read is accounted for."""
    bad = _refused(len(rows), findings) & ~aside
    unread = _refused(len(rows), findings, _UNREAD) & bad
    order = {name: typed[name] for column in rows.schema.columns if (name := column.name) in typed}
    frame = pd.DataFrame(order, index=pd.RangeIndex(len(rows), name="row"), copy=False)
    accepted = ~bad & ~aside
    frame = frame if accepted.all() else frame[accepted]
    _derive(frame, rows.schema, calendar)
    sources = tuple(Source.of(part.raw, part.read, part.mapping) for part in rows.parts)
    return Ledger(
        rows.key,
        rows.schema,
        frame,
        sources,
        rows.source_of,
        rows.line_of,
        quarantined=int(unread.sum()),
        rejected=int((bad & ~unread).sum()),
        set_aside=int(aside.sum()),
        violations=tuple(finding.violation for finding in findings),
        refused=tuple(_as_it_stands(rows, typed, row) for row in np.flatnonzero(bad).tolist()),
        personal=personal,
    )


def _as_it_stands(rows: Rows, typed: Mapping[str, Any], row: int) -> dict[str, Any]:
    file, place = rows.place(row)
    # Free text as protected: there the record's own applicant is hidden too.
    free = {column.name for column in rows.schema.columns if column.free_text}
    cells = {
        name: str(typed[name][row]) if name in free else raw[row].as_py() or ""
        for name, raw in rows.raw.items()
    }
    # Where columns are shifted by one, a name stands where none is expected.
    for name, cell in cells.items():
        if name in free or not rows.quoting[name].quotable:
            cells[name] = taken_out(without_persons(cell), rows.persons_of(row))
        else:
            cells[name] = rows.quoted(name, [cell], row)
    return {"ledger": rows.key, "row": row, "file": file, "place": place, "cells": cells}
