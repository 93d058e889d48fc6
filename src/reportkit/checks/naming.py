"""Names of an edition examined: duplicates, and rules with names that do not exist."""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatch
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from reportkit.checks.closing import FormFinding, cells_of
from reportkit.checks.rules import rules_of
from reportkit.errors import InputError
from reportkit.language import Message, joined
from reportkit.params import FACT_ID

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reportkit.forms import Edition, Form, Leaf, Rule, Table
    from reportkit.yamlfile import Key

_OF_TABLES = ("equal", "at_most", "disjoint", "complete", "continues", "share")


@lru_cache(maxsize=64)
def refuse_broken(form: Form, edition: Edition) -> None:
    """Refuse an edition by which nothing can be counted or checked; `look_over` finds more.

    Raises
    ------
    InputError
        ``form-broken``: each problem with file and line.
    """
    found = (*names_of(form, edition), *cells_of(form, edition))
    problems = dict.fromkeys(
        edition.file.problem(fault.key, fault.message) for fault in found if fault.fatal
    )
    if problems:
        raise InputError("form-broken", "{problems}", problems=joined("\n", problems))


def names_of(form: Form, edition: Edition) -> Iterator[FormFinding]:
    """Yield names that are given twice, and rules without a text or with unknown names."""
    yield from _given_twice(edition)
    known = rules_of(form)
    for number, rule in enumerate(edition.rules):
        at: Key = ("rules", number)
        if rule.id not in known:
            message = Message("rule {name} has no words in rules.yaml", name=rule.id)
            yield FormFinding(at, message, fatal=True)
        elif rule.share and {"percent", "least"} - known[rule.id].limits.keys():
            message = Message(
                "rule {name} has no limits {{percent: …, least: …}} in rules.yaml", name=rule.id
            )
            yield FormFinding(at, message, fatal=True)
        for problem in _nothing_named(form, edition, rule):
            message = Message(
                "rule {name} {problem}; correct or drop it", name=rule.id, problem=problem
            )
            yield FormFinding(at, message, fatal=True)


def cell_ids(edition: Edition) -> list[str]:
    """Ids of all cells of an edition; one that several have is there as often."""
    return [
        table.cell_id(row.key, column.key)
        for table in edition.tables.values()
        for _, row, column in table.places()
    ]


def _given_twice(edition: Edition) -> Iterator[FormFinding]:
    """Yield ids of cells, tables and rules, labels beside each other, and sections given twice."""
    ids: Counter[str] = Counter()
    for key, table, band in edition.bands():
        rows, columns = table.rows(band), table.columns(band)
        for leaf in rows:
            place = edition.place((*key, "rows"), leaf)
            names = [table.cell_id(leaf.key, column.key) for column in columns]
            if wrong := [name for name in names if not FACT_ID.fullmatch(name)]:
                message = Message(
                    "'{id}' is no id: keys are of small letters, digits and _", id=wrong[0]
                )
                yield FormFinding(place, message, fatal=True)
            if again := [name for name in names if ids[name] or names.count(name) > 1]:
                message = Message("two cells have the id {id}; give one another key", id=again[0])
                yield FormFinding(place, message, fatal=True)
            ids.update(names)
        for axis, leaves in (("rows", rows), ("columns", columns)):
            for leaf, text in _repeated(leaves):
                message = Message("{name} has the label {text} twice", name=table.id, text=text)
                yield FormFinding(edition.place((*key, axis), leaf), message)
    for name, kind, given in (
        ("tables", Message("tables"), [table.id for table in edition.model.tables]),
        ("rules", Message("rules"), [rule.id for rule in edition.rules]),
        ("sections", Message("sections"), [section.number for section in edition.sections]),
        ("sections", Message("sections"), [section.title for section in edition.sections]),
    ):
        for number, value in enumerate(given):
            if value in given[:number]:
                message = Message("there are two {kind} {value}", kind=kind, value=value)
                yield FormFinding((name, number), message, fatal=name != "sections")


def _repeated(leaves: Iterable[Leaf]) -> Iterator[tuple[Leaf, str]]:
    seen: set[str] = set()
    for leaf in leaves:
        text = "/".join(node.label for node in leaf.path)
        if text in seen:
            yield leaf, text
        seen.add(text)


def _nothing_named(form: Form, edition: Edition, rule: Rule) -> Iterator[str]:
    """Yield tables, rows, columns and cells that a rule names and that there are not."""
    cells = cell_ids(edition)
    for pattern in rule.zero or ():
        if not any(fnmatch(cell, pattern) for cell in cells):
            yield Message("names no cell by {pattern}", pattern=pattern)
    for name in rule.natural or ():
        if name not in edition.tables:
            yield Message("names a table {table} that there is not", table=name)
    for name in _OF_TABLES:
        part = getattr(rule, name)
        if part is None:
            continue
        if part.table not in edition.tables:
            yield Message("names a table {table} that there is not", table=part.table)
            continue
        # A rule about last year may name a row of the edition before.
        tables = [e.tables[part.table] for e in form.editions if part.table in e.tables]
        table = edition.tables[part.table]
        unknown = []
        for field, value in part:
            named = [value] if isinstance(value, str) else [*value]
            if field in ("table", "each") or named == ["parts"]:
                continue
            there = _keys(tables if field == "past" else [table])
            unknown += [key for key in named if key not in there]
        for key in dict.fromkeys(unknown):
            yield Message(
                "names {key}, which table {table} does not have", key=key, table=part.table
            )
        if not unknown:
            yield from _no_place(table, name, part)


def _no_place(table: Table, name: str, part: Any) -> Iterator[str]:
    """Yield reasons why a rule, though its names exist, applies nowhere."""
    totals = {leaf.key for axis in table.axes() for leaf in axis.leaves if leaf.total}
    if name in ("disjoint", "complete") and part.parts_of not in totals:
        yield Message("looks at the parts of {parts_of}, which is no total", parts_of=part.parts_of)
    if name not in ("equal", "at_most"):
        return
    if part.left == "parts" and (no_totals := [key for key in part.right if key not in totals]):
        yield Message(
            "adds up the parts of {no_totals}, which is no total", no_totals="、".join(no_totals)
        )
    sides = {*part.right, *(part.left if part.left != "parts" else ())}
    axes = [axis for axis in table.axes() if axis.is_row == (part.each == "column")]
    if not any(sides <= {leaf.key for leaf in axis.leaves} for axis in axes):
        yield Message(
            "applies nowhere: no part of table {name} has the {kind} {listed}",
            name=table.id,
            kind=Message("columns") if part.each == "row" else Message("rows"),
            listed="、".join(sorted(sides)),
        )


def _keys(tables: Iterable[Table]) -> set[str]:
    return {leaf.key for table in tables for axis in table.axes() for leaf in axis.leaves}
