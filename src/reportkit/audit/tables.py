"""The tables of a published report by the form: each cell's value, or that it cannot be known."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from reportkit.audit.aligned import Aligned, align
from reportkit.audit.entries import columns_of, entries_of, values_of
from reportkit.audit.labels import form_rows, form_words, heads_score, letters
from reportkit.audit.numbers import read_cell
from reportkit.audit.readers.lines import BROKEN
from reportkit.audit.together import TableSums, in_blocks, jointly, only_split, row_splits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reportkit.audit.entries import Entry
    from reportkit.audit.labels import FormRow
    from reportkit.audit.readers.lines import Line
    from reportkit.forms import Edition, Form, Table

_NO_TABLE = 3
"""Rows found by less than this are no table."""
_HEADS = 0.4
"""An edition whose heads are named by so much less than another's is not the one."""


@dataclass
class ReadTable:
    """One table as it was read.

    Parameters
    ----------
    table : Table
    edition : Edition
        Whose rows it has.
    values : mapping of str to Decimal or None
        By fact id; None where a cell is blank or cannot be read.
    lines : mapping of str to Line
        Where each cell stands.
    printed : mapping of str to str
        The text of each cell.
    unread : list of str
        What is printed and could not be read.
    inferred : list of str
        What only the sums of the form tell.
    by_sums : set of str
        The cells that are so known.
    aside : list of (str, list of str)
        Rows that the form does not have: label and texts.
    found : bool
        False where the document has no such table.
    """

    table: Table
    edition: Edition
    values: dict[str, Decimal | None]
    lines: dict[str, Line] = field(default_factory=dict)
    printed: dict[str, str] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    inferred: list[str] = field(default_factory=list)
    by_sums: set[str] = field(default_factory=set)
    aside: list[tuple[str, list[str]]] = field(default_factory=list)
    found: bool = False

    def infer(self, row: FormRow, text: str, numbers: Sequence[int]) -> list[str]:
        """Note that only sums tell the cells of a row; return their texts."""
        told = [str(number) for number in numbers]
        self.by_sums |= set(row.cells)
        self.inferred.append(
            f"{row.title}：“{text.replace(BROKEN, ' ')}”按勾稽关系读作{'、'.join(told)}"
        )
        return told

    @property
    def known(self) -> dict[str, Decimal]:
        """The cells that are known."""
        return {name: value for name, value in self.values.items() if value is not None}

    @property
    def blank(self) -> list[str]:
        """Cells that are printed blank."""
        return [n for n, text in self.printed.items() if self.values[n] is None and _empty(text)]


def _empty(text: str) -> bool:
    printed = read_cell(text)
    return printed.value is None and printed.clear


def read_tables(lines: Sequence[Line], form: Form, edition: Edition) -> list[ReadTable]:
    """Read all tables of a form.

    Parameters
    ----------
    lines : sequence of Line
    form : Form
    edition : Edition
        The one that the report's year must use; each table may be of another.
    """
    words = dict.fromkeys(word for one in form.editions for word in form_words(one))
    entries = entries_of(lines, words)
    read: list[ReadTable] = []
    # The largest table is the surest, and tells where the others can be.
    order = sorted(edition.tables, key=lambda name: -len(form_rows(edition.tables[name])))
    spans: dict[str, tuple[int, int]] = {}
    for name in order:
        start, end = _where(name, spans, len(entries))
        some = entries[start:end]
        table = edition.tables[name]
        if table.model.layout == "line":
            made = _read_line(some, table, edition)
            # It can stand beside another.
            made = made if made.found else _read_line(entries, table, edition)
        else:
            made, span = _read_grid(some, name, form, edition)
            if made.found:
                spans[name] = (span[0] + start, span[1] + start)
        if not made.found and not made.unread:
            made.unread.append(f"{table.title}：没有找到这张表")
        read.append(made)
    return sorted(read, key=lambda one: one.table.id)


def _where(name: str, spans: Mapping[str, tuple[int, int]], count: int) -> tuple[int, int]:
    """Between which entries a table can stand: behind those before it, before those after it."""
    start = max((last + 1 for other, (_, last) in spans.items() if other < name), default=0)
    end = min((first for other, (first, _) in spans.items() if other > name), default=count)
    return (start, end) if start < end else (0, count)


