"""Queries of the store in SQL: one SELECT, over its tables and nothing else."""

from __future__ import annotations

import io
import math
import re
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reportkit.catalogue.causes import encodable
from reportkit.catalogue.places import read_places
from reportkit.catalogue.runs import SCHEMAS
from reportkit.catalogue.state import as_it_stands, read_state
from reportkit.errors import InputError
from reportkit.export.blocks import visible
from reportkit.export.tidy import csv_text, harmless
from reportkit.facts.numerals import plain
from reportkit.forms import DEFAULT
from reportkit.language import Message, joined
from reportkit.language.message import COMMA, of_library

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reportkit.catalogue.store import Store
    from reportkit.params import Project

# Rows that a terminal shows.
_SHOWN = 1000


# Columns of each table, as docs/how-to/catalogue.md describes them.
_RUNS = """
    district year form name parent code edition scope state why reason errors warnings accepted
    draft synthetic made run
""".split()
TABLES = {
    table: ["year" if name == "report" else name for name in SCHEMAS[table].names]
    for table in SCHEMAS
} | {"runs": _RUNS}
# Nothing but the store's files can be read, nothing written, and no query can change that.
_LOCKED = {
    "temp_directory": "",
    "enable_external_access": False,
    "autoload_known_extensions": False,
    "autoinstall_known_extensions": False,
    "python_enable_replacements": False,
    "lock_configuration": True,
}


def runs_table(store: Store, project: Project) -> pa.Table:
    """The table ``runs``: every run in force, and every report that has none, with the reason."""
    places = read_places(project, store.runs.values())
    state = as_it_stands(read_state(project.out), {}, places=places, store=store, project=project)
    rows, same = [], ("district", "year", "name", "state", "reason")
    for standing in state.reports.values():
        place = places.get(standing.district)
        rows.append(
            {
                "form": standing.form or (place.form if place else DEFAULT),
                **store.runs.get(standing.report, {}),
                **{name: getattr(standing, name) for name in same},
                "parent": place and place.parent,
                "why": encodable(standing.common_message),
            }
        )
    types = {"year": pa.int32()} | {field.name: field.type for field in SCHEMAS["runs"]}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in TABLES["runs"]])
    return pa.Table.from_pylist(rows, schema=schema)


