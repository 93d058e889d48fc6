"""Tables of one row in a published report: blocks beside each other, under heads of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from reportkit.audit.aligned import align
from reportkit.audit.columns import columns_of, values_of
from reportkit.audit.labels import form_rows, letters
from reportkit.audit.numbers import broken_row, read_cell
from reportkit.audit.read_table import ReadTable
from reportkit.audit.readers.lines import BROKEN, one_line
from reportkit.audit.together import in_blocks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reportkit.audit.entries import Entry
    from reportkit.audit.labels import FormRow
    from reportkit.forms import Edition, Table

T = TypeVar("T")


def read_line_table(entries: Sequence[Entry], table: Table, edition: Edition) -> ReadTable:
    """Read a table of one row.

    Parameters
    ----------
    entries : sequence of Entry
        Among which it can stand.
    table : Table
        Each of its rows is a block, which ends with its sum.
    edition : Edition
        The one that the table is of.
    """
    rows = form_rows(table)
    names = [name for row in rows for name in row.cells]
    made = ReadTable(table, edition, dict.fromkeys(names))
    under_heads = _under_heads(entries, rows[0])
    for at, entry in enumerate(entries):
        # So many numbers in a row are of no other table; fewer need its heads above them.
        if at not in under_heads and len(entry.filled) != len(names):
            continue
        texts = values_of(entry, len(names), columns_of([entry], len(names)))
        if texts is not None and (any(texts) or entry.grid is not None):
            for row, block in _blocks(rows, texts):
                _take(made, row, block, entry)
            break
        text = "".join(cell.text for cell in entry.filled)
        if len(text) >= len(names) and text.isdigit() and len(entry.filled) == 1:
            made.found = True
            numbers = in_blocks(text, len(rows), len(rows[0].cells))
            if numbers is None:
                made.unread.append(f"{table.title}：“{text}”不能确定各格的数")
            else:
                for row, some in _blocks(rows, numbers):
                    _take(made, row, made.infer(row, text, some), entry)
            break
        if pieces := _pieces(entries[at:], rows):
            for row, cells in pieces:
                _take(made, row, [text for text, _ in cells], cells[0][1])
            break
    if not made.found:
        _by_labels(made, entries, rows)
    if not made.found and under_heads:
        made.unread.append(f"{table.title}：没有找到各格的数")
    return made


def _blocks(rows: Sequence[FormRow], values: Iterable[T]) -> list[tuple[FormRow, list[T]]]:
    """Each row with its share of the values."""
    left = iter(values)
    return [(row, [next(left) for _ in row.cells]) for row in rows]


def _under_heads(entries: Sequence[Entry], row: FormRow) -> set[int]:
    """Entries shortly after the names of the columns, which can stand a name a line."""
    found: set[int] = set()
    for at in range(len(entries)):
        if not any(head in letters(entries[at].label) for head in row.heads):
            continue
        around = entries[max(at - 3 * len(row.heads), 0) : at + 1]
        text = "".join(letters(entry.label) for entry in around)
        if sum(head in text for head in row.heads) >= len(row.heads) - 1:
            found |= {at, *range(at + 1, min(at + 6, len(entries)))}
    return found


def _pieces(
    entries: Sequence[Entry], rows: Sequence[FormRow]
) -> list[tuple[FormRow, list[tuple[str, Entry]]]]:
    """The blocks in a few rows below each other, without labels: five numbers, then ten."""
    size, count = len(rows[0].cells), sum(len(row.cells) for row in rows)
    texts: list[tuple[str, Entry]] = []
    for entry in entries[:12]:
        if len(texts) < count and entry.filled and len(entry.filled) % size == 0:
            texts += [(cell.text, entry) for cell in entry.filled]
    return _blocks(rows, texts) if len(texts) == count else []


def _by_labels(made: ReadTable, entries: Sequence[Entry], rows: Sequence[FormRow]) -> None:
    """A table in which each block is a row with a label of its own."""
    aligned = align(entries, rows)
    if len(aligned.entries) < len(rows):
        return
    for row in rows:
        texts = aligned.texts[row.key]
        if len(texts) == len(row.cells):
            _take(made, row, texts, aligned.entries[row.key])


def _take(made: ReadTable, row: FormRow, texts: Sequence[str], entry: Entry) -> None:
    """Take the cells of a block; a number on two lines is one where the block's sum says so."""
    made.found = True
    if any(BROKEN in text for text in texts) and (numbers := broken_row(texts)):
        texts = made.infer(row, "、".join(texts), numbers)
    made.fill(row, texts, entry.line)
    for text in texts:
        if not read_cell(text).clear:
            made.unread.append(f"{made.table.title}：“{one_line(text)}”不是一个数")
