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
from reportkit.language import Message

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
    return list(_problems(run, facts))


def _problems(run: Path, facts: Mapping[str, Fact]) -> Iterator[str]:
    rows, read = read_facts(run), count_records(run)
    for name in rows.keys() - facts:
        yield Message("the evidence holds rows of {name}, which is no fact", name=name)
    for name, fact in facts.items():
        if fact["evidence"] not in (None, EVIDENCE):
            place = inside(run, fact["evidence"]).relative_to(run)
            yield Message(
                "{name} names {place} as its evidence, where no rows of facts are",
                name=name,
                place=place,
            )
        if fact["origin"] == "ledger":
            none = FactRows(fact["ledger"], np.empty(0, np.int64))
            yield from _evidence(fact, rows.get(name, none), read)
        elif fact["origin"] == "declared" and not fact["source"]:
            yield Message("{name} is declared without a source", name=name)
        elif fact["origin"] not in ("declared", "sum"):
            yield Message(
                "{name} is of origin {origin}, which no fact has",
                name=name,
                origin=fact["origin"],
            )


def _evidence(fact: Fact, evidence: FactRows, read: Mapping[str, int]) -> Iterator[str]:
    name, rows = fact["id"], evidence.rows
    if evidence.ledger != fact["ledger"]:
        yield Message(
            "{name}: its evidence is of {found}, not of {ledger}",
            name=name,
            found=evidence.ledger,
            ledger=fact["ledger"],
        )
    elif len(rows) != fact["rows"] or rows_sha256(rows) != fact["rows_sha256"]:
        yield Message(
            "{name}: its evidence holds {found} rows, not the {rows} that it says",
            name=name,
            found=len(rows),
            rows=fact["rows"],
        )
    elif rows.size and int(rows.max()) >= read.get(fact["ledger"], 0):
        yield Message(
            "{name}: its evidence names rows that {ledger} does not have",
            name=name,
            ledger=fact["ledger"],
        )
    # A fact that only counts is the sum of its signs; of others the rows do not give the value.
    if all("measure" not in group for group in fact["where"]):
        divide = fact["where"][0].get("divide", 1) if fact["where"] else 1
        counted = plain(Decimal(int(evidence.signs.sum())) / divide)
        if counted != fact["value"]:
            yield Message(
                "{name} is {value}, its evidence counts {counted}",
                name=name,
                value=fact["value"],
                counted=counted,
            )
