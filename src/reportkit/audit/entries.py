"""Lines into entries: a label, and the cells after it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from reportkit.audit.labels import numbered
from reportkit.audit.numbers import UNIT, is_value
from reportkit.audit.readers.lines import BROKEN, Line, Piece, squeeze, text_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_TAIL = re.compile(r"(.*[^\d\s,.+-])([+-]?\d[\d,.+-]*(?:万?元|[件条项宗个])?(?:\(.*\))?)")
_WITH_UNITS = re.compile(
    rf"(.*?[^\d\s,.+-])??((?:[+-]?\d[\d,]*(?:\.\d+)?{UNIT.pattern}(?:\([^()]*\))?){{2,}})"
)
_NUMBER = re.compile(rf"[+-]?\d[\d,]*(?:\.\d+)?{UNIT.pattern}(?:\([^()]*\))?")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?: \d{3})+(?:\.\d+)?")
_GROUP = re.compile(r"\d{3}(?:\D.*)?|\d{3}\d+")
_NO_END = ("第", "(", "〔")  # of a label: the number is a part of it
_RUN = 7  # digits from which a number alone is likely a row that runs together
_NEAR = 6.0  # points between the middles of cells of one column


@dataclass(frozen=True)
class Entry:
    """A possible row of a table.

    Parameters
    ----------
    label : str
        The texts before its values.
    others : tuple of str
        Further labels that may be its own: with those of the lines around it.
    cells : tuple of Piece
        Its values, and blank cells.
    line : Line
        Where it stands.
    """

    label: str
    others: tuple[str, ...]
    cells: tuple[Piece, ...]
    line: Line

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels that may be its own, its own first."""
        return (self.label, *self.others)

    @property
    def filled(self) -> tuple[Piece, ...]:
        """Cells in which something is printed."""
        return tuple(cell for cell in self.cells if cell.text)

    @property
    def grid(self) -> int | None:
        """The table that it stands in."""
        return self.line.table


def entries_of(lines: Sequence[Line], words: Iterable[str]) -> list[Entry]:
    """Entries of a document, in order.

    Parameters
    ----------
    lines : sequence of Line
    words : iterable of str
        Labels of the form, at which a text that runs on is cut.
    """
    pattern = _labels_pattern(words)
    cut = [piece for line in _joined_pages(lines) for piece in _cut(line, pattern)]
    cut = _without_page_numbers([_with_units(line) for line in cut])
    entries: list[Entry] = []
    at = 0
    while at < len(cut):
        line = cut[at]
        if line.table is not None:
            entries += map(_split, _beside(line))
            at += 1
            continue
        entry = _split(_apart(line))
        values = [*entry.cells]
        # A cell a line: what follows a label until the next one are its values.
        if _is_stacked(line, entry):
            while at + 1 < len(cut) and (cell := _alone(cut, at + 1)):
                at += 1
                values.append(cell)
        entries.append(replace(entry, cells=tuple(values)))
        at += 1
    return _labelled(_with_tails(entries))


def _with_tails(entries: Sequence[Entry]) -> list[Entry]:
    """Lines of a page without rules, with what of their numbers has been wrapped below them."""
    made: list[Entry] = []
    for entry in entries:
        before = made[-1] if made else None
        if before is not None and _is_tail(before, entry):
            tails = {_near(before, cell): cell.text for cell in entry.cells}
            cells = tuple(
                replace(cell, text=cell.text + BROKEN + tails[at]) if at in tails else cell
                for at, cell in enumerate(before.cells)
            )
            made[-1] = replace(before, cells=cells)
        else:
            made.append(entry)
    return made


def _is_tail(before: Entry, entry: Entry) -> bool:
    one, line = before.line, entry.line
    if not (one.y and line.y and one.ragged and line.ragged):
        return False
    # The last row of a page has it on the next one.
    close = one.page != line.page or line.y - one.y < 1.7 * max(line.height, 1)
    digits = all(cell.text.isdigit() for cell in entry.cells)
    fewer = 0 < len(entry.cells) < len(before.cells)
    return (
        close
        and digits
        and fewer
        and len(before.cells) > 2
        and all(_near(before, cell) is not None for cell in entry.cells)
        and not any(not is_value(cell.text) for cell in line.cells)
    )


