"""A form folder looked over before anything is made by it: what can never count, close or hold."""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

from reportkit.checks.closing import Finding, cells_of, place_of, totals_of
from reportkit.checks.rules import rules_of, rules_of_any
from reportkit.errors import InputError
from reportkit.facts.specs import read_specs
from reportkit.forms import project_form
from reportkit.ledgers import schemas
from reportkit.yamlfile import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from reportkit.forms import Edition, Form, Leaf, Rule, Table
    from reportkit.yamlfile import Key, YamlFile

_OF_TABLES = ("equal", "at_most", "disjoint", "complete", "continues", "share")


def look_over(folder: Path) -> list[str]:
    """List what is wrong with a form folder, each finding with file and line.

    Every edition is looked at as it is in the end, with what it takes from another; so are those
    of the form that it extends, since ledgers and rules may be other ones here.

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
    found = [*_ledgers(form), *_words(form), *_summary(form, folder / "form.yaml")]
    for edition in form.editions:
        found += [edition.file.problem(*one) for one in _edition(form, edition)]
    return list(dict.fromkeys(found))


def _edition(form: Form, edition: Edition) -> Iterator[Finding]:
    yield from _said_twice(edition)
    yield from cells_of(form, edition)
    yield from totals_of(form, edition)
    known = rules_of(form, edition)
    for number, rule in enumerate(edition.rules):
        at: Key = ("rules", number)
        if rule.id not in known:
            yield Finding(at, f"rule {rule.id} has no words in rules.yaml")
        for told in _nothing_named(form, edition, rule):
            yield Finding(at, f"rule {rule.id} {told}")
    for name in edition.model.bases.keys() - known.keys():
        yield Finding(("bases", name), f"bases names a rule {name} that there is not")
    for number, section in enumerate(edition.sections):
        if section.table is not None and section.table not in edition.tables:
            told = f"section {section.number} shows a table {section.table} that there is not"
            yield Finding(("sections", number), told)
    yield from _unknown_facts(form, edition)


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
                if again := [name for name in names if ids[name] or names.count(name) > 1]:
                    told = f"two cells have the id {again[0]}; give one another key"
                    yield Finding(place_of(edition, (*key, "rows"), leaf), told)
                ids.update(names)
            for axis, leaves in (("rows", rows), ("columns", columns)):
                for leaf, text in _again(leaves):
                    told = f"{table.id} has the label {text} twice"
                    yield Finding(place_of(edition, (*key, axis), leaf), told)
    for name, given in (
        ("tables", [one.id for one in edition.model.tables]),
        ("rules", [one.id for one in edition.rules]),
        ("sections", [one.number for one in edition.sections]),
        ("sections", [one.title for one in edition.sections]),
    ):
        for number, one in enumerate(given):
            if one in given[:number]:
                yield Finding((name, number), f"there are two {name} {one}")


def _again(leaves: Iterable[Leaf]) -> Iterator[tuple[Leaf, str]]:
    seen: set[str] = set()
    for leaf in leaves:
        text = "/".join(node.label for node in leaf.path)
        if text in seen:
            yield leaf, text
        seen.add(text)


def _nothing_named(form: Form, edition: Edition, rule: Rule) -> Iterator[str]:
    """Yield tables, rows, columns and cells that a rule names and that there are not."""
    cells = _cells(edition)
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


def _cells(edition: Edition) -> list[str]:
    return [
        table.cell_id(row.key, column.key)
        for table in edition.tables.values()
        for _, row, column in table.places()
    ]


def _unknown_facts(form: Form, edition: Edition) -> Iterator[Finding]:
    """Yield headlines, successors and their like that name cells and facts that there are not."""
    cells = _cells(edition)
    for number, follow in enumerate(edition.model.follows):
        for one in follow.here:
            if not any(fnmatch(cell, one) for cell in cells):
                yield Finding(("follows", number), f"follows names a cell {one} that there is not")
    known = {*cells, *_own_facts(form)}
    columns = {one.name: one.type for schema in schemas(form).values() for one in schema.columns}
    for number, headline in enumerate(edition.model.headlines):
        at: Key = ("headlines", number)
        for name in (*headline.facts, *headline.of):
            if name not in known:
                told = f"headline {headline.label} names a fact {name} that there is not"
                yield Finding(at, told)
        if headline.months and columns.get(headline.months) != "date":
            told = f"headline {headline.label}: no ledger has a date {headline.months}"
            yield Finding(at, told)


def _ledgers(form: Form) -> Iterator[str]:
    """Ledgers that are called alike, and columns of one that are."""
    file: YamlFile = form.parts["ledgers"]
    names: set[str] = set()
    for key, schema in schemas(form).items():
        if schema.name in names:
            yield file.problem((key, "name"), f"two ledgers are named {schema.name}")
        names.add(schema.name)
        for field in ("name", "key"):
            given = [getattr(column, field) for column in schema.columns]
            for number, one in enumerate(given):
                if one in given[:number]:
                    told = f"{schema.name} has two columns with the {field} {one}"
                    yield file.problem((key, "columns", number), told)


def _words(form: Form) -> Iterator[str]:
    """Words for rules that no edition has, and facts and figures that cannot be."""
    if "rules" in form.parts:
        used = {rule.id for edition in form.editions for rule in edition.rules}
        file = form.parts["rules"]
        for name in sorted(file.data.keys() - used - rules_of_any()):
            yield file.problem((name,), f"these are words for a rule {name} that no edition has")
    if "facts" in form.parts:
        try:
            read_specs(form, form.parts["facts"].path.parent / "params/facts")
        except InputError as error:
            yield from error.message.splitlines()


def _summary(form: Form, path: Path) -> Iterator[str]:
    """Figures of form.yaml that no edition has."""
    if not path.is_file():
        return
    known = {cell for edition in form.editions for cell in _cells(edition)} | _own_facts(form)
    file = read_yaml(path)
    for number, one in enumerate(form.model.summary if "summary" in file.data else ()):
        for name in (name for name in one.facts if name not in known):
            told = f"summary {one.label} names a fact {name} that there is not"
            yield file.problem(("summary", number), told)


def _own_facts(form: Form) -> set[str]:
    listed = form.parts["facts"].data.get("facts", ()) if "facts" in form.parts else ()
    return {str(one.get("id")) for one in listed}
