"""What a reader gives: text cells by heading; and how it finds the heading among the rows."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from functools import reduce
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reportkit.errors import InputError
from reportkit.ledgers.normal import outer
from reportkit.ledgers.schema import HeadingError, heading_key, refuse_other_unit
from reportkit.ledgers.unread import likely_heading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import numpy.typing as npt

    from reportkit.ledgers.schema import Column, LedgerSchema

SEARCHED_FOR_HEADING = 20
_HEADING_ROWS = 3
# A number of more than 15 digits is not the one that somebody typed into a spreadsheet.
EXACT = 1e15
_BATCH = 20_000
_SUM = "计".encode()
# 合计, 小　计：, 本页小计, 合计（件）; what is longer is a text that speaks of a sum.
# White space of Arrow is that of ASCII.
_SUMS = (
    r"^\s*(?:本[页月季年]|全年)?\s*[合小总共累]\s*计\s*(?:[(（][^()（）]{0,6}[)）])?\s*[:：]?\s*$"
).replace(r"\s", r"[\s\x{a0}\x{3000}]")
Row = tuple[int, list[str]]
Tell = Callable[[int], object]
"""Is given the number of rows read so far."""
Epoch = Literal[1900, 1904]


_Item = TypeVar("_Item")
_Made = TypeVar("_Made")


def quiet(_: int) -> None:
    """Tell nobody."""


def in_order(work: Callable[[_Item], _Made], items: Iterable[_Item]) -> Iterator[_Made]:
    """What is made of each item, in their order, by threads; only a few items are taken ahead."""
    items = iter(items)
    first = list(islice(items, 2))
    if len(first) < 2:
        yield from map(work, first)
        return
    waiting: deque[Any] = deque()
    with ThreadPoolExecutor(pa.cpu_count()) as pool:
        for item in chain(first, items):
            waiting.append(pool.submit(work, item))
            if len(waiting) > pa.cpu_count():
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


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


@dataclass(frozen=True)
class RawTable:
    """One sheet or file: text cells by heading, and where each record stands."""

    path: str
    sha256: str
    bytes: int
    format: str
    encoding: str | None
    sheet: str | None
    columns: dict[str, pa.ChunkedArray]
    lines: npt.NDArray[np.int32]
    notes: tuple[Note, ...] = ()
    epoch: Epoch = 1900
    """The year that plain day numbers in date columns count from."""
    headings: tuple[str, ...] = ()
    """All headings, where columns that no ledger has are not even read."""

    @property
    def titles(self) -> tuple[str, ...]:
        """All headings of the file or sheet."""
        return self.headings or tuple(self.columns)

    def place(self, line: int) -> str:
        """Line of a text file, ``sheet!row`` of a workbook."""
        return f"{self.sheet}!{line}" if self.sheet else str(line)


@dataclass(frozen=True)
class Part:
    """One table of a file, before the file's name and digest are put to it."""

    columns: dict[str, pa.ChunkedArray]
    lines: npt.NDArray[np.int32]
    encoding: str | None = None
    sheet: str | None = None
    notes: tuple[Note, ...] = ()
    epoch: Epoch = 1900
    sha256: str | None = None
    """Of the whole file, where reading it made that too."""
    headings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Head:
    """The heading of a table, and the rows below it."""

    titles: list[str]
    """One a column, unique; empty where a column has none, without empty ones at the end."""
    cells: int
    """Cells of the heading row, with empty ones at its end."""
    line: int
    """The line on which it ends."""
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
        if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        return "" if cell != cell else format(Decimal(repr(cell)).normalize(), "f")
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ") if cell.time() != time() else cell.date().isoformat()
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    return "" if cell is None else str(cell)


def raw_type(column: Column) -> pa.DataType:
    """How the cells of a column are kept: few different ones once, texts as pandas takes them."""
    few = column.type in ("date", "category", "integer", "flag")
    return pa.dictionary(pa.int32(), pa.string()) if few else pa.large_string()


def where(cells: pa.ChunkedArray, true_of: Callable[[pa.Array], pa.Array]) -> npt.NDArray[np.bool_]:
    """Where something is true of a cell's text; each text of a dictionary is asked once."""
    found = [np.zeros(0, dtype=bool)]
    for chunk in cells.chunks:
        texts = chunk.dictionary if pa.types.is_dictionary(chunk.type) else chunk
        inside = true_of(texts)
        if texts is not chunk:
            inside = inside.take(chunk.indices)
        found.append(inside.fill_null(False).to_numpy(zero_copy_only=False))
    return np.concatenate(found)


