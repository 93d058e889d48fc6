"""Names of an edition looked over: those given twice, and rules that name what there is not."""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatch
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from reportkit.checks.closing import Finding, cells_of
from reportkit.checks.rules import rules_of
from reportkit.errors import InputError
from reportkit.params import FACT_ID

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reportkit.forms import Edition, Form, Leaf, Rule, Table
    from reportkit.yamlfile import Key

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
        raise InputError("form-broken", "{problems}", problems="\n".join(problems))


def names_of(form: Form, edition: Edition) -> Iterator[Finding]:
    """Yield names that are given twice, and rules that name nothing, or say nothing."""
    yield from _said_twice(edition)
    known = rules_of(form)
    for number, rule in enumerate(edition.rules):
        at: Key = ("rules", number)
        if rule.id not in known:
            yield Finding(at, f"rule {rule.id} has no words in rules.yaml", fatal=True)
        elif rule.share and {"percent", "least"} - known[rule.id].limits.keys():
            told = "has no limits {percent: …, least: …} in rules.yaml"
            yield Finding(at, f"rule {rule.id} {told}", fatal=True)
        for told in _nothing_named(form, edition, rule):
            yield Finding(at, f"rule {rule.id} {told}; correct or drop it", fatal=True)


def cell_ids(edition: Edition) -> list[str]:
    """Ids of all cells of an edition; one that several have is there as often."""
    return [
        table.cell_id(row.key, column.key)
        for table in edition.tables.values()
        for _, row, column in table.places()
    ]


def _said_twice(edition: Edition) -> Iterator[Finding]:
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
                    told = f"'{wrong[0]}' is no id: keys are of small letters, digits and _"
                    yield Finding(edition.place((*key, "rows"), leaf), told, fatal=True)
                if again := [name for name in names if ids[name] or names.count(name) > 1]:
                    told = f"two cells have the id {again[0]}; give one another key"
                    yield Finding(edition.place((*key, "rows"), leaf), told, fatal=True)
                ids.update(names)
            for axis, leaves in (("rows", rows), ("columns", columns)):
                for leaf, text in _again(leaves):
                    told = f"{table.id} has the label {text} twice"
                    yield Finding(edition.place((*key, axis), leaf), told)
    for name, given in (
        ("tables", [one.id for one in edition.model.tables]),
        ("rules", [one.id for one in edition.rules]),
        ("sections", [one.number for one in edition.sections]),
        ("sections", [one.title for one in edition.sections]),
    ):
        for number, one in enumerate(given):
            if one in given[:number]:
                fatal = name != "sections"
                yield Finding((name, number), f"there are two {name} {one}", fatal=fatal)


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
            yield f"names no cell by {pattern}"
    for name in (one for one in rule.natural or () if one not in edition.tables):
        yield f"names a table {name} that there is not"
    parts = [(name, getattr(rule, name)) for name in _OF_TABLES]
    for name, part in ((name, part) for name, part in parts if part is not None):
        if part.table not in edition.tables:
            yield f"names a table {part.table} that there is not"
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
            yield f"names {key}, which table {part.table} does not have"
        if not unknown:
            yield from _no_place(table, name, part)


def _no_place(table: Table, name: str, part: Any) -> Iterator[str]:
    """Yield why a rule whose names are all there can apply nowhere."""
    totals = {leaf.key for leaves in _leaves(table) for leaf in leaves if leaf.total}
    if name in ("disjoint", "complete") and part.parts_of not in totals:
        yield f"looks at the parts of {part.parts_of}, which is no total"
    if name not in ("equal", "at_most"):
        return
    if part.left == "parts" and (no_totals := [key for key in part.right if key not in totals]):
        yield f"adds up the parts of {'、'.join(no_totals)}, which is no total"
    sides = {*part.right, *(part.left if part.left != "parts" else ())}
    along = [leaves for at, leaves in enumerate(_leaves(table)) if at % 2 == (part.each == "row")]
    if not any(sides <= {leaf.key for leaf in leaves} for leaves in along):
        what = "columns" if part.each == "row" else "rows"
        listed = "、".join(sorted(sides))
        yield f"applies nowhere: no part of table {table.id} has the {what} {listed}"


def _leaves(table: Table) -> list[tuple[Leaf, ...]]:
    """Rows, columns, rows, columns … of the bands of a table."""
    bands = ((table.rows(band), table.columns(band)) for band in table.model.bands)
    return [leaves for band in bands for leaves in band]


def _keys(tables: Iterable[Table]) -> set[str]:
    return {leaf.key for table in tables for leaves in _leaves(table) for leaf in leaves}
