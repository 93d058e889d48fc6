"""Words of a form's published reports, as data: ``audit.yaml`` of the form."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from reportkit.forms.model import Rule
from reportkit.yamlfile import Strict

if TYPE_CHECKING:
    from reportkit.forms import Form


_NOTHING = r"(?!)"
"""A pattern that fits nothing."""


def filled(pattern: str, **names: str) -> re.Pattern[str]:
    """A pattern of ``audit.yaml`` filled in: ``{n}`` is a number, ``{gap}`` some words."""
    names = {
        # 余, 多 and 万 make another number of it.
        "n": r"(\d[\d,]*(?:\.\d+)?)(?![\d.]|[余多几]|万)",
        "gap": r"[^，,。；;：:、\d%（(]{0,8}?",
        **names,
    }
    for name, text in names.items():
        pattern = pattern.replace("{" + name + "}", text)
    return re.compile(pattern)


class Mention(Strict):
    """A figure of the text that restates cells.

    Parameters
    ----------
    name : str
    pattern : str
        A regular expression; its group is the number. ``{n}`` is a number, ``{gap}`` the few
        characters that may stand between a word and its number.
    equals : list of list of str
        Sums of cells that it can be: any of them is right. ``*`` stands for the parts of a name.
    says : int, optional
        The number that the words say without one.
    part : bool
        It counts after 其中 too.
    """

    name: str
    pattern: str
    equals: list[list[str]]
    says: int | None = None
    part: bool = False

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """The pattern with its names filled in."""
        return filled(self.pattern)


class Labels(Strict):
    """Rows of a table whose labels a text uses as they are, with the total of the row."""

    table: str
    pattern: str


class Balance(Strict):
    """Mentions of a text without tables that add up to the same."""

    left: list[str]
    right: list[str]
    received: str


class Foreign(Strict):
    """Words by which bodies of another kind call themselves."""

    words: str
    issuer: str


class Superseded(Strict):
    """Words of an edition that no later report should hold."""

    edition: str
    words: list[str]


class Misread(Strict):
    """A column that was filled with the sum of others, in every row that has numbers."""

    id: str
    table: str
    column: str
    plus: list[str]
    least: int


class Unable(Strict):
    """A row that is nought for bodies of some kinds, which their names tell."""

    id: str
    cells: str
    issuer: str
    but: str = _NOTHING


class Level(Strict):
    """Level of a body by its name, for the day by which its report is due."""

    issuer: str
    level: Literal["department", "county", "city", "province"]


class Wording(Strict):
    """Content of a form's ``audit.yaml``."""

    mentions: list[Mention] = Field(default_factory=list)
    labels: Labels | None = None
    balance: Balance | None = None
    once: list[str] = Field(default_factory=list)
    subject: str = _NOTHING
    published: str = _NOTHING
    period: str = _NOTHING
    plans: str = _NOTHING
    stops: str = _NOTHING
    """Words with which, after the parts of a sum, something else begins."""
    foreign: list[Foreign] = Field(default_factory=list)
    subsets: str = _NOTHING
    """Words before a number that make it one of a part of the body, or of another year."""
    superseded: list[Superseded] = Field(default_factory=list)
    rules: list[Rule] = Field(default_factory=list)
    misread: list[Misread] = Field(default_factory=list)
    unable: list[Unable] = Field(default_factory=list)
    levels: list[Level] = Field(default_factory=list)
    rest_of_name: str = _NOTHING
    """An ending of names of bodies that is often left out."""
    leftovers: dict[str, str] = Field(default_factory=dict)
    """Patterns of sentences that belong into another kind of text, with the problem."""


@lru_cache(maxsize=16)
def wording_of(form: Form) -> Wording:
    """The words of a form; none where it has no ``audit.yaml``."""
    return form.parts["audit"].validate(Wording) if "audit" in form.parts else Wording()
