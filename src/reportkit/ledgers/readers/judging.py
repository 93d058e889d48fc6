"""Judgement of the cells of a sheet, by what was seen of them.

The text of a cell is right, or a note says what is odd, or the workbook is refused with its place.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import replace
from itertools import chain, groupby
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
from xlsxwriter.utility import xl_col_to_name as column_name

from reportkit.errors import InputError
from reportkit.language import Message, joined
from reportkit.ledgers.normal import units
from reportkit.ledgers.readers.heading import find_head
from reportkit.ledgers.readers.sheet import cell_name
from reportkit.ledgers.readers.table import (
    Epoch,
    Note,
    Row,
    Tell,
    TextTable,
    records,
    rounded,
    rounded_persons,
)
from reportkit.ledgers.schema import heading_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reportkit.ledgers.readers.heading import Head
    from reportkit.ledgers.readers.sheet import Sheet
    from reportkit.ledgers.schema import Column, LedgerSchema

_SHOWN = 5


class Kind(NamedTuple):
    """Treatment of one kind of oddity in cells."""

    columns: tuple[str, ...]
    """Types of the columns in which it matters; the key column is of a type of its own here."""
    says: str
    rule: str = ""
    """Rule of the note about it."""
    reason: str = ""
    """For which the workbook is refused instead."""
    do: str = ""


_NUMBERS = ("integer", "amount")
_VALUES = ("key", "date", "category", "flag", *_NUMBERS)
_TEXTS = ("key", "text")
_ALL = (*_VALUES, "text")
_TYPE_IT = Message("open the workbook, mend the formula or type the value, and save it")
_FORMAT_IT = Message(
    "give the column a plain number format, and its numbers the unit of the heading"
)
# Each kind in a row: columns it matters in, its text, then the rule or the refusal.
KINDS = {
    "error": Kind(
        _ALL, Message("an error value (#N/A, #REF! …)"), reason="ledger-error-cell", do=_TYPE_IT
    ),
    "hollow": Kind(
        _ALL, Message("a formula that was never calculated"), reason="ledger-formula", do=_TYPE_IT
    ),
    "raised": Kind(
        _VALUES, Message("raised or lowered characters, as the sign of a note has"),
        reason="ledger-shown", do=Message("take them out"),
    ),
    "scaled": Kind(
        _NUMBERS, Message("a number that its format shows as another one"),
        reason="ledger-shown", do=_FORMAT_IT,
    ),
    "unit": Kind(
        _NUMBERS, Message("a number that its format shows in another unit than the heading"),
        reason="ledger-shown", do=_FORMAT_IT,
    ),
    "redated": Kind(
        ("date",), Message("a day that its format shows as another one"),
        reason="ledger-shown", do=Message("give the column a plain format of days"),
    ),
    "yearless": Kind(
        ("date",), Message("a day whose year its format does not show; the stored year counts"),
        "L-shown",
    ),
    "struck-part": Kind(
        _ALL, Message("a text of which a part is struck out"),
        reason="ledger-shown", do=Message("take that part out, or save the workbook as .xlsx"),
    ),
    "struck-run": Kind(_ALL, Message("a part that is struck out; it is left out"), "L-struck"),
    "struck": Kind(_ALL, Message("what is struck out; it is read all the same"), "L-struck"),
    "blind": Kind(
        (*_NUMBERS, "date"), Message("a number that its format does not show; it counts"), "L-shown"
    ),
    "short": Kind(_NUMBERS, Message("more digits than are shown; they count"), "L-shown"),
    "dressed": Kind(_TEXTS, Message("a number that is shown otherwise than it is read"), "L-shown"),
    "day": Kind(
        _TEXTS, Message("a day; a spreadsheet makes one of 3-1: format the column as text"), "L-day"
    ),
    "volatile": Kind(
        _ALL, Message("a formula that has another value whenever it is calculated"), "L-formula"
    ),
    "comment": Kind(_ALL, Message("a comment, which is not read"), "L-comment"),
    "unseen": Kind(
        _ALL, Message("what is written in the colour of its ground; it is read all the same"),
        "L-hidden",
    ),
    "conditional": Kind(
        _ALL,
        Message("what a conditional format may strike out or show otherwise; it is read as stored"),
        "L-shown",
    ),
    "rounded": Kind(_TEXTS, Message("a number that has lost digits"), "L-rounded"),
}  # fmt: skip
# Noted of a column that nobody reads, too.
_EVERYWHERE = ("error", "hollow")
_MERGED = Kind(
    _NUMBERS,
    Message("one number beside several records"),
    reason="ledger-merged",
    do=Message("unmerge the cells and write to each record what is its own"),
)


class SheetReading:
    """One sheet while its records are taken."""

    def __init__(self, sheet: Sheet, name: str, schema: LedgerSchema) -> None:
        self.sheet, self.name, self.schema = sheet, name, schema
        self.notes: list[Note] = []
        self.known: dict[int, Column] = {}
        """Columns of the ledger by their number in the sheet."""
        self.units: dict[int, int] = {}
        """Factor from the numbers of each column to 元, as its heading says."""
        self.seen: defaultdict[tuple[str, int], list[tuple[int, str]]] = defaultdict(list)
        """Rows and texts, by what was seen of them and the column."""
        self.struck: list[int] = []
        """Records that are struck out in all their cells."""

    def run(self, epoch: Epoch, tell: Tell) -> TextTable | None:
        """The records of the sheet; None where nothing stands in it."""
        filled = (row for row in self.sheet.rows if row.seen or any(map(str.strip, row.cells)))
        first = next(filled, None)
        if first is None:
            return None
        title, wanted = self.sheet.title, self.schema.headings()
        head = find_head(chain([first], filled), self.schema, self.name, title)
        if not self.sheet.visible:
            raise InputError(
                "ledger-hidden",
                "{file}: the sheet '{sheet}' is hidden and holds records of {name}; "
                "show it if they count, delete it if they do not",
                name=self.schema.name,
                file=self.name,
                sheet=title,
            )
        for number, key in enumerate(map(heading_key, head.titles)):
            if key in wanted:
                self.known[number], self.units[number] = wanted[key]
        head = replace(head, below=self._looked_at(head.below))
        columns, lines = records(head, self.schema, self.name, title, tell=tell)
        self._note_seen(set(lines.tolist()))
        self._unmerge(columns, lines.tolist(), head)
        self._note_hidden(lines.tolist())
        notes = sorted([*head.notes, *self.notes], key=lambda note: note.line or 0)
        return TextTable(columns, lines, sheet=title, notes=tuple(notes), epoch=epoch)

    def _looked_at(self, rows: Iterator[Row]) -> Iterator[Row]:
        """Rows below the heading, but a table's own row of sums; what was seen of them is kept."""
        for row in rows:
            if row.line in self.sheet.totals:
                expected = Message(
                    "the row of sums of a table in the sheet is set aside, not counted"
                )
                self._note("L-sum", str(row.line), expected)
                continue
            struck = {column for column, oddity, _ in row.seen if oddity == "struck"}
            whole = struck and struck.issuperset(
                at for at in self.known if "".join(row.cells[at : at + 1]).strip()
            )
            if whole:
                self.struck.append(row.line)
            for column, oddity, text in row.seen:
                owner = self.known.get(column)
                if owner is None or owner.personal:
                    kept = oddity in _EVERYWHERE or (owner and oddity == "rounded")
                else:
                    kind = "key" if owner.name == self.schema.key_column else owner.type
                    kept = kind in KINDS[oddity].columns and not (whole and oddity == "struck")
                    kept &= oddity != "unit" or _factor(text) != self.units[column]
                if kept:
                    self.seen[oddity, column].append((row.line, text))
            yield row

    def _note_seen(self, lines: set[int]) -> None:
        """Refuse what makes cells of the ledger doubtful; note the rest."""
        conditional = {
            (line, column)
            for top, left, bottom, right in self.sheet.conditional
            for column in self.known.keys() & range(left, right + 1)
            for line in lines
            if top <= line <= bottom
        }
        for oddity, cells in (("comment", self.sheet.comments), ("conditional", conditional)):
            for line, column in sorted(cells):
                if line in lines and column in self.known:
                    self.seen[oddity, column].append((line, ""))
        for oddity, kind in KINDS.items():
            columns = [column for seen, column in sorted(self.seen) if seen == oddity]
            own = [at for at in columns if at in self.known and not self.known[at].personal]
            if own and kind.reason:
                places = sorted((line, at) for at in own for line, _ in self.seen[oddity, at])
                self._refuse([cell_name(*place) for place in places], kind)
            for column in columns:
                self._note_column(kind, column, self.seen[oddity, column], own=column in own)

    def _note_column(
        self, kind: Kind, column: int, seen: Sequence[tuple[int, str]], *, own: bool
    ) -> None:
        owner = self.known.get(column)
        if kind.rule == "L-rounded" and owner and own:
            for line, text in seen:
                place = f"{self.sheet.title}!{cell_name(line, column)}"
                self.notes.append(rounded(owner, line, place, text))
        elif kind.rule == "L-rounded" and owner:
            place = f"{self.sheet.title}!{column_name(column)}"
            self.notes.append(rounded_persons(owner, place, len(seen)))
        elif kind.reason:
            expected = Message(
                "{says}, in {seen} cells of a column that is not read",
                says=kind.says,
                seen=len(seen),
            )
            self._note("L-cell", cell_name(seen[0][0], column), expected)
        else:
            place = _first([cell_name(line, column) for line, _ in seen])
            number = (
                Message("1 cell holds")
                if len(seen) == 1
                else Message("{seen} cells hold", seen=len(seen))
            )
            name, text = (owner.name, seen[0][1]) if owner and own else ("", "")
            found = "" if owner and owner.free_text else text
            self._note(kind.rule, place, joined(" ", [number, kind.says]), name, found)

    def _note(
        self,
        rule: str,
        place: str,
        expected: str,
        column: str = "",
        found: str = "",
        *,
        line: int | None = None,
    ) -> None:
        place = f"{self.sheet.title}!{place}"
        self.notes.append(Note(place, rule, "warn", column, found, expected, line))

    def _refuse(self, cells: Sequence[str], kind: Kind) -> None:
        more = (
            Message(" and {cells} more", cells=len(cells) - _SHOWN) if len(cells) > _SHOWN else ""
        )
        raise InputError(
            kind.reason,
            "{file}: {sheet}!{cells}{more} holds {says}; {do}",
            cells="、".join(cells[:_SHOWN]),
            more=more,
            says=kind.says,
            do=kind.do,
            file=self.name,
            sheet=self.sheet.title,
            cell=cells[0],
        )

    def _unmerge(
        self, columns: dict[str, pa.ChunkedArray], lines: Sequence[int], head: Head
    ) -> None:
        """A merged cell is what it shows: its first value, for each record that it stands beside.

        A number is not put to several records, and the key of one is not that of another. What
        stands in the other cells of a merged range is not shown, and is no value.
        """
        changes: defaultdict[int, dict[int, str]] = defaultdict(dict)
        doubtful: list[str] = []
        for top, left, bottom, right in sorted(self.sheet.merges):
            rows = range(bisect_left(lines, top), bisect_right(lines, bottom))
            if top <= head.line or not rows:
                continue
            title = head.titles[left] if left < head.width else ""
            shown = columns[title][rows[0]].as_py() if title and lines[rows[0]] == top else ""
            owner = self.known.get(left)
            place = f"{cell_name(top, left)}:{cell_name(bottom, right)}"
            own = owner if owner and not owner.personal and (shown or "").strip() else None
            spread = own and own.name != self.schema.key_column and len(rows) > 1
            if own and spread and own.type in _NUMBERS:
                doubtful.append(place)
                continue
            for column in range(left, min(right + 1, head.width)):
                for row in rows:
                    if row in changes[column]:
                        message = Message(
                            "merged ranges of {title} overlap at {place}",
                            title=self.sheet.title,
                            place=place,
                        )
                        raise ValueError(message)
                    first = column == left and (spread or lines[row] == top)
                    changes[column][row] = (shown or "") if first else ""
            if own and spread:
                expected = Message(
                    "one cell over several records; its value is taken for each of them"
                )
                self._note("L-merged", place, expected, own.name, shown)
            covered = [
                column.name
                for at, column in self.known.items()
                if left < at <= right and not column.personal
            ]
            if covered and (own or not owner):
                expected = Message(
                    "one cell over several columns; it is read in the first, these are empty"
                )
                self._note(
                    "L-merged", place, expected, "、".join(covered), shown if own else "", line=top
                )
        if doubtful:
            self._refuse(doubtful, _MERGED)
        hidden: list[str] = []
        for column, cells in changes.items():
            texts = columns[head.titles[column]].to_pylist() if head.titles[column] else []
            for row, text in cells.items() if texts else ():
                if (texts[row] or "").strip() and texts[row] != text:
                    hidden.append(cell_name(lines[row], column))
                texts[row] = text
            if texts:
                columns[head.titles[column]] = pa.chunked_array([texts], pa.string())
        if hidden:
            expected = Message(
                "{hidden} cells hold what a merged cell hides; it is not read", hidden=len(hidden)
            )
            self._note("L-merged", _first(hidden), expected)

    def _note_hidden(self, lines: Sequence[int]) -> None:
        """Note that records are hidden or struck out, and that a column is hidden."""
        hidden = sorted(self.sheet.hidden_rows.intersection(lines))
        for rule, rows, how in (
            ("L-hidden", hidden, Message("stand in hidden rows")),
            ("L-struck", self.struck, Message("are struck out")),
        ):
            if rows:
                self._note(
                    rule,
                    _runs(rows),
                    Message(
                        "{rows} records {how}; they are read all the same", rows=len(rows), how=how
                    ),
                )
        for first, last in self.sheet.hidden_columns:
            for number, column in sorted(self.known.items()):
                if first <= number <= last and not column.personal:
                    expected = Message("the column is hidden; it is read")
                    self._note("L-hidden", column_name(number), expected, column.name)


def _factor(unit: str) -> int | None:
    """Return the number of 元 in a unit, which a format may write short: 万."""
    return units().get(unit.removesuffix("元") + "元")


def _first(places: Sequence[str]) -> str:
    return ", ".join(places[:_SHOWN]) + " …" * (len(places) > _SHOWN)


def _runs(lines: Sequence[int]) -> str:
    """``3-4, 6`` for rows 3, 4 and 6."""
    # Lines that follow each other all have the same distance from their position in the list.
    runs = [
        [line for _, line in run]
        for _, run in groupby(enumerate(lines), lambda pair: pair[1] - pair[0])
    ]
    return _first([f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs])
