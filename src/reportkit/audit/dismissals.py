"""Findings that were dismissed, with a reason: a YAML file that the next run reads again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import Field, RootModel

from reportkit.yamlfile import Strict, read_yaml

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reportkit.audit.published import Flaw


class Dismissal(Strict):
    """One finding of a document that is right as it is.

    Parameters
    ----------
    document : str
        The file's name.
    check : str
        Id of the rule.
    cells : list of str
        The cells that take part; without any, the printed figure tells which finding is meant.
    printed : str, optional
        What was printed when it was dismissed; another figure is another finding.
    reason : str
    """

    document: str
    check: str
    cells: list[str] = Field(default_factory=list)
    printed: str | None = None
    reason: str = Field(min_length=1)


class _Dismissals(RootModel[list[Dismissal]]):
    pass


def read_dismissals(path: Path) -> list[Dismissal]:
    """Read what was dismissed.

    Raises
    ------
    InputError
        ``parameters``, ``yaml``: with the line that is wrong.
    """
    return read_yaml(path).validate(_Dismissals).root


def dismiss(name: str, flaws: Sequence[Flaw], dismissals: Sequence[Dismissal]) -> list[Flaw]:
    """The findings of a document, with the reason of those that were dismissed."""
    return [
        replace(flaw, dismissed=next((d.reason for d in dismissals if _means(d, name, flaw)), None))
        for flaw in flaws
    ]


def _means(dismissal: Dismissal, document: str, flaw: Flaw) -> bool:
    same_rule = (dismissal.document, dismissal.check) == (document, flaw.check)
    same_cells = set(dismissal.cells) == set(flaw.cells)
    return same_rule and same_cells and dismissal.printed == flaw.printed
