"""One ledger while it is read: columns typed, rows judged, persons hidden, all accounted for."""

from __future__ import annotations

import re
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from reportkit.ledgers.columns import (
    all_differ,
    joined,
    pandas_text,
    parse_column,
    parse_each,
    replaced,
)
from reportkit.ledgers.quoting import Quoting, quoted_heading, taken_out
from reportkit.ledgers.readers import RawTable, holds, in_order, sums
from reportkit.ledgers.records import Ledger, Source, Violation
from reportkit.ledgers.schema import categories
from reportkit.ledgers.values import NOTHING, Parser, clean_texts, parser_for
from reportkit.persons import SUSPECT, hide, without_persons
from reportkit.worktime import WorkCalendar, limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from reportkit.ledgers.privacy import Pseudonyms
    from reportkit.ledgers.schema import Column, LedgerSchema, RowRule

# At the end of a table, 填表人：… 审核人：… 说明：…, each cell of the row one of these.
_SIGNED = (
    r"(?:填[表报]|制表|审核|审批|复核|经办|(?:单位)?负责|统计|联系)(?:人|日期|单位|电话)"
    r"(?:[（(]?签[字章名][）)]?)?\s*"
)
_FOOTER = re.compile(rf"{_SIGNED}[：:]|(?:备注|说明|注)\s*[：:]|以下(?:空白|无正文)")
# A label whose value is in the next cell.
_LABEL = re.compile(rf"{_SIGNED}[：:]?")
_HINTS = {"必填", "选填", "必填项", "选填项"}
# 2.02103E+11, as a spreadsheet shows a long number and writes it into csv.
_SHOWN_SHORT = r"^\s*[0-9](?:\.[0-9]+)?E\+[0-9]+\s*$"
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
_FOOTERS = 10
_LARGE = 200_000
# Rows of which more is in memory at once than what is kept.
_STEP = 2_000
# What these rules find cannot be read; what others find is read, and wrong.
_UNREAD = {"L-value", "L-empty", "L-key"}


