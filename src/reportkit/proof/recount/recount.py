"""Every fact counted again by a second engine: DuckDB SQL over the raw ledgers.

What is shared with the first count is data: the columns and words of a ledger (its schema), the
days without work, and the conditions as ``facts.json`` states them.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reportkit.errors import ReportkitError
from reportkit.evidence.digests import record_columns, row_digests
from reportkit.evidence.read import read_records
from reportkit.facts import rows_sha256
from reportkit.facts.numerals import plain
from reportkit.language import Message
from reportkit.persons import without_persons
from reportkit.proof.recount.sqlledger import ROW, SqlLedger, place_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from reportkit.ledgers.schema import LedgerSchema

    Fact = Mapping[str, Any]
    Rows = npt.NDArray[np.int64]
    _Group = tuple[list[tuple[str, tuple[Any, ...]]], str | None]

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
    "heaviest": "coalesce(list_has_any(regexp_split_to_array({text}, '[、，,；;/+＋\\s]+'), ?)"
    " AND NOT list_has_any(regexp_split_to_array({text}, '[、，,；;/+＋\\s]+'), ?), false)",
}
_MEASURES = {
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
    """Second count of one ledger's facts.

    Parameters
    ----------
    values : dict of str to str
        What each fact that was counted again comes to.
    moved : dict of str to str
        Facts whose value or records are not those of the run, each with what was found.
    lines : tuple of str
        Records that are not as they were: file, line, and how.
    unchecked : tuple of str
        What could not be checked, and why.
    """

    values: dict[str, str]
    moved: dict[str, str]
    lines: tuple[str, ...]
    unchecked: tuple[str, ...]


def used_columns(schema: LedgerSchema, facts: Iterable[Fact]) -> set[str]:
    """Columns of a ledger that its facts or the digests of its records need."""
    groups = [group for fact in facts for group in fact["where"]]
    named = {condition["column"] for group in groups for condition in group["all"]}
    return {*record_columns(schema), *named, *(str(group.get("column")) for group in groups)}


def recount(
    raw: SqlLedger, facts: Sequence[Fact], *, run: Path, key: bytes | None = None
) -> Recount:
    """Count the facts of one ledger again, and compare its records.

    Parameters
    ----------
    raw : SqlLedger
    facts : sequence of mapping
        Those of ``facts.json`` that are counted from this ledger.
    run : Path
    key : bytes, optional
        The privacy key, where records are keyed.
    """
    values: dict[str, str] = {}
    moved: dict[str, str] = {}
    unknown: list[str] = []
    for fact, counted in zip(facts, count(raw, facts), strict=True):
        if isinstance(counted, str):
            unknown.append(
                Message("{id} was not counted again: {counted}", id=fact["id"], counted=counted)
            )
            continue
        value, rows = counted
        values[fact["id"]] = value
        if value != fact["value"]:
            moved[fact["id"]] = Message(
                "{sealed} in the run, {value} in the ledger", sealed=fact["value"], value=value
            )
        elif rows_sha256(rows) != fact["rows_sha256"]:
            moved[fact["id"]] = Message(
                "{value} as in the run, but from other records", value=value
            )
    lines: list[str] = []
    if raw.record["rows_keyed"] and key is None:
        unknown.append(
            Message(
                "records of {name} were not compared one by one: they are keyed, and "
                "REPORTKIT_PRIVACY_KEY_FILE names no key",
                name=raw.schema.name,
            )
        )
    else:
        records = read_records(run, raw.record["ledger"])
        # Records that were not keyed are compared so, whatever key there is now.
        lines = changed_lines(raw, records, key if raw.record["rows_keyed"] else None)
    return Recount(values, moved, tuple(lines), tuple(unknown))


def count(raw: SqlLedger, facts: Sequence[Fact]) -> list[tuple[str, Rows] | str]:
    """Value of each fact as text with its row numbers; or why it was not counted."""
    failures: dict[int, str] = {}
    groups: dict[tuple[int, int], _Group] = {}
    for number, fact in enumerate(facts):
        try:
            for at, group in enumerate(fact["where"]):
                groups[number, at] = _group(raw, group)
        except ReportkitError as error:
            failures[number] = error.message
        if not fact["where"]:
            failures[number] = Message("it states no condition")
    known = {place: group for place, group in groups.items() if place[0] not in failures}
    rows = _rows(raw, known, failures)
    return [
        failures.get(number) or _value(raw, fact, number, groups, rows)
        for number, fact in enumerate(facts)
    ]


def _group(raw: SqlLedger, group: Mapping[str, Any]) -> _Group:
    """The conditions of a group of rows, each with its values; and what is measured on them."""
    measure, column = group.get("measure", "count"), group.get("column")
    if measure != "count" and (measure not in _MEASURES or column not in raw.types):
        raise ReportkitError(
            "not-recounted", "its measure {measure} is not known here", measure=measure
        )
    conditions = []
    for condition in group["all"]:
        if condition["op"] not in _OPERATORS or condition["column"] not in raw.types:
            raise ReportkitError(
                "not-recounted",
                "its condition {column} {op} is not known here",
                column=condition["column"],
                op=condition["op"],
            )
        quoted = f'"{condition["column"]}"'
        text = f"CAST({quoted} AS VARCHAR)"
        if raw.types[condition["column"]] == "flag":
            text = f"CASE {quoted} WHEN true THEN '是' WHEN false THEN '否' END"
        given = condition["value"] if condition["op"] == "between" else [condition["value"]]
        if isinstance(given[0], list):
            given = [tuple(given[0])]
        if condition["op"] == "heaviest":
            given.append(tuple(condition["over"]) or ("",))
        values = () if condition["value"] is None else tuple(given)
        conditions.append((_OPERATORS[condition["op"]].format(column=quoted, text=text), values))
    expression = None if measure == "count" else _MEASURES[measure].format(column=f'"{column}"')
    return conditions, expression


def _rows(
    raw: SqlLedger, groups: Mapping[tuple[int, int], _Group], failures: dict[int, str]
) -> dict[tuple[int, int], Rows]:
    """Numbers of the rows of each group; each different condition is evaluated once."""
    different = list(dict.fromkeys(c for conditions, _ in groups.values() for c in conditions))
    names = {condition: f"c{number}" for number, condition in enumerate(different)}
    values = [value for _, given in different for value in given]
    given = [list(value) if isinstance(value, tuple) else value for value in values]
    listed = ", ".join(
        [f'"{ROW}"', *(f"{condition[0]} AS {names[condition]}" for condition in different)]
    )
    try:
        # Names are the schema's; values are given apart.
        relation = raw.connection.sql(f"SELECT {listed} FROM {raw.table}", params=given)  # noqa: S608
        table = relation.to_arrow_table()
    except duckdb.Error as error:
        numbers = {number for number, _ in groups}
        if len(numbers) > 1:  # one of them is at fault, and only that one fails
            counted: dict[tuple[int, int], Rows] = {}
            for number in sorted(numbers):
                own = {place: group for place, group in groups.items() if place[0] == number}
                counted |= _rows(raw, own, failures)
            return counted
        failures |= dict.fromkeys(numbers, without_persons(str(error)))
        return {}
    holds = {name: table[name].to_numpy() for name in table.column_names}
    # SQL promises no order, and digests of row numbers need one.
    order = np.argsort(holds[ROW], kind="stable")
    counted = {}
    for place, (conditions, _) in groups.items():
        mask = np.ones(len(order), dtype=bool)
        for condition in conditions:
            mask &= holds[names[condition]]
        counted[place] = holds[ROW][order][mask[order]]
    return counted


def _value(
    raw: SqlLedger,
    fact: Fact,
    number: int,
    groups: Mapping[tuple[int, int], _Group],
    rows: Mapping[tuple[int, int], Rows],
) -> tuple[str, Rows]:
    values: list[Decimal | str] = []
    for at, group in enumerate(fact["where"]):
        _, measure = groups[number, at]
        if measure is None:
            values.append(Decimal(len(rows[number, at])))
            continue
        raw.connection.register("chosen", pa.table({ROW: rows[number, at]}))
        query = f'FROM {raw.table} SEMI JOIN chosen USING ("{ROW}")'
        ((measured,),) = raw.connection.sql(f"SELECT CAST({measure} AS VARCHAR) {query}").fetchall()
        raw.connection.unregister("chosen")
        text = measured or ""
        dated = group.get("measure") in ("first", "last")
        values.append(text if dated or not text else Decimal(text))
    value = values[0]
    if len(values) == 2 and isinstance(value, Decimal) and isinstance(values[1], Decimal):
        value -= values[1]
    if isinstance(value, Decimal):
        value = plain(value / fact["where"][0].get("divide", 1))
    return value, np.concatenate([rows[number, at] for at in range(len(values))])


def changed_lines(raw: SqlLedger, records: pa.Table, key: bytes | None) -> list[str]:
    """Records that are not those of the run, as its evidence has them: file, line, and how."""
    cells = [f'CAST("{name}" AS VARCHAR) AS "{name}"' for name in record_columns(raw.schema)]
    query = f'SELECT "{ROW}", {", ".join(cells)} FROM {raw.table} ORDER BY "{ROW}"'  # noqa: S608
    current = raw.connection.sql(query).to_arrow_table()
    digests = row_digests(current.drop_columns([ROW]), key)
    both = min(records.num_rows, len(raw.lines))
    # Digest of each row that there is now; none for those that are not counted.
    places = np.full(len(raw.lines), -1)
    places[current[ROW].to_numpy()] = np.arange(current.num_rows)
    now = digests.take(pa.array(places, mask=places < 0))[:both]
    old = records["digest"].combine_chunks()[:both].cast(now.type)
    same = pc.or_kleene(pc.equal(now, old), pc.and_(pc.is_null(now), pc.is_null(old)))
    kept = pc.fill_null(same, False).to_numpy(zero_copy_only=False)
    kept &= records["line"].to_numpy()[:both] == raw.lines[:both]
    differing = np.flatnonzero(~kept).tolist()
    problems: list[str] = [
        Message("{place}: not the record that the run read", place=_place(records, row))
        for row in differing
    ]
    problems += [
        Message("{place}: the record is gone", place=_place(records, row))
        for row in range(both, records.num_rows)
    ]
    more = range(both, len(raw.lines))
    return problems + [
        Message("{place}: a record that the run did not read", place=raw.place(row)) for row in more
    ]


def _place(rowmap: pa.Table, row: int) -> str:
    place = {name: rowmap[name][row].as_py() for name in ("file", "sheet", "line")}
    return place_text(**place)
