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
    """A value of a file and where it stands; of a mapping or list, its values are nodes."""

    value: Any
    path: Path
    line: int

    def told(self, name: str) -> str | None:
        """A plain value of a mapping, by its key; None where there is none."""
        found = self.value.get(name) if isinstance(self.value, dict) else None
        return found.value if found and isinstance(found.value, str) else None

    @property
    def named(self) -> bool:
        """Return True where it can be found by a name of its own."""
        return any(self.told(one) for one in (*_NAMES, *_WORDS))


def extended(base: YamlFile, own: YamlFile) -> YamlFile:
    """A file with all that it takes from its base; each value still knows its file and line.

    Raises
    ------
    InputError
        ``parameters``: it changes, drops or names what the base does not have.
    """
    tree = _merged(_tree(base), _tree(own))
    lines: dict[Key, int] = {}
    files: dict[Key, Path] = {}
    data = _flat(tree, (), lines, files)
    return YamlFile(own.path, data, lines, files)


def _tree(file: YamlFile, key: Key = ()) -> _Node:
    def node(value: Any, at: Key) -> _Node:
        if isinstance(value, dict):
            value = {name: node(one, (*at, name)) for name, one in value.items()}
        elif isinstance(value, list):
            value = [node(one, (*at, number)) for number, one in enumerate(value)]
        return _Node(value, file.file_of(at), file.line(at))

    return node(file.data, key)


def _flat(node: _Node, key: Key, lines: dict[Key, int], files: dict[Key, Path]) -> Any:
    lines[key], files[key] = node.line, node.path
    if isinstance(node.value, dict):
        return {k: _flat(one, (*key, k), lines, files) for k, one in node.value.items()}
    if isinstance(node.value, list):
        return [_flat(one, (*key, n), lines, files) for n, one in enumerate(node.value)]
    return node.value


def _merged(base: _Node, own: _Node) -> _Node:
    if isinstance(base.value, dict) and isinstance(own.value, dict):
        value = dict(base.value)
        for name, one in own.value.items():
            if name in _INNER and "bands" in value:
                value["bands"] = _changed(value["bands"], one, name)
            else:
                value[name] = _listed(value[name], one, name) if name in value else one
        return _Node(value, own.path, own.line)
    return own


def _listed(base: _Node, own: _Node, name: str) -> _Node:
    lists = isinstance(base.value, list) and isinstance(own.value, list)
    if lists and own.value and all(one.named for one in own.value):
        return _changed(base, own, name)
    return _merged(base, own)


def _changed(base: _Node, own: _Node, kind: str) -> _Node:
    """A list with the entries of another put into it; *kind* is what both are called."""
    made = _copy(base)
    for told in own.value:
        entry = _Node(
            {k: v for k, v in told.value.items() if k not in _ORDERS}, told.path, told.line
        )
        names = {name: entry.told(name) for name in _NAMES}
        if not any(names.values()):
            names = {name: entry.told(name) for name in _WORDS}
        found = _find(made, names, kind)
        beside = next((told.told(name) for name in _PLACES if told.told(name)), None)
        there = _find(made, dict.fromkeys((*_NAMES, *_WORDS), beside), kind) if beside else []
        if beside and not there:
            raise _wrong(told, Message("stands beside '{beside}'", beside=beside))
        if "drop" in told.value and not found:
            raise _wrong(told, Message("is dropped"))
        for inside, at in found:  # it stays where it is
            inside[at : at + 1] = [] if "drop" in told.value else [_merged(inside[at], entry)]
        for inside, at in there if not found else ():
            inside.insert(at + ("after" in told.value), entry)
        if not found and not there:
            list(_lists(made, kind, inner=False))[-1].append(entry)
    return made


def _copy(node: _Node) -> _Node:
    """A tree whose lists can be changed."""
    if isinstance(node.value, dict):
        return _Node({k: _copy(one) for k, one in node.value.items()}, node.path, node.line)
    if isinstance(node.value, list):
        return _Node([_copy(one) for one in node.value], node.path, node.line)
    return node


def _find(tree: _Node, names: Mapping[str, str | None], kind: str) -> list[tuple[list[_Node], int]]:
    """The lists that hold an entry of one of these names, and its place there.

    Columns that several bands of a table share are in several.
    """
    for name, wanted in names.items():
        found = [
            (inside, at)
            for inside in (_lists(tree, kind) if wanted else ())
            for at, one in enumerate(inside)
            if one.told(name) == wanted
        ]
        if found:
            return found
    return []


def _lists(node: _Node, kind: str, *, inner: bool = True) -> Iterator[list[_Node]]:
    """The list itself, and those of the same kind in groups; of bands, the lists that they hold."""
    bands = kind in _INNER and all(
        "columns" in one.value and "rows" in one.value for one in node.value
    )
    if not bands:
        yield node.value
    for one in node.value if bands or inner else ():
        if isinstance(one.value, dict) and kind in one.value:
            yield from _lists(one.value[kind], kind, inner=inner)


def _wrong(entry: _Node, what: str) -> InputError:
    return InputError(
        "parameters",
        "{file}:{line}: an entry {what}, and the form that is extended has none of this name",
        file=str(entry.path),
        line=entry.line,
        what=what,
    )
