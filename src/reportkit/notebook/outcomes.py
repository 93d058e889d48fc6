"""The parts of a table's total row beside last year's: the frame of the chart of outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from reportkit.forms.cells import innermost

if TYPE_CHECKING:
    from decimal import Decimal

    from reportkit.facts.previous import Past
    from reportkit.forms import Edition
    from reportkit.notebook.compilation import Compilation


def outcomes_of(compiled: Compilation) -> pd.DataFrame:
    """The parts of the first total row of a table, by label, for a chart: those that are not zero.

    Last year's stand beside them where all are known, and this year's are not all zero. Rows
    that were one row in last year's edition of the form, as this one says (``follows``), are
    one here too.
    """
    axis, total = next(
        (axis, row)
        for table in compiled.edition.tables.values()
        for axis in table.axes()
        for row in (axis.leaves if axis.is_row else ())
        if row.parts
    )
    rows = {row.key: row for row in axis.leaves}
    column = next((c.key for c in axis.across if c.parts), axis.across[-1].key)
    now = {axis.cell(key, column): rows[key] for key in total.parts}
    past = compiled.past
    before = _as_of(past, compiled.edition, set(now)) if past else {}
    shown: dict[str, tuple[str, ...]] = {}
    for cell, row in now.items():
        cells = next((cells for cells in before if cell in cells), (cell,))
        label = row.groups[-1].label if len(cells) > 1 else row.node.label
        shown.setdefault(label, cells)
    this = {name: sum(compiled.facts[c].number for c in cells) for name, cells in shown.items()}
    years = {f"{compiled.year}年": this}
    if past is not None and any(this.values()) and set(shown.values()) <= set(before):
        years[f"{past.year}年"] = {name: before[cells] for name, cells in shown.items()}
    frame = pd.DataFrame(years).astype("int64").rename_axis(innermost(total.groups, "by") or "")
    return frame[frame.any(axis=1)]


def _as_of(past: Past, edition: Edition, here: set[str]) -> dict[tuple[str, ...], Decimal]:
    """Last year's values by the cells of this edition that count the same together."""
    found: dict[tuple[str, ...], Decimal] = {}
    found |= {(name,): value for name, value in past.values.items() if name in here}
    for name, value in past.values.items():
        follow = None if name in here else edition.successor(name)
        if follow and follow.comparable and here.issuperset(follow.here):
            found[tuple(follow.here)] = value
    return found
