"""Checks of the text: numbers without a source (C1, C2), figures that must agree (N1, N2, …)."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from reportkit.checks.form import equation
from reportkit.checks.rules import Check, check
from reportkit.errors import InputError
from reportkit.facts import TO_DO
from reportkit.facts.numerals import plain, read_number, rounded
from reportkit.text.renderings import day

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reportkit.checks.rules import Rules
    from reportkit.facts import Fact, Facts
    from reportkit.params import Relation, StatedShare
    from reportkit.text.coverage import Coverage

_Sides: TypeAlias = tuple[str | None, str | None, bool, str]


def coverage_checks(
    rules: Rules, coverage: Coverage, facts: Mapping[str, Fact], *, titles: Mapping[str, str]
) -> list[Check]:
    """Findings of a coverage: C1 for each unbound number, C2 where a typed one equals a fact.

    Parameters
    ----------
    coverage : Coverage
    facts : mapping of str to Fact
        All that could be meant.
    titles : mapping of str to str
        Heading of each section.
    """
    checks = []
    for spot in coverage.of("unbound"):
        message = (
            f"{titles[spot.section]}：“{spot.context}”中的{spot.text}没有绑定数据。"
            "请改用{{ 数据项标识 }}；不是统计数据的，写成"
            f'{{{{ "{spot.text}" | allowed("理由") }}}}'
        )
        checks.append(check(rules, "C1", False, message, left=spot.text))
    if not checks:
        checks.append(check(rules, "C1", True, _summary(coverage)))
    # In the order of ids: that in which they were computed is another when a run is verified.
    facts = dict(sorted(facts.items()))
    numbers = [
        (spot.section, spot.text, spot.context, _equal(spot.text, facts))
        for spot in coverage.spots
        if spot.state in ("unbound", "stated")
    ]
    for section, text, context, same in (*numbers, *_typed_days(coverage, facts)):
        if same:
            named = "、".join(f"{name}（{facts[name].label}）" for name in same[:3])
            more = f"等{len(same)}项" if len(same) > 3 else ""
            message = f"{titles[section]}：“{context}”中的{text}与{named}{more}相同"
            checks.append(check(rules, "C2", False, message, left=text, facts=same[:3]))
    return checks


def _summary(coverage: Coverage) -> str:
    """Summarise the numbers that were examined; the template's own allowances are named singly."""
    counts = Counter(spot.basis for spot in coverage.of("allowed"))
    own = [f"{spot.text}（{spot.basis}）" for spot in coverage.of("stated")]
    message = f"{len(coverage.spots)}个数字，绑定数据{len(coverage.of('bound'))}个"
    for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        message += f"，{name}{count}个"
    return message + (f"；文稿自行说明的{len(own)}个：{'、'.join(own)}" if own else "")


def _equal(text: str, facts: Mapping[str, Fact]) -> list[str]:
    reading = read_number(text)
    if reading is None:
        return []
    return [
        name
        for name, fact in facts.items()
        if isinstance(fact.value, Decimal) and reading.value == fact.value
    ]


def _typed_days(
    coverage: Coverage, facts: Mapping[str, Fact]
) -> Iterator[tuple[str, str, str, list[str]]]:
    """Days that are typed as a date fact would be printed."""
    days: dict[str, list[str]] = {}
    for name, fact in facts.items():
        if fact.unit != "日期":
            continue
        with suppress(InputError):  # no day yet
            days.setdefault(day(fact), []).append(name)
    for section, body in coverage.sections.items():
        for node in body:
            for runs in node.get("items", [node.get("runs", [])]):
                typed = "".join("□" if "fact" in run else run["text"] for run in runs)
                for text, same in days.items():
                    for match in re.finditer(rf"(?<!\d){text}", typed):
                        around = typed[max(0, match.start() - 12) : match.end() + 12]
                        yield section, text, around, same


def relation_checks(rules: Rules, relations: Sequence[Relation], facts: Facts) -> list[Check]:
    """Check the relations of one report, in their order."""
    return [
        _relation(rules, f"N{number}", relation, facts)
        for number, relation in enumerate(relations, 1)
    ]


def _relation(rules: Rules, name: str, relation: Relation, facts: Facts) -> Check:
    unfilled = [facts[fact].label for fact in relation.facts if facts[fact].value == TO_DO]
    if unfilled:
        left, right, holds, message = None, None, False, f"尚未填写：{'、'.join(unfilled)}"
    elif relation.left is not None and relation.right is not None:
        return equation(
            rules,
            name,
            relation.left,
            relation.right,
            facts,
            title=relation.title,
            severity=relation.severity,
        )
    elif relation.share:
        left, right, holds, message = _share(relation.share, facts)
    else:
        left, right, holds, message = _at_most(relation.parts or [], str(relation.whole), facts)
    return check(
        rules,
        name,
        holds,
        message,
        left=left,
        right=right,
        facts=relation.facts,
        title=relation.title,
        severity=relation.severity,
    )


def _at_most(parts: list[str], whole: str, facts: Facts) -> _Sides:
    total = sum((facts[part].number for part in parts), Decimal(0))
    holds = total <= facts[whole].number
    terms = " + ".join(facts[part].text for part in parts)
    left = f"{terms} = {plain(total)}" if len(parts) > 1 else terms
    message = f"{facts[whole].text}中的{left}" + ("" if holds else "，部分大于总数")
    return plain(total), facts[whole].text, holds, message


def _share(share: StatedShare, facts: Facts) -> _Sides:
    stated, part, whole = (facts[name] for name in (share.percent, share.part, share.whole))
    division = f"{part.text} ÷ {whole.text}"
    if not whole.number or isinstance(stated.value, str):
        # Where nothing can be divided, words are right and any number is wrong.
        holds = isinstance(stated.value, str) and not whole.number
        return stated.text, division, holds, f"{division}：文中为“{stated.text}”"
    # As many places as it is stated with: 50.0 claims more than 50.
    decimals = max(0, -int(stated.value.as_tuple().exponent))
    right = rounded(part.number * 100 / whole.number, decimals)
    message = f"{division} = {plain(right)}%，文中为{stated.text}%"
    return f"{stated.text}%", f"{plain(right)}%", stated.value == right, message
