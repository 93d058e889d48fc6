"""Source rows for the audit page, in scripts: all that a page opened from a folder can read.

``<fact>.js`` names the rows of a fact; ``rows-<ledger>-<part>.js`` holds the rows themselves, once
for all facts, in parts that are loaded as an auditor comes to them.
"""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reportkit.blocks import visible

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import numpy.typing as npt

    from reportkit.ledgers import Ledger

PART = 500
"""Row numbers in one part."""


def write_fact(
    folder: Path, name: str, ledger: str, rows: npt.NDArray[np.int64], subtracted: int
) -> None:
    """Write which rows a fact was made from; the last *subtracted* ones are taken away."""
    steps = np.diff(rows, prepend=0).tolist()
    found = {"ledger": ledger, "steps": steps, "subtracted": subtracted}
    (folder / f"{name}.js").write_text(f"RK.fact({_js(name)}, {_js(found)});\n", encoding="utf-8")


def write_rows(folder: Path, ledger: Ledger, rows: npt.NDArray[np.int64]) -> None:
    """Write the rows of a ledger that facts were made from, without personal columns."""
    # Pseudonyms are for the analyst: a document has the same bytes under any key.
    personal = [column.name for column in ledger.schema.columns if column.personal]
    shown = ledger.frame.loc[rows].drop(columns=personal, errors="ignore").dropna(axis=1, how="all")
    cells = list(zip(*(_texts(shown[name]) for name in shown.columns), strict=True))
    files = [source.path for source in ledger.sources]
    for part in np.unique(rows // PART).tolist():
        first, last = np.searchsorted(rows, [part * PART, (part + 1) * PART])
        held = {
            int(row): [int(ledger.source_of[row]), ledger.place(row)[1], *cells[at]]
            for at, row in enumerate(rows[first:last], int(first))
        }
        found = {"columns": list(shown.columns), "files": files, "rows": held}
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
        for row in wanted:
            cells = held["rows"][str(row)][2:]
            found[row] = dict(zip(held["columns"], cells, strict=True))
    return found


def _texts(column: Any) -> list[str]:
    if pd.api.types.is_datetime64_any_dtype(column):
        column = column.dt.strftime("%Y-%m-%d")
    elif pd.api.types.is_bool_dtype(column):
        column = column.map({True: "是", False: "否"})
    return ["" if pd.isna(value) else str(value) for value in column]


def _js(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return str(visible(text)).replace("<", "\\u003c")
