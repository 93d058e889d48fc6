"""One raw ledger as a typed table in DuckDB, by macros that read cells once more."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from reportkit.errors import ReportkitError
from reportkit.ledgers.schema import UNITS, Column, LedgerSchema, schema_of
from reportkit.proof.rawledgers import EPOCH, LINE, SUM, read_source
from reportkit.worktime import WorkCalendar, limits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROW, SOURCE = " row", " source"


class SqlLedger:
    """A ledger of a run, read again from its raw files: the table ``ledger`` of a database.

    Parameters
    ----------
    run : Path
        For the records that were refused, which facts leave out.
    ledger : mapping
        As in the manifest.
    paths : sequence of Path
        Where its files are now, in the order of the manifest.
    calendar : WorkCalendar
        For the columns that no file has.

    Raises
    ------
    ReportkitError
        ``ledger-other``: a file cannot be read as it was.
    """

    def __init__(
        self, run: Path, ledger: Mapping[str, Any], paths: Sequence[Path], calendar: WorkCalendar
    ) -> None:
        self.ledger = ledger
        self.schema: LedgerSchema = schema_of(ledger["ledger"])
        self.connection = duckdb.connect(config={"threads": 1})
        macros = Path(str(files("reportkit.proof"))) / "cells.sql"
        self.connection.execute(macros.read_text(encoding="utf-8"))
        merged = "L-merged" in ledger["told"]
        known = {column.name for column in self.schema.columns}
        parts = []
        for number, (source, path) in enumerate(zip(ledger["sources"], paths, strict=True)):
            if not known.issuperset(source["columns"]):
                message = (
                    f"{source['path']}: the manifest names columns that no {self.schema.name} has"
                )
                raise ReportkitError("ledger-other", message)
            read = read_source({**source, "merged": merged}, path, self.connection)
            parts.append(_placed(number, source, read))
        # Nothing outside is needed from here on, and facts.json may have been made by anybody.
        self.connection.execute("SET enable_external_access = false")
        self.connection.execute("SET lock_configuration = true")
        raw = pa.concat_tables(parts, promote_options="default")
        self.lines, self.sources = raw[LINE].to_numpy(), raw[SOURCE].to_numpy()
        columns = [column for column in self.schema.columns if column.name in raw.column_names]
        self.types: dict[str, str] = {column.name: column.type for column in columns}
        self._type(raw, columns, _refused(run, ledger["ledger"]))
        if self.schema.derived:
            self._derive(calendar)

    def _type(self, raw: pa.Table, columns: Sequence[Column], refused: list[int]) -> None:
        self.connection.register("refused", pa.table({"row": pa.array(refused, pa.int64())}))
        numbers = pa.array(np.arange(raw.num_rows, dtype=np.int64))
        self.connection.register("raw", raw.append_column(ROW, numbers))
        joins = []
        for number, column in enumerate(columns):
            if column.type == "category":
                words = column.vocabulary()
                table = {"loose": list(words), "value": list(words.values())}
                self.connection.register(f"words{number}", pa.table(table))
            if column.type != "text":
                joins.append(_typed(number, column))
        chosen = ", ".join(_chosen(number, column) for number, column in enumerate(columns))
        # Names in queries are those of the schema, and our own.
        self.connection.execute(
            f'CREATE TABLE ledger AS SELECT "{ROW}", {chosen} FROM raw {" ".join(joins)} '  # noqa: S608
            f'WHERE NOT "{SUM}" AND "{ROW}" NOT IN (SELECT row FROM refused) ORDER BY "{ROW}"'
        )

    def table(self, *columns: str) -> pa.Table:
        """Accepted records: row numbers and columns of SQL; without these, all columns."""
        chosen = ", ".join([f'"{ROW}"', *columns]) if columns else "*"
        query = f'SELECT {chosen} FROM ledger ORDER BY "{ROW}"'  # noqa: S608
        return self.connection.sql(query).to_arrow_table()

    def _derive(self, calendar: WorkCalendar) -> None:
        """The columns that no file has, by reportkit's own calendar."""
        found = self.table()
        empty = np.full(found.num_rows, np.datetime64("NaT"), dtype="datetime64[D]")
        days, extension = {}, np.full(found.num_rows, np.nan)
        for column in self.schema.columns:
            there = column.name in found.column_names
            if column.type == "date":
                cells = found[column.name].to_numpy() if there else empty
                days[column.key] = cells.astype("datetime64[D]")
            elif column.key == "extension_days" and there:
                extension = found[column.name].to_pandas().to_numpy(dtype=float, na_value=np.nan)
        made = limits(days, extension, calendar)
        columns = {ROW: found[ROW]}
        for one in self.schema.derived:
            values = np.ma.asarray(getattr(made, one.key))
            day = one.type == "date"
            mask = None if day else np.ma.getmaskarray(values)
            data = values.data.astype("datetime64[D]") if day else values.data
            columns[one.name] = pa.array(data, mask=mask)
            self.types[one.name] = one.type
        self.connection.register("derived", pa.table(columns))
        joined = f'SELECT * FROM ledger JOIN derived USING ("{ROW}") ORDER BY "{ROW}"'  # noqa: S608
        self.connection.execute(f"CREATE OR REPLACE TABLE ledger AS {joined}")

    def place(self, row: int) -> str:
        """File and line of a record."""
        source = self.ledger["sources"][int(self.sources[row])]
        sheet = f"{source['sheet']}!" if source["sheet"] else ""
        return f"{source['path']}:{sheet}{int(self.lines[row])}"


def _refused(run: Path, key: str) -> list[int]:
    path = run / "evidence/quarantine.parquet"
    refused = pq.read_table(path).to_pylist() if path.is_file() else []
    return sorted(int(one["row"]) for one in refused if one["ledger"] == key)


def _placed(number: int, source: Mapping[str, Any], raw: pa.Table) -> pa.Table:
    """With the file's number, and the unit that the heading of an amount names."""
    made = raw.append_column(SOURCE, pa.array([number] * raw.num_rows, pa.int64()))
    for name, heading in source["columns"].items():
        if "金额" in name:
            units = (
                UNITS[unit] for unit in sorted(UNITS, key=len, reverse=True) if unit in heading
            )
            factor = pa.array([next(units, 1)] * raw.num_rows, pa.int64())
            made = made.append_column(f"{name} factor", factor)
    return made


def _chosen(number: int, column: Column) -> str:
    value = f"nullif(\"{column.name}\", '')" if column.type == "text" else f'"{number} value"'
    return f'{value} AS "{column.name}"'


def _typed(number: int, column: Column) -> str:
    """A join that types a column; each different cell is read once."""
    with_ = {"date": EPOCH, "amount": f"{column.name} factor"}.get(column.type, EPOCH)
    made = f"as_{column.type}(f, w)"
    if column.type == "category":
        other = "f" if column.open else "NULL"
        word = f"(SELECT value FROM words{number} WHERE loose = loose(f))"  # noqa: S608
        made = f"CASE WHEN f IS NULL THEN NULL ELSE coalesce({word}, {other}) END"
    if column.default is not None:
        made = f"coalesce({made}, '{column.default}')"
    cells = f'SELECT DISTINCT "{column.name}" AS c, "{with_}" AS w FROM raw'  # noqa: S608
    typed = f'SELECT c AS "{number} c", w AS "{number} w", {made} AS "{number} value" '
    return (  # names are the schema's
        f"LEFT JOIN ({typed} FROM (SELECT c, w, filled(c) AS f FROM ({cells}))) "  # noqa: S608
        f'ON "{column.name}" IS NOT DISTINCT FROM "{number} c" AND "{with_}" = "{number} w"'
    )
