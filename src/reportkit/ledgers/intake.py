"""From raw tables to typed records: each row is accepted, quarantined, rejected or set aside.

Rows are numbered from 0 through all files of a ledger in the order of their names, so that a row
number means the same record in the frame, in the evidence and in the row map.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from reportkit.errors import InputError
from reportkit.ledgers.database import read_database
from reportkit.ledgers.readers import SUFFIXES, RawTable, holds, matches, read_file
from reportkit.ledgers.schema import Column, LedgerSchema, RowRule, map_headings, schema_of
from reportkit.ledgers.values import Parser, clean, clean_texts, parser_for
from reportkit.privacy import SUSPECT, Pseudonyms, hide
from reportkit.sources import DatabaseSource
from reportkit.worktime import WorkCalendar, limits, work_calendar

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

_UNREADABLE = (".xls", ".xlsm", ".xlsb", ".et", ".ods", ".tsv", ".txt", ".doc", ".docx")
_SUMS = {"合计", "小计", "总计", "共计", "累计"}
# What these rules find cannot be read; what others find is read, and wrong.
_UNREAD = {"L-value", "L-empty", "L-key"}
# Hash tables of so many texts at once; by so many letters at most.
_LOOKED_AT_ONCE, _LETTERS = 2_000_000, 64
# More rejected records than this share and the ledger is refused whole.
_REJECTED_LIMIT = 0.01


@dataclass(frozen=True)
class Source:
    """One file or sheet that was read."""

    path: str
    sha256: str
    bytes: int
    format: str
    encoding: str | None
    sheet: str | None
    rows: int
    headings: dict[str, str]
    """Column name in the ledger, and the heading it stands under in this file."""


@dataclass(frozen=True)
class Violation:
    """A record, or a cell of it, that breaks a rule."""

    ledger: str
    file: str
    place: str
    rule: str
    severity: str
    column: str
    found: str
    expected: str

    def text(self) -> str:
        """One line for people."""
        what = f" reads '{self.found}'" if self.found else ""
        return f"{self.file}:{self.place}: {self.column}{what}: {self.expected} [{self.rule}]"


@dataclass(frozen=True)
class Ledger:
    """A ledger as read: typed records, the row map, and what was not accepted.

    Parameters
    ----------
    key : str
        ``applications`` …
    schema : LedgerSchema
    frame : pandas.DataFrame
        Accepted records; the index is the row number, the columns are those of the schema but
        the personal ones, and then the derived ones.
    sources : tuple of Source
    source_of, line_of : numpy arrays, one entry per row read
        Row map: index into *sources*, and line (csv, parquet) or sheet row (xlsx).
    quarantined, rejected, set_aside : int
        Records with a cell that cannot be read, records that break a rule, and sum rows; rows
        read = accepted + quarantined + rejected + set aside.
    violations : tuple of Violation
    personal : frozenset of str
        What stood in the personal columns, for the search before anything is published.
    """

    key: str
    schema: LedgerSchema
    frame: pd.DataFrame
    sources: tuple[Source, ...]
    source_of: npt.NDArray[np.int16]
    line_of: npt.NDArray[np.int32]
    quarantined: int = 0
    rejected: int = 0
    set_aside: int = 0
    violations: tuple[Violation, ...] = ()
    refused: tuple[dict[str, Any], ...] = ()
    """Records not accepted, as they stand but for persons: row, file, place, cells."""
    personal: frozenset[str] = field(default=frozenset(), repr=False)

    def __post_init__(self) -> None:
        accounted = len(self.frame) + self.quarantined + self.rejected + self.set_aside
        if accounted != self.read:
            message = f"{self.read} rows were read, {accounted} are accounted for"
            raise AssertionError(message)

    @property
    def read(self) -> int:
        """Rows read from all files."""
        return len(self.line_of)

    def place(self, row: int) -> tuple[str, str]:
        """File and line (or ``sheet!row``) of a row."""
        source = self.sources[self.source_of[row]]
        line = int(self.line_of[row])
        return source.path, f"{source.sheet}!{line}" if source.sheet else str(line)


def find_files(folder: Path, key: str) -> list[Path]:
    """Files of a ledger in a district's folder: those named with its key or its Chinese name.

    Raises
    ------
    InputError
        ``ledger-format``: a file is named like the ledger but is of a kind that is not read.
    """
    if not folder.is_dir():
        return []
    names = (key, schema_of(key).name)
    found = []
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if not path.name.startswith(names) or not path.is_file():
            continue
        if path.suffix.lower() in SUFFIXES:
            found.append(path)
        elif path.suffix.lower() in _UNREADABLE:
            message = f"{path} is named like the ledger {names[1]}, but only {', '.join(SUFFIXES)} "
            raise InputError(
                "ledger-format", message + "are read; save it as .xlsx", file=str(path)
            )
    return found


def read_ledger(
    key: str,
    sources: Sequence[Path | DatabaseSource],
    *,
    root: Path | None = None,
    data: Path | None = None,
    calendar: WorkCalendar | None = None,
    pseudonyms: Pseudonyms | None = None,
) -> Ledger:
    """Read, type and check all files and database tables of one ledger.

    Parameters
    ----------
    key : str
        The ledger.
    sources : sequence of Path or DatabaseSource
        Its files and tables; at least one.
    root : Path, optional
        Paths are shown relative to this folder.
    data : Path, optional
        Files of SQLite and DuckDB are found from this folder on.
    calendar : WorkCalendar, optional
        Working days for limits; those that the package knows by default.
    pseudonyms : Pseudonyms, optional
        For personal columns that are kept; of a key for this session by default.

    Returns
    -------
    Ledger

    Raises
    ------
    InputError
        A file cannot be read, a required column is missing, or more than one record in a hundred
        is rejected; all places are told at once.
    """
    schema = schema_of(key)
    tables: list[RawTable] = []
    for source in sources:
        if isinstance(source, DatabaseSource):
            tables.append(read_database(source, schema, key=key, data=data or Path()))
        else:
            tables += read_file(source, schema, name=_shown(source, root))
    maps = [map_headings(list(table.columns), schema, table.path, key) for table in tables]
    rows = sum(len(table.lines) for table in tables)
    state = _Reading(key, schema, tables, rows, calendar or work_calendar())
    state.set_aside_sums()
    state.hear_readers()
    for column in schema.columns:
        if not column.personal:
            state.add(column, maps)
    state.check_key()
    for rule in schema.rules:
        state.check(rule)
    state.protect(maps, pseudonyms or Pseudonyms.of_this_session())
    ledger = state.ledger(maps)
    refused = ledger.quarantined + ledger.rejected
    if refused > _REJECTED_LIMIT * ledger.read:
        told = "\n".join(v.text() for v in ledger.violations if v.severity == "reject")
        message = (
            f"{refused} of {ledger.read} records of {schema.name} are rejected, more than "
            f"{_REJECTED_LIMIT:.0%}; mend them and run again:\n{told}"
        )
        raise InputError("ledger-rejected", message, ledger=key)
    return ledger


def _shown(path: Path, root: Path | None) -> str:
    if root is not None and path.is_relative_to(root):
        path = path.relative_to(root)
    return path.as_posix()


class _Reading:
    """The state of one ledger while its columns are typed and its rows judged."""

    def __init__(
        self, key: str, schema: LedgerSchema, tables: Sequence[RawTable], rows: int,
        calendar: WorkCalendar,
    ) -> None:  # fmt: skip
        self.calendar = calendar
        self.key, self.schema, self.tables, self.rows = key, schema, tables, rows
        sizes = [len(table.lines) for table in tables]
        self.source_of = np.repeat(np.arange(len(tables), dtype=np.int16), sizes)
        self.line_of = np.concatenate([t.lines for t in tables] or [np.empty(0, np.int32)])
        self.good = np.ones(rows, dtype=bool)
        self.sums = np.zeros(rows, dtype=bool)
        self.unread = np.zeros(rows, dtype=bool)
        self.violations: list[Violation] = []
        self.typed: dict[str, Any] = {}
        self.raw: dict[str, pa.ChunkedArray] = {}
        self.personal: set[str] = set()

    def add(self, column: Column, maps: Sequence[dict[str, tuple[str, int]]]) -> None:
        """Type one column; each different text is parsed once."""
        chunks: list[pa.ChunkedArray] = []
        parsers: list[Parser] = []
        for table, mapped in zip(self.tables, maps, strict=True):
            heading, factor = mapped.get(column.name, ("", 1))
            absent = pa.chunked_array([pa.nulls(len(table.lines), pa.string())])
            chunks.append(table.columns[heading] if heading else absent)
            parsers.append(parser_for(column, factor=factor, epoch=table.epoch))
        raw = _joined(chunks)
        units = {(maps[i].get(column.name, ("", 1))[1], t.epoch) for i, t in enumerate(self.tables)}
        if len(units) > 1:
            # Files count amounts in different units, or days from different years.
            values, bad = _parse_each(column, chunks, parsers)
        else:
            values, bad = _parse(column, raw, parsers[0])
        self.raw[column.name] = raw
        self.typed[column.name] = values
        for row, reason in bad.items():
            severity = "reject" if column.required else "warn"
            self._tell(row, "L-value", severity, column.name, reason)
        if column.required and not column.blank and column is not self.schema.columns[0]:
            empty = pd.isna(values)
            for row in np.flatnonzero(np.asarray(empty)).tolist():
                if row not in bad:
                    self._tell(row, "L-empty", "reject", column.name, "must not be empty")

    def set_aside_sums(self) -> None:
        """合计 rows, whatever column says so, are told and never counted."""
        words = pa.array(sorted(_SUMS), pa.string())
        start = 0
        for table in self.tables:
            end = start + len(table.lines)
            for heading, raw in table.columns.items():
                if not holds(raw, "计".encode()):
                    continue
                found = matches(raw, words)
                for row in (start + np.flatnonzero(found)).tolist():
                    if not self.sums[row]:
                        file, place = self._place(row)
                        self.violations.append(
                            Violation(
                                self.key, file, place, "L-sum", "warn", heading, "合计",
                                "a sum row is set aside, not counted",
                            )
                        )  # fmt: skip
                        self.sums[row] = True
            start = end

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
                        hide(note.found)[:60], note.expected,
                    )
                )  # fmt: skip
            start += len(table.lines)

    def check_key(self) -> None:
        """The key is there, and unique; of a repeated record the first one counts."""
        name = self.schema.key_column
        cells = pa.array(self.typed[name], from_pandas=True)
        if not cells.null_count and _all_differ(cells):
            return
        keys = pd.Series(self.typed[name], dtype="str")
        for row in np.flatnonzero(keys.isna().to_numpy()).tolist():
            self._tell(row, "L-key", "reject", name, "a record needs its key")
        repeated = keys.duplicated().to_numpy() & keys.notna().to_numpy()
        if repeated.any():
            first = {key: i for i, key in reversed(list(enumerate(keys)))}
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
        kept = [column for column in self.schema.columns if column.pseudonym]
        own: dict[str, list[str | None]] = {}
        # A ledger of persons: all that stands in its personal columns must appear nowhere.
        for column in self.schema.columns if kept else ():
            if column.personal:
                own[column.name] = values = self._texts(column, maps)
                self.personal |= {value for value in values if value}
                if column.pseudonym:
                    names = [name(column.name, value) if value else None for value in values]
                    self.typed[column.name] = pd.array(names, dtype="str")
        for column in self.schema.columns:
            if not column.free_text:
                continue
            texts = pd.Series(self.typed[column.name])
            suspect = texts.str.contains(SUSPECT, regex=True, na=False).to_numpy(dtype=bool)
            cells = texts.tolist()
            for row in range(self.rows) if own else np.flatnonzero(suspect).tolist():
                text = cells[row]
                if not isinstance(text, str):
                    continue
                hidden = hide(text) if suspect[row] else text
                for other, values in own.items():
                    value = values[row] or ""
                    if len(value) > 1:
                        hidden = hidden.replace(value, f"〔{other}〕")
                if hidden != text:
                    texts.iloc[row] = hidden
            self.typed[column.name] = texts.array

    def _texts(
        self, column: Column, maps: Sequence[dict[str, tuple[str, int]]]
    ) -> list[str | None]:
        """Cells of a column as they stand, empty ones None."""
        found: list[str | None] = []
        for table, mapped in zip(self.tables, maps, strict=True):
            if column.name in mapped:
                cells = table.columns[mapped[column.name][0]].cast(pa.string()).to_pylist()
                found += [clean(cell) or None if cell else None for cell in cells]
            else:
                found += [None] * len(table.lines)
        return found

    def derive(self, frame: pd.DataFrame) -> None:
        """Add the derived columns of the schema to accepted records."""
        if not self.schema.derived:
            return
        names = {column.key: column.name for column in self.schema.columns}
        days = {
            column.key: frame[column.name].to_numpy(dtype="datetime64[D]")
            for column in self.schema.columns
            if column.type == "date"
        }
        extension = frame[names["extension_days"]].to_numpy(dtype=float, na_value=np.nan)
        made = limits(days, extension, self.calendar)
        for column in self.schema.derived:
            values = np.ma.asarray(getattr(made, column.key))
            mask = np.ma.getmaskarray(values)
            if column.type == "date":
                frame[column.name] = pd.array(values.data.astype("datetime64[s]"))
            elif column.type == "integer":
                frame[column.name] = pd.arrays.IntegerArray(values.data, mask)
            else:
                frame[column.name] = pd.arrays.BooleanArray(values.data, mask)

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
            personal=frozenset(self.personal),
        )  # fmt: skip

    def _as_it_stands(self, row: int) -> dict[str, Any]:
        file, place = self._place(row)
        cells = {name: hide(raw[row].as_py() or "") for name, raw in self.raw.items()}
        return {"ledger": self.key, "row": row, "file": file, "place": place, "cells": cells}

    def _place(self, row: int) -> tuple[str, str]:
        table = self.tables[self.source_of[row]]
        return table.path, table.place(int(self.line_of[row]))

    def _tell(self, row: int, rule: str, severity: str, column: str, expected: str) -> None:
        if self.sums[row]:
            return
        if severity == "reject":
            self.good[row] = False
            self.unread[row] |= rule in _UNREAD
        names = [name for name in column.split("、") if name in self.raw]
        found = hide("、".join(str(self.raw[name][row].as_py() or "") for name in names))[:60]
        file, place = self._place(row)
        self.violations.append(
            Violation(self.key, file, place, rule, severity, column, found, expected)
        )


def _all_differ(cells: pa.ChunkedArray) -> bool:
    """Whether no text is there twice; a long column is looked at by the last letters of texts."""
    if len(cells) > _LOOKED_AT_ONCE:
        last = pc.utf8_slice_codeunits(cells, start=-1, stop=2**31)
        letters = pc.unique(last)
        if len(letters) <= _LETTERS:
            return all(
                len(pc.unique(part)) == len(part)
                for part in (cells.filter(pc.equal(last, letter)) for letter in letters)
            )
    return bool(len(pc.unique(cells)) == len(cells))


def _joined(columns: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    kinds = {column.type for column in columns}
    if len(kinds) > 1:
        columns = [column.cast(pa.string()) for column in columns]
    return pa.chunked_array([c for column in columns for c in column.chunks], columns[0].type)


def _parse_each(
    column: Column, chunks: Sequence[pa.ChunkedArray], parsers: Sequence[Parser]
) -> tuple[Any, dict[int, str]]:
    values: list[Any] = []
    bad: dict[int, str] = {}
    start = 0
    for chunk, parse in zip(chunks, parsers, strict=True):
        part, wrong = _parse(column, chunk, parse)
        values.append(part)
        bad |= {start + row: reason for row, reason in wrong.items()}
        start += len(chunk)
    joined = pd.concat([pd.Series(part) for part in values], ignore_index=True)
    return joined.array, bad


def _parse(column: Column, raw: pa.ChunkedArray, parse: Parser) -> tuple[Any, dict[int, str]]:
    """Typed values of a column, and the reason for each row that cannot be read."""
    if column.type == "text":
        return pd.StringDtype(na_value=np.nan).__from_arrow__(clean_texts(raw)), {}
    if not pa.types.is_dictionary(raw.type):
        raw = raw.dictionary_encode()
    encoded = raw.unify_dictionaries().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0)
    texts = encoded.dictionary.to_pylist()
    codes = encoded.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)
    parsed: list[Any] = []
    reasons: dict[int, str] = {}
    for code, text in enumerate(texts):
        try:
            parsed.append(parse(text))
        except (ValueError, ArithmeticError) as error:
            parsed.append(None)
            reasons[code] = str(error)
    parsed.append(None)
    if column.default is not None:
        parsed = [column.default if value is None else value for value in parsed]
    bad: dict[int, str] = {}
    if reasons:
        wrong = np.isin(codes, list(reasons))
        bad = {int(row): reasons[int(codes[row])] for row in np.flatnonzero(wrong)}
    return _take(column, parsed, codes), bad


def _take(column: Column, parsed: list[Any], codes: npt.NDArray[Any]) -> Any:
    if column.type == "date":
        days = np.array([value or "NaT" for value in parsed], dtype="datetime64[s]")
        return pd.array(days[codes])
    if column.type == "category":
        names = column.categories()
        if column.open:
            names = tuple(dict.fromkeys([*names, *(v for v in parsed if v is not None)]))
        index = {name: i for i, name in enumerate(names)}
        positions = np.array([-1 if v is None else index[v] for v in parsed], dtype=np.int16)
        return pd.Categorical.from_codes(positions[codes], categories=pd.Index(names, dtype="str"))
    if column.type == "amount":
        exact = pa.array(parsed, pa.decimal128(38, 6))
        return pd.array(exact.take(pa.array(codes)), dtype=pd.ArrowDtype(exact.type))
    dtype = {"integer": "Int64", "flag": "boolean"}[column.type]
    return pd.array(parsed, dtype=dtype).take(codes)
