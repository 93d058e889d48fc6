"""The YAML and the narrative of a report, taken over for another year."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from reportkit.facts import TO_DO
from reportkit.language import Message, joined
from reportkit.language.message import COMMA
from reportkit.scaffold.stale_years import Typed, advance, chinese_year, typed
from reportkit.text.narrative import UNWRITTEN
from reportkit.text.placeholders import placeholders

if TYPE_CHECKING:
    from collections.abc import Collection

    from reportkit.forms import Edition

Tree = dict[str, tuple[yaml.Node, yaml.Node]]
# What is known on the day of publication, and what a person states for one year.
_OF_THE_DAY = ("document_number", "dated", "printed")
_STATED = ("value", "stated_on")
# Statements about one year's figures.
_OF_FIGURES = ("waivers", "corrections")
_AD = re.compile(r"(?:19|20)\d\d")


@dataclass(frozen=True)
class RenewalNote:
    """Something in a new file that was changed, or that somebody has to do.

    Parameters
    ----------
    line : int
        In the file of the new year; 0 if it is of no line.
    kind : {"declared", "parameter", "year", "date", "number", "fact", "section", "ledger", "form"}
    found : str
        What stood there, or what it is about.
    message : str
        What was done, or is to do.
    file : str
    """

    line: int
    kind: str
    found: str
    message: str
    file: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.line else ""
        return Message("{place}{message}", place=place, message=self.message)


@dataclass(frozen=True)
class Turn:
    """Turn of a report's files to a new year.

    Parameters
    ----------
    old, year : int
        The year of the files, and the new one.
    called : str
        The form's title, which stands in the files after a year.
    edition : Edition
        That of the new year.
    known : collection of str
        Facts that the new year's text can name.
    """

    old: int
    year: int
    called: str
    edition: Edition
    known: Collection[str]


def renew_parameters(text: str, turn: Turn) -> tuple[str, list[RenewalNote], list[RenewalNote]]:
    """A report's YAML for another year, in its own layout; what was changed, what is to do.

    Dates and the document number are emptied: they are known on the day of publication only.
    Declared facts keep id, label, unit, source and who states them; ``value`` and ``stated_on``
    are emptied. Waivers and corrections are dropped: they were about last year's figures.
    """
    last = _tree(text)
    edits: list[tuple[int, int, str]] = []
    advanced: list[RenewalNote] = []
    for name, (key, node) in last.items():
        start, end = node.start_mark.index, node.end_mark.index
        if name == "year":
            edits.append((start, end, str(turn.year)))
        elif name == "title":
            digits, numerals = str(turn.year), chinese_year(turn.year)
            line = key.start_mark.line + 1
            title, replaced = advance(
                text[start:end], turn.old, title=turn.called, digits=digits, numerals=numerals
            )
            edits.append((start, end, title))
            advanced += [_advanced(line, number.found, digits, numerals) for number in replaced]
        elif name in _OF_THE_DAY and node.value:
            edits.append(_emptied(text, node))
        elif name == "declared":
            for item in node.value:
                own = _keys(item)
                edits += [_emptied(text, own[name][1]) for name in _STATED if name in own]
        elif name in _OF_FIGURES:
            start = text.rfind("\n", 0, key.start_mark.index) + 1
            end = text.find("\n", _end(node)) + 1
            edits.append((start, end or len(text), ""))
            dropped = Message(
                "{what} of {old} are dropped: {count}",
                what=name,
                old=turn.old,
                count=len(node.value),
            )
            advanced.append(RenewalNote(0, name, str(len(node.value)), dropped))
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text, advanced, _parameters_todo(text, last, turn)


def _parameters_todo(text: str, last: Tree, turn: Turn) -> list[RenewalNote]:
    todo: list[RenewalNote] = []
    done: set[int] = set()
    for name, (key, node) in _tree(text).items():
        line = key.start_mark.line + 1
        before = last[name][1].value
        if name == "year" or (name == "title" and node.value != before):
            done.add(line)
        elif name in _OF_THE_DAY and before:
            message = Message("{name} is empty; last year's was {before}", name=name, before=before)
            if name == "document_number" and (match := _AD.search(before)):
                shift = int(match[0]) + turn.year - turn.old
                message += Message(", which would now be of {shift}", shift=shift)
            todo.append(RenewalNote(line, "parameter", before, message))
        elif name == "declared":
            for item, earlier in zip(node.value, before, strict=True):
                todo.append(_declared(item, earlier))
                done.update(range(todo[-1].line, text.count("\n", 0, _end(item)) + 2))
        elif name == "relations":
            todo += [
                _unknown(scalar.start_mark.line + 1, scalar.value, turn)
                for relation in node.value
                for key, (_, value) in _keys(relation).items()
                if key not in ("title", "severity")
                for scalar in _scalars(value)
                if scalar.value not in turn.known
            ]
    left = [number for number in typed(text, turn.old, numbers=False) if number.line not in done]
    return todo + [_left(number, turn.year) for number in left]


def _declared(item: yaml.Node, before: yaml.Node) -> RenewalNote:
    last = {name: node.value for name, (_, node) in _keys(before).items()}
    value = f"{last['value']} {last.get('unit', '')}".strip() if last.get("value") else TO_DO
    message = Message(
        "state {id} ({label}); last year {value}", id=last["id"], label=last["label"], value=value
    )
    message += Message(", source: {source}", source=last["source"]) if last.get("source") else ""
    return RenewalNote(item.start_mark.line + 1, "declared", last["id"], message)


def renew_narrative(text: str, turn: Turn) -> tuple[str, list[RenewalNote], list[RenewalNote]]:
    """A report's text for another year; what was advanced, what is to do.

    A typed year becomes the placeholder ``{{ year }}``, so that it need not be advanced again.
    """
    digits, numerals = "{{ year }}", chinese_year(turn.year)
    text, replaced = advance(text, turn.old, title=turn.called, digits=digits, numerals=numerals)
    advanced = [_advanced(number.line, number.found, digits, numerals) for number in replaced]
    done = {(number.line, numerals) for number in replaced}
    todo = [
        _unknown(line, name, turn)
        for line, name in placeholders(text)
        if name not in turn.known and not name.startswith("district.")
    ]
    sections = turn.edition.sections
    wanted = {section.number: f"{section.number}、{section.title}" for section in sections}
    for line, heading in enumerate(text.splitlines(), start=1):
        title = heading[2:].strip()
        if heading.startswith("# ") and title not in {"序言", "前言", *wanted.values()}:
            right = wanted.get(title.partition("、")[0], "；".join(wanted.values()))
            message = Message(
                "heading “{title}” is none of the {name} form; it has {right}",
                title=title,
                name=turn.edition.name,
                right=right,
            )
            todo.append(RenewalNote(line, "section", title, message))
    left = [number for number in typed(text, turn.old) if (number.line, number.found) not in done]
    return text, advanced, todo + [_left(number, turn.year) for number in left]


def with_new_sections(
    text: str, before: Edition, edition: Edition
) -> tuple[str, list[RenewalNote]]:
    """The text with those sections that the edition before did not have, to be written."""
    known = {section.number for section in before.sections}
    todo: list[RenewalNote] = []
    for section in edition.sections:
        if section.table is None and section.number not in known:
            title = f"{section.number}、{section.title}"
            text = f"{text.rstrip()}\n\n# {title}\n\n{UNWRITTEN}：{section.title}】\n"
            message = Message(
                "the {name} form has a section “{title}”; it is to be written",
                name=edition.name,
                title=title,
            )
            todo.append(RenewalNote(text.count("\n") - 2, "section", title, message))
    return text, todo


def _unknown(line: int, name: str, turn: Turn) -> RenewalNote:
    follow = turn.edition.successor(name)
    if follow:
        place = (
            Message("in its place: {here}", here=" + ".join(follow.here))
            if follow.here
            else Message("nothing in its place")
        )
        hint = Message("{place} ({reason})", place=place, reason=follow.why)
    else:
        near = difflib.get_close_matches(name, turn.known, n=3, cutoff=0.5)
        hint = (
            Message("nearest: {near}", near=joined(COMMA, near))
            if near
            else Message("nothing is like it")
        )
    return RenewalNote(
        line,
        "fact",
        name,
        Message(
            "the {edition} form has no {name}; {hint}",
            edition=turn.edition.name,
            name=name,
            hint=hint,
        ),
    )


def _left(number: Typed, year: int) -> RenewalNote:
    message = Message(
        "the {kind} “{found}” is typed: is it right for {year}?",
        kind=Message(number.kind),
        found=number.found,
        year=year,
    )
    return RenewalNote(number.line, number.kind, number.found, message)


def _advanced(line: int, old: str, digits: str, numerals: str) -> RenewalNote:
    new = digits if old.isascii() else numerals
    return RenewalNote(line, "year", old, f"{old}年 → {new}年")


def _tree(text: str) -> Tree:
    return _keys(yaml.compose(text, Loader=yaml.BaseLoader))


def _keys(node: yaml.Node | None) -> Tree:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return {key.value: (key, value) for key, value in pairs}


def _scalars(node: yaml.Node) -> list[yaml.ScalarNode]:
    if isinstance(node, yaml.ScalarNode):
        return [node]
    values = (
        [value for _, value in node.value] if isinstance(node, yaml.MappingNode) else node.value
    )
    return [scalar for value in values for scalar in _scalars(value)]


def _emptied(text: str, node: yaml.Node) -> tuple[int, int, str]:
    """The edit that leaves nothing after the colon."""
    start, end = node.start_mark.index, node.end_mark.index
    if text[end : end + 1] in ("", "\r", "\n"):
        start = len(text[:start].rstrip(" "))
    return start, end, ""


def _end(node: yaml.Node) -> int:
    """Return the end of a node's own text: a block's end mark stands at whatever comes after it."""
    # The last scalar inside ends the block; a pair of a mapping ends with its value.
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return int(node.end_mark.index)
