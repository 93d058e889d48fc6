"""Headings that a ledger does not read, though they may say something that it should."""

from __future__ import annotations

import difflib
import re
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from reportkit.errors import InputError
from reportkit.language import Message, joined
from reportkit.language.message import SEMICOLON, of_form
from reportkit.ledgers.columns import replaced
from reportkit.ledgers.normal import clean, is_nothing, loose, table, units
from reportkit.ledgers.quoting import quoted_heading
from reportkit.ledgers.records import Violation
from reportkit.ledgers.rows import RowFinding, Rows
from reportkit.ledgers.schema import heading_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    import numpy.typing as npt

    from reportkit.ledgers.rows import Part
    from reportkit.ledgers.schema import Column

_NEAR = 0.65
_UNITS = re.compile("单位|币种|币别|货币")
# Of money; who it is of is under 单位, too.
_UNIT = re.compile("[十百千万亿]*(?:[美港日欧加澳]|新台)?元|美金|英镑|港币|USD|EUR|HKD|JPY|GBP")
# A register of applications may count some that are alike in one row.
_COUNT = re.compile("件数|宗数|笔数")
_SEVERAL = r"^\s*(?:[2-9]|[1-9][0-9]+)(?:\.0+)?\s*[件宗笔]?\s*$"
_NOTE = re.compile(r"备\s*注|附注|说明|状态")
# Of a record that was made in error or taken back, and not of what it is about.
_VOID = "作废|废号|[空缺跳]号|误[登录填]|重复(?:登记|录入|填报)|不(?:计入|计数|予?统计)"


def near_headings(rows: Rows) -> Iterator[RowFinding]:
    """Find headings that are not read, though a column may be meant by them."""
    for part in rows.parts:
        place = f"{part.raw.sheet}!heading" if part.raw.sheet else "heading"
        known = part.schema.headings()
        absent = [
            column
            for column in part.schema.columns
            if not (column.required or column.personal or column.name in part.read)
        ]
        for heading in part.unread:
            if meant := known.get(heading_key(heading)):
                given = part.read.get(meant[0].name)
                column: Column | None = meant[0] if given or meant[0].fixed else None
                follows = (
                    Message(
                        "it is not read: {name} is read from '{read}'",
                        name=meant[0].name,
                        read=given,
                    )
                    if given
                    else Message("it is not read: the mapping fixes {name}", name=meant[0].name)
                )
            elif column := _nearest(heading, absent):
                without = [SEMICOLON, of_form(column.without)] if column.without else []
                follows = Message(
                    "it is not read, and no heading is {name}{without}; if it means that, rename "
                    "it or map it",
                    name=column.name,
                    without=joined("", without),
                )
            if column:
                yield _finding(
                    rows, part, place, "L-unread", column.name, quoted_heading(heading), follows
                )


def _nearest(heading: str, columns: Collection[Column]) -> Column | None:
    """The column whose name is nearest to a heading, else one whose signs the heading has."""
    key = loose(heading)
    ratios = {
        difflib.SequenceMatcher(None, key, loose(name)).ratio(): column
        for column in columns
        for name in (column.name, *column.aliases)
    }
    best = max(ratios, default=0.0)
    if best >= _NEAR:
        return ratios[best]
    return next((c for c in columns if any(sign in heading for sign in c.signs)), None)


def misspelt_headings(rows: Rows) -> Iterator[RowFinding]:
    """Find headings of a mapping that no file has, though one that is not read is nearly so."""
    for mapping in [m for number, m in enumerate(rows.mappings) if m not in rows.mappings[:number]]:
        parts = [part for part in rows.parts if part.mapping == mapping]
        read = {name for part in parts for name in part.read}
        unread = {loose(title): title for part in parts for title in part.unread}
        for heading, name in (mapping.columns | {kept: kept for kept in mapping.keep}).items():
            near = difflib.get_close_matches(loose(heading), unread, n=1, cutoff=_NEAR)
            if near and name not in read:
                expected = Message(
                    "a heading; the mapping names it, and what stands there is {stands}",
                    stands=quoted_heading(unread[near[0]]),
                )
                yield _finding(rows, parts[0], "heading", "L-mapping", name, heading, expected)


