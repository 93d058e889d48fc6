"""A comparison of two runs as lines for a terminal, and as a page."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

import jinja2

from reportkit.language import Message, joined, template
from reportkit.language.message import COMMA

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reportkit.proof.diff import Change

_PARTS = ("facts", "narrative", "checks", "inputs", "parameters", "code", "environment")
_COUNTS = {
    "read": "读入",
    "accepted": "计入",
    "quarantined": "无法读取",
    "rejected": "退回",
    "set_aside": "另列",
}
_WORDS = {
    "facts": Message("facts"),
    "narrative": Message("narrative"),
    "checks": Message("checks"),
    "inputs": Message("inputs"),
    "parameters": Message("parameters"),
    "code": Message("code"),
    "environment": Message("environment"),
    "read": Message("read"),
    "accepted": Message("accepted"),
    "quarantined": Message("quarantined"),
    "rejected": Message("rejected"),
    "set_aside": Message("set aside"),
}
_SHOWN = 20


def as_text(document: Mapping[str, Any]) -> str:
    """The comparison for a terminal."""
    return joined("\n", _lines(document))


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    runs = document["runs"]
    two_forms = len({run["form"] for run in runs}) > 1
    for run in runs:
        form = Message(" by {form}", form=run["form"]) if two_forms else ""
        yield f"{run['name']} {run['year']}" + joined("", [form, ": ", run["run"]])
    counts = [
        Message("{count} {part}", count=len(document[part]), part=_WORDS[part])
        for part in _PARTS
        if document[part]
    ]
    nothing = Message("nothing differs")
    yield Message("differ in {counts}", counts=joined(COMMA, counts)) if counts else nothing
    both = [change for change in document["facts"] if None not in (change["from"], change["to"])]
    for change in both:
        yield from _lines_of_fact(change)
    for side, which in (
        ("from", template("only in the first: {count} facts")),
        ("to", template("only in the second: {count} facts")),
    ):
        only = [
            change
            for change in document["facts"]
            if change not in both and change[side] is not None
        ]
        if only:
            yield Message(which, count=len(only))
        for change in only:
            yield f"  {change['id']}: {_short(change[side])} {change['label']}"
    for change in document["narrative"]:
        yield Message("text {section}:", section=change["name"] or Message("preamble"))
        yield from (f"  - {text}" for text in change["from"])
        yield from (f"  + {text}" for text in change["to"])
    for part in _PARTS[2:]:
        for entry in document[part]:
            yield Message(
                "{part} {name}: {before} → {after}",
                part=_WORDS[part],
                name=entry["name"],
                before=_short(entry["from"]),
                after=_short(entry["to"]),
            )


def _lines_of_fact(change: Change) -> Iterator[str]:
    by = [change["by"] and _signed(change["by"]), change["percent"]]
    amounts = ", ".join([*filter(None, by[:1]), *([f"{_signed(by[1])}%"] if by[1] else [])])
    moved = f" ({amounts})" if change["by"] not in (None, "0") else ""
    values = f"{_short(change['from'])} → {_short(change['to'])}{moved}"
    yield Message(
        "fact {id}: {values} {label}", id=change["id"], values=values, label=change["label"]
    )
    for kind, sign in (("came", "+"), ("went", "-"), ("changed", "~")):
        records = change.get(kind, [])
        for record in records[:_SHOWN]:
            yield f"  {sign} {record['key']} ({record['file']}:{record['place']})"
        if more := len(records[_SHOWN:]):
            yield Message(
                "  {sign} … and {records} more; --json lists all", sign=sign, records=more
            )


def _signed(number: str) -> str:
    return number if number.startswith("-") else f"+{number}"


def _short(value: Any) -> str:
    if isinstance(value, dict) and "read" in value:
        return joined(
            COMMA,
            [
                Message("{count} {part}", count=count, part=_WORDS[name])
                for name, count in value.items()
            ],
        )
    if isinstance(value, dict):
        holds = Message("holds") if value["holds"] else Message("does not hold")
        waived = Message(", accepted") if value["waived"] else ""
        return joined("", [holds, waived, ": ", value["message"]])
    text = Message("nothing") if value is None else str(value)
    return f"{text[:12]}…" if re.fullmatch("[0-9a-f]{40,64}", text) else text


def _short_chinese(value: Any) -> str:
    if isinstance(value, dict) and "read" in value:
        return "，".join(f"{_COUNTS[name]}{number}条" for name, number in value.items())
    if isinstance(value, dict):
        waived = "（已接受）" if value["waived"] else ""
        return f"{'相符' if value['holds'] else '不符'}{waived}：{value['message']}"
    return "—" if value is None else _short(value)


def _marked(old: str, new: str) -> list[tuple[str, str, str]]:
    """A paragraph before and after, in pieces that stayed and pieces that did not."""
    left, right = (re.findall(r"\d+(?:\.\d+)?|.", text, re.DOTALL) for text in (old, new))
    pieces = SequenceMatcher(a=left, b=right, autojunk=False).get_opcodes()
    return [(kind, "".join(left[a:b]), "".join(right[c:d])) for kind, a, b, c, d in pieces]


def as_page(document: Mapping[str, Any]) -> str:
    """The comparison as one page, everything in it escaped."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reportkit.proof", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"short": _short_chinese, "signed": _signed}
    environment.globals["marked"] = _marked
    return environment.get_template("diff.html.j2").render(diff=document)
