"""The seal: a digest over all facts, and their row numbers packed beside it."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from reportkit.facts import Facts, facts_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def seal_of(document: Mapping[str, Any]) -> str:
    """Digest over who, when and the bytes of ``facts.json``."""
    who = f"{document['district']}/{document['year']}/{document['scope']}/"
    return hashlib.sha256(who.encode() + facts_bytes(document)).hexdigest()


def evidence_parquet(facts: Facts) -> bytes:
    """Row numbers of all facts as one parquet table: fact, row, sign (1 or -1)."""
    held = [fact for fact in facts.values() if fact.rows is not None and len(fact.rows)]
    rows = [np.asarray(fact.rows) for fact in held]
    signs = [
        np.repeat([1, -1], [len(r) - f.subtracted, f.subtracted])
        for f, r in zip(held, rows, strict=True)
    ]
    index = np.repeat(np.arange(len(held), dtype=np.int32), [len(r) for r in rows])
    names = pa.array([fact.id for fact in held], pa.string())
    table = pa.table(
        {
            "fact": pa.DictionaryArray.from_arrays(pa.array(index), names),
            "row": np.concatenate([np.empty(0, np.int64), *rows]),
            "sign": np.concatenate([np.empty(0, np.int64), *signs]).astype(np.int8),
        }
    )
    return parquet_bytes(table, numbers=["row"])


def parquet_bytes(table: pa.Table, *, numbers: Sequence[str] = ()) -> bytes:
    """A small parquet file; columns of rising *numbers* are packed as differences."""
    buffer = io.BytesIO()
    others = [name for name in table.column_names if name not in numbers]
    pq.write_table(
        table, buffer, compression="zstd", use_dictionary=others or False,
        column_encoding=dict.fromkeys(numbers, "DELTA_BINARY_PACKED"),
    )  # fmt: skip
    return buffer.getvalue()
