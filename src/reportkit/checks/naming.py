"""Names of an edition looked over: those given twice, and rules that name what there is not."""

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

_KINDS = {
    "tables": Message("tables"), "rules": Message("rules"), "sections": Message("sections"),
}  # fmt: skip
_OF_TABLES = ("equal", "at_most", "disjoint", "complete", "continues", "share")


@lru_cache(maxsize=64)
def refuse_broken(form: Form, edition: Edition) -> None:
    """Refuse an edition by which nothing can be counted or checked; `look_over` tells more.

    Raises
    ------
    InputError
        ``form-broken``: each problem with file and line.
    """
    found = [one for one in (*names_of(form, edition), *cells_of(form, edition)) if one.fatal]
    if found:
        problems = dict.fromkeys(edition.file.problem(one.key, one.message) for one in found)
        raise InputError("form-broken", "{problems}", problems=joined("\n", problems))


def names_of(form: Form, edition: Edition) -> Iterator[FormFinding]:
    """Yield names that are given twice, and rules that name nothing, or say nothing."""
    yield from _said_twice(edition)
    known = rules_of(form)
    for number, rule in enumerate(edition.rules):
        at: Key = ("rules", number)
        if rule.id not in known:
            yield FormFinding(
                at, Message("rule {name} has no words in rules.yaml", name=rule.id), fatal=True
            )
        elif rule.share and {"percent", "least"} - known[rule.id].limits.keys():
            told = Message(
                "rule {name} has no limits {{percent: …, least: …}} in rules.yaml", name=rule.id
            )
            yield FormFinding(at, told, fatal=True)
        for why in _nothing_named(form, edition, rule):
            yield FormFinding(
                at,
                Message("rule {name} {told}; correct or drop it", name=rule.id, told=why),
                fatal=True,
            )


def cell_ids(edition: Edition) -> list[str]:
    """Ids of all cells of an edition; one that several have is there as often."""
    return [
        table.cell_id(row.key, column.key)
        for table in edition.tables.values()
        for _, row, column in table.places()
    ]


def _said_twice(edition: Edition) -> Iterator[FormFinding]:
    """Yield ids of cells, tables and rules, labels beside each other, and sections given twice."""
    ids: Counter[str] = Counter()
    for number, model in enumerate(edition.model.tables):
        table = edition.tables[model.id]
        for at, band in enumerate(model.bands):
            key: Key = ("tables", number, "bands", at)
            rows, columns = table.rows(band), table.columns(band)
            for leaf in rows:
                names = [table.cell_id(leaf.key, column.key) for column in columns]
                if wrong := [name for name in names if not FACT_ID.fullmatch(name)]:
                    told = Message(
                        "'{wrong}' is no id: keys are of small letters, digits and _",
                        wrong=wrong[0],
                    )
                    yield FormFinding(edition.place((*key, "rows"), leaf), told, fatal=True)
                if again := [name for name in names if ids[name] or names.count(name) > 1]:
                    told = Message(
                        "two cells have the id {again}; give one another key", again=again[0]
                    )
                    yield FormFinding(edition.place((*key, "rows"), leaf), told, fatal=True)
                ids.update(names)
            for axis, leaves in (("rows", rows), ("columns", columns)):
                for leaf, text in _again(leaves):
                    told = Message("{name} has the label {text} twice", name=table.id, text=text)
                    yield FormFinding(edition.place((*key, axis), leaf), told)
    for name, given in (
        ("tables", [one.id for one in edition.model.tables]),
        ("rules", [one.id for one in edition.rules]),
        ("sections", [one.number for one in edition.sections]),
        ("sections", [one.title for one in edition.sections]),
    ):
        for number, one in enumerate(given):
            if one in given[:number]:
                fatal = name != "sections"
                yield FormFinding(
                    (name, number),
                    Message("there are two {kind} {one}", kind=_KINDS[name], one=one),
                    fatal=fatal,
                )


def _again(leaves: Iterable[Leaf]) -> Iterator[tuple[Leaf, str]]:
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
    for name in (one for one in rule.natural or () if one not in edition.tables):
        yield Message("names a table {name} that there is not", name=name)
    parts = [(name, getattr(rule, name)) for name in _OF_TABLES]
    for name, part in ((name, part) for name, part in parts if part is not None):
        if part.table not in edition.tables:
            yield Message("names a table {table} that there is not", table=part.table)
            continue
        # A row of the edition before may be what this one goes on from.
        tables = [one.tables[part.table] for one in form.editions if part.table in one.tables]
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
    """Yield why a rule whose names are all there can apply nowhere."""
    totals = {leaf.key for leaves in _leaves(table) for leaf in leaves if leaf.total}
    if name in ("disjoint", "complete") and part.parts_of not in totals:
        yield Message("looks at the parts of {parts_of}, which is no total", parts_of=part.parts_of)
    if name not in ("equal", "at_most"):
        return
    if part.left == "parts" and (no_totals := [key for key in part.right if key not in totals]):
        yield Message(
            "adds up the parts of {no_totals}, which is no total", no_totals="、".join(no_totals)
        )
    sides = {*part.right, *(part.left if part.left != "parts" else ())}
    along = [leaves for at, leaves in enumerate(_leaves(table)) if at % 2 == (part.each == "row")]
    if not any(sides <= {leaf.key for leaf in leaves} for leaves in along):
        what = Message("columns") if part.each == "row" else Message("rows")
        listed = "、".join(sorted(sides))
        yield Message(
            "applies nowhere: no part of table {name} has the {what} {listed}",
            name=table.id,
            what=what,
            listed=listed,
        )


def _leaves(table: Table) -> list[tuple[Leaf, ...]]:
    """Rows, columns, rows, columns … of the bands of a table."""
    bands = ((table.rows(band), table.columns(band)) for band in table.model.bands)
    return [leaves for band in bands for leaves in band]


def _keys(tables: Iterable[Table]) -> set[str]:
    return {leaf.key for table in tables for leaves in _leaves(table) for leaf in leaves}
