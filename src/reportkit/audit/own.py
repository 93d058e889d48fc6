"""Text and cells of our own report, checked as those of a published one are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from reportkit.audit.findings import text_findings
from reportkit.audit.heading import Heading
from reportkit.audit.published import Published
from reportkit.audit.readers.lines import squeeze
from reportkit.audit.unprinted import as_facts, unprinted_checks
from reportkit.checks.rules import Check

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from reportkit.forms import Edition, Form


@dataclass(frozen=True)
class _Own(Published):
    """A report that no document was read for: its cells are known."""

    figures: Mapping[str, Decimal]

    @cached_property
    def values(self) -> dict[str, Decimal]:
        """All cells."""
        return dict(self.figures)


def text_checks(
    form: Form,
    edition: Edition,
    sections: Mapping[str, str],
    figures: Mapping[str, Decimal],
    *,
    issuer: str,
    year: int,
) -> list[Check]:
    """Return what is wrong in a text: even a figure that is bound to a fact can be the wrong one.

    Relations of cells that the form does not print (A5, A6) are checked too. All this is found by
    patterns, which can err, so that none of it makes a draft.

    Parameters
    ----------
    form : Form
    edition : Edition
    sections : mapping of str to str
        Plain text by number, the preamble under "".
    figures : mapping of str to Decimal
        The cells of the form.
    issuer : str
        The body, by its printed name.
    year : int
    """
    # Patterns are written for texts as they are read from documents.
    read = {number: "\n".join(map(squeeze, text.split("\n"))) for number, text in sections.items()}
    report = _Own(Path(), Heading(None, issuer, year), edition, (), read, figures)
    known = as_facts(edition, figures)
    checks = [*unprinted_checks(form, edition, known, year)]
    for flaw in text_findings(report, form):
        severity = "warning" if flaw.severity == "error" else flaw.severity
        sides = flaw.printed, flaw.expected
        checks.append(
            Check(flaw.check, flaw.title, severity, False, *sides, flaw.cells, flaw.detail)
        )
    return checks
