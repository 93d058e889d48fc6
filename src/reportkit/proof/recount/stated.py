"""Check of facts' definitions against the verifier's own form and against their own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reportkit.facts import OF_NOTEBOOK
from reportkit.forms.conditions import Definition
from reportkit.language import Message
from reportkit.ledgers.schema import schema_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportkit.forms import Cell, Form

    Fact = Mapping[str, Any]


def own_conditions(
    form: Form, facts: Mapping[str, Fact], name: str, year: int
) -> tuple[dict[str, Fact], list[str]]:
    """The facts with the conditions of the verifier's own form, and what was said otherwise.

    A statutory cell is counted as the law's form says, whatever a run says of it; and the words in
    which a fact is defined are those of its conditions.

    Parameters
    ----------
    form : Form
        The verifier's own.
    facts : mapping
        The facts of ``facts.json`` by id.
    name : str
        What the run calls its edition.
    year : int
    """
    edition = form.edition(year)
    own = dict(facts)
    problems: list[str] = []
    if edition.name != name:
        problems.append(
            Message(
                "the form of {year} is {edition}, not {name}",
                year=year,
                edition=edition.name,
                name=name,
            )
        )
    for cell in edition.cells(year):
        if cell.id not in facts:
            problems.append(Message("{id} of the form is not there", id=cell.id))
            continue
        for name, value in _demanded(cell).items():
            if facts[cell.id][name] != value:
                problems.append(
                    Message(
                        "{id}: {name} is {facts}, the form says {value}",
                        id=cell.id,
                        name=name,
                        facts=facts[cell.id][name],
                        value=value,
                    )
                )
        own[cell.id] = {**facts[cell.id], **_demanded(cell)}
    for name, fact in own.items():
        if fact["where"] and fact["where"][0].get("measure") != OF_NOTEBOOK:
            definition = Definition.from_json(fact["ledger"], fact["where"])
            text = definition.text(schema_of(form, fact["ledger"]).name)
            if fact["definition"] != text:
                problems.append(
                    Message(
                        "{name} is defined as {definition}, its conditions say {text}",
                        name=name,
                        definition=fact["definition"],
                        text=text,
                    )
                )
    return own, problems


def _demanded(cell: Cell) -> dict[str, Any]:
    return {
        "origin": "ledger" if cell.definition else "sum",
        "ledger": cell.definition and cell.definition.ledger,
        "where": cell.definition.where_json() if cell.definition else [],
        "sum_of": list(cell.sum_of),
    }
