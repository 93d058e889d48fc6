"""Corrections of a published report (更正说明): the reason, the old figure and the new one."""

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
    narrative: Narrative,
    corrections: Sequence[Correction],
    *,
    figures: Figures,
    context: Mapping[str, Any],
) -> Narrative:
    """Return a report's text with the corrections that were made since it was published.

    Raises
    ------
    InputError
        ``narrative``, as `render_cell`; ``correction``: a figure of one is no fact of the report,
        or did not change.
    """
    body, places = [], dict(narrative.places)
    for correction in corrections:
        prose, _ = render_cell(
            f"{_day(correction)}更正：{correction.text}",
            figures=figures,
            context=context,
            name=Message("the correction of {day}", day=correction.on),
        )
        body += prose
    parts = [part for node in body for part in node.get("items", [node.get("runs", [])])]
    named = [run["fact"] for part in parts for run in part if "fact" in run]
    rows = _rows(corrections, figures, context)
    named += [now.id for *_, now in rows if isinstance(now, Fact)]
    for name in dict.fromkeys(named):
        places[name] = (*places.get(name, ()), PLACE)
    return Narrative({**narrative.sections, PLACE: body}, places)


def corrections_of(
    corrections: Sequence[Correction],
    body: Prose,
    *,
    figures: Figures,
    context: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what the seal holds of corrections: their days, text, and a table of figures."""
    content: dict[str, Any] = {
        "days": [correction.on.isoformat() for correction in corrections],
        "title": TITLE,
        "body": body,
    }
    if rows := _rows(corrections, figures, context):
        frame = pd.DataFrame(rows, columns=_COLUMNS).set_index(_COLUMNS[0])
        table = table_of(frame, title="更正前后的数据", note="", formats={})
        content["table"] = table | {"id": PLACE}
    return content


def standing(
    published: Mapping[str, Decimal], corrections: Sequence[Correction]
) -> dict[str, Decimal]:
    """Return the published figures that no correction has replaced since."""
    replaced = {(name, number_of(was)) for c in corrections for name, was in c.figures.items()}
    return {name: value for name, value in published.items() if (name, value) not in replaced}


def _rows(
    corrections: Sequence[Correction], figures: Figures, context: Mapping[str, Any]
) -> list[list[Any]]:
    rows = []
    for at, correction in enumerate(corrections):
        for name, was in correction.figures.items():
            fact = _fact(name, correction, figures, context)
            now = _now(fact, was, correction, corrections[at + 1 :])
            rows.append([_day(correction), fact.label, fact.unit, _printed(was), now])
    return rows


def _day(correction: Correction) -> str:
    return chinese_date(correction.on.isoformat())


def _fact(name: str, correction: Correction, figures: Figures, context: Mapping[str, Any]) -> Fact:
    try:
        return figures.get(name)
    except ReportkitError as error:
        raise InputError(
            "correction",
            "the correction of {day}: {message}",
            day=correction.on,
            message=error.message,
            district=context["district"]["id"],
            year=context["year"],
        ) from None


def _now(fact: Fact, was: str, correction: Correction, later: Sequence[Correction]) -> Any:
    """Return what a figure was corrected to: by now it may have been corrected again."""
    again = next((other.figures[fact.id] for other in later if fact.id in other.figures), None)
    if was == (fact.text if again is None else again):
        raise InputError(
            "correction",
            "the correction of {day}: {id} was published as {was}, and it is {was} now; take it "
            "out of figures",
            day=correction.on,
            id=fact.id,
            was=was,
        )
    return fact if again is None else _printed(again)


def _printed(was: str) -> Any:
    number = number_of(was)
    return was if number is None else number
