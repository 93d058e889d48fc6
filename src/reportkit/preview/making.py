"""One draft, made in a process of its own: the page first, since somebody waits for it."""

from __future__ import annotations

import os
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reportkit.errors import ReportkitError
from reportkit.evidence.write import write_evidence
from reportkit.export.document import arrange
from reportkit.export.documents import make_documents
from reportkit.notebook.compilation import keep_report
from reportkit.notebook.filled import fill, foresee
from reportkit.notebook.report import Report
from reportkit.proof.record import find_notebook
from reportkit.run.notebook import execute, gate, read_notebook
from reportkit.run.run import gate_of, rests_on
from reportkit.warm.processes import die_with_parent, kernel_environment

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path


@dataclass(frozen=True)
class Asked:
    """Which draft is wanted, and from which folders.

    Parameters
    ----------
    district, year
    folder : str
        Where relative paths begin.
    params, data, out : Path or None
    """

    district: str
    year: int
    folder: str
    params: Path | None
    data: Path | None
    out: Path


def make(asked: Asked, place: Path, pipe: Connection) -> None:
    """Make the documents of a draft, telling through a pipe of each that is there.

    Parameters
    ----------
    asked : Asked
    place : Path
        An empty folder for them.
    pipe : Connection
        Is given ``("made", name)`` for each document, or ``("failed", what is wrong)``.
    """
    die_with_parent(os.getppid())
    os.chdir(asked.folder)
    try:
        for name in _documents(asked, place):
            pipe.send(("made", name))
    except ReportkitError as error:
        pipe.send(("failed", error.message))
    except Exception:
        pipe.send(("failed", traceback.format_exc()))


def _documents(asked: Asked, place: Path) -> Any:
    report = Report.open(
        asked.district, asked.year, draft=True, params=asked.params, data=asked.data, out=asked.out
    )
    notebook = find_notebook(report.project)
    foresee(read_notebook(notebook), report)
    expected = report.facts_document()
    folders = {"params": asked.params, "data": asked.data, "out": asked.out}
    given: dict[str, Any] = {name: str(path) for name, path in folders.items() if path is not None}
    given |= {"district": asked.district, "year": asked.year, "draft": True}
    with kernel_environment(), keep_report(report):
        executed = execute(notebook, given, place / "report.ipynb", warm=True)
    seal = gate(executed)
    held = rests_on(report, seal, expected)
    report.adopt(seal["facts"])
    held_back = gate_of(report)
    for name, content in make_documents(arrange(fill(executed))):
        if name == "audit.html":
            write_evidence(place / "evidence", held, report.ledgers, key=report.ledgers.row_key)
        (place / name).write_bytes(content)
        held_back.check(place)
        yield name
