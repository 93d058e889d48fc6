"""Cells out of the bytes of a sheet, for all cells of some rows at once.

What nearly every program writes is taken apart by numpy and Arrow. That the bytes say what they
seem to say is proved: an XML parser finds the sheet well-formed, and in its rows are the elements
of plain cells only, each attribute in double quotes. Of any other sheet there is a doubt.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reportkit.ledgers.readers.cells import ESCAPE, Cells, Look, parser, pieces, unescaped

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

# No row is as long.
_LONGEST = 1 << 24
_LT, _GT, _SLASH, _QUOTE = b'<>/"'
_ROW, _CELL, _VALUE, _FORMULA, _INLINE, _TEXT, _STRING = range(1, 8)
_ATTRIBUTE = re.compile(rb' ([\w:]+)="([^"&<>]*)"')
_HIDDEN = re.compile(rb'<row (?:[^>]* )?hidden="(?:1|true)"[^>]*>')
_NUMBER = re.compile(rb' r="(\d+)"')
_ENTITY = "&(?:#(\\d+)|#x([0-9A-Fa-f]+)|(lt|gt|amp|quot|apos));"
_ENTITIES_AND_ESCAPES = re.compile(f"{_ENTITY}|{ESCAPE}")


class DoubtError(Exception):
    """The bytes must be looked at by the parser."""


def _known(names: dict[bytes, int]) -> npt.NDArray[np.uint8]:
    """What the two bytes after ``<`` say; 0 where they are not known."""
    table = np.zeros(1 << 16, np.uint8)
    for name, code in names.items():
        table[name[0] << 8 | name[1]] = code
    return table


_OF_SHEETS = _known(
    {
        b"ro": _ROW, b"c ": _CELL, b"v>": _VALUE, b"f>": _FORMULA, b"f ": _FORMULA,
        b"is": _INLINE, b"t>": _TEXT, b"t ": _TEXT,
    }
)  # fmt: skip
_OF_STRINGS = _known({b"si": _STRING, b"t>": _TEXT, b"t ": _TEXT})


def _with_characters(block: bytes) -> bytes:
    """The block with ``&#20381;`` as ``依``: some programs write all Chinese so.

    References to what is ASCII stay: they may stand for a mark of the language.
    """
    if b"&#" not in block:
        return block
    data = np.frombuffer(block, np.uint8)
    at = np.flatnonzero((data[:-1] == ord("&")) & (data[1:] == ord("#")))
    number, end = _number(data, at + 2)
    chosen = (data[end] == ord(";")) & (number >= 0x80)
    at, end, number = at[chosen], end[chosen], number[chosen]
    size = 2 + (number >= 0x800) + (number >= 0x10000)
    made = data.copy()
    made[at] = np.choose(size - 2, (0xC0 | number >> 6, 0xE0 | number >> 12, 0xF0 | number >> 18))
    for n in range(1, 4):
        has = size > n
        rest = number[has] >> 6 * (size[has] - 1 - n)
        made[at[has] + n] = 0x80 | rest & 0x3F
    # Of the reference, what the character does not take is left out.
    change = np.zeros(len(data) + 1, np.int8)
    change[at + size], change[end + 1] = 1, -1
    return bytes(made[np.cumsum(change[:-1]) == 0])


def _number(data: npt.NDArray[np.uint8], at: npt.NDArray[np.int64]) -> tuple[Any, Any]:
    """The whole number of at most seven digits at each place, and where it ends."""
    number = np.zeros(len(at), np.int32)
    for _ in range(7):
        digit = data[at] - np.uint8(ord("0"))
        is_digit = digit < 10
        number = np.where(is_digit, number * 10 + digit, number)
        at = at + is_digit
    return number, at


class _Tags:
    """The start tags of a block: where each begins and ends, and what it is."""

    def __init__(self, block: bytes, known: npt.NDArray[np.uint8]) -> None:
        self.data = np.frombuffer(block, np.uint8)
        self.begin = np.flatnonzero(self.data == _LT)
        self.end = np.flatnonzero(self.data == _GT)
        # Line ends are changed, and comments skipped, by a parser only.
        if len(self.begin) != len(self.end) or b"\r" in block or len(block) - 3 < self.begin[-1]:
            raise DoubtError
        if not (self.begin < self.end).all() or not (self.end[:-1] < self.begin[1:]).all():
            raise DoubtError
        first = self.data[self.begin + 1]
        opens = first != _SLASH
        self.index = np.flatnonzero(opens)
        second = self.data[self.begin[self.index] + 2]
        self.code = known[first[opens].astype(np.uint16) << 8 | second]
        if not self.code.all():
            raise DoubtError

    def texts(self, wanted: npt.NDArray[np.int64]) -> tuple[Any, Any]:
        """Begin and end of the text in each of these elements, which must hold nothing else."""
        index = self.index[wanted]
        begin, end = self.end[index] + 1, self.begin[np.minimum(index + 1, len(self.begin) - 1)]
        if (self.data[begin - 2] == _SLASH).any() or (self.data[end + 1] != _SLASH).any():
            raise DoubtError
        return begin, end


def _slices(block: bytes, begin: npt.NDArray[np.int64], end: npt.NDArray[np.int64]) -> pa.Array:
    """The bytes from each begin to each end, in their order, without a loop over them."""
    ends = np.stack((begin, end), axis=1).ravel()
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(block)]
    both = pa.Array.from_buffers(pa.large_binary(), len(ends) - 1, buffers)
    return both.take(pa.array(np.arange(0, len(ends), 2)))


def _unescaped(block: bytes, texts: pa.Array) -> pa.Array:
    """Texts with their entities and escapes (``&lt;``, ``_x000D_``) read."""
    texts = texts.cast(pa.large_string())
    if b"&" in block or b"_x" in block:
        escaped = pc.match_substring_regex(texts, "&|_x").fill_null(False)
        changed = [
            _ENTITIES_AND_ESCAPES.sub(unescaped, text) for text in texts.filter(escaped).to_pylist()
        ]
        texts = pc.replace_with_mask(texts, escaped, pa.array(changed, pa.large_string()))
    return texts


def _kinds(rests: pa.Array) -> tuple[Any, list[tuple[str, int]], Any]:
    """Kind of each cell by what stands in its tag after the reference, and which are closed."""
    encoded = rests.dictionary_encode()
    kinds, closed = [], []
    for rest in encoded.dictionary.to_pylist():
        bare = rest.rstrip().removesuffix(b"/").rstrip()
        found = dict(_ATTRIBUTE.findall(bare))
        if _ATTRIBUTE.sub(b"", bare):
            raise DoubtError
        kinds.append((found.get(b"t", b"n").decode(), int(found.get(b"s", 0))))
        closed.append(rest.endswith(b"/"))
    kind = encoded.indices.to_numpy(zero_copy_only=False)
    return kind, kinds, np.array(closed)[kind]


def _references(
    data: npt.NDArray[np.uint8], at: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Row and column of ``A1`` …, and where the reference ends."""
    column = np.zeros(len(at), np.int32)
    for _ in range(3):
        letter = data[at] - np.uint8(ord("A"))
        is_letter = letter < 26
        column = np.where(is_letter, column * 26 + letter + 1, column)
        at = at + is_letter
    row, at = _number(data, at)
    if not ((data[at] == _QUOTE) & (row > 0) & (column > 0)).all():
        raise DoubtError
    return row, column, at


