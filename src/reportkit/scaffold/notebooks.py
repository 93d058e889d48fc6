"""The notebook of a form: one to begin with, and cells for what a form prescribes besides."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportkit.errors import InputError
from reportkit.forms import project_form
from reportkit.forms.carried import carried
from reportkit.forms.cells import shown_by
from reportkit.scaffold.newfiles import write_new

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportkit.forms import Edition, Form

_SHOWS = re.compile(r"""report\.(section|table)\(["']?(\w+)["']?\)""")
_HEAD = "report.head()"
_PLAIN = Path(str(files("reportkit.scaffold"))) / "texts/notebook.ipynb"


def notebook_of(form: Form, edition: Edition, district: str, year: int) -> str:
    """The notebook of a form for a district and year: the package's, else a plain one.

    It shows every section and table of the edition.
    """
    try:
        (path,) = carried(f"notebooks/{form.model.notebook}")
    except InputError:  # a project's own form
        path = _PLAIN
    return for_district(path, district, year, edition, title=form.model.title)


def write_notebook(folder: Path) -> Path:
    """Write the notebook of a form folder, for its latest edition; none is replaced.

    Parameters
    ----------
    folder : Path
        ``forms/<name>`` of a project.

    Raises
    ------
    InputError
        ``exists``; or what is wrong with the form.
    """
    form = project_form(folder.name, folder.parent)
    edition = form.editions[-1]
    path = folder.parent.parent / "notebooks" / form.model.notebook
    years = edition.model.years
    text = notebook_of(form, edition, "", years.last or years.first)
    write_new({path: text.encode()})
    return path


def for_district(
    path: Path, district: str, year: int, edition: Edition | None, *, title: str = ""
) -> str:
    """A notebook whose parameters name the district and year, and that shows all of an edition."""
    document = json.loads(path.read_text(encoding="utf-8"))
    for cell in document["cells"]:
        source = "".join(cell["source"])
        if "parameters" in cell["metadata"].get("tags", ()):
            source = re.sub("(?m)^district = .*", f'district = "{district}"', source)
            cell["source"] = re.sub("(?m)^year = .*", f"year = {year}", source)
        elif "$title" in source:
            cell["source"] = source.replace("$title", title)
    if edition is not None:
        with_missing(document, edition)
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def missing_cells(notebook: Mapping[str, Any], edition: Edition) -> list[str]:
    """Code of the sections and tables of an edition that no cell of a notebook shows, in order."""
    sources = ["".join(cell["source"]) for cell in notebook["cells"]]
    shown = {
        (kind, f"t{name}" if kind == "table" and name.isdigit() else name)
        for source in sources
        for kind, name in _SHOWS.findall(source)
    }
    # What is shown by a name is known when it runs only.
    by_name = any("report.table(" in source for source in sources) and not any(
        kind == "table" for kind, _ in shown
    )
    wanted = []
    for section in edition.sections:
        wanted.append(("section", section.number, f'report.section("{section.number}")'))
        wanted += [("table", section.table, "")] if section.table else []
    wanted += [("table", name, "") for name in edition.tables if ("table", name, "") not in wanted]
    if by_name:
        wanted = [part for part in wanted if part[0] != "table"]
    return [
        code or f"report.table({shown_by(name)})"
        for kind, name, code in wanted
        if (kind, name) not in shown
    ]


def with_missing(notebook: dict[str, Any], edition: Edition) -> None:
    """Add a cell for each section and table that a notebook lacks, after the last that it has."""
    cells = notebook["cells"]
    sources = ["".join(cell["source"]) for cell in cells]
    last = max(n for n, text in enumerate(sources) if _SHOWS.search(text) or text.strip() == _HEAD)
    for number, code in enumerate(missing_cells(notebook, edition), start=1):
        added: dict[str, Any] = {"cell_type": "code", "execution_count": None, "metadata": {}}
        added |= {"id": f"added-{number}", "outputs": [], "source": code}
        cells.insert(last + number, added)
