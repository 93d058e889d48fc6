"""Cells and totals of an edition looked over: what cannot count, counts twice, or is left out."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

from reportkit.errors import InputError
from reportkit.facts.specs import MEASURED, misfits
from reportkit.forms.cells import cell_of
from reportkit.language import Message
from reportkit.ledgers import schemas

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reportkit.forms import Edition, Form, Leaf, Table
    from reportkit.forms.conditions import Condition, Definition
    from reportkit.ledgers import LedgerSchema
    from reportkit.yamlfile import Key

_EXACT = ("=", "in", "heaviest")


class FormFinding(NamedTuple):
    """A finding, and the key of the edition's file at which it is told.

    With a fatal one no report can be made.
    """

    key: Key
    message: str
    fatal: bool = False


class _Axis(NamedTuple):
    """The rows or the columns of a band, and those of the other axis."""

    table: Table
    at: Key
    leaves: Sequence[Leaf]
    across: Sequence[Leaf]
    is_row: bool

    def cell(self, key: str, across: str) -> str:
        return self.table.cell_id(*((key, across) if self.is_row else (across, key)))


def cells_of(form: Form, edition: Edition) -> Iterator[FormFinding]:
    """Yield cells without a condition, with one that nothing can meet, or that count the same."""
    known = schemas(form)
    seen: dict[tuple[str, str, Definition], str] = {}
    for at, table, row, column, definition in _defined(edition):
        name = table.cell_id(row.key, column.key)
        if isinstance(definition, InputError):
            why = Message("{cell}: {why}", cell=name, why=definition.message)
            yield FormFinding(edition.place(at, row), why, fatal=True)
            continue
        same = seen.setdefault((table.id, column.key, definition), row.key)
        if told := _impossible(known, definition):
            yield FormFinding(edition.place(at, row), name + told, fatal=True)
        elif told := _useless(known, definition):
            yield FormFinding(edition.place(at, row), name + told)
        elif same != row.key:
            told = name + Message(
                " counts the same as {cell}", cell=table.cell_id(same, column.key)
            )
            yield FormFinding(edition.place(at, row), told)


def totals_of(form: Form, edition: Edition) -> Iterator[FormFinding]:
    """Yield parts of totals that count a record twice, and what totals leave out."""
    found = {
        table.cell_id(row.key, column.key): definition
        for _, table, row, column, definition in _defined(edition)
        if not isinstance(definition, InputError)
    }
    for axis in _axes(edition):
        totals = [leaf for leaf in axis.leaves if leaf.total]
        for leaf in totals:
            yield from _closed(edition, axis, leaf)
            yield from _overlapping(edition, axis, leaf, found)
            yield from _left_out(schemas(form), edition, axis, leaf, found)


def _axes(edition: Edition) -> Iterator[_Axis]:
    for number, model in enumerate(edition.model.tables):
        table = edition.tables[model.id]
        for at, band in enumerate(model.bands):
            rows, columns = table.rows(band), table.columns(band)
            key: Key = ("tables", number, "bands", at)
            yield _Axis(table, (*key, "rows"), rows, columns, is_row=True)
            yield _Axis(table, (*key, "columns"), columns, rows, is_row=False)


def _defined(
    edition: Edition,
) -> Iterator[tuple[Key, Table, Leaf, Leaf, Definition | InputError]]:
    """Every cell that counts, with what it counts, or why nobody can say that."""
    year = edition.model.years.first
    for number, model in enumerate(edition.model.tables):
        table = edition.tables[model.id]
        for at, band in enumerate(model.bands):
            key: Key = ("tables", number, "bands", at, "rows")
            for row in table.rows(band):
                for column in (one for one in table.columns(band) if not (one.total or row.total)):
                    try:
                        definition = cell_of(table, band, row, column, year).definition
                    except InputError as error:
                        yield key, table, row, column, error
                    else:
                        if definition is not None:
                            yield key, table, row, column, definition


def _impossible(known: Mapping[str, LedgerSchema], definition: Definition) -> str:
    """Say why a cell cannot be counted; empty where it can."""
    if not definition.ledger:
        return Message(" says no ledger to count in")
    schema = known.get(definition.ledger)
    if schema is None:
        return Message(" counts in a ledger {ledger} that there is not", ledger=definition.ledger)
    columns = _columns(schema)
    dropped = {one.name for one in schema.columns if one.personal and not one.pseudonym}
    if persons := sorted(definition.columns & dropped):
        return Message(
            " counts by {columns}, which holds persons and is not kept",
            columns="、".join(persons),
        )
    if unknown := sorted(definition.columns - columns.keys()):
        return Message(
            ": {ledger} has no column {columns}", ledger=schema.name, columns="、".join(unknown)
        )
    if definition.column and columns[definition.column].type not in MEASURED["sum"]:
        return Message(" adds up {column}, which holds no numbers", column=definition.column)
    return ""


def _useless(known: Mapping[str, LedgerSchema], definition: Definition) -> str:
    """Say why a cell counts every record, or none; empty where it does not."""
    schema = known[definition.ledger]
    if not definition.where:
        return Message(
            " has no condition: it would count every record of {ledger}", ledger=schema.name
        )
    tests = (*definition.where, *(definition.minus or ()))
    told = (why for one in tests for why in misfits(one, _columns(schema)[one.column]))
    return next((Message(": {why}", why=why) for why in told), "")


def _columns(schema: LedgerSchema) -> dict[str, Any]:
    columns: dict[str, Any] = {one.name: one for one in schema.columns}
    return columns | {one.name: one for one in schema.derived}


def _closed(edition: Edition, axis: _Axis, total: Leaf) -> Iterator[FormFinding]:
    """Rows or columns beside a total that it does not add up, since they come after it."""
    at = edition.place(axis.at, total)
    if not total.parts:
        yield FormFinding(at, Message("the total {key} adds up nothing", key=total.key))
    start = axis.leaves.index(total)
    for leaf in axis.leaves[start + 1 :]:
        if leaf.groups[: len(total.groups)] == total.groups and not leaf.total:
            where = edition.place(axis.at, leaf)
            yield FormFinding(
                where,
                Message(
                    "{key} stands after the total {key2}, which leaves it out",
                    key=leaf.key,
                    key2=total.key,
                ),
            )


def _overlapping(
    edition: Edition, axis: _Axis, total: Leaf, found: Mapping[str, Definition]
) -> Iterator[FormFinding]:
    leaves = {leaf.key: leaf for leaf in axis.leaves}
    for one, other in combinations(total.parts, 2):
        pairs = (
            [found.get(axis.cell(key, leaf.key)) for key in (one, other)] for leaf in axis.across
        )
        if any(a and b and not _apart(a, b) for a, b in pairs):
            told = Message(
                "a record can be counted in {one} and in {other}, which {key} adds",
                one=one,
                other=other,
                key=total.key,
            )
            yield FormFinding(edition.place(axis.at, leaves[other]), told)


def _apart(one: Definition, other: Definition) -> bool:
    """Return True where no record meets both: another ledger, or other values of one column."""
    if one.ledger != other.ledger or one.measure != other.measure or one.column != other.column:
        return True
    return any(_exclude(a, b) for a in one.where for b in other.where if a.column == b.column)


def _exclude(one: Condition, other: Condition) -> bool:
    """Return True where no value meets both conditions of one column."""
    if one.op in _EXACT and other.op in _EXACT:
        return not {*one.value} & {*other.value}
    for a, b in ((one, other), (other, one)):
        if a.op in ("=", "in") and b.op == "not in" and {*a.value} <= {*b.value}:
            return True
        if a.op == "empty" and b.op in ("present", "between", "<", "<=", *_EXACT):
            return True
    spans = [_span(condition) for condition in (one, other)]
    if None in spans:
        return False
    (first, last, blank), (from_, to, too) = (span for span in spans if span)
    return not (blank and too) and (last < from_ or to < first)


def _span(condition: Condition) -> tuple[date, date, bool] | None:
    """First and last day that meet a condition, and whether an empty cell does too."""
    if condition.op not in ("between", "<", "<=", "empty or >=", "empty or >"):
        return None
    days = [date.fromisoformat(day) for day in condition.value]
    one = timedelta(days=1)
    return {
        "between": (days[0], days[-1], False),
        "<": (date.min, days[0] - one, False),
        "<=": (date.min, days[0], False),
        "empty or >=": (days[0], date.max, True),
        "empty or >": (days[0] + one, date.max, True),
    }[condition.op]


def _left_out(
    known: Mapping[str, LedgerSchema],
    edition: Edition,
    axis: _Axis,
    total: Leaf,
    found: Mapping[str, Definition],
) -> Iterator[FormFinding]:
    """Values of the column by which parts are told apart that no part counts."""
    band = edition.model.tables[int(axis.at[1])].bands[int(axis.at[3])]
    around = (band.define, *total.groups)
    by = next((node.by for node in reversed(around) if node.by), None)
    cells = [axis.cell(part, leaf.key) for part in total.parts for leaf in axis.across]
    counted = [found[cell] for cell in cells if cell in found]
    schema = known.get(counted[0].ledger) if counted and by else None
    column = next((one for one in schema.columns if one.name == by), None) if schema else None
    # Labels of a table are the values of a column with `form`: those of all editions.
    if column is None or column.form is not None or column.open:
        return
    values = {v for one in counted for test in one.where if test.column == by for v in test.value}
    for value in column.categories():
        if values and value not in values:
            told = Message(
                "the total {key} leaves out {by} {value}", key=total.key, by=by, value=value
            )
            yield FormFinding(edition.place(axis.at, total), told)
