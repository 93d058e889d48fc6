"""The rules by id, and a rule applied to one place: a check."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, RootModel

from reportkit.yamlfile import Strict, read_yaml

if TYPE_CHECKING:
    from collections.abc import Sequence

Severity = Literal["error", "warning", "info"]


class RuleText(Strict):
    """Texts of a rule: its demand, its basis, and what to do when it does not hold."""

    title: str
    severity: Severity
    basis: str
    todo: str
    limits: dict[str, str] = Field(default_factory=dict)
    why: str = ""

    def limit(self, name: str) -> int:
        """A threshold of the rule, a whole number."""
        return int(self.limits[name])


class _Rules(RootModel[dict[str, RuleText]]):
    pass


@cache
def rules() -> dict[str, RuleText]:
    """All rules by id, in the order of their page."""
    return read_yaml(Path(str(files("reportkit.checks"))) / "rules.yaml").validate(_Rules).root


def family(name: str) -> str:
    """The rule's id of a check's: relations of the text, N1, N2, …, share the rule N."""
    return "N" if name.startswith("N") else name


def rule_of(name: str) -> RuleText:
    """The rule of a check."""
    return rules()[family(name)]


@dataclass(frozen=True)
class Waived:
    """Acceptance of a finding: the reason, by whom, and when (an ISO day)."""

    reason: str
    by: str
    on: str


@dataclass(frozen=True)
class Check:
    """One rule, applied to one place: what must hold, and whether it does.

    Parameters
    ----------
    id : str
        Rule id; one rule gives a check for each place it is applied to.
    title : str
    severity : {"error", "warning", "info"}
    holds : bool
    left, right : str or None
        The two sides of an equation, as printed.
    facts : tuple of str
        Facts that take part.
    message : str
        What was compared, in words.
    waived : Waived or None
        Set where somebody accepted that it does not hold.
    """

    id: str
    title: str
    severity: str
    holds: bool
    left: str | None
    right: str | None
    facts: tuple[str, ...]
    message: str
    waived: Waived | None = None

    @property
    def open(self) -> bool:
        """True where the check fails and nobody accepted that."""
        return not self.holds and self.waived is None

    def as_json(self) -> dict[str, Any]:
        """The check as it stands in ``checks.json``."""
        return vars(self) | {"facts": list(self.facts), "waived": self.waived and vars(self.waived)}


def check(
    name: str,
    holds: bool,
    message: str,
    *,
    left: Any = None,
    right: Any = None,
    facts: Sequence[str] = (),
    title: str | None = None,
    severity: str | None = None,
) -> Check:
    """A check of a rule; title and severity are the rule's own unless given."""
    rule = rule_of(name)
    return Check(
        name, title or rule.title, severity or rule.severity, holds,
        None if left is None else str(left), None if right is None else str(right),
        tuple(facts), message,
    )  # fmt: skip
