"""The evidence files of a run: which rows each fact was made from, and where these rows stand."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from reportkit.evidence.digests import read_record, row_digests
from reportkit.evidence.scripts import scripts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from reportkit.evidence.rows import FactRows
    from reportkit.ledgers import Ledger


# Of a roll-up, which reads no ledger.
_NO_RECORDS = pa.schema(
    [
        ("ledger", pa.dictionary(pa.int32(), pa.string())),
        ("row", pa.int64()),
        ("file", pa.dictionary(pa.int32(), pa.string())),
        ("sheet", pa.dictionary(pa.int32(), pa.string())),
        ("line", pa.int64()),
        ("key", pa.string()),
        ("digest", pa.string()),
    ]
).empty_table()


def write_evidence(
    folder: Path, held: Mapping[str, FactRows], ledgers: Mapping[str, Ledger], *, key: bytes | None
) -> None:
    """Write the files of `evidence_files` into a new folder."""
    folder.mkdir()
    for name, content in evidence_files(held, ledgers, key=key):
        (folder / name).write_bytes(content)


def evidence_files(
    held: Mapping[str, FactRows], ledgers: Mapping[str, Ledger], *, key: bytes | None
) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file of the evidence: the same bytes for the same report.

    Parameters
    ----------
    held : mapping of str to FactRows
        Of every fact that rests on rows, by its id.
    ledgers : mapping of str to Ledger
        All that were read.
    key : bytes or None
        The privacy key, where the digests of records are keyed.
    """
    yield "facts.parquet", _facts({name: held[name] for name in sorted(held)})
    places = [_places(ledger, key) for ledger in ledgers.values()] or [_NO_RECORDS]
    repeated = ["ledger", "file", "sheet"]
    yield "records.parquet", parquet(places, repeated=repeated, rising=["row", "line"])
    violations = [vars(violation) for ledger in ledgers.values() for violation in ledger.violations]
    refused = [
        row | {"cells": json.dumps(row["cells"], ensure_ascii=False)}
        for ledger in ledgers.values()
        for row in ledger.refused
    ]
    for name, rows in (("violations", violations), ("quarantine", refused)):
        if rows:
            yield f"{name}.parquet", parquet([pa.Table.from_pylist(rows)], repeated=True)
    yield from scripts(held, ledgers)


def _facts(held: Mapping[str, FactRows]) -> bytes:
    """Rows of all facts: fact, ledger, row, sign."""
    lengths = [len(fact_rows.rows) for fact_rows in held.values()]
    numbers = pa.array(np.repeat(np.arange(len(held), dtype=np.int32), lengths))
    fact = _named(list(held), numbers)
    ledger = _named([fact_rows.ledger for fact_rows in held.values()], numbers)
    rows = np.concatenate([np.empty(0, np.int64), *(fact_rows.rows for fact_rows in held.values())])
    signs = np.concatenate(
        [np.empty(0, np.int8), *(fact_rows.signs for fact_rows in held.values())]
    )
    table = pa.table({"fact": fact, "ledger": ledger, "row": rows, "sign": signs})
    return parquet([table], repeated=["fact", "ledger", "sign"], rising=["row"])


def _named(names: list[str], numbers: pa.Array) -> pa.Array:
    """The name of each number; a dictionary with a name twice is written with stray memory."""
    return pa.array(names, pa.string()).take(numbers).dictionary_encode()


def _places(ledger: Ledger, key: bytes | None) -> pa.Table:
    """File and line of every row of a ledger that was read; key and digest of those accepted."""
    source = pa.array(ledger.source_of.astype(np.int32))
    rows = np.arange(ledger.read, dtype=np.int64)
    accepted = pa.array(ledger.frame.index.to_numpy(np.int64))
    place = pc.index_in(pa.array(rows), value_set=accepted)
    record = read_record(ledger.frame, ledger.schema)
    return pa.table(
        {
            "ledger": pa.DictionaryArray.from_arrays(np.zeros(len(rows), np.int32), [ledger.key]),
            "row": rows,
            "file": _named([source.path for source in ledger.sources], source),
            "sheet": _named([source.sheet or "" for source in ledger.sources], source),
            "line": ledger.line_of.astype(np.int64),
            "key": record.column(0).combine_chunks().take(place),
            "digest": row_digests(record, key).take(place),
        }
    )


def parquet(
    tables: Sequence[pa.Table], *, repeated: Sequence[str] | bool, rising: Sequence[str] = ()
) -> bytes:
    """A parquet file with a row group for each table.

    Parameters
    ----------
    tables : sequence of pyarrow.Table
        All of the same columns.
    repeated, rising : sequence of str
        Columns whose values repeat, and columns of numbers that rise: packed as differences.
    """
    buffer = io.BytesIO()
    with pq.ParquetWriter(
        buffer,
        tables[0].schema,
        compression="zstd",
        use_dictionary=repeated,
        column_encoding=dict.fromkeys(rising, "DELTA_BINARY_PACKED") or None,
    ) as writer:
        for table in tables:
            writer.write_table(table, row_group_size=max(1, table.num_rows))
    return buffer.getvalue()
