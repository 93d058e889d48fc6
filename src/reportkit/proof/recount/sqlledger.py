"""Raw ledgers as typed tables in DuckDB, by macros that read cells once more."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reportkit.errors import ReportkitError
from reportkit.evidence.read import read_refused
from reportkit.ledgers.mapping import recorded_schema
from reportkit.ledgers.records import place_in_file
from reportkit.ledgers.schema import Column, LedgerSchema, unit_of
from reportkit.proof.recount.rawledgers import Cells, read_cells
from reportkit.proof.recount.sqlcells import macros, typed

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from reportkit.forms import Form
    from reportkit.params.sources import DatabaseSource
    from reportkit.worktime import WorkCalendar

ROW = " row"
_DAYS = {
    "received": "received_date",
    "answered": "answered_date",
    "asked": "correction_asked_date",
    "corrected": "correction_received_date",
    "sent": "consultation_sent_date",
    "replied": "consultation_answered_date",
    "extension": "extension_date",
    "days": "extension_days",
}


def place_text(file: str, sheet: str | None, line: int) -> str:
    """File, sheet and line of a record."""
    return f"{file}:{place_in_file(sheet, line)}"


@dataclass(frozen=True)
class Wanted:
    """A ledger that is to be read again.

    Parameters
    ----------
    form : Form
        Whose ledger it is.
    record : mapping
        As in the manifest.
    places : sequence of Path or DatabaseSource
        Where its files and tables are now, in the order of the manifest.
    columns : collection of str, optional
        Those that are needed; all by default.
    """

    form: Form
    record: Mapping[str, Any]
    places: Sequence[Path | DatabaseSource]
    columns: Collection[str] | None = None

    @property
    def schemas(self) -> list[LedgerSchema]:
        """Of each of its files and tables, in the office's own words."""
        sources = self.record["sources"]
        return [recorded_schema(self.form, self.record, source) for source in sources]


@dataclass(frozen=True)
class SqlLedger:
    """A ledger of a run, read again from where its records are: a table of a database in memory."""

    record: Mapping[str, Any]
    schema: LedgerSchema
    connection: duckdb.DuckDBPyConnection
    types: Mapping[str, str]
    lines: np.ndarray[Any, Any]
    sources: np.ndarray[Any, Any]
    changed: tuple[str, ...]
    """Files and tables that are not what the run read."""

    @property
    def table(self) -> str:
        """Its name in SQL."""
        return f'"{self.record["ledger"]}"'

    def place(self, row: int) -> str:
        """File and line of a record."""
        source = self.record["sources"][int(self.sources[row])]
        return place_text(source["path"], source["sheet"], int(self.lines[row]))


def read_again(
    run: Path, wanted: Sequence[Wanted], calendar: WorkCalendar, *, data: Path | None = None
) -> dict[str, SqlLedger | ReportkitError]:
    """Ledgers of a run, read once more, or why one of them cannot be.

    Parameters
    ----------
    run : Path
        For the records that were refused, which facts leave out.
    wanted : sequence of Wanted
    calendar : WorkCalendar
        Its table of days without work, for the columns that no file has.
    data : Path, optional
        The folder of files of SQLite and DuckDB.

    Returns
    -------
    dict of str to SqlLedger or ReportkitError
        By ledger; ``ledger-other``, ``ledger-unreachable``, or what a database answers.
    """
    connection = duckdb.connect(config={"threads": 1})
    connection.execute(macros())
    ledgers: dict[str, SqlLedger | ReportkitError] = {}
    read: list[tuple[Wanted, list[Cells]]] = []
    for ledger in wanted:
        try:
            read.append((ledger, _read(ledger, connection, data)))
        except ReportkitError as error:
            ledgers[ledger.record["ledger"]] = error
    # Nothing outside is needed from here on, and facts.json may have been made by anybody.
    connection.execute("SET enable_external_access = false")
    typing = _Typing(connection)
    columns = [typing.add(ledger, cells) for ledger, cells in read]
    typing.type()
    refused = read_refused(run)
    for (ledger, cells), parts in zip(read, columns, strict=True):
        key = ledger.record["ledger"]
        table = pa.table({name: typing.column(files) for name, files in parts.items()})
        table = _prefixed(table, ledger, cells)
        rows = np.arange(table.num_rows, dtype=np.int64)
        kept = ~np.concatenate([part.aside for part in cells])
        kept[[row for row in refused.get(key, ()) if row < len(kept)]] = False
        table = table.append_column(ROW, pa.array(rows)).filter(pa.array(kept))
        ledgers[key] = _ledger(ledger, cells, table, connection, calendar)
    connection.execute("SET lock_configuration = true")
    return ledgers


