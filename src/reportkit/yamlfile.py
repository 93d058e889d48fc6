"""YAML as people write it: every scalar keeps its written form, every value knows its line."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from reportkit.errors import InputError
from reportkit.language import Message, joined
from reportkit.language.libraries import PYDANTIC
from reportkit.language.message import COLON, COMMA, of_library
from reportkit.persons import without_persons

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Strict(BaseModel):
    """Base of everything read from YAML: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


M = TypeVar("M", bound=BaseModel)
# libyaml reads ten times faster; a PyYAML built without it reads the same.
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
Key = tuple[str | int, ...]
_DEEPEST = 50


@dataclass(frozen=True)
class YamlFile:
    """The data of one file, and the line on which each value stands."""

    path: Path
    data: Any
    lines: dict[Key, int]
    files: dict[Key, Path] = field(default_factory=dict)

    def line(self, key: Key) -> int:
        """Line of a value, or of the nearest thing around it that has one."""
        while key not in self.lines and key:
            key = key[:-1]
        return self.lines.get(key, 1)

    def file_of(self, key: Key) -> Path:
        """The file that a value stands in: of one that extends another, any of the two."""
        while key not in self.files and key:
            key = key[:-1]
        return self.files.get(key, self.path)

    def problem(self, key: Key, message: str) -> str:
        """The text of a problem with the value at *key*, with file and line."""
        return Message(
            "{file}:{line}: {message}",
            file=self.file_of(key),
            line=self.line(key),
            message=message,
        )

    def refusal(
        self, key: Key, problem: str, *, reason: str = "parameters", **places: Any
    ) -> InputError:
        """The error for what is wrong with the value at *key*."""
        return InputError(reason, "{problem}", problem=self.problem(key, problem), **places)

    def validate(self, model: type[M]) -> M:
        """Turn the data into *model*; all problems are named at once.

        Raises
        ------
        InputError
            ``parameters``: each problem with file, line and, for an unknown key, the nearest known.
        """
        try:
            return model.model_validate(self.data)
        except ValidationError as error:
            problems = [self._explain(model, problem) for problem in error.errors()]
            raise InputError("parameters", "{problems}", problems=joined("\n", problems)) from None

    def _explain(self, model: type[BaseModel], problem: Any) -> str:
        # A union adds its own branch names to the location; they are no keys of the file.
        key: Key = ()
        for part in problem["loc"]:
            if (*key, part) in self.lines:
                key = (*key, part)
        if problem["type"] == "missing":
            key = (*key, problem["loc"][-1])
        name = ".".join(str(part) for part in key)
        # What was meant as a key with its value was read as text, or its blanks as a part of it.
        meant = str(key[-1]) if problem["type"] == "extra_forbidden" else problem["input"]
        if problem["type"] in _SLIPS and isinstance(meant, str) and (slip := _slip(meant)):
            return self.problem(key, slip)
        if problem["type"] == "extra_forbidden":
            known = _known_keys(model, key[:-1])
            near = difflib.get_close_matches(str(key[-1]), known, n=1, cutoff=0.4)
            hint = (
                Message("did you mean '{near}'?", near=near[0])
                if near
                else Message("known keys: {known}", known=joined(COMMA, known))
            )
            return self.problem(key, Message("unknown key '{name}'; {hint}", name=name, hint=hint))
        if problem["type"] == "missing":
            return self.problem(key, Message("'{name}' is missing", name=name))
        # Only a plain value is repeated; around it may stand what nobody should read.
        found = problem["input"]
        plain = isinstance(found, str | None) and problem["type"] != "unshown"
        shown = without_persons(found) if plain and found else found
        value = Message(" is {value!r:.80}:", value=shown) if plain else ""
        text = Message(
            "'{name}'{value} {problem}", name=name, value=value, problem=_of_pydantic(problem)
        )
        return self.problem(key, text)


def _of_pydantic(problem: Any) -> Message:
    if isinstance(own := problem.get("ctx", {}).get("message"), Message):
        return own
    known = PYDANTIC.get(problem["type"])
    values = {
        name: of_library(value) if name == "error" and isinstance(value, str) else value
        for name, value in problem.get("ctx", {}).items()
    }
    message = Message(known, **values) if known else None
    # Its sentences change from one version to the next.
    return message if message and message == problem["msg"] else of_library(problem["msg"])


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


def read_prose(path: Path) -> str:
    """Read a text for a report, without the byte order mark that some editors write.

    Raises
    ------
    InputError
        ``encoding``: it is not UTF-8; with its line.
    """
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise InputError(
            "encoding",
            "{file}:{line} is not UTF-8; save the file as UTF-8",
            file=path.as_posix(),
            line=content.count(b"\n", 0, error.start) + 1,
        ) from None


