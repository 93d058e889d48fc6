"""The open-data folder of a report, made of the run in force whenever somebody asks for it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from reportkit.errors import ExecutionError
from reportkit.export.document import arrange
from reportkit.export.opendata import open_data
from reportkit.run.notebook import read_notebook

if TYPE_CHECKING:
    from pathlib import Path


def write_open_data(run: Path, place: Path) -> Path:
    """Write the folder ``open-data`` of a district and year anew.

    Parameters
    ----------
    run : Path
        The run, whose executed notebook says it all.
    place : Path
        The folder of the district's runs of the year.

    Raises
    ------
    ExecutionError
        ``not-writable``.
    """
    folder, fresh = place / "open-data", place / ".open-data-new"
    with ExecutionError.on_refusal(
        "not-writable", "{folder} cannot be written: {problem}", folder=str(folder)
    ):
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        for name, body in open_data(arrange(read_notebook(run / "report.ipynb"))):
            (fresh / name).write_bytes(body)
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
    return folder
