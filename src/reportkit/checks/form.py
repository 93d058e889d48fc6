"""The form's reconciliation rules, over facts."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatch
from typing import TYPE_CHECKING

import numpy as np

from reportkit.checks.rules import Check, check
from reportkit.facts import plain
from reportkit.forms.cells import innermost
from reportkit.forms.conditions import parse_where

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import numpy.typing as npt
    import pandas as pd

    from reportkit.checks.rules import Rules
    from reportkit.facts import Fact, Facts
    from reportkit.forms import Edition, Leaf, Rule, Table
    from reportkit.forms.cells import Axis
    from reportkit.forms.model import Complete, Equal, Node
    from reportkit.ledgers import Ledger


_COUNTED = "计入各项{counted}次，涉及记录{records}条"


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
        The cells of the form: all of them, or those that are known of a published report.
    year : int
    ledgers : mapping of str to Ledger, optional
        For rules that look at records; left out without them.

    Source: 勾稽关系 of the form, 国办公开办函〔2019〕60号 and 〔2021〕30号.
    """
    checks = [result for rule in edition.rules for result in _apply(rules, rule, edition, facts)]
    if ledgers is not None:
        for rule in edition.rules:
            if rule.complete:
                checks.append(_complete(rules, rule, rule.complete, edition, facts, year, ledgers))
        checks += _former_labels(rules, edition, facts, ledgers)
    return checks


def _former_labels(
    rules: Rules, edition: Edition, facts: Facts, ledgers: Mapping[str, Ledger]
) -> Iterable[Check]:
    """Yield labels for which a ledger has records under a former name; these count too (F2)."""
    for table in edition.tables.values():
        counted: dict[str, tuple[Node, list[Fact]]] = {}
        for _, row, column in table.places():
            for leaf in (row, column):
                if leaf.node.was:
                    fact = facts[table.cell_id(row.key, column.key)]
                    counted.setdefault(leaf.text, (leaf.node, []))[1].append(fact)
        for node, cells in counted.values():
            records = {record for cell in cells for record in _under(node.was, cell, ledgers)}
            if former := len(records):
                was = "、".join(f"“{label}”" for label in node.was)
                message = f"“{node.label}”原为{was}，按原名称登记的{former}{cells[0].unit}已计入"
                yield check(rules, "F2", False, message, left=former)


def _under(
    labels: Sequence[str], cell: Fact, ledgers: Mapping[str, Ledger]
) -> Iterable[tuple[str, int]]:
    """Yield the records of a cell that have one of some labels in the column it is counted by."""
    if cell.rows is None or cell.ledger is None:
        return
    tests = [test for group in cell.where for test in group["all"]]
    by = [test["column"] for test in tests if set(labels) & {*test["value"]}]
    frame = ledgers[cell.ledger].frame
    for column in by:
        rows = frame.loc[cell.rows, column]
        yield from ((cell.ledger, int(row)) for row in rows.index[rows.isin(labels)])


@dataclass(frozen=True)
class _Total:
    """A total row or column of a table, and what it adds up."""

    axis: Axis
    leaf: Leaf

    @classmethod
    def of(cls, table: Table, key: str) -> _Total:
        leaves = ((axis, leaf) for axis in table.axes() for leaf in axis.leaves)
        return next(cls(axis, leaf) for axis, leaf in leaves if leaf.key == key)

    @property
    def across(self) -> list[Leaf]:
        """Columns of a total row, or rows of a total column, that add nothing up."""
        return [leaf for leaf in self.axis.across if not leaf.parts]

    @property
    def whole(self) -> str:
        """The cell that sums up all others, or the last that sums up its parts."""
        return self.axis.cell(self.leaf.key, self.axis.across[-1].key)

    @property
    def by(self) -> str | None:
        """Column of a ledger by whose value a record belongs to a part."""
        by: str | None = innermost((self.axis.band.define, *self.leaf.groups), "by")
        return by

    def counted(self, facts: Facts) -> dict[str, list[npt.NDArray[np.int64]]]:
        """Numbers of the records of each part, once each, by their ledger."""
        found: dict[str, list[npt.NDArray[np.int64]]] = {}
        for part in self.leaf.parts:
            cells = [facts[self.axis.cell(part, leaf.key)] for leaf in self.across]
            of_ledger: dict[str, list[npt.NDArray[np.int64]]] = {}
            for cell in cells:
                if cell.rows is not None:
                    of_ledger.setdefault(str(cell.ledger), []).append(cell.rows)
            for ledger, rows in of_ledger.items():
                found.setdefault(ledger, []).append(np.unique(np.concatenate(rows)))
        return found

    def group(self, frame: pd.DataFrame, year: int) -> pd.DataFrame:
        """Records that meet the conditions around the parts, whichever part they belong to."""
        chosen = np.zeros(len(frame), dtype=bool)
        for leaf in self.across:
            nodes = (self.axis.band.define, *self.leaf.groups, *leaf.path)
            where = {name: test for node in nodes for name, test in (node.where or {}).items()}
            masks = [condition.mask(frame) for condition in parse_where(where, year)]
            chosen |= np.logical_and.reduce([np.ones(len(frame), dtype=bool), *masks])
        return frame[chosen]


