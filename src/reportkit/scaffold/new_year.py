"""The files of a new year, from the latest earlier one: both are written, or none."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reportkit.errors import InputError
from reportkit.facts.specs import read_specs
from reportkit.language import Message
from reportkit.ledgers import Ledgers, schemas
from reportkit.scaffold.newfiles import refuse_existing, write_new
from reportkit.scaffold.next_text import (
    RenewalNote,
    Turn,
    renew_narrative,
    renew_parameters,
    with_new_sections,
)
from reportkit.scaffold.notebooks import missing_cells, notebook_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from reportkit.forms import Edition, Form
    from reportkit.params import District, Project


@dataclass(frozen=True)
class Renewal:
    """The files of a new year, not yet written; made by `renew`.

    ``previous`` is the year that they are made from; None where there is none, by a form that the
    district has not reported by before, and of a parent that had no text. ``sums`` says that the
    report adds up those of members.
    """

    district: str
    year: int
    previous: int | None
    files: Mapping[Path, str]
    advanced: tuple[RenewalNote, ...]
    todo: tuple[RenewalNote, ...]
    sums: bool

    def write(self) -> None:
        """Write all files, or none; a file that is there is never replaced.

        Raises
        ------
        InputError
            ``exists``: one of them is there already.
        ExecutionError
            ``not-written``: no space, no permission.
        """
        write_new({path: text.encode() for path, text in self.files.items()})


def renew(project: Project, district: str, year: int, form: str | None = None) -> Renewal:
    """Parameters and narrative of a report year, from the latest earlier year that has any.

    The first report by a form that is not the district's usual one, and that of a parent without
    ledgers of its own, begins with the form's own text.

    Parameters
    ----------
    project : Project
    district : str
    year : int
        The new report year.
    form : str, optional
        The form of the report; the district's usual one by default.

    Raises
    ------
    InputError
        ``exists``; ``report-missing``: there is no earlier year; or what is wrong with the
        parameters of the earlier year.
    """
    who = project.district(district, form)
    by = project.form(who.form)
    edition = by.edition(year)
    new = {suffix: project.report_file(who, year, suffix) for suffix in ("yaml", "md")}
    refuse_existing(new.values())
    reported = project.reports_named(district)
    before = [earlier for earlier, other in reported if other == who.other_form and earlier < year]
    previous = max(before, default=None)
    # What sums up others has no ledger of its own, and may have had no text of its own before.
    sums = Ledgers(project, who).only_adds
    if previous is None and not (who.other_form or sums):
        raise InputError(
            "report-missing",
            "there is no report of {district} before {year} to start from; write "
            "{yaml} (year: {year}) and, beside it, the text {name}",
            yaml=new["yaml"],
            name=new["md"].name,
            district=district,
            year=year,
        )
    notebook = project.params.parent / "notebooks" / by.model.notebook
    if previous is None:
        files = {new["yaml"]: f"year: {year}\n", new["md"]: edition.narrative}
        if not (sums or notebook.exists()):
            files[notebook] = notebook_of(by, edition, district, year)
        advanced: list[RenewalNote] = []
        todo = list(_first_of_its_form(project, who)) if who.other_form else []
    else:
        files, advanced, todo = _turned(project, who, by, previous, year)
    if not sums:
        todo += _missing_cells(notebook, edition)
        todo += _missing_ledgers(Ledgers(project, who), edition, project.data / district)
    return Renewal(district, year, previous, files, tuple(advanced), tuple(todo), sums)


def _first_of_its_form(project: Project, who: District) -> Iterator[RenewalNote]:
    """Say where the district's file lacks a form that it now reports by."""
    if who.form not in who.forms:
        file = project.params / "districts" / f"{who.id}.yaml"
        message = Message(
            "say in {file} that it reports by this form too: forms: [{form}]",
            file=file,
            form=who.form,
        )
        yield RenewalNote(0, "form", who.form, message)


def _turned(
    project: Project, who: District, by: Form, previous: int, year: int
) -> tuple[dict[Path, str], list[RenewalNote], list[RenewalNote]]:
    """The files of an earlier year for a new one; what was advanced, and what is to do."""
    edition = by.edition(year)
    known = {fact.id for fact in project.report(who, previous).declared}
    known |= {cell.id for cell in edition.cells(year)} | set(
        read_specs(by, project.params / "facts")
    )
    turn = Turn(previous, year, by.model.title, edition, known)
    files: dict[Path, str] = {}
    advanced: list[RenewalNote] = []
    todo: list[RenewalNote] = []
    if by.edition(previous) is not edition:
        message = Message(
            "from {first} on the form is another one: {basis}",
            first=edition.model.years.first,
            basis=edition.model.basis,
        )
        todo.append(RenewalNote(0, "form", edition.name, message))
    for suffix in ("yaml", "md"):
        path = project.report_file(who, year, suffix)
        last = project.report_file(who, previous, suffix)
        if last.is_file():
            text = _read(last)
        elif suffix == "yaml":
            text = f"year: {previous}\n"
        else:
            message = Message(
                "there is no {name}; until {path} is written, the report is a draft",
                name=last.name,
                path=path,
            )
            todo.append(RenewalNote(0, "narrative", last.name, message))
            continue
        renewed = renew_parameters if suffix == "yaml" else renew_narrative
        files[path], changed, left = renewed(text, turn)
        if suffix == "md":
            files[path], added = with_new_sections(files[path], by.edition(previous), edition)
            left += added
        advanced += _in(path, changed)
        todo += _in(path, left)
    return files, advanced, todo


def _missing_cells(notebook: Path, edition: Edition) -> Iterator[RenewalNote]:
    """List what an edition prescribes and the project's own notebook does not show."""
    if notebook.is_file():
        for code in missing_cells(json.loads(_read(notebook)), edition):
            message = Message(
                "the form prescribes what the notebook does not show: add a cell {code}", code=code
            )
            yield RenewalNote(0, "section", code, message, file=notebook.as_posix())


def _missing_ledgers(ledgers: Ledgers, edition: Edition, folder: Path) -> list[RenewalNote]:
    missing = []
    known = schemas(ledgers.form)
    for key in sorted(edition.ledgers()):
        name = known[key].name
        message = Message(
            "{name} is not in {folder}; the report needs it", name=name, folder=folder
        )
        try:
            if ledgers.sources(key):
                continue
        except InputError as error:
            message = Message("{name}: {message}", name=name, message=error.message)
        missing.append(RenewalNote(0, "ledger", name, message))
    return missing


def _in(path: Path, notes: Iterable[RenewalNote]) -> list[RenewalNote]:
    shown = path.as_posix()
    return [replace(note, file=shown) for note in sorted(notes, key=lambda note: note.line)]


def _read(path: Path) -> str:
    """The text with its own line ends, which `Path.read_text` would change."""
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            "encoding", "{path} is not UTF-8: {error}", path=path, error=error, file=str(path)
        ) from None
