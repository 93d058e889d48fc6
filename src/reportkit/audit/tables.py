"""The tables of a published report by the form: each cell's value, or that it cannot be known."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from reportkit.audit.aligned import Aligned, align
from reportkit.audit.entries import entries_of
from reportkit.audit.labels import form_rows, form_words, heads_score
from reportkit.audit.line_tables import read_line_table
from reportkit.audit.numbers import broken_row, is_blank
from reportkit.audit.page_breaks import joined_pages
from reportkit.audit.read_table import ReadTable
from reportkit.audit.readers.lines import one_line
from reportkit.audit.together import TableSums, jointly, only_split, row_splits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reportkit.audit.entries import Entry
    from reportkit.audit.labels import FormRow
    from reportkit.audit.readers.lines import Line
    from reportkit.forms import Edition, Form

_NO_TABLE = 3
"""Rows found by less than this are no table."""
_HEADS = 0.4
"""An edition whose heads are named by so much less than another's is not the one."""


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
    entries = entries_of(joined_pages(lines), words)
    read: list[ReadTable] = []
    # The largest table is the surest, and limits where the others can be.
    order = sorted(edition.tables, key=lambda name: -len(form_rows(edition.tables[name])))
    spans: dict[str, tuple[int, int]] = {}
    for name in order:
        start, end = _where(name, spans, len(entries))
        table = edition.tables[name]
        if table.model.layout == "line":
            made = read_line_table(entries[start:end], table, edition)
            # It can stand beside another.
            made = made if made.found else read_line_table(entries, table, edition)
        else:
            made, aligned = _read_grid(entries[start:end], name, form, edition)
            if made.found:
                first, last = aligned.span
                spans[name] = (first + start, last + start)
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
) -> tuple[ReadTable, Aligned]:
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
    if not _is_table(entries, aligned):
        cells = (name for row in usual for name in row.cells)
        return ReadTable(due.tables[name], due, dict.fromkeys(cells)), aligned
    made = ReadTable(edition.tables[name], edition, {}, found=True)
    units = {cell.id: cell.unit for cell in edition.cells(edition.model.years.first)}
    full = _no_blanks(aligned)
    for row in aligned.rows:
        _read_row(made, row, aligned, units, full=full)
    _solve(made, aligned, edition)
    made.unread += _unread(made, aligned)
    made.extra_rows += [
        (entry.label, [cell.text for cell in entry.cells]) for entry in aligned.extra
    ]
    return made, aligned


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
        if row.key in aligned.places and len(row.heads) > 1:
            at = aligned.places[row.key]
            # A name a line, where cells are lines.
            above = [one for one in entries[max(at - len(row.heads), 0) : at] if not one.cells]
            if heads_score([cell.text for one in above for cell in one.line.cells], row) == 1.0:
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
    scores = []
    for row in aligned.rows:
        if row.key in aligned.places:
            at = aligned.places[row.key]
            lines = ([cell.text for cell in one.line.cells] for one in entries[max(at - 4, 0) : at])
            scores.append(max((heads_score(texts, row) for texts in lines), default=0.0))
    return scores


def _read_row(
    made: ReadTable, row: FormRow, aligned: Aligned, units: Mapping[str, str], *, full: bool
) -> None:
    """Read the cells of a row; in a table without blanks a run of digits may be just one row."""
    entry = aligned.entries.get(row.key)
    texts = aligned.texts.get(row.key, [])
    if full and entry is not None and len(entry.filled) == 1 and len(texts) == 1 < len(row.cells):
        split = only_split(texts[0], len(row.cells))
        summed = _sums(made.edition, row.table) is not None
        # 153 can be 15, a blank and 3, but noughts are one a cell. A row of a table with sums must
        # keep its own; what it can be else, the others tell.
        clear = sum(split[:-1]) == split[-1] if split and summed else not any(split or ())
        if split is not None and clear:
            texts = made.infer(row, texts[0], split)
    if entry is not None and len(texts) == len(row.cells):
        made.fill(row, texts, entry.line, units)
        return
    made.values |= dict.fromkeys(row.cells)
    if entry is not None:
        made.lines |= dict.fromkeys(row.cells, entry.line)


def _solve(made: ReadTable, aligned: Aligned, edition: Edition) -> None:
    """Read rows that run together or are broken, where the sums of the table leave one way."""
    sums = _sums(edition, made.table.id)
    candidates: dict[str, Sequence[tuple[int, ...]]] = {}
    unclear: dict[str, str] = {}
    for row in aligned.rows:
        texts = aligned.texts.get(row.key, [])
        values = [value for name in row.cells if (value := made.values[name]) is not None]
        if len(values) == len(row.cells):
            if any(value % 1 for value in values):
                return
            candidates[row.key] = [tuple(map(int, values))]
        elif len(texts) == 1 < len(row.cells):
            candidates[row.key] = row_splits(texts[0], len(row.cells))
            unclear[row.key] = texts[0]
        elif numbers := broken_row(texts):
            candidates[row.key] = [numbers]
            unclear[row.key] = "、".join(texts)
    if not unclear or sums is None:
        return
    solution = jointly(candidates, sums) or {}
    for row in aligned.rows:
        if row.key in unclear and row.key in solution:
            numbers = solution[row.key]
            texts = made.infer(row, unclear[row.key], numbers)
            made.printed |= zip(row.cells, texts, strict=True)
            made.values |= zip(row.cells, map(Decimal, numbers), strict=True)


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


def _unread(made: ReadTable, aligned: Aligned) -> Iterator[str]:
    """Yield what could not be read: rows, numbers of a row, single cells."""
    for row in aligned.rows:
        entry = aligned.entries.get(row.key)
        name = f"{made.table.title}，{row.title}"
        missing = [name for name in row.cells if made.values[name] is None]
        if entry is None:
            yield f"{name}：没有找到这一行，或不能确定是哪一行"
        elif missing and row.cells[0] not in made.printed:
            text = one_line(" ".join(cell.text for cell in entry.filled))
            yield f"{name}：“{text}”不能确定各格的数"
        else:
            for cell in missing:
                if not is_blank(made.printed[cell]):
                    yield f"{name}：“{one_line(made.printed[cell])}”不是一个数"
