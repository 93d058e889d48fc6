"""Sums that a sentence states: so many, of which these (N)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNIT = "条次|万元|人次|[条件项个篇次起宗期份场家名元本批]"
_NUMBER = rf"(\d[\d,]*(?:\.\d+)?)(余|多)?({_UNIT})"
WHOLE = re.compile(_NUMBER)
_OPENS = re.compile(r"[,，。:：]?\(?(其中|包括|分别为|分别是|具体为|即)[:：,，]?")
_PART = re.compile(
    rf"[,，、;；和及]?([^,，、;；。\d(（)）]{{0,30}}?){_NUMBER}(?:[(（][^()（）]*[)）])?"
)
# Words with which something else than a further part begins.
_STOPS = "共|总|办理|占|另|还有|同比|环比|较|比上|增长|下降|累计|全年|同时|此外|组织|开展"
_INNER = re.compile(r"[(（][^()（）]*[)）]")


@dataclass(frozen=True)
class StatedSum:
    """A whole and its parts, as a sentence states them.

    Parameters
    ----------
    whole : Decimal
    parts : tuple of Decimal
    word : str
        What opens the list.
    same : Decimal
        The sum of those parts that are in the whole's unit.
    sentence : str
    """

    whole: Decimal
    parts: tuple[Decimal, ...]
    word: str
    same: Decimal
    sentence: str

    @property
    def total(self) -> Decimal:
        """The sum of all parts."""
        return sum(self.parts, Decimal(0))

    @property
    def severity(self) -> str | None:
        """None where it holds; parts above their whole are an error, below it often left out."""
        if self.whole in (self.total, self.same):
            return None
        if self.word.startswith("分别") or self.same > self.whole:
            return "error"
        return "warning" if self.total < self.whole else None


def stated_sums(text: str, stops: str) -> Iterator[StatedSum]:
    """All sums of a text that have at least two parts.

    Parameters
    ----------
    text : str
    stops : str
        Pattern of the form's own words with which something else than a further part begins.
    """
    stop = re.compile(f"{_STOPS}|{stops}")
    for opening in _OPENS.finditer(text):
        before = _INNER.sub("", text[max(0, opening.start() - 60) : opening.start()])
        before = re.split(r"[。；;\n](?=.)", before)[-1] if opening[0][0] != "。" else before
        wholes = list(WHOLE.finditer(before))
        if not wholes or wholes[-1][2]:
            continue
        # Nothing but a few words stands between a whole and its parts.
        if len(before) - wholes[-1].end() > 12 or "。" in before[wholes[-1].end() : -1]:
            continue
        parts = list(_parts(text, opening.end(), stop, inner="(" in opening[0]))
        if len(parts) < 2 or any(rest for _, rest, _ in parts):
            continue
        unit = wholes[-1][3]
        numbers = tuple(number for number, _, _ in parts)
        end = re.search(r"[。；;\n]|$", text[opening.end() :])
        lead = re.split(r"[。；;\n]", text[max(0, opening.start() - 60) : opening.start()])[-1]
        sentence = lead + text[opening.start() : opening.end() + (end.end() if end else 0)]
        same_unit = [_decimal(one[1]) for one in wholes if one[3] == unit]
        stated = StatedSum(
            # After a full stop the parts are of the sentence before, whatever it says last.
            max(same_unit) if opening[0][0] == "。" else _decimal(wholes[-1][1]),
            numbers,
            opening[1],
            sum((number for number, _, of in parts if of == unit), Decimal(0)),
            sentence.strip(),
        )
        # A text that corrects itself names both: the parts may be of any whole before them.
        if opening[0][0] == "。" and stated.total in same_unit:
            continue
        yield stated


def _parts(
    text: str, start: int, stop: re.Pattern[str], *, inner: bool
) -> Iterator[tuple[Decimal, str | None, str]]:
    at = start
    while match := _PART.match(text, at):
        if at > start and (stop.match(match[1]) or match[0][0] in "。；;"):
            return
        if re.search("占|比|%", match[1]):
            return
        yield _decimal(match[2]), match[3], match[4]
        at = match.end()
        share = re.match(r"[,，]?占?[^,，、;；。\d]{0,8}\d+(?:\.\d+)?%", text[at:])
        at += share.end() if share else 0
        if inner and text[at : at + 1] in ")）":
            return


def _decimal(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


_SHARE = re.compile(rf"(\d[\d,]*)(?:{_UNIT})[,，(（]?(?:占[^,，。；;\d]{{0,12}})?(\d+(?:\.\d+)?)%")


def wrong_shares(text: str) -> Iterator[tuple[str, str, str]]:
    """Shares that fit no whole of the text: part, percentage, and the words around them."""
    numbers = {_decimal(match[1]) for match in WHOLE.finditer(text)} - {Decimal(0)}
    for match in _SHARE.finditer(text):
        part, percent = _decimal(match[1]), Decimal(match[2])
        places = len(match[2].partition(".")[2])
        near = Decimal(1).scaleb(-places) * Decimal("1.01")
        # A base may be a sum of two that are named.
        bases = numbers | {a + b for a in numbers for b in numbers}
        if not any(b >= part and abs(part * 100 / b - percent) <= near for b in bases):
            yield match[1], match[2], text[max(0, match.start() - 16) : match.end() + 8]
