"""Headings that a ledger does not read, though they may say something that it should."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from reportkit.language import Message
from reportkit.language.message import of_form
from reportkit.ledgers.columns import replaced
from reportkit.ledgers.normal import clean, is_nothing, loose, table
from reportkit.ledgers.quoting import quoted_heading
from reportkit.ledgers.records import Violation
from reportkit.ledgers.rows import RowFinding, Rows
from reportkit.ledgers.unread import misspelt, near_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt

    Mask = npt.NDArray[np.bool_]

_NOTE = re.compile("备\\s*注|附注|说明|状态")
# Of a record that was made in error or taken back, and not of what it is about.
_AWAY = "作废|废号|[空缺跳]号|误[登录填]|重复(?:登记|录入|填报)|不(?:计入|计数|予?统计)"


def near_headings(rows: Rows) -> Iterator[RowFinding]:
    """Find headings that are not read, though a column may be meant by them."""
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
            yield RowFinding(None, violation)


def said_elsewhere(rows: Rows, typed: Mapping[str, Any]) -> Iterator[RowFinding]:
    """Find records of which a column that is not read says what an empty one does not: 是否延期."""
    for column in [one for one in rows.schema.columns if one.signs]:
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
                said = _affirmed(part.raw.columns[heading])
                there = empty[start : start + len(said)] & said
                for row in np.flatnonzero(there).tolist():
                    yield rows.tell(
                        start + row, "L-unread", "warn", column.name, expected, found=""
                    )


def noted_away(rows: Rows, aside: Mask) -> Iterator[RowFinding]:
    """Find records of which a note says that they are none: 备注 with 作废."""
    for start, part in rows.each():
        for heading in part.unread:
            if heading not in part.raw.columns or not _NOTE.search(heading):
                continue
            cells = part.raw.columns[heading].cast(pa.large_string())
            said = pc.match_substring_regex(cells, _AWAY).fill_null(False).to_numpy()
            for row in np.flatnonzero(np.asarray(said, bool)).tolist():
                if not aside[start + row]:
                    expected = Message(
                        "'{heading}' says that it is void or does not count; it is counted",
                        heading=quoted_heading(heading),
                    )
                    yield rows.tell(start + row, "L-odd", "warn", "", expected, found="")


def _affirmed(cells: pa.ChunkedArray) -> Mask:
    """Return a mask of the cells that say something other than 否 or nothing."""
    no = {loose(one) for one in table()["flag"]["false"]}

    def yes(text: str | None) -> str | None:
        text = clean(text or "")
        return None if is_nothing(text) or text[0] in "否不未无没" or loose(text) in no else text

    return np.asarray(replaced(cells, yes).is_valid().to_numpy(), bool)


def misspelt_headings(rows: Rows) -> Iterator[RowFinding]:
    """Find headings of a mapping that no file has, though one is nearly so."""
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
            yield RowFinding(None, violation)
