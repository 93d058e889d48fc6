"""Quotations of a ledger in texts for people: the one rule, for errors, findings and logs.

A heading that is known or nearly so, or stands in a row that is a heading; values of columns of
days, numbers and categories, and keys, when the persons of the record and whatever looks like a
person is taken out. Of other columns nothing, and never a row: a csv whose columns are shifted by
one has names where days should be.
"""

from __future__ import annotations

import difflib
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from reportkit.ledgers.normal import loose
from reportkit.ledgers.schema import heading_key
from reportkit.persons import OUT, without_persons

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from reportkit.ledgers.schema import Column

_LONGEST, _LONGEST_WORDS, _LONGEST_HEADING = 60, 16, 40
_KEPT = 10_000
_WORDS = re.compile("[A-Za-z]{2,}")
# A telephone number, or a part of one: longer than a day, and none.
_NO_DAY = re.compile(r"(?<![0-9])(?!(?:19|20)[0-9]{6}(?![0-9]))[0-9]{7,}")
_LONG_NUMBER = re.compile(r"[0-9]{11,}")
# What stands in a cell of days or numbers; all else is of somewhere else.
_OF_DAYS = re.compile(r"[^0-9零〇一二三四五六七八九十年月日号时分秒至到上下午\s:/.,，、+TZ~～—…-]+")
_OF_NUMBERS = re.compile(
    r"[^0-9零〇一二三四五六七八九十百千万亿元角分整单位：:¥￥约余\s.,，+%E()（）…-]+"
)
_ADDRESS = re.compile(
    "[0-9一二三四五六七八九十][号室栋幢楼]|小区|[县乡镇区].*[路街巷村]|[路街巷][0-9]"
)


class Quoting:
    """The rule for the cells of one column.

    Parameters
    ----------
    column : Column
    key : bool
        Whether it is the key of the records.
    """

    def __init__(self, column: Column, *, key: bool = False) -> None:
        self.column, self.key = column, key
        self.quotable = not column.personal and (key or column.type != "text")
        self.known = frozenset(column.vocabulary())
        self._quote = lru_cache(_KEPT)(self._quoted)

    def __call__(self, cell: str, persons: Iterable[str] = ()) -> str:
        """A cell as a message may repeat it; empty where nothing of it may be.

        Parameters
        ----------
        cell : str
            As it stands.
        persons : iterable of str
            What stands in the columns of persons of the same record.

        Examples
        --------
        >>> from reportkit.ledgers.schema import schema_of
        >>> from reportkit.forms import shipped_form
        >>> schema = schema_of(shipped_form(), "applications")
        >>> Quoting(schema.column("收到日期"))("2021-13-40 欧阳小测")
        '2021-13-40 …'
        """
        if not self.quotable:
            return ""
        cell = taken_out(cell, [name for name in persons if loose(name) not in self.known])
        return self._quote(cell)

    def _quoted(self, cell: str) -> str:
        text = without_persons(cell, self.known)
        if self.column.type == "date":
            text = _NO_DAY.sub(OUT, _OF_DAYS.sub(OUT, text))
        elif self.column.type in ("amount", "integer"):
            text = _LONG_NUMBER.sub(OUT, _OF_NUMBERS.sub(OUT, text))
        elif not self.key and not _near(text, self.known):
            text = "" if len(text) > _LONGEST_WORDS or _ADDRESS.search(text) else text
            text = _WORDS.sub(OUT, text)
        return re.sub(rf"{OUT}(?:\s*{OUT})+", OUT, text).strip()[:_LONGEST]


def taken_out(text: str, persons: Iterable[str]) -> str:
    """A text without these persons."""
    for person in sorted(persons, key=len, reverse=True):
        if len(person) > 1:
            text = text.replace(person, OUT)
    return text


def quoted_heading(cell: str) -> str:
    """A heading that a ledger does not know, of a row that is one, as a message may repeat it."""
    return without_persons(cell.strip())[:_LONGEST_HEADING]


def headings_near(cells: Sequence[str], known: Collection[str]) -> list[str]:
    """Of the cells of a row that may be no heading, those that are known headings or nearly so.

    Parameters
    ----------
    cells : sequence of str
    known : collection of str
        Keys of headings, as `heading_key` makes them.
    """
    found = []
    for cell in cells:
        key = heading_key(cell) if len(cell) < _LONGEST_HEADING else ""
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.7) if key else []
        if near and len(key) <= len(near[0]) + 1:
            found.append(cell.strip())
    return found


def _near(text: str, known: Collection[str]) -> bool:
    key = loose(text)
    return key in known or bool(difflib.get_close_matches(key, known, n=1, cutoff=0.75))
