"""Records that several members have: counted once where the form says so, and always reported.

The sealed evidence of the members' runs has the key of each record that a figure was counted from;
a published report has none.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

from reportkit.evidence.read import read_facts, read_records, read_shared
from reportkit.rollup.members import present

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from reportkit.rollup.members import Member

SHARED = "shared.parquet"


@dataclass(frozen=True)
class Shared:
    """Records of the cells whose records count once, by their key.

    Parameters
    ----------
    found : dict of str to list of (fact, member)
        Every record, with the cell and the member that counts it.
    unseen : tuple of str
        Members that count such records without keys that tell them apart: their reports were
        published, or the keys are mere serials.
    """

    found: dict[str, list[tuple[str, str]]]
    unseen: tuple[str, ...] = ()

    @property
    def several(self) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """Records that more than one member counts."""
        return (
            (key, places)
            for key, places in self.found.items()
            if len({member for _, member in places}) > 1
        )

    @cached_property
    def less(self) -> Counter[str]:
        """By how much the sum over the members is too large, by cell."""
        less: Counter[str] = Counter()
        for _, places in self.several:
            if agree(places):
                less[places[0][0]] += len(places) - 1
        return less


def agree(places: Iterable[tuple[str, str]]) -> bool:
    """Return True where all members count a record in the same cell."""
    return len({cell for cell, _ in places}) == 1


def find_shared(members: Iterable[Member], cells: Mapping[str, str]) -> Shared:
    """Find the records that members share.

    Parameters
    ----------
    members : iterable of Member
    cells : mapping of str to str
        Cells whose records count once, with the pattern of keys that mean one record everywhere.

    Raises
    ------
    ReportkitError
        ``evidence-unreadable``.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    unseen = []
    for member in present(members):
        counted = [cell for cell in cells if member.values.get(cell)]
        if not counted:
            continue
        number = sum((member.values[cell] for cell in counted), Decimal(0))
        for cell, key in keys_of(member, counted):
            if re.search(cells[cell], key):
                found.setdefault(key, []).append((cell, member.id))
                number -= 1
        if number > 0:
            unseen.append(member.name)
    return Shared(dict(sorted(found.items())), tuple(unseen))


def keys_of(member: Member, cells: Collection[str]) -> Iterator[tuple[str, str]]:
    """Cell and key of every record that a member's run counts in some cells."""
    if member.run is None:
        return
    if (member.run / "evidence" / SHARED).is_file():  # a roll-up itself, whose members have rows
        yield from sorted({pair for pair in read_shared(member.run) if pair[0] in cells})
        return
    facts = read_facts(member.run)
    for cell in cells:
        if cell in facts:
            keys = read_records(member.run, facts[cell].ledger)["key"]
            yield from ((cell, key) for key in keys.take(facts[cell].rows).to_pylist() if key)
