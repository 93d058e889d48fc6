"""Databases into raw text tables: one table or SELECT, read in one read-only snapshot.

The records are put in order here, by the bytes of the key and then of all other columns, and not
by the server: collations differ between servers and between their versions, and row numbers must
not. The digest is taken over the ordered records.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import time
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reportkit.errors import InputError
from reportkit.language import Message
from reportkit.ledgers.readers.table import RawTable, Tell, as_text, quiet
from reportkit.ledgers.schema import LedgerSchema, map_headings
from reportkit.ledgers.sessions import LostError, Session, open_session

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reportkit.params.sources import DatabaseSource

# Records that become text at once.
_BATCH = 10_000
_PAUSES = (0.5, 1.0, 2.0)
_SHANGHAI = ZoneInfo("Asia/Shanghai")
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f]"


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
        content = str(error) if isinstance(error, TypeError) else Message("text that is no Unicode")
        raise InputError(
            "ledger-source",
            "{source}: column '{name}' holds {content}; write a select that mends it",
            source=source.shown,
            name=name,
            content=content,
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
    nearest = ", ".join(near or sorted(bare)[:8]) or Message("none that this user may see")
    raise InputError(
        "ledger-missing",
        "{source}: there is no table '{name}'; nearest: {near}",
        source=source.shown,
        name=source.table,
        near=nearest,
        ledger=key,
    )
