"""Raw rows into a ledger, in steps that each take what the ones before have found.

Rows that are no records are set aside; columns are typed; the key and the row rules are looked at;
persons are hidden; and every row read is accounted for.
"""

from __future__ import annotations

from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from reportkit.language import Message
from reportkit.ledgers.aside import HINTS, set_aside
from reportkit.ledgers.columns import (
    joined,
    pandas_text,
    parse_column,
    parse_each,
    replaced,
)
from reportkit.ledgers.normal import clean, is_nothing, like_keys, loose, table
from reportkit.ledgers.quoting import quoted_heading, taken_out
from reportkit.ledgers.readers import holds
from reportkit.ledgers.records import Ledger, Source, Violation
from reportkit.ledgers.rows import RowFinding, Rows
from reportkit.ledgers.unread import misspelt, near_columns
from reportkit.ledgers.values import parser_for
from reportkit.persons import hide, suspect, without_persons
from reportkit.worktime import WorkCalendar, limits

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    import numpy.typing as npt

    from reportkit.ledgers.privacy import Pseudonyms
    from reportkit.ledgers.schema import Column, LedgerSchema, RowRule

    Mask = npt.NDArray[np.bool_]

# 2.02103E+11, as a spreadsheet shows a long number and writes it into csv.
_SHOWN_SHORT = r"^\s*[0-9](?:\.[0-9]+)?[eE]\+[0-9]+\s*$"
# 3-1 as a spreadsheet writes it into a text file, when it has made a day or a time of it.
_DAY_KEY = (
    r"^\s*(?:\d{1,2}月\d{1,2}日|\d{4}[-/年]\d{1,2}[-/月]\d{1,2}日?(?: 0?0:00(?::00)?)?"
    r"|\d{1,2}-[A-Z][a-z]{2}|[A-Z][a-z]{2}-\d{2}|\d{1,2}:\d{2}(?::\d{2})?)\s*$"
)
# A key that no record should have: 3月合计, 示例-1号, 测试, XX〔2020〕X号, ***.
_ODD_KEY = (
    r"(?i)[合小总共累]\s*计|汇总|^(?:sub)?total|^sum\b|[样例]|模板|测试|^test|说明"
    r"|[×＊*]|某|(?:^|[^A-Za-z])x{2,}(?:$|[^A-Za-z])|…"
)
# What stands in a column of persons for nobody, or for somebody who is not told.
_NOBODY = frozenset(
    (
        "个人 个体 个体户 个体工商户 当事人 相对人 被处罚人 公民 法人 法人和其他组织 企业 单位 "
        "匿名 保密 不详 未知 不公开 不予公开 未公开 个人隐私 见附件 详见附件 无 同上"
    ).split()
)
_NO_PERSON = (
    r"[某*＊×]|(?:公司|集团|企业|合作社|经营部|厂|商行|事务所|研究院|学校|大学|医院|银行|委员会|政府"
    r"|办事处|协会|学会|基金会|项目部|店|局|中心|超市|餐厅|药房|幼儿园)$"
)
_FEW = 20
# Rows of which more is in memory at once than what is kept.
_STEP = 2_000
# What these rules find cannot be read; what others find is read, and wrong.
_UNREAD = {"L-value", "L-empty", "L-key"}
# No spelling of nothing is longer, in bytes.
_SHORT = 9


def read_rows(rows: Rows, calendar: WorkCalendar, pseudonyms: Pseudonyms) -> Ledger:
    """The ledger of these rows."""
    aside, told_aside = set_aside(rows)
    told = _notes(rows) + _headings(rows) + _misspelt(rows)
    typed, found = _typed(rows)
    told += found
    typed[rows.schema.key_column], found = _keys(rows, typed, aside)
    told += found
    told += _like_keys(rows, typed[rows.schema.key_column], aside)
    told += _odd_keys(rows, aside)
    told += _said_elsewhere(rows, typed)
    bad = _refused(len(rows), told)
    for rule in rows.schema.rules:
        found = _broken(rows, rule, typed, calendar, ~bad & ~aside)
        told += found
        bad |= _refused(len(rows), found)
    kept, personal, found = _protected(rows, typed, pseudonyms)
    told += found
    # Of a row that is no record nothing else is said.
    told = told_aside + [one for one in told if one.row is None or not aside[one.row]]
    return _ledger(rows, typed | kept, told, aside, personal, calendar)


