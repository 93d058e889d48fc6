"""Distributions of a figure over all places, as bars: no place is named or ranked."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from reportkit.facts.numerals import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportkit.forms.model import Comparison

# The drawing's own units.
_WIDTH, _HIGH, _TOP = 540.0, 110.0, 22.0
_BARS = 24
# Where so large a part is nothing, the rest is drawn alone.
_MOSTLY = Decimal("0.6")


def distribution(comparison: Comparison, values: Sequence[Decimal], unit: str) -> dict[str, Any]:
    """Return what a page shows of a comparison.

    Parameters
    ----------
    one : Comparison
    values : sequence of Decimal
        One of each place, in no order that means anything.
    unit : str

    Returns
    -------
    dict
        Title, caveat, counts, median and middle half, bars with their bounds; ``zeros`` where
        most are none, and the bars are of the others alone.
    """
    ordered = sorted(values)
    zeros = sum(not value for value in ordered)
    alone = zeros > _MOSTLY * len(ordered)
    drawn = [value for value in ordered if value] if alone else ordered
    low, high = quantiles(ordered, n=4)[::2] if len(ordered) > 1 else (ordered[0], ordered[0])
    summary = {
        "title": comparison.label,
        "caveat": comparison.caveat,
        "least": comparison.least,
        "units": len(ordered),
        "zeros": zeros if alone else None,
        "unit": unit,
        "median": _text(Decimal(median(ordered))),
        "low": _text(Decimal(low)),
        "high": _text(Decimal(high)),
    }
    return summary | (_bars(drawn, ordered, unit, alone=alone) if drawn else {"bars": []})


def _bars(
    drawn: Sequence[Decimal], ordered: Sequence[Decimal], unit: str, *, alone: bool
) -> dict[str, Any]:
    top = Decimal(100) if unit == "%" and max(drawn) > 40 else max(drawn)
    step = _step(top)
    bins = int(top / step) + 1
    if unit == "%" and top == 100:
        bins -= 1
    counts = [0] * bins
    for value in drawn:
        counts[min(int(value // step), bins - 1)] += 1
    most = max(counts)
    wide = _WIDTH / bins
    bars = [
        {
            "x": round(at * wide + 0.5, 1),
            "y": round(_TOP + _HIGH * (1 - count / most), 1),
            "width": round(wide - 1, 1),
            "height": round(_HIGH * count / most, 1),
            "from": _text(at * step),
            "to": _text((at + 1) * step),
            "count": count,
        }
        for at, count in enumerate(counts)
    ]
    scale = _WIDTH / float(step * bins)
    places: dict[str, Any] = {"end": _text(step * bins), "bars": bars}
    if not alone:
        cut = quantiles(ordered, n=4) if len(ordered) > 1 else [ordered[0]] * 3
        left, middle, right = (round(float(value) * scale, 1) for value in cut)
        places |= {"left": left, "middle": middle, "right": right}
        # The words over the line stay inside of the drawing.
        places["words"] = round(min(max(middle, 60), _WIDTH - 60), 1)
    return places


def _step(top: Decimal) -> Decimal:
    """The width of a bar: a round number, so that some two dozen bars reach the largest."""
    steps = (Decimal(digit).scaleb(power) for power in range(-2, 9) for digit in (1, 2, 5))
    return next((step for step in steps if top / step <= _BARS), top)


def _text(value: Decimal) -> str:
    return plain(value.quantize(Decimal("0.1"), ROUND_HALF_UP))
