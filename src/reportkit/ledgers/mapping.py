"""A ledger in an office's own words: what its mapping says, checked and put into the schema.

A mapping changes what a heading and a value mean, and nothing else: readers, row rules and the
second count see a schema with more names in it.
"""

from __future__ import annotations

import difflib
from fnmatch import fnmatch
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from reportkit.errors import InputError, ReportkitError
from reportkit.forms import project_form
from reportkit.language import Message, joined
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
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from reportkit.forms import Form
    from reportkit.yamlfile import Key, YamlFile

    JsonMap = Mapping[str, Any]


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
    found: dict[str, tuple[LedgerMapping, ...]] = {}
    told: list[tuple[Key, str]] = []
    known_ledgers = schemas(form)
    for key, given in district.mapping.items():
        if key not in known_ledgers:
            others = forms_beside(form, district, file.parent.parent.parent / "forms")
            if any(key in schemas(other) for other in others):
                continue
            near = _near(key, known_ledgers)
            told.append(
                (("mapping", key), Message("there is no ledger '{key}'{near}", key=key, near=near))
            )
            continue
        made = []
        for number, one in enumerate(given):
            place: Key = ("mapping", key, number) if len(given) > 1 else ("mapping", key)
            own = LedgerMapping(base=one) if isinstance(one, str) else one
            if own.base and not _is_carried(own.base, key):
                known = [name for name in carried_mappings() if _is_carried(name, key)]
                told.append(
                    (
                        place,
                        Message(
                            "no mapping '{base}' is carried{near}",
                            base=own.base,
                            near=_near(own.base, known),
                        ),
                    )
                )
                continue
            base = carried_mappings()[own.base].bare() if own.base else LedgerMapping()
            full = own.upon(_without_mapped(base, own, schema_of(form, key)))
            told += [
                ((*place, *at), why) for at, why in _problems(form, schema_of(form, key), full)
            ]
            made.append(full)
        found[key] = tuple(made)
    if told:
        lines = read_yaml(file)
        problems = joined("\n", [_at(lines, place, why) for place, why in told])
        raise InputError("mapping", "{problems}", problems=problems, district=district.id)
    return found


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
            only = {name: one for name, one in district.mapping.items() if name == key}
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


def _column(schema: LedgerSchema, name: str) -> Column | None:
    """A column by its name or key, whatever its brackets and blanks are."""
    wanted = heading_key(name)
    return next((c for c in schema.columns if wanted in (loose(c.name), loose(c.key))), None)


def _without_mapped(base: LedgerMapping, own: LedgerMapping, schema: LedgerSchema) -> LedgerMapping:
    """A carried mapping without its fixed values of columns that the office's own headings give."""
    named = [_column(schema, name) for name in own.columns.values()]
    fixed = {n: value for n, value in base.fixed.items() if _column(schema, n) not in named}
    return base.model_copy(update={"fixed": fixed})


