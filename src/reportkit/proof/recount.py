"""Every fact counted again by a second engine: DuckDB SQL over the raw ledgers.

What is shared with the first count is data: the columns and words of a ledger (its schema), and
the conditions as ``facts.json`` states them. The four columns that no file has (法定期限 …) come
from reportkit's own calendar in both; each fact that looks at one of them is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow.parquet as pq

from reportkit.errors import ReportkitError
from reportkit.facts import plain, rows_sha256
from reportkit.proof.rows import record_columns, row_digests
from reportkit.proof.sqlledger import ROW, SqlLedger

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import pyarrow as pa

_OPERATORS = {
    "=": "coalesce({text} = ?, false)",
    "in": "coalesce({text} IN (SELECT unnest(?)), false)",
    "not in": "NOT coalesce({text} IN (SELECT unnest(?)), false)",
    "between": "coalesce({column} BETWEEN CAST(? AS DATE) AND CAST(? AS DATE), false)",
    "<": "coalesce({column} < CAST(? AS DATE), false)",
    "<=": "coalesce({column} <= CAST(? AS DATE), false)",
    "empty or >=": "coalesce({column} >= CAST(? AS DATE), true)",
    "empty or >": "coalesce({column} > CAST(? AS DATE), true)",
    "contains": "coalesce(contains({text}, ?), false)",
    "empty": "{column} IS NULL",
    "present": "{column} IS NOT NULL",
}
_MEASURES = {
    "count": "count(*)",
    "sum": "coalesce(sum({column}), 0)",
    "distinct": "count(DISTINCT {column})",
    "first": "min({column})",
    "last": "max({column})",
    "max": "max({column})",
    # In the middle of all, or half of the two in the middle, exactly.
    "median": "(quantile_disc({column}, 0.5) + -quantile_disc(-{column}, 0.5)) / 2",
}


@dataclass(frozen=True)
class Recount:
    """What a second count of one ledger's facts says.

    Parameters
    ----------
    values : dict of str to str
        What each fact that was counted again comes to.
    moved : dict of str to str
        Facts whose value or records are not those of the run, each with what was found.
    lines : tuple of str
        Records that are not as they were: file, line, and how.
    untold : tuple of str
        What could not be checked, and why.
    """

    values: dict[str, str]
    moved: dict[str, str]
    lines: tuple[str, ...]
    untold: tuple[str, ...]


def recount(
    raw: SqlLedger, facts: Iterable[Mapping[str, Any]], *, run: Path, key: bytes | None = None
) -> Recount:
    """Count the facts of one ledger again, and compare its records.

    Parameters
    ----------
    raw : SqlLedger
    facts : iterable of mapping
        Those of ``facts.json`` that are counted from this ledger.
    run : Path
    key : bytes, optional
        The privacy key, where records are keyed.
    """
    own = {column.name for column in raw.schema.derived}
    values: dict[str, str] = {}
    moved: dict[str, str] = {}
    untold: list[str] = []
    for fact in facts:
        try:
            value, rows = count(raw, fact)
        except (ReportkitError, duckdb.Error) as error:
            untold.append(f"{fact['id']} was not counted again: {error}")
            continue
        values[fact["id"]] = value
        if value != fact["value"]:
            moved[fact["id"]] = f"{fact['value']} in the run, {value} in the ledger"
        elif rows != fact["rows_sha256"]:
            moved[fact["id"]] = f"{value} as in the run, but from other records"
        if {one["column"] for group in fact["where"] for one in group["all"]} & own:
            untold.append(f"{fact['id']}: its working days are by reportkit's own calendar")
    lines: list[str] = []
    if raw.ledger["rows_keyed"] and key is None:
        untold.append(
            f"records of {raw.schema.name} were not compared one by one: they are keyed, and "
            "REPORTKIT_PRIVACY_KEY_FILE names no key"
        )
    else:
        lines = changed_lines(raw, run / f"evidence/rowmap-{raw.ledger['ledger']}.parquet", key)
    return Recount(values, moved, tuple(lines), tuple(untold))


def count(raw: SqlLedger, fact: Mapping[str, Any]) -> tuple[str, str]:
    """Value of a fact as text, and the digest of its row numbers.

    Raises
    ------
    ReportkitError
        ``not-recounted``: the fact is stated in a way that is not known here.
    """
    values: list[Decimal | str] = []
    rows = []
    for group in fact["where"]:
        condition, given = _where(raw, group["all"])
        measure = _measure(raw, group)
        source = f"FROM ledger WHERE {condition}"
        # Names are the schema's; values are given apart.
        query = f'SELECT list("{ROW}" ORDER BY "{ROW}"), CAST({measure} AS VARCHAR) {source}'
        ((listed, found),) = raw.connection.sql(query, params=given).fetchall()
        rows.append(np.array(listed or [], dtype=np.int64))
        text = found or ""
        dated = group.get("measure") in ("first", "last")
        values.append(text if dated or not text else Decimal(text))
    if not values:
        raise ReportkitError("not-recounted", "it states no condition")
    value = values[0]
    if len(values) == 2 and isinstance(value, Decimal) and isinstance(values[1], Decimal):
        value -= values[1]
    if isinstance(value, Decimal):
        value = plain(value / fact["where"][0].get("divide", 1))
    return value, rows_sha256(np.concatenate(rows))


def _where(raw: SqlLedger, conditions: Iterable[Mapping[str, Any]]) -> tuple[str, list[Any]]:
    parts: list[str] = ["true"]
    given: list[Any] = []
    for one in conditions:
        if one["op"] not in _OPERATORS or one["column"] not in raw.types:
            message = f"its condition {one['column']} {one['op']} is not known here"
            raise ReportkitError("not-recounted", message)
        column = f'"{one["column"]}"'
        text = f"CAST({column} AS VARCHAR)"
        if raw.types[one["column"]] == "flag":
            text = f"CASE {column} WHEN true THEN '是' WHEN false THEN '否' END"
        parts.append(_OPERATORS[one["op"]].format(column=column, text=text))
        if one["value"] is not None:
            given += one["value"] if one["op"] == "between" else [one["value"]]
    return " AND ".join(parts), given


def _measure(raw: SqlLedger, group: Mapping[str, Any]) -> str:
    measure, column = group.get("measure", "count"), group.get("column")
    if measure not in _MEASURES or (measure != "count" and column not in raw.types):
        raise ReportkitError("not-recounted", f"its measure {measure} is not known here")
    return _MEASURES[measure].format(column=f'"{column}"')


def changed_lines(raw: SqlLedger, rowmap: Path, key: bytes | None) -> list[str]:
    """Records that are not those of the run: file, line, and how."""
    then = pq.read_table(rowmap)
    covered = record_columns(raw.schema)
    names = {name: f'"{name}"' if name in raw.types else "NULL" for name in covered}
    columns = [f'CAST({cells} AS VARCHAR) AS "{name}"' for name, cells in names.items()]
    found = raw.table(*columns)
    digests = row_digests(found.drop_columns([ROW]), key).to_pylist()
    now = dict(zip(found[ROW].to_pylist(), digests, strict=True))
    told = []
    old = zip(then["digest"].to_pylist(), then["line"].to_pylist(), strict=True)
    for row, (digest, line) in enumerate(old):
        if row >= len(raw.lines):
            told.append(f"{_place(then, row)}: the record is gone")
        elif now.get(row) != digest or int(raw.lines[row]) != line:
            told.append(f"{_place(then, row)}: not the record that the run read")
    more = range(then.num_rows, len(raw.lines))
    return told + [f"{raw.place(row)}: a record that the run did not read" for row in more]


def _place(rowmap: pa.Table, row: int) -> str:
    one = {name: rowmap[name][row].as_py() for name in ("file", "sheet", "line")}
    sheet = f"{one['sheet']}!" if one["sheet"] else ""
    return f"{one['file']}:{sheet}{one['line']}"