def _read_grid(
    entries: Sequence[Entry], name: str, form: Form, due: Edition
) -> tuple[ReadTable, tuple[int, int]]:
    """Read a table of rows in the edition that fits best; of equals, in the one that is due."""
    usual = form_rows(due.tables[name])
    ways = []
    for one in form.editions:
        if name in one.tables:
            aligned = align(entries, _rows_of(form, one, name))
            heads = _heads(entries, aligned)
            if one is due or _has_own_rows(entries, aligned, usual, heads):
                weight = round(aligned.weight + 0.5 * sum(heads), 3)
                ways.append((sum(heads) / max(len(heads), 1), weight, one is due, aligned, one))
    most = max(way[0] for way in ways)
    ways = [way for way in ways if way[0] > most - _HEADS]
    *_, aligned, edition = max(ways, key=lambda way: way[1:3])
    table = edition.tables[name]
    made = ReadTable(table, edition, {})
    if not _is_table(entries, aligned):
        edition = due
        made = ReadTable(due.tables[name], due, {})
        for row in form_rows(due.tables[name]):
            made.values |= dict.fromkeys(row.cells)
        return made, (0, 0)
    made.found = True
    units = {cell.id: cell.unit for cell in edition.cells(edition.model.years.first)}
    runs = _no_blanks(aligned)
    for row in aligned.rows:
        _read_row(made, row, aligned, units, runs=runs)
    _apart(made, aligned, edition)
    _told(made, aligned)
    return made, aligned.span


def _rows_of(form: Form, edition: Edition, name: str) -> list[FormRow]:
    """Rows of a table that are known by the labels of the other editions too."""
    rows = form_rows(edition.tables[name])
    own = {label for row in rows for label in row.names}
    others: dict[str, dict[str, None]] = {}
    for one in form.editions:
        for row in form_rows(one.tables[name]) if name in one.tables else ():
            others.setdefault(row.key, {}).update(dict.fromkeys(row.names))
    return [
        replace(row, names=(*row.names, *(n for n in others[row.key] if n not in own)))
        for row in rows
    ]


def _is_table(entries: Sequence[Entry], aligned: Aligned) -> bool:
    """Return True for enough rows, or for one right below the names of all its columns."""
    enough = min(_NO_TABLE, len(aligned.rows))
    return len(aligned.entries) >= enough or bool(_headed(entries, aligned))


def _headed(entries: Sequence[Entry], aligned: Aligned) -> set[str]:
    """Rows that stand right below the names of all their columns, which are more than one."""
    found = set()
    for row in aligned.rows:
        entry = aligned.entries.get(row.key)
        if entry is not None and len(row.heads) > 1:
            at = next(at for at, one in enumerate(entries) if one is entry)
            # A name a line, where cells are lines.
            above = [one for one in entries[max(at - len(row.heads), 0) : at] if not one.cells]
            head = [cell.text for one in above for cell in one.line.cells]
            if heads_score(head, row) == 1.0:
                found.add(row.key)
    return found


def _has_own_rows(
    entries: Sequence[Entry], aligned: Aligned, usual: Sequence[FormRow], heads: Sequence[float]
) -> bool:
    """Return True where rows that only this edition has were found: half of them, or with heads."""
    known = {(row.key, row.columns) for row in usual}
    own = [row.key for row in aligned.rows if (row.key, row.columns) not in known]
    if not _headed(entries, aligned).isdisjoint(own):
        return True
    # Rows of other columns alone are no sign: 1 808 595 can be three numbers.
    new = aligned.entries.keys() - {row.key for row in usual}
    found = sum(key in aligned.entries for key in own)
    return 2 * found > len(own) and (bool(new) or max(heads, default=0.0) > 0.5)


def _no_blanks(aligned: Aligned) -> bool:
    """Return True where every row has at least as many digits as cells: none can be blank."""
    return all(
        row.key in aligned.entries
        and sum(len(cell.text) for cell in aligned.entries[row.key].filled) >= len(row.cells)
        for row in aligned.rows
    )


