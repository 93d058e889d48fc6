"""A fact: one value of a report with its definition and its source rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING, Any, Literal

from reportkit.errors import InputError
from reportkit.export.blocks import MIME, block, json_bytes
from reportkit.facts.numerals import plain

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# "sum" is whatever is computed from other facts, which sum_of names: a total, a share, a change.
Origin = Literal["ledger", "sum", "declared"]
# Value of a declared figure that is not filled in yet; a final report refuses it.
TO_DO = "〔待填〕"
# Where a run keeps the rows of all facts.
EVIDENCE = "evidence/facts.parquet"


OF_NOTEBOOK = "notebook"
"""Measure of a fact that a notebook computed: no condition that could be read gives it."""


@dataclass(frozen=True, repr=False)
class Fact:
    """One value of a report with its definition and its source rows.

    Parameters
    ----------
    id, label, unit : str
    value : Decimal or str
        A number, an ISO day for a fact of unit 日期, or words where there is no number.
    origin : {"ledger", "sum", "declared"}
    definition : str
        In Chinese, as printed for auditors.
    ledger : str or None
        Key of the ledger the rows are of.
    where : tuple of mapping
        The filter, in groups with their sign; see ``Definition.where_json``.
    rows : numpy.ndarray of int64 or None
        Row numbers in the ledger, in order; for a change first the added rows, then the others.
    subtracted : int
        How many rows at the end of *rows* are subtracted.
    sum_of : tuple of str
        Facts that this one is computed from.
    source : str or None
        Where a declared value comes from.
    places : tuple of str
        Where it appears: ``table:t3``, ``section:一``.
    show_unit : bool
        True where its table cell prints the unit.
    compared : tuple of Decimal or None
        Of a change: this year's figure and last year's.
    """

    id: str
    label: str
    value: Decimal | str
    unit: str
    origin: Origin
    definition: str
    ledger: str | None = None
    where: tuple[Mapping[str, Any], ...] = ()
    rows: npt.NDArray[np.int64] | None = field(default=None, compare=False)
    subtracted: int = 0
    sum_of: tuple[str, ...] = ()
    source: str | None = None
    places: tuple[str, ...] = ()
    show_unit: bool = False
    compared: tuple[Decimal, Decimal] | None = None

    def __repr__(self) -> str:
        return f"{self.id}  {self.label}：{self.text}{self.unit}（{self.definition}）"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """Return the fact as a notebook shows it; documents show it where the text names it."""
        html = f"<p><b>{escape(self.text)}</b>{escape(self.unit)} {escape(self.label)}<br>"
        html += f"<code>{escape(self.id)}</code> {escape(self.definition)}</p>"
        return {MIME: block("note", about=self.id), "text/html": html, "text/plain": repr(self)}

    @property
    def number(self) -> Decimal:
        """The value as a number.

        Raises
        ------
        InputError
            ``fact-not-a-number``: the fact is a day or a text.
        """
        if isinstance(self.value, str):
            raise InputError(
                "fact-not-a-number",
                "fact {id} is '{value}', which is no number",
                id=self.id,
                value=self.value,
            )
        return self.value

    @property
    def text(self) -> str:
        """The value as printed: no exponent, no trailing zeros."""
        return self.value if isinstance(self.value, str) else plain(self.value)

    def as_json(self) -> dict[str, Any]:
        """The fact as it stands in ``facts.json``."""
        is_number = isinstance(self.value, Decimal)
        has_rows = self.rows is not None and len(self.rows) > 0
        return {
            "id": self.id,
            "label": self.label,
            "value": self.text,
            "unit": self.unit,
            "decimals": len(self.text.partition(".")[2]) if is_number else 0,
            "origin": self.origin,
            "definition": self.definition,
            "ledger": self.ledger,
            "where": [dict(group) for group in self.where],
            "rows": 0 if self.rows is None else len(self.rows),
            "rows_sha256": None if self.rows is None else rows_sha256(self.rows),
            "evidence": EVIDENCE if has_rows else None,
            "sum_of": list(self.sum_of),
            "source": self.source,
            "places": list(self.places),
        }


def to_come(name: str) -> Fact:
    """Return a placeholder for a fact that is made later: it prints as still to be filled in."""
    return Fact(name, name, TO_DO, "", "declared", "")


class Facts(Mapping[str, Fact]):
    """The facts of one report, by id, in order of id."""

    def __init__(self, facts: Mapping[str, Fact]) -> None:
        self._facts = {name: facts[name] for name in sorted(facts)}

    def __getitem__(self, name: str) -> Fact:
        return self._facts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)

    def placed(self, places: Mapping[str, tuple[str, ...]]) -> Facts:
        """The same facts, with where each one appears."""
        return Facts({n: replace(f, places=places.get(n, ())) for n, f in self._facts.items()})

    def as_json(self, **head: Any) -> dict[str, Any]:
        """The document ``facts.json``."""
        facts = [fact.as_json() for fact in self.values()]
        return {"schema": "reportkit/facts/1", **head, "facts": facts}


def rows_sha256(rows: npt.NDArray[np.int64]) -> str:
    """SHA-256 of row numbers as little-endian 64-bit integers, in order."""
    return hashlib.sha256(rows.astype("<i8").tobytes()).hexdigest()


def facts_bytes(document: Mapping[str, Any]) -> bytes:
    """``facts.json`` as written: UTF-8, one value a line, the same bytes for the same facts."""
    return json_bytes(document)
