"""Xlsx into raw text tables, one for each sheet that has the ledger's heading."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any, BinaryIO

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from reportkit.errors import InputError
from reportkit.ledgers.readers.guard import Guarded, Sheet, cell_name, guard
from reportkit.ledgers.readers.table import (
    EXACT,
    Head,
    Note,
    Part,
    Row,
    Tell,
    as_text,
    find_head,
    no_heading,
    quiet,
    records,
    rounded,
)
from reportkit.ledgers.schema import NOTES_SHEET, heading_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reportkit.ledgers.schema import Column, LedgerSchema

_TOLD = 5


def read_xlsx(file: BinaryIO, schema: LedgerSchema, name: str, *, tell: Tell = quiet) -> list[Part]:
    """Read all sheets of a workbook that have the heading of a ledger.

    Raises
    ------
    InputError
        What the guard refuses; ``ledger-heading``; ``ledger-hidden`` (a hidden sheet has the
        heading); ``ledger-error-cell`` and ``ledger-formula`` with the cells.
    """
    guarded = guard(file, name)
    try:
        return _read(guarded, schema, name, tell)
    except (CalamineError, ValueError, OverflowError) as error:
        raise _damaged(name, error) from None
    except BaseException as error:
        # A panic of the reader's Rust code is no Exception.
        if type(error).__name__ == "PanicException":
            raise _damaged(name, error) from None
        raise


def _damaged(name: str, error: BaseException) -> InputError:
    message = f"{name} is not a readable .xlsx workbook: {error}; save it again as .xlsx"
    return InputError("ledger-unreadable", message, file=name)


def _read(guarded: Guarded, schema: LedgerSchema, name: str, tell: Tell) -> list[Part]:
    book = CalamineWorkbook.from_filelike(guarded.content)
    parts: list[Part] = []
    others: list[Note] = []
    problem: InputError | None = None
    for meta in book.sheets_metadata:
        if meta.typ != SheetTypeEnum.WorkSheet:
            continue
        sheet = book.get_sheet_by_name(meta.name)
        if meta.name not in guarded.sheets:
            message = f"the sheet '{meta.name}' has no part of its own"
            raise ValueError(message)
        look = guarded.sheets[meta.name]
        reading = _SheetReading(name, meta.name, schema, look)
        try:
            head = reading.head(sheet)
        except InputError as error:
            if error.reason != "ledger-heading":
                raise
            # A sheet that says how to fill in the others is no part of the ledger.
            if sheet.height and meta.name != NOTES_SHEET:
                problem = problem or error
                expected = f"no heading of {schema.name} in it: the sheet is not read"
                others.append(Note(meta.name, "L-sheet", "warn", "", "", expected))
            continue
        if meta.visible != SheetVisibleEnum.Visible:
            message = (
                f"{name}: the sheet '{meta.name}' is hidden and holds records of {schema.name}; "
                "show it if they count, delete it if they do not"
            )
            raise InputError("ledger-hidden", message, file=name, sheet=meta.name)
        reading.refuse_cells(look.errors, "ledger-error-cell", "an error value (#N/A, #REF! …)")
        what = "a formula that was never calculated"
        hollow = look.formulas if guarded.calculate else look.uncalculated
        reading.refuse_cells(hollow, "ledger-formula", what)
        columns, lines = records(head, name, meta.name, tell=tell)
        reading.tell_hidden(lines.tolist())
        notes = tuple(reading.notes)
        parts.append(Part(columns, lines, sheet=meta.name, notes=notes, epoch=guarded.epoch))
    if not parts:
        raise problem or no_heading(name, None, schema, [])
    return [replace(parts[0], notes=(*others, *parts[0].notes)), *parts[1:]]


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


class _SheetReading:
    """One sheet while it is read."""

    def __init__(self, name: str, title: str, schema: LedgerSchema, look: Sheet) -> None:
        self.name, self.title, self.schema, self.look = name, title, schema, look
        self.notes: list[Note] = []
        self.known: dict[int, Column] = {}
        """Columns of the ledger, but the personal ones, by their number in the sheet."""
        self.below = 0
        self.large: deque[tuple[int, int, str]] = deque()

    def head(self, sheet: Any) -> Head:
        """The heading of the sheet, and its rows as text, with what must be told noted."""
        top, left = sheet.start or (0, 0)
        filled = islice(enumerate(sheet.iter_rows(), 1), top, None)
        texts = ((number, self.texts(number, row)) for number, row in filled)
        head = find_head(texts, self.schema, self.name, self.title)
        self.below = head.line
        wanted = self.schema.headings()
        for number, title in enumerate(head.titles, left + 1):
            column, _ = wanted.get(heading_key(title), (None, 1))
            if column and not column.personal:
                self.known[number] = column
        merges = [
            _Merge(above + 1, first + 1, bottom + 1, last + 1)
            for (above, first), (bottom, last) in sheet.merged_cell_ranges or ()
            if above + 1 > self.below
        ]
        rows = self.watched(head.below, left)
        return replace(head, below=self.spread(rows, merges, left) if merges else rows)

    def texts(self, line: int, row: Sequence[Any]) -> list[str]:
        return [
            cell
            if type(cell) is str
            else cell.isoformat()
            if type(cell) is date
            else self.text(line, index, cell)
            for index, cell in enumerate(row)
        ]

    def text(self, line: int, index: int, cell: Any) -> str:
        text = as_text(cell)
        if type(cell) is float and abs(cell) >= EXACT:
            self.large.append((line, index, text))
        return text

    def watched(self, rows: Iterator[Row], left: int) -> Iterator[Row]:
        """Note numbers in text columns that the spreadsheet has rounded."""
        for line, row in rows:
            while self.large and self.large[0][0] <= line:
                at, index, found = self.large.popleft()
                column = self.known.get(left + index + 1)
                if at == line and column and column.type == "text":
                    place = f"{self.title}!{cell_name(line, left + index + 1)}"
                    self.notes.append(rounded(column, line, place, found))
            yield line, row

    def spread(self, rows: Iterator[Row], merges: list[_Merge], left: int) -> Iterator[Row]:
        """A cell merged over several records counts for each of them, as it is shown.

        The key is not spread: two records cannot have one. Of a range over several columns only
        the first has the value.
        """
        waiting = sorted(merges, key=lambda merge: -merge.top)
        active: list[_Merge] = []
        values: dict[_Merge, str] = {}
        for line, row in rows:
            active = [merge for merge in active if merge.bottom >= line]
            while waiting and waiting[-1].top <= line:
                merge = waiting.pop()
                if merge.bottom >= line:
                    active.append(merge)
            if len({merge.left for merge in active}) < len(active):
                message = f"merged ranges of {self.title} overlap in row {line}"
                raise ValueError(message)
            blank = not any(map(str.strip, row))
            for merge in active:
                index = merge.left - left - 1
                if not 0 <= index < len(row):
                    continue
                if merge.top == line:
                    values[merge] = row[index]
                    self.tell_wide(merge, row[index])
                column = self.known.get(merge.left)
                value = values.get(merge, "")
                if merge.top < line and column and value.strip() and not blank:
                    if column.name == self.schema.key_column or row[index].strip():
                        continue
                    row[index] = value
                    self.tell_tall(merge, column, value)
            yield line, row

    def tell_tall(self, merge: _Merge, column: Column, value: str) -> None:
        place = f"{self.title}!{merge.place}"
        if all(note.place != place for note in self.notes[-len(self.known) :]):
            expected = "one cell over several records; its value is taken for each of them"
            self.notes.append(Note(place, "L-merged", "warn", column.name, value, expected))

    def tell_wide(self, merge: _Merge, value: str) -> None:
        empty = [
            column.name
            for number, column in self.known.items()
            if merge.left < number <= merge.right
        ]
        if empty and value.strip():
            place = f"{self.title}!{merge.place}"
            expected = "one cell over several columns; it is read in the first and these are empty"
            note = Note(place, "L-merged", "warn", "、".join(empty), value, expected, merge.top)
            self.notes.append(note)

    def refuse_cells(self, cells: Sequence[tuple[int, int]], reason: str, what: str) -> None:
        """Refuse cells of the ledger's columns that hold no value; tell of others."""
        below = [cell for cell in cells if cell[0] > self.below]
        bad = [cell_name(*cell) for cell in below if cell[1] in self.known]
        if bad:
            more = f" and {len(bad) - _TOLD} more" if len(bad) > _TOLD else ""
            message = (
                f"{self.name}: {self.title}!{'、'.join(bad[:_TOLD])}{more} "
                f"{'hold' if len(bad) > 1 else 'holds'} {what}; "
                "open the workbook, mend the formula or type the value, and save it"
            )
            raise InputError(reason, message, file=self.name, sheet=self.title, cell=bad[0])
        if below:
            place = f"{self.title}!{cell_name(*below[0])}"
            expected = f"{what}, in {len(below)} cells of columns that are not read"
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
