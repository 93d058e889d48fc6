"""Corrections of a published report (更正说明): why, what stood there, and what stands now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from reportkit.errors import InputError, ReportkitError
from reportkit.export.pages import chinese_date
from reportkit.facts import Fact
from reportkit.facts.numerals import number_of
from reportkit.language import Message
from reportkit.notebook.frames import table_of
from reportkit.text.narrative import Narrative, render_cell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from reportkit.params.report import Correction
    from reportkit.text.markdown import Prose
    from reportkit.text.placeholders import Figures

TITLE = "更正说明"
PLACE = "corrections"
"""Their text among the sections of a narrative, and among the places of a fact."""
_COLUMNS = ["更正日期", "项目", "单位", "原公布", "更正后"]


def with_corrections(
    told: Narrative,
    corrections: Sequence[Correction],
    *,
    figures: Figures,
    context: Mapping[str, Any],
) -> Narrative:
    """Return a report's text with what was corrected since it was published.

    Raises
    ------
    InputError
        ``narrative``, as `render_cell`; ``correction``: a figure of one is no fact of the report,
        or did not change.
    """
    body, places = [], dict(told.places)
    for one in corrections:
        day = chinese_date(one.on.isoformat())
        prose, _ = render_cell(
            f"{day}更正：{one.text}",
            figures=figures,
            context=context,
            name=Message("the correction of {day}", day=one.on),
        )
        body += prose
    parts = [part for node in body for part in node.get("items", [node.get("runs", [])])]
    named = [run["fact"] for part in parts for run in part if "fact" in run]
    rows = _rows(corrections, figures, context)
    named += [now.id for *_, now in rows if isinstance(now, Fact)]
    for name in dict.fromkeys(named):
        places[name] = (*places.get(name, ()), PLACE)
    return Narrative({**told.sections, PLACE: body}, places)


def corrections_of(
    corrections: Sequence[Correction],
    body: Prose,
    *,
    figures: Figures,
    context: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what the seal tells of corrections: their days, text, and a table of figures."""
    told: dict[str, Any] = {
        "days": [one.on.isoformat() for one in corrections],
        "title": TITLE,
        "body": body,
    }
    if rows := _rows(corrections, figures, context):
        frame = pd.DataFrame(rows, columns=_COLUMNS).set_index(_COLUMNS[0])
        told["table"] = table_of(frame, title="更正前后的数据", note="", formats={}) | {"id": PLACE}
    return told


def standing(
    published: Mapping[str, Decimal], corrections: Sequence[Correction]
) -> dict[str, Decimal]:
    """Return the published figures that no correction has replaced since."""
    replaced = {(name, number_of(was)) for one in corrections for name, was in one.figures.items()}
    return {name: value for name, value in published.items() if (name, value) not in replaced}


def _rows(
    corrections: Sequence[Correction], figures: Figures, context: Mapping[str, Any]
) -> list[list[Any]]:
    return [
        [chinese_date(one.on.isoformat()), fact.label, fact.unit, _printed(was), now]
        for at, one in enumerate(corrections)
        for name, was in one.figures.items()
        for fact in [_fact(name, one, figures, context)]
        for now in [_now(fact, was, one, corrections[at + 1 :])]
    ]


def _fact(name: str, one: Correction, figures: Figures, context: Mapping[str, Any]) -> Fact:
    try:
        return figures.get(name)
    except ReportkitError as error:
        raise InputError(
            "correction",
            "the correction of {day}: {message}",
            day=one.on,
            message=error.message,
            district=context["district"]["id"],
            year=context["year"],
        ) from None


def _now(fact: Fact, was: str, one: Correction, later: Sequence[Correction]) -> Any:
    """Return what a figure was corrected to: by now it may have been corrected again."""
    again = next((other.figures[fact.id] for other in later if fact.id in other.figures), None)
    if was == (fact.text if again is None else again):
        raise InputError(
            "correction",
            "the correction of {day}: {id} was published as {was}, and it is {was} now; take it "
            "out of figures",
            day=one.on,
            id=fact.id,
            was=was,
        )
    return fact if again is None else _printed(again)


def _printed(was: str) -> Any:
    number = number_of(was)
    return was if number is None else number
