"""Cells and totals of an edition examined: what cannot count, counts twice, or is left out."""

from __future__ import annotations

from functools import partial
from itertools import combinations, product
from typing import TYPE_CHECKING, Any, NamedTuple

from reportkit.errors import InputError
from reportkit.facts.specs import MEASURED, misfits
from reportkit.forms.cells import Axis, cell_of, innermost
from reportkit.language import Message
from reportkit.ledgers import schemas

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from reportkit.forms import Edition, Form, Leaf, Table
    from reportkit.forms.conditions import Condition, Definition
    from reportkit.ledgers import LedgerSchema
    from reportkit.yamlfile import Key

_EXACT = ("=", "in", "heaviest")


class FormFinding(NamedTuple):
    """A finding, and the key at which it stands in the edition's file.

    With a fatal one no report can be made.
    """

    key: Key
    message: str
    fatal: bool = False


def cells_of(form: Form, edition: Edition) -> Iterator[FormFinding]:
    """Yield cells without a condition, with one that nothing can meet, or that count the same."""
    known = schemas(form)
    seen: dict[tuple[str, str, Definition], str] = {}
    for at, table, row, column, definition in _defined(edition):
        name, place = table.cell_id(row.key, column.key), edition.place(at, row)
        if isinstance(definition, InputError):
            message = Message("{cell}: {message}", cell=name, message=definition.message)
            yield FormFinding(place, message, fatal=True)
            continue
        same = seen.setdefault((table.id, column.key, definition), row.key)
        if problem := _impossible(known, definition):
            yield FormFinding(place, name + problem, fatal=True)
        elif problem := _useless(known, definition):
            yield FormFinding(place, name + problem)
        elif same != row.key:
            other = table.cell_id(same, column.key)
            yield FormFinding(place, name + Message(" counts the same as {cell}", cell=other))


def totals_of(form: Form, edition: Edition) -> Iterator[FormFinding]:
    """Yield parts of totals that count a record twice, and what totals leave out."""
    found = {
        table.cell_id(row.key, column.key): definition
        for _, table, row, column, definition in _defined(edition)
        if not isinstance(definition, InputError)
    }
    for key, table, band in edition.bands():
        for name in ("rows", "columns"):
            axis = Axis(table, band, is_row=name == "rows")
            for total in (leaf for leaf in axis.leaves if leaf.total):
                place = partial(edition.place, (*key, name))
                yield from _after(axis, total, place)
                yield from _overlapping(axis, total, place, found)
                yield from _left_out(schemas(form), axis, total, place, found)


def _defined(
    edition: Edition,
) -> Iterator[tuple[Key, Table, Leaf, Leaf, Definition | InputError]]:
    """Yield every cell that counts, with its definition, or the error in it."""
    year = edition.model.years.first
    for key, table, band in edition.bands():
        for row, column in product(table.rows(band), table.columns(band)):
            if row.total or column.total:
                continue
            definition: Definition | InputError | None
            try:
                definition = cell_of(table, band, row, column, year).definition
            except InputError as error:
                definition = error
            if definition is not None:
                yield (*key, "rows"), table, row, column, definition


def _impossible(known: Mapping[str, LedgerSchema], definition: Definition) -> str:
    """Return why a cell cannot be counted; empty where it can."""
    if not definition.ledger:
        return Message(" says no ledger to count in")
    schema = known.get(definition.ledger)
    if schema is None:
        return Message(" counts in a ledger {ledger} that there is not", ledger=definition.ledger)
    columns = _columns(schema)
    dropped = {c.name for c in schema.columns if c.personal and not c.pseudonym}
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
    """Return why a cell counts every record, or none; empty where it does not."""
    schema = known[definition.ledger]
    if not definition.where:
        return Message(
            " has no condition: it would count every record of {ledger}", ledger=schema.name
        )
    columns = _columns(schema)
    tests = (*definition.where, *(definition.minus or ()))
    problems = (problem for test in tests for problem in misfits(test, columns[test.column]))
    return next((Message(": {problem}", problem=problem) for problem in problems), "")


def _columns(schema: LedgerSchema) -> dict[str, Any]:
    columns: dict[str, Any] = {column.name: column for column in schema.columns}
    return columns | {column.name: column for column in schema.derived}


def _after(axis: Axis, total: Leaf, place: Callable[[Leaf], Key]) -> Iterator[FormFinding]:
    """Yield rows or columns that a total does not add up, since they come after it."""
    if not total.parts:
        yield FormFinding(place(total), Message("the total {key} adds up nothing", key=total.key))
    start = axis.leaves.index(total)
    for leaf in axis.leaves[start + 1 :]:
        if leaf.groups[: len(total.groups)] == total.groups and not leaf.total:
            message = Message(
                "{key} stands after the total {total}, which leaves it out",
                key=leaf.key,
                total=total.key,
            )
            yield FormFinding(place(leaf), message)


def _overlapping(
    axis: Axis, total: Leaf, place: Callable[[Leaf], Key], found: Mapping[str, Definition]
) -> Iterator[FormFinding]:
    """Yield parts of a total by which a record can be counted twice."""
    leaves = {leaf.key: leaf for leaf in axis.leaves}
    for one, other in combinations(total.parts, 2):
        pairs = (
            [found.get(axis.cell(key, leaf.key)) for key in (one, other)] for leaf in axis.across
        )
        if any(a and b and not _apart(a, b) for a, b in pairs):
            message = Message(
                "a record can be counted in {one} and in {other}, which {key} adds",
                one=one,
                other=other,
                key=total.key,
            )
            yield FormFinding(place(leaves[other]), message)


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
    spans = [condition.span() for condition in (one, other)]
    if None in spans:
        return False
    (first, last, blank), (start, end, blank_too) = (span for span in spans if span)
    return not (blank and blank_too) and bool(last < start or end < first)


def _left_out(
    known: Mapping[str, LedgerSchema],
    axis: Axis,
    total: Leaf,
    place: Callable[[Leaf], Key],
    found: Mapping[str, Definition],
) -> Iterator[FormFinding]:
    """Yield values of the column that distinguishes the parts of a total, which no part counts."""
    by = innermost((axis.band.define, *total.groups), "by")
    cells = [axis.cell(part, leaf.key) for part in total.parts for leaf in axis.across]
    counted = [found[cell] for cell in cells if cell in found]
    schema = known.get(counted[0].ledger) if counted and by else None
    column = next((c for c in schema.columns if c.name == by), None) if schema else None
    # Labels of a table are the values of a column with `form`: those of all editions.
    if column is None or column.form is not None or column.open:
        return
    tests = (test for definition in counted for test in definition.where)
    values = {value for test in tests if test.column == by for value in test.value}
    for value in column.categories():
        if values and value not in values:
            message = Message(
                "the total {key} leaves out {by} {value}", key=total.key, by=by, value=value
            )
            yield FormFinding(place(total), message)
