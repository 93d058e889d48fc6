"""One figure in several years: what was sealed, and the words for a change."""

from __future__ import annotations

import json
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from reportkit.facts import plain

if TYPE_CHECKING:
    from pathlib import Path


def sealed_facts(run: Path) -> dict[str, Any] | None:
    """The document ``facts.json`` of a run; None if the folder holds none."""
    path = run / "facts.json"
    if not path.is_file():
        return None
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def number_of(value: str) -> Decimal | None:
    """The value of a fact in ``facts.json`` as a number; None for a day or a text."""
    try:
        number = Decimal(value)
    except ArithmeticError:
        return None
    return number if number.is_finite() else None


def change_text(old: Decimal, new: Decimal, unit: str = "") -> str:
    """A change in the words of a report: with percentage, but for a base of zero or less.

    Parameters
    ----------
    old, new : Decimal
    unit : str

    Examples
    --------
    >>> change_text(Decimal(21), Decimal(70), "件")
    '增加49件（上升233.3%）'
    >>> change_text(Decimal(0), Decimal(5), "件")
    '增加5件（基数为零，不计百分比）'
    """
    if new == old:
        return "持平"
    verb, direction = ("增加", "上升") if new > old else ("减少", "下降")
    told = f"{verb}{plain(abs(new - old))}{unit}"
    if old <= 0:
        return f"{told}（基数{'为零' if old == 0 else '为负'}，不计百分比）"
    share = (abs(new - old) * 100 / old).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return f"{told}（{direction}{plain(share)}%）"