def _complete(
    rules: Rules,
    rule: Rule,
    complete: Complete,
    edition: Edition,
    facts: Facts,
    year: int,
    ledgers: Mapping[str, Ledger],
) -> Check:
    """Records of a group that none of its parts counts: the edition has no row for them."""
    total = _Total.of(edition.table(complete.table), complete.parts_of)
    size, uncounted = 0, []
    for key, counted in total.counted(facts).items():
        group = total.group(ledgers[key].frame, year)
        missing = group[~group.index.isin(np.concatenate(counted))]
        size += len(group)
        number = ledgers[key].schema.key_column
        records = zip(missing[number], missing[total.by or number], strict=True)
        uncounted += [
            f"{record}：{value}" if total.by else str(record) for record, value in records
        ]
    whole = facts[total.whole]
    return check(
        rules,
        rule.id,
        not uncounted,
        "；".join(uncounted[:20]) or f"{size}{whole.unit}均已计入",
        left=size - len(uncounted),
        right=size,
        facts=[whole.id],
    )


def _apply(rules: Rules, rule: Rule, edition: Edition, facts: Facts) -> Iterable[Check]:
    if rule.equal:
        for left, right, where in _sides(rule.equal, edition, facts):
            yield equation(rules, rule.id, left, right, facts, where=where)
    if rule.at_most:
        for left, right, where in _sides(rule.at_most, edition, facts):
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
    # What somebody else published has no records.
    if rule.disjoint and any(fact.rows is not None for fact in facts.values()):
        total = _Total.of(edition.table(rule.disjoint.table), rule.disjoint.parts_of)
        parts = [np.concatenate(rows) for rows in total.counted(facts).values()]
        counted, records = (sum(map(len, of)) for of in (parts, map(np.unique, parts)))
        figures = {"counted": counted, "records": records}
        yield check(
            rules,
            rule.id,
            counted == records,
            rules[rule.id].text("counted", **figures) or _COUNTED.format(**figures),
            left=counted,
            right=records,
            facts=[total.whole],
        )
    if rule.zero:
        names = [name for name in facts if any(fnmatch(name, pattern) for pattern in rule.zero)]
        wrong = [name for name in names if facts[name].number]
        message = "、".join(f"{facts[n].label} = {facts[n].text}" for n in wrong)
        yield check(rules, rule.id, not wrong, message or f"{len(names)}格均为0", facts=wrong)
    if rule.natural:
        names = [name for name in facts if name.split(".")[0] in rule.natural]
        wrong = [n for n in names if facts[n].number < 0 or facts[n].number % 1]
        message = "、".join(f"{n} = {facts[n].text}" for n in wrong) or f"{len(names)}格均符合"
        yield check(rules, rule.id, not wrong, message, facts=wrong)


def _sides(
    equal: Equal, edition: Edition, facts: Facts
) -> Iterator[tuple[list[str], list[str], str]]:
    """Fact ids of both sides of an equation, for each column (or row) of a table.

    One with a cell that is not known is left out: a published report can have blank ones.
    """
    for axis in edition.table(equal.table).axes():
        right, left = equal.right, equal.left
        here = axis.is_row == (equal.each == "column")
        if not here or not {*right} <= {leaf.key for leaf in axis.leaves}:
            continue  # the rule is about another band of the table
        if left == "parts":
            left = [key for leaf in axis.leaves if leaf.key in right for key in leaf.parts]
        for leaf in axis.across:
            sides = [[axis.cell(key, leaf.key) for key in keys] for keys in (left, right)]
            if {*sides[0], *sides[1]} <= facts.keys():
                yield sides[0], sides[1], leaf.node.text


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
