"""Checks: the form's reconciliation rules, intake and limits, over facts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reportkit.definitions import parse_where
from reportkit.facts import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt

    from reportkit.facts import Facts
    from reportkit.forms import Form, Rule, Table
    from reportkit.forms.model import Complete, Equal
    from reportkit.ledgers import Ledger
    from reportkit.worktime import WorkCalendar


@dataclass(frozen=True)
class Check:
    """One rule, applied to one place: what must hold, and whether it does.

    Parameters
    ----------
    id : str
        Rule id; one rule gives a check for each place it is applied to.
    title : str
    severity : {"error", "warning", "info"}
    holds : bool
    left, right : str or None
        The two sides of an equation, as printed.
    facts : tuple of str
        Facts that take part.
    message : str
        What was compared, in words.
    """

    id: str
    title: str
    severity: str
    holds: bool
    left: str | None
    right: str | None
    facts: tuple[str, ...]
    message: str

    def as_json(self) -> dict[str, Any]:
        """The check as it stands in ``checks.json``."""
        return asdict(self) | {"facts": list(self.facts)}


def form_checks(
    form: Form, facts: Facts, *, year: int, ledgers: Mapping[str, Ledger] | None = None
) -> list[Check]:
    """Apply the rules of the form edition (R1-R6, F1).

    Parameters
    ----------
    form : Form
    facts : Facts
        All cells of the form.
    year : int
    ledgers : mapping of str to Ledger, optional
        For rules that look at records; left out without them.

    Source: 勾稽关系 of the form, 国办公开办函〔2019〕60号 and 〔2021〕30号.
    """
    checks = [check for rule in form.rules for check in _apply(rule, form, facts)]
    for rule in form.rules:
        if rule.complete and ledgers is not None:
            checks.append(_complete(rule, rule.complete, form, facts, year, ledgers))
    return checks


def _complete(
    rule: Rule, what: Complete, form: Form, facts: Facts, year: int, ledgers: Mapping[str, Ledger]
) -> Check:
    """Records of a group that none of its rows counts: the edition has no row for them."""
    table = form.table(what.table)
    (band,) = table.model.bands
    total = next(r for r in table.rows(band) if r.key == what.parts_of)
    where = {name: test for group in total.groups for name, test in (group.where or {}).items()}
    ledger = ledgers[str(band.define.ledger)]
    masks = [condition.mask(ledger.frame) for condition in parse_where(where, year)]
    group = ledger.frame[np.logical_and.reduce(masks)]
    counted = _rows_of_parts(table, what.parts_of, facts)
    missing = group[~group.index.isin(counted)]
    by = next(node.by for node in total.groups if node.by)
    told = "；".join(
        f"{key}：{value}" for key, value in missing[[ledger.schema.key_column, by]].values[:20]
    )
    return Check(
        rule.id, rule.title, rule.severity, missing.empty, str(len(group) - len(missing)),
        str(len(group)), (f"{table.id}.{total.key}.total",), told or f"{len(group)}件均已计入",
    )  # fmt: skip


def _rows_of_parts(table: Table, total: str, facts: Facts) -> npt.NDArray[np.int64]:
    """Row numbers of all leaf cells that a total row adds up."""
    (band,) = table.model.bands
    parts = next(row.parts for row in table.rows(band) if row.key == total)
    columns = [column.key for column in table.columns(band) if not column.parts]
    cells = [facts[table.cell_id(row, column)] for row in parts for column in columns]
    return np.concatenate([np.empty(0, np.int64), *(c.rows for c in cells if c.rows is not None)])


def _apply(rule: Rule, form: Form, facts: Facts) -> Iterable[Check]:
    if rule.equal:
        table = form.table(rule.equal.table)
        for left, right, where in _sides(rule.equal, table):
            yield equation(rule.id, rule.title, rule.severity, left, right, facts, where)
    if rule.disjoint:
        table = form.table(rule.disjoint.table)
        counted = _rows_of_parts(table, rule.disjoint.parts_of, facts)
        twice = len(counted) - len(np.unique(counted))
        message = f"计入各项结果{len(counted)}件，涉及申请{len(counted) - twice}件"
        yield Check(
            rule.id, rule.title, rule.severity, twice == 0, str(len(counted)),
            str(len(counted) - twice), (f"{table.id}.{rule.disjoint.parts_of}.total",), message,
        )  # fmt: skip
    if rule.natural:
        names = [name for name in facts if name.split(".")[0] in rule.natural]
        wrong = [n for n in names if facts[n].number < 0 or facts[n].number % 1]
        message = "、".join(f"{n} = {facts[n].text}" for n in wrong) or f"{len(names)}格均符合"
        yield Check(
            rule.id, rule.title, rule.severity, not wrong, None, None, tuple(wrong), message
        )


def _sides(equal: Equal, table: Table) -> Iterable[tuple[list[str], list[str], str]]:
    """Fact ids of both sides of an equation, for each column (or row) of a table."""
    by_column = equal.each == "column"
    for band in table.model.bands:
        rows, columns = table.rows(band), table.columns(band)
        along, across = (columns, rows) if by_column else (rows, columns)
        right, left = equal.right, equal.left
        if left == "parts":
            left = [key for leaf in across if leaf.key in right for key in leaf.parts]
        for leaf in along:

            def ids(keys: Sequence[str], at: str = leaf.key) -> list[str]:
                pairs = ((key, at) if by_column else (at, key) for key in keys)
                return [table.cell_id(row, column) for row, column in pairs]

            yield ids(left), ids(right), leaf.node.text


def equation(
    name: str, title: str, severity: str,
    left: Sequence[str], right: Sequence[str], facts: Facts, where: str,
) -> Check:  # fmt: skip
    """The check that two sums of facts are equal, with both sides in words."""
    sums = [sum((facts[f].number for f in side), Decimal(0)) for side in (left, right)]
    holds = sums[0] == sums[1]
    sides = [_side(side, facts, total) for side, total in zip((left, right), sums, strict=True)]
    message = f"{where}：" if where else ""
    message += sides[0] + (" = " if holds else " ≠ ") + sides[1]
    if not holds:
        message += f"，相差{plain(abs(sums[0] - sums[1]))}"
    return Check(
        name, title, severity, holds, plain(sums[0]), plain(sums[1]), (*left, *right), message
    )


def _side(names: Sequence[str], facts: Facts, total: Decimal) -> str:
    if len(names) == 1:
        return facts[names[0]].text
    terms = [facts[name].text for name in names if facts[name].number or len(names) <= 4]
    return f"{' + '.join(terms)} = {plain(total)}" if len(terms) > 1 else plain(total)


def intake_checks(ledgers: Mapping[str, Ledger]) -> list[Check]:
    """Records that were not counted are findings (L1 rejected, L2 other)."""
    checks = []
    for key, ledger in ledgers.items():
        rejected = [v for v in ledger.violations if v.severity == "reject"]
        told = "；".join(v.text() for v in rejected[:20])
        checks.append(
            Check(
                "L1", f"{ledger.schema.name}：每条记录均可读并计入", "error", not rejected,
                str(ledger.read - len(ledger.refused)), str(ledger.read), (),
                told or f"读入{ledger.read}条，无拒绝",
            )
        )  # fmt: skip
        others = [v for v in ledger.violations if v.severity != "reject"]
        if others:
            told = "；".join(v.text() for v in others[:20])
            checks.append(
                Check("L2", f"{key}：读入时的提示", "warning", False, None, None, (), told)
            )
    return checks


def limit_checks(ledger: Ledger, year: int, calendar: WorkCalendar) -> list[Check]:
    """Applications of the year that were not answered within their limit (T1).

    An application is told by its number and its days; nothing of the applicant is said. Where the
    holidays of the time are not known, that is a finding of its own (T2).

    Source: 政府信息公开条例 第三十三条.
    """
    frame = ledger.frame

    def of(where: Mapping[str, Any]) -> pd.DataFrame:
        masks = [condition.mask(frame) for condition in parse_where(where, year)]
        return frame[np.logical_and.reduce(masks)]

    answered = of({"答复日期": {"during": "Y"}})
    unanswered = of({"收到日期": {"until": "Y"}, "答复日期": {"not_until": "Y"}})
    late = pd.concat(
        [answered[answered["超期"].fillna(False)],
         unanswered[unanswered["法定期限"] < pd.Timestamp(year, 12, 31)]]
    )  # fmt: skip
    title = "申请在法定期限内答复（条例第三十三条）"
    checks = []
    columns = late[["登记号", "法定期限", "答复日期"]].sort_values(["法定期限", "登记号"])
    for number, due, reply in columns.itertuples(index=False):
        # An answer of a later year belongs to that year's report.
        in_year = not pd.isna(reply) and reply.year == year
        done = f"{reply:%Y-%m-%d}答复" if in_year else f"{year}年末未答复"
        checks.append(
            Check(
                "T1", title, "warning", False, f"{reply:%Y-%m-%d}" if in_year else None,
                f"{due:%Y-%m-%d}", (), f"{number}：法定期限{due:%Y-%m-%d}，{done}",
            )
        )  # fmt: skip
    if not checks:
        told = f"答复{len(answered)}件、年末未答复{len(unanswered)}件，未见超过法定期限"
        checks.append(Check("T1", title, "warning", True, None, None, (), told))
    # Open at the end of the year and received in known days: a limit not known is later still.
    covered = calendar.covers(unanswered["收到日期"].to_numpy())
    unknown = int(answered["超期"].isna().sum()) + int((~covered).sum())
    if unknown:
        told = (
            f"{unknown}件申请的法定期限无法计算：节假日只有{calendar.first}至{calendar.last}的，"
            "其余年份须在params/holidays.yaml中补充"
        )
        checks.append(Check("T2", "法定期限均可计算", "warning", False, None, None, (), told))
    return checks


def published_checks(published: Mapping[str, Decimal], facts: Facts) -> list[Check]:
    """The report against what was published for the same year, cell by cell (P1)."""
    title = "与已公布的报告一致"
    different = [n for n, value in published.items() if n in facts and facts[n].number != value]
    checks = [
        Check(
            "P1", title, "warning", False, facts[name].text, plain(published[name]), (name,),
            f"{facts[name].label}：计算得{facts[name].text}，已公布{plain(published[name])}",
        )
        for name in different
    ]  # fmt: skip
    compared = sum(name in facts for name in published)
    if compared and not different:
        checks.append(Check("P1", title, "warning", True, None, None, (), f"{compared}格逐一相同"))
    return checks
