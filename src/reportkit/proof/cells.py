"""Cells of an executed notebook, compared with the verifier's own, and with outputs made here."""

from __future__ import annotations

import json
import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

import nbformat
from papermill.translators import PythonTranslator

from reportkit.export.blocks import MIME, unpacked
from reportkit.export.original import INJECTED
from reportkit.language import Message, joined
from reportkit.language.message import COLON
from reportkit.notebook.filled import as_executed
from reportkit.proof.differences import first_difference
from reportkit.proof.normal import normal_form
from reportkit.proof.remade import key_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from reportkit.proof.differences import Differences
    from reportkit.proof.remade import Key
    from reportkit.proof.reopened import Reopened

# A cell that does nothing but let the library show something.
_ASKS = re.compile(r"""report\.(head|inputs|section|table|checks|seal)\(["']?(\w*)["']?\)""")


def compare_notebook(
    stored: Mapping[str, Any],
    notebook: Mapping[str, Any],
    manifest: Mapping[str, Any],
    opened: Reopened,
    blocks: Mapping[Key, Mapping[str, Any]],
    differences: Differences,
) -> None:
    """Compare cells with the auditor's own notebook, and their outputs with those made here."""
    cells = normal_form(as_executed(stored))["cells"]
    if opened.notebook is not None:
        differences.notes.append(Message("the notebook is the one that is here"))
        differences.findings += _other_cells(cells, _as_given(opened.notebook, manifest))
        _compare_metadata(stored, opened.notebook, differences)
    else:
        differences.undecided.append(
            Message("the notebook is the run's own: it is neither yours nor the package's")
        )
    shown: set[Key] = set()
    rest: list[str] = []
    numbered = enumerate(zip(notebook["cells"], cells, strict=True), 1)
    code = [(number, *pair) for number, pair in numbered if pair[0]["cell_type"] == "code"]
    for count, (number, cell, plain) in enumerate(code, 1):
        name = Message("report.ipynb: cell {number} ({id})", number=number, id=plain["id"])
        differences.findings += _out_of_turn(name, cell, count)
        keys = []
        for output in cell["outputs"]:
            data = output.get("data", {})
            key = key_of(data[MIME]) if MIME in data else ("", "")
            keys.append(key)
            if key not in blocks:
                kind = " ".join(key) if key[0] else " and ".join(data) or output["output_type"]
                rest.append(f"{plain['id']} ({kind.strip()})")
            elif data != blocks[key] or output["metadata"]:
                difference = first_difference(unpacked(data[MIME]), unpacked(blocks[key][MIME]))
                if data[MIME] == blocks[key][MIME]:
                    difference = first_difference({**output["metadata"], **data}, blocks[key])
                differences.differs(joined(COLON, [name, " ".join(key).strip(), difference]))
        asked = _ASKS.fullmatch("".join(cell["source"]).strip())
        kind, which = asked.groups() if asked else ("", "")
        which = f"t{which}" if kind == "table" and which.isdigit() else which
        if asked and keys != [(kind, which)]:
            differences.findings.append(
                Message(
                    "{name} shows something else than {source}",
                    name=name,
                    source=cell["source"].strip(),
                )
            )
        shown |= {*keys}
    if missing := sorted(set(blocks) - shown):
        listed = ", ".join(" ".join(key).strip() for key in missing)
        differences.differs(Message("report.ipynb does not show {listed}", listed=listed))
    if rest:
        differences.notes.append(
            Message(
                "shown by the notebook's own code, which --rerun executes: {rest}",
                rest=", ".join(rest),
            )
        )


def _out_of_turn(name: str, cell: Mapping[str, Any], count: int) -> Iterator[str]:
    if cell["execution_count"] != count:
        yield Message(
            "{name} ran as {execution_count}, not in its turn",
            name=name,
            execution_count=cell["execution_count"],
        )
    for output in cell["outputs"]:
        if output.get("execution_count", count) != count:
            yield Message(
                "{name} shows what ran as {execution_count}",
                name=name,
                execution_count=output["execution_count"],
            )


def compare_filled(
    notebook: Mapping[str, Any], filled: Mapping[str, Any], differences: Differences
) -> None:
    """Compare text in cells with the text filled in here, and findings about the whole notebook."""
    for number, cells in enumerate(zip(notebook["cells"], filled["cells"], strict=True), 1):
        pairs = [[(cell["source"], cell["metadata"].get("reportkit")) for cell in cells]]
        if cells[0]["cell_type"] == "code":
            outputs = zip(*(cell["outputs"] for cell in cells), strict=True)
            pairs += [
                [shown["data"] for shown in pair]
                for pair in outputs
                if MIME in pair[0].get("data", {})
            ]
        for theirs, expected in pairs:
            name = Message("report.ipynb: cell {number}", number=number)
            differences.compare(name, theirs, expected)
    theirs, expected = (document["metadata"].get("reportkit") for document in (notebook, filled))
    differences.compare("report.ipynb", theirs, expected, "metadata/reportkit/")


def parsed(text: str) -> Any:
    """A notebook as nbformat reads it."""
    return nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]  # nbformat has no types


def _as_given(path: Path, manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The cells of a notebook before it is executed, with those of its parameters put in."""
    given = parsed(path.read_text(encoding="utf-8"))
    for at, cell in enumerate(given.cells, 1):
        if "parameters" in cell.metadata.get("tags", ()):
            source = PythonTranslator.codify(manifest["parameters"], "Parameters")
            kind: dict[str, Any] = {"cell_type": "code", "execution_count": None, "outputs": []}
            given.cells.insert(at, kind | {"source": source, "metadata": {"tags": [INJECTED]}})
            break
    return list(normal_form(given)["cells"])


def _other_cells(own: list[dict[str, Any]], given: list[dict[str, Any]]) -> Iterator[str]:
    """Cells that are not the notebook's: their text, kind, tags and attachments."""
    before, after = (
        [json.dumps(_before(cell), sort_keys=True) for cell in cells] for cells in (given, own)
    )
    # Cells may have been put in or taken out: matched first, so that only these are named.
    matcher = SequenceMatcher(a=before, b=after, autojunk=False)
    for kind, first, last, start, end in matcher.get_opcodes():
        if kind == "equal":
            continue
        for number in range(start, end):
            yield Message(
                "report.ipynb: cell {number} ({id}) is not the notebook's",
                number=number + 1,
                id=own[number]["id"],
            )
        names = {cell["id"] for cell in own[start:end]}
        for cell in given[first:last]:
            if cell["id"] not in names:
                yield Message("report.ipynb: cell {id} of the notebook is not in it", id=cell["id"])


def _before(cell: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in cell.items() if name not in ("count", "outputs")}
    return kept | {"metadata": {"tags": [], **cell["metadata"]}}


def _compare_metadata(stored: Mapping[str, Any], path: Path, differences: Differences) -> None:
    given = parsed(path.read_text(encoding="utf-8"))
    # Here alone: asyncio and zmq come with it.
    from ipykernel.ipkernel import IPythonKernel

    given.metadata["language_info"] = dict(IPythonKernel.language_info)
    recorded = normal_form(as_executed(stored))["metadata"]
    expected = normal_form({"metadata": given.metadata, "cells": []})["metadata"]
    differences.compare("report.ipynb", recorded, expected, "metadata/")
