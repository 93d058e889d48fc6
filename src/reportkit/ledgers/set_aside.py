"""Rows that are no records: sums, examples, headings of further pages, empty ones, signatures.

Each is a finding, and none is counted.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reportkit.errors import InputError
from reportkit.language import Message
from reportkit.ledgers.normal import clean, fold, is_nothing
from reportkit.ledgers.quoting import quoted_heading
from reportkit.ledgers.readers.table import sums
from reportkit.ledgers.schema import heading_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    import numpy.typing as npt

    from reportkit.ledgers.readers.heading import Wanted
    from reportkit.ledgers.rows import Part, RowFinding, Rows

# At the end of a table, 填表人：… 审核人：… 说明：…, each cell of the row one of these.
_SIGNED = (
    r"(?:填[表报]|制表|审核|审批|复核|经办|(?:单位)?负责|统计|联系)(?:人|日期|单位|电话)"
    r"(?:[（(]?签[字章名][）)]?)?\s*"
)
_FOOTER = re.compile(rf"{_SIGNED}[：:]|(?:备注|说明|注)\s*[：:]|以下(?:空白|无正文)")
# A label whose value is in the next cell.
_LABEL = re.compile(rf"{_SIGNED}[：:]?")
# A sum of a part of the year or district: in a ledger of months it is a record, with its day.
_PART_SUM = re.compile(
    r"(?:第?[0-9一二三四五六七八九十至~-]{1,7}(?:年|月份?|季度)|[上下]半年|全[区县市])\s*[合小总共累]\s*计\s*[:：]?"
)
HINTS = frozenset({"必填", "选填", "必填项", "选填项"})
# 示例, （例）, 示例1, 例：依〔2020〕1号 in the place of a key, folded.
_EXAMPLE = re.compile(
    r"[(\[【〔]?(?:填[写报])?(?:示例|样例|范例|举例|例如|例子|例)"
    r"(?:[-_ ]*[0-9]{0,3}[)\]】〕]?|[)\]】〕]? *[:,].*)"
)
_FOOTERS = 10


def set_aside(rows: Rows) -> tuple[npt.NDArray[np.bool_], list[RowFinding]]:
    """Return a mask of the rows that are no records, and the first finding about each."""
    mask = np.zeros(len(rows), dtype=bool)
    findings: list[RowFinding] = []
    for start, part in rows.each():
        for find in (_sums, _examples, _pages, _footers):
            for row, rule, column, found, expected in find(part):
                if not mask[start + row]:
                    mask[start + row] = rule != "L-odd"
                    findings.append(
                        rows.finding(start + row, rule, "warn", column, expected, found=found)
                    )
        if empty := [row for row in _empty(part) if not mask[start + row]]:
            last = part.raw.place(int(part.raw.lines[empty[-1]]))
            expected = Message(
                "{empty} rows, the last at {last}, hold nothing in the ledger's columns; they "
                "are set aside",
                empty=len(empty),
                last=last,
            )
            findings.append(
                rows.finding(start + empty[0], "L-blank", "warn", "", expected, found="")
            )
            mask[[start + row for row in empty]] = True
    return mask, [
        finding
        for finding in findings
        if finding.violation.rule != "L-odd" or not mask[finding.row or 0]
    ]


_Found = tuple[int, str, str, str, str]


def _sums(part: Part) -> Iterator[_Found]:
    """Rows that say 合计 where their key or day should stand, or that have neither.

    A month's total in a ledger of months is a record: 摘要 may say 本月合计. Where only some rows
    say so, or some say another sum (本年累计), they are findings all the same.
    """
    own = {heading for heading, _ in part.headings.values()}
    key, day = (part.cells(name) for name in (part.schema.key_column, part.schema.day_column.name))
    for heading, cells in part.raw.columns.items():
        whole = sums(cells)
        near = np.asarray(pc.match_substring(cells, "计").fill_null(False).to_numpy(), bool)
        texts = {row: clean(cells[row].as_py()) for row in np.flatnonzero(near).tolist()}
        # Of a key the same is found with the keys.
        of_key = heading == part.headings[part.schema.key_column][0]
        found = {
            row: text
            for row, text in texts.items()
            if whole[row] or (not of_key and _PART_SUM.fullmatch(text))
        }
        # 1月合计 is to 2月合计 as one to another.
        kinds = {row: re.sub("[0-9一二三四五六七八九十]+", "", text) for row, text in found.items()}
        usual = max(kinds.values(), key=Counter(kinds.values()).__getitem__, default="")
        for row, text in found.items():
            lacking = [_lacks(cells[row].as_py(), text) for cells in (key, day)]
            if whole[row] and (any(lacking) if heading in own else all(lacking)):
                yield row, "L-sum", heading, text, Message("a sum row is set aside, not counted")
            elif len(found) < len(part.raw.lines) or kinds[row] != usual:
                expected = Message("a sum row, it seems; it has a key and a day, and is counted")
                yield row, "L-odd", heading, text, expected


def _lacks(cell: str | None, label: str) -> bool:
    """Return True where a cell is empty, or holds but the label of a sum."""
    text = clean(cell or "")
    return text == label or is_nothing(text)


def _examples(part: Part) -> Iterator[_Found]:
    """Rows whose key says that they are an example."""
    heading, _ = part.headings[part.schema.key_column]
    cells = part.raw.columns[heading].cast(pa.large_string())
    near = pc.match_substring(cells, "例").fill_null(False)
    for row in np.flatnonzero(near.to_numpy()).tolist():
        key = clean(cells[row].as_py())
        if _EXAMPLE.fullmatch(fold(key)):
            yield row, "L-example", heading, key, Message("an example is set aside, not counted")


def _short_keys(part: Part, known: Collection[str] = ()) -> list[int]:
    """Rows whose key is as short as a blank, or one of a few words; others are not looked at."""
    first, _ = part.headings[part.schema.key_column]
    keys = part.raw.columns[first].cast(pa.large_string())
    words = [first, *HINTS, *known]
    # Most ledgers have long keys throughout, and one look at the lengths spares the rest.
    longest, lengths = max(len(word.encode()) for word in words), pc.binary_length(keys)
    if not keys.null_count and (pc.min(lengths).as_py() or 0) > longest:
        return []
    lengths = pc.fill_null(lengths, 0).to_numpy()
    rows = np.flatnonzero(lengths <= longest)
    near = np.asarray(pc.is_in(keys.take(pa.array(rows)), value_set=pa.array(words, keys.type)))
    near |= lengths[rows] <= len("　".encode())
    found: list[int] = rows[near].tolist()
    return found


def _pages(part: Part) -> Iterator[_Found]:
    """Yield the rows where a page begins anew, or which say what to fill in."""
    headings = [heading for heading, _ in part.headings.values()]
    first, _ = part.headings[part.schema.key_column]
    wanted = part.schema.headings()
    for row in _short_keys(part, part.schema.spellings()):
        filled = part.filled(row, headings)
        if _is_heading(part, row, filled, wanted):
            yield row, "L-heading", first, "", Message("the heading once more; it is set aside")
        elif filled and HINTS.issuperset(filled.values()):
            expected = Message("what to fill in; it is set aside")
            yield row, "L-heading", first, filled.get(first, ""), expected


def _is_heading(part: Part, row: int, filled: Mapping[str, str], wanted: Wanted) -> bool:
    """Return True where a row is the heading once more.

    Raises
    ------
    InputError
        ``ledger-heading-twice``: it is another heading, and what stands below it is read wrongly.
    """
    if sum(heading_key(cell) in wanted for cell in filled.values()) < 2:
        return False
    exact = sum(cell == heading for heading, cell in filled.items())
    for heading, cell in filled.items():
        same = wanted.get(heading_key(cell)) == wanted[heading_key(heading)]
        # Of a heading in several rows one may hold the name of the group alone.
        if (not same and not heading.startswith(cell)) or (exact < 2 and cell != heading):
            raise InputError(
                "ledger-heading-twice",
                "{file}:{place} is a second heading, with '{found}' below '{heading}'; put the "
                "records below it into a file or sheet of their own",
                found=quoted_heading(cell),
                heading=heading,
                file=part.raw.path,
                place=part.raw.place(int(part.raw.lines[row])),
            )
    return True


def _empty(part: Part) -> list[int]:
    """Rows that hold nothing in the ledger's columns, such as numbered ones."""
    headings = [heading for heading, _ in part.headings.values()]
    return [row for row in _short_keys(part) if not part.filled(row, headings)]


def _footers(part: Part) -> Iterator[_Found]:
    """Yield the signatures and notes below a table."""
    size = len(part.raw.lines)
    for row in range(max(0, size - _FOOTERS), size):
        filled = part.filled(row, part.raw.columns)
        if _is_footer([*filled.values()]):
            expected = Message("what is signed or noted below a table is set aside, not counted")
            yield row, "L-footer", next(iter(filled)), "", expected


def _is_footer(cells: Sequence[str]) -> bool:
    """Return True where each cell is a signature or note, or the value of a label before it."""
    labels = [False, *(bool(_LABEL.fullmatch(cell)) for cell in cells)]
    return bool(cells) and all(
        _FOOTER.match(cell) or own or before
        for cell, before, own in zip(cells, labels, labels[1:], strict=False)
    )
