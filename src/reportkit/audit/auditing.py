"""A published report with its form's rules and words; flaws are made here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reportkit.audit.published import Flaw
from reportkit.audit.wording import wording_of
from reportkit.checks import check, rules_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportkit.audit.published import Published
    from reportkit.audit.wording import Wording
    from reportkit.checks import Check
    from reportkit.checks.rules import Rules
    from reportkit.forms import Edition, Form

_SHOWN = 60


@dataclass(frozen=True)
class Auditing:
    """A report while it is checked.

    Parameters
    ----------
    report : Published
    form : Form
    rules : Rules
        Those of the edition that the report's year must use.
    wording : Wording
    """

    report: Published
    form: Form
    rules: Rules
    wording: Wording

    @classmethod
    def of(cls, report: Published, form: Form) -> Auditing:
        """Take the rules and words from the form."""
        return cls(report, form, rules_of(form, report.edition), wording_of(form))

    @property
    def due(self) -> Edition:
        """The edition that the report's year must use."""
        return self.report.edition

    @property
    def issuer(self) -> str:
        """The body that made the report; empty where that is not known."""
        return self.report.heading.issuer or ""

    def flaw(
        self,
        name: str,
        message: str,
        *,
        cells: Sequence[str] = (),
        severity: str | None = None,
        expected: str | None = None,
        printed: str | None = None,
        place: str | None = None,
        sentence: str | None = None,
    ) -> Flaw:
        """A rule that is broken, with what was found; its severity is the rule's unless given."""
        broken = check(
            self.rules,
            name,
            False,
            message,
            left=expected,
            right=printed,
            facts=cells,
            severity=severity,
        )
        return self.as_flaw(broken, place=place, sentence=sentence)

    def as_flaw(
        self,
        broken: Check,
        *,
        severity: str | None = None,
        place: str | None = None,
        sentence: str | None = None,
    ) -> Flaw:
        """A check that does not hold; its left side is what is expected."""
        return Flaw(
            broken.id,
            severity or broken.severity,
            self._place(broken.facts) if place is None else place,
            broken.left,
            broken.right,
            broken.title,
            broken.message,
            broken.facts,
            sentence.strip() if sentence else None,
        )

    def _place(self, cells: Sequence[str]) -> str:
        """Page, table, row and column of the cell that a rule ends in."""
        if not cells:
            return ""
        report, name = self.report, cells[-1]
        line = report.lines.get(name)
        table = next((read for read in report.tables if read.table.id == name.split(".")[0]), None)
        parts = []
        if line is not None and line.page is not None:
            parts.append(f"第{line.page}页")
        if table is not None:
            parts.append(f"表{table.table.id.removeprefix('t')}（{table.table.title}）")
        parts.append(report.labels.get(name, name))
        if line is not None and line.table is not None:
            parts.append(f"文件中第{line.table}个表格第{line.row}行")
        elif line is not None:
            parts.append(f"第{line.row}行")
        return "，".join(parts)


def short(text: str) -> str:
    """The beginning of a text."""
    text = text.strip()
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
