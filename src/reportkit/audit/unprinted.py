"""Relations between cells that reviewers look at and no form prints, of any report."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from reportkit.audit.labels import form_rows
from reportkit.audit.wording import wording_of
from reportkit.checks import Check, check, form_checks, rules_of
from reportkit.facts import Fact, Facts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reportkit.forms import Edition, Form


def as_facts(edition: Edition, values: Mapping[str, Decimal]) -> Facts:
    """Cells that are known as facts, for the rules that reports are checked by."""
    cells = {cell.id: cell for cell in edition.cells(edition.model.years.first)}
    return Facts(
        {
            name: Fact(name, cells[name].label, value, cells[name].unit, "declared", "")
            for name, value in values.items()
        }
    )


def unprinted_checks(form: Form, edition: Edition, facts: Facts, year: int) -> Iterator[Check]:
    """Relations that reviewers look at and the form does not print (A5, A6); what does not hold.

    Parameters
    ----------
    form : Form
    edition : Edition
    facts : Facts
        The cells that are known.
    year : int
    """
    rules, wording = rules_of(form, edition), wording_of(form)
    for rule in wording.rules:
        model = edition.model.model_copy(update={"rules": [rule]})
        alone = type(edition)(model, edition.tables, edition.narrative, edition.file)
        yield from (one for one in form_checks(rules, alone, facts, year=year) if not one.holds)
    for one in wording.misread:
        same, other = [], 0
        rows = form_rows(edition.tables[one.table]) if one.table in edition.tables else []
        for row in rows:
            cells = [row.cell(column) for column in (one.column, *one.plus)]
            if not {*cells} <= facts.keys() or not any(facts[name].number for name in cells):
                continue
            total = sum((facts[name].number for name in cells[1:]), Decimal(0))
            # A row in which the two other columns tell nothing is no sign.
            if total == facts[cells[0]].number and facts[cells[1]].number:
                same.append(cells[0])
            else:
                other += 1
        if len(same) >= one.least and not other:
            yield check(rules, one.id, False, f"{len(same)}行都等于其余各列之和", facts=same)
