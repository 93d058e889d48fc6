"""Sessions with databases: one read-only transaction, and errors of drivers without values."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from reportkit.errors import InputError
from reportkit.language import Message
from reportkit.persons import without_persons

if TYPE_CHECKING:
    from pathlib import Path

    from reportkit.params.sources import DatabaseSource

# Records that a server is asked for at once.
_BATCH = 10_000
_SECONDS = 600
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
# Errors whose texts may repeat a cell.
_OF_VALUES = {"DataError", "IntegrityError", "ConversionException", "InvalidInputException"}
# Numbers of single precision, as drivers call the type of a column.
_SINGLE = {"postgresql": (700,), "mysql": (4,)}
Row = Sequence[Any]


class Expression(NamedTuple):
    """Text that selects a column; ``single`` where its numbers are of single precision."""

    text: str
    single: bool = False


@dataclass(frozen=True)
class Session:
    """One open transaction."""

    run: Callable[[str], Any]
    columns: Callable[[str], dict[str, Expression]]
    """Names that a statement gives, each with the expression that selects it."""
    batches: Callable[[str], Iterator[Sequence[Row]]]
    tables: str
    errors: tuple[type[Exception], ...]


class LostError(Exception):
    """The database cannot be reached, or was lost on the way: worth another try."""


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
        text = _driver_text(error.orig, source)
        lost = error.connection_invalidated or not connected
        if lost and not _REFUSED.search(str(error.orig)):
            raise LostError(text) from None
        raise InputError(
            "ledger-source", "{source}: {text}", source=source.shown, text=text, ledger=key
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
    # Read here and not by the command: a password must never be a parameter.
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


def _driver_text(error: BaseException | None, source: DatabaseSource) -> str:
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
            "{source}: {text}",
            source=source.shown,
            text=_driver_text(error, source),
            ledger=key,
        ) from None
