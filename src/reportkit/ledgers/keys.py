"""Keys of records: each stands once, and none is a day, a sum, or another spelt in another way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from reportkit.language import Message
from reportkit.ledgers.normal import clean, is_nothing, like_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt

    from reportkit.ledgers.rows import RowFinding, Rows

    Mask = npt.NDArray[np.bool_]

# 3-1 as a spreadsheet writes it into a text file, when it has made a day or a time of it.
_DAY_KEY = (
    r"^\s*(?:\d{1,2}月\d{1,2}日|\d{4}[-/年]\d{1,2}[-/月]\d{1,2}日?(?: 0?0:00(?::00)?)?"
    r"|\d{1,2}-[A-Z][a-z]{2}|[A-Z][a-z]{2}-\d{2}|\d{1,2}:\d{2}(?::\d{2})?)\s*$"
)
# A key that no record should have: 3月合计, 示例-1号, 测试, XX〔2020〕X号, ***, 12号（作废).
_ODD_KEY = (
    r"(?i)[合小总共累]\s*计|汇总|^(?:sub)?total|^sum\b|[样例]|模板|测试|^test|说明"
    r"|[×＊*]|某|(?:^|[^A-Za-z])x{2,}(?:$|[^A-Za-z])|…|作废|废号|[空缺跳]号|误[登录填]|不计"
    # Several numbers in one: 7号、8号; 7号至9号.
    r"|\d号?\s*(?:[、；;\n]|[至到~～]\D{0,12}\d)"
)
_FEW = 20
# No spelling of nothing is longer, in bytes.
_SHORT = 9


def unique_keys(rows: Rows, typed: Mapping[str, Any], aside: Mask) -> tuple[Any, list[RowFinding]]:
    """Return the key and what is wrong with it; of a repeated record the first one counts."""
    name = rows.schema.key_column
    values, findings = _prefixed(rows, typed)
    cells = pa.table({name: values})[name]
    short = pc.less_equal(pc.binary_length(cells), _SHORT)
    if (
        not cells.null_count
        and not pc.any(short).as_py()
        and pc.count_distinct(cells).as_py() == len(cells)
    ):
        return values, findings
    keys = pd.Series(values, dtype="str")
    keys = keys.mask([is_nothing(key) for key in keys.fillna("")])
    findings += [
        rows.finding(row, "L-key", "reject", name, Message("a record needs its key"))
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
            findings.append(rows.finding(row, "L-unique", "reject", name, expected))
    return values, findings


def _prefixed(rows: Rows, typed: Mapping[str, Any]) -> tuple[Any, list[RowFinding]]:
    """Keys with what a mapping puts before numbers that begin anew each year."""
    name = rows.schema.key_column
    if not any(part.schema.prefix for part in rows.parts):
        return typed[name], []
    keys: list[str | None] = pd.Series(typed[name], dtype=object).tolist()
    days = pd.Series(typed[rows.schema.day_column.name])
    findings = []
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
                findings.append(rows.finding(row, "L-key", "reject", str(prefix), expected))
    return pd.array(keys, dtype=pd.StringDtype(na_value=np.nan)), findings


def odd_keys(rows: Rows, aside: Mask) -> Iterator[RowFinding]:
    """Find keys that read like a day or a time, or like no record's."""
    name = rows.schema.key_column
    cells = rows.raw[name].cast(pa.large_string())

    def matched(pattern: str) -> list[int]:
        like = pc.match_substring_regex(cells, pattern).fill_null(False).to_numpy()
        return np.flatnonzero(np.asarray(like, bool) & ~aside).tolist()

    # In a workbook a day is one by its format, which its reader has noted.
    for row in matched(_DAY_KEY):
        if rows.parts[rows.source_of[row]].raw.sheet is None:
            expected = Message("a key; a spreadsheet makes a day or a time of one such as 3-1")
            yield rows.finding(row, "L-day", "warn", name, expected)
    odd = matched(_ODD_KEY)
    # Where most keys are like that, or all of few, they are meant.
    meant = len(odd) > max(_FEW, len(rows) // 2) or len(odd) == len(rows)
    for row in odd if not meant else ():
        expected = Message(
            "a key; it reads like a sum, an example, a note or several keys, and is counted as one "
            "record"
        )
        yield rows.finding(row, "L-odd", "warn", name, expected)


def keys_alike(rows: Rows, values: Any, aside: Mask) -> Iterator[RowFinding]:
    """Find keys that differ by width, brackets, blanks or zeros only: one record, maybe."""
    name = rows.schema.key_column
    cells = pa.table({name: values})[name].cast(pa.large_string()).combine_chunks()
    alike = like_keys(cells)
    if pc.count_distinct(alike).as_py() == len(alike) - alike.null_count:
        return
    table = pd.DataFrame({"key": cells.to_pandas(), "alike": alike.to_pandas()})
    table = table[table["key"].notna() & ~aside].drop_duplicates("key")
    # Of the keys that are alike the first one stands for all: the others name its place.
    first = table.drop_duplicates("alike").reset_index().set_index("alike")
    for row, key, spelling in table[table.duplicated("alike")].itertuples():
        other = first.loc[spelling]
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
        yield rows.finding(int(row), "L-like-key", "warn", name, expected, found=own)
