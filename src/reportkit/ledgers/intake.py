"""From raw tables to typed records: each row is accepted, rejected or set aside, and counted.

Rows are numbered from 0 through all files of a ledger in the order of their names, so that a row
number means the same record in the frame, in the evidence and in the row map.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from reportkit.errors import InputError
from reportkit.ledgers.readers import SUFFIXES, RawTable, read_file
from reportkit.ledgers.schema import Column, LedgerSchema, loose, schema_of
from reportkit.ledgers.values import parser_for

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

_UNREADABLE = (".xls", ".xlsm", ".xlsb", ".et", ".ods", ".tsv", ".txt", ".doc", ".docx")
_SUMS = {"合计", "小计", "总计", "共计", "累计"}
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
        the personal ones.
    sources : tuple of Source
    source_of, line_of : numpy arrays, one entry per row read
        Row map: index into *sources*, and line (csv, parquet) or sheet row (xlsx).
    rejected, set_aside : int
        Rows read = accepted + rejected + set aside.
    violations : tuple of Violation
    """

    key: str
    schema: LedgerSchema
    frame: pd.DataFrame
    sources: tuple[Source, ...]
    source_of: npt.NDArray[np.int16]
    line_of: npt.NDArray[np.int32]
    rejected: int = 0
    set_aside: int = 0
    violations: tuple[Violation, ...] = ()

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


def read_ledger(key: str, paths: Sequence[Path], *, root: Path | None = None) -> Ledger:
    """Read, type and check all files of one ledger.

    Parameters
    ----------
    key : str
        The ledger.
    paths : sequence of Path
        Its files; at least one.
    root : Path, optional
        Paths are shown relative to this folder.

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
    tables = [table for path in paths for table in read_file(path, schema, name=_shown(path, root))]
    maps = [_map_headings(table, schema, key) for table in tables]
    rows = sum(len(table.lines) for table in tables)
    state = _Reading(key, schema, tables, rows)
    state.set_aside_sums()
    for column in schema.columns:
        if not column.personal:
            state.add(column, maps)
    state.check_key()
    for rule in schema.rules:
        state.check(rule.id, rule.severity, rule.message, rule.order, rule.together)
    ledger = state.ledger(maps)
    if ledger.rejected > _REJECTED_LIMIT * ledger.read:
        told = "\n".join(v.text() for v in ledger.violations if v.severity == "reject")
        message = (
            f"{ledger.rejected} of {ledger.read} records of {schema.name} are rejected, more than "
            f"{_REJECTED_LIMIT:.0%}; mend them and run again:\n{told}"
        )
        raise InputError("ledger-rejected", message, ledger=key)
    return ledger


def _shown(path: Path, root: Path | None) -> str:
    if root is not None and path.is_relative_to(root):
        path = path.relative_to(root)
    return path.as_posix()


def _map_headings(table: RawTable, schema: LedgerSchema, key: str) -> dict[str, tuple[str, int]]:
    """Column name to the heading it stands under in this file, and the heading's unit factor."""
    wanted = schema.headings()
    mapped: dict[str, tuple[str, int]] = {}
    for heading in table.columns:
        if loose(heading) not in wanted:
            continue
        column, factor = wanted[loose(heading)]
        if column.name in mapped:
            message = (
                f"{table.path}: '{mapped[column.name][0]}' and '{heading}' both mean "
                f"{column.name}; keep one"
            )
            raise InputError("ledger-heading-twice", message, file=table.path, ledger=key)
        mapped[column.name] = (heading, factor)
    missing = [c.name for c in schema.columns if c.required and c.name not in mapped]
    if missing:
        free = [heading for heading in table.columns if loose(heading) not in wanted]
        near = {name: difflib.get_close_matches(name, free, n=2, cutoff=0.3) for name in missing}
        told = "; ".join(
            name + (f" (nearest: {'、'.join(found)})" if found else "")
            for name, found in near.items()
        )
        message = f"{table.path}: required columns of {schema.name} are missing: {told}"
        raise InputError("ledger-column", message, file=table.path, ledger=key)
    return mapped


