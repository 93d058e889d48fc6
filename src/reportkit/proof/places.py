"""Places of a run's inputs on the verifier's machine: in folders of their own, or missing.

A manifest names each input; what its ``path`` says is a note, and nothing is read from there.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportkit.errors import InputError, ReportkitError
from reportkit.evidence.paths import inside
from reportkit.export.files import digest
from reportkit.forms import DEFAULT, project_form
from reportkit.forms.carried import carried
from reportkit.params import Project
from reportkit.params.sources import DatabaseSource
from reportkit.proof.plainjson import read_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportkit.forms import Form


DATA, PARAMS = Path("data"), Path("params")
"""Folders of whoever names none."""


def outputs_of(run: Path) -> Path:
    """The folder of outputs that a run stands in, and other runs beside it."""
    above = run.resolve().parents
    return above[min(3, len(above) - 1)]


def facts_of(run: Path) -> dict[str, Any]:
    """The facts of a run, by id.

    Raises
    ------
    ReportkitError
        ``run-changed``: as for `read_json`.
    """
    return {fact["id"]: fact for fact in read_json(run / "facts.json")["facts"]}


def own_form(manifest: Mapping[str, Any], params: Path) -> Form:
    """The form that a run was made by, as the verifier has it: nothing of it is read from the run.

    Raises
    ------
    InputError
        ``form``: the verifier has none of this name.
    """
    return project_form(manifest.get("form", DEFAULT), params.parent / "forms")


def ledger_place(
    source: Mapping[str, Any], manifest: Mapping[str, Any], data: Path, params: Path
) -> Path | DatabaseSource:
    """Return the place of a ledger's file or table on this machine.

    Raises
    ------
    ReportkitError
        ``ledger-absent``: it is not here, or no district file says where it is.
    InputError
        ``received-path``.
    """
    shown = source["path"]
    if source["format"] == "sql":
        project = Project.find(params, data)
        for named in named_sources(project, manifest["district"]):
            if isinstance(named, DatabaseSource) and named.shown == shown:
                return named
        raise ReportkitError(
            "ledger-absent",
            "the district file in {params} does not name {shown}",
            params=project.params,
            shown=shown,
        )
    if (path := named_file(shown, manifest["district"], data, params)) is not None:
        return path
    # Shown from the data folder on; the copy of a reader may have another name.
    places = [inside(data.parent, shown, own=True)]
    places += [inside(data, rest, own=True) for rest in [shown.partition("/")[2]] if rest]
    for path in places:
        if path.is_file():
            return path
    raise ReportkitError(
        "ledger-absent",
        "{shown} is not here; name the folder of the ledgers with --data",
        shown=shown,
    )


def named_file(shown: str, district: str, data: Path, params: Path) -> Path | None:
    """A ledger's file that the reader's own district file names, if a run shows it so."""
    try:
        sources = named_sources(Project.find(params, data), district)
    except InputError:  # ledgers without parameters are enough to count them again
        return None
    ours = (shown, shown.partition("/")[2])
    paths = [data / source for source in sources if isinstance(source, str) and source in ours]
    return next((path for path in paths if path.is_file()), None)


def named_sources(project: Project, district: str) -> list[str | DatabaseSource]:
    """List the sources of ledgers that a district file names."""
    return [*itertools.chain.from_iterable(project.district(district).ledgers.values())]


def own_notebook(manifest: Mapping[str, Any], folder: Path) -> Path | None:
    """The notebook that the run executed, if it is the reader's own or the package's."""
    ours = [*sorted(folder.glob("*.ipynb")), *carried("notebooks/*.ipynb")]
    return next((p for p in ours if digest(p) == manifest["notebook"]["sha256"]), None)