def _notes(rows: Rows) -> list[RowFinding]:
    """Collect the readers' notes about files and records."""
    told = []
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
            told.append(RowFinding(row, violation))
    return told


def _headings(rows: Rows) -> list[RowFinding]:
    """Headings that are not read, though a column may be meant by them."""
    told = []
    for part in rows.parts:
        place = f"{part.raw.sheet}!heading" if part.raw.sheet else "heading"
        for column, heading, why in near_columns(part.schema, part.read, part.raw.titles):
            violation = Violation(
                rows.key,
                part.raw.path,
                place,
                "L-unread",
                "warn",
                column.name,
                quoted_heading(heading),
                why,
            )
            told.append(RowFinding(None, violation))
    return told


def _said_elsewhere(rows: Rows, typed: Mapping[str, Any]) -> Iterator[RowFinding]:
    """Records of which a column that is not read says what an empty one does not: 是否延期."""
    for column in [one for one in rows.schema.columns if one.signs]:
        empty = np.asarray(pd.isna(typed[column.name]))
        for start, part in rows.each():
            for heading in part.unread:
                if heading not in part.raw.columns or not any(s in heading for s in column.signs):
                    continue
                expected = Message(
                    "'{heading}' says so, and there is no day; {without}",
                    heading=quoted_heading(heading),
                    without=column.without,
                )
                said = _affirmed(part.raw.columns[heading])
                there = empty[start : start + len(said)] & said
                for row in np.flatnonzero(there).tolist():
                    yield rows.tell(
                        start + row, "L-unread", "warn", column.name, expected, found=""
                    )


def _affirmed(cells: pa.ChunkedArray) -> Mask:
    """Return a mask of the cells that say something other than 否 or nothing."""
    no = {loose(one) for one in table()["flag"]["false"]}

    def yes(text: str | None) -> str | None:
        text = clean(text or "")
        return None if is_nothing(text) or text[0] in "否不未无没" or loose(text) in no else text

    return np.asarray(replaced(cells, yes).is_valid().to_numpy(), bool)


def _misspelt(rows: Rows) -> list[RowFinding]:
    """Headings of a mapping that no file has, though one is nearly so."""
    told = []
    for mapping in [one for n, one in enumerate(rows.mappings) if one not in rows.mappings[:n]]:
        parts = [part for part in rows.parts if part.mapping == mapping]
        read = {name for part in parts for name in part.read}
        unread = [title for part in parts for title in part.unread]
        for name, heading, near in misspelt(mapping, read, unread):
            stands = quoted_heading(near)
            expected = Message(
                "a heading; the mapping names it, and what stands there is {stands}", stands=stands
            )
            file = parts[0].raw.path
            violation = Violation(
                rows.key, file, "heading", "L-mapping", "warn", name, heading, expected
            )
            told.append(RowFinding(None, violation))
    return told


def _typed(rows: Rows) -> tuple[dict[str, Any], list[RowFinding]]:
    """Columns with their types, and what cannot be read of them."""
    columns = [column for column in rows.schema.columns if not column.personal]
    typed: dict[str, Any] = {}
    told: list[RowFinding] = []
    for column in columns:
        values, bad = _parsed(rows, column)
        typed[column.name] = values
        told += _judged(rows, column, values, bad)
    return typed, told


def _parsed(rows: Rows, column: Column) -> tuple[Any, dict[int, str]]:
    """Typed cells of a column, and why some cannot be read."""
    own = [part.column(column) for part in rows.parts]
    given = [(part.headings.get(column.name, ("", 1))[1], part.raw.epoch) for part in rows.parts]
    parsers = [
        parser_for(one, factor=factor, epoch=epoch)
        for one, (factor, epoch) in zip(own, given, strict=True)
    ]
    if len(set(given)) > 1 or any(one != own[0] for one in own):
        # Files count in different units, or days from different years, or in different words.
        chunks = [part.cells(column.name) for part in rows.parts]
        return parse_each(own, chunks, parsers)
    return parse_column(own[0] if own else column, rows.raw[column.name], parsers[0])


