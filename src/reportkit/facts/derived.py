"""Values computed from facts: a share with its base, a change against last year."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from reportkit.facts.numerals import plain, rounded

if TYPE_CHECKING:
    from reportkit.facts.fact import Fact
    from reportkit.facts.specs import FactSpec


Derived = tuple[Decimal | str, str]


def share(spec: FactSpec, part: Fact, whole: Fact) -> Derived:
    """A part as a percentage of its whole, rounded half up; and the definition that says so.

    A base of zero gives words instead of a number.
    """
    text = (
        f"{_labelled(part)} ÷ {_labelled(whole)} × 100%，{_rounding(spec)}；基数为“{whole.label}”"
    )
    if not whole.number:
        return spec.if_zero or "基数为0，不计算比例", f"{text}，本年为0，不计算比例"
    return rounded(part.number * 100 / whole.number, spec.decimals), text


def change(spec: FactSpec, now: Fact, before: Decimal) -> Derived:
    """Set this year's figure against last year's: a percentage, or the difference in its own unit.

    Words stand for the percentage where there is none: last year's figure is zero, or one of the
    two is a decrease.
    """
    last = f"上年{plain(before)}{now.unit}"
    if spec.unit not in ("", "%"):
        return now.number - before, f"{_labelled(now)} − {last}"
    rate = _rate(now.number, before, unit=now.unit, decimals=spec.decimals)
    if isinstance(rate, Decimal):
        text = f"（{_labelled(now)} − {last}） ÷ {last} × 100%，{_rounding(spec)}；基数为上年数"
        return rate, text
    if not before and now.number > 0:
        return spec.if_zero or rate, f"{_labelled(now)}，{last}；基数为0，不计算增幅"
    return rate, f"{_labelled(now)}，{last}；有减少数，不计算增幅"


def changed(value: Decimal, unit: str) -> str:
    """A change in words: 增加7件, 减少7件; of a percentage 增长12.5%, 下降12.5%."""
    verbs = ("增长", "下降") if unit == "%" else ("增加", "减少")
    return f"{verbs[value < 0]}{plain(abs(value))}{unit}"


def compared(now: Decimal, before: Decimal, *, unit: str, last: str = "上年") -> str:
    """Two years of one figure in words.

    Parameters
    ----------
    now, before : Decimal
    unit : str
    last : str
        The year compared with, in words.

    Examples
    --------
    >>> compared(Decimal(70), Decimal(21), unit="件")
    '比上年增加49件（增长233.3%）'
    >>> compared(Decimal(5), Decimal(0), unit="件", last="2019年")
    '比2019年增加5件（2019年为0，无可比增幅）'
    """
    if now == before:
        return f"与{last}持平"
    rate = _rate(now, before, unit=unit, last=last)
    if isinstance(rate, Decimal):
        rate = changed(rate, "%") if rate else "基本持平"
    elif now < 0 or before < 0:
        return rate
    return f"比{last}{changed(now - before, unit)}（{rate}）"


def _rate(
    now: Decimal, before: Decimal, *, unit: str, decimals: int = 1, last: str = "上年"
) -> Decimal | str:
    """The change in percent; words where there is none."""
    if now == before:
        return Decimal(0)
    if now < 0 or before < 0:
        was, is_now = (changed(figure, unit) if figure else "没有增减" for figure in (before, now))
        return f"由{last}{was}{'转为' if now * before <= 0 else '变为'}{is_now}"
    if not before:
        return f"{last}为0，无可比增幅"
    return rounded((now - before) * 100 / before, decimals)


def _labelled(fact: Fact) -> str:
    return f"“{fact.label}”{plain(fact.number)}{fact.unit}"


def _rounding(spec: FactSpec) -> str:
    return f"四舍五入保留{spec.decimals}位小数" if spec.decimals else "四舍五入取整数"
