"""The tables that a form prescribes, as rows of cells in the layout of the edition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reportkit.export.blocks import Block, block

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reportkit.forms.cells import Leaf, Table
    from reportkit.forms.model import Band

    Cells = list[dict[str, Any]]
    Value = Callable[[str], dict[str, Any]]


def table_block(table: Table, value: Value) -> Block:
    """A statutory table with its merged headings.

    Parameters
    ----------
    table : Table
    value : callable
        What a value cell holds, by its fact id; its ``text`` at least.
    """
    if table.model.layout == "line":
        rows, columns, labels, head = _line(table, value)
    elif len(table.model.bands) == 1:
        rows, columns, labels, head = _grid(table, value)
    else:
        rows, columns, labels, head = _banded(table, value)
    fields = {
        "id": table.id,
        "title": table.title,
        "columns": columns,
        "label_columns": labels,
        "head_rows": head,
        "rows": rows,
    }
    return block("table", **fields)


def _cell(text: str, role: str, colspan: int = 1, rowspan: int = 1) -> dict[str, Any]:
    return {"text": text, "role": role, "colspan": colspan, "rowspan": rowspan}


def _value(table: Table, row: Leaf, column: Leaf, value: Value, colspan: int = 1) -> dict[str, Any]:
    return _cell("", "value", colspan) | value(table.cell_id(row.key, column.key))


def _depth(leaves: Sequence[Leaf]) -> int:
    return max(len(leaf.path) for leaf in leaves)


def _headings(leaves: Sequence[Leaf], depth: int, role: str) -> list[list[tuple[int, Any]]]:
    """Heading cells by level, as (position of the first leaf, cell along the leaves).

    A group spans its leaves; a heading without further levels below it spans the levels left.
    """
    levels: list[list[tuple[int, Any]]] = [[] for _ in range(depth)]
    previous: tuple[Any, ...] = ()
    for position, leaf in enumerate(leaves):
        path = leaf.path
        for level, node in enumerate(path):
            if path[: level + 1] == previous[: level + 1] and level < len(path) - 1:
                levels[level][-1][1]["colspan"] += 1
                continue
            below = 1 if level < len(path) - 1 else depth - level
            levels[level].append((position, _cell(node.text, role, 1, below)))
        previous = path
    return levels


def _grid(table: Table, value: Value) -> tuple[list[Cells], int, int, int]:
    """One band: column headings above, row headings in as many columns as they have levels."""
    (band,) = table.model.bands
    rows, columns = table.rows(band), table.columns(band)
    labels, head = _depth(rows), _depth(columns)
    above = [[cell for _, cell in level] for level in _headings(columns, head, "head")]
    above[0].insert(0, _cell(band.corner, "head", labels, head))
    body: list[Cells] = [[] for _ in rows]
    for level in _headings(rows, labels, "label"):
        for position, cell in level:
            # Headings were laid out along the leaves; beside rows, along is downwards.
            turned = cell | {"colspan": cell["rowspan"], "rowspan": cell["colspan"]}
            body[position].append(turned)
    for cells, row in zip(body, rows, strict=True):
        cells += [_value(table, row, column, value) for column in columns]
    return above + body, labels + len(columns), labels, head


def _line(table: Table, value: Value) -> tuple[list[Cells], int, int, int]:
    """One value row, with the row headings above the column headings."""
    (band,) = table.model.bands
    rows, columns = table.rows(band), table.columns(band)
    depth = _depth(rows)
    above = [
        [cell | {"colspan": cell["colspan"] * len(columns)} for _, cell in level]
        for level in _headings(rows, depth, "head")
    ]
    above.append([_cell(column.node.text, "head") for _ in rows for column in columns])
    values = [_value(table, row, column, value) for row in rows for column in columns]
    return [*above, values], len(values), 0, depth + 1


def _banded(table: Table, value: Value) -> tuple[list[Cells], int, int, int]:
    """Bands below each other, as wide as the widest; the last column takes what is left."""
    width = 1 + max(len(table.columns(band)) for band in table.model.bands)
    rows: list[Cells] = []
    for band in table.model.bands:
        columns = table.columns(band)
        last = width - len(columns)
        spans = [1] * (len(columns) - 1) + [last]
        rows.append([_cell(band.title or "", "band", width)])
        heads = zip(columns, spans, strict=True)
        rows.append(
            [_cell(band.corner, "head")] + [_cell(c.node.text, "head", s) for c, s in heads]
        )
        rows += [_band_row(table, band, row, spans, value) for row in table.rows(band)]
    return rows, width, 1, 0


def _band_row(table: Table, band: Band, row: Leaf, spans: Sequence[int], value: Value) -> Cells:
    columns = zip(table.columns(band), spans, strict=True)
    values = [_value(table, row, column, value, span) for column, span in columns]
    return [_cell(row.node.text, "label"), *values]
