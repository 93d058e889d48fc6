"""Entries of a document, the possible rows of its tables: a label, and the cells after it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reportkit.audit.columns import NEAR
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
    cut = [_with_units(piece) for line in lines for piece in _cut(line, pattern)]
    cut = _without_page_numbers(cut)
    entries: list[Entry] = []
    at = 0
    while at < len(cut):
        line = cut[at]
        if line.table is not None:
            entries += map(split_line, _beside(line))
            at += 1
            continue
        entry = split_line(_apart(line))
        at += 1
        # A cell a line: the values of a label are the lines up to the next label.
        if _is_stacked(line, entry):
            values = [*entry.cells]
            while at < len(cut) and (cell := _alone(cut, at)):
                values.append(cell)
                at += 1
            entry = replace(entry, cells=tuple(values))
        entries.append(entry)
    return _labelled(_with_tails(entries))


def _with_tails(entries: Sequence[Entry]) -> list[Entry]:
    """Entries, each with the ends of its numbers that are wrapped into the line below."""
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
    above, line = before.line, entry.line
    if not (above.y and line.y and above.ragged and line.ragged):
        return False
    # The tail of a page's last row stands on the next page.
    close = above.page != line.page or line.y - above.y < 1.7 * max(line.height, 1)
    return (
        close
        and len(before.cells) > 2
        and 0 < len(entry.cells) < len(before.cells)
        and all(cell.text.isdigit() and _near(before, cell) is not None for cell in entry.cells)
        and all(is_value(cell.text) for cell in line.cells)
    )


def _near(entry: Entry, cell: Piece) -> int | None:
    """The number of the value above a cell; None where there is not just one."""
    found = [at for at, above in enumerate(entry.cells) if abs(above.at - cell.at) < 2 * NEAR]
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
    beside = [*lines[at - 1 : at], *lines[at + 1 : at + 2]]
    if line.table is None and _THOUSANDS.fullmatch(text) and any(map(_is_single, beside)):
        return replace(line.cells[0], text=text.replace(" ", ""))
    return None


def split_line(line: Line) -> Entry:
    """A line as an entry: its label ends with the last cell that can be no value."""
    last = max((at for at, cell in enumerate(line.cells) if is_label(cell.text)), default=-1)
    label = "".join(cell.text for cell in line.cells[: last + 1])
    return Entry(label, (), line.cells[last + 1 :], line)


def _beside(line: Line) -> Iterator[Line]:
    """A row of a grid, cut where a label follows values: another table's row, or a remark."""
    first = begun = 0
    labelled = False
    for at, cell in enumerate(line.cells):
        if not is_label(cell.text):
            continue
        between = [one.text for one in line.cells[begun:at] if one.text]
        # A number or two before the label are those of the row.
        some = between if labelled else between[2:]
        if some and not any(map(numbered, between)):
            yield replace(line, cells=line.cells[first:at])
            first = at
        labelled, begun = True, at + 1
    yield replace(line, cells=line.cells[first:])


def is_label(text: str) -> bool:
    """Return True for a text that can be no value."""
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
    labels = [at for at, cell in enumerate(line.cells) if is_label(cell.text)]
    if not labels:
        return line
    cell = line.cells[labels[-1]]
    before, rest = line.cells[: labels[-1]], line.cells[labels[-1] + 1 :]
    if match := _WITH_UNITS.fullmatch(cell.text):
        texts = [match[1] or "", *_NUMBER.findall(match[2])]
    elif match := _TAIL.fullmatch(cell.text):
        texts = [match[1], match[2]]
    else:
        return line
    label = texts[0]
    if label and (not _CHINESE.search(label) or label.endswith(_NO_END)):
        return line
    pieces = [Piece(text, cell.at) for text in texts if text]
    if not line.y and any(_GROUP.fullmatch(one.text) for one in rest):
        # Numbers that run together, of which a blank can part thousands or cells.
        run = BROKEN.join(one.text for one in (pieces.pop(), *rest))
        pieces, rest = [*pieces, Piece(run, cell.at)], ()
    return replace(line, cells=(*before, *pieces, *rest))


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
    valued = sum(bool(re.match(r"\s*[+-]?\d", line.text[match.end() :])) for match in found)
    if valued < 2 or line.y:
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
        at_edge = any(one is None or one.page != line.page for one in (before, after))
        alone = line.table is None and re.fullmatch(r"[-—–·\s]*\d{1,3}[-—–·\s]*", line.text)
        marked = alone and re.fullmatch(r"[-—–·]\s*\d{1,3}\s*[-—–·]", line.text)
        if not (marked or (alone and line.page is not None and line.y and at_edge)):
            kept.append(line)
    return kept


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
    near, line = entries[other].line, entries[at].line
    if line.y and (near.page != line.page or abs(near.y - line.y) > 2 * max(line.height, 1)):
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
    return any(is_label(cell.text) and numbered(cell.text) for cell in entry.line.cells)
