"""The form's reconciliation rules, over facts."""

from __future__ import annotations

from decimal import Decimal
from fnmatch import fnmatch
from typing import TYPE_CHECKING

import numpy as np

from reportkit.checks.rules import Check, check
from reportkit.facts import plain
from reportkit.forms.conditions import parse_where

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt

    from reportkit.checks.rules import Rules
    from reportkit.facts import Fact, Facts
    from reportkit.forms import Edition, Leaf, Rule, Table
    from reportkit.forms.model import Band, Complete, Equal, Node
    from reportkit.ledgers import Ledger


def form_checks(
    rules: Rules,
    edition: Edition,
    facts: Facts,
    *,
    year: int,
    ledgers: Mapping[str, Ledger] | None = None,
) -> list[Check]:
    """Apply the rules of the form edition (R1-R6, F1).

    Parameters
    ----------
    edition : Edition
    facts : Facts
        All cells of the form.
    year : int
    ledgers : mapping of str to Ledger, optional
        For rules that look at records; left out without them.

    Source: 勾稽关系 of the form, 国办公开办函〔2019〕60号 and 〔2021〕30号.
    """
    checks = [result for rule in edition.rules for result in _apply(rules, rule, edition, facts)]
    for rule in edition.rules:
        if rule.complete and ledgers is not None:
            checks.append(_complete(rules, rule, rule.complete, edition, facts, year, ledgers))
    if ledgers is not None:
        checks += _former_labels(rules, edition, facts, ledgers)
    return checks


def _former_labels(
    rules: Rules, edition: Edition, facts: Facts, ledgers: Mapping[str, Ledger]
) -> Iterable[Check]:
    """Records that are counted though a ledger has them under a former label, F2; each is told."""
    for table in edition.tables.values():
        counted: dict[str, tuple[Node, list[Fact]]] = {}
        for _, row, column in table.places():
            for leaf in (row, column):
                if leaf.node.was:
                    fact = facts[table.cell_id(row.key, column.key)]
                    counted.setdefault(leaf.text, (leaf.node, []))[1].append(fact)
        for node, cells in counted.values():
            former = sum(_under(node.was, cell, ledgers) for cell in cells)
            if former:
                was = "、".join(f"“{label}”" for label in node.was)
                message = f"“{node.label}”原为{was}，按原名称登记的{former}件已计入"
                yield check(rules, "F2", False, message, left=former)


def _under(labels: Sequence[str], cell: Fact, ledgers: Mapping[str, Ledger]) -> int:
    """Count the records of a cell that have one of some values in the column it is counted by."""
    if cell.rows is None or cell.ledger is None:
        return 0
    tests = [test for group in cell.where for test in group["all"]]
    by = [test["column"] for test in tests if set(labels) & {*test["value"]}]
    frame = ledgers[cell.ledger].frame
    return sum(int(frame.loc[cell.rows, column].isin(labels).sum()) for column in by)


def _complete(
    rules: Rules,
    rule: Rule,
    what: Complete,
    edition: Edition,
    facts: Facts,
    year: int,
    ledgers: Mapping[str, Ledger],
) -> Check:
    """Records of a group that none of its rows counts: the edition has no row for them."""
    table = edition.table(what.table)
    band, total = _total(table, what.parts_of)
    where = {name: test for group in total.groups for name, test in (group.where or {}).items()}
    ledger = ledgers[str(band.define.ledger)]
    masks = [condition.mask(ledger.frame) for condition in parse_where(where, year)]
    group = ledger.frame[np.logical_and.reduce(masks)]
    counted = _rows_of_parts(table, what.parts_of, facts)
    missing = group[~group.index.isin(counted)]
    by = next(node.by for node in total.groups if node.by)
    message = "；".join(
        f"{key}：{value}" for key, value in missing[[ledger.schema.key_column, by]].values[:20]
    )
    return check(
        rules,
        rule.id,
        missing.empty,
        message or f"{len(group)}件均已计入",
        left=len(group) - len(missing),
        right=len(group),
        facts=[table.cell_id(total.key, _last_column(table, band))],
    )


def _total(table: Table, key: str) -> tuple[Band, Leaf]:
    """A total row of a table, and the band that it stands in."""
    rows = ((band, row) for band in table.model.bands for row in table.rows(band))
    return next((band, row) for band, row in rows if row.key == key)


def _last_column(table: Table, band: Band) -> str:
    """The column of a band that sums up the others, or its only one."""
    return table.columns(band)[-1].key


