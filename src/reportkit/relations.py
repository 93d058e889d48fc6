"""Relations that a text states between its figures: 502 = 448 + 66, 73 of 76, 97.4% (N1, N2, …)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from reportkit.checks import Check, equation
from reportkit.facts import TO_DO
from reportkit.numerals import plain, rounded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportkit.facts import Facts
    from reportkit.params import Relation, Share


def relation_checks(relations: Sequence[Relation], facts: Facts) -> list[Check]:
    """Check the relations of one report, in their order."""
    return [_check(f"N{number}", one, facts) for number, one in enumerate(relations, 1)]


def _check(name: str, relation: Relation, facts: Facts) -> Check:
    unfilled = [facts[fact].label for fact in relation.facts if facts[fact].value == TO_DO]
    if unfilled:
        told = f"尚未填写：{'、'.join(unfilled)}"
        return Check(
            name, relation.title, relation.severity, False, None, None, relation.facts, told
        )
    if relation.left is not None and relation.right is not None:
        sides = relation.left, relation.right
        return equation(name, relation.title, relation.severity, *sides, facts, "")
    if relation.share:
        left, right, holds, told = _share(relation.share, facts)
    else:
        left, right, holds, told = _at_most(relation.parts or [], str(relation.whole), facts)
    return Check(name, relation.title, relation.severity, holds, left, right, relation.facts, told)


def _at_most(parts: list[str], whole: str, facts: Facts) -> tuple[str, str, bool, str]:
    total = sum((facts[part].number for part in parts), Decimal(0))
    holds = total <= facts[whole].number
    terms = " + ".join(facts[part].text for part in parts)
    left = f"{terms} = {plain(total)}" if len(parts) > 1 else terms
    told = f"{facts[whole].text}中的{left}" + ("" if holds else "，部分大于总数")
    return plain(total), facts[whole].text, holds, told


def _share(share: Share, facts: Facts) -> tuple[str, str, bool, str]:
    stated, part, whole = (facts[name] for name in (share.percent, share.part, share.whole))
    division = f"{part.text} ÷ {whole.text}"
    if not whole.number or isinstance(stated.value, str):
        # Where nothing can be divided, words are right and any number is wrong.
        holds = isinstance(stated.value, str) and not whole.number
        return stated.text, division, holds, f"{division}：文中为“{stated.text}”"
    # As many places as it is stated with: 50.0 claims more than 50.
    decimals = max(0, -int(stated.value.as_tuple().exponent))
    right = rounded(part.number * 100 / whole.number, decimals)
    told = f"{division} = {plain(right)}%，文中为{stated.text}%"
    return f"{stated.text}%", f"{plain(right)}%", stated.value == right, told
