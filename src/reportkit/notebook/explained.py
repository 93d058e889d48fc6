"""Explanation of a fact and what it rests on, as a DataFrame."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from reportkit.export.blocks import MIME, block

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportkit.facts import Fact
    from reportkit.ledgers import Ledger


class Explained(pd.DataFrame):  # type: ignore[misc]  # pandas has no types
    """A DataFrame that a notebook shows below the fact and its definition."""

    @property
    def _constructor(self) -> Any:
        return pd.DataFrame  # a selection of it explains nothing any more

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        lines = [self.attrs["fact"], self.attrs["definition"]]
        html = "".join(f"<p>{escape(line)}</p>" for line in lines) + self._repr_html_()
        text = "\n".join([*lines, repr(self)])
        return {MIME: block("note", about=self.attrs["id"]), "text/html": html, "text/plain": text}


def explained(fact: Fact, ledgers: Mapping[str, Ledger], parts: Mapping[str, Fact]) -> Explained:
    """The records of a fact with their places, or the facts that it is computed from.

    Parameters
    ----------
    fact : Fact
    ledgers : mapping of str to Ledger
    parts : mapping of str to Fact
    """
    if fact.ledger is not None and fact.rows is not None:
        ledger = ledgers[fact.ledger]
        places = pd.DataFrame(
            [ledger.place(row) for row in fact.rows], columns=["文件", "位置"], index=fact.rows
        )
        taken = ["−"] * fact.subtracted
        if taken:
            places.insert(0, "加减", ["+"] * (len(fact.rows) - len(taken)) + taken)
        found = pd.concat([places, ledger.frame.loc[fact.rows]], axis=1)
    else:
        rows = [(part.label, part.text, part.unit) for part in parts.values()]
        found = pd.DataFrame(rows, index=list(parts), columns=["名称", "值", "单位"])
    made = Explained(found)
    made.attrs = {
        "id": fact.id,
        "fact": f"{fact.id}  {fact.label}：{fact.text}{fact.unit}",
        "definition": fact.definition + (f"；来源：{fact.source}" if fact.source else ""),
    }
    return made