def _read(ledger: Wanted, connection: duckdb.DuckDBPyConnection, data: Path | None) -> list[Cells]:
    parts = []
    sources = zip(ledger.record["sources"], ledger.schemas, ledger.places, strict=True)
    for source, schema, place in sources:
        if not {column.name for column in schema.columns}.issuperset(source["columns"]):
            raise ReportkitError(
                "ledger-other",
                "{path}: the manifest names columns that no {name} has",
                path=source["path"],
                name=schema.name,
            )
        key = ledger.record["ledger"]
        parts.append(read_cells(source, place, connection, schema, key=key, data=data))
    return parts


def _prefixed(table: pa.Table, ledger: Wanted, cells: Sequence[Cells]) -> pa.Table:
    """Keys with what a mapping puts before them: the year of the record's day, or a column."""
    own = ledger.schemas
    if not any(schema.prefix for schema in own):
        return table
    days, start, before = table[own[0].day_column.name], 0, []
    for schema, part in zip(own, cells, strict=True):
        size = len(part.lines)
        if schema.prefix == "year":
            before.append(pc.year(days.slice(start, size).combine_chunks()).cast(pa.string()))
        elif schema.prefix:
            texts = part.columns[schema.prefix]
            before.append(pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts))
        else:
            before.append(pa.nulls(size, pa.string()))
        start += size
    place = table.column_names.index(own[0].key_column)
    keys = table.column(place).combine_chunks()
    longer = pc.binary_join_element_wise(pa.concat_arrays(before), keys, "-")
    return table.set_column(place, own[0].key_column, pc.coalesce(longer, keys))


@dataclass(frozen=True)
class _Part:
    """A column of one file: its different cells, to be typed with others, and where they stand."""

    kind: str
    first: int
    codes: pa.Array
    length: int


class _Typing:
    """Cells of all ledgers, typed by one query for each type; each different cell is read once."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.cells: dict[str, list[pa.Table]] = {}
        self.sizes: dict[str, int] = {}
        self.words: list[pa.Table] = []
        self.typed: dict[str, pa.Array] = {}

    def add(self, ledger: Wanted, cells: Sequence[Cells]) -> dict[str, list[_Part | pa.Array]]:
        """Columns of a ledger by name, file by file; texts are typed already."""
        by_column: dict[str, list[_Part | pa.Array]] = {}
        own = ledger.schemas
        for column in recorded_schema(ledger.form, ledger.record).columns:
            if ledger.columns is not None and column.name not in ledger.columns:
                continue
            word = len(self.words)
            if column.type == "category":
                vocabulary = column.vocabulary()
                words = {"loose": list(vocabulary), "value": list(vocabulary.values())}
                self.words.append(pa.table({"list": [word] * len(vocabulary), **words}))
            named = [{column.name: column for column in schema.columns} for schema in own]
            parts = zip(ledger.record["sources"], named, cells, strict=True)
            by_column[column.name] = [
                self._part(columns.get(column.name, column), word, source, part)
                for source, columns, part in parts
            ]
        return by_column

    def _part(
        self, column: Column, word: int, source: Mapping[str, Any], cells: Cells
    ) -> _Part | pa.Array:
        texts = cells.columns.get(column.name)
        if texts is None:
            texts = pa.array([""] * len(cells.lines), pa.string())
        texts = self._swapped(column, pc.fill_null(texts, ""))
        if column.type == "text":
            return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
        different = texts.dictionary_encode()
        unit = unit_of(source["columns"].get(column.name, ""))
        with_ = {"category": word, "amount": unit}.get(column.type, cells.epoch)
        first, size = self.sizes.get(column.type, 0), len(different.dictionary)
        self.sizes[column.type] = first + size
        fixed = {
            "w": pa.scalar(with_, pa.int64()),
            "year": pa.scalar(column.year, pa.int64()),
            "open": pa.scalar(column.open),
            "other": pa.scalar(column.default, pa.string()),
        }
        numbers = pa.array(np.arange(first, first + size))
        same = {name: pa.repeat(value, size) for name, value in fixed.items()}
        table = pa.table({"n": numbers, "c": different.dictionary, **same})
        self.cells.setdefault(column.type, []).append(table)
        return _Part(column.type, first, different.indices, size)

    def _swapped(self, column: Column, texts: pa.Array) -> pa.Array:
        """Cells in our words where a mapping gives the office's."""
        if not column.swaps:
            return texts
        different = texts.dictionary_encode()
        numbers = pa.array(range(len(different.dictionary)))
        self.connection.register("found", pa.table({"n": numbers, "c": different.dictionary}))
        swaps = {"word": list(column.swaps), "becomes": list(column.swaps.values())}
        self.connection.register("swaps", pa.table(swaps))
        same = "loose" if column.type in ("category", "flag") else "folded"
        query = (
            f"SELECT coalesce(becomes, c) AS c FROM found LEFT JOIN swaps ON word = {same}(c) "  # noqa: S608 - our own names
            "ORDER BY n"
        )
        swapped = self.connection.sql(query).to_arrow_table()["c"].combine_chunks()
        return swapped.take(different.indices)

    def type(self) -> None:
        """Type all cells."""
        if self.words:
            self.connection.register("words", pa.concat_tables(self.words))
        for kind, tables in self.cells.items():
            self.connection.register("cells", pa.concat_tables(tables))
            table = self.connection.sql(typed(kind)).to_arrow_table()
            self.typed[kind] = table["value"].combine_chunks()
            self.connection.unregister("cells")

    def column(self, parts: Sequence[_Part | pa.Array]) -> pa.ChunkedArray:
        """A typed column of a ledger, from those of its files."""
        return pa.chunked_array(
            [
                self.typed[part.kind].slice(part.first, part.length).take(part.codes)
                if isinstance(part, _Part)
                else part
                for part in parts
            ]
        )