def _near(entry: Entry, cell: Piece) -> int | None:
    """The value of an entry that stands above another."""
    found = [at for at, one in enumerate(entry.cells) if abs(one.at - cell.at) < 2 * _NEAR]
    return found[0] if len(found) == 1 else None


def _is_stacked(line: Line, entry: Entry) -> bool:
    """A label alone, or a value of a label that is lost; a row that runs together is neither."""
    if entry.label:
        return not entry.cells
    return len(line.cells) == 1 and len(line.cells[0].text) < _RUN


def _is_single(line: Line) -> bool:
    return line.table is None and len(line.cells) == 1 and is_value(line.cells[0].text)


def _alone(lines: Sequence[Line], at: int) -> Piece | None:
    """The value of a line that holds one; its thousands can be apart where each line holds one."""
    line = lines[at]
    if _is_single(line):
        return line.cells[0]
    text = " ".join(cell.text for cell in line.cells)
    if (
        line.table is None
        and _THOUSANDS.fullmatch(text)
        and any(map(_is_single, _around(lines, at)))
    ):
        return replace(line.cells[0], text=text.replace(" ", ""))
    return None


def _around(lines: Sequence[Line], at: int) -> Sequence[Line]:
    return [*lines[at - 1 : at], *lines[at + 1 : at + 2]]


def _split(line: Line) -> Entry:
    """The label, and what follows the last cell that can be no value."""
    last = max((at for at, cell in enumerate(line.cells) if _is_label(cell.text)), default=-1)
    label = "".join(cell.text for cell in line.cells[: last + 1])
    return Entry(label, (), line.cells[last + 1 :], line)


def _beside(line: Line) -> Iterator[Line]:
    """A row of a grid, cut where a label follows values: another table's row, or a remark."""
    first = begun = 0
    labelled = False
    for at, cell in enumerate(line.cells):
        if not _is_label(cell.text):
            continue
        between = [one.text for one in line.cells[begun:at] if one.text]
        # A number or two before the label are those of the row.
        some = between if labelled else between[2:]
        if some and not any(map(numbered, between)):
            yield replace(line, cells=line.cells[first:at])
            first = at
        labelled, begun = True, at + 1
    yield replace(line, cells=line.cells[first:])


def _is_label(text: str) -> bool:
    return bool(text) and not is_value(text)


def _with_units(line: Line) -> Line:
    """A line of words in which a unit stands with its number."""
    if not line.ragged:
        return line
    cells: list[Piece] = []
    for cell in line.cells:
        if cells and UNIT.fullmatch(cell.text) and cells[-1].text[-1:].isdigit():
            number = cells[-1]
            left, right = number.at - number.wide / 2, cell.at + cell.wide / 2
            cells[-1] = Piece(number.text + cell.text, (left + right) / 2, right - left)
        else:
            cells.append(cell)
    return replace(line, cells=tuple(cells)) if len(cells) < len(line.cells) else line


def _apart(line: Line) -> Line:
    """A line of words, the values that are stuck to the label's last word taken apart."""
    for at in range(len(line.cells) - 1, -1, -1):
        cell = line.cells[at]
        if not _is_label(cell.text):
            continue
        if match := _WITH_UNITS.fullmatch(cell.text):
            texts = [match[1] or "", *_NUMBER.findall(match[2])]
        elif match := _TAIL.fullmatch(cell.text):
            texts = [match[1], match[2]]
        if match and (
            not texts[0] or (_CHINESE.search(texts[0]) and not texts[0].endswith(_NO_END))
        ):
            pieces = [Piece(text, cell.at) for text in texts if text]
            rest = line.cells[at + 1 :]
            if not line.y and any(_GROUP.fullmatch(one.text) for one in rest):
                # Numbers that run together, of which a blank can part thousands or cells.
                run = BROKEN.join(one.text for one in (pieces.pop(), *rest))
                pieces, rest = [*pieces, Piece(run, cell.at)], ()
            return replace(line, cells=(*line.cells[:at], *pieces, *rest))
        return line
    return line


def _labels_pattern(words: Iterable[str]) -> re.Pattern[str]:
    # As readers give it: NFKC makes the brackets of a numbering half as wide.
    loose = [r"\s*".join(map(re.escape, squeeze(word))) for word in words]
    return re.compile("|".join(sorted(loose, key=len, reverse=True)))


