"""Figures of a text that restate cells, and those that a text states twice (N)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from reportkit.audit.wording import Mention, filled
from reportkit.facts.numerals import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reportkit.audit.wording import Wording
    from reportkit.forms import Edition

_SENTENCE = re.compile(r"[^。；;！？\n]*[。；;！？]?")
_BEFORE = 10  # characters before a mention that can make it one of a part


@dataclass(frozen=True)
class MentionedFigure:
    """A figure of the text that is a mention.

    Parameters
    ----------
    mention : Mention
    value : Decimal
    section, sentence : str
    span : (int, int)
        Where its number stands in the sentence, or its words where they say one without.
    """

    mention: Mention
    value: Decimal
    section: str
    sentence: str
    span: tuple[int, int]


def sentences(text: str) -> Iterator[str]:
    """Sentences of a text; a semicolon ends one."""
    return (match[0] for match in _SENTENCE.finditer(text) if match[0].strip())


def all_mentions(wording: Wording, edition: Edition) -> list[Mention]:
    """The mentions of a form, and those that are labels of its rows."""
    mentions = list(wording.mentions)
    labels = wording.labels
    if labels is None:
        return mentions
    table = edition.tables[labels.table]
    groups: dict[str, list[str]] = {}
    for band in table.model.bands:
        last = table.columns(band)[-1].key
        for row in table.rows(band):
            if row.total or not row.groups:
                continue
            cell = table.cell_id(row.key, last)
            for node in (*row.groups[1:], row.node):
                if len(node.label) >= 4:
                    groups.setdefault(node.label, []).append(cell)
    # Longer labels first: one can be a part of another.
    for label, cells in sorted(groups.items(), key=lambda item: -len(item[0])):
        pattern = labels.pattern.replace("{label}", re.escape(label))
        mentions.append(Mention(name=label, pattern=pattern, equals=[cells], part=True))
    return mentions


def mentioned_figures(
    wording: Wording, edition: Edition, sections: Mapping[str, str], *, issuer: str = ""
) -> list[MentionedFigure]:
    """All figures of the text that are mentions; no two of them share words of a sentence."""
    subsets, mentions = re.compile(wording.subsets), all_mentions(wording, edition)
    found = []
    for section, text in sections.items():
        for sentence in sentences(text):
            claimed = [False] * len(sentence)
            for mention in mentions:
                for match in mention.regex.finditer(sentence):
                    span = slice(*match.span())
                    if any(claimed[span]):
                        continue
                    claimed[span] = [True] * len(claimed[span])
                    if _is_part(subsets, mention, match, sentence, issuer):
                        continue
                    at = next((n for n, group in enumerate(match.groups(), 1) if group), 0)
                    number = match[at] if at else mention.says
                    value = Decimal(str(number).replace(",", ""))
                    found.append(MentionedFigure(mention, value, section, sentence, match.span(at)))
    return found


def _is_part(
    subsets: re.Pattern[str], mention: Mention, match: re.Match[str], sentence: str, issuer: str
) -> bool:
    """Words before or in a mention that make it one of a part of the body, or of another year."""
    before = sentence[: match.start()]
    if "其中" in before and not mention.part:
        return True
    clause = re.split(r"[,，、。；;：:]", before)[-1][-_BEFORE:]
    # The body's own name is no part of it.
    for at in range(max(len(issuer) - 3, 0)):
        clause = clause.replace(issuer[at:], "")
    return bool(subsets.search(clause) or subsets.search(match[0][2:]))


def sums_of(mention: Mention, values: Mapping[str, Decimal]) -> list[tuple[list[str], Decimal]]:
    """Cells that a mention can be the sum of, and the sum, where all of them are known."""
    sums = []
    for names in mention.equals:
        plus = [name for name in names if not name.startswith("-")]
        minus = [name[1:] for name in names if name.startswith("-")]
        if all(name in values for name in (*plus, *minus)):
            total = sum((values[name] for name in plus), Decimal(0))
            sums.append(([*plus, *minus], total - sum((values[n] for n in minus), Decimal(0))))
    return sums


def twice(wording: Wording, sections: Mapping[str, str]) -> Iterator[tuple[str, str, str, str]]:
    """Figures that a text gives twice, and differently: both numbers, and both sentences."""
    for pattern in wording.once:
        regex = filled(pattern, subject=wording.subject)
        earlier: dict[str, tuple[str, str]] = {}
        for text in sections.values():
            for sentence in sentences(text):
                for match in regex.finditer(sentence):
                    *key, number = match.groups()
                    name = "".join(part or "" for part in key)
                    first = earlier.setdefault(name, (number, sentence))
                    if first[0] != number:
                        yield first[0], number, first[1], sentence


def unbalanced(
    wording: Wording, edition: Edition, sections: Mapping[str, str]
) -> tuple[str, str] | None:
    """Both sides of what was received and done, where a text names each part once, and they differ.

    Texts often leave out what was carried in: only where all parts are named they must agree.
    """
    balance = wording.balance
    if balance is None:
        return None
    patterns = {mention.name: mention.regex for mention in all_mentions(wording, edition)}

    def numbers(pattern: re.Pattern[str]) -> set[Decimal]:
        matches = (match for text in sections.values() for match in pattern.finditer(text))
        groups = (next(group for group in match.groups() if group) for match in matches)
        return {Decimal(group.replace(",", "")) for group in groups}

    found = {name: numbers(patterns[name]) for name in (*balance.left, *balance.right)}
    first = balance.left[0]
    found[first] = found[first] or numbers(filled(balance.received))
    if any(len(values) != 1 for values in found.values()):
        return None
    left, right = (
        sum((value for name in side for value in found[name]), Decimal(0))
        for side in (balance.left, balance.right)
    )
    return None if left == right else (plain(left), plain(right))
