"""Sentences that a new project begins with, as its form offers them in ``beginning.yaml``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from reportkit.params import FactId
from reportkit.text.narrative import UNWRITTEN
from reportkit.text.placeholders import placeholders
from reportkit.yamlfile import Strict

if TYPE_CHECKING:
    from reportkit.forms import Edition, Form


class Stated(Strict):
    """A figure that a person states."""

    id: FactId
    label: str
    unit: str
    source: str


class Offered(Strict):
    """Sentences, figures and parameters that a form offers beside its plain text.

    Parameters
    ----------
    text : dict
        By the passage that is to be written: sentences to stand before it.
    left : dict
        By the same passage: what is then still to be written.
    declared : list
        Figures of the text that no ledger holds, for the report's parameters.
    facts : str
        File of ``params/facts``, for those that ledgers hold.
    """

    text: dict[str, str] = Field(default_factory=dict)
    left: dict[str, str] = Field(default_factory=dict)
    declared: list[Stated] = Field(default_factory=list)
    facts: str = ""


def offered(form: Form) -> Offered:
    """Return what a form offers; nothing where it has no ``beginning.yaml``."""
    part = form.parts.get("beginning")
    return part.validate(Offered) if part else Offered()


def first_text(offer: Offered, edition: Edition) -> str:
    """Return the text of a first report: that of the edition, with the sentences offered."""
    text = edition.narrative
    for passage, sentences in offer.text.items():
        rest = offer.left.get(passage, passage)
        begun = f"{sentences}\n\n{UNWRITTEN}：{rest}】"
        text = text.replace(f"{UNWRITTEN}：{passage}】", begun)
    return text


def to_state(offer: Offered, text: str) -> list[Stated]:
    """Return the figures that somebody has to state for a text."""
    named = {name for _, name in placeholders(text)}
    return [figure for figure in offer.declared if figure.id in named]
