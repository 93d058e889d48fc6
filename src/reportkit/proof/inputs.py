"""Inputs of a report: every file and table of it, listed without reading a ledger."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportkit.facts.previous import files_of_past
from reportkit.forms.carried import carried
from reportkit.ledgers import Ledgers, schemas
from reportkit.params import FONTS
from reportkit.proof.manifest import digest, input_digest

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
    members: Sequence[str] = (),
) -> Inputs:
    """List what a report is made from.

    Parameters
    ----------
    project, district, year, scope
        Whose report it is.
    notebook : Path
    members : sequence of str
        Districts whose reports this one sums up.

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
    own = [project.report_file(district.id, year, end) for end in ("yaml", "md", "published.json")]
    paths += [path for path in (*own, project.holidays_file) if path.is_file()]
    if district.fonts:
        files = (project.params / district.fonts.folder).rglob("*")
        paths += sorted(p for p in files if p.is_file() and p.suffix.lower() in FONTS)
    paths += [folder / f"{member}.yaml" for member in members]
    paths += files_of_past(project, district.id, year - 1, scope=scope)
    for member in members:
        paths += files_of_past(project, member, year, scope=project.district(member).scope)
    ledgers = Ledgers(project, district)
    form = ledgers.form
    unused = form.unused(form.edition(year))
    used = [key for key in schemas(form) if key not in unused]
    sources = {key: ledgers.sources(key) for key in used}
    listed = [source for those in sources.values() for source in those]
    return Inputs(
        files=(*paths, *form.files, notebook),
        ledgers=tuple(source for source in listed if isinstance(source, Path)),
        tables=tuple(source for source in listed if not isinstance(source, Path)),
        note=ledgers.note_on(key for key in used if sources[key]),
        unread=tuple(ledgers.unread),
    )


def inputs_of(report: Compilation, notebook: Path) -> Inputs:
    """List the inputs of an opened report."""
    members = tuple(report.members)
    return list_inputs(
        report.project,
        report.district,
        report.year,
        scope=report.scope,
        notebook=notebook,
        members=members,
    )


def find_notebook(project: Project, form: Form) -> Path:
    """The project's notebook, else the one that the package carries."""
    own = project.params.parent / "notebooks" / form.model.notebook
    if own.is_file():
        return own
    return carried(f"notebooks/{form.model.notebook}")[0]
