"""Cells of a statutory table counted in a notebook, compared with those that the library counts."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd

from reportkit.errors import InputError
from reportkit.export.blocks import Block, block
from reportkit.facts import plain
from reportkit.notebook.printed import label_text, number_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reportkit.facts import Fact, Facts
    from reportkit.forms import Leaf, Table

Named = dict[str, list[str]]


def compared_with(table: Table, counted: pd.DataFrame | pd.Series, facts: Facts) -> Block:
    """The block of a comparison: the count of the notebook for each cell, and labels of no cell.

    Raises
    ------
    InputError
        ``compare``: no label is one of the table's.
    """
    frame = counted.to_frame() if isinstance(counted, pd.Series) else counted
    if not (len(frame.index) or len(frame.columns)):
        return _block(table.id, table.title, {}, [], facts)
    places = [(row, column) for _, row, column in table.places()]
    all_rows, all_columns = map(list, zip(*places, strict=True))
    rows, columns = _known(all_rows), _known(all_columns)
    labels = tuple(
        [label_text(label, "/") for label in axis] for axis in (frame.index, frame.columns)
    )
    if _fit(labels[1], rows) + _fit(labels[0], columns) > sum(map(_fit, labels, (rows, columns))):
        frame, labels = frame.T, labels[::-1]
    if not (_fit(labels[0], rows) and _fit(labels[1], columns)):
        raise InputError(
            "compare",
            "no row and column of the frame is one of table {id}; its rows are "
            "{rows}, its columns {columns}",
            id=table.id,
            rows="、".join(_shown(all_rows)),
            columns="、".join(_shown(all_columns)),
        )
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    unknown = []
    for at, label in enumerate(labels[0]):
        for to, name in enumerate(labels[1]):
            number = number_in(frame.iat[at, to]) or Decimal(0)
            cells = [
                table.cell_id(row, column)
                for row in rows.get(label, ())
                for column in columns.get(name, ())
                if table.cell_id(row, column) in facts
            ]
            if cells:
                found[cells[0]] += number
            elif number:
                unknown.append(f"{label}/{name}")
    named_rows = _meant(labels[0], rows, all_rows)
    named_columns = _meant(labels[1], columns, all_columns)
    for row, column in places:
        # A total is compared where the frame has it.
        totals = row.parts or column.parts
        if not totals and row.key in named_rows and column.key in named_columns:
            found[table.cell_id(row.key, column.key)] += 0
    return _block(table.id, table.title, found, unknown, facts)


def figures_compared(counted: Mapping[str, Any], facts: Mapping[str, Fact]) -> Block:
    """The block of a comparison of figures of the text; one that is not defined is left out."""
    found = {name: number_in(value) for name, value in counted.items() if name in facts}
    left = [name for name in counted if name not in facts]
    made = _block("", "文中数据", found, [], facts)
    return made | {"left": left} if left else made


def _block(
    table: str,
    title: str,
    found: Mapping[str, Decimal | None],
    unknown: list[str],
    facts: Mapping[str, Fact],
) -> Block:
    cells = {
        name: "" if number is None else plain(number) for name, number in sorted(found.items())
    }
    differ = [
        {"fact": name, "label": facts[name].label, "counted": text, "stands": facts[name].text}
        for name, text in cells.items()
        if text != facts[name].text
    ]
    return block("compare", table=table, title=title, unknown=unknown, cells=cells, differ=differ)


def _known(leaves: Iterable[Leaf]) -> Named:
    """Keys of rows or columns by every name that they go by."""
    found: Named = {}
    for leaf in leaves:
        node = leaf.node
        names = {leaf.key, node.label, node.text, node.number + node.label, leaf.text}
        for name in names | (set() if leaf.parts else set(node.categories)):
            if leaf.key not in found.setdefault(name, []):
                found[name].append(leaf.key)
    return found


def _shown(leaves: Iterable[Leaf]) -> list[str]:
    return list(dict.fromkeys(leaf.node.label for leaf in leaves))


def _fit(labels: list[str], known: Named) -> float:
    """Count the labels that name rows or columns; one half where there are no labels at all."""
    return len(set(labels) & set(known)) if labels else 0.5


def _meant(labels: list[str], known: Named, leaves: list[Leaf]) -> set[str]:
    """Keys that labels name, and those that add up to the same total: what is not named is zero."""
    if not labels:
        return {leaf.key for leaf in leaves}
    named = {key for label in labels for key in known.get(label, ())}
    return named.union(*(leaf.parts for leaf in leaves if named & set(leaf.parts)))
