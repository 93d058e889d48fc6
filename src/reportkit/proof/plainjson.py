"""JSON of a run that somebody hands over: what it says, it says once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from reportkit.errors import InputError
from reportkit.language import Message

if TYPE_CHECKING:
    from pathlib import Path

# A notebook of ours nests thirteen deep; what reads it goes down by calling itself.
_DEEPEST = 50
_NESTED = Message("is nested more than {deepest} deep", deepest=_DEEPEST)


def read_json(path: Path) -> Any:
    """The JSON of a file of a run.

    Raises
    ------
    InputError
        ``run-changed``: as for `parse_json`, or the file cannot be read.
    """
    with InputError.on_refusal("run-changed", "{name}: {problem}", name=path.name):
        content = path.read_bytes()
    return parse_json(content, path.name)


def parse_json(content: bytes | str, name: str) -> Any:
    """JSON in which no key stands twice, every number is one, and nothing nests without end.

    Of two values under one key one program takes the first and another the last, so that each
    reader could be shown another figure.

    Raises
    ------
    InputError
        ``run-changed``: it is no such JSON.
    """
    try:
        value = json.loads(content, object_pairs_hook=_once, parse_constant=_no_number)
        problem = _NESTED if _too_deep(value) else ""
    except RecursionError:
        problem = _NESTED
    except ValueError as error:
        problem = Message("is no JSON: {error}", error=error)
    if problem:
        raise InputError("run-changed", "{file} {problem}", problem=problem, file=name)
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [key for key, _ in pairs]
        message = Message(
            "the key '{next}' stands twice", next=next(key for key in names if names.count(key) > 1)
        )
        raise ValueError(message)
    return members


def _no_number(text: str) -> Any:
    raise ValueError(Message("{text} is no number", text=text))


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return False
    return True
