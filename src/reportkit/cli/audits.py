"""The command over what others have published."""

from __future__ import annotations

from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reportkit.cli.command import FILE, FOLDER, Result, command, live_line
from reportkit.cli.findings import flaw_line
from reportkit.cli.language import current_language
from reportkit.errors import InputError
from reportkit.language import Message, joined, template
from reportkit.language.message import COMMA

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reportkit.audit.dismissals import Dismissal
    from reportkit.audit.overview import Audited, AuditOverview
    from reportkit.audit.published import Published
    from reportkit.forms import Form

_DOCUMENT = click.Path(path_type=Path)


@command()
@click.argument("documents", nargs=-1, required=True, type=_DOCUMENT, metavar="DOCUMENT...")
@click.option("--previous", type=FILE, help="Last year's report of the same body.")
@click.option("--form", default="zfxxgk", show_default=True, help="Which statutory report.")
@click.option("--dismissed", type=FILE, help="YAML of findings that are right as they are.")
@click.option("--html", type=_DOCUMENT, help="A page (name.html), or a folder of pages.")
@click.option("--to-published", type=FOLDER, help="Write the figures as JSON into this folder.")
def audit(
    documents: Sequence[Path],
    *,
    previous: Path | None,
    form: str,
    dismissed: Path | None,
    html: Path | None,
    to_published: Path | None,
    params: Path | None,
) -> Result:
    """Check published reports that anybody made: .pdf .docx .html .md .txt .xlsx.

    Tables 2 to 4 and the figures of the text are read, and the rules of the form applied. What is
    blank or cannot be read is never guessed, but listed. A folder stands for all documents in it;
    several documents are compared by body and year.
    """
    from reportkit.audit.dismissals import read_dismissals
    from reportkit.audit.handover import write_published
    from reportkit.audit.overview import overview
    from reportkit.audit.pages import write_pages
    from reportkit.audit.read import read_published
    from reportkit.forms.form import project_form

    chosen = project_form(form, (params or Path("params")).parent / "forms")
    last = read_published(previous, chosen) if previous else None
    accepted = read_dismissals(dismissed) if dismissed else []
    paths = list(dict.fromkeys(_documents(documents)))
    read, refused = _read(paths, chosen)
    districts = _districts(params) if len(paths) > 1 else ()
    made, expected = _audited(read, refused, chosen, last, accepted, districts)
    audited = sorted(made, key=lambda document: paths.index(document.path))
    together = overview(audited, chosen, expected=expected) if len(paths) > 1 else None
    of_each = chain.from_iterable(map(_lines, audited))
    lines = [*(_table(together) if together else of_each)]
    if html:
        lines += [f"  {path}" for path in write_pages(html, audited, chosen, together)]
    if to_published:
        reports = filter(None, (document.report for document in audited))
        lines += [f"  {write_published(report, to_published)}" for report in reports]
    status = max((error.exit_status for error in refused.values()), default=0)
    status = max(status, int(any(document.count("error") for document in audited)))
    document = {"documents": [_json(document) for document in audited]}
    return status, document | ({"overview": together.as_json()} if together else {}), lines


def _read(paths: Sequence[Path], form: Form) -> tuple[list[Published], dict[Path, InputError]]:
    """The documents, and why others cannot be read; one alone is refused."""
    from reportkit.audit.read import read_published

    read, refused = [], {}
    with live_line(shown=len(paths) > 1) as tell:
        for number, path in enumerate(paths, 1):
            tell(f"{number}/{len(paths)} {path.name}")
            try:
                read.append(read_published(path, form))
            except InputError as error:
                if len(paths) == 1:
                    raise
                refused[path] = error
    return read, refused


def _districts(params: Path | None) -> Sequence[str]:
    """Names of all that report in the project around, if there is one."""
    from reportkit.params import Project

    project = Project.find(params)
    if not (project.params / "districts").is_dir():
        return ()
    names = []
    for name in project.names():
        # A district's own file has nothing to do with these documents.
        with suppress(InputError):
            who = project.district(name)
            names.append(who.issuer or who.name)
    return names


