"""Small drawings of figures over the years: bars and lines."""

from __future__ import annotations

from decimal import Decimal
from typing import Any


def bars(
    values: list[tuple[int, Decimal | None]], *, whole: Decimal | None
) -> list[dict[str, Any]]:
    """Bars of a few years, scaled to the largest value or to the whole."""
    top = whole or max((value for _, value in values if value is not None), default=Decimal(0))
    step = 200 / len(values)
    drawn = []
    for at, (year, value) in enumerate(values):
        high = 46 * float((value or 0) / (top or 1))
        drawn.append(
            {
                "year": year,
                "x": round(at * step + 2, 1),
                "y": round(48 - high, 1),
                "width": round(step - 4, 1),
                "height": round(high, 1),
                "middle": round((at + 0.5) * step, 1),
            }
        )
    return drawn


_WIDE, _HIGH = 90, 22


def line(values: list[Decimal | None]) -> dict[str, Any]:
    """Points of a line through the values that are known."""
    known = [value for value in values if value is not None]
    low, top = (min(known), max(known)) if known else (Decimal(), Decimal())
    step = _WIDE / max(len(values) - 1, 1)
    spread = float(top - low) or 1.0
    points = [
        (
            round(at * step, 1),
            round(_HIGH - _HIGH * float(value - low) / spread if top > low else _HIGH / 2, 1),
        )
        for at, value in enumerate(values)
        if value is not None
    ]
    return {
        "path": " ".join(f"{x},{y}" for x, y in points),
        "dot": points[-1] if points and values[-1] is not None else None,
        "wide": _WIDE,
        "high": _HIGH,
    }
