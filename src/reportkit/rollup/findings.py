"""Checks of a roll-up: all members are in it, as they should be, and counted once (M, X5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportkit.checks.form import form_checks
from reportkit.checks.rules import Check, check
from reportkit.facts import Fact, Facts, plain
from reportkit.rollup.shared import agree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from decimal import Decimal

    from reportkit.checks.rules import Rules
    from reportkit.facts.specs import FactSpec
    from reportkit.forms import Edition
    from reportkit.rollup.members import Member
    from reportkit.rollup.sums import Sums

# Names of a list that a message prints.
_MOST = 50


def rollup_checks(
    rules: Rules,
    edition: Edition,
    sums: Sums,
    facts: Facts,
    *,
    specs: Mapping[str, FactSpec],
    year: int,
) -> list[Check]:
    """Check the members of a roll-up, and that what they share is counted once (M1-M8).

    Parameters
    ----------
    edition : Edition
    sums : Sums
    facts : Facts
        The cells of the roll-up.
    specs : mapping of str to FactSpec
        Facts of the text that could be added.
    year : int

    Source: 国办公开办函〔2019〕60号, 〔2021〕30号 (逐级汇总).
    """
    members = list(sums.members.values())
    return [
        *_members(rules, members, sums.present),
        *_contradictions(rules, edition, sums, year),
        *_shared(rules, sums, facts),
        *_gaps(rules, sums, specs, year),
        *_twice(rules, members),
    ]


def _members(rules: Rules, members: list[Member], present: list[Member]) -> Iterator[Check]:
    missing = [
        f"{member.name}（{member.source}）" if member.source else member.name
        for member in members
        if member.origin == "missing"
    ]
    message = f"{len(members)}个单位，{len(present)}个有本年的报告"
    message += f"；没有的：{_listed(missing)}" if missing else ""
    below = [name for member in present for name, origin in member.below if origin == "missing"]
    message += f"；下级没有的：{_listed(below)}" if below else ""
    left, right = (len(present), len(members)) if missing else (None, None)
    yield check(rules, "M1", not (missing or below), message, left=left, right=right)
    drafts = [member.name for member in present if member.draft]
    yield _none(rules, "M2", drafts, "是草稿的", "没有草稿")
    wrong = [f"{member.name}（{'、'.join(member.errors)}）" for member in present if member.errors]
    yield _none(rules, "M3", wrong, "不符而未接受的", "各单位报告没有未处理的差错")
    late = [f"{member.name}（{member.late}）" for member in present if member.late]
    yield _none(rules, "M4", late, "逾期的", "没有逾期的")
    others = [f"{member.name}（{member.source}）" for member in present if member.origin != "run"]
    below = [name for member in present for name, origin in member.below if origin == "published"]
    message = "；".join(
        f"{source}：{_listed(names)}"
        for source, names in (("取已公布的数", others), ("下级取已公布的数", below))
        if names
    )
    yield check(rules, "M5", not message, message or "均取自封存的报告")


def _contradictions(rules: Rules, edition: Edition, sums: Sums, year: int) -> Iterator[Check]:
    """Apply the form's rules to members' published reports; those of a run were checked by it."""
    for member in sums.present:
        if member.origin == "run" or not sums.cells.keys() <= member.values.keys():
            continue
        printed = {
            name: Fact(name, cell.label, member.values[name], cell.unit, "declared", "")
            for name, cell in sums.cells.items()
        }
        checks = form_checks(rules, edition, Facts(printed), year=year)
        if wrong := [one for one in checks if not one.holds]:
            messages = _listed([f"{one.id} {one.message}" for one in wrong], "；")
            cells = sorted({name for one in wrong for name in one.facts})
            message = f"{member.name}公布的报告自相矛盾，汇总的合计取各项之和：{messages}"
            yield check(rules, "M3", False, message, facts=cells)


def _shared(rules: Rules, sums: Sums, facts: Facts) -> Iterator[Check]:
    if not sums.once:
        return
    names = {member.id: member.name for member in sums.members.values()}

    def whose(places: Iterable[tuple[str, str]]) -> str:
        return "、".join(names.get(member, member) for _, member in places)

    once, apart = [], []
    cells: set[str] = set()
    for key, places in sums.shared.several:
        cells |= {cell for cell, _ in places}
        if agree(places):
            once.append(f"{key}见于{whose(places)}")
        else:
            labels = (f"{names.get(one, one)}记作“{facts[cell].label}”" for cell, one in places)
            apart.append(f"{key}：{'、'.join(labels)}")
    unseen = sums.shared.unseen
    unknown = f"；没有可辨认的编号的：{_listed(list(unseen))}" if unseen else ""
    if once:
        less = sum(sums.shared.less.values())
        message = f"编号相同的只计一次，共减{less}：{_listed(once, '；')}{unknown}"
        yield check(rules, "M6", False, message, facts=sorted(cells))
    if apart:
        message = f"编号相同而各单位所记不同，不能只计一次，仍分别计入：{_listed(apart, '；')}"
        yield check(rules, "M6", False, message, facts=sorted(cells), severity="warning")
    if not (once or apart):
        number = len(sums.shared.found)
        message = f"{number}个编号没有重复" if number else "没有可以按编号辨认的记录"
        yield check(rules, "M6", True, message + unknown)


def _gaps(rules: Rules, sums: Sums, specs: Mapping[str, FactSpec], year: int) -> Iterator[Check]:
    gaps = sums.gaps(specs, year)
    blank = {name: lacking for name, lacking in gaps.items() if name in sums.cells}
    for name, lacking in blank.items():
        names = _listed([member.name for member in lacking])
        message = f"{sums.cells[name].label}：{names}没有此数，未计入"
        yield check(rules, "M7", False, message, facts=[name], severity="error")
    others: dict[tuple[str, ...], list[str]] = {}
    for name, lacking in gaps.items():
        if name not in blank:
            members = tuple(member.name for member in lacking)
            others.setdefault(members, []).append(specs[name].label)
    for members, labels in others.items():
        message = f"{_listed([*members])}没有或口径不同，文字不能用其汇总数：{'、'.join(labels)}"
        yield check(rules, "M7", False, message, severity="info")
    if not gaps:
        yield check(rules, "M7", True, "各单位的数齐全")


def _twice(rules: Rules, members: list[Member]) -> Iterator[Check]:
    ids: dict[str, list[str]] = {}
    for member in members:
        ids.setdefault(member.name, []).append(member.id)
    same = [f"{name}（{'、'.join(twice)}）" for name, twice in ids.items() if len(twice) > 1]
    yield _none(rules, "M8", same, "名称相同", f"{len(members)}个单位名称各不相同")


def _none(rules: Rules, rule: str, found: list[str], heading: str, otherwise: str) -> Check:
    """Check that nothing was found; the message lists what was."""
    return check(rules, rule, not found, f"{heading}：{_listed(found)}" if found else otherwise)


def _listed(items: list[str], by: str = "、") -> str:
    more = f"等{len(items)}处" if len(items) > _MOST else ""
    return by.join(items[:_MOST]) + more


def own_total_checks(
    rules: Rules, sums: Sums, facts: Facts, own: Mapping[str, tuple[Decimal, str]]
) -> list[Check]:
    """Compare the roll-up with what the parent itself declared or published (X5).

    Parameters
    ----------
    own : mapping of str to (value, where it stands)
    """
    compared = [name for name in own if name in facts]
    different = [name for name in compared if own[name][0] != facts[name].number]
    checks = []
    for name in different:
        value, where = own[name]
        addends = [
            f"{member.name} {plain(member.values[name])}"
            for member in sums.present
            if member.values.get(name)
        ]
        message = f"{facts[name].label}：{where}为{plain(value)}，各单位之和{facts[name].text}"
        message += f"（{' + '.join(addends)}）" if 1 < len(addends) <= 12 else ""
        sides = {"left": plain(value), "right": facts[name].text}
        checks.append(check(rules, "X5", False, message, facts=[name], **sides))
    message = f"{len(sums.present)}个单位逐格相加"
    message += f"，与本级自报的{len(compared)}格相同" if compared else "，本级没有自报的数可比"
    return checks or [check(rules, "X5", True, message)]