def _rows_of_parts(table: Table, total: str, facts: Facts) -> npt.NDArray[np.int64]:
    """Row numbers of all leaf cells that a total row adds up."""
    band, row = _total(table, total)
    parts = row.parts
    columns = [column.key for column in table.columns(band) if not column.parts]
    cells = [facts[table.cell_id(row, column)] for row in parts for column in columns]
    return np.concatenate([np.empty(0, np.int64), *(c.rows for c in cells if c.rows is not None)])


def _apply(rules: Rules, rule: Rule, edition: Edition, facts: Facts) -> Iterable[Check]:
    if rule.equal:
        table = edition.table(rule.equal.table)
        for left, right, where in _sides(rule.equal, table):
            yield equation(rules, rule.id, left, right, facts, where=where)
    if rule.at_most:
        table = edition.table(rule.at_most.table)
        for left, right, where in _sides(rule.at_most, table):
            some, most = (
                sum((facts[f].number for f in side), Decimal(0)) for side in (left, right)
            )
            sign = "≤" if some <= most else ">"
            message = f"{where}：{_side(left, facts, some)} {sign} {_side(right, facts, most)}"
            yield check(
                rules,
                rule.id,
                some <= most,
                message,
                left=plain(some),
                right=plain(most),
                facts=(*left, *right),
            )
    if rule.disjoint and any(fact.rows is not None for fact in facts.values()):
        table = edition.table(rule.disjoint.table)
        counted = _rows_of_parts(table, rule.disjoint.parts_of, facts)
        column = _last_column(table, _total(table, rule.disjoint.parts_of)[0])
        twice = len(counted) - len(np.unique(counted))
        message = f"计入各项结果{len(counted)}件，涉及申请{len(counted) - twice}件"
        yield check(
            rules,
            rule.id,
            twice == 0,
            message,
            left=len(counted),
            right=len(counted) - twice,
            facts=[table.cell_id(rule.disjoint.parts_of, column)],
        )
    if rule.zero:
        names = [name for name in facts if any(fnmatch(name, one) for one in rule.zero)]
        wrong = [name for name in names if facts[name].number]
        message = "、".join(f"{facts[n].label} = {facts[n].text}" for n in wrong)
        yield check(rules, rule.id, not wrong, message or f"{len(names)}格均为0", facts=wrong)
    if rule.natural:
        names = [name for name in facts if name.split(".")[0] in rule.natural]
        wrong = [n for n in names if facts[n].number < 0 or facts[n].number % 1]
        message = "、".join(f"{n} = {facts[n].text}" for n in wrong) or f"{len(names)}格均符合"
        yield check(rules, rule.id, not wrong, message, facts=wrong)


def _sides(equal: Equal, table: Table) -> Iterable[tuple[list[str], list[str], str]]:
    """Fact ids of both sides of an equation, for each column (or row) of a table."""
    by_column = equal.each == "column"
    for band in table.model.bands:
        rows, columns = table.rows(band), table.columns(band)
        along, across = (columns, rows) if by_column else (rows, columns)
        right, left = equal.right, equal.left
        if not {*right} <= {leaf.key for leaf in across}:
            continue  # the rule is about another band of the table
        if left == "parts":
            left = [key for leaf in across if leaf.key in right for key in leaf.parts]
        for leaf in along:

            def ids(keys: Sequence[str], at: str = leaf.key) -> list[str]:
                pairs = ((key, at) if by_column else (at, key) for key in keys)
                return [table.cell_id(row, column) for row, column in pairs]

            yield ids(left), ids(right), leaf.node.text


def equation(
    rules: Rules,
    name: str,
    left: Sequence[str],
    right: Sequence[str],
    facts: Facts,
    *,
    where: str = "",
    title: str | None = None,
    severity: str | None = None,
) -> Check:
    """The check that two sums of facts are equal, with both sides in words."""
    sums = [sum((facts[f].number for f in side), Decimal(0)) for side in (left, right)]
    holds = sums[0] == sums[1]
    sides = [_side(side, facts, total) for side, total in zip((left, right), sums, strict=True)]
    message = f"{where}：" if where else ""
    message += sides[0] + (" = " if holds else " ≠ ") + sides[1]
    if not holds:
        message += f"，相差{plain(abs(sums[0] - sums[1]))}"
    return check(
        rules,
        name,
        holds,
        message,
        left=plain(sums[0]),
        right=plain(sums[1]),
        facts=(*left, *right),
        title=title,
        severity=severity,
    )


def _side(names: Sequence[str], facts: Facts, total: Decimal) -> str:
    if len(names) == 1:
        return facts[names[0]].text
    terms = [facts[name].text for name in names if facts[name].number or len(names) <= 4]
    return f"{' + '.join(terms)} = {plain(total)}" if len(terms) > 1 else plain(total)