def query(sql: str, store: Store, project: Project) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Run a query on the store.

    Parameters
    ----------
    sql : str
        One SELECT over `TABLES`.
    store : Store
    project : Project
        Says who belongs to whom now, and which reports there should be.

    Returns
    -------
    tuple of list, list
        Names of the columns; rows.

    Raises
    ------
    InputError
        ``sql``: it is no SELECT, or not right, or it reaches for what is not in the store.
    """
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise _refused(error) from None
    if [one.type for one in statements] != [duckdb.StatementType.SELECT]:
        raise InputError(
            "sql",
            "a query is one SELECT over the tables {tables}; this is {found}",
            tables=joined(COMMA, TABLES),
            found=joined(COMMA, [one.type.name for one in statements]) or Message("none"),
        )
    try:
        with duckdb.connect(":memory:") as connection:
            _open(connection, store, runs_table(store, project))
            done = connection.execute(statements[0])
            return _unique(column[0] for column in done.description), done.fetchall()
    except duckdb.Error as error:
        raise _refused(error) from None


def _unique(names: Iterable[str]) -> list[str]:
    """Number the second and further columns of one name."""
    unique: list[str] = []
    for name in names:
        numbered = (f"{name}_{number}" if number > 1 else name for number in count(1))
        unique.append(next(one for one in numbered if one not in unique))
    return unique


def _refused(error: duckdb.Error) -> InputError:
    message = of_library(str(error).partition("Traceback")[0].strip())
    if isinstance(error, duckdb.PermissionException):
        return InputError(
            "sql",
            "only the tables {tables} can be read ({message})",
            tables=joined(COMMA, TABLES),
            message=message,
        )
    return InputError("sql", "the query is not right: {message}", message=message)


def _open(connection: duckdb.DuckDBPyConnection, store: Store, runs: pa.Table) -> None:
    """Make the tables, and let nothing else be reached."""
    _create(connection, "runs", runs)
    allowed: set[str] = set()
    for table in ("facts", "checks"):
        files = [str((store.folder / name).resolve()) for name in store.names(table)]
        if not files:
            _create(connection, table, store.read(table).select(TABLES[table]))
            continue
        allowed |= {*files, *map(_pattern, files)}
        columns = ", ".join(f'"{name}"' for name in TABLES[table])
        paths = ", ".join("'" + _pattern(path).replace("'", "''") + "'" for path in files)
        connection.execute(
            f"create view {table} as select {columns} from read_parquet([{paths}], "  # noqa: S608 - ours
            "hive_partitioning = true, hive_types = {'year': integer})"
        )
    connection.execute("set allowed_paths = $1", [sorted(allowed)])
    for name, value in _LOCKED.items():
        connection.execute(f"set {name} = $1", [value])


def _create(connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    connection.register("_rows", rows)
    connection.execute(f"create table {table} as select * from _rows")  # noqa: S608
    connection.unregister("_rows")


def _pattern(path: str) -> str:
    """Escape a path for DuckDB, which takes every path for a pattern."""
    return re.sub(r"([*?\[])", r"[\1]", path)


def plain_value(value: Any) -> Any:
    """A value for JSON: a decimal as a number where that is the same, else as text.

    Examples
    --------
    >>> [plain_value(Decimal(text)) for text in ("76.0000", "12.5", "1234567890123456.7891")]
    [76, 12.5, '1234567890123456.7891']
    """
    if isinstance(value, Decimal):
        if value == value.to_integral_value():
            return int(value)
        return float(value) if Decimal(repr(float(value))) == value else str(value)
    if isinstance(value, float):
        # JSON has no infinity and no NaN.
        return value if math.isfinite(value) else str(value)
    if isinstance(value, (list, tuple)):
        return [plain_value(one) for one in value]
    if isinstance(value, dict):
        return {str(name): plain_value(one) for name, one in value.items()}
    return value if isinstance(value, (bool, int, str)) or value is None else str(value)


def as_table(names: list[str], rows: list[tuple[Any, ...]]) -> str:
    """The result as lines for a terminal, its first thousand rows.

    Parameters
    ----------
    names : list of str
    rows : list of tuple
        As `query` gives them.
    """
    table = Table(*names, box=SIMPLE_HEAD, pad_edge=False)
    for column, values in zip(table.columns, zip(*rows, strict=True), strict=False):
        if all(isinstance(one, (int, float, Decimal)) for one in values if one is not None):
            column.justify = "right"
    for column in table.columns:
        column.no_wrap = True
    for row in rows[:_SHOWN]:
        table.add_row(*(Text(_text(value)) for value in row))
    console = Console(width=100_000, file=io.StringIO(), color_system=None)
    with console.capture() as captured:
        console.print(table)
    lines = [line.rstrip() for line in captured.get().splitlines()]
    count = f"{len(rows):,}"
    last = Message("{count} rows", count=count)
    if len(rows) > _SHOWN:
        last = Message(
            "{count} rows; the first {shown} are shown, --csv prints all",
            count=count,
            shown=f"{_SHOWN:,}",
        )
    return joined("\n", [*filter(None, lines), last])


def _text(value: Any) -> str:
    # No control character reaches the terminal, and no line break a row of the table.
    return str(visible(_as_text(value))).replace("\n", " ")


def as_csv(names: list[str], rows: list[tuple[Any, ...]]) -> str:
    """The result as CSV in which no spreadsheet sees a formula."""
    texts = (map(_as_text, row) for row in rows)
    return csv_text(map(harmless, row) for row in [names, *texts])


def _as_text(value: Any) -> str:
    return plain(value) if isinstance(value, Decimal) else "" if value is None else str(value)
