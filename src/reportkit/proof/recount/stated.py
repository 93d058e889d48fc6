"""Check of facts' definitions against the verifier's own form and against their own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reportkit.facts import OF_NOTEBOOK
from reportkit.forms.conditions import Definition
from reportkit.language import Message
from reportkit.ledgers.schema import schema_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reportkit.forms import Cell, Form

    Fact = Mapping[str, Any]


def own_conditions(
    form: Form, document: Mapping[str, Any], manifest: Mapping[str, Any]
) -> tuple[dict[str, Fact], list[str]]:
    """The facts with the conditions of the verifier's own form, and what the run says otherwise.

    A statutory cell is counted as the law's form says, whatever a run says of it; and the words in
    which a fact is defined are those of its conditions.

    Parameters
    ----------
    form : Form
        The verifier's own.
    document : mapping
        ``facts.json``.
    manifest : mapping
        Of a roll-up the cells are sums of members' facts, as these say, instead of counts.
    """
    year = manifest["year"]
    edition = form.edition(year)
    demanded = {cell.id: _demanded(cell, manifest) for cell in edition.cells(year)}
    facts = {fact["id"]: fact for fact in document["facts"]}
    own = {name: fact | demanded.get(name, {}) for name, fact in facts.items()}
    problems: list[str] = []
    if edition.name != document["edition"]:
        problems.append(
            Message(
                "the form of {year} is {edition}, not {name}",
                year=year,
                edition=edition.name,
                name=document["edition"],
            )
        )
    return own, [*problems, *_otherwise(facts, demanded), *_in_other_words(form, own)]


def _otherwise(facts: Mapping[str, Fact], demanded: Mapping[str, Fact]) -> Iterator[str]:
    for name, wanted in demanded.items():
        if name not in facts:
            yield Message("{id} of the form is not there", id=name)
            continue
        for field, value in wanted.items():
            if facts[name][field] != value:
                yield Message(
                    "{id}: {name} is {facts}, the form says {value}",
                    id=name,
                    name=field,
                    facts=facts[name][field],
                    value=value,
                )


def _in_other_words(form: Form, facts: Mapping[str, Fact]) -> Iterator[str]:
    for name, fact in facts.items():
        if fact["where"] and fact["where"][0].get("measure") != OF_NOTEBOOK:
            definition = Definition.from_json(fact["ledger"], fact["where"])
            text = definition.text(schema_of(form, fact["ledger"]).name)
            if fact["definition"] != text:
                yield Message(
                    "{name} is defined as {definition}, its conditions say {text}",
                    name=name,
                    definition=fact["definition"],
                    text=text,
                )


def _demanded(cell: Cell, manifest: Mapping[str, Any]) -> dict[str, Any]:
    if cell.definition and "members" in manifest:
        return {"origin": "sum", "ledger": None, "where": []}
    return {
        "origin": "ledger" if cell.definition else "sum",
        "ledger": cell.definition and cell.definition.ledger,
        "where": cell.definition.where_json() if cell.definition else [],
        "sum_of": list(cell.sum_of),
    }