def read_yaml(path: Path) -> YamlFile:
    """Read one YAML file without guessing types: ``007`` stays ``007``, ``no`` stays ``no``.

    Raises
    ------
    InputError
        ``yaml``: not UTF-8, not YAML, a key given twice, or nested too deep; with file and line.
    """
    text = ""
    try:
        text = path.read_text(encoding="utf-8")
        return _Builder(path, text).file()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        # Without the piece of the file that the error would show.
        parts = [of_library(part) for part in (error.context, error.problem) if part]
        fault: str = joined(COLON, parts)
        _refuse_slips(path, text, line or 1)
    except UnicodeDecodeError as error:
        line, fault = None, Message("byte {place} is none of it; save it anew", place=error.start)
    except yaml.YAMLError as error:
        line, fault = None, of_library(str(error))
    place = f"{path}:{line}" if line else f"{path}"
    raise InputError(
        "yaml",
        "{place} is not readable as UTF-8 YAML: {fault}",
        place=place,
        fault=fault,
        file=str(path),
        line=line,
    )


# Kinds of problems that a slip of the keyboard makes where the file can still be read.
_SLIPS = ("dict_type", "model_type", "model_attributes_type", "extra_forbidden")
# A key, and a colon without the blank after it.
_NARROW = re.compile(r"(?P<key>\w+):(?=[^\s/])")
# A key, and a colon as Chinese keyboards write it.
_WIDE_COLON = re.compile(r"\s*(?:- )?(?P<key>[^\s#:：'\"]+) *：")


def _refuse_slips(path: Path, text: str, line: int) -> None:
    """Name the usual slip that makes a file unreadable, where the parser stopped or just before.

    Raises
    ------
    InputError
        ``yaml``: a full-width colon, or a tab.
    """
    lines = text.splitlines()
    for number in range(min(line, len(lines)), max(line - 3, 0), -1):
        if slip := _slip(lines[number - 1]):
            raise _wrong(path, number, slip)


def _slip(line: str) -> Message | None:
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return Message("a tab stands before the text; indent it with spaces")
    if line.startswith("\u3000"):
        return Message("a full-width blank stands before the text; indent it with spaces")
    if found := _NARROW.match(line):
        key = without_persons(found["key"])[:40]
        return Message("a blank is missing after the colon of '{key}'; write ': '", key=key)
    if found := _WIDE_COLON.match(line):
        key = without_persons(found["key"])[:40]
        return Message("the colon after '{key}' is a full-width one; write ': ' instead", key=key)
    return None


def _wrong(path: Path, line: int, message: str) -> InputError:
    return InputError(
        "yaml",
        "{path}:{line}: {message}",
        path=path,
        message=message,
        file=str(path),
        line=line,
    )


class _Builder:
    """The data of a file from the events of its parser, which never nests calls by itself."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        self.lines: dict[Key, int] = {}
        self.order: list[Key] = []
        self.named: dict[str, tuple[Any, dict[Key, int]]] = {}
        # Values there are, with those that aliases repeat; without aliases a file has no more than
        # it has characters.
        self.count, self.most = 0, len(text) + 1

    def file(self) -> YamlFile:
        data: Any = {}
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if self.count:
                    raise self.wrong(
                        event, Message("a second document begins with ---; keep one of them")
                    )
                data = self.value(first := next(self.events), ())
                if isinstance(data, str) and not first.style and (slip := _slip(data)):
                    raise self.wrong(first, slip)
        return YamlFile(self.path, data, self.lines)

    def value(self, event: Any, key: Key) -> Any:
        self.counted(event, 1)
        before = len(self.order)
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.named:
                raise self.wrong(
                    event,
                    Message("'*{anchor:.60}' stands for nothing before it", anchor=event.anchor),
                )
            value, lines = self.named[event.anchor]
            self.counted(event, len(lines))
            for inner, line in lines.items():
                self.note((*key, *inner), line)
            return value
        self.note(key, event.start_mark.line + 1)
        if len(key) > _DEEPEST:
            raise self.wrong(
                event, Message("more than {deepest} levels within each other", deepest=_DEEPEST)
            )
        if isinstance(event, yaml.SequenceStartEvent):
            value = self.sequence(key)
        elif isinstance(event, yaml.MappingStartEvent):
            value = self.mapping(key)
        else:
            plain = not event.style and event.value in ("", "~", "null")
            value = None if plain else event.value
        if event.anchor:
            own = {k[len(key) :]: self.lines[k] for k in self.order[before:]}
            self.named[event.anchor] = value, own
        return value

    def sequence(self, key: Key) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            found.append(self.value(event, (*key, len(found))))
        return found

    def mapping(self, key: Key) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            line = event.start_mark.line + 1
            if not isinstance(event, yaml.ScalarEvent):
                raise self.wrong(event, Message("a key must be plain text"))
            if event.value in found:
                raise self.wrong(
                    event,
                    Message(
                        "key '{value:.60}' is given twice; keep one of them", value=event.value
                    ),
                )
            name = str(event.value)
            found[name] = self.value(next(self.events), (*key, name))
            if found[name] is None and not event.style and (slip := _slip(name)):
                raise self.wrong(event, slip)
            self.lines[(*key, name)] = line
        return found

    def note(self, key: Key, line: int) -> None:
        self.lines[key] = line
        self.order.append(key)

    def counted(self, event: Any, more: int) -> None:
        self.count += more
        if self.count > self.most:
            raise self.wrong(
                event, Message("aliases repeat more than the file holds; write values out")
            )

    def wrong(self, event: Any, message: str) -> InputError:
        return _wrong(self.path, event.start_mark.line + 1, message)
