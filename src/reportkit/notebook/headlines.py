"""The figures that readers see first; the edition's file lists them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd

from reportkit.facts.headline import figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reportkit.facts import Fact
    from reportkit.facts.previous import Past
    from reportkit.forms.model import Headline
    from reportkit.ledgers import Ledger


def headlines(
    wanted: Sequence[Headline],
    facts: Mapping[str, Fact],
    *,
    year: int,
    past: Past | None,
    ledgers: Mapping[str, Ledger],
) -> list[dict[str, Any]]:
    """Return each headline with this year's figure, last year's and its months, as JSON.

    One whose facts are not all there, or are no numbers, is left out; so is last year's figure.
    """
    numbers = {name: f.value for name, f in facts.items() if isinstance(f.value, Decimal)}
    shown = []
    for headline in wanted:
        figures = {year: figure(headline, numbers)}
        if figures[year] is None:
            continue
        if past is not None:
            figures[past.year] = figure(headline, past.values)
        shown.append(
            {
                "title": headline.label,
                "facts": headline.facts,
                "of": headline.of,
                "unit": "%" if headline.share else facts[headline.facts[0]].unit,
                "years": [{"year": at, **found} for at, found in figures.items() if found],
                "months": _months(headline, facts, ledgers),
            }
        )
    return shown


def _months(
    headline: Headline, facts: Mapping[str, Fact], ledgers: Mapping[str, Ledger]
) -> list[int] | None:
    """Count the records of each month, by the column that the headline names."""
    if headline.months is None:
        return None
    counts = pd.Series(0, index=range(1, 13))
    waiting = list(headline.facts)
    while waiting:
        fact = facts[waiting.pop()]
        if any(part not in facts for part in fact.sum_of):
            return None  # of members, whose records are not here
        waiting += fact.sum_of
        if fact.ledger and fact.rows is not None and len(fact.rows):
            days = ledgers[fact.ledger].frame.loc[fact.rows, headline.months]
            counts = counts.add(days.dt.month.value_counts(), fill_value=0)
    return [int(count) for count in counts]
