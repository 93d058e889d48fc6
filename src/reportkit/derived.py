"""Values computed from facts: a share with its base, a change against last year."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from reportkit.numerals import plain, rounded

if TYPE_CHECKING:
    from reportkit.specs import FactSpec


@dataclass(frozen=True)
class Figure:
    """What is computed with: the words, the number and the unit of a fact."""

    label: str
    number: Decimal
    unit: str


Derived = tuple[Decimal | str, str]


def share(spec: FactSpec, part: Figure, whole: Figure) -> Derived:
    """A part as a percentage of its whole, rounded half up; and the definition that says so.

    A base of zero gives words instead of a number.
    """
    text = f"{_told(part)} ÷ {_told(whole)} × 100%，{_rounding(spec)}；基数为“{whole.label}”"
    if not whole.number:
        return spec.if_zero or "基数为0，不计算比例", f"{text}，本年为0，不计算比例"
    return rounded(part.number * 100 / whole.number, spec.decimals), text


def change(spec: FactSpec, now: Figure, before: Decimal) -> Derived:
    """Set this year's figure against last year's: a percentage, or the difference in its own unit.

    Words stand for the percentage where there is none: last year's figure is zero, or one of the
    two is a decrease.
    """
    last = f"上年{plain(before)}{now.unit}"
    if spec.unit not in ("", "%"):
        return now.number - before, f"{_told(now)} − {last}"
    text = f"（{_told(now)} − {last}） ÷ {last} × 100%，{_rounding(spec)}；基数为上年数"
    if now.number == before:
        return Decimal(0), text
    if now.number < 0 or before < 0:
        turned = "转为" if now.number * before <= 0 else "变为"
        words = f"由上年{_signed(before, now.unit)}{turned}{_signed(now.number, now.unit)}"
        return words, f"{_told(now)}，{last}；有减少数，不计算增幅"
    if not before:
        return spec.if_zero or "上年为0，无可比增幅", f"{text}，上年为0，不计算增幅"
    return rounded((now.number - before) * 100 / before, spec.decimals), text


def _told(figure: Figure) -> str:
    return f"“{figure.label}”{plain(figure.number)}{figure.unit}"


def _rounding(spec: FactSpec) -> str:
    return f"四舍五入保留{spec.decimals}位小数" if spec.decimals else "四舍五入取整数"


def _signed(value: Decimal, unit: str) -> str:
    if not value:
        return "没有增减"
    return f"{'增加' if value > 0 else '减少'}{plain(abs(value))}{unit}"
