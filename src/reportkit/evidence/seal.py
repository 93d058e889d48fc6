"""The seal: a digest over all facts, and the rows of those that only the notebook could count."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from reportkit.evidence.rows import FactRows, rows_from, rows_of, steps
from reportkit.facts import Fact, facts_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping


def seal_of(document: Mapping[str, Any]) -> str:
    """Digest over who, when and the bytes of ``facts.json``."""
    who = f"{document['district']}/{document['year']}/{document['scope']}/"
    return hashlib.sha256(who.encode() + facts_bytes(document)).hexdigest()


def seal_rows(facts: Mapping[str, Fact]) -> dict[str, dict[str, Any]]:
    """The rows of facts that a notebook made, as its seal holds them.

    The other facts are computed outside of the notebook too: of these the seal holds digests only.
    """
    return {
        name: {"ledger": held.ledger, "steps": steps(held.rows), "subtracted": held.subtracted}
        for name, held in rows_of(facts).items()
    }


def unseal_rows(sealed: Mapping[str, Mapping[str, Any]]) -> dict[str, FactRows]:
    """The rows that a seal holds, by fact id."""
    return {
        name: FactRows(fact["ledger"], rows_from(fact["steps"]), fact["subtracted"])
        for name, fact in sealed.items()
    }
