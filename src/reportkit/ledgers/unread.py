"""Headings of a file that no column is read from, and those that a column may be meant by."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from reportkit.language import Message, joined
from reportkit.language.message import SEMICOLON, of_form
from reportkit.ledgers.normal import loose
from reportkit.ledgers.quoting import quoted_heading
from reportkit.ledgers.schema import heading_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from reportkit.ledgers.schema import Column, LedgerSchema
    from reportkit.params.mapping import LedgerMapping

_NEAR = 0.65
_WORD = re.compile(
    "序|号|日期|时间|名称|姓名|类型|类别|性质|结果|方式|途径|内容|单位|部门|科室|机关|机构|金额|备注|年度|状态|电话"
    "|地址|代码|编码|是否|标题|意见|种类|期限|身份|事项|什么|怎|[请文主当系办告出信访]人$"
)
# Two figures on end are of a day or a number; 代码_1 is of a heading.
_NUMBER = re.compile(r"\d{2}|^[\d.,%-]+$|\d\D\d")


def near_columns(
    schema: LedgerSchema, read: dict[str, str], headings: Collection[str]
) -> Iterator[tuple[Column, str, str]]:
    """Headings that are not read though a column may be meant: column, heading, what follows.

    Parameters
    ----------
    schema : LedgerSchema
    read : mapping of str to str
        Columns that were read, with their headings.
    headings : collection of str
        All of the file or sheet.
    """
    known = schema.headings()
    absent = [
        column
        for column in schema.columns
        if not (column.required or column.personal or column.name in read)
    ]
    for heading in headings:
        if heading in read.values():
            continue
        if meant := known.get(heading_key(heading)):
            column = meant[0]
            if column.name in read:
                why = Message(
                    "it is not read: {name} is read from '{read}'",
                    name=column.name,
                    read=read[column.name],
                )
                yield column, heading, why
            elif column.fixed is not None:
                why = Message("it is not read: the mapping fixes {name}", name=column.name)
                yield column, heading, why
        elif near := _nearest(heading, absent):
            without = joined("", [SEMICOLON, of_form(near.without)]) if near.without else ""
            why = Message(
                "it is not read, and no heading is {name}{without}; if it means that, rename "
                "it or map it",
                name=near.name,
                without=without,
            )
            yield near, heading, why


def misspelt(
    mapping: LedgerMapping, read: Collection[str], unread: Collection[str]
) -> Iterator[tuple[str, str, str]]:
    """Headings of a mapping that no file has, though one that is not read is nearly so.

    Parameters
    ----------
    mapping : LedgerMapping
    read : collection of str
        Columns that were read from any file by it.
    unread : collection of str
        Headings of these files that no column is read from.

    Yields
    ------
    tuple of str
        The column that is not read, the heading of the mapping, the one that is near.
    """
    near = {loose(title): title for title in unread}
    for heading, name in (mapping.columns | {one: one for one in mapping.keep}).items():
        found = difflib.get_close_matches(loose(heading), near, n=1, cutoff=_NEAR)
        if found and name not in read:
            yield name, heading, near[found[0]]


def _nearest(heading: str, columns: Collection[Column]) -> Column | None:
    key = loose(heading)
    ratios = {
        difflib.SequenceMatcher(None, key, loose(name)).ratio(): column
        for column in columns
        for name in (column.name, *column.aliases)
    }
    best = max(ratios, default=0.0)
    if best >= _NEAR:
        return ratios[best]
    return next((one for one in columns if any(sign in heading for sign in one.signs)), None)


def likely_heading(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The row that looks most like a heading; never a record, since its cells are told.

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
