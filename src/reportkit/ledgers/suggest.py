"""Suggestions for an office's words: a mapping to paste into its district file and complete."""

from __future__ import annotations

import difflib
from collections import Counter
from typing import TYPE_CHECKING

import yaml

from reportkit.language import Message, joined
from reportkit.language.message import COMMA
from reportkit.ledgers.normal import loose
from reportkit.ledgers.quoting import quoted_heading
from reportkit.ledgers.schema import heading_key
from reportkit.persons import OUT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reportkit.ledgers.records import Ledger
    from reportkit.ledgers.schema import Column, LedgerSchema

_NEAR_HEADING, _NEAR_VALUE = 0.8, 0.6
_UNKNOWN = {"L-value", "L-other"}


def suggest_columns(schema: LedgerSchema, headings: Sequence[str]) -> list[str]:
    """Lines for the headings of a file that lacks columns; those without a guess are comments."""
    known = schema.headings()
    present = {known[key][0].name for key in map(heading_key, headings) if key in known}
    absent = [c for c in schema.columns if c.name not in present]
    needed = "、".join(column.name for column in absent if column.required)
    names = {loose(name): c.name for c in absent for name in (c.name, *c.aliases)}
    lines: list[str] = [Message("columns: # still to find: {needed}", needed=needed)]
    for heading in headings:
        if heading_key(heading) not in known and quoted_heading(heading) == heading.strip():
            guess = _guess(heading, names, _NEAR_HEADING)
            line = joined("", [f"  {_plain(heading)}: {guess} # ", Message("a guess")])
            lines.append(line if guess else f"  # {_plain(heading)}: ?")
    return lines


def suggest_values(ledger: Ledger) -> list[str]:
    """Lines for the values that are none of a column's, with how often each stands."""
    columns = {c.name: c for c in ledger.schema.columns if c.type in ("category", "flag")}
    unknown: dict[str, Counter[str]] = {}
    for violation in ledger.violations:
        name, value = violation.column, violation.found
        # A value of which something is hidden is none to paste.
        if violation.rule in _UNKNOWN and name in columns and value and OUT not in value:
            unknown.setdefault(name, Counter())[value] += 1
    lines = ["values:"] if unknown else []
    for name, values in unknown.items():
        lines.append(f"  {name}: # {_meanings(columns[name])}")
        for value, count in values.most_common():
            guess = _guess(value, columns[name].vocabulary(), _NEAR_VALUE)
            sure = [COMMA, Message("a guess")] if guess else []
            lines.append(joined("", [f"    {_plain(value)}: {guess or _ASKED} # ×{count}", *sure]))
    return lines


_ASKED = '"?"'
_LISTED = 24


def _meanings(column: Column) -> str:
    values = ("是", "否") if column.type == "flag" else column.categories()
    return "、".join(values[:_LISTED]) + (" …" if len(values) > _LISTED else "")


def _guess(text: str, names: Mapping[str, str], cutoff: float) -> str:
    """Return the name with the only near label, if there is just one."""
    near = difflib.get_close_matches(loose(text), names, n=4, cutoff=cutoff)
    meant = {names[label] for label in near}
    return meant.pop() if len(meant) == 1 else ""


def _plain(text: str) -> str:
    """A text as a YAML key on one line."""
    dumped = yaml.safe_dump(text, allow_unicode=True, width=10_000, default_style=None)
    return dumped.removesuffix("\n").removesuffix("\n...")


def as_block(found: Mapping[str, Sequence[str]]) -> str:
    """The mapping to paste: ledgers with their lines."""
    lines: list[str] = []
    for key, suggested in found.items():
        if suggested:
            lines += [f"  {key}:", *(joined("", ["    ", line]) for line in suggested)]
    return joined("\n", ["mapping:", *lines]) if lines else ""