def _cells(block: bytes) -> Cells | None:
    """All cells of a block of whole rows; None where there are none."""
    tags = _Tags(block, _OF_SHEETS)
    is_cell = tags.code == _CELL
    cell = np.flatnonzero(is_cell)
    if not len(cell):
        return None
    at = tags.begin[tags.index[cell]]
    data = tags.data
    if not all((data[at + n] == byte).all() for n, byte in enumerate(b'r="', 3)):
        raise DoubtError
    row, column, at = _references(data, at + 6)
    tag_end = tags.end[tags.index[cell]]
    kind, kinds, closed = _kinds(_slices(block, at + 1, tag_end))
    # Each text belongs to the cell that began last, and a cell has one at most.
    of_cell = np.cumsum(is_cell) - 1
    held = np.flatnonzero((tags.code == _VALUE) | (tags.code == _TEXT))
    formulas = of_cell[tags.code == _FORMULA]
    owner = of_cell[held]
    if (np.diff(owner, prepend=-1) <= 0).any() or closed[owner].any() or (formulas < 0).any():
        raise DoubtError
    begin, end = tag_end + 1, tag_end + 1
    begin[owner], end[owner] = tags.texts(held)
    text = _unescaped(block, _slices(block, begin, end))
    if len(owner) < len(cell):
        there = np.zeros(len(cell), bool)
        there[owner] = True
        text = pc.if_else(there, text, None)
    formula = np.zeros(len(cell), bool)
    formula[formulas] = True
    return Cells(row, column, kind, kinds, text, formula)