def _ledger(
    ledger: Wanted,
    cells: Sequence[Cells],
    table: pa.Table,
    connection: duckdb.DuckDBPyConnection,
    calendar: WorkCalendar,
) -> SqlLedger:
    key, schema = ledger.record["ledger"], recorded_schema(ledger.form, ledger.record)
    types: dict[str, str] = {c.name: c.type for c in schema.columns if c.name in table.column_names}
    connection.register("read", table)
    joined = ""
    if schema.derived:
        _derive(connection, schema, types, calendar)
        types |= {column.name: column.type for column in schema.derived}
        names = ", ".join(f'{column.key} AS "{column.name}"' for column in schema.derived)
        joined = f'JOIN (SELECT row AS "{ROW}", {names} FROM limits) USING ("{ROW}")'  # noqa: S608 - the schema's
    # Names are the schema's.
    connection.execute(f'CREATE TABLE "{key}" AS SELECT * FROM read {joined} ORDER BY "{ROW}"')  # noqa: S608
    connection.unregister("read")
    sizes = [len(part.lines) for part in cells]
    pairs = zip(ledger.record["sources"], cells, strict=True)
    changed = {source["path"] for source, part in pairs if source["sha256"] != part.sha256}
    return SqlLedger(
        ledger.record,
        schema,
        connection,
        types,
        np.concatenate([part.lines for part in cells]),
        np.repeat(np.arange(len(sizes)), sizes),
        tuple(sorted(changed)),
    )


def _derive(
    connection: duckdb.DuckDBPyConnection,
    schema: LedgerSchema,
    types: Mapping[str, str],
    calendar: WorkCalendar,
) -> None:
    """The columns that no file has, as the table ``limits``.

    Days are given with how many working days are until and before them, so that a limit is a sum.
    """
    known = {column.key: column.name for column in schema.columns if column.name in types}
    chosen = [
        f'"{known[key]}" AS {name}'
        if key in known
        else f"CAST(NULL AS {'BIGINT' if name == 'days' else 'DATE'}) AS {name}"
        for name, key in _DAYS.items()
    ]
    query = f'SELECT "{ROW}" AS row, {", ".join(chosen)} FROM read'  # noqa: S608 - our own names
    steps = connection.sql(query).to_arrow_table()
    first, last = calendar.first, calendar.last
    every = np.arange(first, last + 1)
    worked = every[~np.isin(every, calendar.workdays.holidays)]
    for name in set(_DAYS) - {"days"}:
        days = steps[name].to_numpy().astype("datetime64[D]")
        until, before = (_passed(worked, ends, first, last) for ends in (days, days - 1))
        mask = np.isnat(days)
        counted = {"p": until, "q": before, "b": until if calendar.first_day == "next" else before}
        # Limits are sums of these numbers, so that SQL need not know a calendar.
        for sign, numbers in counted.items():
            steps = steps.append_column(f"{name}_{sign}", pa.array(numbers, mask=mask))
    fixed = {"first": first.item(), "last": last.item(), "total": len(worked)}
    for name, value in fixed.items():
        steps = steps.append_column(name, pa.repeat(pa.scalar(value), steps.num_rows))
    connection.register("steps", steps)
    connection.register("worked", pa.table({"day": worked, "n": np.arange(1, len(worked) + 1)}))
    path = Path(str(files("reportkit.proof.recount"))) / "limits.sql"
    connection.execute(path.read_text(encoding="utf-8"))


def _passed(worked: Any, days: Any, first: Any, last: Any) -> Any:
    """Working days until a day, that day among them; beyond the table every day is one."""
    inside = np.searchsorted(worked, days, side="right")
    beyond = len(worked) + (days - last).astype(np.int64)
    early = (days - first).astype(np.int64) + 1
    return np.where(days > last, beyond, np.where(days < first, early, inside))
