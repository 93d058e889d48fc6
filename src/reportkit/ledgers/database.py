"""Databases into raw text tables: one table or SELECT, read in one read-only snapshot.

The records are put in order here, by the bytes of the key and then of all other columns, and not
by the server: collations differ between servers and between their versions, and row numbers must
not. The digest is taken over the ordered records.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from decimal import Decimal
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reportkit.errors import InputError
from reportkit.language import Message
from reportkit.ledgers.readers import RawTable, Tell, as_text, quiet
from reportkit.ledgers.schema import LedgerSchema, map_headings
from reportkit.persons import without_persons

if TYPE_CHECKING:
    from pathlib import Path

    from reportkit.params.sources import DatabaseSource

_BATCH = 10_000
_SECONDS = 600
_PAUSES = (0.5, 1.0, 2.0)
_SHANGHAI = ZoneInfo("Asia/Shanghai")
# Times with a zone are read as the clock in China shows them.
_BEGIN = {
    "postgresql": (
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        f"SET LOCAL statement_timeout = '{_SECONDS}s'",
        "SET LOCAL TIME ZONE 'Asia/Shanghai'",
    ),
    "mysql": (
        "SET SESSION time_zone = '+08:00'",
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
    ),
    "sqlite": ("BEGIN",),
    "duckdb": ("SET TimeZone = 'Asia/Shanghai'", "SET lock_configuration = true", "BEGIN"),
}
_TABLES = "SELECT table_schema, table_name FROM information_schema.tables"
_SQLITE_TABLES = "SELECT 'main', name FROM sqlite_master WHERE type IN ('table', 'view')"
# A server that said no is not asked again: it might lock the account.
_REFUSED = re.compile(
    r"authentication|认证|access denied|pg_hba|does not exist|不存在|unknown database",
    re.IGNORECASE,
)
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f]"
# Errors whose texts may repeat a cell.
_OF_VALUES = {"DataError", "IntegrityError", "ConversionException", "InvalidInputException"}
Row = Sequence[Any]


class Expression(NamedTuple):
    """Text that selects a column; ``single`` where its numbers are of single precision."""

    text: str
    single: bool = False


# Numbers of single precision, as drivers call the type of a column.
_SINGLE = {"postgresql": (700,), "mysql": (4,)}


@dataclass(frozen=True)
class Session:
    """One open transaction."""

    run: Callable[[str], Any]
    columns: Callable[[str], dict[str, Expression]]
    """Names that a statement gives, each with the expression that selects it."""
    batches: Callable[[str], Iterator[Sequence[Row]]]
    tables: str
    errors: tuple[type[Exception], ...]


def read_database(
    source: DatabaseSource, schema: LedgerSchema, *, key: str, data: Path, tell: Tell = quiet
) -> RawTable:
    """Read a table or the result of a SELECT as text, its records in the order of their bytes.

    Parameters
    ----------
    source : DatabaseSource
        As the district file gives it; the password is taken from the environment.
    schema : LedgerSchema
        Only its columns are read.
    key : str
        The ledger, for messages.
    data : Path
        The folder that paths of SQLite and DuckDB files start from.
    tell : callable
        Is given the number of rows so far, time and again.

    Returns
    -------
    RawTable
        Its line is the ordinal of the record, its digest that of the ordered records: the JSON
        arrays of the headings and of each record, one a line.

    Raises
    ------
    InputError
        ``ledger-missing`` (no such table or file), ``ledger-column``, ``ledger-source`` (what the
        database refused, or cannot be read as text), ``driver-missing``.
    """
    lost = ""
    for pause in (0, *_PAUSES):
        time.sleep(pause)
        try:
            with open_session(source, key, data) as session:
                return _read(session, source, schema, key, tell)
        except LostError as error:
            lost = str(error)
    raise InputError(
        "ledger-source",
        "{source}: {lost}; tried {times} times",
        source=source.shown,
        lost=lost,
        times=len(_PAUSES) + 1,
        ledger=key,
    )


class LostError(Exception):
    """The database cannot be reached, or was lost on the way: worth another try."""


def _read(
    session: Session, source: DatabaseSource, schema: LedgerSchema, key: str, tell: Tell
) -> RawTable:
    where = origin(source)
    try:
        expressions = session.columns(f"SELECT * FROM {where}")  # noqa: S608  # the district's own
    except session.errors:
        if source.table:
            _refuse_missing(session, source, key)
        raise
    mapped = map_headings(list(expressions), schema, source.shown, key)
    known = {heading for heading, _ in mapped.values()}
    names = [name for name in expressions if name in known]
    for name in names:
        if expressions[name].single:
            raise InputError(
                "ledger-source",
                "{source}: column '{name}' is a number of single precision, which keeps seven "
                "digits of an amount; make it NUMERIC where it is stored",
                source=source.shown,
                name=name,
                ledger=key,
            )
    chosen = ", ".join(expressions[name].text for name in names)
    chunks: list[pa.Table] = []
    for batch in session.batches(f"SELECT {chosen} FROM {where}"):  # noqa: S608  # quoted names
        cells = [
            _texts(name, column, source, key)
            for name, column in zip(names, zip(*batch, strict=True), strict=True)
        ]
        chunks.append(pa.table(cells, names=names))
        tell(sum(map(len, chunks)))
    table = pa.concat_tables(chunks or [pa.table({n: pa.array([], pa.string()) for n in names})])
    first, _ = mapped[schema.key_column]
    order = [first, *sorted(set(names) - {first})]
    table = table.sort_by([(name, "ascending") for name in order])
    digest, size = _digest(table)
    return RawTable(
        path=source.shown,
        sha256=digest,
        bytes=size,
        format="sql",
        encoding=None,
        sheet=None,
        columns=dict(zip(names, table.columns, strict=True)),
        lines=np.arange(1, table.num_rows + 1, dtype=np.int32),
        headings=tuple(expressions),
    )


def _texts(name: str, column: Sequence[Any], source: DatabaseSource, key: str) -> pa.Array:
    try:
        cells = [c if c is None or type(c) is str else _text(c) for c in column]
        texts = pa.array(cells, pa.string())
        if pc.any(pc.match_substring_regex(texts, _CONTROL)).as_py():
            raise TypeError(Message("control characters"))
    except (TypeError, UnicodeEncodeError) as error:
        told = str(error) if isinstance(error, TypeError) else Message("text that is no Unicode")
        raise InputError(
            "ledger-source",
            "{source}: column '{name}' holds {told}; write a select that mends it",
            source=source.shown,
            name=name,
            told=told,
            ledger=key,
        ) from None
    return texts


def _text(cell: Any) -> str:
    """A typed value as the readers of files write it."""
    if isinstance(cell, datetime) and cell.tzinfo:
        cell = cell.astimezone(_SHANGHAI).replace(tzinfo=None)
    if isinstance(cell, Decimal):
        return format(cell, "f")
    if isinstance(cell, (str, int, float, date, clock_time, timedelta, UUID)):
        return as_text(cell)
    raise TypeError(type(cell).__name__)


def _digest(table: pa.Table) -> tuple[str, int]:
    """Digest and length of the canonical text."""
    digest, size = hashlib.sha256(), 0
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    for batch in (None, *table.to_batches(max_chunksize=_BATCH)):
        rows = (
            [table.column_names] if batch is None else zip(*batch.to_pydict().values(), strict=True)
        )
        text = "".join(encode(list(row)) + "\n" for row in rows).encode()
        digest.update(text)
        size += len(text)
    return digest.hexdigest(), size


def origin(source: DatabaseSource) -> str:
    """Return the SQL after FROM: the quoted table, or the SELECT in brackets."""
    if not source.table:
        return f"(\n{source.select}\n) AS q"
    mark = "`" if source.kind in ("mysql", "mariadb") else '"'
    parts = str(source.table).split(".")
    return ".".join(mark + part.replace(mark, mark * 2) + mark for part in parts)


def _refuse_missing(session: Session, source: DatabaseSource, key: str) -> None:
    """Tell the nearest tables if the one that is wanted is not there."""
    session.run("ROLLBACK")
    rows = session.run(session.tables).fetchall()
    inner = {"information_schema", "pg_catalog", "performance_schema", "mysql", "sys"}
    there = [f"{schema}.{name}" for schema, name in rows if schema not in inner]
    bare = [name.partition(".")[2] for name in there]
    if source.table in (*there, *bare):
        return
    near = difflib.get_close_matches(str(source.table), bare + there, n=3, cutoff=0.5)
    told = ", ".join(near or sorted(bare)[:8]) or Message("none that this user may see")
    raise InputError(
        "ledger-missing",
        "{source}: there is no table '{name}'; nearest: {near}",
        source=source.shown,
        name=source.table,
        near=told,
        ledger=key,
    )


def open_session(source: DatabaseSource, key: str, data: Path) -> AbstractContextManager[Session]:
    """One read-only snapshot of a database.

    Raises
    ------
    InputError
        As `read_database`.
    LostError
        It cannot be reached, or was lost on the way.
    """
    if source.file is not None and not (data / source.file).is_file():
        raise InputError(
            "ledger-missing",
            "{source}: the file {path} is not there",
            source=source.shown,
            path=data / source.file,
            ledger=key,
        )
    return (
        _open_duckdb(source, key, data) if source.kind == "duckdb" else _open_sql(source, key, data)
    )


def _driver(name: str, key: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise InputError(
            "driver-missing",
            "reading databases needs the package {name}: pip install 'reportkit-zwgk[databases]'",
            name=name,
            ledger=key,
        ) from None


@contextmanager
def _open_sql(source: DatabaseSource, key: str, data: Path) -> Iterator[Session]:
    sql = _driver("sqlalchemy", key)
    if source.kind != "sqlite":
        _driver("psycopg" if source.kind == "postgresql" else "pymysql", key)
    engine = _engine(sql, source, key, data)
    connected = False
    try:
        with engine.connect().execution_options(
            isolation_level="AUTOCOMMIT", no_parameters=True
        ) as connection:
            connected = True
            kind = connection.dialect.name.replace("mariadb", "mysql")
            if kind == "mysql":
                timeout = (
                    f"max_statement_time = {_SECONDS}"
                    if connection.dialect.is_mariadb
                    else f"max_execution_time = {_SECONDS * 1000}"
                )
                connection.exec_driver_sql(f"SET SESSION {timeout}")
            for statement in _BEGIN[kind]:
                connection.exec_driver_sql(statement)
            mark = connection.dialect.identifier_preparer.initial_quote

            def columns(statement: str) -> dict[str, Expression]:
                cursor = connection.exec_driver_sql(f"{statement} WHERE 1 = 0").cursor
                return {
                    name: Expression(
                        mark + name.replace(mark, mark * 2) + mark, number in _SINGLE.get(kind, ())
                    )
                    for name, number, *_ in cursor.description
                }

            def batches(statement: str) -> Iterator[Sequence[Row]]:
                streamed = {"stream_results": True, "max_row_buffer": _BATCH}
                result = connection.exec_driver_sql(statement, execution_options=streamed)
                yield from result.partitions(_BATCH)

            yield Session(
                connection.exec_driver_sql,
                columns,
                batches,
                _SQLITE_TABLES if kind == "sqlite" else _TABLES,
                (sql.exc.DBAPIError,),
            )
    except sql.exc.DBAPIError as error:
        told = _told(error.orig, source)
        lost = error.connection_invalidated or not connected
        if lost and not _REFUSED.search(str(error.orig)):
            raise LostError(told) from None
        raise InputError(
            "ledger-source", "{source}: {told}", source=source.shown, told=told, ledger=key
        ) from None
    finally:
        engine.dispose()


def _engine(sql: Any, source: DatabaseSource, key: str, data: Path) -> Any:
    pool = sql.pool.NullPool
    if source.file is not None:
        uri = f"file:{quote(str((data / source.file).absolute()))}?mode=ro"
        return sql.create_engine(
            "sqlite://", poolclass=pool, creator=lambda: sqlite3.connect(uri, uri=True, timeout=30)
        )
    url = sql.make_url(source.url)
    options: dict[str, Any] = {"connect_timeout": 10}
    if source.kind != "postgresql":
        options |= {"read_timeout": _SECONDS, "charset": "utf8mb4"}
    url = url.set(password=_password(source, key))
    return sql.create_engine(url, poolclass=pool, connect_args=options)


def _password(source: DatabaseSource, key: str) -> str | None:
    # The one look at the environment below the command: a password must never be a parameter.
    if source.password_env is None:
        return None
    password = os.environ.get(source.password_env)
    if not password:
        raise InputError(
            "ledger-source",
            "{source}: the password is not there; set it first: "
            "read -rs {variable}; export {variable}",
            source=source.shown,
            variable=source.password_env,
            ledger=key,
        )
    # pymysql encodes passwords as Latin-1, so the bytes of UTF-8 are given to it as such.
    return password if source.kind == "postgresql" else password.encode().decode("latin-1")


def _told(error: BaseException | None, source: DatabaseSource) -> str:
    """Return the database's message, where it speaks of names and not of values."""
    text = " ".join(str(error).split())
    kind = type(error).__name__
    if {base.__name__ for base in type(error).__mro__} & _OF_VALUES:
        # "invalid input syntax for type date: …" repeats a cell, and that may be a person's.
        return Message(
            "{kind} (what it says of the value is not repeated here); look into the select",
            kind=kind,
        )
    password = os.environ.get(source.password_env or "")
    text = without_persons(text)
    return text.replace(password, "…") if password else text


