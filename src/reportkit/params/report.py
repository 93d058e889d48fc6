"""Parameters of one report: ``params/reports/<id>/<year>.yaml``."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PrivateAttr, model_validator

from reportkit.language import Message, joined
from reportkit.language.message import COMMA
from reportkit.yamlfile import Strict

_DIGITS = 20
FACT_ID = re.compile(r"[a-z][0-9a-z_]*(\.[0-9a-z_]+)+")


def _check_fact_id(value: Any) -> Any:
    if not FACT_ID.fullmatch(str(value)):
        raise ValueError(Message("a fact id is lower case words joined by dots, such as pub.total"))
    return value


def _check_number(value: Any) -> Any:
    # In plain digits 1E+999999999 would fill all memory.
    try:
        number = Decimal(str(value or ""))
    except InvalidOperation:
        return value
    if not number.is_finite():
        raise ValueError(Message("a number is finite"))
    if not -_DIGITS <= int(number.as_tuple().exponent) <= _DIGITS > (number.adjusted()):
        message = Message(
            "a number has at most {digits} digits before and after its point", digits=_DIGITS
        )
        raise ValueError(message)
    return value


FactId = Annotated[str, BeforeValidator(_check_fact_id)]


class Declared(Strict):
    """A figure that no ledger holds: who stated it, when, and where it stands.

    Parameters
    ----------
    id : str
        Fact id, for the text.
    label : str
        What it is, in Chinese.
    value : str
        A number, a day or words. Empty: still to do; a final report is refused.
    unit : str, optional
        件, 项, 日期 …
    source : str
        Where the figure stands.
    stated_by : str
        Who stated it.
    stated_on : date
        The day.
    """

    id: FactId
    label: str
    value: Annotated[str | None, BeforeValidator(_check_number)]
    unit: str = ""
    source: str | None = None
    stated_by: str | None = None
    stated_on: date | None = None
    _place: str = PrivateAttr("")

    @model_validator(mode="after")
    def _is_stated(self) -> Declared:
        missing = [
            name for name in ("source", "stated_by", "stated_on") if getattr(self, name) is None
        ]
        if self.value is not None and missing:
            message = Message(
                "'{id}' states a figure that no ledger holds, without {missing}: say where it "
                "stands, who stated it and on which day",
                id=self.id,
                missing=joined(COMMA, missing),
            )
            raise ValueError(message)
        return self

    @property
    def place(self) -> str:
        """File and line, to begin an error with."""
        return self._place


class StatedShare(Strict):
    """A percentage that the text states, with the part and the whole it must follow from.

    Parameters
    ----------
    percent, part, whole : str
        Fact ids.
    """

    percent: FactId
    part: FactId
    whole: FactId


class Relation(Strict):
    """Relation that figures of the text must satisfy; one of three kinds.

    Parameters
    ----------
    title : str
        What must hold, in Chinese.
    left, right : list of str, optional
        Fact ids: both sums are equal.
    parts, whole : list of str and str, optional
        What the parts add up to is at most the whole (73 of 76).
    share : StatedShare, optional
        A stated percentage is the part of the whole, rounded half up to the places it is stated
        with.
    severity : {"error", "warning", "info"}
        How bad it is if it does not hold.
    """

    title: str
    left: list[FactId] | None = None
    right: list[FactId] | None = None
    parts: list[FactId] | None = None
    whole: FactId | None = None
    share: StatedShare | None = None
    severity: Literal["error", "warning", "info"] = "error"

    @model_validator(mode="after")
    def _is_one_kind(self) -> Relation:
        kinds = [("left", "right"), ("parts", "whole"), ("share",)]
        given = {name for kind in kinds for name in kind if getattr(self, name) is not None}
        if given not in map(set, kinds):
            raise ValueError(Message("a relation has left and right, or parts and whole, or share"))
        return self

    @property
    def facts(self) -> tuple[str, ...]:
        """All facts that take part."""
        share = self.share
        named = (share.percent, share.part, share.whole) if share else (self.whole,)
        listed = (*(self.left or ()), *(self.right or ()), *(self.parts or ()), *named)
        return tuple(name for name in listed if name)


class Figures(Strict):
    """The two sides of a finding, as they were when it was accepted.

    Parameters
    ----------
    left, right : str, optional
        As printed by the run.
    """

    left: str | None = None
    right: str | None = None


class Waiver(Strict):
    """A finding that somebody accepts as it stands, until its figures change.

    Parameters
    ----------
    check : str
        Id of the check, ``N3``.
    facts : list of str, optional
        Facts of the finding.
    place : str, optional
        Instead of facts: words that the finding's message holds.
    figures : Figures, optional
        The two sides that were accepted.
    reason, by : str
        Why, and who accepts it.
    on : date
        The day.
    """

    check: str
    facts: list[FactId] = Field(default_factory=list)
    place: str | None = None
    figures: Figures = Figures()
    reason: str = Field(min_length=1)
    by: str = Field(min_length=1)
    on: date

    @model_validator(mode="after")
    def _one_finding(self) -> Waiver:
        if not self.facts and not self.place:
            message = Message(
                "names neither facts nor place; one of them says which finding is meant"
            )
            raise ValueError(message)
        return self


class Correction(Strict):
    """Correction of a report that was published: every document tells it (更正说明).

    Parameters
    ----------
    on : date
        The day.
    text : str
        Why, and what else changed; Markdown with placeholders, as the report's text.
    figures : dict of str to str, optional
        Facts that changed, by id: each as it had been published.
    """

    on: date
    text: str = Field(min_length=1)
    figures: dict[FactId, str] = Field(default_factory=dict)


class ReportParams(Strict):
    """Parameters of one report: ``params/reports/<id>/<year>.yaml``.

    Parameters
    ----------
    year : int
        The report year, as in the file's name.
    title : str, optional
        Instead of the form's own title.
    document_number : str, optional
        厦湖府〔2021〕1号; with it the PDF opens with the red head.
    dated : date, optional
        成文日期.
    printed : date, optional
        印发日期; with it the PDF ends with the 版记.
    declared : list of Declared, optional
        Figures that no ledger holds.
    relations : list of Relation, optional
        How figures of the text must agree.
    waivers : list of Waiver, optional
        Findings that somebody accepts.
    corrections : list of Correction, optional
        Corrections since the report was published, in the order of their days.
    """

    year: int
    title: str | None = None
    document_number: str | None = None
    dated: date | None = None
    printed: date | None = None
    declared: list[Declared] = Field(default_factory=list)
    relations: list[Relation] = Field(default_factory=list)
    waivers: list[Waiver] = Field(default_factory=list)
    corrections: list[Correction] = Field(default_factory=list)
