"""Csv in blocks of whole records, read by pyarrow in threads; a file is never in memory whole.

Only a file whose bytes prove that pyarrow reads it as Python's strict reader does is read here:
every quote begins or ends a cell or is doubled inside one, every line ends one record or stands
inside quotes, and nothing is there that must be told with its place. About any other file there
is a doubt.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from reportkit.ledgers.readers.table import (
    Head,
    Part,
    Tell,
    in_order,
    one_column,
    raw_type,
    unless_sums,
    where,
)
from reportkit.ledgers.schema import heading_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from reportkit.ledgers.schema import LedgerSchema

# Large enough that threads seldom wait for each other, small against the records of a large file.
BLOCK = 1 << 21
BOM = "\ufeff".encode()
# What Python's reader allows in one cell, unless somebody raised it.
_LONGEST = 131_072
_QUOTE, _RETURN, _NEWLINE, _TAB, _SPACE = b'"\r\n\t '


class DoubtError(Exception):
    """Python's reader must look at this file, and tell what is wrong with it or read it."""


def blocks(file: BinaryIO) -> Iterator[bytes]:
    """Whole lines of a file, as they stand; where quotes are right, whole records."""
    start = 0
    while True:
        # Where a line ends is looked up first, so that the block is read in one piece.
        size = file.seek(start + BLOCK) - start + len(file.readline())
        file.seek(start)
        block = file.read(size)
        if not block:
            return
        odd, more = b'"' in block and block.count(b'"') % 2, b""
        # A cell goes on in the next lines; where it does not end there is no telling.
        while odd and len(more) < _LONGEST and (line := file.readline()):
            odd, more = (odd + line.count(b'"')) % 2, more + line
        block += more
        yield block
        # Held no longer than need be: three of them are a twentieth of what a large file becomes.
        del block
        start = file.tell()


def decoded(block: bytes, encoding: str) -> bytes:
    """Whole lines as UTF-8; of GB18030 too, where no character has a line end inside.

    Raises
    ------
    UnicodeError
        The bytes are not in this encoding.
    """
    if encoding == "gb18030":
        return block.decode(encoding).encode()
    if not is_utf8(block):
        message = "not UTF-8"
        raise UnicodeError(message)
    return block


def is_utf8(content: bytes) -> bool:
    """Whether bytes are strict UTF-8, without making a text of them."""
    ends = pa.py_buffer(np.array([0, len(content)], dtype=np.int64))
    cell = pa.Array.from_buffers(pa.large_binary(), 1, [None, ends, pa.py_buffer(content)])
    try:
        cell.cast(pa.large_string())
    except pa.ArrowInvalid:
        return False
    return True


def stream_csv(
    file: BinaryIO, encoding: str, delimiter: str, head: Head, schema: LedgerSchema, *, tell: Tell
) -> Part:
    """Records below the heading, which is in the first block.

    Parameters
    ----------
    file : binary file
    encoding : str
        ``utf-8``, ``utf-8-sig`` or ``gb18030``.
    delimiter : str
    head : Head
    schema : LedgerSchema
    tell : callable
        Is given the number of rows so far.

    Raises
    ------
    DoubtError
    UnicodeError
        The file is not in this encoding.
    """
    reader, digest = _Reader(encoding, delimiter, head, schema), hashlib.sha256()

    def read_and_hashed() -> Iterator[bytes]:
        for block in blocks(file):
            yield block
            # By now it is being read in a thread.
            digest.update(block)
            del block

    columns: dict[str, list[pa.Array]] = {title: [] for title in head.titles if title}
    places: list[npt.NDArray[np.int32]] = []
    line, rows = 1, 0
    for count, found, table in in_order(reader.read, enumerate(read_and_hashed())):
        places.append((line + found).astype(np.int32))
        line, rows = line + count, rows + len(found)
        for title, chunks in columns.items():
            chunks += table[title].chunks
        tell(rows)
    if not rows:
        raise DoubtError
    made = {title: one_column(chunks) for title, chunks in columns.items()}
    lines = np.concatenate(places)
    return Part(made, lines, encoding=encoding, sha256=digest.hexdigest())


