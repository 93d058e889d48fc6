"""A ledger in an office's own words: a mapping put into the schema.

A mapping changes what a heading and a value mean, and nothing else: readers, row rules and the
second count see a schema with more names in it.
"""

from __future__ import annotations

from fnmatch import fnmatch
from typing import TYPE_CHECKING

from reportkit.errors import ReportkitError
from reportkit.language import Message
from reportkit.ledgers.normal import loose
from reportkit.ledgers.schema import Column, LedgerSchema, heading_key, schema_of
from reportkit.ledgers.values import alike
from reportkit.params.mapping import LedgerMapping

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from typing import Any

    from reportkit.forms import Form

    JsonMap = Mapping[str, Any]


def column_named(schema: LedgerSchema, name: str) -> Column | None:
    """A column by its name or key, whatever its brackets and blanks are."""
    wanted = heading_key(name)
    return next((c for c in schema.columns if wanted in (loose(c.name), loose(c.key))), None)


def mapped_schema(schema: LedgerSchema, mapping: LedgerMapping | None) -> LedgerSchema:
    """The schema with an office's own words in it."""
    if mapping is None:
        return schema
    named: dict[str, list[str]] = {}
    for heading, name in mapping.columns.items():
        if column := column_named(schema, name):
            named.setdefault(column.name, []).append(heading)
    columns = []
    for column in schema.columns:
        given = [v for name, v in mapping.values.items() if column_named(schema, name) is column]
        fixed = [v for name, v in mapping.fixed.items() if column_named(schema, name) is column]
        changes = {
            "mapped": named.get(column.name, []),
            "swaps": {alike(column, a): b for values in given for a, b in values.items()},
            "fixed": fixed[0] if fixed else None,
            "year": mapping.dates.year if mapping.dates and column.type == "date" else None,
        }
        columns.append(column.model_copy(update=changes))
    keep = list(mapping.keep)
    prefix = mapping.key and mapping.key.prefix
    own = column_named(schema, prefix) if prefix else None
    if prefix and prefix != "year" and own is None:
        keep = list(dict.fromkeys([*keep, prefix]))
    # What goes before a key must have its heading; that it is filled is checked with the key.
    columns += [Column(name=o, key=o, required=o == prefix, blank=True) for o in keep]
    return schema.model_copy(update={"columns": columns, "prefix": own.name if own else prefix})


def with_kept(schema: LedgerSchema, mappings: Sequence[LedgerMapping]) -> LedgerSchema:
    """The schema of a ledger's records: with the columns that any of its mappings keeps."""
    known = {column.name for column in schema.columns}
    kept = {c.name: c for mapping in mappings for c in mapped_schema(schema, mapping).columns}
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
        mappings = [LedgerMapping.model_validate(given) for given in record.get("mappings", ())]
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
    by_name = [mapping for mapping in mappings if names_file(mapping, name.rpartition("/")[2])]
    return next(iter(by_name or [mapping for mapping in mappings if not mapping.files]), None)


def differing_mappings(
    record: JsonMap, mappings: Sequence[LedgerMapping], name: str
) -> Iterator[str]:
    """Yield a finding for each file that a run read by other mappings than those of *name*."""
    given = record.get("mappings", ())
    for source in record["sources"]:
        own = chosen(mappings, source["path"])
        number = source.get("mapping")
        recorded = None if number is None else LedgerMapping.model_validate(given[number])
        if own != recorded:
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
        prefix = "年份" if mapping.key.prefix == "year" else mapping.key.prefix
        lines.append(f"编号前加{prefix}")
    if mapping.dates:
        lines.append(f"未写年份的日期：{mapping.dates.year}年")
    return lines
