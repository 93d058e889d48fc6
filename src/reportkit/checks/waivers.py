"""Findings that somebody accepted: they stay visible, and lapse when their figures change."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reportkit.checks.rules import Check, Waived, check, family

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reportkit.checks.rules import Rules
    from reportkit.params import Waiver

# Rules about the outputs of a notebook: their findings are known only when all of it has run.
OF_NOTEBOOKS = ("B1", "B2", "B3", "C1", "C2")
_PLACE = 40  # characters of a message that tell a finding from its like


def accept(rules: Rules, checks: Sequence[Check], waivers: Sequence[Waiver]) -> list[Check]:
    """The checks, with those findings waived that a waiver means and whose figures are unchanged.

    A waiver that means no finding, or several, or one whose figures have changed, waives nothing
    and is a finding of its own (W1).
    """
    checked, unmatched = list(checks), []
    for waiver in waivers:
        accepted = [waiver.figures.left, waiver.figures.right]
        meant = [n for n, finding in enumerate(checked) if finding.open and _means(waiver, finding)]
        same = [n for n in meant if accepted == [checked[n].left, checked[n].right]]
        name = "、".join((waiver.check, *waiver.facts)) + (f"“{waiver.place}”" * bool(waiver.place))
        if len(same) == 1:
            waived = Waived(waiver.reason, waiver.by, waiver.on.isoformat())
            checked[same[0]] = replace(checked[same[0]], waived=waived)
            continue
        if len(meant) > 1:
            reason = f"同时符合{len(meant)}项，须写得更具体"
        elif meant:
            finding = checked[meant[0]]
            reason = f"接受时为{_sides(accepted)}，现为{_sides([finding.left, finding.right])}"
        else:
            reason = "没有这样的不符，请删去"
        unmatched.append(check(rules, "W1", False, f"{name}：{reason}", facts=waiver.facts))
    return checked + unmatched


def meant_later(checks: Sequence[Check], waivers: Sequence[Waiver]) -> list[Waiver]:
    """Waivers that mean none of these findings, and may mean one of the notebook's."""
    return [
        waiver
        for waiver in waivers
        if waiver.check in OF_NOTEBOOKS
        and not any(finding.open and _means(waiver, finding) for finding in checks)
    ]


def _means(waiver: Waiver, finding: Check) -> bool:
    # A relation written above it changes a relation's number; its facts say which one it is.
    if family(waiver.check) != family(finding.id):
        return False
    if waiver.place is not None:
        return waiver.place in finding.message
    return set(waiver.facts) == set(finding.facts)


def _sides(sides: Sequence[str | None]) -> str:
    return "与".join(side or "（无）" for side in sides)


def waiver_yaml(finding: Mapping[str, Any]) -> str:
    """Return the entry of ``waivers`` that accepts a finding of ``checks.json``; no reason yet."""
    waiver: dict[str, Any] = {"check": finding["id"]}
    if finding["facts"]:
        waiver["facts"] = finding["facts"]
    else:
        waiver["place"] = finding["message"][:_PLACE]
    figures = {side: finding[side] for side in ("left", "right") if finding[side] is not None}
    if figures:
        waiver["figures"] = figures
    # JSON is YAML that guesses nothing.
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in waiver.items()]
    return "- " + "\n  ".join([*lines, "reason:", "by:", "on:"]) + "\n"