class _Reader:
    """What is known of a file from its heading; no block changes it."""

    def __init__(self, encoding: str, delimiter: str, head: Head, schema: LedgerSchema) -> None:
        self.encoding, self.delimiter, self.below = encoding, delimiter, head.line
        titles = [*head.titles, *[""] * (head.cells - head.width)]
        names = [title or f"\0{number}" for number, title in enumerate(titles)]
        wanted = schema.headings()
        known = {t: wanted[heading_key(t)][0] for t in titles if heading_key(t) in wanted}
        self.kinds = {
            name: raw_type(known[name]) if name in known else pa.large_string() for name in names
        }
        self.right = names[head.width :]
        self.others = [name for name in names[: head.width] if name not in known]

    def read(self, numbered: tuple[int, bytes]) -> tuple[int, npt.NDArray[np.int64], pa.Table]:
        """Lines of a block, those that its records begin on from 0 on, and the records."""
        number, block = numbered
        block = decoded(block, self.encoding)
        if number == 0 and block.startswith(BOM):
            block = block.removeprefix(BOM)
        count, lines, ends = _records(block, self.delimiter)
        skipped = int(np.searchsorted(lines, self.below)) if number == 0 else 0
        start = int(ends[skipped - 1]) + 1 if skipped else 0
        table = self._parse(block, start, broken=count > len(lines))
        lines = lines[skipped:]
        if table.num_rows != len(lines):
            raise DoubtError
        blank = _blank(table)
        if any(not _blank(table.select([name])).all() for name in self.right):
            raise DoubtError
        for name in self.others:
            index = table.column_names.index(name)
            table = table.set_column(index, name, unless_sums(table[name].combine_chunks()))
        return count, lines[~blank], table.filter(pa.array(~blank)) if blank.any() else table

    def _parse(self, block: bytes, start: int, *, broken: bool) -> pa.Table:
        if start == len(block):
            return pa.table({name: pa.array([], kind) for name, kind in self.kinds.items()})
        return pa_csv.read_csv(
            pa.BufferReader(pa.py_buffer(block).slice(start)),
            read_options=pa_csv.ReadOptions(
                column_names=list(self.kinds), block_size=len(block) + 1, use_threads=False
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=self.delimiter, ignore_empty_lines=False, newlines_in_values=broken
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=self.kinds, null_values=[], strings_can_be_null=False,
                check_utf8=False,
            ),
        )  # fmt: skip


def _records(
    block: bytes, delimiter: str
) -> tuple[int, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """How many lines, on which of them each record begins, and where each record ends.

    There is doubt about bytes that need a closer look.
    """
    cells = np.frombuffer(block, dtype=np.uint8)
    # What is found is few, looked at again in no time.
    control = np.flatnonzero(cells < _SPACE)
    marks = cells[control]
    ends = control[marks == _NEWLINE]
    if len(ends) < len(control):
        returns, tabs = (int(np.count_nonzero(marks == mark)) for mark in (_RETURN, _TAB))
        paired = int(np.count_nonzero(cells.take(ends - 1, mode="clip") == _RETURN))
        if returns != paired or len(control) != len(ends) + returns + tabs:
            raise DoubtError
    if not block.endswith(b"\n"):
        ends = np.append(ends, len(block))
    # A mark at the beginning of a line: two files were joined.
    if block.startswith(BOM) or (
        (cells.take(ends + 1, mode="clip") == BOM[0]).any() and b"\n" + BOM in block
    ):
        raise DoubtError
    count = len(ends)
    lines = np.arange(count)
    if b'"' in block:
        quotes = np.flatnonzero(cells == _QUOTE)
        if not _are_plain(quotes, cells, delimiter):
            raise DoubtError
        # After an odd number of quotes a line end is inside a cell.
        outside = np.searchsorted(quotes, ends) % 2 == 0
        ends, lines = ends[outside], np.append(0, np.flatnonzero(outside)[:-1] + 1)
    if int(np.diff(ends, prepend=-1).max(initial=0)) > _LONGEST:
        raise DoubtError
    return count, lines, ends


def _are_plain(quotes: npt.NDArray[np.int64], cells: npt.NDArray[np.uint8], delimiter: str) -> bool:
    """Whether every quote is at an end of a cell, or doubled inside one.

    By turns they open and close; before one that opens, and after one that closes, stands an end
    of the cell or (doubled) another quote. Clipped at an end of the block it is compared to itself.
    """
    if len(quotes) % 2:
        return False
    allowed = np.zeros(256, dtype=bool)
    allowed[list(b'"\r\n' + delimiter.encode())] = True
    before = cells.take(quotes[::2] - 1, mode="clip")
    after = cells.take(quotes[1::2] + 1, mode="clip")
    return bool(allowed[before].all() and allowed[after].all())


def _blank(table: pa.Table) -> npt.NDArray[np.bool_]:
    """Rows without any text."""
    blank = np.ones(table.num_rows, dtype=bool)
    # Columns that keep few different texts are looked through in no time.
    for column in sorted(table.columns, key=lambda cells: not pa.types.is_dictionary(cells.type)):
        if blank.any():
            blank &= where(column, _is_blank)
    return blank


def _is_blank(texts: pa.Array) -> pa.Array:
    return pc.equal(pc.binary_length(pc.utf8_trim_whitespace(texts)), 0)
