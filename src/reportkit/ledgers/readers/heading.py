"""Search for the heading of a table among its first rows, and what rows above it say of units."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import reduce
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeAlias

from reportkit.errors import HeadingError, InputError
from reportkit.language import Message
from reportkit.ledgers.normal import fold, units
from reportkit.ledgers.quoting import headings_near, quoted_heading
from reportkit.ledgers.readers.table import Note
from reportkit.ledgers.records import place_in_file
from reportkit.ledgers.schema import heading_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reportkit.ledgers.readers.table import Row
    from reportkit.ledgers.schema import Column, LedgerSchema

Wanted: TypeAlias = "Mapping[str, tuple[Column, int]]"

_SEARCHED = 20
_HEADING_ROWS = 3
# 单位：万元 or （万元） above a table or in the name of its sheet; not 50万元以上.
_UNIT_ABOVE = re.compile(
    r"单位\s*[:：（(]?\s*(?:人民币)?\s*([十百千万亿]*元|[十百千万亿])"
    r"|(?<![\d０-９一二两三四五六七八九十百千万亿几数])([十百千万亿]+元)(?!及?以[上下内])"
)
_WORD = re.compile(
    "序|号|日期|时间|名称|姓名|类型|类别|性质|结果|方式|途径|内容|单位|部门|科室|机关|机构|金额|备注|年度|状态|电话"
    "|地址|代码|编码|是否|标题|意见|种类|期限|身份|事项|什么|怎|[请文主当系办告出信访]人$"
)
# Two figures on end are of a day or a number; 代码_1 is of a heading.
_NUMBER = re.compile(r"\d{2}|^[\d.,%-]+$|\d\D\d")


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
    head = list(islice(rows, _SEARCHED + _HEADING_ROWS - 1))
    best: list[str] = []
    for number, (line, row, _) in enumerate(head[:_SEARCHED]):
        stack = [other.cells for other in head[number : number + _HEADING_ROWS]]
        used = 1
        for rows_used in range(2, len(stack) + 1):
            below = _joined(stack[1:rows_used], wanted)
            joined = _join(stack[0], below, wanted)
            # A title over the heading, or a record under it, adds nothing to it.
            if _named(joined, wanted) > max(_named(row, wanted), _named(below, wanted)):
                row, line, used = joined, head[number + rows_used - 1].line, rows_used
        if names_ledger(row, schema, wanted):
            titles = _unique(row, wanted, name)
            notes = tuple(_other_units(titles, head[:number], wanted, name, sheet))
            return Head(titles, len(row), line, notes, chain(head[number + used :], rows))
        if _named(row, wanted) > _named(best, wanted) or not any(best):
            best = row
    raise no_heading(name, sheet, schema, best, likely_heading([row.cells for row in head]))


def no_heading(
    name: str,
    sheet: str | None,
    schema: LedgerSchema,
    nearest: Sequence[str],
    headings: Sequence[str] = (),
) -> InputError:
    """The refusal of a file without a heading; *headings* is the row that may have been meant."""
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
        "{file}: no heading of the ledger {name} in the first {searched} "
        "rows; it must name {wanted}; {found}",
        name=schema.name,
        searched=_SEARCHED,
        wanted=wanted,
        found=found,
        headings=headings,
        file=name,
        sheet=sheet,
    )


def likely_heading(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The row that looks most like a heading; never a record, since messages repeat its cells.

    Its cells are short, differ, hold no number, day or person, and a third of them have a word
    that headings are made with.
    """
    best: tuple[str, ...] = ()
    for row in rows:
        cells = tuple(cell.strip() for cell in row if cell.strip())
        words = sum(bool(_WORD.search(cell)) for cell in cells)
        plain = all(quoted_heading(cell) == cell and not _NUMBER.search(cell) for cell in cells)
        if plain and len(set(cells)) == len(cells) > max(2, len(best)) and 3 * words >= len(cells):
            best = cells
    return best


def _other_units(
    titles: Sequence[str], above: Sequence[Row], wanted: Wanted, name: str, sheet: str | None
) -> Iterator[Note]:
    """Note a unit above the heading where an amount's own heading says another or none.

    Raises
    ------
    InputError
        ``ledger-unit``: the heading says none.
    """
    cells = [(place_in_file(sheet, row.line), cell) for row in above for cell in row.cells]
    for place, cell in [(f"{sheet}!name", sheet or ""), *cells]:
        found = _UNIT_ABOVE.search(cell)
        for title in titles if found else ():
            column, factor = wanted.get(heading_key(title), (None, 1))
            unit = (found[1] or found[2]).removesuffix("元") + "元" if found else ""
            if not column or column.type != "amount" or units().get(unit) == factor:
                continue
            if not any(known in fold(title) for known in units()):
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


def _named(row: Sequence[str], wanted: Wanted) -> int:
    """Count the columns of a ledger that a row names."""
    keys = (heading_key(cell) for cell in row if cell and len(cell) < 100)
    return len({wanted[key][0].name for key in keys if key in wanted})


def names_ledger(row: Sequence[str], schema: LedgerSchema, wanted: Wanted) -> bool:
    """Return True where a row can be the heading of a ledger."""
    # A data row or a title cannot name most of the required columns; a heading with one
    # misspelt column can, and the message then names the missing column.
    required = sum(column.required for column in schema.columns)
    return _named(row, wanted) >= max(2, (required + 1) // 2)


def _joined(rows: Sequence[Sequence[str]], wanted: Wanted) -> Sequence[str]:
    """Titles of a heading in several rows, joined from below."""
    return reduce(lambda lower, upper: _join(upper, lower, wanted), reversed(rows))


def _join(upper: Sequence[str], lower: Sequence[str], wanted: Wanted) -> list[str]:
    """Titles of a heading in two rows: 补正 above 告知日期 and 收到日期, others over both rows."""
    joined = []
    # A group is written above its first column only, so it goes on until the next one.
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
