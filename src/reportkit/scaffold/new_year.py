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
    renew_narrative,
    renew_parameters,
    with_new_sections,
)
from reportkit.scaffold.notebooks import missing_cells

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from reportkit.forms import Edition
    from reportkit.params import Project


@dataclass(frozen=True)
class Renewal:
    """The files of a new year, not yet written; made by `renew`."""

    district: str
    year: int
    previous: int
    files: Mapping[Path, str]
    advanced: tuple[RenewalNote, ...]
    todo: tuple[RenewalNote, ...]

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


def renew(project: Project, district: str, year: int) -> Renewal:
    """Parameters and narrative of a report year, from the latest earlier year that has any.

    Parameters
    ----------
    project : Project
    district : str
    year : int
        The new report year.

    Raises
    ------
    InputError
        ``exists``; ``report-missing``: there is no earlier year; or what is wrong with the
        parameters of the earlier year.
    """
    who = project.district(district)
    form = project.form(who.form)
    edition = form.edition(year)
    new = {suffix: project.report_file(district, year, suffix) for suffix in ("yaml", "md")}
    refuse_existing(new.values())
    before = {
        int(path.stem)
        for path in new["yaml"].parent.glob("[0-9]*.*")
        if path.suffix in (".yaml", ".md") and path.stem.isdigit()
    }
    previous = max((known for known in before if known < year), default=None)
    if previous is None:
        raise InputError(
            "report-missing",
            "there is no report of {district} before {year} to start from; write "
            "{yaml} (year: {year}) and, beside it, the text {name}",
            yaml=new["yaml"],
            name=new["md"].name,
            district=district,
            year=year,
        )
    known = {fact.id for fact in project.report(district, previous).declared}
    known |= {cell.id for cell in edition.cells(year)} | set(
        read_specs(form, project.params / "facts")
    )
    files: dict[Path, str] = {}
    advanced: list[RenewalNote] = []
    todo: list[RenewalNote] = []
    if form.edition(previous) is not edition:
        message = Message(
            "from {first} on the form is another one: {basis}",
            first=edition.model.years.first,
            basis=edition.model.basis,
        )
        todo.append(RenewalNote(0, "form", edition.name, message))
    for suffix, path in new.items():
        last = project.report_file(district, previous, suffix)
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
        files[path], changed, left = renewed(
            text,
            old=previous,
            year=year,
            called=form.model.title,
            edition=edition,
            known=known,
        )
        if suffix == "md":
            files[path], added = with_new_sections(files[path], form.edition(previous), edition)
            left += added
        advanced += _in(path, changed)
        todo += _in(path, left)
    todo += _missing_cells(project.params.parent / "notebooks" / form.model.notebook, edition)
    todo += _missing_ledgers(Ledgers(project, who), edition, project.data / district)
    return Renewal(district, year, previous, files, tuple(advanced), tuple(todo))


def _missing_cells(notebook: Path, edition: Edition) -> Iterator[RenewalNote]:
    """List what an edition prescribes and the project's own notebook does not show."""
    if notebook.is_file():
        for code in missing_cells(json.loads(_read(notebook)), edition):
            told = Message(
                "the form prescribes what the notebook does not show: add a cell {code}", code=code
            )
            yield RenewalNote(0, "section", code, told, file=notebook.as_posix())


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
