"""The command over what others have published."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reportkit.cli.command import FILE, FOLDER, Result, command
from reportkit.cli.findings import flaw_line
from reportkit.cli.language import spoken
from reportkit.errors import InputError
from reportkit.language import Message, joined

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reportkit.audit.published import Flaw, Published

_DOCUMENT = click.Path(path_type=Path)


@command()
@click.argument("documents", nargs=-1, required=True, type=_DOCUMENT, metavar="DOCUMENT...")
@click.option("--previous", type=FILE, help="Last year's report of the same body.")
@click.option("--form", default="zfxxgk", show_default=True, help="Which statutory report.")
@click.option("--dismissed", type=FILE, help="YAML of findings that are right as they are.")
@click.option("--to-published", type=FOLDER, help="Write the figures as JSON into this folder.")
def audit(
    documents: Sequence[Path],
    *,
    previous: Path | None,
    form: str,
    dismissed: Path | None,
    to_published: Path | None,
    params: Path | None,
) -> Result:
    """Check published reports that anybody made: .pdf .docx .html .md .txt .xlsx.

    Tables 2 to 4 and the figures of the text are read, and the rules of the form applied. What is
    blank or cannot be read is never guessed, and is told. A folder stands for all documents in it.
    """
    from reportkit.audit.audit import audit as look_at
    from reportkit.audit.audit import read_published
    from reportkit.audit.dismissals import dismiss, read_dismissals
    from reportkit.audit.handover import write_published
    from reportkit.audit.published import document_json
    from reportkit.forms.form import project_form

    chosen = project_form(form, (params or Path("params")).parent / "forms")
    last = read_published(previous, chosen) if previous else None
    accepted = read_dismissals(dismissed) if dismissed else []
    told: list[dict[str, Any]] = []
    lines: list[str] = []
    status = 0
    paths = list(_documents(documents))
    for path in paths:
        try:
            report, flaws = look_at(path, chosen, previous=last)
        except InputError as error:
            if len(paths) == 1:
                raise
            status = max(status, error.exit_status)
            told.append(_refused(path, error))
            lines.append(Message("{path}: {why}", path=path, why=error.message))
            continue
        flaws = dismiss(path.name, flaws, accepted)
        if any(flaw.severity == "error" and flaw.open for flaw in flaws):
            status = max(status, 1)
        told.append(document_json(report, flaws))
        lines += _lines(report, flaws)
        if to_published:
            lines.append(f"  {write_published(report, to_published)}")
    return status, {"documents": told}, lines


def _documents(paths: Sequence[Path]) -> Iterator[Path]:
    """All documents that are meant; those of a folder by their names."""
    from reportkit.audit.readers.reading import FORMATS

    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = [one for one in sorted(path.iterdir()) if one.suffix.lower() in FORMATS]
        if not found:
            raise InputError(
                "audit-missing", "there is no document in the folder {folder}", folder=path
            )
        yield from found


def _refused(path: Path, error: InputError) -> dict[str, Any]:
    """A document among others that could not be read."""
    return {
        "path": str(path),
        "issuer": None,
        "year": None,
        "edition": None,
        "tables": {},
        "findings": [],
        "unread": [error.message],
        "error": error.reason,
    }


def _lines(report: Published, flaws: Sequence[Flaw]) -> Iterator[str]:
    """A document for a terminal: its findings first, then what could not be read."""
    values = {name: value for table in report.tables for name, value in table.values.items()}
    yield Message(
        "{path}: {issuer}, {year}, edition {edition}, {known} of {count} cells read",
        path=report.path,
        issuer=report.heading.issuer or "?",
        year=report.heading.year or "?",
        edition=report.printed_edition,
        known=sum(value is not None for value in values.values()),
        count=len(values),
    )
    for number, one in enumerate(flaws, 1):
        yield joined("", [f"  {number}. ", flaw_line(one)])
        if one.place:
            yield f"     {one.place if spoken() == 'zh' else one.place.replace('，', ', ')}"
        if one.dismissed:
            yield Message("     dismissed: {reason}", reason=one.dismissed)
    for text in report.unread:
        yield Message("  unread: {text}", text=text)
    for table in report.tables:
        for text in table.inferred:
            yield Message("  inferred: {text}", text=text)
        for label, texts in table.aside:
            yield Message("  no row of the form: {text}", text=" ".join((label, *texts)))
    if not flaws and not report.unread:
        yield Message("  no findings")
