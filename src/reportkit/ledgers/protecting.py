"""Persons in a ledger: a pseudonym where one is kept, and hidden in free text."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reportkit.language import Message
from reportkit.ledgers.columns import joined, pandas_text, replaced, shown_short
from reportkit.ledgers.set_aside import HINTS
from reportkit.persons import hide, suspect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportkit.ledgers.privacy import Pseudonyms
    from reportkit.ledgers.rows import RowFinding, Rows

# What stands in a column of persons for nobody, or for somebody who is not named.
_NOBODY = frozenset(
    (
        "个人 个体 个体户 个体工商户 当事人 相对人 被处罚人 公民 法人 法人和其他组织 企业 单位 "
        "匿名 保密 不详 未知 不公开 不予公开 未公开 个人隐私 见附件 详见附件 无 同上"
    ).split()
)
_NO_PERSON = (
    r"[某*＊×]|(?:公司|集团|企业|合作社|经营部|厂|商行|事务所|研究院|学校|大学|医院|银行|委员会|政府"
    r"|办事处|协会|学会|基金会|项目部|店|局|中心|超市|餐厅|药房|幼儿园)$"
)
# Texts of which more is in memory at once than what is kept.
_STEP = 2_000


def protected(
    rows: Rows, typed: Mapping[str, Any], name: Pseudonyms
) -> tuple[dict[str, Any], pa.ChunkedArray, list[RowFinding]]:
    """Return pseudonyms and free text without persons, all persons, and what is wrong."""
    schema = rows.schema
    made: dict[str, Any] = {}
    sought: list[pa.ChunkedArray] = []
    findings: list[RowFinding] = []
    headings = {heading for part in rows.parts for heading in part.read.values()}
    titles = pa.array(sorted(headings | HINTS | _NOBODY | schema.known), pa.large_string())
    # All that stands in personal columns must appear nowhere.
    for column in schema.columns:
        if not column.personal:
            continue
        texts = rows.persons[column.name]
        # Two characters of an address are a place, those of an applicant a name.
        # And 申请人, of the heading of a further page, is nobody.
        nobody = pc.is_in(texts, value_set=titles)
        nobody = pc.or_(nobody, pc.match_substring_regex(texts, _NO_PERSON).fill_null(False))
        if not column.pseudonym:
            nobody = pc.or_(nobody, pc.less_equal(pc.utf8_length(texts), 2).fill_null(False))
        # Seldom any: the column is not kept twice.
        found = pc.any(nobody).as_py()
        sought.append(texts.filter(pc.invert(nobody)) if found else texts)
        if short := int(shown_short(texts).sum()):
            expected = Message(
                "{short} numbers were written short by a spreadsheet (3.50203E+17): one person "
                "may look like two, or two like one; format the column as text",
                short=short,
            )
            row = int(np.flatnonzero(shown_short(texts))[0])
            findings.append(rows.finding(row, "L-rounded", "warn", column.name, expected, found=""))
        if column.pseudonym:
            made[column.name] = pandas_text(replaced(texts, partial(name, column.name)))
    for column in schema.columns:
        if column.free_text:
            cells = pa.table({column.name: typed[column.name]})[column.name]
            made[column.name] = pandas_text(_hidden(cells, rows.persons))
    personal = joined(sought) if sought else pa.chunked_array([], pa.large_string())
    return made, personal, findings


def _hidden(cells: pa.ChunkedArray, own: Mapping[str, pa.ChunkedArray]) -> pa.ChunkedArray:
    """Free text without the persons that can be recognised in it, and its own record's."""
    suspected = pc.match_substring_regex(cells, suspect())
    marks = [f"〔{other}〕" for other in own]
    changed: dict[int, str] = {}
    for start in range(0, len(cells), _STEP):
        parts = (cells, suspected, *own.values())
        columns = [part.slice(start, _STEP).to_pylist() for part in parts]
        for row, (text, doubtful, *values) in enumerate(zip(*columns, strict=True), start):
            if not text:
                continue
            hidden = hide(text) if doubtful else text
            for value, mark in zip(values, marks, strict=True):
                if value and value in text and len(value) > 1:
                    hidden = hidden.replace(value, mark)
            if hidden != text:
                changed[row] = hidden
    if not changed:
        return cells
    mask = np.zeros(len(cells), dtype=bool)
    mask[list(changed)] = True
    hidden_texts = pa.array(list(changed.values()), pa.large_string())
    return pc.replace_with_mask(cells.cast(pa.large_string()), pa.array(mask), hidden_texts)
