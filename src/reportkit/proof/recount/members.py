"""Sums of a roll-up made again: from its members' sealed facts, and from its own evidence.

What is shared with the first count is data: the form says which cells count a record once. Records
that members share are counted in SQL over the evidence of the members' runs.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from reportkit.errors import ReportkitError
from reportkit.evidence.paths import inside
from reportkit.evidence.read import read_members
from reportkit.export.files import digest
from reportkit.facts.numerals import number_of, plain
from reportkit.language import Message
from reportkit.proof.places import outputs_of
from reportkit.proof.recount.computed import published_values, values_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from reportkit.forms import Cell, Form

    Fact = Mapping[str, Any]

# Keys of the records of some facts, by the run that counts them; of a roll-up those of its members.
_KEYS = """
WITH f AS (SELECT regexp_extract(filename, '^(.*)/[^/]*$', 1) AS place, fact, ledger, "row"
           FROM read_parquet($facts, filename = true) WHERE list_contains($cells, fact)),
     r AS (SELECT regexp_extract(filename, '^(.*)/[^/]*$', 1) AS place, ledger, "row", key
           FROM read_parquet($records, filename = true))
SELECT DISTINCT f.place, f.fact, r.key FROM f JOIN r USING (place, ledger, "row")
WHERE r.key IS NOT NULL AND r.key <> ''
"""

_ALREADY = "SELECT DISTINCT fact, key FROM read_parquet($own)"


@dataclass(frozen=True)
class MemberSums:
    """Second count of a roll-up.

    Parameters
    ----------
    findings : tuple of str
        Sums that are not those of the members' figures.
    changed, absent : tuple of str
        Reports of members that are not what was added; that are not here.
    values : mapping of str to str
        What the sums come to, where all reports are here.
    counted : int
        Facts that add members' figures.
    here : int
        Members whose reports are here as they were added.
    """

    findings: tuple[str, ...]
    changed: tuple[str, ...]
    absent: tuple[str, ...]
    values: Mapping[str, str]
    counted: int
    here: int


def of_members(facts: Mapping[str, Fact]) -> dict[str, Fact]:
    """The facts that add figures of members: those whose parts name a member."""
    return {n: fact for n, fact in facts.items() if any("/" in part for part in fact["sum_of"])}


def recount_members(
    form: Form, run: Path, manifest: Mapping[str, Any], facts: Mapping[str, Fact], params: Path
) -> MemberSums:
    """Make the sums of a roll-up again.

    Parameters
    ----------
    form : Form
        The verifier's own.
    run : Path
        Members' runs are sought beside it, by their digests.
    manifest : mapping
    facts : mapping
        The facts of ``facts.json`` by id.
    params : Path
        The folder of figures that were published.

    Raises
    ------
    ReportkitError
        ``received-path``, ``evidence-unreadable``.
    """
    added = of_members(facts)
    digests = {item["name"]: item["sha256"] for item in manifest["inputs"]}
    values: dict[str, dict[str, str]] = {}
    places: dict[str, Path] = {}
    changed: list[str] = []
    absent: list[str] = []
    for member in manifest["members"]:
        if member["origin"] == "missing":
            continue
        name, root = f"out/{member['source']}/facts.json", outputs_of(run)
        if member["origin"] == "published":
            name, root = (f"params/{member['source']}", params)
        path = inside(root, name.partition("/")[2])
        if not path.is_file():
            absent.append(Message("{name} is not here", name=name))
        elif not digest(path) == digests.get(name) == member["sha256"]:
            changed.append(Message("{path} is not what the run read", path=name))
        else:
            if member["origin"] == "run":
                places[member["id"]] = path.parent / "evidence"
            own = published_values(form, path) if root is params else values_of(path)
            numbers = {fact: value for fact, value in own.items() if number_of(value) is not None}
            values[member["id"]] = numbers
    once = [cell for cell in form.edition(manifest["year"]).cells(manifest["year"]) if cell.once]
    findings = list(_against_evidence(run, added, values))
    sums: dict[str, str] = {}
    if not (changed or absent):
        less = _shared(places, values, once)
        for name, fact in added.items():
            parts = {member: own[name] for member, own in values.items() if name in own}
            if fact["sum_of"] != [f"{member}/{name}" for member in parts]:
                findings.append(
                    Message("{name} does not add the members' reports that have it", name=name)
                )
            sums[name] = plain(sum(map(Decimal, parts.values()), Decimal(-less.get(name, 0))))
            if sums[name] != fact["value"]:
                findings.append(
                    Message(
                        "{name} is {value}, its members' facts come to {total}{less}",
                        name=name,
                        value=fact["value"],
                        total=sums[name],
                        less=Message(", less {count} that they share", count=less[name])
                        if name in less
                        else "",
                    )
                )
    return MemberSums(tuple(findings), tuple(changed), tuple(absent), sums, len(added), len(values))


def _against_evidence(
    run: Path, added: Mapping[str, Fact], values: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    """Compare the evidence with the facts, and with what members have that are here."""
    parts: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for row in read_members(run).to_pylist():
        if row["value"] is not None:
            parts[row["fact"]][row["member"]] = row["value"]
    for name in sorted(parts.keys() - added.keys()):
        yield Message("the evidence holds members' figures of {name}, which adds none", name=name)
    for name, fact in added.items():
        if fact["sum_of"] != [f"{member}/{name}" for member in parts[name]]:
            yield Message(
                "{name}: its evidence is not of the members' facts that it names", name=name
            )
        for member, value in parts[name].items():
            if member in values and values[member].get(name) != value:
                yield Message(
                    "{name} of {member} is {theirs}, and {value} in the evidence",
                    name=name,
                    member=member,
                    theirs=values[member].get(name),
                    value=value,
                )


def _shared(
    places: Mapping[str, Path], values: Mapping[str, Mapping[str, str]], once: Collection[Cell]
) -> dict[str, int]:
    """Records that the sum of a cell counts too often, since several members have them."""
    cells = {cell.id: cell.once for cell in once if cell.definition}
    counting = {
        str(place): member
        for member, place in places.items()
        if any(values[member].get(cell, "0") != "0" for cell in cells)
    }
    found: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    of_rows = []
    for place, member in counting.items():
        own = Path(place) / "shared.parquet"
        if not own.is_file():
            of_rows.append(place)
            continue
        for cell, key in _rows(_ALREADY, {"own": str(own)}):
            if cell in cells and re.search(cells[cell], key):
                found[key].add((member, cell))
    if of_rows:
        given = {
            "facts": [f"{place}/facts.parquet" for place in of_rows],
            "records": [f"{place}/records.parquet" for place in of_rows],
            "cells": list(cells),
        }
        for place, cell, key in _rows(_KEYS, given):
            if re.search(cells[cell], key):
                found[key].add((counting[place], cell))
    less: defaultdict[str, int] = defaultdict(int)
    for pairs in found.values():
        members, counted = {member for member, _ in pairs}, {cell for _, cell in pairs}
        if len(members) > 1 and len(counted) == 1:
            less[counted.pop()] += len(members) - 1
    return dict(less)


def _rows(query: str, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    try:
        return duckdb.connect().sql(query, params=dict(given)).fetchall()
    except duckdb.Error as error:
        raise ReportkitError(
            "evidence-unreadable",
            "the evidence of the members is not as this version writes it: {problem}",
            problem=error,
        ) from None
