"""Draft documents of a notebook, made while it is open in Jupyter."""

from __future__ import annotations

import json
import os
import shutil
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from reportkit.evidence.rows import rows_of
from reportkit.evidence.write import write_evidence
from reportkit.export.blocks import MIME
from reportkit.export.document import arrange
from reportkit.export.documents import make_documents
from reportkit.notebook.display import Shown, note
from reportkit.notebook.filled import fill
from reportkit.rollup.evidence import write_members

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportkit.notebook.compilation import Compilation
    from reportkit.notebook.made import CodeCell, Made

_NAMES = {
    "report.html": "网页",
    "audit.html": "审计页",
    "report.pdf": "PDF",
    "report.docx": "Word",
    "tables.xlsx": "表格",
}
# Findings that are listed below the links.
_LISTED = 20


def saved_notebook() -> Path | None:
    """The file of the notebook that this kernel runs; Jupyter's server names it."""
    path = Path(os.environ.get("JPY_SESSION_NAME", ""))
    return path if path.suffix == ".ipynb" and path.is_file() else None


def make_draft(report: Compilation, so_far: Made, seal: Shown, saved: Path) -> Shown:
    """Make the documents of a draft, and show where they are.

    Parameters
    ----------
    report : Compilation
    so_far : Made
        What cells have shown and drawn, the last time that they ran.
    seal : Shown
        Of all facts so far.
    saved : Path
        The notebook: it has the order of the cells, and their Markdown.
    """
    written = json.loads(saved.read_text(encoding="utf-8"))
    filled = fill(put_together(so_far, seal, written), later=True)
    filled["metadata"]["reportkit"]["draft"] = True
    folder = report.project.place(report.district, report.year) / "draft"
    shutil.rmtree(folder, ignore_errors=True)  # the draft of before
    folder.mkdir(parents=True)
    held = rows_of(report.facts)
    write_evidence(folder / "evidence", held, report.ledgers, key=report.ledgers.row_key)
    if report.sums:
        write_members(folder / "evidence", report.sums, report.facts)
    links = []
    for name, content in make_documents(arrange(filled)):
        (folder / name).write_bytes(content)
        there = quote(Path(os.path.relpath(folder / name, saved.parent)).as_posix())
        links.append(f'<a href="{there}" target="_blank">{_NAMES[name]}</a>')
    checks = filled["metadata"]["reportkit"]["checks"]
    findings = [check for check in checks if not (check["holds"] or check["waived"])]
    findings.sort(key=lambda check: check["severity"] != "error")
    lines = [f"草稿在 {folder}"]
    lines += [f"{finding['id']} {finding['message']}" for finding in findings[:_LISTED]]
    lines += ["…"] * (len(findings) > _LISTED)
    if left := sum(not _is_in(place, written) for place, _ in so_far.shown):
        lines.append(f"有{left}处是还没有保存或已经删去的格所列，草稿里没有：保存笔记本以后再做")
    html = f"<p>草稿：{' · '.join(links)}</p>"
    html += "".join(f"<p>{escape(line)}</p>" for line in lines[1:])
    return note("draft", html, "\n".join(lines))


def put_together(so_far: Made, seal: Shown, saved: Mapping[str, Any]) -> dict[str, Any]:
    """Put the outputs of cells into the saved notebook, so that it is an executed one."""
    places = [place for place, _ in (*so_far.shown, *so_far.figures)]
    cells = []
    for cell in saved["cells"]:
        made = {**cell, "metadata": dict(cell["metadata"]), "source": "".join(cell["source"])}
        if cell["cell_type"] == "code":
            own = [_output(shown) for place, shown in so_far.shown if _is_of(place, made)]
            count = next(
                (place.count for place in places[::-1] if _is_of(place, made)),
                cell.get("execution_count"),
            )
            # Outputs in the file that are none of ours stand in no document; a check says so.
            foreign = [
                output
                for output in cell["outputs"]
                if output["output_type"] != "error" and MIME not in output.get("data", ())
            ]
            made |= {"execution_count": count, "outputs": [*own, *foreign]}
        cells.append(made)
    last: dict[str, Any] = {"cell_type": "code", "metadata": {}, "source": "report.seal()"}
    last["outputs"] = [_output(seal)]
    return {**saved, "metadata": dict(saved["metadata"]), "cells": [*cells, last]}


def _output(shown: Shown) -> dict[str, Any]:
    data = json.loads(json.dumps(shown._repr_mimebundle_()))
    return {"output_type": "display_data", "metadata": {}, "data": data}


def _is_in(place: CodeCell, saved: Mapping[str, Any]) -> bool:
    return any(_is_of(place, cell) for cell in saved["cells"] if cell["cell_type"] == "code")


def _is_of(place: CodeCell, cell: Mapping[str, Any]) -> bool:
    """Return True where this cell showed it: by its id, or by its text if the client gives none."""
    if place.id:
        return place.id == cell.get("id")
    return place.source == "".join(cell["source"]).strip()
