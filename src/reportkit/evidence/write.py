"""Evidence files of a run: which rows each fact was made from, and where these rows stand."""

from __future__ import annotations

import base64
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from reportkit.errors import ExecutionError
from reportkit.evidence.digests import read_record, row_digests
from reportkit.evidence.scripts import write_facts, write_rows
from reportkit.evidence.seal import parquet_bytes
from reportkit.facts import rows_sha256

if TYPE_CHECKING:
    from pathlib import Path

    from reportkit.export.blocks import Block
    from reportkit.ledgers import Ledger, Ledgers


def write_evidence(seal: Block, ledgers: Ledgers, folder: Path) -> None:
    """Write the evidence that a sealed notebook holds, with the places of its rows.

    ``<fact>.parquet`` holds row numbers (with sign where rows are subtracted), scripts beside
    them the same for the audit page, ``rowmap-<ledger>.parquet`` the file and line of each row,
    with the record's key and a digest of it (keyed where there is a privacy key);
    ``violations.parquet`` and ``quarantine.parquet`` what was told and what was not counted.

    Raises
    ------
    ExecutionError
        ``evidence-wrong``: rows and facts of the seal disagree, or the ledgers have changed.
    """
    folder.mkdir()
    held = rows_of_facts(pq.read_table(io.BytesIO(base64.b64decode(seal["evidence"]))))
    used: dict[str, dict[str, tuple[Any, int]]] = {}
    for fact in seal["facts"]["facts"]:
        if not fact["rows"]:
            continue
        rows, signs = held.get(fact["id"], (np.empty(0, np.int64),) * 2)
        ledger = ledgers.get(fact["ledger"])
        if ledger is None or rows_sha256(rows) != fact["rows_sha256"] or rows.max() >= ledger.read:
            message = f"the rows of {fact['id']} are not those that its value was made from"
            raise ExecutionError("evidence-wrong", message, fact=fact["id"])
        columns = {"row": rows} | ({"sign": signs} if (signs < 0).any() else {})
        packed = parquet_bytes(pa.table(columns), numbers=["row"])
        (folder / f"{fact['id']}.parquet").write_bytes(packed)
        used.setdefault(ledger.key, {})[fact["id"]] = rows, int((signs < 0).sum())
    for key, found in used.items():
        write_facts(folder, key, found)
        every = np.concatenate([rows for rows, _ in found.values()])
        write_rows(folder, ledgers[key], np.unique(every))
    told = [vars(violation) for ledger in ledgers.values() for violation in ledger.violations]
    refused = [
        one | {"cells": json.dumps(one["cells"], ensure_ascii=False)}
        for ledger in ledgers.values()
        for one in ledger.refused
    ]
    for name, table in (("violations", told), ("quarantine", refused)):
        if table:
            packed = parquet_bytes(pa.Table.from_pylist(table))
            (folder / f"{name}.parquet").write_bytes(packed)
    for key, ledger in ledgers.items():
        packed = _rowmap(ledger, None if ledgers.pseudonyms.of_session else ledgers.pseudonyms.key)
        (folder / f"rowmap-{key}.parquet").write_bytes(packed)


def rows_of_facts(table: pa.Table) -> dict[str, tuple[Any, Any]]:
    """Rows and signs by fact, in the order in which they stand."""
    facts = table["fact"].combine_chunks().dictionary_encode()
    rows, signs = table["row"].to_numpy(), table["sign"].to_numpy()
    order = np.argsort(facts.indices.to_numpy(), kind="stable")
    ends = np.cumsum(np.bincount(facts.indices.to_numpy(), minlength=len(facts.dictionary)))
    parts = np.split(order, ends)
    names = facts.dictionary.to_pylist()
    return {name: (rows[part], signs[part]) for name, part in zip(names, parts[:-1], strict=True)}


def _rowmap(ledger: Ledger, key: bytes | None) -> bytes:
    files = [source.path for source in ledger.sources]
    sheets = [source.sheet or "" for source in ledger.sources]
    index = pa.array(ledger.source_of.astype(np.int64))
    accepted = pa.array(ledger.frame.index.to_numpy(np.int64))
    # What was not accepted has neither key nor digest.
    place = pc.index_in(pa.array(np.arange(ledger.read, dtype=np.int64)), value_set=accepted)
    record = read_record(ledger.frame, ledger.schema)
    table = pa.table(
        {
            "row": np.arange(ledger.read, dtype=np.int64),
            # Sheets of one file share its name, and a dictionary with a value twice is written with
            # bytes of the memory behind it.
            "file": pa.array(files, pa.string()).take(index).dictionary_encode(),
            "sheet": pa.array(sheets, pa.string()).take(index).dictionary_encode(),
            "line": ledger.line_of.astype(np.int64),
            "key": record.column(0).combine_chunks().take(place),
            "digest": row_digests(record, key).take(place),
        }
    )
    return parquet_bytes(table, numbers=["row", "line"])