def _problems(
    form: Form, schema: LedgerSchema, mapping: LedgerMapping
) -> Iterator[tuple[Key, str]]:
    names = [column.name for column in schema.columns]
    meant: dict[str, str] = {}
    for heading, name in mapping.columns.items():
        column = _column(schema, name)
        if column is None:
            yield (
                ("columns", heading),
                Message(
                    "{ledger} has no column '{name}'{near}",
                    ledger=schema.name,
                    name=name,
                    near=_near(name, names),
                ),
            )
            continue
        if column.type == "amount" and not unit_of(heading):
            known = "、".join(units())
            yield (
                ("columns", heading),
                Message(
                    "'{heading}' counts in a unit that is not read; {known} are",
                    heading=heading,
                    known=known,
                ),
            )
        other = meant.setdefault(heading_key(heading), column.name)
        if other != column.name:
            yield (
                ("columns", heading),
                Message(
                    "'{heading}' means {other} and {name}; keep one",
                    heading=heading,
                    other=other,
                    name=column.name,
                ),
            )
    yield from _value_problems(schema, mapping)
    for name, value in mapping.fixed.items():
        column = _column(schema, name)
        at: Key = ("fixed", name)
        if column is None:
            yield (
                at,
                Message(
                    "{ledger} has no column '{name}'{near}",
                    ledger=schema.name,
                    name=name,
                    near=_near(name, names),
                ),
            )
        elif column.name == schema.key_column or column.personal:
            yield (
                at,
                Message(
                    "{name} differs from record to record; it cannot be fixed", name=column.name
                ),
            )
        elif column.name in meant.values():
            yield (
                at,
                Message(
                    "{name} is fixed, and a heading is mapped to it; keep one", name=column.name
                ),
            )
        else:
            yield from ((at, why) for why in _unfit(column, value))
    for number, heading in enumerate(mapping.keep):
        yield from ((("keep", number), why) for why in _unkept(form, schema, meant, heading))
    prefix = mapping.key and mapping.key.prefix
    if prefix == "year" and schema.day_column.type != "date":
        yield (
            ("key", "prefix"),
            Message("{name} has no day that every record has", name=schema.name),
        )
    if prefix and prefix != "year" and _column(schema, prefix) is None:
        yield from ((("key", "prefix"), why) for why in _unkept(form, schema, meant, prefix))
    elif (
        prefix
        and (column := _column(schema, prefix))
        and (column.personal or column.name == schema.key_column)
    ):
        yield ("key", "prefix"), Message("{name} cannot go before the key", name=column.name)


def _value_problems(schema: LedgerSchema, mapping: LedgerMapping) -> Iterator[tuple[Key, str]]:
    for name, values in mapping.values.items():
        column = _column(schema, name)
        if column is None or column.personal:
            names = [one.name for one in schema.columns if not one.personal]
            yield (
                ("values", name),
                Message(
                    "{ledger} has no column '{name}'{near}",
                    ledger=schema.name,
                    name=name,
                    near=_near(name, names),
                ),
            )
            continue
        meant: dict[str, str] = {}
        for value, target in values.items():
            at: Key = ("values", name, value)
            if not alike(column, value):
                yield (
                    at,
                    Message(
                        "an empty cell stays empty; say what it means by 'fixed' or in the ledger"
                    ),
                )
            elif meant.setdefault(alike(column, value), target) != target:
                yield at, Message("'{value}' has two meanings; keep one", value=value)
            yield from ((at, why) for why in _unfit(column, target))


def _unfit(column: Column, value: str) -> Iterator[str]:
    """Yield the reasons why a value cannot stand in a column."""
    try:
        parsed = parser_for(column.model_copy(update={"swaps": {}}))(value)
    except ValueError as error:
        yield Message(
            "'{value}' is no value of {name}: {error}", value=value, name=column.name, error=error
        )
        return
    if parsed is None and not column.may_be_empty:
        yield Message("{name} must not be empty", name=column.name)


def _unkept(form: Form, schema: LedgerSchema, meant: dict[str, str], heading: str) -> Iterator[str]:
    """Yield the reasons why a heading cannot be kept: it is read already, or holds persons."""
    key = heading_key(heading)
    persons = {
        loose(name)
        for one in schemas(form).values()
        for column in one.columns
        if column.personal
        for name in (column.name, *column.aliases)
    }
    if key in persons:
        yield Message(
            "'{heading}' holds persons; map it to the ledger's own column, or leave it out",
            heading=heading,
        )
    elif key in meant or key in schema.headings():
        yield Message("'{heading}' is read already", heading=heading)


def mapped_schema(schema: LedgerSchema, mapping: LedgerMapping | None) -> LedgerSchema:
    """The schema with an office's own words in it."""
    if mapping is None:
        return schema
    named: dict[str, list[str]] = {}
    for heading, name in mapping.columns.items():
        if column := _column(schema, name):
            named.setdefault(column.name, []).append(heading)
    columns = []
    for column in schema.columns:
        given = [v for name, v in mapping.values.items() if _column(schema, name) is column]
        fixed = [v for name, v in mapping.fixed.items() if _column(schema, name) is column]
        changes = {
            "mapped": named.get(column.name, []),
            "swaps": {alike(column, a): b for values in given for a, b in values.items()},
            "fixed": fixed[0] if fixed else None,
            "year": mapping.dates.year if mapping.dates and column.type == "date" else None,
        }
        columns.append(column.model_copy(update=changes))
    keep = list(mapping.keep)
    prefix = mapping.key and mapping.key.prefix
    own = _column(schema, prefix) if prefix else None
    if prefix and prefix != "year" and own is None:
        keep = list(dict.fromkeys([*keep, prefix]))
    # What goes before a key must have its heading; that it is filled is told with the key.
    columns += [Column(name=o, key=o, required=o == prefix, blank=True) for o in keep]
    return schema.model_copy(update={"columns": columns, "prefix": own.name if own else prefix})


