"""One sheet of a workbook into a raw text table, some rows at a time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reportkit.errors import InputError
from reportkit.ledgers.readers.cells import (
    COLUMNS,
    ROWS,
    Cells,
    Look,
    cell_name,
    place_of,
)
from reportkit.ledgers.readers.guard import Book, unsafe
from reportkit.ledgers.readers.numbers import is_inexact, number_texts
from reportkit.ledgers.readers.table import (
    SEARCHED_FOR_HEADING,
    Head,
    Note,
    Part,
    Row,
    Tell,
    find_head,
    one_column,
    ragged,
    raw_type,
    rounded,
    rounded_persons,
    unless_sums,
)
from reportkit.ledgers.schema import heading_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy.typing as npt

    from reportkit.ledgers.schema import Column, LedgerSchema

_TOLD = 5
_SEARCHED = SEARCHED_FOR_HEADING + 2


@dataclass(frozen=True)
class _Merge:
    """A merged range of the body; rows and columns count from 1."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def place(self) -> str:
        return f"{cell_name(self.top, self.left)}:{cell_name(self.bottom, self.right)}"


def _merge(reference: str) -> _Merge:
    first, _, last = reference.partition(":")
    return _Merge(*place_of(first), *place_of(last or first))


def _has_text(texts: pa.Array) -> npt.NDArray[np.bool_]:
    """Where there is more than white space."""
    there = pc.greater(pc.binary_length(pc.utf8_trim_whitespace(texts)), 0).fill_null(False)
    return np.asarray(there.to_numpy(zero_copy_only=False), bool)


