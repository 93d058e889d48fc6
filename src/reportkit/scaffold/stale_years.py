"""Remains of an old year in a text that was taken over: typed years, dates and numbers.

Figures of a narrative are placeholders, so a digit that is typed stands for last year until
somebody has looked at it. Only what cannot mean anything else is advanced: the first and last day
of the report year, the year that opens a sentence, and the report's own title.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from reportkit.text.coverage import cover
from reportkit.text.placeholders import PLACEHOLDER

_TITLE = re.compile(r"《[^》\n]*》")
_YEAR = r"(?:(?:19|20)\d\d|[一二][〇○零一二三四五六七八九]{3})"
# Texts from word processors have blanks between digits and 年, 月, 日.
_B = "[ 　]*"
_MONTH = rf"\d?\d{_B}月(?:{_B}\d?\d{_B}日)?"
_IN_WORDS = "[一二三四五六七八九十]{1,2}月(?:[一二三四五六七八九十]{1,3}日)?"
_DATED = re.compile(
    rf"""
    (?P<date>
        (?<!\d){_YEAR}(?:-\d\d-\d\d | {_B}年{_B}{_MONTH} | 年{_IN_WORDS})
      | (?<!\d){_MONTH}
      | (?<![一二三四五六七八九十]){_IN_WORDS}(?<=日))
  | (?P<year>[〔\[(（]{_YEAR}[〕\])）](?:\d+号)? | (?<!\d){_YEAR}(?={_B}年) | (?<!\d)20\d\d(?!\d))
    """,
    re.X,
)
# What opens a heading or an item in Markdown.
_MARK = re.compile(r"^\s*(?:#+\s*|[-*+]\s+|\d+[.)]\s+)?")
# The report year's own ends stand in every report: "{{ year }}年1月1日至12月31日".
_ENDS = {"1月1日", "12月31日", "一月一日", "十二月三十一日"}

Kind = Literal["date", "year", "number"]


@dataclass(frozen=True)
class Typed:
    """A year, date or number that is typed in a text.

    Parameters
    ----------
    line : int
        Counted from 1.
    kind : {"date", "year", "number"}
    found : str
        As it stands.
    """

    line: int
    kind: Kind
    found: str


def chinese_year(year: int) -> str:
    """A year digit by digit: 2020 is 二〇二〇."""
    return "".join("〇一二三四五六七八九"[int(digit)] for digit in str(year))


def advance(
    text: str, old: int, *, title: str, digits: str, numerals: str
) -> tuple[str, list[Typed]]:
    """Replace *old* where it can only be the report year.

    Parameters
    ----------
    text : str
    old : int
        The report year that the text was written for.
    title : str
        What a report of the form is called.
    digits, numerals : str
        What stands for the new year: in the place of 2020, and of 二〇二〇.

    Returns
    -------
    tuple of str and list of Typed
        The text, and what was replaced, as it stood.
    """
    written = rf"(?:{old}|{chinese_year(old).replace('〇', '[〇○零]')})"
    safe = re.compile(
        rf"(?<!\d){written}(?={_B}年(?:{_B}1{_B}月{_B}1{_B}日|{_B}12{_B}月{_B}31{_B}日|一月一日"
        rf"|十二月三十一日|度?{re.escape(title)}))|(?<![^\n。；！？]){written}(?={_B}年[，,、])"
    )
    replaced: list[Typed] = []
    parts, start = [], 0
    for match in safe.finditer(_hide(text, titles=True)):
        replaced.append(Typed(text.count("\n", 0, match.start()) + 1, "year", match[0]))
        parts += [text[start : match.start()], digits if match[0].isascii() else numerals]
        start = match.end()
    return "".join([*parts, text[start:]]), replaced


def typed(text: str, old: int, *, numbers: bool = True) -> list[Typed]:
    """Years from the one before *old* on, dates, and numbers that are typed in a text.

    Years further back belong to what they date, such as a law. Words (去年, 上年) stay right. Of
    the numbers those count that a report would find (C1): dates aside, what no class of
    `reportkit.text.coverage` allows.
    """
    remains: list[Typed] = []
    hidden = _hide(text)

    def note(match: re.Match[str]) -> str:
        year = re.search(_YEAR, match[0])
        if re.sub(_B, "", match[0]) in _ENDS or (year and _number(year[0]) < old - 1):
            return match[0]
        line = text.count("\n", 0, match.start()) + 1
        remains.append(Typed(line, match.lastgroup, match[0]))  # type: ignore[arg-type]  # a group
        return _blank(match)

    rest = _DATED.sub(note, hidden)
    for line, words in enumerate(rest.split("\n") if numbers else [], start=1):
        runs = [{"text": _MARK.sub("", words)}]
        spots = cover({"": [{"type": "paragraph", "runs": runs}]}).of("unbound")
        remains += [Typed(line, "number", spot.text) for spot in spots]
    return remains


def _number(year: str) -> int:
    return int(year.translate(str.maketrans("〇○零一二三四五六七八九", "000123456789")))


def _hide(text: str, *, titles: bool = False) -> str:
    """Blank out placeholders (and titles in 《》), so that places stay what they are."""
    text = PLACEHOLDER.sub(_blank, text)
    return _TITLE.sub(_blank, text) if titles else text


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", "\0", match[0])
