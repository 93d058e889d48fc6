"""Definitions of figures, in words for readers."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reportkit.export.blocks import Block
    from reportkit.export.tidy import TidyTable

_TESTS = {
    "=": "为",
    "in": "是其中之一：",
    "not in": "不是",
    "between": "在此期间：",
    "<": "早于",
    "<=": "不晚于",
    "empty or >=": "为空或不早于",
    "empty or >": "为空或晚于",
    "contains": "含",
    "empty": "为空",
    "present": "不为空",
}


def short(label: str, whole: str) -> str:
    """Return where a label differs from its whole's.

    Examples
    --------
    >>> short("一、新收/申请人/自然人", "一、新收/申请人/总计")
    '自然人'
    """
    own, its = label.split("/"), whole.split("/")
    for _ in range(2):  # what they begin with, then what they end with
        same = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(own, its, strict=False))))
        cut = min(same, len(own) - 1)
        own, its = own[cut:][::-1], its[cut:][::-1]
    return "/".join(own)


def definition_of(fact: Block, facts: Mapping[str, Block]) -> str:
    """Return a fact's definition; a plain sum names its parts by their labels, not by ids."""
    parts = fact["sum_of"]
    if not parts or fact["definition"] != " + ".join(parts):
        return str(fact["definition"])
    return "＋".join(short(facts[part]["label"], fact["label"]) for part in parts)


def named_in(item: Any) -> Iterable[str]:
    """Yield the facts that a text names, in its order."""
    if isinstance(item, dict):
        if isinstance(item.get("fact"), str):
            yield item["fact"]
        item = list(item.values())
    if isinstance(item, list):
        for part in item:
            yield from named_in(part)


def along(part: TidyTable, facts: Mapping[str, Block]) -> list[tuple[str, str]]:
    """Return the conditions of each row of a table and of each of its columns.

    A cell of a large table counts what its row and its column demand together, so that two lists
    say as much as one entry for each cell.
    """
    rows = [(label, [cell.get("fact") for cell in cells]) for label, cells in part.rows]
    columns = [(label, [names[at] for _, names in rows]) for at, label in enumerate(part.columns)]
    return [
        (label, definition)
        for label, names in (*rows, *columns)
        if (definition := _shared([facts[name] for name in names if name]))
    ]


def _shared(facts: list[Block]) -> str:
    """Return what the records of all these facts have in common."""
    groups = [fact["where"][0]["all"] for fact in facts if len(fact["where"]) == 1]
    if not groups:
        return "各项之和" if any(fact["sum_of"] for fact in facts) else ""
    common = [test for test in groups[0] if all(test in group for group in groups)]
    return "，".join(map(_test, common))


def _test(test: Mapping[str, Any]) -> str:
    value = test["value"]
    if isinstance(value, list):
        value = ("至" if test["op"] == "between" else "、").join(map(str, value))
    return f"{test['column']}{_TESTS.get(test['op'], test['op'])}{'' if value is None else value}"