class _Reading:
    """The state of one ledger while its columns are typed and its rows judged."""

    def __init__(
        self, key: str, schema: LedgerSchema, tables: Sequence[RawTable], rows: int
    ) -> None:
        self.key, self.schema, self.tables, self.rows = key, schema, tables, rows
        sizes = [len(table.lines) for table in tables]
        self.source_of = np.repeat(np.arange(len(tables), dtype=np.int16), sizes)
        self.line_of = np.concatenate([t.lines for t in tables] or [np.empty(0, np.int32)])
        self.good = np.ones(rows, dtype=bool)
        self.sums = np.zeros(rows, dtype=bool)
        self.violations: list[Violation] = []
        self.typed: dict[str, Any] = {}
        self.raw: dict[str, pa.ChunkedArray] = {}

    def add(self, column: Column, maps: Sequence[dict[str, tuple[str, int]]]) -> None:
        """Type one column; each different text is parsed once."""
        chunks, factors = [], set()
        for table, mapped in zip(self.tables, maps, strict=True):
            if column.name in mapped:
                heading, factor = mapped[column.name]
                factors.add(factor)
                chunks.append(table.columns[heading].combine_chunks())
            else:
                chunks.append(pa.nulls(len(table.lines), pa.string()))
        raw = pa.chunked_array(chunks, pa.string())
        if len(factors) > 1:
            # Files give the amount in different units: write each one's unit into its cells.
            units = [maps[i].get(column.name, ("", 1))[1] for i in range(len(chunks))]
            values, bad = _parse_each(column, chunks, units)
        else:
            values, bad = _parse(column, raw, factors.pop() if factors else 1)
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
                found = pc.is_in(pc.utf8_trim_whitespace(raw), value_set=words)
                for row in (start + np.flatnonzero(found.to_numpy())).tolist():
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

    def check_key(self) -> None:
        """The key is there, and unique; of a repeated record the first one counts."""
        name = self.schema.key_column
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

    def check(
        self,
        rule: str,
        severity: str,
        message: str,
        order: tuple[str, str] | None,
        together: tuple[str, str] | None,
    ) -> None:
        """One row rule of the schema."""
        first, second = order or together or ("", "")
        a, b = pd.Series(self.typed[first]), pd.Series(self.typed[second])
        broken = (a > b) if order else (a.isna() != b.isna())
        for row in np.flatnonzero(broken.to_numpy(dtype=bool) & self.good):
            self._tell(int(row), rule, severity, f"{first}、{second}", message)

    def ledger(self, maps: Sequence[dict[str, tuple[str, int]]]) -> Ledger:
        """The finished ledger; every row read is accounted for."""
        accepted = self.good & ~self.sums
        frame = pd.DataFrame(self.typed, index=pd.RangeIndex(self.rows, name="row"))[accepted]
        sources = tuple(
            Source(
                table.path, table.sha256, table.bytes, table.format, table.encoding, table.sheet,
                len(table.lines), {name: heading for name, (heading, _) in mapped.items()},
            )
            for table, mapped in zip(self.tables, maps, strict=True)
        )  # fmt: skip
        return Ledger(
            self.key, self.schema, frame, sources, self.source_of, self.line_of,
            rejected=int((~self.good & ~self.sums).sum()),
            set_aside=int(self.sums.sum()),
            violations=tuple(self.violations),
        )  # fmt: skip

    def _place(self, row: int) -> tuple[str, str]:
        table = self.tables[self.source_of[row]]
        return table.path, table.place(int(self.line_of[row]))

    def _tell(self, row: int, rule: str, severity: str, column: str, expected: str) -> None:
        if self.sums[row]:
            return
        if severity == "reject":
            self.good[row] = False
        names = [name for name in column.split("、") if name in self.raw]
        found = "、".join(str(self.raw[name][row].as_py() or "") for name in names)[:60]
        file, place = self._place(row)
        self.violations.append(
            Violation(self.key, file, place, rule, severity, column, found, expected)
        )


def _parse_each(
    column: Column, chunks: Sequence[Any], factors: Sequence[int]
) -> tuple[Any, dict[int, str]]:
    values: list[Any] = []
    bad: dict[int, str] = {}
    start = 0
    for chunk, factor in zip(chunks, factors, strict=True):
        part, wrong = _parse(column, pa.chunked_array([chunk]), factor)
        values.append(part)
        bad |= {start + row: reason for row, reason in wrong.items()}
        start += len(chunk)
    joined = pd.concat([pd.Series(part) for part in values], ignore_index=True)
    return joined.array, bad


def _parse(column: Column, raw: pa.ChunkedArray, factor: int) -> tuple[Any, dict[int, str]]:
    """Typed values of a column, and the reason for each row that cannot be read."""
    encoded = raw.dictionary_encode().unify_dictionaries().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0)
    texts = encoded.dictionary.to_pylist()
    codes = encoded.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)
    parse = parser_for(column, factor=factor)
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
    dtype = {"integer": "Int64", "flag": "boolean", "text": "str"}[column.type]
    return pd.array(parsed, dtype=dtype).take(codes)