def _judged(
    rows: Rows, column: Column, values: Any, bad: Mapping[int, str]
) -> Iterator[RowFinding]:
    name = column.name
    if name == rows.schema.key_column:
        for row in np.flatnonzero(_shown_short(rows.raw[name])).tolist():
            expected = Message(
                "all its digits; a spreadsheet wrote it short: format the column as text"
            )
            yield rows.tell(row, "L-rounded", "reject", name, expected)
    for row, reason in bad.items():
        yield rows.tell(row, "L-value", "reject" if column.required else "warn", name, reason)
    if column.required and not column.blank and name != rows.schema.key_column:
        empty = np.asarray(pd.isna(values))
        for row in np.flatnonzero(empty).tolist():
            if row not in bad:
                yield rows.tell(row, "L-empty", "reject", name, Message("must not be empty"))
    if column.open:
        yield from _others(rows, column, values)


def _others(rows: Rows, column: Column, values: Any) -> Iterator[RowFinding]:
    """Values of an open column that are none of those that the form counts; each is told once."""
    meant = {target for part in rows.parts for target in part.column(column).swaps.values()}
    known = meant.union(column.categories())
    for value in [one for one in values.categories if one not in known]:
        where = np.flatnonzero(np.asarray(values == value))
        many = Message(" ({where} records)", where=len(where)) if len(where) > 1 else ""
        expected = Message(
            "none of {column}; it is counted as none of them{many}: map it to what it "
            "means, or to itself",
            column="、".join(column.categories()),
            many=many,
        )
        yield rows.tell(int(where[0]), "L-other", "warn", column.name, expected)


def _keys(rows: Rows, typed: Mapping[str, Any], aside: Mask) -> tuple[Any, list[RowFinding]]:
    """The key, unique; of a repeated record the first one counts."""
    name = rows.schema.key_column
    values, told = _prefixed(rows, typed)
    cells = pa.table({name: values})[name]
    short = pc.less_equal(pc.binary_length(cells), _SHORT)
    if (
        not cells.null_count
        and not pc.any(short).as_py()
        and pc.count_distinct(cells).as_py() == len(cells)
    ):
        return values, told
    keys = pd.Series(values, dtype="str")
    keys = keys.mask([is_nothing(key) for key in keys.fillna("")])
    told += [
        rows.tell(row, "L-key", "reject", name, Message("a record needs its key"))
        for row in np.flatnonzero(keys.isna().to_numpy()).tolist()
    ]
    keys = keys.mask(aside)
    repeated = keys.duplicated().to_numpy() & keys.notna().to_numpy()
    if repeated.any():
        again = keys.isin(keys[repeated])
        first = {key: row for row, key in reversed(list(keys[again].items()))}
        for row in np.flatnonzero(repeated).tolist():
            file, place = rows.place(first[keys.iloc[row]])
            expected = Message(
                "unique; it stands at {file}:{place} already", file=file, place=place
            )
            told.append(rows.tell(row, "L-unique", "reject", name, expected))
    return values, told


def _prefixed(rows: Rows, typed: Mapping[str, Any]) -> tuple[Any, list[RowFinding]]:
    """Keys with what a mapping puts before numbers that begin anew each year."""
    name = rows.schema.key_column
    if not any(part.schema.prefix for part in rows.parts):
        return typed[name], []
    keys: list[str | None] = pd.Series(typed[name], dtype=object).tolist()
    days = pd.Series(typed[rows.schema.day_column.name])
    told = []
    for start, part in rows.each():
        prefix = part.schema.prefix
        cells = part.cells(prefix).to_pylist() if prefix and prefix != "year" else []
        for row in range(start, start + len(part.raw.lines)) if prefix else ():
            key = keys[row]
            if prefix == "year":
                before = "" if pd.isna(days[row]) else str(days[row].year)
            else:
                before = clean(cells[row - start] or "")
            if key is None or pd.isna(key) or is_nothing(key):
                continue
            if before:
                keys[row] = f"{before}-{key}"
            elif prefix != "year":
                expected = Message(
                    "{prefix} goes before the key {name}, and must not be empty",
                    prefix=prefix,
                    name=name,
                )
                told.append(rows.tell(row, "L-key", "reject", str(prefix), expected))
    return pd.array(keys, dtype=pd.StringDtype(na_value=np.nan)), told


