"""Coverage: every number in the text is bound to a fact, of an allowed class, or a finding.

The classes (``coverage.yaml``) are patterns of what looks like a figure and is none: dates,
titles, numbering, addresses, fixed phrases, and words that only contain a numeral. A number is
allowed if classes cover all its characters, so that 一 in 二十一 is never taken for the 一 of 一般.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from reportkit.facts.numerals import CHINESE, NUMBER
from reportkit.yamlfile import Strict, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reportkit.text.markdown import Prose
    from reportkit.text.placeholders import Run

State = Literal["bound", "allowed", "stated", "unbound"]


class AllowedClass(Strict):
    """Numbers that are no figures of a report.

    Parameters
    ----------
    name, reason : str
        In Chinese, as auditors read them.
    patterns : list of str
        Regular expressions; ``{n}`` stands for the Chinese numeral characters, inside [].
    words : list of str
        Words, many to a line.
    counted : bool
        False where the characters are no number at all (一般): they are neither counted nor marked.
    match, miss : list of str
        Examples, held by a test: texts whose numbers this class covers, and does not cover.
    """

    name: str
    reason: str
    patterns: list[str] = Field(default_factory=list)
    words: list[str] = Field(default_factory=list)
    counted: bool = True
    match: list[str]
    miss: list[str]

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """All patterns and words, longer words first."""
        words = sorted((w for line in self.words for w in line.split()), key=len, reverse=True)
        patterns = [pattern.replace("{n}", CHINESE) for pattern in self.patterns]
        return re.compile("|".join([*patterns, *map(re.escape, words)]), re.MULTILINE)


class _Classes(Strict):
    classes: list[AllowedClass]


@cache
def allowed_classes() -> tuple[AllowedClass, ...]:
    """Return the classes of the package; the first that covers a character decides."""
    path = Path(str(files("reportkit.text"))) / "coverage.yaml"
    return tuple(read_yaml(path).validate(_Classes).classes)


@dataclass(frozen=True)
class Spot:
    """One number in the text.

    Parameters
    ----------
    section : str
        Number of the section ("一"), empty for the preamble.
    text, context : str
        The number, and the words around it with the number in 【】.
    state : {"bound", "allowed", "stated", "unbound"}
        Stated: the template itself says that it is no figure.
    basis : str
        The fact it is bound to, the class that allows it, or the template's reason.
    """

    section: str
    text: str
    context: str
    state: State
    basis: str = ""


@dataclass(frozen=True)
class Coverage:
    """The text with its unbound and allowed numbers marked, and all numbers in order."""

    sections: Mapping[str, Prose]
    spots: tuple[Spot, ...]

    def of(self, state: State) -> tuple[Spot, ...]:
        """The numbers of one state."""
        return tuple(spot for spot in self.spots if spot.state == state)


def cover(sections: Mapping[str, Prose], units: Mapping[str, str] | None = None) -> Coverage:
    """Look at every number of a rendered text.

    Parameters
    ----------
    sections : mapping of str to list
        As in `reportkit.text.narrative.Narrative`.
    units : mapping of str to str, optional
        Unit of each fact: 万元 typed after a fact in 万元 is its unit and no part of the number.

    Returns
    -------
    Coverage
        Runs are split where a number begins: ``{"unbound": True}`` or ``{"allowed": class}``.
    """
    spots: list[Spot] = []

    def marked(section: str, node: Mapping[str, Any]) -> dict[str, Any]:
        def cover_runs(runs: Iterable[Run]) -> list[Run]:
            return _cover_runs(section, runs, units or {}, spots)

        if "items" in node:
            return {**node, "items": [cover_runs(runs) for runs in node["items"]]}
        return {**node, "runs": cover_runs(node["runs"])}

    split = {number: [marked(number, node) for node in body] for number, body in sections.items()}
    return Coverage(split, tuple(spots))


def _cover_runs(
    section: str, runs: Iterable[Run], units: Mapping[str, str], spots: list[Spot]
) -> list[Run]:
    whole = "".join(run["text"] for run in runs)
    owner = [run for run in runs for _ in run["text"]]
    allowed = _allowed(whole)
    marks: list[Any] = [None] * len(whole)
    for match in NUMBER.finditer(whole):
        start, end = match.span()
        state, basis = _judge(start, end, owner, allowed, whole, units)
        # 三十 in 统一三十件: a character before it that a class covers is no part of the number.
        while state == "unbound" and allowed[start] and start < end - 1:
            start += 1
        if state == "allowed" and basis in _uncounted():
            continue
        context = (
            f"{whole[max(0, start - 12) : start]}【{whole[start:end]}】{whole[end : end + 12]}"
        )
        spots.append(Spot(section, whole[start:end], context, state, basis))
        if state != "bound":
            marks[start:end] = [(start, state, basis)] * (end - start)
    # Each run is split where a mark begins or ends; characters of one run and mark stay together.
    split: list[Run] = []
    keys = [(id(run), mark) for run, mark in zip(owner, marks, strict=True)]
    for (_, mark), group in groupby(range(len(whole)), key=keys.__getitem__):
        places = list(group)
        run = {**owner[places[0]], "text": "".join(whole[place] for place in places)}
        if mark and "fact" not in run:
            run |= {"unbound": True} if mark[1] == "unbound" else {"allowed": mark[2]}
        split.append(run)
    return split


def _judge(
    start: int, end: int, owner: list[Run], allowed: list[str], whole: str, units: Mapping[str, str]
) -> tuple[State, str]:
    facts = {id(run): run["fact"] for run in owner[start:end] if "fact" in run}
    typed = [at for at in range(start, end) if "fact" not in owner[at]]
    if len(facts) == 1:
        (fact,) = facts.values()
        # A typed 万 after a fact makes another number of it, unless it begins the fact's unit.
        unit = units.get(fact, "")
        if not typed or ("fact" in owner[start] and unit and whole.startswith(unit, typed[0])):
            return "bound", fact
    if facts or not all(allowed[at] or "allowed" in owner[at] for at in typed):
        return "unbound", ""
    if "allowed" in owner[start]:
        return "stated", owner[start]["allowed"]
    return "allowed", allowed[start]


def _allowed(text: str) -> list[str]:
    """For each character, the class that covers it, or nothing."""
    covered = [""] * len(text)
    for allowed in allowed_classes():
        for match in allowed.regex.finditer(text):
            for at in range(*match.span()):
                covered[at] = covered[at] or allowed.name
    return covered


@cache
def _uncounted() -> frozenset[str]:
    return frozenset(allowed.name for allowed in allowed_classes() if not allowed.counted)
