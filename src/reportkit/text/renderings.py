"""Forms in which a text prints a fact. Each can be read back; see `reportkit.facts.numerals`."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from reportkit.errors import InputError
from reportkit.facts.derived import changed
from reportkit.facts.numerals import chinese_number, plain, rounded
from reportkit.language import Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from reportkit.facts import Fact


def cn(fact: Fact) -> str:
    """In Chinese numerals: 二十六."""
    number = fact.number
    if number != int(number):
        raise InputError(
            "number", "{number} is no whole number; print it in digits", number=plain(number)
        )
    return chinese_number(int(number))


def wan(fact: Fact, decimals: int = 1) -> str:
    """In ten thousands: 1.2万 where that is exact, else 约1.2万."""
    _must_be(fact, type(decimals) is int and 0 <= decimals <= 6, "wan", Message("0 to 6 decimals"))
    value = fact.number / 10_000
    shown = rounded(value, decimals)
    return f"{'' if shown == value else '约'}{plain(shown)}万"


def grouped(fact: Fact) -> str:
    """With separators of thousands: 24,161,987.13."""
    whole, dot, places = plain(fact.number).partition(".")
    return f"{int(whole):,}{dot}{places}"


def percent(fact: Fact) -> str:
    """A percentage with its sign: 97.4%; the words of a share without a base."""
    _must_be(fact, fact.unit == "%", "percent", Message("its unit is not %"))
    return fact.text + ("%" if isinstance(fact.value, Decimal) else "")


def yoy(fact: Fact) -> str:
    """A change in words: 同比增长12.5%, 比上年减少7件, 与上年持平."""
    _must_be(fact, fact.compared is not None, "yoy", Message("it compares no years (change_of)"))
    if isinstance(fact.value, str):
        return fact.value
    if not fact.value:
        same = fact.compared and fact.compared[0] == fact.compared[1]
        return "与上年持平" if same else "与上年基本持平"
    return ("同比" if fact.unit == "%" else "比上年") + changed(fact.value, fact.unit)


def day(fact: Fact) -> str:
    """A day of the report year: 8月19日."""
    date = _day(fact)
    return f"{date.month}月{date.day}日"


def full_day(fact: Fact) -> str:
    """A day with its year: 2020年8月19日."""
    return f"{_day(fact).year}年{day(fact)}"


FILTERS: dict[str, Callable[..., str]] = {
    "cn": cn,
    "wan": wan,
    "grouped": grouped,
    "percent": percent,
    "yoy": yoy,
    "date": day,
    "date_full": full_day,
}


def _day(fact: Fact) -> date:
    try:
        return date.fromisoformat(fact.text)
    except ValueError:
        raise InputError(
            "not-a-day", "'{text}' is no day, so it cannot be printed as one", text=fact.text
        ) from None


def _must_be(fact: Fact, holds: Any, form: str, reason: str) -> None:
    if not holds:
        raise InputError(
            "rendering",
            "fact '{id}' cannot be printed with '{form}': {reason}",
            id=fact.id,
            form=form,
            reason=reason,
        )
