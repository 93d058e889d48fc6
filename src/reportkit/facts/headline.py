"""The figure of a headline: facts added up, alone or as a share of others."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from reportkit.facts.numerals import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportkit.forms.model import Headline


def figure(one: Headline, numbers: Mapping[str, Decimal]) -> dict[str, str | None] | None:
    """Return a headline's figure as it is told; None where not all of its facts are numbers.

    Parameters
    ----------
    one : Headline
    numbers : mapping of str to Decimal
        Facts by their ids.

    Returns
    -------
    dict, optional
        ``value``, a percentage where it is a share (None of nothing); the ``count`` that it is
        of, and ``of`` how many.
    """
    if not numbers.keys() >= {*one.facts, *one.of}:
        return None
    count, whole = (sum((numbers[n] for n in names), Decimal()) for names in (one.facts, one.of))
    counts = {"count": plain(count), "of": plain(whole) if one.of else None}
    if not one.share:
        return counts | {"value": plain(count)}
    share = (100 * count / whole).quantize(Decimal("0.1"), ROUND_HALF_UP) if whole else None
    return counts | {"value": None if share is None else plain(share)}
