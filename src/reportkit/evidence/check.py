"""Check of a run's facts against its evidence; no ledger is needed."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from reportkit.evidence.paths import inside
from reportkit.evidence.read import count_records, read_facts
from reportkit.evidence.rows import FactRows
from reportkit.facts import rows_sha256
from reportkit.facts.fact import EVIDENCE
from reportkit.facts.numerals import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    Fact = Mapping[str, Any]


def check_evidence(run: Path, facts: Mapping[str, Fact]) -> list[str]:
    """List the facts that disagree with their evidence, or have none.

    Parameters
    ----------
    run : Path
    facts : mapping
        The facts of ``facts.json`` by id.

    Raises
    ------
    ReportkitError
        ``evidence-unreadable``.
    """
    rows, read = read_facts(run), count_records(run)
    problems = [
        f"the evidence holds rows of {name}, which is no fact" for name in rows.keys() - facts
    ]
    for name, fact in facts.items():
        if fact["evidence"] not in (None, EVIDENCE):
            place = inside(run, fact["evidence"]).relative_to(run)
            problems.append(f"{name} names {place} as its evidence, where no rows of facts are")
        if fact["origin"] == "ledger":
            none = FactRows(fact["ledger"], np.empty(0, np.int64))
            problems += _evidence(fact, rows.get(name, none), read)
        elif fact["origin"] == "declared" and not fact["source"]:
            problems.append(f"{name} is declared without a source")
        elif fact["origin"] not in ("declared", "sum"):
            problems.append(f"{name} is of origin {fact['origin']}, which no fact has")
    return problems


def _evidence(fact: Fact, evidence: FactRows, read: Mapping[str, int]) -> Iterator[str]:
    name, rows = fact["id"], evidence.rows
    if evidence.ledger != fact["ledger"]:
        yield f"{name}: its evidence is of {evidence.ledger}, not of {fact['ledger']}"
    elif len(rows) != fact["rows"] or rows_sha256(rows) != fact["rows_sha256"]:
        yield f"{name}: its evidence holds {len(rows)} rows, not the {fact['rows']} that it says"
    elif rows.size and int(rows.max()) >= read.get(fact["ledger"], 0):
        yield f"{name}: its evidence names rows that {fact['ledger']} does not have"
    # A fact that only counts is the sum of its signs; of others the rows do not give the value.
    if all("measure" not in group for group in fact["where"]):
        divide = fact["where"][0].get("divide", 1) if fact["where"] else 1
        counted = plain(Decimal(int(evidence.signs.sum())) / divide)
        if counted != fact["value"]:
            yield f"{name} is {fact['value']}, its evidence counts {counted}"
