"""Blocks that the library shows in a notebook, made again from the report or the notebook."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from reportkit.evidence.seal import unseal_rows
from reportkit.export.blocks import MIME, from_notebook
from reportkit.facts import Fact, Facts
from reportkit.facts.numerals import number_of
from reportkit.facts.sealed import SealedFacts
from reportkit.notebook.display import SHOWN, show, show_table
from reportkit.notebook.filled import as_executed, fill
from reportkit.notebook.report import Report
from reportkit.proof.surroundings import OURS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reportkit.export.blocks import Block
    from reportkit.forms import Edition, Form
    from reportkit.notebook.compilation import Compilation
    from reportkit.notebook.display import Shown

    Key = tuple[str, str]

_NAMED_BY = {"section": "number", "table": "id"}


def key_of(block: Mapping[str, Any]) -> Key:
    """Kind of a block, and which one of its kind it is."""
    return block["kind"], str(block.get(_NAMED_BY.get(block["kind"], ""), ""))


def remade(
    report: Compilation | None, form: Form, notebook: Mapping[str, Any], manifest: Mapping[str, Any]
) -> tuple[dict[Key, dict[str, Any]], dict[str, Any]]:
    """Make the library's blocks again, by kind and id, as a cell's output; and all filled in.

    Parameters
    ----------
    report : Compilation or None
        Without one, tables are made again from the sealed facts and the verifier's own form, and
        everything else is shown again from its own block.
    form : Form
        The verifier's own.
    notebook : mapping
        The executed notebook.
    manifest : mapping
    """
    (seal,) = from_notebook(notebook, "seal")
    if report is None:
        shown = _of_itself(notebook, seal, form.edition(manifest["year"]), manifest["year"])
    else:
        shown = _of_report(report, notebook, seal, manifest)
    # As a notebook on disk holds it: keys in order, numbers and lists as JSON has them.
    bundles = (json.dumps(block._repr_mimebundle_(), sort_keys=True) for block in shown)
    by_key = {key_of(bundle[MIME]): bundle for bundle in map(json.loads, bundles)}
    executed = as_executed(notebook)
    outputs = [output for cell in executed["cells"] for output in cell.get("outputs", ())]
    for output in outputs:
        block = output.get("data", {}).get(MIME)
        if block is not None and block["kind"] in SHOWN:
            # What Jupyter shows of an own block follows from the block.
            output["data"] = by_key.get(key_of(block)) or show(block)._repr_mimebundle_()
    filled = fill(executed)
    for cell in filled["cells"]:
        for output in cell.get("outputs", ()):
            block = output.get("data", {}).get(MIME)
            if block is not None and key_of(block) in by_key:
                by_key[key_of(block)] = json.loads(json.dumps(output["data"], sort_keys=True))
    return by_key, filled


def _of_report(
    report: Compilation, notebook: Mapping[str, Any], seal: Block, manifest: Mapping[str, Any]
) -> Iterator[Shown]:
    add_facts_of_notebook(report, seal)
    shows = Report(report)
    head = shows.head()
    if own := report.district.fonts:
        # The folder of the district's typefaces is as the run was asked, which changes no byte.
        (stored,) = from_notebook(notebook, "head")
        folder = str((stored.get("fonts") or {}).get("folder"))
        if folder.endswith(f"/{own.folder}"):
            head = show(head.block | {"fonts": own.model_dump() | {"folder": folder}})
    yield head
    yield shows.inputs()
    yield from (shows.section(section.number) for section in report.edition.sections)
    yield from (shows.table(name) for name in report.edition.tables)
    yield shows.checks()
    sealed = shows.seal().block
    # Versions are as the run says; the level `environment` compares them with those here.
    packages = manifest["environment"]["packages"]
    versions = {name: packages.get(name) for name in sealed["versions"]}
    versions["reportkit"] = packages.get(OURS)
    versions["python"] = ".".join(manifest["environment"]["python"].split(".")[:2])
    # So is what the notebook's own code showed.
    shown = {"head": {name: head.block[name] for name in sealed["head"]}, "made": seal["made"]}
    yield show(sealed | {"versions": versions} | shown)


def facts_of_notebook(report: Compilation, seal: Block) -> list[str]:
    """Facts that the notebook made: no definition gives them."""
    return [fact["id"] for fact in seal["facts"]["facts"] if fact["id"] not in report.computer]


def add_facts_of_notebook(report: Compilation, seal: Block) -> None:
    """Add the facts that the notebook made, as it sealed them, and compute what it asked for."""
    rows = unseal_rows(seal["rows"])
    names = facts_of_notebook(report, seal)
    own = [fact for fact in seal["facts"]["facts"] if fact["id"] in names]
    for name, fact in SealedFacts.read({"facts": own}, {}).facts.items():
        none = np.empty(0, np.int64) if fact.ledger else None
        chosen = rows[name].rows if name in rows else none
        report.add(replace(fact, rows=chosen, places=("notebook",)))
    for fact in seal["facts"]["facts"]:
        if fact["id"] not in names:
            report.computer.get(fact["id"])


def _value(fact: Mapping[str, Any]) -> Any:
    number = number_of(fact["value"])
    return fact["value"] if number is None else number


def _of_itself(
    notebook: Mapping[str, Any], seal: Block, edition: Edition, year: int
) -> Iterator[Shown]:
    units = {cell.id: cell.show_unit for cell in edition.cells(year)}
    facts = {
        fact["id"]: Fact(
            fact["id"],
            fact["label"],
            _value(fact),
            fact["unit"],
            fact["origin"],
            fact["definition"],
            show_unit=units.get(fact["id"], False),
        )
        for fact in seal["facts"]["facts"]
    }
    numbers = {section.number for section in edition.sections}
    for block in from_notebook(notebook, "head", "inputs", "section", "checks", "seal"):
        if block["kind"] != "section" or block["number"] in numbers:
            yield show(block)
    yield from (show_table(table, Facts(facts)) for table in edition.tables.values())