def _cut(line: Line, labels: re.Pattern[str]) -> Iterator[Line]:
    """A line of text in which several labels have values, cut before each label."""
    if line.table is not None or len(line.text) < 20:
        yield line
        return
    found = list(labels.finditer(line.text))
    with_values = [m for m in found if re.match(r"\s*[+-]?\d", line.text[m.end() :])]
    if len(with_values) < 2 or line.y:
        yield line
        return
    starts = [0, *(match.start() for match in found)]
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        if piece := line.text[start:end].strip():
            yield text_line(piece, line.row, line.page)


def _without_page_numbers(lines: list[Line]) -> list[Line]:
    """Lines but for the number at the foot or head of a page."""
    kept = []
    for before, line, after in zip([None, *lines], lines, [*lines[1:], None], strict=False):
        ends = (
            after is None or after.page != line.page,
            before is None or before.page != line.page,
        )
        alone = line.table is None and re.fullmatch(r"[-—–·\s]*\d{1,3}[-—–·\s]*", line.text)
        marked = alone and re.fullmatch(r"[-—–·]\s*\d{1,3}\s*[-—–·]", line.text)
        if not (marked or (alone and line.page is not None and line.y and any(ends))):
            kept.append(line)
    return kept


def _joined_pages(lines: Sequence[Line]) -> list[Line]:
    """Lines with those rows made one that a page break has cut in two."""
    made: list[Line] = []
    tables: dict[int, list[str]] = {0: []}
    last: int | None = None  # the row before, wherever it stands
    for line in lines:
        made.append(line)
        if line.table is None or line.page is None:
            continue
        earlier = tables[max(number for number in tables if number < line.table)]
        rows = tables.setdefault(line.table, [])
        rows.append(line.text)
        # A head that each page repeats stands between the halves of a row.
        if rows == earlier[: len(rows)]:
            continue
        begins = line.edge or rows[:-1] == earlier[: len(rows) - 1]
        before = made[last] if last is not None else line
        whole = None
        if begins and before.edge and before.page == line.page - 1:
            whole = _whole(before, line)
        if last is not None and whole:
            made[last] = whole
            made.pop()
        else:
            last = len(made) - 1
    return made


def _whole(first: Line, second: Line) -> Line | None:
    """The row that two halves are of; None where they are two rows."""
    upper, lower = _split(first), _split(second)
    if lower.filled and upper.filled:
        return _both(first, upper, lower)
    own = [cell.text for cell in second.cells if _is_label(cell.text)]
    if not own or any(map(numbered, own)) or len(first.cells) < 2 or not upper.label:
        return None
    if not lower.cells and not upper.cells:
        return None
    values = (upper if upper.filled or not lower.filled else lower).cells
    label = Piece(upper.label + lower.label, first.cells[0].at)
    if len(values) < 1:
        return None
    return replace(first, cells=(label, *values))


def _both(first: Line, upper: Entry, lower: Entry) -> Line | None:
    """A row of which a page break has cut even the numbers: they are kept as two pieces each."""
    if lower.label or not upper.label or len(lower.filled) >= len(upper.filled):
        return None
    rest = {round(cell.at): cell.text for cell in lower.filled}
    values = [
        replace(cell, text=BROKEN.join(filter(None, (cell.text, rest.pop(round(cell.at), "")))))
        for cell in upper.cells
    ]
    if rest:
        return None
    return replace(first, cells=(*first.cells[: len(first.cells) - len(values)], *values))


def _labelled(entries: list[Entry]) -> list[Entry]:
    """Entries with the labels of the lines around them, where lines can have been wrapped."""
    made = []
    for at, entry in enumerate(entries):
        if entry.grid is not None or not entry.cells:
            made.append(entry)
            continue
        above, below = _text_at(entries, at, -1), _text_at(entries, at, 1)
        group = _group(entries, at)
        others = [above + entry.label] if above else []
        # A label's next line is its own only if it does not begin another label.
        if below and not numbered(below):
            others += [entry.label + below, above + entry.label + below]
        others += [group] if group else []
        made.append(replace(entry, others=tuple(dict.fromkeys(others))))
    return made


