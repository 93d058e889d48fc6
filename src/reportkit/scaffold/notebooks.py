"""Cells to add to a notebook for what a form prescribes and it does not show."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportkit.forms import Edition

_SHOWS = re.compile(r"""report\.(section|table)\(["']?(\w+)["']?\)""")


def missing_cells(notebook: Mapping[str, Any], edition: Edition) -> list[str]:
    """Code of the sections and tables of an edition that no cell of a notebook shows, in order."""
    shown = {
        (kind, name.removeprefix("t"))
        for cell in notebook["cells"]
        for kind, name in _SHOWS.findall("".join(cell["source"]))
    }
    # What is shown by a name is known when it runs only.
    by_name = any("report.table(" in "".join(c["source"]) for c in notebook["cells"]) and not any(
        kind == "table" for kind, _ in shown
    )
    wanted = []
    for section in edition.sections:
        wanted.append(("section", section.number, f'report.section("{section.number}")'))
        if section.table and not by_name:
            number = section.table.removeprefix("t")
            wanted.append(("table", number, f"report.table({number})"))
    return [code for kind, name, code in wanted if (kind, name) not in shown]


def with_missing(notebook: dict[str, Any], edition: Edition) -> None:
    """Add a cell for each section and table that a notebook lacks, after the last that it has."""
    cells = notebook["cells"]
    last = max(n for n, cell in enumerate(cells) if _SHOWS.search("".join(cell["source"])))
    for number, code in enumerate(missing_cells(notebook, edition), start=1):
        added: dict[str, Any] = {"cell_type": "code", "execution_count": None, "metadata": {}}
        added |= {"id": f"added-{number}", "outputs": [], "source": code}
        cells.insert(last + number, added)
