"""Cells out of the XML of a workbook, some rows at a time; a sheet is never in memory whole.

Here by the events of an XML parser, which reads any sheet that is well-formed.

Source: ECMA-376 part 1 (SpreadsheetML), 18.3 and 18.4.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO
from xml.parsers import expat

import numpy as np
import pyarrow as pa

from reportkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

_BLOCK = 1 << 19
_CELLS = 20_000
ROWS, COLUMNS = 1_048_576, 16_384
_REFERENCE = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})")
# A carriage return is _x000D_, and an underscore that could begin such a thing is _x005F_.
ESCAPE = "_x(000[9AaDd]|00[2-7][0-9A-Fa-f])_"
_ESCAPES = re.compile(f"()()(){ESCAPE}")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
Place = tuple[int, int]


@dataclass(frozen=True)
class Cells:
    """Some cells of a sheet, row by row; rows and columns count from 1."""

    row: npt.NDArray[np.int32]
    column: npt.NDArray[np.int32]
    kind: npt.NDArray[np.int32]
    kinds: list[tuple[str, int]]
    """Type and style of a cell whose kind is the index: ``("s", 0)``, ``("n", 3)`` …"""
    text: pa.Array
    """What stands in each cell; null where nothing does."""
    formula: npt.NDArray[np.bool_]


@dataclass
class Look:
    """What is told of a sheet besides its cells."""

    hidden_rows: list[int]
    hidden_columns: list[Place]
    """First and last column of each hidden range."""
    merges: list[str]

    def hear(self, tag: str, attributes: dict[str, str]) -> None:
        """An element before or after the cells."""
        tag = local(tag)
        if tag == "col" and attributes.get("hidden") in ("1", "true"):
            first, last = attributes.get("min", 1), attributes.get("max", COLUMNS)
            self.hidden_columns.append((int(first), int(last)))
        elif tag == "mergeCell":
            self.merges.append(attributes.get("ref", ""))


def local(name: str) -> str:
    """A name without its name space."""
    return name.rpartition(" ")[2]


def parser(place: str) -> Any:
    """An XML parser that refuses entities."""

    def refuse(*_: Any) -> None:
        message = (
            f"{place} declares entities; copy its cells into a new workbook and save that as .xlsx"
        )
        raise InputError("ledger-unsafe", message, file=place)

    made = expat.ParserCreate(namespace_separator=" ")
    made.StartDoctypeDeclHandler = refuse
    made.buffer_text = True
    return made


def pieces(file: BinaryIO) -> Iterator[bytes]:
    """The bytes of a part, piece by piece."""
    return iter(partial(file.read, _BLOCK), b"")


def unescaped(match: re.Match[str]) -> str:
    """The character that an entity or escape stands for."""
    decimal, hexadecimal, name, utf16 = match.groups()
    if name:
        return _NAMED[name]
    return chr(int(decimal) if decimal else int(hexadecimal or utf16, 16))


class _Heard:
    """A part as the parser tells it: texts are joined of their runs, without phonetic ones."""

    def __init__(self, place: str) -> None:
        self.parser = parser(place)
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.hear
        self.path: list[str] = []
        self.parts: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = local(tag)
        self.path.append(tag)
        self.opened(tag, attributes)

    def end(self, tag: str) -> None:
        self.path.pop()
        self.closed(local(tag))

    def hear(self, text: str) -> None:
        if self.path[-1] in ("v", "t") and "rPh" not in self.path:
            self.parts.append(text)

    def text(self) -> str:
        text = _ESCAPES.sub(unescaped, "".join(self.parts))
        self.parts.clear()
        return text

    def opened(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def closed(self, tag: str) -> None:
        """An element ends."""


class _HeardStrings(_Heard):
    """The shared strings."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.found: list[str] = []

    def closed(self, tag: str) -> None:
        if tag == "si":
            self.found.append(self.text())

    def run(self, file: BinaryIO) -> pa.Array:
        for piece in pieces(file):
            self.parser.Parse(piece, False)
        self.parser.Parse(b"", True)
        return pa.array(self.found, pa.large_string())


class _HeardSheet(_Heard):
    """The cells of a sheet."""

    def __init__(self, look: Look, place: str) -> None:
        super().__init__(place)
        self.look = look
        self.row = self.column = 0
        self.kinds: dict[tuple[str, int], int] = {}
        self.found: list[tuple[int, int, int, str | None, bool]] = []
        self.whole = 0
        """Cells of rows that have ended."""
        self.kind, self.held, self.formula = 0, False, False

    def opened(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "c":
            if "r" in attributes:
                self.row, self.column = place_of(attributes["r"])
            else:
                self.column += 1
            kind = attributes.get("t", "n"), int(attributes.get("s", 0))
            self.kind = self.kinds.setdefault(kind, len(self.kinds))
            self.held = self.formula = False
            self.parts.clear()
        elif tag in ("v", "is"):
            self.held = True
        elif tag == "f":
            self.formula = True
        elif tag == "row":
            self.row, self.column = int(attributes.get("r", self.row + 1)), 0
            if attributes.get("hidden") in ("1", "true"):
                self.look.hidden_rows.append(self.row)
        else:
            self.look.hear(tag, attributes)

    def closed(self, tag: str) -> None:
        if tag == "c":
            text = self.text() if self.held else None
            self.found.append((self.row, self.column, self.kind, text, self.formula))
        elif tag == "row":
            self.whole = len(self.found)

    def taken(self) -> Cells:
        row, column, kind, text, formula = zip(*self.found[: self.whole], strict=True)
        del self.found[: self.whole]
        self.whole = 0
        return Cells(
            np.array(row, np.int32), np.array(column, np.int32), np.array(kind, np.int32),
            list(self.kinds), pa.array(text, pa.large_string()), np.array(formula),
        )  # fmt: skip

    def run(self, file: BinaryIO) -> Iterator[Cells]:
        for piece in pieces(file):
            self.parser.Parse(piece, False)
            if self.whole > _CELLS:
                yield self.taken()
        self.parser.Parse(b"", True)
        if self.whole:
            yield self.taken()


def place_of(reference: str) -> Place:
    """Row and column of ``C5``."""
    found = _REFERENCE.fullmatch(reference)
    if not found:
        message = f"'{reference[:20]}' is no cell"
        raise ValueError(message)
    return int(found[2]), column_number(found[1])


def column_number(letters: str) -> int:
    """1 for A, 27 for AA."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def cell_name(row: int, column: int) -> str:
    """``C5`` for row 5, column 3."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row}"


def heard_sheet(file: BinaryIO, look: Look, place: str) -> Iterator[Cells]:
    """Cells of a sheet, some rows at a time.

    Raises
    ------
    InputError
        ``ledger-unsafe``: it declares entities.
    """
    return _HeardSheet(look, place).run(file)


def heard_strings(file: BinaryIO, place: str) -> pa.Array:
    """The shared strings of a workbook."""
    return _HeardStrings(place).run(file)
