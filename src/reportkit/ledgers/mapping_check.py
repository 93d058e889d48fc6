"""The mappings of a district: those that its file gives and the package carries, checked."""

from __future__ import annotations

import difflib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from reportkit.errors import InputError
from reportkit.forms import project_form
from reportkit.language import Message, joined
from reportkit.ledgers.mapping import column_named, mapped_schema
from reportkit.ledgers.normal import loose, units
from reportkit.ledgers.schema import (
    Column,
    LedgerSchema,
    heading_key,
    schema_of,
    schemas,
    unit_of,
)
from reportkit.ledgers.values import alike, parser_for
from reportkit.params import District
from reportkit.params.mapping import LedgerMapping
from reportkit.yamlfile import read_yaml

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from reportkit.forms import Form
    from reportkit.yamlfile import Key, YamlFile


class CarriedMapping(LedgerMapping):
    """A mapping that the package carries: for which ledger, and of which system.

    Parameters
    ----------
    ledger : str
    title : str
        What it is for, in Chinese.
    """

    ledger: str
    title: str = Field(min_length=1)

    def bare(self) -> LedgerMapping:
        """Return the mapping of the ledger alone, without its key and title."""
        return LedgerMapping.model_validate(self.model_dump(exclude={"ledger", "title"}))


@cache
def carried_mappings() -> dict[str, CarriedMapping]:
    """The mappings that the package carries, by name."""
    folder = Path(str(files("reportkit.ledgers"))) / "mappings"
    paths = sorted(folder.glob("*.yaml"))
    return {path.stem: read_yaml(path).validate(CarriedMapping) for path in paths}


def mappings_of(form: Form, district: District, file: Path) -> dict[str, tuple[LedgerMapping, ...]]:
    """The mappings of a district by ledger, those that the package carries among them.

    Parameters
    ----------
    form : Form
        Whose ledgers they are.
    district : District
    file : Path
        Its file, for the lines of what is wrong.

    Raises
    ------
    InputError
        ``mapping``: a ledger, column, value or carried mapping that is not there, with the line
        and the nearest that is.
    """
    mappings: dict[str, tuple[LedgerMapping, ...]] = {}
    problems: list[tuple[Key, str]] = []
    known_ledgers = schemas(form)
    for key, given in district.mapping.items():
        if key not in known_ledgers:
            others = forms_beside(form, district, file.parent.parent.parent / "forms")
            if any(key in schemas(other) for other in others):
                continue
            near = _near(key, known_ledgers)
            problem = Message("there is no ledger '{key}'{near}", key=key, near=near)
            problems.append((("mapping", key), problem))
            continue
        made = []
        for number, written in enumerate(given):
            place: Key = ("mapping", key, number) if len(given) > 1 else ("mapping", key)
            own = LedgerMapping(base=written) if isinstance(written, str) else written
            if own.base and not _is_carried(own.base, key):
                near = _near(own.base, (n for n in carried_mappings() if _is_carried(n, key)))
                problem = Message("no mapping '{base}' is carried{near}", base=own.base, near=near)
                problems.append((place, problem))
                continue
            schema = schema_of(form, key)
            base = carried_mappings()[own.base].bare() if own.base else LedgerMapping()
            full = own.upon(_without_mapped(base, own, schema))
            problems += [((*place, *at), found) for at, found in _problems(form, schema, full)]
            made.append(full)
        mappings[key] = tuple(made)
    if problems:
        lines = read_yaml(file)
        text = joined("\n", [_at(lines, place, problem) for place, problem in problems])
        raise InputError("mapping", "{problems}", problems=text, district=district.id)
    return mappings


def forms_beside(form: Form, district: District, folder: Path) -> list[Form]:
    """Other forms that a district reports by: their ledgers lie beside those of this one.

    Parameters
    ----------
    form : Form
    district : District
    folder : Path
        The project's ``forms``.
    """
    return [project_form(name, folder) for name in district.all_forms if name != form.name]


def kept_columns(form: Form, districts: Path, key: str) -> set[str]:
    """Columns that the mappings of any district file in a folder keep of a ledger."""
    schema = schema_of(form, key)
    found: set[str] = set()
    for path in sorted(districts.glob("*.yaml")):
        if b"mapping" in path.read_bytes():
            district = read_yaml(path).validate(District)
            # Of another district's form this one need not know the other ledgers.
            only = {name: mappings for name, mappings in district.mapping.items() if name == key}
            district = district.model_copy(update={"mapping": only})
            for mapping in mappings_of(form, district, path).get(key, ()):
                found |= {column.name for column in mapped_schema(schema, mapping).columns}
    return found - {column.name for column in schema.columns}


def _is_carried(name: str, key: str) -> bool:
    return name in carried_mappings() and carried_mappings()[name].ledger == key


def _at(file: YamlFile, place: Key, message: str) -> str:
    # A single mapping may be written as a list of one.
    listed = (*place[:2], 0, *place[2:])
    return file.problem(listed if listed in file.lines else place, message)


def _near(name: str, known: Iterable[str]) -> str:
    listed = list(known)
    near = difflib.get_close_matches(name, listed, n=3, cutoff=0.4) or listed[:12]
    return Message("; nearest: {near}", near="、".join(near)) if near else ""


