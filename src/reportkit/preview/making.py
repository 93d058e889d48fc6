"""One draft, made in a process of its own: the page first, since somebody waits for it."""

from __future__ import annotations

import multiprocessing
import os
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reportkit.errors import ReportkitError
from reportkit.evidence.write import write_evidence
from reportkit.export.document import arrange
from reportkit.export.documents import make_documents
from reportkit.notebook.filled import fill
from reportkit.run.gate import gate, rows_of_sealed
from reportkit.run.notebook import execute
from reportkit.run.run import gate_of, prepare
from reportkit.warm.processes import die_with_parent, kernel_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection
    from pathlib import Path

    from reportkit.run.request import Request


def make(request: Request, folder: str, place: Path, pipe: Connection) -> None:
    """Make the documents of a draft, telling through a pipe of each that is there.

    Parameters
    ----------
    request : Request
        Of a draft.
    folder : str
        Where relative paths begin.
    place : Path
        An empty folder for the documents.
    pipe : Connection
        Is given ``("made", name)`` for each document, or ``("failed", what is wrong)``.
    """
    die_with_parent(os.getppid())
    os.chdir(folder)
    try:
        for name in _documents(request, place):
            pipe.send(("made", name))
    except ReportkitError as error:
        pipe.send(("failed", error.message))
    except Exception:
        pipe.send(("failed", traceback.format_exc()))


def _documents(request: Request, place: Path) -> Iterator[str]:
    making, expected = prepare(request, datetime.now(UTC))
    report = making.report
    fork = multiprocessing.get_context("fork")  # of this process, which is not used before
    with kernel_environment():
        output = place / "report.ipynb"
        executed = execute(making.notebook, making.parameters, output, fork=fork)
    seal = gate(executed)
    held = rows_of_sealed(report, seal, expected)
    report.adopt(seal["facts"])
    held_back = gate_of(report)
    for name, content in make_documents(arrange(fill(executed))):
        if name == "audit.html":
            write_evidence(place / "evidence", held, report.ledgers, key=report.ledgers.row_key)
        (place / name).write_bytes(content)
        held_back.check(place)
        yield name
