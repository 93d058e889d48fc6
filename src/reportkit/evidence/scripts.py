"""Source rows for the audit page, in scripts: all that a page opened from a folder can read.

``facts.js`` names the rows of each fact, and the script in which each part of a ledger stands. A
part is two thousand row numbers of one ledger. Parts stand in turn in the scripts ``rows-….js``,
each named after the first of its parts, as many in one as let all have room in a few scripts; to
the page a part is a mere text until one of its rows is asked for.
"""

from __future__ import annotations

import json
import re
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic_core import to_json

from reportkit.evidence.digests import cells_of
from reportkit.evidence.rows import steps
from reportkit.export.blocks import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    import numpy.typing as npt
    import pandas as pd

    from reportkit.evidence.rows import FactRows
    from reportkit.ledgers import Ledger

    Rows = npt.NDArray[np.int64]

PART = 2000
"""Row numbers in one part."""
SCRIPTS = 15
"""Most scripts that parts stand in; with the other files of the evidence they are twenty."""


def scripts(
    held: Mapping[str, FactRows], ledgers: Mapping[str, Ledger]
) -> Iterator[tuple[str, bytes]]:
    """Name and content of each script.

    Parameters
    ----------
    held : mapping of str to FactRows
        Of every fact that rests on rows, by its id.
    ledgers : mapping of str to Ledger
    """
    used = {
        key: np.unique(np.concatenate(rows))
        for key in ledgers
        if (rows := [fact_rows.rows for fact_rows in held.values() if fact_rows.ledger == key])
    }
    parts = [(key, part) for key in used for part in np.unique(used[key] // PART).tolist()]
    # Rounded up, so that there are never more scripts than that.
    length = max(1, -(-len(parts) // SCRIPTS))
    groups = [parts[start : start + length] for start in range(0, len(parts), length)]
    stands: dict[str, dict[int, str]] = {key: {} for key in used}
    for group in groups:
        for key, part in group:
            stands[key][part] = _name(*group[0])
    facts = {
        name: {"steps": steps(held[name].rows), "subtracted": held[name].subtracted}
        for name in sorted(held)
    }
    yield "facts.js", f"RK.facts({in_script({'parts': stands, 'facts': facts})});\n".encode()
    lines = chain.from_iterable(_lines(ledgers[key], rows) for key, rows in used.items())
    for group in groups:
        yield f"{_name(*group[0])}.js", "".join(islice(lines, len(group))).encode()


def _name(ledger: str, part: int) -> str:
    return f"rows-{ledger}-{part}"


def _lines(ledger: Ledger, rows: Rows) -> Iterator[str]:
    """The rows of a ledger that facts were made from, a part on each line, no personal columns.

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
        text = in_script(
            {
                "columns": list(shown),
                "files": files,
                "rows": rows[first:last].tolist(),
                "cells": [_packed(column.slice(first, last - first)) for column in columns],
            }
        )
        yield f"{_begins(ledger.key, part)}{_quoted(text)}');\n"


def _begins(ledger: str, part: int) -> str:
    return f"RK.rows({in_script(ledger)},{part},'"


def read_rows(folder: Path, ledger: str, rows: Iterable[int]) -> dict[int, dict[str, str]]:
    """The cells of rows by column, as the audit page shows them.

    Parameters
    ----------
    folder : Path
        The evidence of a run.
    ledger : str
    rows : iterable of int
    """
    wanted = set(rows)
    cells_of = {}
    index = json.loads(_between("{", (folder / "facts.js").read_text("utf-8"), "}"))
    # Names are looked up among the files that are there: who made the index may be anybody.
    files = {path.stem: path for path in folder.glob("rows-*.js")}
    for part in sorted({row // PART for row in wanted}):
        script = files[index["parts"][ledger][str(part)]].read_text("utf-8")
        line = next(text for text in script.splitlines() if text.startswith(_begins(ledger, part)))
        script_data = json.loads(re.sub(r"\\(.)", r"\1", _between("{", line, "}")))
        for at, row in enumerate(script_data["rows"]):
            if row in wanted:
                cells = [_unpacked(column, at) for column in script_data["cells"][2:]]
                cells_of[row] = dict(zip(script_data["columns"], cells, strict=True))
    return cells_of


def _between(first: str, text: str, last: str) -> str:
    return text[text.index(first) : text.rindex(last) + 1]


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
    cells = cells_of(column)
    if pa.types.is_boolean(cells.type):
        cells = pc.if_else(cells, "是", "否")
    return cells.cast(pa.string())


def in_script(value: Any) -> str:
    """JSON as it stands in a script."""
    return str(visible(to_json(value).decode())).replace("<", "\\u003c")


def _quoted(text: str) -> str:
    """A text as it stands between the quotation marks of a script."""
    return text.replace("\\", "\\\\").replace("'", "\\'")
