"""The evidence of a run, read back; no ledger is needed."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from reportkit.errors import ReportkitError
from reportkit.evidence.paths import inside
from reportkit.evidence.rows import FactRows
from reportkit.language import Message

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def read_facts(run: Path) -> dict[str, FactRows]:
    """The rows of every fact that rests on some, by its id.

    Raises
    ------
    ReportkitError
        ``evidence-unreadable``: the file is not there, or not as it was written.
    """
    table = _read(run, "facts", ("fact", "ledger", "row", "sign"))
    facts = table["fact"].cast(pa.string()).combine_chunks().dictionary_encode()
    codes = facts.indices.to_numpy()
    rows, signs = table["row"].to_numpy().astype(np.int64), table["sign"].to_numpy()
    if rows.size and rows.min() < 0:
        raise _unreadable(run, "facts", Message("{rows} is no row", rows=rows.min()))
    # Each fact's rows stand together, in their order.
    starts = np.flatnonzero(np.diff(codes, prepend=-1)).tolist()
    ledgers = table["ledger"].take(pa.array(starts, pa.int64())).to_pylist()
    return {
        facts.dictionary[codes[start]].as_py(): FactRows(
            ledger, rows[start:end], int((signs[start:end] < 0).sum())
        )
        for ledger, (start, end) in zip(ledgers, pairwise([*starts, len(codes)]), strict=True)
    }


def read_records(run: Path, ledger: str) -> pa.Table:
    """File, sheet, line, key and digest of every row of a ledger, in the order of their numbers.

    Raises
    ------
    ReportkitError
        ``evidence-unreadable``.
    """
    columns = ("row", "file", "sheet", "line", "key", "digest")
    return _read(run, "records", columns, filters=[("ledger", "=", ledger)])


def count_records(run: Path) -> dict[str, int]:
    """Count the rows of each ledger that were read.

    Raises
    ------
    ReportkitError
        ``evidence-unreadable``.
    """
    ledgers = _read(run, "records", ("ledger",), columns=["ledger"])["ledger"]
    counted = ledgers.cast(pa.string()).value_counts()
    return {count["values"]: count["counts"] for count in counted.to_pylist()}


def read_source_rows(run: Path, fact: Mapping[str, Any]) -> pa.Table:
    """Read the places of the rows behind one fact of ``facts.json``, in order, each with its sign.

    Raises
    ------
    ReportkitError
        ``evidence-unreadable``.
    """
    evidence = read_facts(run).get(fact["id"]) or FactRows(fact["ledger"], np.empty(0, np.int64))
    records = read_records(run, evidence.ledger)
    if evidence.rows.size and int(evidence.rows.max()) >= records.num_rows:
        raise _unreadable(
            run,
            "records",
            Message(
                "it has no row {rows} of {ledger}", rows=evidence.rows.max(), ledger=evidence.ledger
            ),
        )
    return records.take(evidence.rows).append_column("sign", pa.array(evidence.signs))


def read_shared(run: Path) -> list[tuple[str, str]]:
    """Fact and key of each record of a roll-up that counts once where several members have it.

    Raises
    ------
    ReportkitError
        ``evidence-unreadable``.
    """
    table = _read(run, "shared", ("fact", "key"))
    return list(zip(table["fact"].to_pylist(), table["key"].to_pylist(), strict=True))


def read_members(run: Path) -> pa.Table:
    """Fact, member and value of every figure that a roll-up adds.

    Raises
    ------
    ReportkitError
        ``evidence-unreadable``.
    """
    return _read(run, "members", ("fact", "member", "value"))


def read_refused(run: Path) -> dict[str, list[int]]:
    """Numbers of the rows that were not accepted, by ledger."""
    refused: dict[str, list[int]] = {}
    if (run / "evidence/quarantine.parquet").is_file():
        for row in _read(run, "quarantine", ("ledger", "row")).to_pylist():
            refused.setdefault(row["ledger"], []).append(int(row["row"]))
    return refused


def _read(run: Path, name: str, wanted: tuple[str, ...], **options: Any) -> pa.Table:
    try:
        table = pq.read_table(inside(run, f"evidence/{name}.parquet"), **options)
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(run, name, error) from None
    if missing := sorted(set(wanted) - set(table.column_names)):
        raise _unreadable(
            run, name, Message("it has no column {missing}", missing=", ".join(missing))
        )
    return table.select(wanted)


def _unreadable(run: Path, name: str, problem: object) -> ReportkitError:
    return ReportkitError(
        "evidence-unreadable",
        "{run}/evidence/{name}.parquet is not as this version writes it: {problem}",
        run=run,
        name=name,
        problem=problem,
    )
