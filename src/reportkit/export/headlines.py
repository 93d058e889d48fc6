"""Headline figures as cards: a figure, last year's beside it, and a small drawing of bars."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from reportkit.export.defined import definition_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportkit.export.blocks import Block

# The drawing's own units: how wide it is, where bars of years begin, how high those of months are.
_WIDTH, _LEFT, _HIGH = 220.0, 46.0, 44.0


def cards(headlines: list[Block], facts: Mapping[str, Block]) -> list[dict[str, Any]]:
    """Return the content of the page's card for each headline.

    Parameters
    ----------
    headlines : list of dict
        Of the seal: title, unit, facts, and the figures of one or two years.
    facts : mapping
        The facts of the seal by id.
    """
    return [_card(headline, facts) for headline in headlines]


def phrase(card: Mapping[str, Any]) -> str:
    """Return a card's figure in one phrase."""
    return f"{card['title']}{card['text']}{card['unit'] if card['number'] else ''}"


def _card(headline: Block, facts: Mapping[str, Block]) -> dict[str, Any]:
    now, *before = headline["years"]
    first = facts[headline["facts"][0]]
    unit = first["unit"]
    places = [place.removeprefix("table:") for place in first["places"] if "table:" in place]
    return {
        "title": headline["title"],
        "href": f"#{places[0]}" if places else None,
        "number": now["value"] is not None,
        "text": "—" if now["value"] is None else now["value"],
        "unit": headline["unit"],
        "beside": _beside(now, headline["unit"], unit),
        "before": [f"{year['year']}年 {_value(year, headline)}" for year in before],
        "how": [
            (
                facts[name]["label"],
                f"{facts[name]['value']}{facts[name]['unit']}",
                definition_of(facts[name], facts),
            )
            for name in (*headline["facts"], *headline["of"])
        ],
        **(_months(headline, now) if any(headline["months"] or ()) else _years(headline)),
    }


def _value(year: Block, headline: Block) -> str:
    return "—" if year["value"] is None else f"{year['value']}{headline['unit']}"


def _beside(year: Block, shown: str, unit: str) -> str:
    if year["of"] is None:
        return ""
    if shown == "%":
        return f"{year['of']}{unit}中的{year['count']}{unit}"
    return f"共{year['of']}{unit}"


def _months(headline: Block, now: Block) -> dict[str, Any]:
    months = headline["months"]
    most = max(months)
    step = _WIDTH / 12
    bars = [
        {
            "x": round(at * step + 2, 1),
            "y": round(14 + _HIGH * (1 - count / most), 1),
            "width": round(step - 4, 1),
            "height": round(_HIGH * count / most, 1),
            "now": True,
        }
        for at, count in enumerate(months)
    ]
    at = months.index(most)
    middle = round(min(max((at + 0.5) * step, 12), _WIDTH - 12), 1)
    texts = [
        {"x": middle, "y": 10, "anchor": "middle", "text": str(most)},
        {"x": 2, "y": 71, "anchor": "start", "text": "1月"},
        {"x": _WIDTH - 2, "y": 71, "anchor": "end", "text": "12月"},
    ]
    listed = "，".join(f"{month}月{count}" for month, count in enumerate(months, 1))
    return {"bars": bars, "texts": texts, "alt": f"{now['year']}年各月：{listed}"}


def _years(headline: Block) -> dict[str, Any]:
    numbers = [Decimal(year["value"] or 0) for year in headline["years"]]
    wholes = [Decimal(year["of"] or 0) for year in headline["years"]]
    scale = Decimal(100) if headline["unit"] == "%" else max(*numbers, *wholes, Decimal(1))
    room = _WIDTH - _LEFT
    bars, texts, listed = [], [], []
    for at, (year, number) in enumerate(zip(headline["years"], numbers, strict=True)):
        y = 16 + 26 * at
        # The whole as a frame, then the figure as a bar in it.
        bars.append({"x": _LEFT, "y": y, "width": room, "height": 14, "now": None})
        width = round(room * float(number / scale), 1)
        bars.append({"x": _LEFT, "y": y, "width": width, "height": 14, "now": not at})
        texts.append({"x": 0, "y": y + 11, "anchor": "start", "text": f"{year['year']}年"})
        whole = f"（共{year['of']}）" if year["of"] else ""
        listed.append(f"{year['year']}年{_value(year, headline)}{whole}")
    return {"bars": bars, "texts": texts, "alt": "，".join(listed)}
