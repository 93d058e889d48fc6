"""Members of a roll-up as a notebook shows them: a table of all, and one behind a figure."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Collection

    from reportkit.facts import Fact
    from reportkit.notebook.compilation import Compilation
    from reportkit.rollup.members import Member

ORIGINS = {"run": "封存的报告", "published": "已公布的数", "missing": "没有报告"}
"""Origins of a member's figures, in words."""


def names_of(members: Collection[Member]) -> dict[str, str]:
    """Name of each member by its id, which is added where two are called alike."""
    times = Counter(member.name for member in members)
    return {
        member.id: member.name if times[member.name] == 1 else f"{member.name}（{member.id}）"
        for member in members
    }


def members_frame(compiled: Compilation) -> pd.DataFrame:
    """The members of a roll-up as rows: where their figures are from, and their headlines.

    The columns of figures are those of the form's headlines that add up cells.

    Parameters
    ----------
    compiled : Compilation
    """
    cells = compiled.computer.cells
    headlines = [
        headline
        for headline in compiled.edition.model.headlines
        if not headline.share and cells.keys() >= {*headline.facts}
    ]
    names = names_of(compiled.members.values())
    rows = {}
    for member in compiled.members.values():
        marks = {"草稿": member.draft, "有差错": member.errors, "逾期": member.late}
        state = "、".join([ORIGINS[member.origin], *(mark for mark, held in marks.items() if held)])
        figures = {
            headline.label: sum((member.values[name] for name in headline.facts), Decimal(0))
            for headline in headlines
            if member.values.keys() >= {*headline.facts}
        }
        rows[names[member.id]] = {"来源": state} | figures
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("单位")
    return frame.reindex(columns=["来源", *(headline.label for headline in headlines)])


def part_of(compiled: Compilation, fact: Fact, part: str) -> Fact:
    """A fact that another is computed from; of a roll-up, a member's.

    Parameters
    ----------
    compiled : Compilation
    fact : Fact
    part : str
        One of its ``sum_of``.
    """
    if "/" not in part:
        return compiled.get(part)
    member = compiled.members[part.partition("/")[0]]
    return replace(fact, id=part, label=member.name, value=member.values[fact.id], sum_of=())
