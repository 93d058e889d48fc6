"""Rules across reports: last year's, the members' of the same year, and the one published."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from reportkit.checks.rules import Check, check
from reportkit.facts import plain
from reportkit.forms.cells import innermost

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reportkit.checks.rules import Rules
    from reportkit.facts import Facts
    from reportkit.facts.previous import Past
    from reportkit.forms import Cell, Edition
    from reportkit.forms.model import Continues


def past_checks(rules: Rules, past: Past | None) -> list[Check]:
    """Say which report this one is compared with, or that there is none (X0)."""
    message = f"上年的报告：{past.source}" if past else "没有上年的报告，未作跨年核对"
    return [check(rules, "X0", True, message)]


def continuity_checks(
    rules: Rules, edition: Edition, values: Mapping[str, Decimal], past: Mapping[str, Decimal]
) -> list[Check]:
    """Check that figures continue last year's report (X1-X4 of the form edition).

    Parameters
    ----------
    edition : Edition
    values, past : mapping of str to Decimal
        Cells by fact id, of this report and of last year's; across editions only cells that both
        forms have are compared.

    Source: 勾稽关系 between years, as reviewers check them; see the rules' basis.
    """
    return [
        result
        for rule in edition.rules
        if rule.continues
        for result in _continuity(rules, rule.id, rule.continues, edition, values, past)
    ]


def _continuity(
    rules: Rules,
    name: str,
    rule: Continues,
    edition: Edition,
    values: Mapping[str, Decimal],
    past: Mapping[str, Decimal],
) -> Iterable[Check]:
    for axis in edition.table(rule.table).axes():
        if axis.is_row != (rule.each == "column"):
            continue
        labels = {leaf.key: leaf.node.label for leaf in axis.leaves}
        for leaf in axis.across:
            cell = partial(axis.cell, across=leaf.key)
            terms = [("上年的", past, key, 1) for key in rule.past]
            terms += [("", values, key, 1) for key in rule.plus]
            terms += [("", values, key, -1) for key in rule.minus]
            if not all(cell(key) in of for _, of, key, _ in [*terms, ("", values, rule.now, 1)]):
                continue
            now = values[cell(rule.now)]
            expected = sum((of[cell(key)] * sign for _, of, key, sign in terms), Decimal(0))
            sum_text = "".join(
                (" + " if sign > 0 else " - ") + f"{when}{labels[key]}{plain(of[cell(key)])}"
                for when, of, key, sign in terms
            ).removeprefix(" + ")
            sign = "=" if now == expected else "≠"
            sum_up = f"{plain(expected)} = " if len(terms) > 1 and now != expected else ""
            yield check(
                rules,
                name,
                now == expected,
                f"{leaf.node.label}：{labels[rule.now]}{plain(now)} {sign} {sum_up}{sum_text}",
                left=plain(now),
                right=plain(expected),
                facts=[cell(key) for key in (rule.now, *rule.plus, *rule.minus)],
            )


def member_checks(
    rules: Rules,
    cells: Sequence[Cell],
    values: Mapping[str, Decimal],
    members: Mapping[str, Mapping[str, Decimal] | None],
) -> list[Check]:
    """A parent's report is the sum of its members' (X5).

    Parameters
    ----------
    cells : sequence of Cell
    values : mapping of str to Decimal
        The parent's cells.
    members : mapping
        Cells by member; None for a member whose report of the year is not at hand.

    Source: 国办公开办函〔2019〕60号, 〔2021〕30号 (逐级汇总).
    """
    present = {name: facts for name, facts in members.items() if facts is not None}
    if not present:
        return []
    if absent := sorted(set(members) - set(present)):
        message = f"{'、'.join(absent)}没有本年的报告，不能核对汇总数"
        return [check(rules, "X5", False, message, left=len(present), right=len(members))]
    checks, compared = [], 0
    for cell in cells:
        parts = {name: facts[cell.id] for name, facts in present.items() if cell.id in facts}
        if cell.id not in values or len(parts) < len(present):
            continue
        compared += 1
        total = sum(parts.values(), Decimal(0))
        if total != values[cell.id]:
            addends = " + ".join(f"{name} {plain(value)}" for name, value in parts.items())
            message = f"{cell.label}：汇总{plain(values[cell.id])} ≠ {addends} = {plain(total)}"
            sides = {"left": plain(values[cell.id]), "right": plain(total)}
            checks.append(check(rules, "X5", False, message, facts=[cell.id], **sides))
    return checks or [check(rules, "X5", True, f"{len(present)}个单位，{compared}格逐一相加相等")]


def plausibility_checks(
    rules: Rules, cells: Sequence[Cell], values: Mapping[str, Decimal], past: Mapping[str, Decimal]
) -> list[Check]:
    """Figures that a reviewer would ask about (Y1 jumps, Y2 zeros).

    What is a part of another cell is left out, and so is a yearly change, which has no usual size.
    """
    wholes = [frozenset(cell.sum_of) for cell in cells]
    jump, none = rules["Y1"], rules["Y2"]
    checks, compared = [], 0
    for cell in cells:
        signed = cell.definition is not None and cell.definition.minus is not None
        part = any(frozenset(cell.sum_of or (cell.id,)) < whole for whole in wholes)
        if part or signed or cell.id not in values or cell.id not in past:
            continue
        compared += 1
        now, before = values[cell.id], past[cell.id]
        low, high = sorted((now, before))
        sides = {"left": plain(now), "right": plain(before)}
        message = f"{cell.label}：本年{plain(now)}，上年{plain(before)}"
        if now == 0 and before >= none.limit("least"):
            checks.append(check(rules, "Y2", False, message, facts=[cell.id], **sides))
        elif high >= jump.limit("least") and high >= jump.limit("times") * low:
            checks.append(check(rules, "Y1", False, message, facts=[cell.id], **sides))
    ids = {finding.id for finding in checks}
    return checks + [
        check(rules, name, True, f"与上年比较{compared}格，未见异常")
        for name in ("Y1", "Y2")
        if name not in ids
    ]


def share_checks(rules: Rules, edition: Edition, values: Mapping[str, Decimal]) -> list[Check]:
    """Outcomes that should be rare are not many (Y3).

    Source: 国办公开办函〔2019〕60号 (其他处理数量偏高).
    """
    checks = []
    units = {cell.id: cell.unit for cell in edition.cells(edition.model.years.first)}
    for rule in edition.rules:
        if not rule.share:
            continue
        table, column = edition.table(rule.share.table), rule.share.column
        names = [table.cell_id(row, column) for row in rule.share.rows]
        part = sum((values[name] for name in names), Decimal(0))
        of_all = table.cell_id(rule.share.of, column)
        whole, unit = values[of_all], units[of_all]
        limit = rules[rule.id].limit
        high = part >= limit("least") and part * 100 >= whole * limit("percent")
        leaves = {leaf.key: leaf for band in table.model.bands for leaf in table.rows(band)}
        first, total = leaves[rule.share.rows[0]], leaves[rule.share.of]
        rare = first.groups[-1] if first.groups and len(names) > 1 else first.node
        among = innermost(total.groups, "by") or total.node.label
        message = f"{among}{plain(whole)}{unit}中，{rare.label}{plain(part)}{unit}"
        sides = {"left": plain(part), "right": plain(whole)}
        checks.append(check(rules, rule.id, not high, message, facts=names, **sides))
    return checks


def published_checks(rules: Rules, published: Mapping[str, Decimal], facts: Facts) -> list[Check]:
    """The report against what was published for the same year, cell by cell (P1)."""
    different = [n for n, value in published.items() if n in facts and facts[n].number != value]
    checks = [
        check(
            rules,
            "P1",
            False,
            f"{facts[name].label}：计算得{facts[name].text}，已公布{plain(published[name])}",
            left=facts[name].text,
            right=plain(published[name]),
            facts=[name],
        )
        for name in different
    ]
    compared = sum(name in facts for name in published)
    if compared and not different:
        checks.append(check(rules, "P1", True, f"{compared}格逐一相同"))
    return checks
