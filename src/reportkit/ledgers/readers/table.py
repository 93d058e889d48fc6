"""Table of a reader: text cells by heading; and the search for the heading among the rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from functools import reduce
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reportkit.errors import HeadingError, InputError
from reportkit.language import Message
from reportkit.ledgers.normal import fold, outer, units
from reportkit.ledgers.quoting import headings_near
from reportkit.ledgers.schema import heading_key
from reportkit.ledgers.unread import likely_heading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from reportkit.ledgers.schema import Column, LedgerSchema

SEARCHED_FOR_HEADING = 20
_HEADING_ROWS = 3
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
# 单位：万元 or （万元） above a table or in the name of its sheet; not 50万元以上.
_UNIT_ABOVE = re.compile(
    r"单位\s*[:：（(]?\s*(?:人民币)?\s*([十百千万亿]*元|[十百千万亿])"
    r"|(?<![\d０-９一二两三四五六七八九十百千万亿几数])([十百千万亿]+元)(?!及?以[上下内])"
)
Tell = Callable[[int], object]
"""Is given the number of rows read so far."""
Epoch = Literal[1900, 1904]


def quiet(_: int) -> None:
    """Tell nobody."""


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
        return f"{self.sheet}!{line}" if self.sheet else str(line)


@dataclass(frozen=True)
class Head:
    """The heading of a table, and the rows below it."""

    titles: list[str]
    """One a column, unique; empty where a column has none, without empty ones at the end."""
    cells: int
    """Cells of the heading row, with empty ones at its end."""
    line: int
    """The line on which it ends."""
    notes: tuple[Note, ...]
    """Notes on what rows above say otherwise than it does."""
    below: Iterator[Row] = field(repr=False)

    @property
    def width(self) -> int:
        """Columns up to the last one that has a title."""
        return len(self.titles)


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
    bare = pc.utf8_trim(cells, characters=outer())
    return np.asarray(pc.match_substring_regex(bare, _SUMS).fill_null(False), bool)


def holds(cells: pa.ChunkedArray, *found: bytes) -> bool:
    """Return True where any of these bytes stand in a column."""
    return any(pc.any(pc.match_substring(cells, one)).as_py() for one in found)


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


def find_head(
    rows: Iterator[Row], schema: LedgerSchema, name: str, sheet: str | None = None
) -> Head:
    """Find the heading: one row, or up to three where groups stand above names of columns.

    Raises
    ------
    InputError
        ``ledger-heading``: none of the first rows is one; ``ledger-heading-twice``.
    """
    wanted = schema.headings()
    head = list(islice(rows, SEARCHED_FOR_HEADING + _HEADING_ROWS - 1))
    best: list[str] = []
    for number, (line, row, _) in enumerate(head[:SEARCHED_FOR_HEADING]):
        stack = [other.cells for other in head[number : number + _HEADING_ROWS]]
        used = 1
        for rows_used in range(2, len(stack) + 1):
            below = _joined(stack[1:rows_used], wanted)
            joined = _join(stack[0], below, wanted)
            # A title over the heading, or a record under it, adds nothing to it.
            if _named(joined, wanted) > max(_named(row, wanted), _named(below, wanted)):
                row, line, used = joined, head[number + rows_used - 1].line, rows_used
        if _names_ledger(row, schema, wanted):
            titles = _unique(row, wanted, name)
            notes = tuple(_other_units(titles, head[:number], wanted, name, sheet))
            return Head(titles, len(row), line, notes, chain(head[number + used :], rows))
        if _named(row, wanted) > _named(best, wanted) or not any(best):
            best = row
    raise no_heading(name, sheet, schema, best, likely_heading([row.cells for row in head]))


def names_ledger(headings: Sequence[str], schema: LedgerSchema) -> bool:
    """Return True where these can be the headings of a ledger."""
    return _names_ledger(headings, schema, schema.headings())


def no_heading(
    name: str,
    sheet: str | None,
    schema: LedgerSchema,
    nearest: Sequence[str],
    headings: Sequence[str] = (),
) -> InputError:
    """The refusal of a file in which no heading was found; *headings* may be one all the same."""
    wanted = "、".join(column.name for column in schema.columns if column.required)
    filled = [cell for cell in nearest[:40] if cell.strip()]
    # Never the row: where a heading is missing, it is a record.
    near = headings_near(filled, schema.headings())
    found = (
        Message("the nearest row has {near}", near="、".join(near))
        if near
        else Message("the nearest row has none of them")
        if filled
        else Message("they are empty")
    )
    return HeadingError(
        "ledger-heading",
        "{file}: no heading of the ledger {name} in the first {searched_for_heading} "
        "rows; it must name {wanted}; {found}",
        name=schema.name,
        searched_for_heading=SEARCHED_FOR_HEADING,
        wanted=wanted,
        found=found,
        headings=headings,
        file=name,
        sheet=sheet,
    )


def _other_units(
    titles: Sequence[str], above: Sequence[Row], wanted: Wanted, name: str, sheet: str | None
) -> Iterator[Note]:
    """Note a unit above the heading where an amount's own heading says another or none.

    Raises
    ------
    InputError
        ``ledger-unit``: the heading says none.
    """
    cells = [
        (f"{sheet}!{row.line}" if sheet else str(row.line), cell)
        for row in above
        for cell in row.cells
    ]
    for place, cell in [(f"{sheet}!name", sheet or ""), *cells]:
        found = _UNIT_ABOVE.search(cell)
        for title in titles if found else ():
            column, factor = wanted.get(heading_key(title), (None, 1))
            unit = (found[1] or found[2]).removesuffix("元") + "元" if found else ""
            if not column or column.type != "amount" or units().get(unit) == factor:
                continue
            if not any(one in fold(title) for one in units()):
                raise InputError(
                    "ledger-unit",
                    "{file}:{place} says {unit}, and the heading '{title}' no unit; write into the "
                    "heading what its numbers are in, as in {title}（{unit}）",
                    file=name,
                    sheet=sheet,
                    place=place,
                    unit=unit,
                    title=title,
                )
            expected = Message(
                "the same unit as the heading '{title}', which is what counts", title=title
            )
            yield Note(place, "L-unit", "warn", column.name, found[0] if found else "", expected)


def records(
    head: Head,
    schema: LedgerSchema,
    name: str,
    sheet: str | None = None,
    *,
    whole: bool = True,
    tell: Tell = quiet,
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
        line=f"{sheet}!{line}" if sheet else str(line),
    )


Wanted: TypeAlias = "Mapping[str, tuple[Column, int]]"


def _named(row: Sequence[str], wanted: Wanted) -> int:
    keys = (heading_key(cell) for cell in row if cell and len(cell) < 100)
    return len({wanted[key][0].name for key in keys if key in wanted})


def _names_ledger(row: Sequence[str], schema: LedgerSchema, wanted: Wanted) -> bool:
    # A data row or a title cannot name most of the required columns; a heading with one
    # misspelt column can, and the missing column is then told by its name.
    required = sum(column.required for column in schema.columns)
    return _named(row, wanted) >= max(2, (required + 1) // 2)


def _joined(rows: Sequence[Sequence[str]], wanted: Wanted) -> Sequence[str]:
    """Titles of a heading in several rows, joined from below."""
    return reduce(lambda lower, upper: _join(upper, lower, wanted), reversed(rows))


def _join(upper: Sequence[str], lower: Sequence[str], wanted: Wanted) -> list[str]:
    """Titles of a heading in two rows: 补正 above 告知日期 and 收到日期, others over both rows."""
    joined = []
    group = ""
    width = max(len(upper), len(lower))
    padded = ([*row, *[""] * (width - len(row))] for row in (upper, lower))
    for above, below in zip(*padded, strict=True):
        group = above if above.strip() or not below.strip() else group
        if not below.strip():
            joined.append(above)
        elif heading_key(group + below) in wanted or heading_key(below) not in wanted:
            joined.append(group + below)
        else:
            joined.append(below)
    return joined


def _unique(row: Sequence[str], wanted: Wanted, name: str) -> list[str]:
    """Titles; of those that the ledger does not know, one that repeats gets a number."""
    titles: list[str] = []
    for cell in row:
        title = cell.strip()
        if title in titles and title:
            if heading_key(title) in wanted:
                raise InputError(
                    "ledger-heading-twice",
                    "{file}: the heading '{title}' stands twice; rename one of them",
                    title=title,
                    file=name,
                )
            numbers = range(2, len(row) + 2)
            title = next(f"{title} #{n}" for n in numbers if f"{title} #{n}" not in titles)
        titles.append(title)
    while titles and not titles[-1]:
        titles.pop()
    return titles