def with_kept(schema: LedgerSchema, mappings: Sequence[LedgerMapping]) -> LedgerSchema:
    """The schema of a ledger's records: with the columns that any of its mappings keeps."""
    known = {column.name for column in schema.columns}
    kept = {c.name: c for one in mappings for c in mapped_schema(schema, one).columns}
    more = [column for name, column in kept.items() if name not in known]
    return schema.model_copy(update={"columns": [*schema.columns, *more]}) if more else schema


def recorded_schema(form: Form, record: JsonMap, source: JsonMap | None = None) -> LedgerSchema:
    """The schema that a run read a ledger by, from its manifest; with *source* that of one file.

    Raises
    ------
    ReportkitError
        ``ledger-other``: the manifest gives no such mapping.
    """
    schema = schema_of(form, record["ledger"])
    try:
        mappings = [LedgerMapping.model_validate(one) for one in record.get("mappings", ())]
        if source is None:
            return with_kept(schema, mappings)
        number = source.get("mapping")
        return mapped_schema(schema, None if number is None else mappings[number])
    except (IndexError, ValueError) as error:
        raise ReportkitError(
            "ledger-other",
            "the manifest's mapping of {name} is none: {error}",
            name=schema.name,
            error=error,
        ) from None


def chosen(mappings: Sequence[LedgerMapping], name: str) -> LedgerMapping | None:
    """The mapping that a file or table is read by, from its path.

    The first whose ``files`` name it, else the first that names no files; a single mapping is for
    every file of the ledger.
    """
    if len(mappings) == 1:
        return mappings[0]
    by_name = [one for one in mappings if names_file(one, name.rpartition("/")[2])]
    return next(iter(by_name or [one for one in mappings if not one.files]), None)


def other_words(record: JsonMap, mappings: Sequence[LedgerMapping], name: str) -> Iterator[str]:
    """Files of a run that were read in other words than these mappings say; *name* is whose."""
    given = record.get("mappings", ())
    for source in record["sources"]:
        own = chosen(mappings, source["path"])
        number = source.get("mapping")
        there = None if number is None else LedgerMapping.model_validate(given[number])
        if own != there:
            yield Message(
                "{path} was read by another mapping than {name} has", path=source["path"], name=name
            )


def names_file(mapping: LedgerMapping, name: str) -> bool:
    """Return True where a mapping's ``files`` name a file."""
    return any(fnmatch(name.casefold(), pattern.casefold()) for pattern in mapping.files)


def described(mapping: LedgerMapping, headings: Collection[str]) -> list[str]:
    """A mapping in lines for people, as the audit page prints it: ``办结时间 → 答复日期``.

    Parameters
    ----------
    mapping : LedgerMapping
    headings : collection of str
        Those that are read; what else it says of headings is left out.
    """
    read = {heading_key(heading) for heading in headings}
    lines = [
        f"{heading} → {name}"
        for heading, name in mapping.columns.items()
        if heading_key(heading) in read
    ]
    lines += [
        f"{name}：{value} → {target or '（空）'}"
        for name, values in mapping.values.items()
        for value, target in values.items()
    ]
    lines += [f"{name}：一律为{value or '（空）'}" for name, value in mapping.fixed.items()]
    lines += [f"{heading}：保留" for heading in mapping.keep]
    if mapping.key:
        what = "年份" if mapping.key.prefix == "year" else mapping.key.prefix
        lines.append(f"编号前加{what}")
    if mapping.dates:
        lines.append(f"未写年份的日期：{mapping.dates.year}年")
    return lines
