"""Head and sections of a published report: its issuer, its year, and the texts by number."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from rapidfuzz import fuzz

from reportkit.audit.labels import letters
from reportkit.audit.readers.lines import squeeze

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reportkit.audit.readers.lines import Line
    from reportkit.forms import Form

_YEAR = re.compile(r"(?<!\d)(20[0-9]{2})(?!\d)年?度?")
_PERIOD = re.compile(r"(20\d\d)年1月1日")
_FIRST = 60  # lines in which a title stands
_TITLE = 75  # of a hundred
_SECTION = 80
_ENDS = re.compile(r"[。！？：；:;!?]$")
_BEGINS = re.compile(
    r"[((]?[一二三四五六七八九十]{1,3}[、))]|\d{1,2}[.、．)](?!\d)|第[一二三四五六]"
)
_NOISE = re.compile(r"[-—–·\s]*\d{1,3}[-—–·\s]*")


@dataclass(frozen=True)
class Heading:
    """Title, issuer and year, as a report states them.

    Parameters
    ----------
    title, issuer : str or None
    year : int or None
        The report year.
    """

    title: str | None
    issuer: str | None
    year: int | None


def read_heading(lines: Sequence[Line], form: Form, name: str) -> Heading:
    """The title, issuer and year of a document.

    Parameters
    ----------
    lines : sequence of Line
    form : Form
        What its reports are called.
    name : str
        The file's name, where the document does not say its year.
    """
    texts = [squeeze(line.text) for line in lines[:_FIRST] if line.text]
    title = issuer = None
    year = None
    for at, text in enumerate(texts):
        around = text if at == 0 else texts[at - 1] + text
        if len(text) > 60 or (
            not text.endswith(form.model.title[-2:]) and form.model.title[-4:] not in text
        ):
            continue
        if fuzz.partial_ratio(form.model.title, around) < _TITLE:
            continue
        before = _before(text, form.model.title)
        short = at > 0 and len(texts[at - 1]) <= 40 and not _ENDS.search(texts[at - 1])
        if (not before and short) or (
            short and _YEAR.search(texts[at - 1]) and not _YEAR.search(text)
        ):
            before, text = _before(texts[at - 1], form.model.title) or before, texts[at - 1] + text
        found = _YEAR.search(text)
        title, issuer = text, before or None
        year = int(found[1]) if found else None
        if year:
            break
    whole = "".join(squeeze(line.text) for line in lines if line.table is None)
    if year is None:
        periods = Counter(_PERIOD.findall(whole))
        found = _YEAR.search(name)
        printed = periods.most_common(1)[0][0] if periods else found and found[1]
        year = int(printed) if printed else None
    return Heading(title, issuer or _signed(lines), year)


def _before(text: str, title: str) -> str:
    """The body in a title: before the year or the title itself, between them, or in brackets."""
    text = text.strip("#·*“”《》")
    year = _YEAR.search(text)
    start = text.find(title[:4])
    body = text[: min(at for at in (year.start() if year else -1, start, len(text)) if at >= 0)]
    if not body and year and start > year.end():
        body = text[year.end() : start].lstrip("年度的")
    bracket = re.search(r"[((]([^()()]{4,30})[))]$", text)
    if not body and bracket and not _YEAR.search(bracket[1]):
        body = bracket[1]
    return body.removeprefix("关于") if len(body) <= 40 else ""


def _signed(lines: Sequence[Line]) -> str | None:
    """The body that signed: the short line before a day at the end."""
    texts = [squeeze(line.text) for line in lines[-12:] if line.text]
    for before, text in pairwise(texts):
        if re.fullmatch(r"20\d\d年\d{1,2}月\d{1,2}日", text) and 3 < len(before) < 30:
            return before if not _ENDS.search(before) else None
    return None


def read_sections(lines: Sequence[Line], form: Form) -> dict[str, str]:
    """Texts by the number of their section, the preamble under ""; wrapped lines are put together.

    A section that the document does not have has no entry.
    """
    titles: dict[str, list[str]] = {}
    for edition in form.editions:
        for section in edition.sections:
            titles.setdefault(section.number, []).append(letters(section.title))
    texts = [line for line in lines if not _NOISE.fullmatch(line.text)]
    heads = {at: number for at, line in enumerate(texts) if (number := _number(line, titles))}
    # A list of contents has the headings too, three at least in a row.
    runs = ({at, at + 1, at + 2} for at in heads)
    listed = set().union(*(run for run in runs if run <= heads.keys()))
    body = {at: number for at, number in heads.items() if at not in listed}
    heads = body if set(body.values()) == set(heads.values()) else heads
    sections: dict[str, list[str]] = {"": []}
    current = ""
    for at, line in enumerate(texts):
        if at in heads and heads[at] not in sections:
            current = heads[at]
            rest = _after_title(line, titles[current])
            sections[current] = [rest] if rest else []
        elif line.table is None:
            sections[current].append(line.text)
    return {number: _put_together(body) for number, body in sections.items()}


def _number(line: Line, titles: Mapping[str, Sequence[str]]) -> str | None:
    """The section that a line is the heading of."""
    text = squeeze(line.text).lstrip("#*第")
    match = re.match(r"([一二三四五六七八九十])[、.．,]", text)
    if not match or match[1] not in titles or (line.table is not None and len(line.cells) > 1):
        return None
    own = letters(re.split("[。:：]", text)[0])
    close = max(
        max(fuzz.ratio(own, title), fuzz.partial_ratio(own, title) if len(own) >= 4 else 0)
        for title in titles[match[1]]
    )
    return match[1] if close >= _SECTION and len(own) <= 40 else None


def _after_title(line: Line, titles: Sequence[str]) -> str:
    """The text that follows a heading on its line."""
    loose = (r"\W*".join(map(re.escape, title)) for title in titles)
    matches = (re.search(pattern, line.text) for pattern in loose)
    return next((line.text[match.end() :].strip(" 。:：") for match in matches if match), "")


def _put_together(lines: Sequence[str]) -> str:
    """Paragraphs of wrapped lines."""
    text = ""
    for line in lines:
        new = not text or _ENDS.search(text) or _BEGINS.match(squeeze(line))
        text += ("\n" if new and text else "") + squeeze(line)
    return text
