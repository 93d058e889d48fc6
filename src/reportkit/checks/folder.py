"""A form folder examined before any report is made by it: what can never count, close or hold."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import TYPE_CHECKING

from reportkit.checks.closing import FormFinding, cells_of, totals_of
from reportkit.checks.naming import cell_ids, names_of
from reportkit.checks.rules import rules_of, rules_of_any
from reportkit.errors import InputError
from reportkit.facts.specs import read_specs
from reportkit.forms import project_form
from reportkit.language import Message
from reportkit.ledgers import schemas
from reportkit.text.placeholders import placeholders
from reportkit.yamlfile import read_prose, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reportkit.forms import Edition, Form
    from reportkit.yamlfile import Key, YamlFile


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
    found += _texts(form, folder)
    for edition in form.editions:
        found += [
            edition.file.problem(fault.key, fault.message) for fault in _edition(form, edition)
        ]
    return list(dict.fromkeys(found))


def _edition(form: Form, edition: Edition) -> Iterator[FormFinding]:
    yield from names_of(form, edition)
    yield from cells_of(form, edition)
    yield from totals_of(form, edition)
    for name in edition.model.bases.keys() - rules_of(form).keys():
        message = Message("bases names a rule {name} that there is not", name=name)
        yield FormFinding(("bases", name), message)
    for number, section in enumerate(edition.sections):
        if section.table is not None and section.table not in edition.tables:
            message = Message(
                "section {number} shows a table {table} that there is not",
                number=section.number,
                table=section.table,
            )
            yield FormFinding(("sections", number), message)
    yield from _unknown_facts(form, edition)


def _unknown_facts(form: Form, edition: Edition) -> Iterator[FormFinding]:
    """Yield headlines, successors and their like that name cells and facts that there are not."""
    cells = cell_ids(edition)
    for number, follow in enumerate(edition.model.follows):
        for pattern in follow.here:
            if not any(fnmatch(cell, pattern) for cell in cells):
                message = Message("follows names a cell {cell} that there is not", cell=pattern)
                yield FormFinding(("follows", number), message)
    known = {*cells, *_own_facts(form)}
    columns = {c.name: c.type for schema in schemas(form).values() for c in schema.columns}
    for number, headline in enumerate(edition.model.headlines):
        at: Key = ("headlines", number)
        for name in (*headline.facts, *headline.of):
            if name not in known:
                message = Message(
                    "headline {label} names a fact {name} that there is not",
                    label=headline.label,
                    name=name,
                )
                yield FormFinding(at, message)
        if headline.months and columns.get(headline.months) != "date":
            message = Message(
                "headline {label}: no ledger has a date {months}",
                label=headline.label,
                months=headline.months,
            )
            yield FormFinding(at, message)


def _ledgers(form: Form) -> Iterator[str]:
    """Yield ledgers that have the same name, and columns of one ledger that have."""
    file: YamlFile = form.parts["ledgers"]
    names: set[str] = set()
    for key, schema in schemas(form).items():
        if schema.name in names:
            message = Message("two ledgers are named {name}", name=schema.name)
            yield file.problem((key, "name"), message)
        names.add(schema.name)
        for field in ("name", "key"):
            given = [getattr(column, field) for column in schema.columns]
            for number, value in enumerate(given):
                if value in given[:number]:
                    message = Message(
                        "{name} has two columns with the {field} {value}",
                        name=schema.name,
                        field=field,
                        value=value,
                    )
                    yield file.problem((key, "columns", number), message)


def _words(form: Form) -> Iterator[str]:
    """Yield texts of rules that no edition has, and what is wrong with the facts of the form."""
    if "rules" in form.parts:
        used = {rule.id for edition in form.editions for rule in edition.rules}
        file = form.parts["rules"]
        for name in sorted(file.data.keys() - used - rules_of_any()):
            message = Message("these are words for a rule {name} that no edition has", name=name)
            yield file.problem((name,), message)
    if "facts" in form.parts:
        try:
            read_specs(form, form.parts["facts"].path.parent / "params/facts")
        except InputError as error:
            yield from error.message.splitlines()


def _summary(form: Form, path: Path) -> Iterator[str]:
    """Yield figures of form.yaml that no edition has."""
    if not path.is_file():
        return
    known = {cell for edition in form.editions for cell in cell_ids(edition)} | _own_facts(form)
    file = read_yaml(path)
    for number, line in enumerate(form.model.summary if "summary" in file.data else ()):
        for name in (name for name in line.facts if name not in known):
            message = Message(
                "summary {label} names a fact {name} that there is not", label=line.label, name=name
            )
            yield file.problem(("summary", number), message)


def _texts(form: Form, folder: Path) -> Iterator[str]:
    """Yield facts that default texts name and that there are not."""
    for edition in form.own:
        path = folder / f"{edition.file.path.stem}.md"
        if path.is_file():
            known = {*cell_ids(edition), *_own_facts(form)}
            for line, name in placeholders(read_prose(path)):
                if name not in known and not name.startswith("district."):
                    yield Message(
                        "{path}:{line}: the text names a fact {name} that there is not",
                        path=path,
                        line=line,
                        name=name,
                    )


def _own_facts(form: Form) -> set[str]:
    listed = form.parts["facts"].data.get("facts", ()) if "facts" in form.parts else ()
    return {str(fact.get("id")) for fact in listed}
