"""Distribution of one figure over many districts: quartiles, outliers, and both in words."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import pandas as pd

from reportkit.facts.numerals import plain, rounded

if TYPE_CHECKING:
    from collections.abc import Mapping

# Fewer districts do not show what is usual.
_FEWEST = 8
# Tukey's fence: so many times the middle half beyond its ends.
_FENCE = Decimal("1.5")
_BINS = 8
# Places of the quartiles.
_DECIMALS = 1


@dataclass(frozen=True)
class Distribution:
    """Distribution of a figure.

    Parameters
    ----------
    label, unit : str
    values : mapping of str to Decimal
        By district, in the order of the values; those that have none are left out.
    """

    label: str
    unit: str
    values: Mapping[str, Decimal]

    @property
    def quartiles(self) -> tuple[Decimal, Decimal, Decimal]:
        """Lower quartile, median and upper quartile, between two values in proportion."""
        numbers = list(self.values.values())
        if len(numbers) < 2:
            return (numbers[0],) * 3
        low, middle, high = statistics.quantiles(numbers, n=4, method="inclusive")
        return rounded(low, _DECIMALS), rounded(middle, _DECIMALS), rounded(high, _DECIMALS)

    @property
    def outliers(self) -> dict[str, Decimal]:
        """Districts far outside the middle half, if there are enough to say what is usual.

        Source: Tukey, Exploratory Data Analysis (1977).
        """
        if len(self.values) < _FEWEST:
            return {}
        low, _, high = self.quartiles
        reach = (high - low) * _FENCE
        return {
            name: value
            for name, value in self.values.items()
            if not low - reach <= value <= high + reach
        }

    @property
    def bins(self) -> pd.Series:
        """Number of districts by steps of equal width, for a chart."""
        numbers = list(self.values.values())
        least, most = numbers[0], numbers[-1]
        width = max((most - least) / _BINS, Decimal(1).scaleb(-_DECIMALS))
        # Steps that people read: 1, 2 or 5 times a power of ten.
        scale = Decimal(1).scaleb(width.adjusted())
        step = next(scale * times for times in (1, 2, 5, 10) if scale * times >= width)
        if all(number % 1 == 0 for number in numbers):
            step = max(step, Decimal(1))
        start = least // step * step
        counts: dict[str, int] = {}
        while start <= most:
            end = start + step
            label = plain(start) if step == 1 else f"{plain(start)}—{plain(end)}"
            counts[label] = sum(start <= number < end for number in numbers)
            start = end
        return pd.Series(counts, name="个数").rename_axis(f"{self.label}（{self.unit}）")

    def figures(self) -> dict[str, tuple[str, Decimal, str, str]]:
        """Figures that a text can name: label, value, unit and definition by their last word."""
        numbers = list(self.values.values())
        low, middle, high = self.quartiles
        rest = f"{len(numbers)}个区县的{self.label}"
        between = "，在两个数之间的按比例取"
        return {
            "count": (f"有{self.label}的区县", Decimal(len(numbers)), "个", "有此数的区县"),
            "least": (f"{self.label}最少的", numbers[0], self.unit, f"{rest}中最小的"),
            "low": (f"{self.label}的下四分位", low, self.unit, f"{rest}的下四分位数{between}"),
            "median": (f"{self.label}的中位数", middle, self.unit, f"{rest}的中位数{between}"),
            "high": (f"{self.label}的上四分位", high, self.unit, f"{rest}的上四分位数{between}"),
            "most": (f"{self.label}最多的", numbers[-1], self.unit, f"{rest}中最大的"),
            "far": (
                f"{self.label}离群的区县",
                Decimal(len(self.outliers)),
                "个",
                f"{rest}超出中间一半两端一倍半以外的",
            ),
        }

    def words(self, name: str) -> str:
        """Markdown in which each figure is a placeholder: ``{{ spread.<name>.median }}``."""
        first, last = next(iter(self.values)), list(self.values)[-1]

        def of(word: str) -> str:
            return f"{{{{ spread.{name}.{word} }}}}"

        text = f"{of('count')}个区县的{self.label}，中位数{of('median')}{self.unit}"
        low, _, high = self.quartiles
        if self.values[first] != self.values[last] and low == high:
            text += "，至少一半相同"
        elif len(self.values) > 2:
            text += f"，中间一半在{of('low')}{self.unit}至{of('high')}{self.unit}之间"
        if self.values[first] == self.values[last]:
            return f"{text}，各区县相同。"
        text += f"；最少的{of('least')}{self.unit}（{self._whose(first)}）"
        text += f"，最多的{of('most')}{self.unit}（{self._whose(last)}）。"
        if len(self.values) < _FEWEST:
            return f"{text}区县不到八个，不说离群。"
        far = "、".join(self.outliers)
        return f"{text}离群的{of('far')}个" + (f"：{far}。" if far else "。")

    def _whose(self, name: str) -> str:
        same = [other for other, value in self.values.items() if value == self.values[name]]
        return name if len(same) == 1 else f"{same[0]}等几个" if len(same) > 3 else "、".join(same)


def spread_of(values: pd.Series, *, label: str, unit: str) -> Distribution | None:
    """The distribution of a column; None where no district has a number.

    Parameters
    ----------
    values : pandas.Series
        Numbers by district; missing where a district has none.
    """
    known = {str(name): Decimal(str(value)) for name, value in values.dropna().items()}
    ordered = dict(sorted(known.items(), key=lambda pair: (pair[1], pair[0])))
    return Distribution(label, unit, ordered) if ordered else None