def sums(cells: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Where a cell says that its row is a sum of others."""
    if not holds(cells, _SUM):
        return np.zeros(len(cells), dtype=bool)

    def says(texts: pa.Array) -> pa.Array:
        return pc.match_substring_regex(pc.utf8_trim(texts, characters=outer()), _SUMS)

    return where(cells, says)


def unless_sums(cells: pa.Array) -> pa.Array:
    """A column that nothing is needed of but its sum rows: nulls, where it has none of them."""
    return cells if sums(pa.chunked_array([cells])).any() else pa.nulls(len(cells))


def one_column(chunks: list[pa.Array]) -> pa.ChunkedArray:
    """One column of its chunks; those of nulls take no room."""
    kind = next((chunk.type for chunk in chunks if not pa.types.is_null(chunk.type)), pa.null())
    return pa.chunked_array([chunk.cast(kind) for chunk in chunks], kind)


def holds(cells: pa.ChunkedArray, *found: bytes) -> bool:
    """Whether any of these bytes stand in a column, without looking at single cells."""
    for chunk in cells.chunks:
        texts = chunk.dictionary if pa.types.is_dictionary(chunk.type) else chunk
        # A column of nulls has no buffer for texts.
        data = np.frombuffer(texts.buffers()[-1] or b"", dtype=np.uint8)
        if any(_contains(data, some) for some in found):
            return True
    return False


def _contains(data: npt.NDArray[np.uint8], found: bytes) -> bool:
    """Whether bytes stand in others; fast where their first ones are common, as in Chinese."""
    if len(found) == 1:
        return bool((data == found[0]).any())
    hit = (data[1:] == found[-1]) & (data[:-1] == found[-2])
    return bool(hit.any()) and found in data.tobytes()


def rounded(column: Column, line: int, place: str, found: str) -> Note:
    """A text, mostly a number of a document or person, that was stored as a number and rounded."""
    expected = (
        "text; it was stored as a number and its digits after the 15th are lost; "
        "format the column as text and type it again"
    )
    severity: Literal["warn", "reject"] = "reject" if column.required else "warn"
    return Note(place, "L-rounded", severity, column.name, found, expected, line)


def rounded_persons(column: Column, place: str, count: int) -> Note:
    """Numbers of persons that were rounded: how many, and not which."""
    expected = (
        f"{count} numbers stored as numbers have lost their digits after the 15th: one person may "
        "look like two, or two like one; format the column as text and type them again"
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
    for number, (line, row) in enumerate(head[:SEARCHED_FOR_HEADING]):
        stack = [cells for _, cells in head[number : number + _HEADING_ROWS]]
        used = 1
        for rows_used in range(2, len(stack) + 1):
            below = _joined(stack[1:rows_used], wanted)
            joined = _join(stack[0], below, wanted)
            # A title over the heading, or a record under it, adds nothing to it.
            if _named(joined, wanted) > max(_named(row, wanted), _named(below, wanted)):
                row, line, used = joined, head[number + rows_used - 1][0], rows_used
        if _names_ledger(row, schema, wanted):
            titles = _unique(row, wanted, name)
            above = [cell for _, cells in head[: number + used] for cell in cells]
            refuse_other_unit(above, titles, schema, name)
            return Head(titles, len(row), line, chain(head[number + used :], rows))
        if _named(row, wanted) > _named(best, wanted) or not any(best):
            best = row
    raise no_heading(name, sheet, schema, best, likely_heading([row for _, row in head]))


def names_ledger(headings: Sequence[str], schema: LedgerSchema) -> bool:
    """Whether these can be the headings of a ledger."""
    return _names_ledger(headings, schema, schema.headings())


def no_heading(
    name: str, sheet: str | None, schema: LedgerSchema, nearest: Sequence[str],
    headings: Sequence[str] = (),
) -> InputError:  # fmt: skip
    """The refusal of a file in which no heading was found; *headings* may be one all the same."""
    wanted = "、".join(column.name for column in schema.columns if column.required)
    found = "、".join(cell.strip()[:40] for cell in nearest[:40] if cell.strip()) or "nothing"
    message = (
        f"{name}: no heading of the ledger {schema.name} in the first "
        f"{SEARCHED_FOR_HEADING} rows; it must name {wanted}; nearest row: {found}"
    )
    return HeadingError("ledger-heading", message, headings=headings, file=name, sheet=sheet)


def records(
    head: Head, name: str, sheet: str | None = None, *, tell: Tell = quiet
) -> tuple[dict[str, Any], Any]:
    """Take the records below a heading; rows without any text are skipped.

    Raises
    ------
    InputError
        ``ledger-ragged``: a row has more cells than the heading, or (csv) fewer.
    """
    width = head.width
    lines: list[int] = []
    batches: list[list[Any]] = []
    batch: list[Sequence[str]] = []

    def close() -> None:
        cells = zip(*batch, strict=True)
        batches.append([pa.array(column, pa.string()) for column in cells])
        batch.clear()
        tell(len(lines))

    for line, row in head.below:
        if not any(map(str.strip, row)):
            continue
        if len(row) != width:
            if any(map(str.strip, row[width:])) or (sheet is None and len(row) < width):
                raise ragged(name, sheet, line, len(row), width, titles=head.cells)
            row = (row + [""] * width)[:width]
        lines.append(line)
        batch.append(row)
        if len(batch) == _BATCH:
            close()
    if batch:
        close()
    columns = {
        title: pa.chunked_array([cells[number] for cells in batches], pa.string())
        for number, title in enumerate(head.titles)
        if title
    }
    return columns, np.array(lines, dtype=np.int32)


def ragged(
    name: str, sheet: str | None, line: int, cells: int, width: int, *, titles: int = 0
) -> InputError:
    """The refusal of a row that does not fit its heading of *titles* cells, empty ones too."""
    if sheet is None and cells != titles:
        place = str(line)
        message = (
            f"{name}:{line} has {cells} cells, its heading has {width}; "
            "a separator inside a cell must be quoted"
        )
    else:
        place = f"{sheet}!{line}" if sheet else str(line)
        message = (
            f"{name}:{place} has text to the right of the heading's last column ({width}); "
            "give that column a heading or clear it"
        )
    return InputError("ledger-ragged", message, file=name, line=place)


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
                message = f"{name}: the heading '{title}' stands twice; rename one of them"
                raise InputError("ledger-heading-twice", message, file=name)
            numbers = range(2, len(row) + 2)
            title = next(f"{title} #{n}" for n in numbers if f"{title} #{n}" not in titles)
        titles.append(title)
    while titles and not titles[-1]:
        titles.pop()
    return titles
