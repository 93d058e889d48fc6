"""A form folder looked over before anything is made by it: what can never count, close or hold."""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatch
from itertools import combinations
from typing import TYPE_CHECKING, Any

from reportkit.checks.rules import rules_of
from reportkit.forms import project_form
from reportkit.language import Message
from reportkit.ledgers import schemas

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from reportkit.forms import Edition, Form, Rule, Table
    from reportkit.forms.conditions import Definition
    from reportkit.ledgers import LedgerSchema
    from reportkit.yamlfile import Key, YamlFile


def look_over(folder: Path) -> list[str]:
    """List what is wrong with the editions of a form folder, each with file and line.

    Parameters
    ----------
    folder : Path
        ``forms/<name>`` of a project.

    Raises
    ------
    InputError
        It cannot be read at all; with file and line.
    """
    form = project_form(folder.name, folder.parent)
    return [told for edition in form.own for told in _edition(form, edition)]


def _edition(form: Form, edition: Edition) -> Iterator[str]:
    yield from _said_twice(edition)
    yield from _cells(form, edition)
    for table in edition.tables.values():
        yield from _totals(form, edition, table)
    known = rules_of(form, edition)
    for rule in edition.rules:
        if rule.id not in known:
            yield _at(
                edition.file, rule.id, Message("rule {id} has no words in rules.yaml", id=rule.id)
            )
        yield from _nothing_named(form, edition, rule)
    for name in edition.model.bases.keys() - known.keys():
        yield _at(
            edition.file, "bases", Message("bases names a rule {name} that there is not", name=name)
        )
    for section in edition.sections:
        if section.table is not None and section.table not in edition.tables:
            told = Message(
                "section {number} shows a table {table} that there is not",
                number=section.number,
                table=section.table,
            )
            yield _at(edition.file, section.number, told)
    cells = {cell.id for cell in edition.cells(edition.model.years.first)}
    for follow in edition.model.follows:
        names = (one for one in follow.here if not any(fnmatch(cell, one) for cell in cells))
        yield from (
            _at(
                edition.file,
                follow.cells,
                Message("follows names a cell {one} that there is not", one=one),
            )
            for one in names
        )


def _at(file: YamlFile, name: str, message: str) -> str:
    """The message with file and line of the entry that is called so."""
    return file.problem(_place(file.data, name, ()) or (), message)


def _place(data: Any, name: str, key: Key) -> Key | None:
    if isinstance(data, dict):
        if name in (data.get(one) for one in ("key", "id", "number", "label", "cells")):
            return key
        pairs: Iterable[tuple[Any, Any]] = data.items()
        if name in data:
            return (*key, name)
    elif isinstance(data, list):
        pairs = enumerate(data)
    else:
        return None
    found = (_place(inner, name, (*key, at)) for at, inner in pairs)
    return next((one for one in found if one is not None), None)


def _said_twice(edition: Edition) -> Iterator[str]:
    """Cells with one id; labels that print alike beside each other; sections of one number."""
    cells = Counter(cell.id for cell in edition.cells(edition.model.years.first))
    for name in (one for one, count in cells.items() if count > 1):
        row = name.split(".")[1]
        yield _at(
            edition.file,
            row,
            Message("two cells have the id {name}; give one another key", name=name),
        )
    for table in edition.tables.values():
        for band in table.model.bands:
            for leaves in (table.rows(band), table.columns(band)):
                texts = Counter("/".join(node.label for node in leaf.path) for leaf in leaves)
                for leaf in reversed(leaves):
                    text = "/".join(node.label for node in leaf.path)
                    if texts.pop(text, 1) > 1:
                        told = Message("{id} has the label {text} twice", id=table.id, text=text)
                        yield _at(edition.file, leaf.key, told)
    numbers = Counter(section.number for section in edition.sections)
    for number in (one for one, count in numbers.items() if count > 1):
        yield _at(edition.file, number, Message("there are two sections {number}", number=number))


def _cells(form: Form, edition: Edition) -> Iterator[str]:
    """Cells without a condition, or with one that no record can meet."""
    known = schemas(form)
    for cell in edition.cells(edition.model.years.first):
        definition = cell.definition
        if definition is None:
            continue
        schema = known.get(definition.ledger)
        if schema is None:
            told: str = Message(
                "{id} counts in a ledger {ledger} that there is not",
                id=cell.id,
                ledger=definition.ledger,
            )
        elif not definition.where:
            told = Message(
                "{id} has no condition: it would count every record of {name}",
                id=cell.id,
                name=schema.name,
            )
        else:
            never = next(_never(schema, definition), "")
            told = f"{cell.id}: " + never if never else ""
        if told:
            yield _at(edition.file, cell.row, told)