@contextmanager
def _open_duckdb(source: DatabaseSource, key: str, data: Path) -> Iterator[Session]:
    duckdb = _driver("duckdb", key)
    try:
        with closing(
            duckdb.connect(
                str(data / str(source.file)),
                read_only=True,
                config={"enable_external_access": "false"},
            )
        ) as connection:
            for statement in _BEGIN["duckdb"]:
                connection.execute(statement)

            def columns(statement: str) -> dict[str, Expression]:
                described = connection.execute(f"{statement} WHERE 1 = 0").description
                found = {}
                for name, kind, *_ in described:
                    quoted = '"' + name.replace('"', '""') + '"'
                    zoned = str(kind) == "TIMESTAMP WITH TIME ZONE"
                    text = f"CAST({quoted} AS TIMESTAMP)" if zoned else quoted
                    found[name] = Expression(text, str(kind) == "FLOAT")
                return found

            def batches(statement: str) -> Iterator[Sequence[Row]]:
                result = connection.execute(statement)
                while batch := result.fetchmany(_BATCH):
                    yield batch

            yield Session(connection.execute, columns, batches, _TABLES, (duckdb.Error,))
    except duckdb.Error as error:
        raise InputError(
            "ledger-source",
            "{source}: {told}",
            source=source.shown,
            told=_told(error, source),
            ledger=key,
        ) from None
