"""Source rows for the audit page, in scripts: all that a page opened from a folder can read.

``facts-<ledger>.js`` names the rows of each fact; ``rows-<ledger>-<part>.js`` holds the rows
themselves, once for all facts, in parts that are loaded as an auditor comes to them.
"""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic_core import to_json

from reportkit.export.blocks import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import numpy.typing as npt
    import pandas as pd

    from reportkit.ledgers import Ledger

    Rows = npt.NDArray[np.int64]

PART = 2000
"""Row numbers in one part."""


def write_facts(folder: Path, ledger: str, held: Mapping[str, tuple[Rows, int]]) -> None:
    """Write which rows of a ledger each fact was made from.

    Parameters
    ----------
    folder : Path
    ledger : str
    held : mapping
        Of a fact's id to its rows and how many of them, the last ones, are taken away.
    """
    found = {
        name: {"steps": np.diff(rows, prepend=0).tolist(), "subtracted": subtracted}
        for name, (rows, subtracted) in held.items()
    }
    script = f"RK.facts({_js(ledger)}, {_js(found)});\n"
    (folder / f"facts-{ledger}.js").write_text(script, encoding="utf-8")


def write_rows(folder: Path, ledger: Ledger, rows: Rows) -> None:
    """Write the rows of a ledger that facts were made from, without personal columns.

    A part holds its rows column by column: each column as its values and, where these repeat,
    which of them stands in each row. The first two columns are the file (its number) and the line.
    """
    # Pseudonyms are for the analyst: a document has the same bytes under any key.
    personal = [column.name for column in ledger.schema.columns if column.personal]
    places = ledger.frame.index.get_indexer(rows)
    cells = {
        name: _texts(column).take(places)
        for name, column in ledger.frame.items()
        if name not in personal
    }
    shown = {name: column for name, column in cells.items() if column.null_count < len(rows)}
    columns = [pa.array(ledger.source_of[rows]), _places(ledger, rows)]
    columns += [pc.fill_null(column, "") for column in shown.values()]
    files = [source.path for source in ledger.sources]
    for part in np.unique(rows // PART).tolist():
        first, last = np.searchsorted(rows, [part * PART, (part + 1) * PART]).tolist()
        found = {
            "columns": list(shown),
            "files": files,
            "rows": rows[first:last].tolist(),
            "cells": [_packed(column.slice(first, last - first)) for column in columns],
        }
        script = f"RK.rows({_js(ledger.key)}, {part}, {_js(found)});\n"
        (folder / f"rows-{ledger.key}-{part}.js").write_text(script, encoding="utf-8")


def read_rows(folder: Path, ledger: str, rows: Iterable[int]) -> dict[int, dict[str, str]]:
    """The cells of rows by column, as the audit page shows them.

    Parameters
    ----------
    folder : Path
        The evidence of a run.
    ledger : str
    rows : iterable of int
    """
    found = {}
    for part, wanted in groupby(sorted(rows), key=lambda row: row // PART):
        script = (folder / f"rows-{ledger}-{part}.js").read_text(encoding="utf-8")
        held = json.loads(script[script.index("{") : script.rindex("}") + 1])
        place = {row: at for at, row in enumerate(held["rows"])}
        for row in wanted:
            cells = [_unpacked(column, place[row]) for column in held["cells"][2:]]
            found[row] = dict(zip(held["columns"], cells, strict=True))
    return found


def _packed(column: pa.Array) -> list[list[Any]]:
    """The values of a column; or its different values, and for each row which of them it is."""
    encoded = column.dictionary_encode()
    if 2 * len(encoded.dictionary) > len(column):
        return [column.to_pylist()]
    return [encoded.dictionary.to_pylist(), encoded.indices.to_pylist()]


def _unpacked(column: list[list[Any]], at: int) -> Any:
    return column[0][column[1][at] if len(column) == 2 else at]


def _places(ledger: Ledger, rows: Rows) -> pa.Array:
    lines = pa.array(ledger.line_of[rows]).cast(pa.string())
    sheets = pa.array([f"{source.sheet}!" if source.sheet else "" for source in ledger.sources])
    return pc.binary_join_element_wise(sheets.take(pa.array(ledger.source_of[rows])), lines, "")


def _texts(column: pd.Series) -> pa.Array:
    cells = pa.array(column, from_pandas=True)
    if isinstance(cells, pa.ChunkedArray):
        cells = cells.combine_chunks()
    if pa.types.is_timestamp(cells.type):
        cells = cells.cast(pa.date32())
    elif pa.types.is_boolean(cells.type):
        cells = pc.if_else(cells, "是", "否")
    return cells.cast(pa.string())


def _js(value: Any) -> str:
    return str(visible(to_json(value).decode())).replace("<", "\\u003c")