def _odd_keys(rows: Rows, aside: Mask) -> Iterator[RowFinding]:
    """Keys that read like a day or a time, or like no record's."""
    name = rows.schema.key_column
    cells = rows.raw[name].cast(pa.large_string())

    def matched(pattern: str) -> list[int]:
        like = pc.match_substring_regex(cells, pattern).fill_null(False).to_numpy()
        return np.flatnonzero(np.asarray(like, bool) & ~aside).tolist()

    # In a workbook a day is one by its format, and told by its reader.
    for row in matched(_DAY_KEY):
        if rows.parts[rows.source_of[row]].raw.sheet is None:
            expected = Message("a key; a spreadsheet makes a day or a time of one such as 3-1")
            yield rows.tell(row, "L-day", "warn", name, expected)
    odd = matched(_ODD_KEY)
    # Where most keys are like that, or all of few, they are meant.
    meant = len(odd) > max(_FEW, len(rows) // 2) or len(odd) == len(rows)
    for row in odd if not meant else ():
        expected = Message(
            "a key; it reads like a sum, an example or a note, and is counted as a record"
        )
        yield rows.tell(row, "L-odd", "warn", name, expected)


def _like_keys(rows: Rows, values: Any, aside: Mask) -> Iterator[RowFinding]:
    """Keys that are told apart by width, brackets, blanks or zeros only: one record, maybe."""
    name = rows.schema.key_column
    cells = pa.table({name: values})[name].cast(pa.large_string()).combine_chunks()
    alike = like_keys(cells)
    if pc.count_distinct(alike).as_py() == len(alike) - alike.null_count:
        return
    table = pd.DataFrame({"key": cells.to_pandas(), "alike": alike.to_pandas()})
    table = table[table["key"].notna() & ~aside].drop_duplicates("key")
    first = table.drop_duplicates("alike").reset_index().set_index("alike")
    for row, key, one in table[table.duplicated("alike")].itertuples():
        other = first.loc[one]
        file, place = rows.place(int(other["index"]))
        spelt = rows.quoted(name, [other["key"]], int(other["index"]))
        expected = Message(
            "spelt as '{spelt}' at {file}:{place}; both are counted: if they are one "
            "record, take one out",
            spelt=spelt,
            file=file,
            place=place,
        )
        own = rows.quoted(name, [key], int(row))
        yield rows.tell(int(row), "L-like-key", "warn", name, expected, found=own)


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
    elif rule.at_most:
        broken = (cells[0] > rule.at_most[1]).fillna(False).to_numpy(dtype=bool)
    elif rule.within:
        begin, end = (cell.to_numpy(dtype="datetime64[D]") for cell in cells)
        # Where the table does not know the days, nothing is said.
        known = calendar.covers(begin) & calendar.covers(end)
        broken = known & (calendar.count(begin, end) > rule.within[2])
    columns = "、".join(rule.columns)
    return [
        rows.tell(int(row), rule.id, rule.severity, columns, rule.message)
        for row in np.flatnonzero(broken & good)
    ]


def _protected(
    rows: Rows, typed: Mapping[str, Any], name: Pseudonyms
) -> tuple[dict[str, Any], pa.ChunkedArray, list[RowFinding]]:
    """Pseudonyms for personal columns that are kept, free text without persons, who they are."""
    schema = rows.schema
    made: dict[str, Any] = {}
    sought: list[pa.ChunkedArray] = []
    told: list[RowFinding] = []
    headings = {heading for part in rows.parts for heading in part.read.values()}
    titles = pa.array(sorted(headings | HINTS | _NOBODY | schema.known), pa.large_string())
    # All that stands in personal columns must appear nowhere.
    for column in schema.columns:
        if not column.personal:
            continue
        texts = rows.persons[column.name]
        # Two characters of an address are a place, those of an applicant a name.
        # And 申请人, of the heading of a further page, is nobody.
        nobody = pc.is_in(texts, value_set=titles)
        nobody = pc.or_(nobody, pc.match_substring_regex(texts, _NO_PERSON).fill_null(False))
        if not column.pseudonym:
            nobody = pc.or_(nobody, pc.less_equal(pc.utf8_length(texts), 2).fill_null(False))
        # Seldom any: the column is not kept twice.
        found = pc.any(nobody).as_py()
        sought.append(texts.filter(pc.invert(nobody)) if found else texts)
        if short := int(_shown_short(texts).sum()):
            expected = Message(
                "{short} numbers were written short by a spreadsheet (3.50203E+17): one person "
                "may look like two, or two like one; format the column as text",
                short=short,
            )
            row = int(np.flatnonzero(_shown_short(texts))[0])
            told.append(rows.tell(row, "L-rounded", "warn", column.name, expected, found=""))
        if column.pseudonym:
            made[column.name] = pandas_text(replaced(texts, partial(name, column.name)))
    for column in schema.columns:
        if column.free_text:
            cells = pa.table({column.name: typed[column.name]})[column.name]
            made[column.name] = pandas_text(_hidden(cells, rows.persons))
    personal = joined(sought) if sought else pa.chunked_array([], pa.large_string())
    return made, personal, told


def _hidden(cells: pa.ChunkedArray, own: Mapping[str, pa.ChunkedArray]) -> pa.ChunkedArray:
    """Free text without the persons that can be recognised in it, and its own record's."""
    suspected = pc.match_substring_regex(cells, suspect())
    marks = [f"〔{other}〕" for other in own]
    changed: dict[int, str] = {}
    for start in range(0, len(cells), _STEP):
        parts = (cells, suspected, *own.values())
        columns = [part.slice(start, _STEP).to_pylist() for part in parts]
        for row, (text, doubtful, *values) in enumerate(zip(*columns, strict=True), start):
            if not text:
                continue
            hidden = hide(text) if doubtful else text
            for value, mark in zip(values, marks, strict=True):
                if value and value in text and len(value) > 1:
                    hidden = hidden.replace(value, mark)
            if hidden != text:
                changed[row] = hidden
    if not changed:
        return cells
    mask = np.zeros(len(cells), dtype=bool)
    mask[list(changed)] = True
    hidden_texts = pa.array(list(changed.values()), pa.large_string())
    return pc.replace_with_mask(cells.cast(pa.large_string()), pa.array(mask), hidden_texts)


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


def _refused(size: int, told: Sequence[RowFinding], rules: Collection[str] = ()) -> Mask:
    """Rows that something speaks against; where *rules* are named, one of these."""
    mask = np.zeros(size, dtype=bool)
    mask[
        [
            one.row
            for one in told
            if one.row is not None
            and one.violation.severity == "reject"
            and (not rules or one.violation.rule in rules)
        ]
    ] = True
    return mask


def _ledger(
    rows: Rows,
    typed: Mapping[str, Any],
    told: Sequence[RowFinding],
    aside: Mask,
    personal: pa.ChunkedArray,
    calendar: WorkCalendar,
) -> Ledger:
    """The finished ledger; every row read is accounted for."""
    bad = _refused(len(rows), told) & ~aside
    unread = _refused(len(rows), told, _UNREAD) & bad
    order = {name: typed[name] for column in rows.schema.columns if (name := column.name) in typed}
    frame = pd.DataFrame(order, index=pd.RangeIndex(len(rows), name="row"), copy=False)
    accepted = ~bad & ~aside
    frame = frame if accepted.all() else frame[accepted]
    _derive(frame, rows.schema, calendar)
    sources = tuple(
        Source(
            part.raw.path,
            part.raw.sha256,
            part.raw.bytes,
            part.raw.format,
            part.raw.encoding,
            part.raw.sheet,
            len(part.raw.lines),
            part.read,
            part.mapping,
            tuple(part.raw.titles),
        )
        for part in rows.parts
    )
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
        violations=tuple(one.violation for one in told),
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
    # Where columns are shifted by one, a name stands where nobody looks for one.
    for name, cell in cells.items():
        if name in free or not rows.quoting[name].told:
            cells[name] = taken_out(without_persons(cell), rows.persons_of(row))
        else:
            cells[name] = rows.quoted(name, [cell], row)
    return {"ledger": rows.key, "row": row, "file": file, "place": place, "cells": cells}


def _shown_short(cells: pa.ChunkedArray) -> Mask:
    """Return a mask of the long numbers that a spreadsheet wrote with most digits lost."""
    if not holds(cells, b"E+", b"e+"):
        return np.zeros(len(cells), bool)
    found = pc.match_substring_regex(cells, _SHOWN_SHORT).fill_null(False)
    return np.asarray(found.to_numpy(), bool)
