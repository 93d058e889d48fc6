"""Blocks: the data that a cell of a notebook shows, from which documents are made."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from reportkit.errors import ExportError
from reportkit.language import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MIME = "application/vnd.reportkit.block+json"
SCHEMA = "reportkit/block/1"
NOTES = "notes"
"""The tag of cells that are for the analyst, and stand in no document."""
# On one line, as in the documentation of the format.
KINDS = (
    "head", "section", "prose", "table", "chart", "note", "compare", "inputs", "checks", "seal",
)  # fmt: skip

Block = dict[str, Any]

# Control characters, and those that turn the order of reading round.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)


def block(kind: str, /, **fields: Any) -> Block:
    """Return a block of a kind.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    **fields : object
        The block's own fields, of JSON types.

    Examples
    --------
    >>> block("section", number="一", title="总体情况", body=[])["schema"]
    'reportkit/block/1'
    """
    if kind not in KINDS:
        message = Message(
            "a block is one of {kinds}, not {kind!r}", kinds=", ".join(KINDS), kind=kind
        )
        raise ValueError(message)
    return {"schema": SCHEMA, "kind": kind, **fields}


def for_readers(cell: Mapping[str, Any], /) -> bool:
    """Return True where a cell is for readers: it has no tag that says otherwise."""
    return NOTES not in cell["metadata"].get("tags", ())


def from_notebook(notebook: Mapping[str, Any], /, *kinds: str) -> list[Block]:
    """Return the blocks of an executed notebook, in the order of its cells.

    Parameters
    ----------
    notebook : NotebookNode or dict
        An executed notebook of nbformat 4.
    *kinds : str
        Kinds to return, of `KINDS`; all of them by default.

    Returns
    -------
    list of dict
        Plain copies: changing them leaves the notebook as it is.

    Raises
    ------
    ExportError
        ``no-blocks`` if no cell shows one (the notebook was not executed, or its outputs were
        stripped); ``block-unknown`` if one has a schema or kind of another version.
    """
    found = [shown for _, shown in with_cells(notebook)]
    if not found:
        raise ExportError(
            "no-blocks",
            "no cell of the notebook shows a reportkit block: execute the notebook "
            "first (reportkit run, or papermill), and keep its outputs",
        )
    return [shown for shown in found if not kinds or shown["kind"] in kinds]


def with_cells(notebook: Mapping[str, Any], /) -> Iterator[tuple[Mapping[str, Any], Block]]:
    """Yield each block with the cell that shows it, as `from_notebook` does."""
    for number, cell in enumerate(notebook["cells"], start=1):
        for output in cell.get("outputs", ()):
            if MIME not in output.get("data", {}):
                continue
            shown = output["data"][MIME]
            if shown.get("schema") != SCHEMA or shown.get("kind") not in KINDS:
                raise ExportError(
                    "block-unknown",
                    "cell {cell} shows a block of schema {schema!r} and kind {kind!r}; "
                    "this version reads {read} of kinds {kinds}: export with the "
                    "version that ran the notebook, or run it again",
                    schema=shown.get("schema"),
                    kind=shown.get("kind"),
                    read=SCHEMA,
                    kinds=", ".join(KINDS),
                    cell=number,
                )
            # A notebook on disk has its keys in order, one in memory may not; here both have.
            yield cell, unpacked(json.loads(json.dumps(shown, sort_keys=True)))


def packed(shown: Block, /) -> Block:
    """Return a block as a notebook holds it: the facts of a seal in columns, as one text.

    A condition that several facts have stands there once, a value that fills a column too, and a
    total names its parts by their numbers; of a roll-up, whose facts add the same members' again
    and again, the list of these stands there once. `from_notebook` gives back what they were.
    """
    if shown["kind"] != "seal":
        return shown
    document = shown["facts"]
    conditions: dict[str, int] = {}
    members: dict[tuple[str, ...], int] = {}
    places = {fact["id"]: number for number, fact in enumerate(document["facts"])}
    facts = [
        fact
        | {"where": [_numbered(group, conditions) for group in fact["where"]]}
        | {"sum_of": _parts(fact, places, members)}
        for fact in document["facts"]
    ]
    names = list(facts[0]) if facts else []
    held = {
        "conditions": [json.loads(text) for text in conditions],
        **({"members": list(map(list, members))} if members else {}),
        "columns": {name: _column([fact[name] for fact in facts]) for name in names},
    }
    return shown | {"facts": document | {"facts": _compact(held)}}


def _parts(
    fact: Block, places: Mapping[str, int], members: dict[tuple[str, ...], int]
) -> list[Any] | dict[str, int]:
    """Return the parts of a sum by their numbers; or which list of members has them all."""
    end = f"/{fact['id']}"
    if fact["sum_of"] and all(part.endswith(end) for part in fact["sum_of"]):
        names = tuple(part.removesuffix(end) for part in fact["sum_of"])
        return {"of": members.setdefault(names, len(members))}
    return [places.get(part, part) for part in fact["sum_of"]]


def _numbered(group: Mapping[str, Any], conditions: dict[str, int]) -> dict[str, Any]:
    texts = [_compact(condition) for condition in group["all"]]
    return {**group, "all": [conditions.setdefault(text, len(conditions)) for text in texts]}


def _column(values: list[Any]) -> list[Any]:
    """Return the different values, and which of them each place has; or simply the values."""
    # Values can be lists, which no dict takes as keys: their JSON stands for them.
    texts = [_compact(value) for value in values]
    different = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    if 2 * len(different) > len(texts):
        return [values]
    return [[json.loads(text) for text in different], [different[text] for text in texts]]


def unpacked(shown: Block, /) -> Block:
    """Return a block of a notebook as it was before `packed`."""
    if shown["kind"] != "seal" or not isinstance(shown["facts"]["facts"], str):
        return shown
    held = json.loads(shown["facts"]["facts"])
    columns = {
        name: [values[0][at] for at in values[1]] if len(values) == 2 else values[0]
        for name, values in held["columns"].items()
    }
    facts = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    for fact in facts:
        parts = fact["sum_of"]
        if isinstance(parts, dict):
            fact["sum_of"] = [f"{name}/{fact['id']}" for name in held["members"][parts["of"]]]
        else:
            fact["sum_of"] = [facts[p]["id"] if isinstance(p, int) else p for p in parts]
        fact["where"] = [
            group | {"all": [held["conditions"][at] for at in group["all"]]}
            for group in fact["where"]
        ]
    # Each fact has values of its own, whichever were held once.
    return shown | {"facts": shown["facts"] | {"facts": from_json(to_json(facts))}}


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def json_bytes(document: Any, /) -> bytes:
    """Return JSON as it is written to a file: UTF-8, keys in order, one value a line."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True)
    return to_json(from_json(text), indent=1) + b"\n"  # Python's own indent takes twice as long


def prose_text(body: Iterable[Mapping[str, Any]], /) -> str:
    """Return the text of a section's body, a line for each heading, paragraph and list item."""
    lines = [item for node in body for item in node.get("items", [node.get("runs", [])])]
    return "\n".join("".join(run["text"] for run in line) for line in lines)


def length(text: str) -> float:
    """Return how many Chinese characters a text is long; a Latin letter is half of one."""
    return sum(1 if ord(character) > 0x2E7F else 0.5 for character in text)


def visible(item: Any) -> Any:
    """Return JSON whose texts name each invisible character, which could deceive a reader.

    A mark that turns the order of reading round is shown as ``〈U+202E〉``.
    """
    if isinstance(item, str):
        if item.isprintable():  # the common case, and ten times as fast
            return item
        return _UNSEEN.sub(lambda found: f"〈U+{ord(found[0]):04X}〉", item)
    if isinstance(item, dict):
        return {visible(key): visible(value) for key, value in item.items()}
    return [visible(value) for value in item] if isinstance(item, list) else item
