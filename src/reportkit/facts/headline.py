"""The figure of a headline: facts added up, alone or as a share of others."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from reportkit.facts.numerals import plain, rounded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportkit.forms.model import Headline


def figure(headline: Headline, numbers: Mapping[str, Decimal]) -> dict[str, str | None] | None:
    """Return a headline's figure as it is printed; None where not all of its facts are numbers.

    Parameters
    ----------
    headline : Headline
    numbers : mapping of str to Decimal
        Facts by their ids.

    Returns
    -------
    dict, optional
        ``value``, a percentage where it is a share (None of nothing); the ``count`` that it is
        of, and ``of`` how many.
    """
    if not numbers.keys() >= {*headline.facts, *headline.of}:
        return None
    count, whole = (
        sum((numbers[n] for n in names), Decimal()) for names in (headline.facts, headline.of)
    )
    counts = {"count": plain(count), "of": plain(whole) if headline.of else None}
    if not headline.share:
        return counts | {"value": plain(count)}
    return counts | {"value": plain(rounded(100 * count / whole, 1)) if whole else None}
