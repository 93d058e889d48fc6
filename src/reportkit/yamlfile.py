"""YAML as people write it: every scalar keeps its written form, every value knows its line."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from reportkit.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


class Strict(BaseModel):
    """Base of everything read from YAML: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


M = TypeVar("M", bound=BaseModel)
# libyaml reads ten times faster; a PyYAML built without it reads the same.
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
Key = tuple[str | int, ...]


@dataclass(frozen=True)
class YamlFile:
    """The data of one file, and the line on which each value stands."""

    path: Path
    data: Any
    lines: dict[Key, int]

    def line(self, key: Key) -> int:
        """Line of a value, or of the nearest thing around it that has one."""
        while key not in self.lines and key:
            key = key[:-1]
        return self.lines.get(key, 1)

    def problem(self, key: Key, message: str) -> str:
        """Say *message* of the value at *key*, with file and line."""
        return f"{self.path}:{self.line(key)}: {message}"

    def validate(self, model: type[M]) -> M:
        """Turn the data into *model*; all problems are told at once.

        Raises
        ------
        InputError
            ``parameters``: each problem with file, line and, for an unknown key, the nearest known.
        """
        try:
            return model.model_validate(self.data)
        except ValidationError as error:
            problems = [self._explain(model, problem) for problem in error.errors()]
            raise InputError("parameters", "\n".join(problems)) from None

    def _explain(self, model: type[BaseModel], problem: Any) -> str:
        # A union adds its own branch names to the location; they are no keys of the file.
        key: Key = ()
        for part in problem["loc"]:
            if (*key, part) in self.lines:
                key = (*key, part)
        if problem["type"] == "missing":
            key = (*key, problem["loc"][-1])
        name = ".".join(str(part) for part in key)
        if problem["type"] == "extra_forbidden":
            known = _known_keys(model, key[:-1])
            near = difflib.get_close_matches(str(key[-1]), known, n=1, cutoff=0.4)
            hint = f"did you mean '{near[0]}'?" if near else f"known keys: {', '.join(known)}"
            return self.problem(key, f"unknown key '{name}'; {hint}")
        if problem["type"] == "missing":
            return self.problem(key, f"'{name}' is missing")
        # Only a plain value is repeated; around it may stand what nobody should read.
        found = problem["input"]
        plain = isinstance(found, str | None) and problem["type"] != "unshown"
        told = f" is {found!r}:" if plain else ""
        return self.problem(key, f"'{name}'{told} {problem['msg']}")


def _known_keys(model: type[BaseModel], key: Key) -> list[str]:
    for part in key:
        # What is no field is a position in a list, or a name that the file gives.
        field = model.model_fields.get(str(part))
        if field is None:
            continue
        inner = _model_in(field.annotation)
        if inner is None:
            return []
        model = inner
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        found = _model_in(part)
        if found is not None:
            return found
    return None


def read_yaml(path: Path) -> YamlFile:
    """Read one YAML file without guessing types: ``007`` stays ``007``, ``no`` stays ``no``.

    Raises
    ------
    InputError
        ``yaml``: not UTF-8, not YAML, or a key given twice; with file and line.
    """
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=_LOADER)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        message = f"{path} is not readable as UTF-8 YAML: {error}"
        raise InputError("yaml", message, file=str(path), line=line) from None
    lines: dict[Key, int] = {}
    data = _build(node, (), lines, path) if node is not None else {}
    return YamlFile(path, data, lines)


def _build(node: yaml.Node, key: Key, lines: dict[Key, int], path: Path) -> Any:
    lines[key] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for name_node, value_node in node.value:
            name = str(name_node.value)
            line = name_node.start_mark.line + 1
            if name in mapping:
                message = f"{path}:{line}: key '{name}' is given twice; keep one of them"
                raise InputError("yaml", message, file=str(path), line=line)
            mapping[name] = _build(value_node, (*key, name), lines, path)
            lines[(*key, name)] = line
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, (*key, i), lines, path) for i, item in enumerate(node.value)]
    plain = isinstance(node, yaml.ScalarNode) and not node.style
    return None if plain and node.value in ("", "~", "null") else node.value
