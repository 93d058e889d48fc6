"""Figures of a report that was made already: last year's, or a member's of the same year."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from reportkit.errors import InputError
from reportkit.export.blocks import from_notebook, prose_text
from reportkit.export.files import digest
from reportkit.facts.numerals import number_of
from reportkit.facts.published import load_published, read_report
from reportkit.forms import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal
    from pathlib import Path

    from reportkit.params import District, Project, Scope


@dataclass(frozen=True)
class Past:
    """Figures and text of a report that was made already.

    Parameters
    ----------
    year : int
    origin : {"run", "published"}
    source : str
        Where it stands, from the outputs or parameters folder on.
    values : mapping of str to Decimal
        Numbers by fact id.
    files : mapping of Path to str
        What was read, with the SHA-256 it had then.
    sections : mapping of str to str
        Plain text by section number; empty for published figures.
    facts : mapping
        The facts of a run as in its ``facts.json``, by id.
    folder : Path or None
        The run.
    """

    year: int
    origin: Literal["run", "published"]
    source: str
    values: Mapping[str, Decimal]
    files: Mapping[Path, str]
    sections: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    folder: Path | None = None

    def changed(self) -> list[str]:
        """Files that are no longer as they were read."""
        return [str(path) for path, sha256 in self.files.items() if sha256_of(path) != sha256]


def sealed_facts(run: Path) -> dict[str, Any] | None:
    """The document ``facts.json`` of a run; None if the folder holds none.

    Raises
    ------
    InputError
        ``run-unreadable``: somebody else has written it.
    """
    path = run / "facts.json"
    if not path.is_file():
        return None
    document: dict[str, Any] = read_sealed(path)
    try:
        if all(isinstance(fact["id"], str) for fact in document["facts"]):
            return document
    except (LookupError, TypeError):
        pass
    raise _unreadable(path)


def read_sealed(path: Path) -> Any:
    """The JSON of a file of a run.

    Raises
    ------
    InputError
        ``run-unreadable``: it cannot be read, or is no JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        raise _unreadable(path) from None


def _unreadable(path: Path) -> InputError:
    return InputError(
        "run-unreadable",
        "{path} is not as reportkit writes it; `reportkit verify` says more",
        path=path,
        file=str(path),
    )


def figures_of(
    project: Project, district: District, year: int, *, scope: Scope, run: Path | None = None
) -> Past | None:
    """The report of a district and year as it stands: its run in force, else what was published.

    A report of the other scope or by another kind of form is not the same report, and is passed
    over; what was published is of the scope that the district file names.

    Parameters
    ----------
    project : Project
    district : District
        By its form.
    year : int
    scope : {"district", "office"}
    run : Path, optional
        The run in force; the one under the project's outputs by default.

    Raises
    ------
    InputError
        ``past-changed``: the run's files are not those it was sealed with; ``published``.
    """
    files = {
        path: sha256_of(path)
        for path in files_of_past(project, district, year, scope=scope, run=run)
    }
    if not files:
        return None
    path = next(iter(files))
    if path.name != "facts.json":
        form = project.form(district.form)
        values = dict(read_report(form, load_published(path)).published)
        return Past(year, "published", path.relative_to(project.params).as_posix(), values, files)
    run = path.parent
    refuse_changed(run, files)
    document = sealed_facts(run) or {}
    notebook = read_sealed(run / "report.ipynb")
    facts = {fact["id"]: fact for fact in document["facts"]}
    numbers = {name: number_of(fact["value"]) for name, fact in facts.items()}
    return Past(
        year,
        "run",
        f"{district.id}/{district.report_name(year)}/current",
        {name: value for name, value in numbers.items() if value is not None},
        files,
        {b["number"]: prose_text(b["body"]) for b in from_notebook(notebook, "section")},
        facts,
        run.resolve(),
    )


def files_of_past(
    project: Project, district: District, year: int, *, scope: Scope, run: Path | None = None
) -> list[Path]:
    """The files that `figures_of` reads: of a run its facts and notebook, else what was published.

    A run that cannot be read is given too; `figures_of` refuses it.
    """
    run = run or project.place(district, year) / "current"
    if run.is_dir():
        try:
            document = sealed_facts(run)
        except ValueError:
            document = None
        whose = document and (document.get("district"), document.get("scope"))
        same = whose == (district.id, scope) and _by_its_form(run, project, district)
        if same or document is None:
            return [run / "facts.json", run / "report.ipynb"]
    path = project.report_file(district, year, "published.json")
    return [path] if path.is_file() and district.scope == scope else []


def _by_its_form(run: Path, project: Project, district: District) -> bool:
    """Return False where a run is by a form of another kind than its district's is now."""
    try:
        name = json.loads((run / "MANIFEST.json").read_bytes()).get("form", DEFAULT)
        kind = project.form(name).kind
    except (OSError, ValueError, AttributeError):
        return True  # facts alone, or nothing that this says
    return name == district.form or kind == project.form(district.form).kind


def refuse_changed(run: Path, files: Mapping[Path, str]) -> None:
    """Check that files of a run are those that it was sealed with.

    Raises
    ------
    InputError
        ``past-changed``: one of them is not.
    """
    try:
        lines = (run / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    for path, sha256 in files.items():
        if f"{sha256}  {path.relative_to(run).as_posix()}" not in lines:
            raise InputError(
                "past-changed",
                "{path} is not what it was sealed with, so this report cannot be "
                "compared with it; make that report again, or take its 'current' away",
                path=path,
                file=str(path),
            )


def sha256_of(path: Path) -> str:
    """SHA-256 of a file; a word where it cannot be read."""
    try:
        return digest(path)
    except OSError:
        return "missing"