def _text_at(entries: list[Entry], at: int, step: int) -> str:
    """The label of the next line that has no values and stands close by."""
    other = at + step
    if not 0 <= other < len(entries) or entries[other].cells or entries[other].grid is not None:
        return ""
    one, line = entries[other].line, entries[at].line
    if line.y and (one.page != line.page or abs(one.y - line.y) > 2 * max(line.height, 1)):
        return ""
    return entries[other].label


def _group(entries: list[Entry], at: int) -> str:
    """All lines of a label that begins with a number, where only this one of them has values."""
    first = at
    while first > 0 and not _begins(entries[first]) and at - first < 4:
        first -= 1
        if entries[first].cells or entries[first].grid is not None:
            return ""
    if not _begins(entries[first]):
        return ""
    last = at
    while last + 1 < len(entries) and last - at < 4:
        following = entries[last + 1]
        if _begins(following) or following.cells or following.grid is not None:
            break
        last += 1
    return "".join(entry.label for entry in entries[first : last + 1])


def _begins(entry: Entry) -> bool:
    texts = [cell.text for cell in entry.line.cells if _is_label(cell.text)]
    return any(map(numbered, texts))


def columns_of(entries: Iterable[Entry], count: int) -> tuple[float, ...]:
    """Columns of the values of a table's rows; empty where that is not sure.

    As in most rows that have all of them; where none has, as in all rows taken together.
    """
    listed = list(entries)
    found = Counter(
        tuple(round(cell.at, 1) for cell in entry.filled)
        for entry in listed
        if len(entry.filled) == count
    )
    if found:
        best, _ = found.most_common(1)[0]
        near = _nearness(listed[0].line)
        alike = sum(n for places, n in found.items() if _same(places, best, near))
        # Cells that stand elsewhere in every row tell nothing by where they stand.
        return best if 3 * alike > 2 * found.total() or listed[0].line.ragged else ()
    places = {
        cell.at
        for entry in listed
        if not entry.line.ragged
        for cell in entry.filled
        if entry.label and any(map(str.isdigit, cell.text))
    }
    return tuple(sorted(places)) if len(places) == count > 2 else ()


def _nearness(line: Line) -> float:
    """The distance within which cells are of one column."""
    return _NEAR if line.y else 0.1


def _same(places: Sequence[float], others: Sequence[float], near: float) -> bool:
    return all(abs(one - other) <= near for one, other in zip(places, others, strict=True))


def values_of(entry: Entry, count: int, columns: Sequence[float]) -> list[str] | None:
    """The texts of a row's cells, blank ones too; None where it is not known which is which."""
    filled = entry.filled
    in_order = [cell.text for cell in filled] if len(filled) == count else None
    if columns and not entry.line.ragged:
        near = _nearness(entry.line)
        picked = [_at(entry.cells, column, near) for column in columns]
        if all(cell is not None for cell in picked):
            by_place = [cell.text for cell in picked if cell is not None]
            # So many numbers, and some elsewhere: a blank and a remark, or a row that is shifted.
            return by_place if in_order in (None, by_place) else None
    if in_order is not None:
        return in_order
    if not entry.line.ragged and len(entry.cells) == count:
        return [cell.text for cell in entry.cells]
    if columns and entry.line.ragged and entry.line.y and 0 < len(filled) < count:
        return _by_place(filled, columns)
    return None


def _at(cells: Iterable[Piece], column: float, near: float) -> Piece | None:
    found = [cell for cell in cells if abs(cell.at - column) <= near]
    return found[0] if len(found) == 1 else None


def _by_place(filled: Sequence[Piece], columns: Sequence[float]) -> list[str] | None:
    """Values of a row without rules by where they stand; None where one stands between two.

    A word about as wide as a column can be two numbers that stand close.
    """
    texts = [""] * len(columns)
    gaps = [right - left for left, right in pairwise(columns)] or [0.0]
    if any(cell.wide > 0.7 * min(gaps) for cell in filled):
        return None
    for cell in filled:
        near = min(range(len(columns)), key=lambda at: abs(columns[at] - cell.at))
        if abs(columns[near] - cell.at) > 0.25 * min(gaps) or texts[near]:
            return None
        texts[near] = cell.text
    return texts
