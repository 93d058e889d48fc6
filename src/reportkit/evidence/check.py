"""Whether a run's facts agree with its evidence; no ledger is needed."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from reportkit.evidence.digests import rows_sha256
from reportkit.facts.numerals import plain
from reportkit.paths import inside

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    Fact = Mapping[str, Any]


def check_evidence(run: Path, facts: Mapping[str, Fact]) -> list[str]:
    """What in the facts disagrees with their evidence, or has none.

    Parameters
    ----------
    run : Path
    facts : mapping
        The facts of ``facts.json`` by id.
    """
    told: list[str] = []
    ledgers = {fact["ledger"] for fact in facts.values() if fact["evidence"]}
    rowmaps = {one: inside(run, f"evidence/rowmap-{one}.parquet") for one in ledgers}
    read = {one: pq.read_metadata(path).num_rows for one, path in rowmaps.items()}
    for name, fact in facts.items():
        if fact["origin"] == "ledger":
            told += _evidence(run, fact, read)
        elif fact["origin"] == "declared" and not fact["source"]:
            told.append(f"{name} is declared without a source")
        elif fact["origin"] not in ("declared", "sum"):
            told.append(f"{name} is of origin {fact['origin']}, which no fact has")
    return told


def _evidence(run: Path, fact: Fact, read: Mapping[str, int]) -> Iterator[str]:
    name = fact["id"]
    rows = np.empty(0, dtype=np.int64)
    signs = rows
    if fact["evidence"]:
        try:
            # From bytes: opening files is most of the time for tables this small.
            content = pa.BufferReader(inside(run, fact["evidence"]).read_bytes())
            table = pq.ParquetFile(content).read(use_threads=False)
            rows = table["row"].to_numpy().astype(np.int64)
            there = "sign" in table.column_names
            signs = table["sign"].to_numpy() if there else np.ones_like(rows)
        except (OSError, pa.ArrowException, KeyError) as error:
            yield f"{name}: {fact['evidence']} cannot be read: {error}"
            return
    if len(rows) != fact["rows"] or rows_sha256(rows) != fact["rows_sha256"]:
        yield f"{name}: its evidence holds {len(rows)} rows, not the {fact['rows']} that it says"
    elif rows.size and int(rows.max()) >= read[fact["ledger"]]:
        yield f"{name}: its evidence names rows that {fact['ledger']} does not have"
    if all("measure" not in group for group in fact["where"]):
        divide = fact["where"][0].get("divide", 1) if fact["where"] else 1
        counted = plain(Decimal(int(signs.sum())) / divide)
        if counted != fact["value"]:
            yield f"{name} is {fact['value']}, its evidence counts {counted}"
