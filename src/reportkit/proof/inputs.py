"""Inputs of a report: every file and table of it, listed without reading a ledger."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportkit.errors import InputError
from reportkit.export.files import digest
from reportkit.facts.previous import files_of_past
from reportkit.forms.carried import carried
from reportkit.ledgers import Ledgers, schemas
from reportkit.params import FONTS
from reportkit.proof.manifest import input_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reportkit.forms import Form
    from reportkit.notebook.compilation import Compilation
    from reportkit.params import District, Project, Scope
    from reportkit.params.sources import DatabaseSource


@dataclass(frozen=True)
class Inputs:
    """Inputs of a report.

    Parameters
    ----------
    files : tuple of Path
        Parameters, text, definitions, typefaces, earlier reports and the notebook.
    ledgers : tuple of Path
    tables : tuple of DatabaseSource
        Ledgers in databases; what they hold is known by reading them only.
    note : str
        What the report says of its pseudonyms: they themselves decide over no byte of it.
    unread : tuple of str
        Files beside the ledgers that nobody reads, which the report names.
    """

    files: tuple[Path, ...]
    ledgers: tuple[Path, ...]
    tables: tuple[DatabaseSource, ...]
    note: str
    unread: tuple[str, ...]

    def digests(
        self, read: Mapping[str, str] | None = None, *, digest: Callable[[Path], str] = digest
    ) -> Iterator[tuple[str, str]]:
        """Name and SHA-256 of each file and table, the ledgers last.

        Parameters
        ----------
        read : mapping of str to str, optional
            Digests of ledgers that were read, as of `Ledgers.digests`; no other tables are given.
        digest : callable, optional
            Gives the digest of a file.
        """
        read = read or {}
        for path in (*self.files, *self.ledgers):
            name = path.as_posix()
            yield name, read.get(name) or digest(path)
        yield from (
            (table.shown, read[table.shown]) for table in self.tables if table.shown in read
        )

    def key(self, digests: Sequence[tuple[str, str]], parameters: Mapping[str, Any]) -> str:
        """The digest over everything that decides over the bytes of a report."""
        return input_digest(digests, {**parameters, "note": self.note, "unread": list(self.unread)})


def list_inputs(
    project: Project,
    district: District,
    year: int,
    *,
    scope: Scope,
    notebook: Path,
    members: Mapping[str, Sequence[Path]],
    rollup: bool,
) -> Inputs:
    """List what a report is made from.

    Parameters
    ----------
    project, district, year, scope
        Whose report it is.
    notebook : Path
    members : mapping of str to sequence of Path
        Districts whose reports this one sums up, and what is read of these.
    rollup : bool
        It is made of these alone, and of no ledger.

    Raises
    ------
    InputError
        A file that the district's parameters name is not there, or cannot be read.
    """
    folder = project.params / "districts"
    paths = [
        folder / f"{district.id}.yaml",
        *sorted((project.params / "facts").glob("*.yaml")),
    ]
    own = [project.report_file(district, year, end) for end in ("yaml", "md", "published.json")]
    paths += [path for path in (*own, project.holidays_file) if path.is_file()]
    if district.fonts:
        files = (project.params / district.fonts.folder).rglob("*")
        paths += sorted(p for p in files if p.is_file() and p.suffix.lower() in FONTS)
    paths += [folder / f"{member}.yaml" for member in members if member != district.id]
    paths += files_of_past(project, district, year - 1, scope=scope)
    paths += [path for files in members.values() for path in files]
    ledgers = Ledgers(project, district)
    form = ledgers.form
    if rollup:
        return Inputs((*paths, *form.files, notebook), (), (), "", ())
    unused = form.unused(form.edition(year))
    used = [key for key in schemas(form) if key not in unused]
    sources = {key: ledgers.sources(key) for key in used}
    listed = [*chain.from_iterable(sources.values())]
    return Inputs(
        files=(*paths, *form.files, notebook),
        ledgers=tuple(source for source in listed if isinstance(source, Path)),
        tables=tuple(source for source in listed if not isinstance(source, Path)),
        note=ledgers.note_on(key for key in used if sources[key]),
        unread=tuple(ledgers.unread),
    )


def inputs_of(report: Compilation, notebook: Path) -> Inputs:
    """List the inputs of an opened report."""
    return list_inputs(
        report.project,
        report.district,
        report.year,
        scope=report.scope,
        notebook=notebook,
        members={name: [*member.files] for name, member in report.members.items()},
        rollup=report.sums is not None,
    )


def digests_read(report: Compilation) -> dict[str, str]:
    """SHA-256 of ledgers and of members' reports, as they were read, by path or name."""
    of_members = {
        path.as_posix(): sha256
        for member in report.members.values()
        for path, sha256 in member.files.items()
    }
    return report.ledgers.digests() | of_members


ROLLUP = "rollup.ipynb"
"""The notebook of roll-ups, by whichever form: `find_notebook`."""


def find_notebook(project: Project, form: Form, *, rollup: bool = False) -> Path:
    """The project's notebook, else the one that the package carries.

    Raises
    ------
    InputError
        ``notebook-missing``: there is neither.
    """
    name = ROLLUP if rollup else form.model.notebook
    own = project.params.parent / "notebooks" / name
    if own.is_file():
        return own
    try:
        return carried(f"notebooks/{name}")[0]
    except InputError:
        raise InputError(
            "notebook-missing",
            "{file}, which the form {form} names, is not there; `reportkit form notebook "
            "forms/{form}` writes one that shows all that the form prescribes",
            file=own.as_posix(),
            form=form.name,
        ) from None
