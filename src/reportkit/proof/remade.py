"""What the library shows in a notebook, made again: from the report, or from the notebook."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from reportkit.evidence.rows import FactRows
from reportkit.evidence.seal import unseal_rows
from reportkit.export.blocks import MIME, from_notebook
from reportkit.facts import Fact, Facts
from reportkit.facts.numerals import number_of
from reportkit.forms import form_for
from reportkit.notebook.display import look, show_table
from reportkit.proof.surroundings import OURS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reportkit.export.blocks import Block
    from reportkit.notebook.display import Shown
    from reportkit.notebook.report import Report

    Key = tuple[str, str]

_NAMED_BY = {"section": "number", "table": "id"}


def key_of(block: Mapping[str, Any]) -> Key:
    """Kind of a block, and which one of its kind it is."""
    return block["kind"], str(block.get(_NAMED_BY.get(block["kind"], ""), ""))


def remade(
    report: Report | None, notebook: Mapping[str, Any], manifest: Mapping[str, Any]
) -> dict[Key, dict[str, Any]]:
    """What the library shows, by kind and id, as a cell's output holds it.

    Parameters
    ----------
    report : Report or None
        Without one, tables are made again from the sealed facts and the verifier's own form, and
        everything else is shown again from its own block.
    notebook : mapping
        The executed notebook.
    manifest : mapping
    """
    (seal,) = from_notebook(notebook, "seal")
    if report is None:
        shown = _of_itself(notebook, seal, manifest["year"])
    else:
        shown = _of_report(report, notebook, seal, manifest)
    # As a notebook on disk holds it.
    bundles = (json.dumps(one._repr_mimebundle_(), sort_keys=True) for one in shown)
    return {key_of(bundle[MIME]): bundle for bundle in map(json.loads, bundles)}


def _of_report(
    report: Report, notebook: Mapping[str, Any], seal: Block, manifest: Mapping[str, Any]
) -> Iterator[Shown]:
    head = report.head()
    if own := report.district.fonts:
        # Where the district's typefaces lie is told as the run was asked, which changes no byte.
        (there,) = from_notebook(notebook, "head")
        folder = str((there.get("fonts") or {}).get("folder"))
        if folder.endswith(f"/{own.folder}"):
            head = look(head.block | {"fonts": own.model_dump() | {"folder": folder}})
    yield head
    yield report.inputs()
    yield from (report.section(section.number) for section in report.form.sections)
    yield from (report.table(name) for name in report.form.tables)
    yield report.checks()
    add_made_there(report, seal)
    sealed = report.seal().block
    # What computed the figures is as the run says; whether it is so here is told elsewhere.
    packages = manifest["environment"]["packages"]
    versions = {name: packages.get(name) for name in sealed["versions"]}
    versions["reportkit"] = packages.get(OURS)
    versions["python"] = ".".join(manifest["environment"]["python"].split(".")[:2])
    yield look(sealed | {"versions": versions})


def made_there(report: Report, seal: Block) -> list[str]:
    """Facts that the notebook made: no definition gives them."""
    return [fact["id"] for fact in seal["facts"]["facts"] if fact["id"] not in report.computer]


def add_made_there(report: Report, seal: Block) -> None:
    """Add the facts that the notebook made, as it sealed them, and compute what it asked for."""
    made = unseal_rows(seal["rows"])
    names = made_there(report, seal)
    for fact in seal["facts"]["facts"]:
        if fact["id"] in names:
            none = FactRows(fact["ledger"], np.empty(0, np.int64))
            report._extra[fact["id"]] = Fact(
                fact["id"], fact["label"], _value(fact), fact["unit"], "ledger",
                fact["definition"], ledger=fact["ledger"], rows=made.get(fact["id"], none).rows,
                places=("notebook",),
            )  # fmt: skip
        else:
            report.computer.get(fact["id"])


def _value(fact: Mapping[str, Any]) -> Any:
    number = number_of(fact["value"])
    return fact["value"] if number is None else number


def _of_itself(notebook: Mapping[str, Any], seal: Block, year: int) -> Iterator[Shown]:
    form = form_for(year)
    units = {cell.id: cell.show_unit for cell in form.cells(year)}
    facts = {
        fact["id"]: Fact(
            fact["id"], fact["label"], _value(fact), fact["unit"], fact["origin"],
            fact["definition"], show_unit=units.get(fact["id"], False),
        )
        for fact in seal["facts"]["facts"]
    }  # fmt: skip
    numbers = {section.number for section in form.sections}
    for block in from_notebook(notebook, "head", "inputs", "section", "checks", "seal"):
        if block["kind"] != "section" or block["number"] in numbers:
            yield look(block)
    yield from (show_table(table, Facts(facts)) for table in form.tables.values())