def _audited(
    read: Sequence[Published],
    refused: Mapping[Path, InputError],
    form: Form,
    last: Published | None,
    accepted: Sequence[Dismissal],
    districts: Sequence[str],
) -> tuple[list[Audited], set[str]]:
    """Documents with their findings, each against its body's year before; who shall report."""
    from reportkit.audit.dismissals import dismiss
    from reportkit.audit.findings import findings_of
    from reportkit.audit.overview import Audited, bodies, body_of, years_before

    names = bodies(read, form, known=districts)
    before = years_before(read, names) if last is None else {report.path: last for report in read}
    made = [Audited(path, error=error) for path, error in refused.items()]
    for report in read:
        path, past = report.path, before.get(report.path)
        flaws = dismiss(path.name, findings_of(report, form, previous=past), accepted)
        body = body_of(report, names)
        made.append(Audited(path, report, tuple(flaws), None, body, past.path if past else None))
    return made, {names[district] for district in districts}


def _documents(paths: Sequence[Path]) -> Iterator[Path]:
    """All documents that are meant; those of a folder by their names."""
    from reportkit.audit.readers.reading import FORMATS

    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = [file for file in sorted(path.iterdir()) if file.suffix.lower() in FORMATS]
        if not found:
            raise InputError(
                "audit-missing", "there is no document in the folder {folder}", folder=path
            )
        yield from found


def _json(document: Audited) -> dict[str, Any]:
    """A document; one among others that could not be read has no cells."""
    from reportkit.audit.published import document_json

    if document.report is not None:
        return document_json(document.report, document.flaws)
    return {
        "path": str(document.path),
        "issuer": None,
        "year": None,
        "edition": None,
        "tables": {},
        "findings": [],
        "unread": [document.error.message] if document.error else [],
        "error": document.error.reason if document.error else None,
    }


def _lines(document: Audited) -> Iterator[str]:
    """A document for a terminal: its findings first, then what could not be read."""
    report = document.report
    if report is None:
        return
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
    for number, flaw in enumerate(document.flaws, 1):
        yield joined("", [f"  {number}. ", flaw_line(flaw)])
        if flaw.place:
            chinese = current_language() == "zh"
            yield f"     {flaw.place if chinese else flaw.place.replace('，', ', ')}"
        if flaw.dismissed:
            yield Message("     dismissed: {reason}", reason=flaw.dismissed)
    for text in report.unread:
        yield Message("  unread: {text}", text=text)
    for table in report.tables:
        for text in table.inferred:
            yield Message("  inferred: {text}", text=text)
        for label, texts in table.extra_rows:
            yield Message("  no row of the form: {text}", text=" ".join((label, *texts)))
    if not document.flaws and not report.unread:
        yield Message("  no findings")


_PAIRS = 20
_VERDICTS = {
    "unreadable": template("unreadable"),
    "errors": template("errors"),
    "warnings": template("warnings"),
    "unread": template("not all read"),
    "sound": template("sound"),
}


def _table(together: AuditOverview) -> Iterator[str]:
    """Documents for a terminal, one a line, and under each what is wrong in it; then the rest."""
    for document in together.documents:
        yield Message(
            "{body}, {year}: {verdict} ({errors} errors, {warnings} warnings, {unread} unread)"
            "  {path}",
            body=document.body or "?",
            year=document.year or "?",
            verdict=Message(_VERDICTS[document.verdict]),
            errors=document.count("error"),
            warnings=document.count("warning"),
            unread=document.unread,
            path=document.path,
        )
        if document.error:
            yield joined("", ["  ", document.error.message])
        errors = [flaw for flaw in document.flaws if flaw.open and flaw.severity == "error"]
        yield from (joined("", ["  ", flaw_line(flaw)]) for flaw in errors)
    for body, years in together.missing.items():
        yield Message("missing: {body}, {years}", body=body, years=joined(COMMA, map(str, years)))
    for copies in together.copies:
        yield Message(
            "two documents of one year, which differ in {count} cells: {one}, {other}",
            count=len(copies.cells),
            one=copies.one,
            other=copies.other,
        )
    for alike in together.alike[:_PAIRS]:
        yield Message(
            "texts alike by {percent}% ({section}): {one}, {other}",
            percent=alike.percent,
            section=alike.section or Message("the whole"),
            one=alike.one,
            other=alike.other,
        )
    if len(together.alike) > _PAIRS:
        more = len(together.alike) - _PAIRS
        yield Message("and {more} further pairs of texts, with --html or --json", more=more)
    for trend in together.trends:
        by_year = ", ".join(f"{year} {trend.shown(year)}" for year in sorted(trend.values))
        yield Message(
            "{body}, {label}: {values}",
            body=trend.body,
            label=trend.label,
            values=by_year,
        )
