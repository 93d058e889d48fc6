"""Changes of a form file to the one that it extends: entries of lists are found by their name.

An entry that is there already (the same ``id``, ``key`` or ``name``; where it gives none, the same
``label`` or ``number``) takes what is said of it anew; ``drop: true`` takes it away. Any other is
added: ``after:`` or ``before:`` the one named, else at the end. Rows and columns are found in
whatever group they stand. Everything else is replaced.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reportkit.errors import InputError
from reportkit.language import Message
from reportkit.yamlfile import YamlFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from reportkit.yamlfile import Key

_NAMES = ("id", "key", "name")
_WORDS = ("label", "title", "number")
_PLACES = ("after", "before")
_ORDERS = (*_PLACES, "drop")
_INNER = ("rows", "columns")


@dataclass
class _Node:
    """A value of a file with its file and line; in a mapping or list the values are nodes."""

    value: Any
    path: Path
    line: int

    def text(self, key: str) -> str | None:
        """Return a text of a mapping by its key; None where there is none."""
        found = self.value.get(key) if isinstance(self.value, dict) else None
        return found.value if found and isinstance(found.value, str) else None

    @property
    def named(self) -> bool:
        """Return True where it can be found by a name of its own."""
        return any(map(self.text, (*_NAMES, *_WORDS)))


def extended(base: YamlFile, own: YamlFile) -> YamlFile:
    """A file with all that it takes from its base; each value still knows its file and line.

    Raises
    ------
    InputError
        ``parameters``: it changes, drops or names what the base does not have.
    """
    # Both trees are made for this call, so that lists in them can be changed in place.
    tree = _merged(_tree(base, base.data), _tree(own, own.data))
    lines: dict[Key, int] = {}
    files: dict[Key, Path] = {}
    data = _flat(tree, (), lines, files)
    return YamlFile(own.path, data, lines, files)


def _tree(file: YamlFile, value: Any, key: Key = ()) -> _Node:
    if isinstance(value, dict):
        value = {name: _tree(file, part, (*key, name)) for name, part in value.items()}
    elif isinstance(value, list):
        value = [_tree(file, part, (*key, number)) for number, part in enumerate(value)]
    return _Node(value, file.file_of(key), file.line(key))


def _flat(node: _Node, key: Key, lines: dict[Key, int], files: dict[Key, Path]) -> Any:
    """Return the values of a tree, and put the line and file of each into two mappings."""
    lines[key], files[key] = node.line, node.path
    if isinstance(node.value, dict):
        return {k: _flat(part, (*key, k), lines, files) for k, part in node.value.items()}
    if isinstance(node.value, list):
        return [_flat(part, (*key, n), lines, files) for n, part in enumerate(node.value)]
    return node.value


def _merged(base: _Node, own: _Node) -> _Node:
    """Return a node with what its base has and it does not."""
    if not (isinstance(base.value, dict) and isinstance(own.value, dict)):
        return own
    value = dict(base.value)
    for name, part in own.value.items():
        if name in _INNER and "bands" in value:
            _change(value["bands"], part, name)
        elif name in value and _by_name(value[name], part):
            _change(value[name], part, name)
        else:
            value[name] = _merged(value[name], part) if name in value else part
    return _Node(value, own.path, own.line)


def _by_name(base: _Node, own: _Node) -> bool:
    """Return True for two lists whose entries are found by their names."""
    lists = isinstance(base.value, list) and isinstance(own.value, list)
    return lists and bool(own.value) and all(entry.named for entry in own.value)


def _change(base: _Node, own: _Node, kind: str) -> None:
    """Put the entries of a list into another; *kind* is the key of both."""
    for change in own.value:
        entry = _Node(
            {k: v for k, v in change.value.items() if k not in _ORDERS}, change.path, change.line
        )
        names = {name: entry.text(name) for name in _NAMES}
        if not any(names.values()):
            names = {name: entry.text(name) for name in _WORDS}
        found = _find(base, names, kind)
        beside = next(filter(None, map(change.text, _PLACES)), None)
        there = _find(base, dict.fromkeys((*_NAMES, *_WORDS), beside), kind) if beside else []
        if beside and not there:
            raise _wrong(change, Message("stands beside '{beside}'", beside=beside))
        if "drop" in change.value and not found:
            raise _wrong(change, Message("is dropped"))
        for entries, at in found:  # it stays where it is
            entries[at : at + 1] = [] if "drop" in change.value else [_merged(entries[at], entry)]
        for entries, at in there if not found else ():
            entries.insert(at + ("after" in change.value), entry)
        if not found and not there:
            list(_lists(base, kind, inner=False))[-1].append(entry)


def _find(tree: _Node, names: Mapping[str, str | None], kind: str) -> list[tuple[list[_Node], int]]:
    """The lists that hold an entry of one of these names, and its place there.

    Columns that several bands of a table share are in several.
    """
    for name, wanted in names.items():
        found = [
            (entries, at)
            for entries in (_lists(tree, kind) if wanted else ())
            for at, entry in enumerate(entries)
            if entry.text(name) == wanted
        ]
        if found:
            return found
    return []


def _lists(node: _Node, kind: str, *, inner: bool = True) -> Iterator[list[_Node]]:
    """The list itself, and those of the same kind in groups; of bands, the lists that they hold."""
    bands = kind in _INNER and all(
        isinstance(entry.value, dict) and {*_INNER} <= entry.value.keys() for entry in node.value
    )
    if not bands:
        yield node.value
    for entry in node.value if bands or inner else ():
        if isinstance(entry.value, dict) and kind in entry.value:
            yield from _lists(entry.value[kind], kind, inner=inner)


def _wrong(entry: _Node, problem: str) -> InputError:
    return InputError(
        "parameters",
        "{file}:{line}: an entry {problem}, and the form that is extended has none of this name",
        file=str(entry.path),
        line=entry.line,
        problem=problem,
    )