def _heads(entries: Sequence[Entry], aligned: Aligned) -> list[float]:
    """For each row that was found, how well the heads of its columns are named above it."""
    told = []
    for row in aligned.rows:
        entry = aligned.entries.get(row.key)
        if entry is not None:
            at = next(at for at, one in enumerate(entries) if one is entry)
            above = entries[max(at - 4, 0) : at]
            scores = (heads_score([c.text for c in one.line.cells], row) for one in above)
            told.append(max(scores, default=0.0))
    return told


def _read_row(
    made: ReadTable, row: FormRow, aligned: Aligned, units: Mapping[str, str], *, runs: bool
) -> None:
    entry = aligned.entries.get(row.key)
    texts = aligned.texts.get(row.key, [])
    if runs and entry is not None and len(entry.filled) == 1 and len(texts) == 1 < len(row.cells):
        split = only_split(texts[0], len(row.cells))
        summed = _sums(made.edition, row.table) is not None
        # 153 can be 15, a blank and 3, but noughts are one a cell. A row of a table with sums must
        # keep its own; what it can be else, the others tell.
        clear = sum(split[:-1]) == split[-1] if split and summed else not any(split or ())
        if split is not None and clear:
            texts = made.infer(row, texts[0], split)
    if entry is None or len(texts) != len(row.cells):
        made.values |= dict.fromkeys(row.cells)
        if entry is not None:
            made.lines |= dict.fromkeys(row.cells, entry.line)
        return
    for name, text in zip(row.cells, texts, strict=True):
        made.values[name] = read_cell(text).in_unit(units[name])
        made.lines[name] = entry.line
        made.printed[name] = text


def _apart(made: ReadTable, aligned: Aligned, edition: Edition) -> None:
    """Rows and numbers that are not clear, where the sums of the table leave one reading."""
    rows = {row.key: row for row in aligned.rows}
    candidates: dict[str, list[tuple[int, ...]]] = {}
    open_rows: dict[str, str] = {}
    for key, row in rows.items():
        texts = aligned.texts.get(key)
        values = [made.values[name] for name in row.cells]
        if all(value is not None for value in values):
            if any(value % 1 for value in values if value is not None):
                return
            candidates[key] = [tuple(int(value) for value in values if value is not None)]
        elif texts is not None and len(texts) == 1 < len(row.cells):
            candidates[key] = list(row_splits(texts[0], len(row.cells)))
            open_rows[key] = texts[0]
        elif texts is not None and (ways := _clear_ways(texts)):
            candidates[key] = ways
            open_rows[key] = "、".join(texts)
    sums = _sums(edition, made.table.id)
    if not open_rows or sums is None:
        return
    solution = jointly(candidates, sums)
    if solution is None:
        return
    for key, text in open_rows.items():
        if key not in solution:
            continue
        made.printed |= zip(
            rows[key].cells, made.infer(rows[key], text, solution[key]), strict=True
        )
        made.values |= zip(rows[key].cells, map(Decimal, solution[key]), strict=True)


def _clear_ways(texts: Sequence[str]) -> list[tuple[int, ...]]:
    """Readings of a row in which numbers stand on two lines; none where a cell is blank."""
    row: list[int] = []
    for text in texts:
        if BROKEN in text and text.replace(BROKEN, "").isdigit():
            row.append(int(text.replace(BROKEN, "")))
            continue
        value = read_cell(text).value
        if value is None or value % 1:
            return []
        row.append(int(value))
    return [tuple(row)] if sum(row[:-1]) == row[-1] else []


def _sums(edition: Edition, table: str) -> TableSums | None:
    """The rows of a table that add up to others, as the rules of the form say."""
    both: tuple[Sequence[str], Sequence[str]] | None = None
    total: str | None = None
    for rule in edition.rules:
        if rule.equal and rule.equal.table == table and rule.equal.each == "column":
            if rule.equal.left == "parts":
                total = rule.equal.right[0]
            else:
                both = (rule.equal.left, rule.equal.right)
    if both is None or total is None or total not in both[1]:
        return None
    leaves = {
        leaf.key: leaf
        for band in edition.tables[table].model.bands
        for leaf in edition.tables[table].rows(band)
    }
    return TableSums(both[0], both[1], leaves[total].parts, total)


