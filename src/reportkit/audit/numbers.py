"""A cell of a published table as a number: with signs, units and notes as offices print them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from reportkit.audit.readers.lines import BROKEN
from reportkit.facts.numerals import CHINESE, MONEY, read_number

if TYPE_CHECKING:
    from collections.abc import Sequence

_UNIT = "(?:件|条|项|宗|起|个|次|份|人次|元|万元|亿元)"
UNIT = re.compile(rf"[(\[]?{_UNIT}[)\]]?")
_NUMBER = re.compile(
    rf"([+-]?)(\d{{1,3}}(?:,\d{{3}})+|\d+)(\.\d+)?({_UNIT})?(?:[(\[].*[)\]])?[*※]?", re.DOTALL
)
_NOTHING = re.compile(r"[-—–―_/\\~～无空.…]*|暂无|没有|不适用|不涉及|无数据|N/?A", re.IGNORECASE)
_CHINESE = re.compile(rf"[{CHINESE}]+")
_ZERO = re.compile("[Oo零〇○]")
# A number on two lines, or with a sign in it that a scan misread.
_MISREAD = re.compile(r"(?=.*\d)[\dOolI\n?？.,-]+", re.DOTALL)
# Signs of other alphabets that stand for a minus or a plus, after NFKC.
_SIGNS = str.maketrans({"−": "-", "－": "-", "﹣": "-", "‐": "-", "‑": "-", "﹢": "+", "，": ","})


@dataclass(frozen=True)
class Printed:
    """Content of a cell.

    Parameters
    ----------
    value : Decimal or None
        None where the cell is blank, or not clear.
    clear : bool
        False where something is printed that is no one number.
    unit : str
        The unit that the cell itself prints.
    """

    value: Decimal | None
    clear: bool = True
    unit: str = ""

    def in_unit(self, unit: str) -> Decimal | None:
        """The value in a unit of money, where the cell prints another one."""
        if self.value is None or self.unit not in MONEY or unit not in MONEY:
            return self.value
        return self.value * MONEY[self.unit] / MONEY[unit]


def read_cell(text: str) -> Printed:
    """Read one cell, in the form that `lines.squeeze` gives it.

    Examples
    --------
    >>> read_cell("22(其中修订16件)").value, read_cell("-18").value, read_cell("/").value
    (Decimal('22'), Decimal('-18'), None)
    >>> read_cell("1O").clear
    False
    """
    text = text.translate(_SIGNS)
    pieces = text.split(BROKEN)
    # A number on two lines, unless each piece of it can be one.
    if len(pieces) > 1 and not all(read_cell(piece).value is not None for piece in pieces):
        text = "".join(pieces)
    match = _NUMBER.fullmatch(text)
    if match:
        sign, whole, part, unit = match.group(1, 2, 3, 4)
        if len(whole) > 18 or (len(whole) > 1 and whole.startswith("0")):
            return Printed(None, clear=False)
        return Printed(Decimal(sign + whole.replace(",", "") + (part or "")), unit=unit or "")
    if _NOTHING.fullmatch(text):
        return Printed(None)
    if _CHINESE.fullmatch(text) and (reading := read_number(text)):
        return Printed(reading.value)
    return Printed(None, clear=False)


def is_blank(text: str) -> bool:
    """Return True where nothing is printed in a cell, or a sign for nothing."""
    printed = read_cell(text)
    return printed.value is None and printed.clear


def broken_row(texts: Sequence[str]) -> tuple[int, ...]:
    """The numbers of a row, each one of them in one piece, where its sum confirms that.

    Empty where the sum does not, or where a cell is blank.
    """
    numbers = []
    for text in texts:
        whole = text.replace(BROKEN, "")
        value = Decimal(whole) if BROKEN in text and whole.isdigit() else read_cell(text).value
        if value is None or value % 1:
            return ()
        numbers.append(int(value))
    return tuple(numbers) if numbers and sum(numbers[:-1]) == numbers[-1] else ()


def is_value(text: str) -> bool:
    """Return True where a cell can be a value of a table: a number, or a sign for nothing."""
    text = text.translate(_SIGNS)
    patterns = (_NUMBER, _NOTHING, _ZERO, _MISREAD)
    return bool(text) and any(pattern.fullmatch(text) for pattern in patterns)