def _without_mapped(base: LedgerMapping, own: LedgerMapping, schema: LedgerSchema) -> LedgerMapping:
    """A carried mapping without its fixed values of columns that the office's own headings give."""
    named = [column_named(schema, name) for name in own.columns.values()]
    fixed = {n: value for n, value in base.fixed.items() if column_named(schema, n) not in named}
    return base.model_copy(update={"fixed": fixed})


def _problems(
    form: Form, schema: LedgerSchema, mapping: LedgerMapping
) -> Iterator[tuple[Key, str]]:
    """Yield each problem of a mapping with its key."""
    meant: dict[str, str] = {}
    """Column by the headings that are mapped to it."""
    yield from _heading_problems(schema, mapping, meant)
    yield from _value_problems(schema, mapping)
    yield from _fixed_problems(schema, mapping, set(meant.values()))
    for number, heading in enumerate(mapping.keep):
        yield from _unkept(("keep", number), form, schema, meant, heading)
    if mapping.key and mapping.key.prefix:
        yield from _unfit_prefix(form, schema, meant, mapping.key.prefix)


def _no_column(schema: LedgerSchema, name: str, columns: Iterable[Column]) -> str:
    return Message(
        "{ledger} has no column '{name}'{near}",
        ledger=schema.name,
        name=name,
        near=_near(name, [column.name for column in columns]),
    )


def _heading_problems(
    schema: LedgerSchema, mapping: LedgerMapping, meant: dict[str, str]
) -> Iterator[tuple[Key, str]]:
    for heading, name in mapping.columns.items():
        at: Key = ("columns", heading)
        column = column_named(schema, name)
        if column is None:
            yield at, _no_column(schema, name, schema.columns)
            continue
        if column.type == "amount" and not unit_of(heading):
            problem = Message(
                "'{heading}' counts in a unit that is not read; {known} are",
                heading=heading,
                known="、".join(units()),
            )
            yield at, problem
        other = meant.setdefault(heading_key(heading), column.name)
        if other != column.name:
            problem = Message(
                "'{heading}' means {other} and {name}; keep one",
                heading=heading,
                other=other,
                name=column.name,
            )
            yield at, problem


def _value_problems(schema: LedgerSchema, mapping: LedgerMapping) -> Iterator[tuple[Key, str]]:
    for name, values in mapping.values.items():
        column = column_named(schema, name)
        if column is None or column.personal:
            others = [other for other in schema.columns if not other.personal]
            yield ("values", name), _no_column(schema, name, others)
            continue
        meant: dict[str, str] = {}
        for value, target in values.items():
            at: Key = ("values", name, value)
            if not alike(column, value):
                problem = Message(
                    "an empty cell stays empty; say what it means by 'fixed' or in the ledger"
                )
                yield at, problem
            elif meant.setdefault(alike(column, value), target) != target:
                yield at, Message("'{value}' has two meanings; keep one", value=value)
            yield from _unfit(at, column, target)


def _fixed_problems(
    schema: LedgerSchema, mapping: LedgerMapping, mapped: Collection[str]
) -> Iterator[tuple[Key, str]]:
    for name, value in mapping.fixed.items():
        at: Key = ("fixed", name)
        column = column_named(schema, name)
        if column is None:
            yield at, _no_column(schema, name, schema.columns)
        elif column.name == schema.key_column or column.personal:
            problem = Message(
                "{name} differs from record to record; it cannot be fixed", name=column.name
            )
            yield at, problem
        elif column.name in mapped:
            problem = Message(
                "{name} is fixed, and a heading is mapped to it; keep one", name=column.name
            )
            yield at, problem
        else:
            yield from _unfit(at, column, value)


def _unfit_prefix(
    form: Form, schema: LedgerSchema, meant: dict[str, str], prefix: str
) -> Iterator[tuple[Key, str]]:
    """Yield a problem if something cannot go before the key."""
    at: Key = ("key", "prefix")
    column = column_named(schema, prefix)
    if prefix == "year":
        if schema.day_column.type != "date":
            yield at, Message("{name} has no day that every record has", name=schema.name)
    elif column is None:
        yield from _unkept(at, form, schema, meant, prefix)
    elif column.personal or column.name == schema.key_column:
        yield at, Message("{name} cannot go before the key", name=column.name)


def _unfit(at: Key, column: Column, value: str) -> Iterator[tuple[Key, str]]:
    """Yield a problem if a value cannot stand in a column."""
    try:
        parsed = parser_for(column.model_copy(update={"swaps": {}}))(value)
    except ValueError as error:
        problem = Message(
            "'{value}' is no value of {name}: {error}", value=value, name=column.name, error=error
        )
        yield at, problem
        return
    if parsed is None and not column.may_be_empty:
        yield at, Message("{name} must not be empty", name=column.name)


def _unkept(
    at: Key, form: Form, schema: LedgerSchema, meant: dict[str, str], heading: str
) -> Iterator[tuple[Key, str]]:
    """Yield a problem if a heading cannot be kept: it is read already, or holds persons."""
    key = heading_key(heading)
    persons = {
        loose(name)
        for ledger in schemas(form).values()
        for column in ledger.columns
        if column.personal
        for name in (column.name, *column.aliases)
    }
    if key in persons:
        problem = Message(
            "'{heading}' holds persons; map it to the ledger's own column, or leave it out",
            heading=heading,
        )
        yield at, problem
    elif key in meant or key in schema.headings():
        yield at, Message("'{heading}' is read already", heading=heading)