def _strings(block: bytes) -> pa.Array:
    """All texts of a block of whole shared strings."""
    tags = _Tags(block, _OF_STRINGS)
    # Each string has one text, and nothing else.
    if (tags.code[::2] != _STRING).any() or (tags.code[1::2] != _TEXT).any() or len(tags.code) % 2:
        raise DoubtError
    begin, end = tags.texts(np.arange(1, len(tags.code), 2))
    return _unescaped(block, _slices(block, begin, end))


def _blocks(
    file: BinaryIO, within: tuple[bytes, bytes], item: bytes, last: bytes, listener: Any
) -> Iterator[bytes]:
    """Whole rows (or strings) within two tags; all that is read is well-formed.

    Before the first block and after the last one the listener's handlers are called.
    """
    opening, closing = within
    handler, buffer, begun = listener.StartElementHandler, b"", False
    for piece in pieces(file):
        buffer += piece
        if not begun:
            where = buffer.find(opening)
            # An encoding that is not UTF-8, a comment, or nothing to be found.
            if where < 0 or b"<!" in buffer[:where] or not _is_utf8(buffer[:200]):
                raise DoubtError
            where = buffer.find(b">", where) + 1
            listener.Parse(buffer[:where], False)
            listener.StartElementHandler = None
            buffer, begun = buffer[where:], True
        cut = buffer.rfind(last)
        if cut < 0 and len(buffer) > _LONGEST:
            raise DoubtError
        if cut >= 0:
            cut += len(last)
            block, buffer = buffer[:cut], buffer[cut:]
            listener.Parse(block, False)
            yield _with_characters(block)
    # Nothing may be left that is to be taken apart.
    if not begun or closing not in buffer or item in buffer.partition(closing)[0]:
        raise DoubtError
    listener.StartElementHandler = handler
    listener.Parse(buffer, True)


def _is_utf8(declaration: bytes) -> bool:
    found = re.search(rb"encoding=[\"']([^\"']+)", declaration.partition(b"?>")[0])
    return not found or found[1].lower() == b"utf-8"


def _hidden(block: bytes) -> list[int]:
    """Numbers of hidden rows."""
    if block.count(b"hidden") > block.count(b' hidden="'):
        raise DoubtError
    found = [_NUMBER.search(tag) for tag in _HIDDEN.findall(block)]
    if not all(found):
        raise DoubtError
    return [int(match[1]) for match in found if match]


def plain_sheet(file: BinaryIO, look: Look, place: str) -> Iterator[Cells]:
    """Cells of a sheet, a block at a time.

    Raises
    ------
    DoubtError
    InputError
        ``ledger-unsafe``: entities, or cells beyond the end of a sheet.
    """
    listener = parser(place)
    listener.StartElementHandler = look.hear
    within = b"<sheetData>", b"</sheetData>"
    for block in _blocks(file, within, b"<c", b"</row>", listener):
        if b"hidden" in block:
            look.hidden_rows += _hidden(block)
        if cells := _cells(block):
            yield cells


def plain_strings(file: BinaryIO, place: str) -> pa.Array:
    """The shared strings of a workbook.

    Raises
    ------
    DoubtError
    """
    within = b"<sst", b"</sst>"
    found = map(_strings, _blocks(file, within, b"<si", b"</si>", parser(place)))
    return pa.concat_arrays([*found, pa.array([], pa.large_string())])
