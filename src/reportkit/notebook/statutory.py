"""The tables that the form prescribes, every value cell a fact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reportkit.forms.layout import table_block
from reportkit.notebook.display import Shown, look

if TYPE_CHECKING:
    from reportkit.facts import Facts
    from reportkit.forms import Table


def show_table(table: Table, facts: Facts) -> Shown:
    """A statutory table with its merged headings, every value cell a fact."""

    def value(name: str) -> dict[str, Any]:
        fact = facts[name]
        return {"text": fact.text + (fact.unit if fact.show_unit else ""), "fact": fact.id}

    return look(table_block(table, value))
