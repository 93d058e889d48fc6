"""Findings of the examination: what was examined, its state, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reportkit.language import Message, joined
from reportkit.language.message import COLON

_STATES = {"good": Message("good  "), "warn": Message("warn  "), "bad": Message("bad   ")}


@dataclass(frozen=True)
class Finding:
    """A result of the examination.

    Parameters
    ----------
    about : str
        What was examined.
    state : {"good", "warn", "bad"}
        Bad: a run would stop, or be refused.
    found, todo : str
        What was found, and what to do about it; nothing where it is good.
    """

    about: str
    state: Literal["good", "warn", "bad"]
    found: str
    todo: str = ""

    def text(self) -> str:
        """Return the finding as one or two lines."""
        todo = ["\n      → ", self.todo] if self.todo else []
        return joined("", [_STATES[self.state], joined(COLON, [self.about, self.found]), *todo])


def good(about: str, found: str) -> Finding:
    """All is well."""
    return Finding(about, "good", found)


def warn(about: str, found: str, todo: str) -> Finding:
    """A run works, and somebody should know."""
    return Finding(about, "warn", found, todo)


def bad(about: str, found: str, todo: str) -> Finding:
    """A run stops here."""
    return Finding(about, "bad", found, todo)
