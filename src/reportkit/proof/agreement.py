"""Whether a run's facts agree with its evidence and with each other; no ledger is needed."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from reportkit.facts import plain, rows_sha256

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    Fact = Mapping[str, Any]


def check_agreement(run: Path, facts: Mapping[str, Fact]) -> tuple[list[str], list[str]]:
    """What in the facts disagrees, and what could not be told.

    Parameters
    ----------
    run : Path
    facts : mapping
        The facts of ``facts.json`` by id.

    Returns
    -------
    tuple of list of str
        Findings, each with its fact; and facts whose value nothing here can show.
    """
    told: list[str] = []
    untold: list[str] = []
    for name, fact in facts.items():
        if fact["origin"] == "ledger":
            told += _evidence(run, fact)
        elif fact["origin"] == "declared":
            told += [] if fact["source"] else [f"{name} is declared without a source"]
        elif fact["origin"] == "sum" and _is_total(fact):
            told += _total(fact, facts)
        else:
            untold.append(f"{name} was not computed again: {fact['definition']}")
    return told, untold


def _is_total(fact: Fact) -> bool:
    """Whether a fact is a plain total; shares and changes say otherwise."""
    parts = fact["sum_of"]
    return fact["definition"] in (" + ".join(parts), f"{len(parts)}项之和")


def _total(fact: Fact, facts: Mapping[str, Fact]) -> Iterator[str]:
    missing = [part for part in fact["sum_of"] if part not in facts]
    if missing:
        yield f"{fact['id']} adds up {'、'.join(missing)}, which is not there"
        return
    parts = [facts[part]["value"] for part in fact["sum_of"]]
    if not all(map(_is_number, parts)):
        return  # a figure that is still to be filled in; its text says so
    total = sum(map(Decimal, parts), Decimal(0))
    if plain(total) != fact["value"]:
        yield f"{fact['id']} is {fact['value']}, its parts add up to {plain(total)}"


def moved_totals(facts: Mapping[str, Fact], values: Mapping[str, str]) -> dict[str, str]:
    """Totals that come out otherwise when facts have other values, and what they come to.

    Parameters
    ----------
    facts : mapping
        The facts of ``facts.json`` by id.
    values : mapping of str to str
        What facts from ledgers come to when counted again.
    """
    known = {name: fact["value"] for name, fact in facts.items()} | dict(values)
    totals = [fact for fact in facts.values() if fact["origin"] == "sum" and _is_total(fact)]
    for _ in totals:  # a total may add up totals
        before = dict(known)
        for fact in totals:
            parts = [known.get(part, "") for part in fact["sum_of"]]
            if all(_is_number(part) for part in parts):
                known[fact["id"]] = plain(sum(map(Decimal, parts), Decimal(0)))
        if known == before:
            break
    return {
        fact["id"]: f"{fact['value']} in the run, its parts come to {known[fact['id']]}"
        for fact in totals
        if known[fact["id"]] != fact["value"]
    }


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def _evidence(run: Path, fact: Fact) -> Iterator[str]:
    name = fact["id"]
    rows = np.empty(0, dtype=np.int64)
    signs = rows
    if fact["evidence"]:
        try:
            table = pq.read_table(run / fact["evidence"])
            rows = table["row"].to_numpy().astype(np.int64)
            there = "sign" in table.column_names
            signs = table["sign"].to_numpy() if there else np.ones_like(rows)
        except (OSError, pa.ArrowException, KeyError) as error:
            yield f"{name}: {fact['evidence']} cannot be read: {error}"
            return
    if len(rows) != fact["rows"] or rows_sha256(rows) != fact["rows_sha256"]:
        yield f"{name}: its evidence holds {len(rows)} rows, not the {fact['rows']} that it says"
    elif rows.size and int(rows.max()) >= _read(run, fact["ledger"]):
        yield f"{name}: its evidence names rows that {fact['ledger']} does not have"
    if all("measure" not in group for group in fact["where"]):
        divide = fact["where"][0].get("divide", 1) if fact["where"] else 1
        counted = plain(Decimal(int(signs.sum())) / divide)
        if counted != fact["value"]:
            yield f"{name} is {fact['value']}, its evidence counts {counted}"


def _read(run: Path, ledger: str) -> int:
    rows: int = pq.read_metadata(run / f"evidence/rowmap-{ledger}.parquet").num_rows
    return rows
