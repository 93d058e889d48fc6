"""Result of intake: a ledger of typed records, the place of each, and all messages."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from reportkit.language import Message, joined
from reportkit.language.catalogue import translator
from reportkit.language.message import COLON, translated

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt
    import pandas as pd

    from reportkit.forms.conditions import Condition, Mask, Where
    from reportkit.ledgers.readers.table import RawTable
    from reportkit.ledgers.schema import LedgerSchema
    from reportkit.params.mapping import LedgerMapping


def place_in_file(sheet: str | None, line: int) -> str:
    """``sheet!row`` of a workbook, the line of another file."""
    return f"{sheet}!{line}" if sheet else str(line)


_OF_FILE = ("path", "sha256", "bytes", "format", "encoding", "sheet")
"""Fields that a source has of its table."""


@dataclass(frozen=True)
class Source:
    """One file or sheet that was read."""

    path: str
    sha256: str
    bytes: int
    format: str
    encoding: str | None
    sheet: str | None
    rows: int
    headings: dict[str, str]
    """Column name in the ledger, and the heading it stands under in this file."""
    mapping: LedgerMapping | None = None
    """The office's own words that it was read by."""
    titles: tuple[str, ...] = ()
    """All its headings."""

    @classmethod
    def of(cls, table: RawTable, headings: dict[str, str], mapping: LedgerMapping | None) -> Source:
        """The source that a table was read from."""
        own = {name: getattr(table, name) for name in _OF_FILE}
        return cls(
            **own,
            rows=len(table.lines),
            headings=headings,
            mapping=mapping,
            titles=tuple(table.titles),
        )

    def as_json(self) -> dict[str, Any]:
        """Return the file as a record of it says: its place, digest, size, format and rows."""
        return {name: getattr(self, name) for name in (*_OF_FILE, "rows")}


@dataclass(frozen=True)
class Violation:
    """A record, or a cell of it, that breaks a rule."""

    ledger: str
    file: str
    place: str
    rule: str
    severity: str
    column: str
    found: str
    expected: str

    def text(self) -> str:
        """One line for people."""
        about: str = ""
        if self.found:
            about = Message("{column} reads '{found}': ", column=self.column, found=self.found)
        elif self.column:
            about = joined("", [self.column, COLON])
        where = f"{self.file}:{self.place}: "
        return joined("", [where, about, self.expected, f" [{self.rule}]"])

    def printed(self) -> str:
        """Return the line as a report prints it, in Chinese whoever makes it."""
        return str(translated(self.text(), translator("zh")))


_PLACES, _VALUES = 3, 10


def grouped(violations: Iterable[Violation]) -> list[str]:
    """Lines for people: what is found alike stands once, with its count and first places.

    Of many different values in one column the first ten are shown.
    """
    alike: dict[tuple[str, ...], list[Violation]] = {}
    for violation in violations:
        key = (violation.ledger, violation.rule, violation.column, violation.found)
        alike.setdefault(key, []).append(violation)
    shown: Counter[tuple[str, ...]] = Counter()
    more: dict[tuple[str, ...], list[int]] = {}
    lines = []
    for (*names, _), together in alike.items():
        kind = tuple(names)
        shown[kind] += 1
        if shown[kind] <= _VALUES:
            lines.append(_together(together))
        else:
            more.setdefault(kind, []).append(len(together))
    lines += [
        Message(
            "{column}: {values} further values, in {records} records [{rule}]",
            column=column,
            values=len(counts),
            records=sum(counts),
            rule=rule,
        )
        for (_, rule, column), counts in more.items()
    ]
    return lines


def _together(alike: Sequence[Violation]) -> str:
    first = alike[0]
    if len(alike) == 1:
        return first.text()
    places: dict[str, list[str]] = {}
    for violation in alike[:_PLACES]:
        places.setdefault(violation.file, []).append(violation.place)
    where = "; ".join(f"{file}:{', '.join(found)}" for file, found in places.items())
    rest = " …" if len(alike) > _PLACES else ""
    value = f" '{first.found}'" if first.found else ""
    head = f"{first.column}{value} ×{len(alike)} ({where}{rest})"
    return joined(COLON, [head, first.expected]) + f" [{first.rule}]"


@dataclass(frozen=True)
class Ledger:
    """A ledger as read: typed records, the row map, and what was not accepted.

    Parameters
    ----------
    key : str
        ``applications`` …
    schema : LedgerSchema
    frame : pandas.DataFrame
        Accepted records; the index is the row number, the columns are alike of the schema but
        the personal ones, and then the derived ones.
    sources : tuple of Source
    source_of, line_of : numpy arrays, one entry per row read
        Row map: index into *sources*, and line (csv, parquet) or sheet row (xlsx).
    quarantined, rejected, set_aside : int
        Records with a cell that cannot be read, records that break a rule, and sum rows; rows
        read = accepted + quarantined + rejected + set aside.
    violations : tuple of Violation
    personal : pyarrow.ChunkedArray
        What stood in the personal columns, for the search before anything is published.
    """

    key: str
    schema: LedgerSchema
    frame: pd.DataFrame
    sources: tuple[Source, ...]
    source_of: npt.NDArray[np.int16]
    line_of: npt.NDArray[np.int32]
    quarantined: int = 0
    rejected: int = 0
    set_aside: int = 0
    violations: tuple[Violation, ...] = ()
    refused: tuple[dict[str, Any], ...] = ()
    """Records not accepted, as they stand but for persons: row, file, place, cells."""
    personal: pa.ChunkedArray = field(
        default_factory=lambda: pa.chunked_array([], pa.large_string()), repr=False
    )
    _masks: dict[Condition, Mask] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        accounted = len(self.frame) + self.quarantined + self.rejected + self.set_aside
        if accounted != self.read:
            message = Message(
                "{read} rows were read, {accounted} are accounted for",
                read=self.read,
                accounted=accounted,
            )
            raise AssertionError(message)

    @property
    def read(self) -> int:
        """Rows read from all files."""
        return len(self.line_of)

    @property
    def account(self) -> dict[str, int]:
        """Every row read, by what became of it."""
        return {
            "read": self.read,
            "accepted": len(self.frame),
            "quarantined": self.quarantined,
            "rejected": self.rejected,
            "set_aside": self.set_aside,
        }

    def mask(self, where: Where) -> Mask:
        """Return a mask of the accepted records that meet all conditions, each evaluated once."""
        chosen = np.ones(len(self.frame), dtype=bool)
        for condition in where:
            if condition not in self._masks:
                self._masks[condition] = condition.mask(self.frame)
            chosen &= self._masks[condition]
        return chosen

    def place(self, row: int) -> tuple[str, str]:
        """File and line (or ``sheet!row``) of a row."""
        source = self.sources[self.source_of[row]]
        return source.path, place_in_file(source.sheet, int(self.line_of[row]))