def _told(made: ReadTable, aligned: Aligned) -> None:
    """Note what is unread, and the rows of others."""
    for row in aligned.rows:
        entry = aligned.entries.get(row.key)
        missing = [name for name in row.cells if made.values[name] is None]
        if entry is None:
            made.unread.append(
                f"{made.table.title}，{row.title}：没有找到这一行，或不能确定是哪一行"
            )
        elif missing and row.cells[0] not in made.printed:
            text = " ".join(cell.text for cell in entry.filled).replace(BROKEN, " ")
            made.unread.append(f"{made.table.title}，{row.title}：“{text}”不能确定各格的数")
        else:
            for name in missing:
                text = made.printed[name]
                if not _empty(text):
                    shown = text.replace(BROKEN, " ")
                    made.unread.append(f"{made.table.title}，{row.title}：“{shown}”不是一个数")
    made.aside += [(entry.label, [cell.text for cell in entry.cells]) for entry in aligned.aside]


def _read_line(entries: Sequence[Entry], table: Table, edition: Edition) -> ReadTable:
    """Read a table of one row: blocks beside each other, under heads of their own."""
    rows = form_rows(table)
    cells = [name for row in rows for name in row.cells]
    size = len(rows[0].columns)
    made = ReadTable(table, edition, dict.fromkeys(cells))
    under_heads = _under_heads(entries, rows[0])
    for at, entry in enumerate(entries):
        # So many numbers in a row are of no other table; fewer need its heads above them.
        if at not in under_heads and len(entry.filled) != len(cells):
            continue
        columns = columns_of([entry], len(cells))
        texts = values_of(entry, len(cells), columns)
        if texts is not None and (any(texts) or entry.grid is not None):
            _take(made, rows, texts, entry)
            break
        text = "".join(cell.text for cell in entry.filled)
        if len(text) >= len(cells) and text.isdigit() and len(entry.filled) == 1:
            split = in_blocks(text, len(rows), size)
            made.found = True
            if split is None:
                made.unread.append(f"{table.title}：“{text}”不能确定各格的数")
            else:
                for at, row in enumerate(rows):
                    some = split[at * size : (at + 1) * size]
                    _take(made, [row], made.infer(row, text, some), entry)
            break
        if pieces := _pieces(entries[at:], rows, size):
            for row, (texts, where) in zip(rows, pieces, strict=True):
                _take(made, [row], texts, where)
            break
    if not made.found:
        _by_blocks(made, entries, rows)
    if not made.found and under_heads:
        made.unread.append(f"{table.title}：没有找到各格的数")
    return made


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
    entries: Sequence[Entry], rows: Sequence[FormRow], size: int
) -> list[tuple[list[str], Entry]] | None:
    """The blocks in a few rows below each other, without labels: five numbers, then ten."""
    texts: list[tuple[str, Entry]] = []
    for entry in entries[:12]:
        if len(texts) >= len(rows) * size:
            break
        if entry.filled and len(entry.filled) % size == 0:
            texts += [(cell.text, entry) for cell in entry.filled]
    if len(texts) != len(rows) * size:
        return None
    return [
        ([text for text, _ in texts[at : at + size]], texts[at][1])
        for at in range(0, len(texts), size)
    ]


def _by_blocks(made: ReadTable, entries: Sequence[Entry], rows: Sequence[FormRow]) -> None:
    """A table in which each block is a row with a label of its own."""
    aligned = align(entries, rows)
    if len(aligned.entries) < len(rows):
        return
    for row in rows:
        texts = aligned.texts[row.key]
        if len(texts) == len(row.cells):
            _take(made, [row], texts, aligned.entries[row.key])


def _take(made: ReadTable, rows: Sequence[FormRow], texts: Sequence[str], entry: Entry) -> None:
    """The cells of blocks, each of which ends with its sum."""
    made.found = True
    left = iter(texts)
    for row in rows:
        some = [next(left) for _ in row.cells]
        if any(BROKEN in text for text in some) and (ways := _clear_ways(some)):
            some = made.infer(row, "、".join(some), ways[0])
        for name, text in zip(row.cells, some, strict=True):
            printed = read_cell(text)
            made.values[name] = printed.value
            made.lines[name] = entry.line
            made.printed[name] = text
            if not printed.clear:
                shown = text.replace(BROKEN, " ")
                made.unread.append(f"{made.table.title}：“{shown}”不是一个数")