def _finding(
    rows: Rows, part: Part, place: str, rule: str, column: str, found: str, expected: str
) -> RowFinding:
    violation = Violation(rows.key, part.raw.path, place, rule, "warn", column, found, expected)
    return RowFinding(None, violation)


def stated_in_unread(rows: Rows, typed: Mapping[str, Any]) -> Iterator[RowFinding]:
    """Find records whose day is empty, while a column that is not read affirms it: 是否延期."""
    for column in [column for column in rows.schema.columns if column.signs]:
        empty = np.asarray(pd.isna(typed[column.name]))
        for start, part in rows.each():
            for heading in part.unread:
                if heading not in part.raw.columns or not any(s in heading for s in column.signs):
                    continue
                expected = Message(
                    "'{heading}' says so, and there is no day; {without}",
                    heading=quoted_heading(heading),
                    without=of_form(column.without or ""),
                )
                affirmed = _affirmed(part.raw.columns[heading])
                missing = empty[start : start + len(affirmed)] & affirmed
                for row in np.flatnonzero(missing).tolist():
                    yield rows.finding(
                        start + row, "L-unread", "warn", column.name, expected, found=""
                    )


def refuse_other_units(part: Part) -> None:
    """Refuse amounts of which a column that is not read says another unit: 单位 with 万元.

    Raises
    ------
    InputError
        ``ledger-unit``
    """
    amounts = [part.headings[name] for name in part.read if _is_amount(part, name)]
    beside = [one for one in part.unread if one in part.raw.columns and _UNITS.search(one)]
    for (title, factor), heading in product(amounts, beside):
        cells = part.raw.columns[heading]
        for cell in filter(None, pc.unique(cells).to_pylist()):
            unit = clean(cell).removeprefix("人民币")
            if _UNIT.fullmatch(unit) and units().get(unit) != factor:
                row = pc.index(cells, cell).as_py()
                raise InputError(
                    "ledger-unit",
                    "{file}:{place} says {unit} below '{heading}', and the heading '{title}' "
                    "another unit; write all amounts in the unit of their heading",
                    place=part.raw.place(int(part.raw.lines[row])),
                    unit=unit,
                    heading=quoted_heading(heading),
                    title=title,
                    file=part.raw.path,
                )


def _is_amount(part: Part, name: str) -> bool:
    return any(column.name == name and column.type == "amount" for column in part.schema.columns)


def doubted_in_unread(rows: Rows, aside: npt.NDArray[np.bool_]) -> Iterator[RowFinding]:
    """Find records that a column not read calls none, or several: 备注 with 作废, 件数 3."""
    void = Message("it says that the record is void or does not count; it is counted")
    several = Message("it says that there are several; the row counts as one")
    doubts = ((_NOTE, _VOID, void), (_COUNT, _SEVERAL, several))
    for (start, part), (headings, pattern, expected) in product(rows.each(), doubts):
        for heading in filter(headings.search, part.unread):
            if heading not in part.raw.columns:
                continue
            cells = part.raw.columns[heading].cast(pa.large_string())
            doubted = pc.match_substring_regex(cells, pattern).fill_null(False).to_numpy()
            for row in np.flatnonzero(np.asarray(doubted, bool)).tolist():
                if not aside[start + row]:
                    name = quoted_heading(heading)
                    yield rows.finding(start + row, "L-odd", "warn", name, expected, found="")


def _affirmed(cells: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Return a mask of the cells that say something other than 否 or nothing."""
    no = {loose(word) for word in table()["flag"]["false"]}

    def affirmation(text: str | None) -> str | None:
        text = clean(text or "")
        return None if is_nothing(text) or text[0] in "否不未无没" or loose(text) in no else text

    return np.asarray(replaced(cells, affirmation).is_valid().to_numpy(), bool)
