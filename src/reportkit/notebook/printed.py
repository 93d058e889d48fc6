"""Values of a notebook as documents print them: exact numbers, days, blanks for missing ones."""

from __future__ import annotations

import unicodedata
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import pandas as pd

from reportkit.errors import InputError
from reportkit.export.blocks import visible
from reportkit.facts.numerals import rounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# More than four decimals come of a division and mean nothing; then two are printed.
_EXACT, _ROUNDED = 4, 2


def number_in(value: Any) -> Decimal | None:
    """A value as an exact number, so that 95.3 is 95.3; None for another type or a missing one.

    A float holds 15 decimal digits; those after them come of rounding: 0.1 + 0.2 is 0.3.
    """
    if isinstance(value, bool | str | date) or pd.api.types.is_bool(value):
        return None
    if isinstance(value, float) and not value.is_integer():
        value = format(value, ".15g")
    try:
        number = Decimal(str(value))  # what numpy calls 95.3 too
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def printed(values: Iterable[Any], form: str = "", *, missing: str = "") -> list[str]:
    """The values of one column as text, numbers with as many decimals as the longest needs.

    A whole number that stands among others (`int`, not a float) has none.

    Parameters
    ----------
    values : iterable
    form : str, optional
        ``percent`` (0.953 is 95.3%), or a format of Python's for numbers (``,.2f``).
    missing : str
        Printed for a missing value.

    Raises
    ------
    InputError
        ``format``: no such form.
    """
    found = list(values)
    numbers = [number_in(value) for value in found]
    if form == "percent":
        numbers = [number and (number * 100).normalize() for number in numbers]
    places = _decimals([number for number in numbers if number is not None])
    return [
        _text(value, number, form, places, missing)
        for value, number in zip(found, numbers, strict=True)
    ]


def _decimals(numbers: list[Decimal]) -> int:
    # 7.0 is a whole number that stood beside a missing one; Decimal("7.00") says what it means.
    places = max((-int(number.as_tuple().exponent) for number in numbers), default=0)
    if all(number == number.to_integral_value() for number in numbers) and places <= 1:
        return 0
    return places if places <= _EXACT else _ROUNDED


def _text(value: Any, number: Decimal | None, form: str, places: int, missing: str) -> str:
    if number is None:
        if pd.api.types.is_scalar(value) and pd.isna(value):
            return missing
        if pd.api.types.is_bool(value):
            return "是" if value else "否"
        if isinstance(value, date):  # a time of pandas is one too
            clock = getattr(value, "hour", 0) or getattr(value, "minute", 0)
            return value.isoformat(*[" "] * bool(clock)) if clock else str(value)[:10]
        return str(visible(str(value)))
    if form and form != "percent":
        try:
            with localcontext(rounding=ROUND_HALF_UP):
                return format(number, form)
        except ValueError:
            raise InputError(
                "format",
                "'{form}' is no form of a number; write 'percent', or such as ',.2f'",
                form=form,
            ) from None
    if isinstance(value, int) and not form:
        places = 0
    return f"{rounded(number, places):f}" + "%" * (form == "percent")


def label_text(label: Any, separator: str) -> str:
    """Return a label of a row or column; its levels are joined."""
    return separator.join(printed(label if isinstance(label, tuple) else [label]))


def as_frame(data: pd.DataFrame | pd.Series) -> pd.DataFrame:
    """Return data as a DataFrame, in which a nameless Series is called 数值."""
    if isinstance(data, pd.DataFrame):
        return data
    return data.to_frame("数值" if data.name is None else data.name)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of cells below each other, where a Chinese character takes two places."""
    wide: list[int] = []
    for row in rows:
        wide += [0] * (len(row) - len(wide))
        wide = [max(pair) for pair in zip_longest(wide, map(places, row), fillvalue=0)]
    return [
        "  ".join(
            cell + " " * (w - places(cell)) for cell, w in zip(row, wide, strict=False)
        ).rstrip()
        for row in rows
    ]


def places(text: str) -> int:
    """Return the width of a text in places of a terminal."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
