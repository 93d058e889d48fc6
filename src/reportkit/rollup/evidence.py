"""Evidence of a roll-up: each member's figure behind each sum, and the records counted once.

``members.parquet``
    fact, member, value: every figure that is added.
``members.js``
    the same for the audit page, with the place of each member's own page.
``shared.parquet``
    fact, member, key: the records of cells that count what several members have once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from reportkit.evidence.scripts import in_script
from reportkit.evidence.write import parquet
from reportkit.facts import plain
from reportkit.rollup.shared import SHARED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from reportkit.facts import Fact
    from reportkit.rollup.sums import Sums

MEMBERS = "members.parquet"


def write_members(folder: Path, sums: Sums, facts: Mapping[str, Fact]) -> None:
    """Write the files of `members_evidence` into the folder of a run's evidence."""
    for name, content in members_evidence(sums, facts):
        (folder / name).write_bytes(content)


def members_evidence(sums: Sums, facts: Mapping[str, Fact]) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file: the same bytes for the same roll-up.

    Parameters
    ----------
    sums : Sums
    facts : mapping of str to Fact
        The facts of the roll-up, by id.
    """
    members = sums.present
    added = [name for name in sorted(facts) if any("/" in part for part in facts[name].sum_of)]
    values = {
        name: [plain(member.values[name]) if name in member.values else None for member in members]
        for name in added
    }
    addends = [
        (name, member.id, value)
        for name in added
        for member, value in zip(members, values[name], strict=True)
    ]
    yield MEMBERS, _parquet(("fact", "member", "value"), addends)
    names = [[member.id, member.name, member.page] for member in members]
    yield "members.js", f"RK.members({in_script({'members': names, 'facts': values})});\n".encode()
    if sums.once:
        records = sorted(
            (cell, member, key)
            for key, places in sums.shared.found.items()
            for cell, member in places
        )
        yield SHARED, _parquet(("fact", "member", "key"), records)


def _parquet(names: Sequence[str], rows: Sequence[tuple[str | None, ...]]) -> bytes:
    schema = pa.schema([(name, pa.string()) for name in names])
    table = pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], schema)
    return parquet([table], repeated=True)
