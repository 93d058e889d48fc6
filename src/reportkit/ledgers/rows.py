"""The rows of a ledger as its readers gave them, and findings about one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from reportkit.ledgers.columns import joined
from reportkit.ledgers.normal import clean
from reportkit.ledgers.quoting import Quoting
from reportkit.ledgers.records import Violation
from reportkit.ledgers.values import clean_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import numpy.typing as npt

    from reportkit.ledgers.readers.table import RawTable
    from reportkit.ledgers.schema import Column, LedgerSchema
    from reportkit.params.mapping import LedgerMapping


@dataclass(frozen=True)
class Part:
    """One file or sheet: its cells, the schema that it is read by, and which heading is which.

    Parameters
    ----------
    raw : RawTable
    schema : LedgerSchema
        With the office's own words, where there is a mapping.
    mapping : LedgerMapping or None
    headings : mapping of str to (str, int)
        Column name to the heading it stands under, and the factor of that heading's unit.
    """

    raw: RawTable
    schema: LedgerSchema
    mapping: LedgerMapping | None
    headings: Mapping[str, tuple[str, int]]

    @property
    def read(self) -> dict[str, str]:
        """Columns that are read, and the headings they stand under."""
        return {name: heading for name, (heading, _) in self.headings.items()}

    @property
    def unread(self) -> list[str]:
        """Headings that no column is read from."""
        read = set(self.read.values())
        return [title for title in self.raw.titles if title not in read]

    def column(self, column: Column) -> Column:
        """A column of the ledger, as this file's schema has it."""
        return next((own for own in self.schema.columns if own.name == column.name), column)

    def cells(self, name: str) -> pa.ChunkedArray:
        """Cells of a column as they stand; nulls where the file has none, or what is fixed."""
        if name in self.headings:
            return self.raw.columns[self.headings[name][0]]
        fixed = next((c.fixed for c in self.schema.columns if c.name == name), None)
        text = pa.scalar(fixed, pa.string())
        return pa.chunked_array([pa.repeat(text, len(self.raw.lines))])

    def filled(self, row: int, headings: Iterable[str]) -> dict[str, str]:
        """Return the filled cells of a row under these headings, trimmed."""
        cells = {name: clean(self.raw.columns[name][row].as_py() or "") for name in headings}
        return {heading: cell for heading, cell in cells.items() if cell}


@dataclass(frozen=True)
class RowFinding:
    """Something about a row, or about a file where there is no row."""

    row: int | None
    violation: Violation


@dataclass(frozen=True)
class Rows:
    """All rows of a ledger, numbered through its files.

    Parameters
    ----------
    key : str
        The ledger.
    schema : LedgerSchema
        Of its records: with the columns that a mapping keeps.
    parts : sequence of Part
    source_of, line_of : numpy arrays
        File and line of each row.
    raw : mapping
        Cells of all columns but the personal ones, as they stand.
    persons : mapping
        What stands in the personal ones: no message may repeat it.
    quoting : mapping
        What a message may repeat of each column.
    """

    key: str
    schema: LedgerSchema
    parts: Sequence[Part]
    source_of: npt.NDArray[np.int16]
    line_of: npt.NDArray[np.int32]
    raw: Mapping[str, pa.ChunkedArray]
    persons: Mapping[str, pa.ChunkedArray]
    quoting: Mapping[str, Quoting]

    @classmethod
    def of(cls, key: str, schema: LedgerSchema, parts: Sequence[Part]) -> Rows:
        """The rows of these files."""
        sizes = [len(part.raw.lines) for part in parts]
        lines = [part.raw.lines for part in parts] or [np.empty(0, np.int32)]
        raw, persons, quoting = {}, {}, {}
        for column in schema.columns:
            cells = [part.cells(column.name) for part in parts]
            if column.personal:
                persons[column.name] = joined([clean_texts(part) for part in cells])
            else:
                raw[column.name] = joined(cells)
            quoting[column.name] = Quoting(column, key=column is schema.columns[0])
        return cls(
            key,
            schema,
            parts,
            np.repeat(np.arange(len(parts), dtype=np.int16), sizes),
            lines[0] if len(lines) == 1 else np.concatenate(lines),
            raw,
            persons,
            quoting,
        )

    @property
    def mappings(self) -> list[LedgerMapping]:
        """The mappings that its files are read by."""
        return [part.mapping for part in self.parts if part.mapping]

    def __len__(self) -> int:
        return len(self.line_of)

    def each(self) -> Iterator[tuple[int, Part]]:
        """Each file with the number of its first row."""
        start = 0
        for part in self.parts:
            yield start, part
            start += len(part.raw.lines)

    def place(self, row: int) -> tuple[str, str]:
        """File and line of a row."""
        table = self.parts[self.source_of[row]].raw
        return table.path, table.place(int(self.line_of[row]))

    def persons_of(self, row: int) -> list[str]:
        """List the persons in the record of a row."""
        return list(filter(None, (known[row].as_py() for known in self.persons.values())))

    def quoted(self, columns: str, cells: Sequence[str], row: int | None = None) -> str:
        """Cells as a message may repeat them; the persons of their record are taken out."""
        persons = [] if row is None else self.persons_of(row)
        quotes = (
            self.quoting[name](cell, persons)
            for name, cell in zip(columns.split("、"), cells, strict=False)
            if name in self.quoting
        )
        return "、".join(filter(None, quotes))

    def finding(
        self,
        row: int,
        rule: str,
        severity: str,
        column: str,
        expected: str,
        *,
        found: str | None = None,
    ) -> RowFinding:
        """A finding about a row; *found* is its cell in the column, as far as it may be quoted."""
        if found is None:
            names = [name for name in column.split("、") if name in self.raw]
            cells = [self.raw[name][row].as_py() or "" for name in names]
            found = self.quoted("、".join(names), cells, row)
        file, place = self.place(row)
        return RowFinding(
            row, Violation(self.key, file, place, rule, severity, column, found, expected)
        )
