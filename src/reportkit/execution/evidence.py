"""Evidence files of a run: which rows each fact was made from, and where these rows stand."""

from __future__ import annotations

import base64
import difflib
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from reportkit.errors import ExecutionError, InputError
from reportkit.facts import rows_sha256
from reportkit.proof.rows import read_record, row_digests
from reportkit.sealing import parquet_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from reportkit.blocks import Block
    from reportkit.ledgers import Ledger, Ledgers

# The audit page shows this many rows of a fact; the parquet file beside it holds all of them.
SHOWN_ROWS = 200


def write_evidence(seal: Block, ledgers: Ledgers, folder: Path) -> None:
    """Write the evidence that a sealed notebook holds, with the places of its rows.

    ``<fact>.parquet`` holds row numbers (with sign where rows are subtracted), ``<fact>.js`` the
    first rows for the audit page, ``rowmap-<ledger>.parquet`` the file and line of each row, with
    the record's key and a digest of it (keyed where there is a privacy key);
    ``violations.parquet`` and ``quarantine.parquet`` what was told and what was not counted.

    Raises
    ------
    ExecutionError
        ``evidence-wrong``: rows and facts of the seal disagree, or the ledgers have changed.
    """
    folder.mkdir()
    table = pq.read_table(io.BytesIO(base64.b64decode(seal["evidence"])))
    for fact in seal["facts"]["facts"]:
        if not fact["rows"]:
            continue
        own = table.filter(pc.equal(table["fact"], fact["id"]))
        rows, signs = own["row"].to_numpy(), own["sign"].to_numpy()
        ledger = ledgers.get(fact["ledger"])
        if ledger is None or rows_sha256(rows) != fact["rows_sha256"] or rows.max() >= ledger.read:
            message = f"the rows of {fact['id']} are not those that its value was made from"
            raise ExecutionError("evidence-wrong", message, fact=fact["id"])
        columns = {"row": rows} | ({"sign": signs} if (signs < 0).any() else {})
        packed = parquet_bytes(pa.table(columns), numbers=["row"])
        (folder / f"{fact['id']}.parquet").write_bytes(packed)
        (folder / f"{fact['id']}.js").write_text(_page(fact["id"], rows, ledger), encoding="utf-8")
    told = [vars(violation) for ledger in ledgers.values() for violation in ledger.violations]
    refused = [
        one | {"cells": json.dumps(one["cells"], ensure_ascii=False)}
        for ledger in ledgers.values()
        for one in ledger.refused
    ]
    for name, found in (("violations", told), ("quarantine", refused)):
        if found:
            packed = parquet_bytes(pa.Table.from_pylist(found))
            (folder / f"{name}.parquet").write_bytes(packed)
    for key, ledger in ledgers.items():
        packed = _rowmap(ledger, None if ledgers.pseudonyms.of_session else ledgers.pseudonyms.key)
        (folder / f"rowmap-{key}.parquet").write_bytes(packed)


def explain(run: Path, name: str) -> dict[str, Any]:
    """One fact of a run, with file and place of each of its rows.

    Raises
    ------
    InputError
        ``run-missing`` or ``fact-unknown`` with the nearest ids.
    """
    path = run / "facts.json"
    if not path.is_file():
        raise InputError("run-missing", f"{run} is no run: it has no facts.json")
    facts = {fact["id"]: fact for fact in json.loads(path.read_text(encoding="utf-8"))["facts"]}
    if name not in facts:
        near = difflib.get_close_matches(name, facts, n=3, cutoff=0.5)
        raise InputError("fact-unknown", f"no fact '{name}'; nearest: {', '.join(near) or 'none'}")
    fact = dict(facts[name])
    places: list[dict[str, Any]] = []
    if fact["evidence"]:
        rows = pq.read_table(run / fact["evidence"]).to_pandas()
        rowmap = pq.read_table(run / f"evidence/rowmap-{fact['ledger']}.parquet").to_pandas()
        for row in rowmap.loc[rows["row"]].itertuples():
            place = f"{row.sheet}!{row.line}" if row.sheet else str(row.line)
            places.append({"row": int(row.row), "file": row.file, "place": place})
    return fact | {"source_rows": places}


def _rowmap(ledger: Ledger, key: bytes | None) -> bytes:
    files = [source.path for source in ledger.sources]
    sheets = [source.sheet or "" for source in ledger.sources]
    index = ledger.source_of.astype(np.int64)
    accepted = pa.array(ledger.frame.index.to_numpy(np.int64))
    # What was not accepted has neither key nor digest.
    place = pc.index_in(pa.array(np.arange(ledger.read, dtype=np.int64)), value_set=accepted)
    record = read_record(ledger.frame, ledger.schema)
    table = pa.table(
        {
            "row": np.arange(ledger.read, dtype=np.int64),
            "file": pa.DictionaryArray.from_arrays(pa.array(index, pa.int32()), pa.array(files)),
            "sheet": pa.DictionaryArray.from_arrays(
                pa.array(index, pa.int32()), pa.array(sheets, pa.string())
            ),
            "line": ledger.line_of.astype(np.int64),
            "key": record.column(0).combine_chunks().take(place),
            "digest": row_digests(record, key).take(place),
        }
    )
    return parquet_bytes(table, numbers=["row", "line"])


def _page(name: str, rows: Any, ledger: Ledger) -> str:
    """A script that hands the first rows of a fact to the audit page, also from file://."""
    first = rows[:SHOWN_ROWS]
    shown = ledger.frame.loc[first]
    # Pseudonyms are for the analyst: a document has the same bytes under any key.
    left = {column.name for column in ledger.schema.columns if column.personal}
    left |= {name for name in shown.columns if shown[name].isna().all()}
    shown = shown.drop(columns=[name for name in shown.columns if name in left])
    cells = [[_cell(value) for value in row] for row in shown.itertuples(index=False)]
    listed = [
        [int(ledger.source_of[row]), ledger.place(row)[1], values]
        for row, values in zip(first, cells, strict=True)
    ]
    data = {
        "columns": list(shown.columns),
        "files": [source.path for source in ledger.sources],
        "total": len(rows),
        "rows": listed,
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return f"RK.rows({json.dumps(name)}, {text});\n"


def _cell(value: Any) -> str:
    if pd.isna(value):
        return ""
    if isinstance(value, pd.Timestamp):
        return str(value.date())
    if isinstance(value, bool | np.bool_):
        return "是" if value else "否"
    return str(value)