class SheetReading:
    """One sheet while it is read."""

    def __init__(self, book: Book, name: str, title: str, schema: LedgerSchema) -> None:
        self.book, self.name, self.title, self.schema = book, name, title, schema
        self.look = Look([], [], [])
        self.notes: list[Note] = []
        self.errors: list[tuple[int, int]] = []
        self.hollow: list[tuple[int, int]] = []
        self.known: dict[int, Column] = {}
        """Columns of the ledger, but the personal ones, by their number in the sheet."""
        self.needed: dict[str, Column] = {}
        self.inexact: dict[int, int] = {}
        """How many numbers of persons were rounded, by column: which ones is not told."""
        self.last = (0, 0)
        self.lines: list[npt.NDArray[np.int32]] = []
        self.chunks: dict[str, list[pa.Array]] = {}

    def run(
        self,
        taken: Callable[[BinaryIO, Look, str], Iterator[Cells]],
        file: BinaryIO,
        tell: Tell,
    ) -> Part | None:
        """The records of the sheet; None where nothing stands in it."""
        blocks = taken(file, self.look, f"{self.name}: {self.title}")
        first: list[Cells] = []
        begins = ROWS
        for cells in blocks:
            self.check_order(cells)
            first.append(cells)
            there = np.flatnonzero(_has_text(cells.text))
            begins = min(begins, int(cells.row[there[0]])) if len(there) else begins
            if self.last[0] >= begins + _SEARCHED:
                break
        rows = self.first_rows(first, begins)
        if not rows:
            return None
        head = self.head(rows)
        if not self.book.sheets[self.title].visible:
            message = (
                f"{self.name}: the sheet '{self.title}' is hidden and holds records of "
                f"{self.schema.name}; show it if they count, delete it if they do not"
            )
            raise InputError("ledger-hidden", message, file=self.name, sheet=self.title)
        for cells in first:
            self.take(cells, head)
        for cells in blocks:
            self.check_order(cells)
            self.take(cells, head)
            tell(sum(map(len, self.lines)))
        tell(sum(map(len, self.lines)))
        self.refuse_cells(self.errors, "ledger-error-cell", "an error value (#N/A, #REF! …)")
        self.refuse_cells(self.hollow, "ledger-formula", "a formula that was never calculated")
        lines = np.concatenate([np.empty(0, np.int32), *self.lines])
        columns = {title: one_column(chunks) for title, chunks in self.chunks.items()}
        self.spread(columns, lines, head)
        self.tell_hidden(lines.tolist())
        for number, count in self.inexact.items():
            column = self.needed[head.titles[number - 1]]
            place = f"{self.title}!{cell_name(1, number)[:-1]}"
            self.notes.append(rounded_persons(column, place, count))
        notes = tuple(sorted(self.notes, key=lambda note: note.line or 0))
        return Part(columns, lines, sheet=self.title, notes=notes, epoch=self.book.epoch)

    def check_order(self, cells: Cells) -> None:
        """Refuse cells beyond the end of a sheet, and those that do not follow each other."""
        row, column = int(cells.row.max()), int(cells.column.max())
        if row > ROWS or column > COLUMNS:
            place = f"{self.name}: {self.title}"
            do = f"a sheet ends at row {ROWS}, column {COLUMNS}"
            raise unsafe(place, f"has a cell in row {row}, column {column}", do)
        at = cells.row.astype(np.int64) * (COLUMNS + 1) + cells.column
        before = self.last[0] * (COLUMNS + 1) + self.last[1]
        if (np.diff(at, prepend=before) <= 0).any():
            message = f"cells of {self.title} are not in their order"
            raise ValueError(message)
        self.last = int(cells.row[-1]), int(cells.column[-1])

    def first_rows(self, blocks: Sequence[Cells], begins: int) -> list[Row]:
        """The rows in which a heading is looked for, from the first one with text on."""
        rows: dict[int, list[str]] = {}
        for cells in blocks:
            near = np.flatnonzero((cells.row >= begins) & (cells.row < begins + _SEARCHED))
            texts = self.texts(cells, near).to_pylist()
            places = (cells.row[near].tolist(), cells.column[near].tolist())
            for row, column, text in zip(*places, texts, strict=True):
                if text:
                    line = rows.setdefault(row, [])
                    line += [""] * (column - len(line) - 1) + [text]
        return [(row, rows.get(row, [])) for row in range(begins, max(rows, default=0) + 1)]

    def head(self, rows: Sequence[Row]) -> Head:
        """The heading, and which of its columns are needed."""
        head = find_head(iter(rows), self.schema, self.name, self.title)
        wanted = self.schema.headings()
        for number, title in enumerate(head.titles, 1):
            column, _ = wanted.get(heading_key(title), (None, 1))
            if column:
                self.needed[title] = column
            if column and not column.personal:
                self.known[number] = column
        self.chunks = {title: [] for title in head.titles if title}
        return head

    def texts(self, cells: Cells, chosen: npt.NDArray[np.int64]) -> pa.Array:
        """The chosen cells as text."""
        kinds = cells.kind[chosen]
        made: list[pa.Array] = []
        order: list[npt.NDArray[np.int64]] = []
        for kind in np.unique(kinds).tolist():
            of_kind = np.flatnonzero(kinds == kind)
            order.append(of_kind)
            stored = cells.text.take(pa.array(chosen[of_kind]))
            made.append(self.text_of(stored, *cells.kinds[kind]))
        if len(made) < 2:
            return made[0] if made else pa.array([], pa.large_string())
        back = np.empty(len(chosen), np.int64)
        back[np.concatenate(order)] = np.arange(len(chosen))
        return pa.concat_arrays(made).take(pa.array(back))

    def text_of(self, stored: pa.Array, kind: str, style: int) -> pa.Array:
        """What is stored in cells of one type and style, as text."""
        if kind == "s":
            return self.book.strings.take(stored.cast(pa.int32()))
        if kind in ("str", "inlineStr"):
            return stored
        if kind == "n":
            days = 0 <= style < len(self.book.days) and self.book.days[style]
            return number_texts(stored, days=days, epoch=self.book.epoch)
        if kind == "b":
            yes = pc.is_in(stored, value_set=pa.array(["1", "true"], pa.large_string()))
            return pc.if_else(yes, "是", "否").cast(pa.large_string())
        if kind == "d":
            return pc.replace_substring_regex(stored, r"T(?:00:00:00(?:\.0*)?Z?$)?", " ")
        if kind == "e":
            return pa.nulls(len(stored), pa.large_string())
        message = f"a cell of the unknown type '{kind[:20]}'"
        raise ValueError(message)

    def take(self, cells: Cells, head: Head) -> None:
        """Records of a block below the heading."""
        body = int(np.searchsorted(cells.row, head.line, side="right"))
        row, column = cells.row[body:], cells.column[body:]
        lines, position = np.unique(row, return_inverse=True)
        if not len(lines):
            return
        self.look_at(cells, body)
        order = np.argsort(column, kind="stable")
        begins = np.searchsorted(column[order], np.arange(1, head.width + 2))
        self.refuse_right(cells, body + order[begins[-1] :], head.width)
        filled = np.zeros(len(lines), bool)
        made: dict[str, pa.Array] = {}
        for title, (start, stop) in zip(head.titles, pairwise(begins), strict=True):
            chosen = order[start:stop]
            if not title and filled.all():
                continue
            texts = self.texts(cells, body + chosen)
            filled[position[chosen]] |= _has_text(texts)
            if title:
                at = np.full(len(lines), -1)
                at[position[chosen]] = np.arange(len(chosen))
                made[title] = texts.take(pa.array(at, mask=at < 0))
            if title in self.needed and self.needed[title].type == "text":
                self.hear_inexact(cells, body + chosen, self.needed[title])
        self.lines.append(lines[filled])
        for title, texts in made.items():
            if not filled.all():
                texts = texts.filter(pa.array(filled))
            column_ = self.needed.get(title)
            self.chunks[title].append(_kept(texts, column_) if column_ else unless_sums(texts))

    def look_at(self, cells: Cells, body: int) -> None:
        """Keep the places of error values, and of formulas that have no value."""
        types = np.array([kind for kind, _ in cells.kinds])[cells.kind]
        bad = types == "e"
        hollow = cells.formula
        if not self.book.calculate and hollow.any():
            empty = pc.equal(pc.binary_length(cells.text), 0).fill_null(True)
            # A formula whose result is an empty text has a value: that text.
            no_text = cells.text.is_null().to_numpy(zero_copy_only=False) | (types != "str")
            hollow = hollow & empty.to_numpy(zero_copy_only=False) & no_text
        for places, found in ((self.errors, bad), (self.hollow, hollow)):
            at = body + np.flatnonzero(found[body:])
            places += zip(cells.row[at].tolist(), cells.column[at].tolist(), strict=True)

    def refuse_right(self, cells: Cells, chosen: npt.NDArray[np.int64], width: int) -> None:
        """Refuse text to the right of the heading."""
        there = chosen[_has_text(self.texts(cells, chosen))]
        if len(there):
            row = cells.row[there].min()
            raise ragged(self.name, self.title, int(row), 0, width)

    def hear_inexact(self, cells: Cells, chosen: npt.NDArray[np.int64], column: Column) -> None:
        """Note numbers in text columns that the spreadsheet has rounded."""
        numbers = [code for code, (kind, _) in enumerate(cells.kinds) if kind == "n"]
        chosen = chosen[np.isin(cells.kind[chosen], numbers)]
        stored = cells.text.take(pa.array(chosen))
        long = np.flatnonzero(pc.greater(pc.binary_length(stored), 15).fill_null(False))
        for at in long.tolist():
            if is_inexact(stored[at].as_py()):
                line, number = int(cells.row[chosen[at]]), int(cells.column[chosen[at]])
                if column.personal:
                    self.inexact[number] = self.inexact.get(number, 0) + 1
                    continue
                place = f"{self.title}!{cell_name(line, number)}"
                found = number_texts(stored[at : at + 1], days=False, epoch=1900)[0].as_py()
                self.notes.append(rounded(column, line, place, found))

    def spread(
        self, columns: dict[str, pa.ChunkedArray], lines: npt.NDArray[np.int32], head: Head
    ) -> None:
        """A cell merged over several records counts for each of them, as it is shown.

        The key is not spread: two records cannot have one. Of a range over several columns only
        the first has the value.
        """
        merges = [merge for merge in map(_merge, self.look.merges) if merge.top > head.line]
        by_column = sorted(merges, key=lambda merge: (merge.left, merge.top))
        for one, other in pairwise(by_column):
            if one.left == other.left and other.top <= one.bottom:
                message = f"merged ranges {one.place} and {other.place} of {self.title} overlap"
                raise ValueError(message)
        for number, group in groupby(by_column, key=lambda merge: merge.left):
            column = self.known.get(number)
            title = head.titles[number - 1] if number <= head.width else ""
            cells = columns[title].cast(pa.string()).to_pylist() if column else []
            changed = False
            for merge in group:
                top, bottom = np.searchsorted(lines, (merge.top, merge.bottom + 1)).tolist()
                if top >= len(lines) or lines[top] != merge.top:
                    continue
                # What stands in other columns may be a person's.
                value = (cells[top] or "") if column else ""
                if column and not value.strip():
                    continue
                self.tell_wide(merge, value)
                if not column or column.name == self.schema.key_column:
                    continue
                below = [row for row in range(top + 1, bottom) if not (cells[row] or "").strip()]
                for row in below:
                    cells[row] = value
                if below:
                    changed = True
                    expected = "one cell over several records; its value is taken for each of them"
                    place = f"{self.title}!{merge.place}"
                    note = Note(place, "L-merged", "warn", column.name, value, expected)
                    self.notes.append(note)
            if changed and column:
                texts = _kept(pa.array(cells, pa.large_string()), column)
                columns[title] = pa.chunked_array([texts])

    def tell_wide(self, merge: _Merge, value: str) -> None:
        """Tell of columns of the ledger that a merged cell covers."""
        empty = [
            column.name
            for number, column in self.known.items()
            if merge.left < number <= merge.right
        ]
        if empty:
            place = f"{self.title}!{merge.place}"
            expected = "one cell over several columns; it is read in the first and these are empty"
            note = Note(place, "L-merged", "warn", "、".join(empty), value, expected, merge.top)
            self.notes.append(note)

    def refuse_cells(self, cells: Sequence[tuple[int, int]], reason: str, what: str) -> None:
        """Refuse cells of the ledger's columns that hold no value; tell of others."""
        bad = [cell_name(*cell) for cell in cells if cell[1] in self.known]
        if bad:
            more = f" and {len(bad) - _TOLD} more" if len(bad) > _TOLD else ""
            message = (
                f"{self.name}: {self.title}!{'、'.join(bad[:_TOLD])}{more} "
                f"{'hold' if len(bad) > 1 else 'holds'} {what}; "
                "open the workbook, mend the formula or type the value, and save it"
            )
            raise InputError(reason, message, file=self.name, sheet=self.title, cell=bad[0])
        if cells:
            place = f"{self.title}!{cell_name(*cells[0])}"
            expected = f"{what}, in {len(cells)} cells of columns that are not read"
            self.notes.append(Note(place, "L-cell", "warn", "", "", expected))

    def tell_hidden(self, lines: Sequence[int]) -> None:
        """Hidden rows and columns are read; that they are hidden is told."""
        hidden = sorted(set(self.look.hidden_rows).intersection(lines))
        if hidden:
            runs = [
                [line for _, line in run]
                for _, run in groupby(enumerate(hidden), lambda pair: pair[1] - pair[0])
            ]
            told = ", ".join(
                f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs[:_TOLD]
            )
            more = " …" if len(runs) > _TOLD else ""
            expected = f"{len(hidden)} records stand in hidden rows; they are counted"
            place = f"{self.title}!{told}{more}"
            self.notes.append(Note(place, "L-hidden", "warn", "", "", expected))
        for first, last in self.look.hidden_columns:
            for number, column in self.known.items():
                if first <= number <= last:
                    place = f"{self.title}!{cell_name(1, number)[:-1]}"
                    expected = "the column is hidden; it is read"
                    self.notes.append(Note(place, "L-hidden", "warn", column.name, "", expected))


def _kept(texts: pa.Array, column: Column) -> pa.Array:
    """Cells of a column as they are kept."""
    kind = raw_type(column)
    return texts.cast(pa.string()).dictionary_encode() if pa.types.is_dictionary(kind) else texts
