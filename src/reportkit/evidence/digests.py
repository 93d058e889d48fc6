"""Digests of single records, by which a changed line of a ledger is found.

A digest is over what may be known: columns of persons and free text are left out. With a privacy
key it is keyed all the same, since who knows all but one column of a record could guess that one.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    import pandas as pd

    from reportkit.ledgers.schema import LedgerSchema

_OPEN = b"reportkit row digest, not keyed"


def record_columns(schema: LedgerSchema) -> list[str]:
    """Columns of a ledger that a record's digest covers, its key first."""
    return [c.name for c in schema.columns if not (c.personal or c.free_text)]


def read_record(frame: pd.DataFrame, schema: LedgerSchema) -> pa.Table:
    """The covered columns of accepted records as text: days as ISO, amounts with six decimals."""
    return pa.table(
        {name: cells_of(frame[name]).cast(pa.string()) for name in record_columns(schema)}
    )


def cells_of(column: pd.Series) -> pa.Array:
    """The cells of a column in one piece, days without a time."""
    cells = pa.array(column, from_pandas=True)
    if isinstance(cells, pa.ChunkedArray):
        cells = cells.combine_chunks()
    return cells.cast(pa.date32()) if pa.types.is_timestamp(cells.type) else cells


def row_digests(record: pa.Table, key: bytes | None) -> pa.Array:
    """BLAKE2b of each record, keyed, of 16 bytes: cells joined by U+001F, empty ones empty.

    Source: RFC 7693; a MAC as it stands, and twice as fast as HMAC over so short a text.

    Parameters
    ----------
    record : pyarrow.Table
        Text columns, as `read_record` gives them.
    key : bytes or None
        The privacy key; without one a constant that everybody knows.
    """
    if not record.num_rows:
        return pa.array([], pa.binary(16))
    columns = [column.combine_chunks() for column in record.columns]
    filled = [pc.fill_null(column, "") for column in columns]
    joined = pc.binary_join_element_wise(*filled, "\x1f").cast(pa.binary())
    # BLAKE2b takes keys of 64 bytes at most; a longer one counts by its digest.
    own = _OPEN if key is None else key if len(key) <= 64 else hashlib.blake2b(key).digest()
    return pa.array(
        [hashlib.blake2b(text, key=own, digest_size=16).digest() for text in joined.to_pylist()],
        pa.binary(16),
    )