def _never(schema: LedgerSchema, definition: Definition) -> Iterator[str]:
    columns: dict[str, Any] = {one.name: one for one in schema.columns}
    columns |= {one.name: one for one in schema.derived}
    for name in sorted(definition.columns - columns.keys()):
        yield Message("{ledger} has no column {name}", ledger=schema.name, name=name)
    for test in definition.where:
        column = columns.get(test.column)
        if column is None or column.type != "category" or column.open:
            continue
        for value in test.value if test.op in ("=", "in", "not in") else ():
            if value not in column.categories():
                yield Message("{column} is never {value}", column=test.column, value=value)


def _totals(form: Form, edition: Edition, table: Table) -> Iterator[str]:
    """Parts of a total that count a record twice, or leave out a value that a record can have."""
    cells = {cell.id: cell for cell in edition.cells(edition.model.years.first)}
    for band in table.model.bands:
        columns = [column for column in table.columns(band) if not column.parts]
        for row in (one for one in table.rows(band) if one.total):
            if not row.parts:
                yield _at(
                    edition.file, row.key, Message("the total {key} adds up nothing", key=row.key)
                )
            for one, other in combinations(row.parts, 2):
                pairs = ([cells[table.cell_id(r, c.key)] for r in (one, other)] for c in columns)
                both = [[cell.definition for cell in pair] for pair in pairs]
                if any(a and b and not _apart(a, b) for a, b in both):
                    told = Message(
                        "a record can be counted in {one} and in {other}, which {key} adds",
                        one=one,
                        other=other,
                        key=row.key,
                    )
                    yield _at(edition.file, other, told)
            counted = [cells[table.cell_id(part, columns[0].key)].definition for part in row.parts]
            by = next((node.by for node in reversed(row.groups) if node.by), None)
            for value in _left_out(schemas(form), by, [one for one in counted if one]):
                yield _at(
                    edition.file,
                    row.key,
                    Message(
                        "the total {key} leaves out {by} {value}", key=row.key, by=by, value=value
                    ),
                )


def _apart(one: Definition, other: Definition) -> bool:
    """Return True where no record meets both: another ledger, or other values of one column."""
    if one.ledger != other.ledger or one.measure != other.measure or one.column != other.column:
        return True
    exact = ("=", "in", "heaviest")
    return any(
        a.column == b.column and a.op in exact and b.op in exact and not {*a.value} & {*b.value}
        for a in one.where
        for b in other.where
    )


def _left_out(
    known: Mapping[str, LedgerSchema], by: str | None, counted: list[Definition]
) -> Iterator[str]:
    schema = known.get(counted[0].ledger) if counted and by else None
    column = next((c for c in schema.columns if c.name == by), None) if schema else None
    # Labels of a table are the values of a column with `form`: those of all editions.
    if column is not None and column.form is None and not column.open:
        values = {
            v for one in counted for test in one.where if test.column == by for v in test.value
        }
        yield from (value for value in column.categories() if values and value not in values)


def _nothing_named(form: Form, edition: Edition, rule: Rule) -> Iterator[str]:
    """Tables, rows, columns and cells that a rule names and that there are not."""
    cells = [cell.id for cell in edition.cells(edition.model.years.first)]
    for pattern in rule.zero or ():
        if not any(fnmatch(cell, pattern) for cell in cells):
            yield _at(
                edition.file,
                rule.id,
                Message("rule {id} names no cell by {pattern}", id=rule.id, pattern=pattern),
            )
    for table in (one for one in rule.natural or () if one not in edition.tables):
        yield _at(
            edition.file,
            rule.id,
            Message("rule {id} names a table {table} that there is not", id=rule.id, table=table),
        )
    for name in ("equal", "at_most", "disjoint", "complete", "continues", "share"):
        part = getattr(rule, name)
        if part is None:
            continue
        if part.table not in edition.tables:
            told = Message(
                "rule {id} names a table {table} that there is not", id=rule.id, table=part.table
            )
            yield _at(edition.file, rule.id, told)
            continue
        # A row of the edition before may be what this one goes on from.
        tables = [one.tables[part.table] for one in form.editions if part.table in one.tables]
        own = _keys([edition.tables[part.table]])
        for field, value in part:
            named = [value] if isinstance(value, str) else [*value]
            if field in ("table", "each") or named == ["parts"]:
                continue
            there = _keys(tables) if field == "past" else own
            for key in (one for one in named if one not in there):
                told = Message(
                    "rule {id} names {key}, which table {table} does not have",
                    id=rule.id,
                    key=key,
                    table=part.table,
                )
                yield _at(edition.file, rule.id, told)


def _keys(tables: Iterable[Table]) -> set[str]:
    return {
        leaf.key for table in tables for _, row, column in table.places() for leaf in (row, column)
    }
