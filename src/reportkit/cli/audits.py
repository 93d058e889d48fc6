"""The command over what others have published."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reportkit.cli.command import FILE, Result, command
from reportkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportkit.audit.published import Flaw, Published

_DOCUMENT = click.Path(path_type=Path)


@command()
@click.argument("documents", nargs=-1, required=True, type=_DOCUMENT, metavar="DOCUMENT...")
@click.option("--previous", type=FILE, help="Last year's report of the same body.")
@click.option("--form", default="zfxxgk", show_default=True, help="Which statutory report.")
def audit(
    documents: Sequence[Path], *, previous: Path | None, form: str, params: Path | None
) -> Result:
    """Check published reports that anybody made: .pdf .docx .html .md .txt .xlsx.

    Tables 2 to 4 and the figures of the text are read, and the rules of the form applied. What is
    blank or cannot be read is never guessed, and is told.
    """
    from reportkit.audit.audit import audit as look_at
    from reportkit.audit.audit import read_published
    from reportkit.audit.published import document_json
    from reportkit.forms.form import project_form

    chosen = project_form(form, (params or Path("params")).parent / "forms")
    last = read_published(previous, chosen) if previous else None
    told: list[dict[str, Any]] = []
    lines: list[str] = []
    status = 0
    for path in documents:
        try:
            report, findings = look_at(path, chosen, previous=last)
        except InputError as error:
            if len(documents) == 1:
                raise
            status = max(status, error.exit_status)
            told.append(
                {
                    "path": str(path),
                    "issuer": None,
                    "year": None,
                    "edition": None,
                    "tables": {},
                    "findings": [],
                    "unread": [error.message],
                    "error": error.reason,
                }
            )
            lines.append(f"{path}: {error.message} [{error.reason}]")
            continue
        if any(finding.severity == "error" and finding.open for finding in findings):
            status = max(status, 1)
        told.append(document_json(report, findings))
        lines += _lines(report, findings)
    return status, {"documents": told}, "\n".join(lines)


def _lines(report: Published, findings: Sequence[Flaw]) -> list[str]:
    """A document for a terminal: its findings first, then what could not be read."""
    values = {name: value for table in report.tables for name, value in table.values.items()}
    known = sum(value is not None for value in values.values())
    head = f"{report.path}: {report.heading.issuer or '?'}, {report.heading.year or '?'}, "
    lines = [head + f"edition {report.printed_edition}, {known} of {len(values)} cells read"]
    for number, one in enumerate(findings, 1):
        dismissed = f" (dismissed: {one.dismissed})" if one.dismissed else ""
        lines.append(f"  {number}. {one.severity} {one.check}: {one.message}{dismissed}")
        if one.place:
            lines.append(f"     {one.place}")
    lines += [f"  unread: {text}" for text in report.unread]
    lines += [f"  inferred: {text}" for table in report.tables for text in table.inferred]
    for table in report.tables:
        lines += [f"  no row of the form: {label} {' '.join(t)}" for label, t in table.aside]
    return lines if findings or report.unread else [*lines, "  no findings"]
