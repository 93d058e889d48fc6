"""Tables as readers give them: text cells by heading, and notes on what a person must know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reportkit.errors import InputError
from reportkit.language import Message
from reportkit.ledgers.normal import outer
from reportkit.ledgers.records import place_in_file
from reportkit.ledgers.schema import heading_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from reportkit.ledgers.readers.heading import Head
    from reportkit.ledgers.schema import Column, LedgerSchema

# A number of more than 15 digits is not the one that somebody typed into a spreadsheet.
EXACT = 1e15
CHINA = "Asia/Shanghai"
"""Whose clock says which day an instant is, in a file or a database."""
_DIGITS = 15
_BATCH = 20_000
# 合计, 小　计：, 本页小计, 合计（件）; what is longer is a text that speaks of a sum.
# White space of Arrow is that of ASCII.
_SUMS = (
    r"^\s*(?:本[页月季年]|全年)?\s*[合小总共累]\s*计\s*(?:[(（][^()（）]{0,6}[)）])?\s*[:：]?\s*$"
).replace(r"\s", r"[\s\x{a0}\x{3000}]")
Tell = Callable[[int], object]
"""Reports progress: is given the number of rows read so far."""
Epoch = Literal[1900, 1904]


def quiet(_: int) -> None:
    """Report progress to nobody."""


@dataclass(frozen=True)
class Note:
    """Something about a file that a person must know, though it could be read."""

    place: str
    rule: str
    severity: Literal["warn", "reject"]
    column: str
    found: str
    expected: str
    line: int | None = None
    """The record's line, where the note is about one record."""


class Row(NamedTuple):
    """A row of a sheet or text file, and what was seen of its cells besides their text."""

    line: int
    cells: list[str]
    seen: Sequence[tuple[int, str, str]] = ()
    """Number of the column from 0, what was seen (`judging.KINDS`), and the text it is about."""


@dataclass(frozen=True)
class TextTable:
    """One table as a reader of files gives it: text cells by heading, and where records stand.

    All that a reader knows of a cell is its text, as a person sees it, and the notes: what is
    merged, struck out, hidden or shown otherwise has been judged by then, or the file is refused.
    """

    columns: dict[str, pa.ChunkedArray]
    """Texts of each column that has a title, in their order, those that nobody reads too."""
    lines: npt.NDArray[np.int32]
    """Line of a text file or row of a sheet, of each record; rising."""
    encoding: str | None = None
    sheet: str | None = None
    notes: tuple[Note, ...] = ()
    epoch: Epoch = 1900
    """The year that plain day numbers in date columns count from."""
    headings: tuple[str, ...] = ()
    """All headings, where columns that no ledger has are not even read."""

    @property
    def titles(self) -> tuple[str, ...]:
        """All headings of the file or sheet."""
        return self.headings or tuple(self.columns)


@dataclass(frozen=True, kw_only=True)
class RawTable(TextTable):
    """A table with the file or database that it was read from: what readers hand on."""

    path: str
    sha256: str
    bytes: int
    format: str

    def place(self, line: int) -> str:
        """Line of a text file, ``sheet!row`` of a workbook."""
        return place_in_file(self.sheet, line)


def as_text(cell: Any) -> str:
    """A typed cell in its plain written form."""
    if type(cell) is date:
        return cell.isoformat()
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float):
        # As spreadsheets show it: 3.3000000000000003 is what adding up made of 3.3.
        return "" if cell != cell else format(Decimal(format(cell + 0, f".{_DIGITS}g")), "f")
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ") if cell.time() != time() else cell.date().isoformat()
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    return "" if cell is None else str(cell)


def sums(cells: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Return a mask of the cells that say that their row is a sum of others."""
    if not holds(cells, "计".encode()):
        return np.zeros(len(cells), bool)
    bare = pc.utf8_trim(cells, characters=outer())
    return np.asarray(pc.match_substring_regex(bare, _SUMS).fill_null(False), bool)


def holds(cells: pa.ChunkedArray, *found: bytes) -> bool:
    """Return True where any of these bytes stand in a column."""
    return any(pc.any(pc.match_substring(cells, sought)).as_py() for sought in found)


def rounded(column: Column, line: int, place: str, found: str) -> Note:
    """A text, mostly a number of a document or person, that was stored as a number and rounded."""
    expected = Message(
        "text; it was stored as a number and its digits after the 15th are lost; "
        "format the column as text and type it again"
    )
    severity: Literal["warn", "reject"] = "reject" if column.required else "warn"
    return Note(place, "L-rounded", severity, column.name, found, expected, line)


def rounded_persons(column: Column, place: str, count: int) -> Note:
    """Numbers of persons that were rounded: how many, and not which."""
    expected = Message(
        "{count} numbers stored as numbers have lost their digits after the 15th: one "
        "person may look like two, or two like one; format the column as text and type "
        "them again",
        count=count,
    )
    return Note(place, "L-rounded", "warn", column.name, "", expected)


def records(
    head: Head,
    schema: LedgerSchema,
    name: str,
    sheet: str | None = None,
    *,
    whole: bool = True,
    tell: Tell,
) -> tuple[dict[str, pa.ChunkedArray], npt.NDArray[np.int32]]:
    """Take the records below a heading; rows without any text are skipped.

    Spreadsheets write no separators for cells at the end of a row that are empty in many rows: a
    row of a text file may be short of cells that may be empty. If the file does not end with a
    line (*whole*), its last row may not: it can be cut off.

    Raises
    ------
    InputError
        ``ledger-ragged``: a row has more cells than the heading, or lacks one that it needs.
    """
    width = head.width
    wanted = schema.headings()
    known = [wanted.get(heading_key(title), (None, 1))[0] for title in head.titles]
    needed = [n for n, column in enumerate(known, 1) if column and not column.may_be_empty]
    shortest = max(needed, default=0)
    lines: list[int] = []
    batches: list[list[Any]] = []
    batch: list[Sequence[str]] = []

    def close() -> None:
        batches.append([pa.array(cells, pa.string()) for cells in zip(*batch, strict=True)])
        batch.clear()
        tell(len(lines))

    line, found = 0, width
    for line, row, _ in head.below:
        if not any(map(str.strip, row)):
            continue
        if (found := len(row)) != width:
            if any(map(str.strip, row[width:])) or (sheet is None and found < shortest):
                raise ragged(name, sheet, line, found, width, titles=head.cells)
            row = (row + [""] * width)[:width]
        lines.append(line)
        batch.append(row)
        if len(batch) == _BATCH:
            close()
    close()
    if found < width and not whole:
        raise ragged(name, sheet, line, found, width, titles=head.cells)
    columns = {
        title: pa.chunked_array([cells[number] for cells in batches if cells], pa.string())
        for number, title in enumerate(head.titles)
        if title
    }
    return columns, np.array(lines, dtype=np.int32)


def ragged(
    name: str, sheet: str | None, line: int, cells: int, width: int, *, titles: int = 0
) -> InputError:
    """The refusal of a row that does not fit its heading of *titles* cells, empty ones too."""
    if sheet is None and cells != titles:
        return InputError(
            "ledger-ragged",
            "{file}:{line} has {cells} cells, its heading has {width}; "
            "a separator inside a cell must be quoted",
            cells=cells,
            width=width,
            file=name,
            line=str(line),
        )
    return InputError(
        "ledger-ragged",
        "{file}:{line} has text to the right of the heading's last column ({width}); "
        "give that column a heading or clear it",
        width=width,
        file=name,
        line=place_in_file(sheet, line),
    )
