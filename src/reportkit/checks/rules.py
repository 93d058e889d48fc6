"""The rules by id, and a rule applied to one place: a check."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, RootModel

from reportkit.forms import shipped_form
from reportkit.forms.extending import extended
from reportkit.forms.form import shipped_names
from reportkit.yamlfile import Strict, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reportkit.forms import Edition, Form

    Rules = Mapping[str, "RuleText"]

Severity = Literal["error", "warning", "info"]


class RuleText(Strict):
    """Texts of a rule: its demand, its basis, and what to do when it does not hold."""

    title: str
    english: str = ""
    """The demand, for those who read messages in English."""
    severity: Severity
    basis: str
    todo: str
    limits: dict[str, str] = Field(default_factory=dict)
    why: str = ""
    words: dict[str, str] = Field(default_factory=dict)
    """Texts of its findings, where they speak of records; ``$name`` is a figure or a day."""

    def text(self, name: str, **figures: object) -> str:
        """One of its words with figures filled in; empty where the rule has none of this name."""
        return Template(self.words.get(name, "")).safe_substitute(figures)

    def limit(self, name: str) -> int:
        """A threshold of the rule, a whole number."""
        return int(self.limits[name])


class _Rules(RootModel[dict[str, RuleText]]):
    pass


_OWN = Path(str(files("reportkit.checks"))) / "rules.yaml"


def _read(form: Form) -> dict[str, RuleText]:
    """Return the form's rules, and after them the rules of all forms that it does not mention."""
    shared = read_yaml(_OWN)
    if "rules" not in form.parts:
        return shared.validate(_Rules).root
    own = form.parts["rules"]
    texts = extended(shared, own).validate(_Rules).root
    return {name: texts[name] for name in {**own.data, **shared.data}}


def rules_of_any() -> set[str]:
    """Ids of the rules that hold of a report by any form."""
    return set(read_yaml(_OWN).data)


@lru_cache(maxsize=64)
def rules_of(form: Form, edition: Edition | None = None) -> Rules:
    """All rules of a form by id, in its order; with the grounds that an edition gives itself.

    Raises
    ------
    InputError
        ``parameters``: the form's rules.yaml is wrong; with its line.
    """
    found = _read(form)
    bases = edition.model.bases if edition else {}
    return {
        name: rule.model_copy(update={"basis": bases[name]}) if name in bases else rule
        for name, rule in found.items()
    }


@lru_cache(maxsize=1)
def english_titles() -> dict[str, str]:
    """Return the demands of the rules that the package carries, each with its English."""
    of_forms = [_read(shipped_form(name)) for name in shipped_names()]
    rules = [read_yaml(_OWN).validate(_Rules).root, *of_forms]
    return {text.title: text.english for texts in rules for text in texts.values()}


def family(name: str) -> str:
    """The rule's id of a check's: relations of the text, N1, N2, …, share the rule N."""
    return "N" if re.fullmatch(r"N\d+", name) else name


@dataclass(frozen=True)
class Waived:
    """Acceptance of a finding: the reason, by whom, and when (an ISO day)."""

    reason: str
    by: str
    on: str


@dataclass(frozen=True)
class Check:
    """One rule applied to one place, and the result.

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
        """It does not hold, and nobody accepted that."""
        return not self.holds and self.waived is None

    def as_json(self) -> dict[str, Any]:
        """The check as it stands in ``checks.json``."""
        return vars(self) | {"facts": list(self.facts), "waived": self.waived and vars(self.waived)}


def check(
    rules: Rules,
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
    rule = rules[family(name)]
    return Check(
        name,
        title or rule.title,
        severity or rule.severity,
        holds,
        None if left is None else str(left),
        None if right is None else str(right),
        tuple(facts),
        message,
    )


def texts_of(rules: Rules, names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the demands of rules and their basis, by the ids of their checks, for a block."""
    return {
        name: rules[family(name)].model_dump(include={"title", "severity", "basis", "todo"})
        for name in names
    }