class Reading:
    """The state of one ledger while its columns are typed and its rows judged."""

    def __init__(
        self, key: str, schema: LedgerSchema, tables: Sequence[RawTable], rows: int,
        calendar: WorkCalendar,
    ) -> None:  # fmt: skip
        self.calendar = calendar
        self.key, self.schema, self.tables, self.rows = key, schema, tables, rows
        sizes = [len(table.lines) for table in tables]
        self.source_of = np.repeat(np.arange(len(tables), dtype=np.int16), sizes)
        lines = [table.lines for table in tables] or [np.empty(0, np.int32)]
        self.line_of = lines[0] if len(lines) == 1 else np.concatenate(lines)
        self.good = np.ones(rows, dtype=bool)
        self.sums = np.zeros(rows, dtype=bool)
        self.unread = np.zeros(rows, dtype=bool)
        self.violations: list[Violation] = []
        self.typed: dict[str, Any] = {}
        self.raw: dict[str, pa.ChunkedArray] = {}
        self.persons: dict[str, pa.ChunkedArray] = {}
        self.personal = pa.chunked_array([], pa.large_string())
        self.quoting = {
            column.name: Quoting(column, key=column is schema.columns[0])
            for column in schema.columns
        }

    def know_persons(self, maps: Sequence[dict[str, tuple[str, int]]]) -> None:
        """Keep what stands in the columns of persons: no message may repeat it."""
        for column in self.schema.columns:
            if column.personal:
                self.persons[column.name] = self._texts(column, maps)

    def add(self, columns: Sequence[Column], maps: Sequence[dict[str, tuple[str, int]]]) -> None:
        """Type columns and tell of cells that cannot be read."""
        parse = partial(self._parse, maps=maps)
        # Threads cost more than they bring where a ledger is small.
        parsed = (in_order if self.rows > _LARGE else map)(parse, columns)
        for column, (raw, values, bad) in zip(columns, parsed, strict=True):
            self.raw[column.name] = raw
            self.typed[column.name] = values
            self._judge(column, values, bad)

    def _parse(
        self, column: Column, maps: Sequence[dict[str, tuple[str, int]]]
    ) -> tuple[pa.ChunkedArray, Any, dict[int, str]]:
        """Cells of a column as they stand, typed, and why some cannot be read."""
        chunks: list[pa.ChunkedArray] = []
        parsers: list[Parser] = []
        for table, mapped in zip(self.tables, maps, strict=True):
            heading, factor = mapped.get(column.name, ("", 1))
            absent = pa.chunked_array([pa.nulls(len(table.lines), pa.string())])
            chunks.append(table.columns[heading] if heading else absent)
            parsers.append(parser_for(column, factor=factor, epoch=table.epoch))
        raw = joined(chunks)
        units = {(maps[i].get(column.name, ("", 1))[1], t.epoch) for i, t in enumerate(self.tables)}
        if len(units) > 1:
            # Files count amounts in different units, or days from different years.
            return raw, *parse_each(column, chunks, parsers)
        return raw, *parse_column(column, raw, parsers[0])

    def _judge(self, column: Column, values: Any, bad: dict[int, str]) -> None:
        if column is self.schema.columns[0]:
            for row in np.flatnonzero(_shown_short(self.raw[column.name])).tolist():
                expected = "all its digits; a spreadsheet wrote it short: format the column as text"
                self._tell(row, "L-rounded", "reject", column.name, expected)
        for row, reason in bad.items():
            severity = "reject" if column.required else "warn"
            self._tell(row, "L-value", severity, column.name, reason)
        if column.required and not column.blank and column is not self.schema.columns[0]:
            empty = pd.isna(values)
            for row in np.flatnonzero(np.asarray(empty)).tolist():
                if row not in bad:
                    self._tell(row, "L-empty", "reject", column.name, "must not be empty")

    def set_aside(self, maps: Sequence[dict[str, tuple[str, int]]]) -> None:
        """合计 rows, headings of further pages, empty numbered rows, and what is signed below.

        They are told, and never counted.
        """
        start = 0
        for table, mapped in zip(self.tables, maps, strict=True):
            rows = len(table.lines)
            self._set_aside_pages(start, table, mapped)
            for heading, raw in table.columns.items():
                for row in np.flatnonzero(sums(raw)).tolist():
                    expected = "a sum row is set aside, not counted"
                    self._set_aside(start + row, "L-sum", heading, raw[row].as_py(), expected)
            for row in range(max(0, rows - _FOOTERS), rows):
                filled = _filled(table, row, table.columns)
                if _is_footer([*filled.values()]):
                    expected = "what is signed or noted below a table is set aside, not counted"
                    self._set_aside(start + row, "L-footer", next(iter(filled)), "", expected)
            start += rows

    def _set_aside_pages(
        self, start: int, table: RawTable, mapped: dict[str, tuple[str, int]]
    ) -> None:
        """Where a page begins anew, says what to fill in, or is numbered and empty."""
        headings = [heading for heading, _ in mapped.values()]
        first = mapped[self.schema.key_column][0]
        keys = table.columns[first].cast(pa.large_string())
        # As short as a blank, or one of a few words; longer keys are not looked at.
        words = [first, *_HINTS]
        longest, lengths = max(len(word.encode()) for word in words), pc.binary_length(keys)
        if not keys.null_count and (pc.min(lengths).as_py() or 0) > longest:
            return
        lengths = pc.fill_null(lengths, 0).to_numpy()
        rows = np.flatnonzero(lengths <= longest)
        near = np.asarray(pc.is_in(keys.take(pa.array(rows)), value_set=pa.array(words, keys.type)))
        near |= lengths[rows] <= len("　".encode())
        empty = []
        for row in rows[near].tolist():
            filled = _filled(table, row, headings)
            same = [heading for heading, cell in filled.items() if cell == heading]
            if not filled and not self.sums[start + row]:
                empty.append(row)
            elif first in same and len(same) > 1:
                expected = "the heading once more; it is set aside"
                self._set_aside(start + row, "L-heading", first, "", expected)
            elif filled and _HINTS.issuperset(filled.values()):
                expected = "what to fill in; it is set aside"
                self._set_aside(start + row, "L-heading", first, filled.get(first, ""), expected)
        if empty:
            last = table.place(int(table.lines[empty[-1]]))
            expected = (
                f"{len(empty)} rows, the last at {last}, hold nothing in the ledger's columns; "
                "they are set aside"
            )
            self._tell(start + empty[0], "L-blank", "warn", "", expected, found="")
            self.sums[[start + row for row in empty]] = True

    def _set_aside(self, row: int, rule: str, column: str, found: str, expected: str) -> None:
        if not self.sums[row]:
            told = without_persons(found.strip(), _HINTS)
            self._tell(row, rule, "warn", quoted_heading(column), expected, found=told)
            self.sums[row] = True

    def hear_readers(self) -> None:
        """What the readers noted about files and records becomes violations."""
        start = 0
        for table in self.tables:
            for note in table.notes:
                if note.line is not None:
                    row = start + int(np.searchsorted(table.lines, note.line))
                    if self.sums[row]:
                        continue
                    self.good[row] &= note.severity != "reject"
                self.violations.append(
                    Violation(
                        self.key, table.path, note.place, note.rule, note.severity, note.column,
                        self._quoted(note.column, [note.found]), note.expected,
                    )
                )  # fmt: skip
            start += len(table.lines)

    def check_key(self) -> None:
        """The key is there, and unique; of a repeated record the first one counts."""
        name = self.schema.key_column
        cells = pa.table({name: self.typed[name]})[name]
        short = pc.less_equal(pc.binary_length(cells), max(len(one.encode()) for one in NOTHING))
        if not cells.null_count and not pc.any(short).as_py() and all_differ(cells):
            return
        void = pc.is_in(cells, value_set=pa.array(sorted(NOTHING), cells.type))
        keys = pd.Series(self.typed[name], dtype="str").mask(void.to_numpy())
        for row in np.flatnonzero(keys.isna().to_numpy()).tolist():
            self._tell(row, "L-key", "reject", name, "a record needs its key")
        repeated = keys.duplicated().to_numpy() & keys.notna().to_numpy()
        if repeated.any():
            again = keys.isin(keys[repeated])
            first = {key: row for row, key in reversed(list(keys[again].items()))}
            for row in np.flatnonzero(repeated).tolist():
                file, place = self._place(first[keys.iloc[row]])
                expected = f"unique; it stands at {file}:{place} already"
                self._tell(row, "L-unique", "reject", name, expected)

    def check(self, rule: RowRule) -> None:
        """One row rule of the schema."""
        cells = [pd.Series(self.typed[name]) for name in rule.columns]
        broken = np.zeros(self.rows, dtype=bool)
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
            known = self.calendar.covers(begin) & self.calendar.covers(end)
            broken = known & (self.calendar.count(begin, end) > rule.within[2])
        for row in np.flatnonzero(broken & self.good):
            self._tell(int(row), rule.id, rule.severity, "、".join(rule.columns), rule.message)

    def protect(self, maps: Sequence[dict[str, tuple[str, int]]], name: Pseudonyms) -> None:
        """Pseudonyms for personal columns that are kept; persons in free text are hidden."""
        own = self.persons
        sought: list[pa.ChunkedArray] = []
        headings = {heading for mapped in maps for heading, _ in mapped.values()}
        known = headings | _HINTS | _NOBODY | set(categories())
        titles = pa.array(sorted(known), pa.large_string())
        # All that stands in personal columns must appear nowhere.
        for column in self.schema.columns:
            if column.personal:
                texts = own[column.name]
                # Two characters of an address are a place, those of an applicant a name.
                # And 申请人, of the heading of a further page, is nobody.
                nobody = pc.is_in(texts, value_set=titles)
                nobody = pc.or_(
                    nobody, pc.match_substring_regex(texts, _NO_PERSON).fill_null(False)
                )
                if not column.pseudonym:
                    nobody = pc.or_(
                        nobody, pc.less_equal(pc.utf8_length(texts), 2).fill_null(False)
                    )
                # Seldom any: the column is not kept twice.
                found = pc.any(nobody).as_py()
                sought.append(texts.filter(pc.invert(nobody)) if found else texts)
                if short := int(_shown_short(texts).sum()):
                    expected = (
                        f"{short} numbers were written short by a spreadsheet (3.50203E+17): one "
                        "person may look like two, or two like one; format the column as text"
                    )
                    row = int(np.flatnonzero(_shown_short(texts))[0])
                    self._tell(row, "L-rounded", "warn", column.name, expected, found="")
                if column.pseudonym:
                    named = replaced(texts, partial(name, column.name))
                    self.typed[column.name] = pandas_text(named)
        self.personal = joined(sought) if sought else self.personal
        for column in self.schema.columns:
            if column.free_text:
                self.typed[column.name] = pandas_text(self._hidden(column, own))

    def _hidden(self, column: Column, own: dict[str, pa.ChunkedArray]) -> pa.ChunkedArray:
        """Free text without the persons that can be recognised in it, and its own record's."""
        cells = pa.table({column.name: self.typed[column.name]})[column.name]
        suspect = pc.match_substring_regex(cells, SUSPECT)
        marks = [f"〔{other}〕" for other in own]
        changed: dict[int, str] = {}
        for start in range(0, self.rows, _STEP):
            columns = [
                part.slice(start, _STEP).to_pylist() for part in (cells, suspect, *own.values())
            ]
            for row, (text, suspected, *values) in enumerate(zip(*columns, strict=True), start):
                if not text:
                    continue
                hidden = hide(text) if suspected else text
                for value, mark in zip(values, marks, strict=True):
                    if value and value in text and len(value) > 1:
                        hidden = hidden.replace(value, mark)
                if hidden != text:
                    changed[row] = hidden
        if not changed:
            return cells
        mask = np.zeros(self.rows, dtype=bool)
        mask[list(changed)] = True
        hidden_texts = pa.array(list(changed.values()), pa.large_string())
        return pc.replace_with_mask(cells.cast(pa.large_string()), pa.array(mask), hidden_texts)

    def _texts(self, column: Column, maps: Sequence[dict[str, tuple[str, int]]]) -> pa.ChunkedArray:
        """Cells of a column as they stand, empty ones null."""
        found = []
        for table, mapped in zip(self.tables, maps, strict=True):
            absent = pa.chunked_array([pa.nulls(len(table.lines), pa.string())])
            cells = table.columns[mapped[column.name][0]] if column.name in mapped else absent
            found.append(clean_texts(cells))
        return joined(found)

    def derive(self, frame: pd.DataFrame) -> None:
        """Add the derived columns of the schema to accepted records."""
        if not self.schema.derived:
            return
        names = {column.key: column.name for column in self.schema.columns}
        dates = [column for column in self.schema.columns if column.type == "date"]
        made = []
        for start in range(0, max(len(frame), 1), _STEP):
            part = frame.iloc[start : start + _STEP]
            days = {c.key: part[c.name].to_numpy(dtype="datetime64[D]") for c in dates}
            extension = part[names["extension_days"]].to_numpy(dtype=float, na_value=np.nan)
            made.append(limits(days, extension, self.calendar))
        for column in self.schema.derived:
            parts = [np.ma.asarray(getattr(part, column.key)) for part in made]
            values = np.concatenate([part.data for part in parts])
            mask = np.concatenate([np.ma.getmaskarray(part) for part in parts])
            if column.type == "date":
                frame[column.name] = pd.array(values.astype("datetime64[s]"))
            elif column.type == "integer":
                frame[column.name] = pd.arrays.IntegerArray(values, mask)
            else:
                frame[column.name] = pd.arrays.BooleanArray(values, mask)

    def ledger(self, maps: Sequence[dict[str, tuple[str, int]]]) -> Ledger:
        """The finished ledger; every row read is accounted for."""
        accepted = self.good & ~self.sums
        frame = pd.DataFrame(self.typed, index=pd.RangeIndex(self.rows, name="row"), copy=False)
        frame = frame if accepted.all() else frame[accepted]
        self.derive(frame)
        sources = tuple(
            Source(
                table.path, table.sha256, table.bytes, table.format, table.encoding, table.sheet,
                len(table.lines), {name: heading for name, (heading, _) in mapped.items()},
            )
            for table, mapped in zip(self.tables, maps, strict=True)
        )  # fmt: skip
        bad = ~self.good & ~self.sums
        return Ledger(
            self.key, self.schema, frame, sources, self.source_of, self.line_of,
            quarantined=int((bad & self.unread).sum()),
            rejected=int((bad & ~self.unread).sum()),
            set_aside=int(self.sums.sum()),
            violations=tuple(self.violations),
            refused=tuple(self._as_it_stands(row) for row in np.flatnonzero(bad).tolist()),
            personal=self.personal,
        )  # fmt: skip

    def _as_it_stands(self, row: int) -> dict[str, Any]:
        file, place = self._place(row)
        # Free text as protected: there the record's own applicant is hidden too.
        free = {column.name for column in self.schema.columns if column.free_text}
        cells = {
            name: str(self.typed[name][row]) if name in free else raw[row].as_py() or ""
            for name, raw in self.raw.items()
        }
        # Where columns are shifted by one, a name stands where nobody looks for one.
        persons = [known[row].as_py() or "" for known in self.persons.values()]
        for name, cell in cells.items():
            if name in free or not self.quoting[name].told:
                cells[name] = taken_out(without_persons(cell), persons)
            else:
                cells[name] = self.quoting[name](cell, persons)
        return {"ledger": self.key, "row": row, "file": file, "place": place, "cells": cells}

    def _place(self, row: int) -> tuple[str, str]:
        table = self.tables[self.source_of[row]]
        return table.path, table.place(int(self.line_of[row]))

    def _quoted(self, columns: str, cells: Sequence[str], row: int | None = None) -> str:
        """Cells as a message may repeat them; the persons of their record are taken out."""
        own = [] if row is None else [known[row].as_py() for known in self.persons.values()]
        persons = [person for person in own if person]
        told = (
            self.quoting[name](cell, persons)
            for name, cell in zip(columns.split("、"), cells, strict=False)
            if name in self.quoting
        )
        return "、".join(filter(None, told))

    def _tell(
        self, row: int, rule: str, severity: str, column: str, expected: str,
        *, found: str | None = None,
    ) -> None:  # fmt: skip
        if self.sums[row]:
            return
        if severity == "reject":
            self.good[row] = False
            self.unread[row] |= rule in _UNREAD
        if found is None:
            names = [name for name in column.split("、") if name in self.raw]
            cells = [self.raw[name][row].as_py() or "" for name in names]
            found = self._quoted("、".join(names), cells, row)
        file, place = self._place(row)
        self.violations.append(
            Violation(self.key, file, place, rule, severity, column, found, expected)
        )


def _filled(table: RawTable, row: int, headings: Iterable[str]) -> dict[str, str]:
    """What stands in these columns of a row, without white space around it."""
    cells = ((heading, table.columns[heading][row].as_py()) for heading in headings)
    return {heading: cell.strip() for heading, cell in cells if cell and cell.strip()}


def _is_footer(cells: Sequence[str]) -> bool:
    """Whether a row is signed or noted: each cell is, or is the value of the label before it."""
    labels = [False, *(bool(_LABEL.fullmatch(cell)) for cell in cells)]
    return bool(cells) and all(
        _FOOTER.match(cell) or own or before
        for cell, before, own in zip(cells, labels, labels[1:], strict=False)
    )


def _shown_short(cells: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Where a long number was written as a spreadsheet shows it, most of its digits lost."""
    if not holds(cells, b"E+"):
        return np.zeros(len(cells), bool)
    found = pc.match_substring_regex(cells, _SHOWN_SHORT).fill_null(False)
    return np.asarray(found.to_numpy(), bool)
