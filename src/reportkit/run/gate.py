"""The gate: whether an executed notebook ran whole and shows what was computed outside of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nbformat

from reportkit.errors import ExecutionError
from reportkit.evidence.rows import FactRows, rows_of
from reportkit.evidence.seal import seal_of, unseal_rows
from reportkit.export.blocks import Block, from_notebook
from reportkit.facts import rows_sha256
from reportkit.notebook.sealing import prescribed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportkit.notebook.compilation import Compilation


def gate(notebook: Mapping[str, Any]) -> Block:
    """Check that an executed notebook ran whole, to its seal; papermill's own status is not asked.

    Returns
    -------
    dict
        The seal block.

    Raises
    ------
    ExecutionError
        ``not-whole``: a cell did not run, ran out of order or failed; ``seal-missing`` or
        ``seal-wrong``: the last cell did not seal the facts that the notebook holds.
    """
    nbformat.validate(notebook)
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(code, 1):
        if cell["execution_count"] != number:
            raise ExecutionError(
                "not-whole",
                "code cell {cell} ran as {execution_count}: the run is not whole",
                execution_count=cell["execution_count"],
                cell=number,
            )
        if any(output["output_type"] == "error" for output in cell["outputs"]):
            raise ExecutionError("not-whole", "code cell {cell} ended with an error", cell=number)
    seals = from_notebook({"cells": code[-1:]}, "seal")
    if len(seals) != 1:
        raise ExecutionError(
            "seal-missing", "the last cell shows no seal; it must be report.seal()"
        )
    seal = seals[0]
    if seal["seal"] != seal_of(seal["facts"]):
        raise ExecutionError("seal-wrong", "the seal does not match the facts in the notebook")
    return seal


def rows_of_sealed(
    report: Compilation, seal: Block, expected: Mapping[str, Any]
) -> dict[str, FactRows]:
    """The rows of every sealed fact: as computed here, so that a changed notebook cannot bend them.

    Of a fact that the notebook made the seal holds the rows.
    """
    sealed = {fact["id"]: fact for fact in seal["facts"]["facts"]}
    computed = {fact["id"]: fact for fact in expected["facts"]}
    ours = {name: report.computer.get(name) for name in sealed if name in report.computer}
    for name in sorted(ours.keys() | computed.keys()):
        sealed_fact = sealed.get(name, {})
        computed_fact = computed.get(name) or ours[name].as_json() | {
            "places": sealed_fact["places"]
        }
        differing = [key for key in computed_fact if sealed_fact.get(key) != computed_fact[key]]
        if "value" in differing:
            raise ExecutionError(
                "facts-differ",
                "{fact} is {sealed} in the notebook, {value} in the ledgers",
                sealed=sealed_fact.get("value"),
                value=computed_fact["value"],
                fact=name,
            )
        if differing:
            raise ExecutionError(
                "facts-differ",
                "{fact}: {keys} in the notebook are not what the ledgers give",
                keys=", ".join(differing),
                fact=name,
            )
    own_rows = rows_of(ours)
    made_rows = unseal_rows(seal["rows"])
    for name in sealed.keys() - ours.keys():
        fact, made = sealed[name], made_rows.get(name)
        if made is None and not fact["rows"]:
            continue
        ledger = report.ledgers.get(fact["ledger"])
        if (
            made is None
            or ledger is None
            or made.ledger != fact["ledger"]
            or rows_sha256(made.rows) != fact["rows_sha256"]
            or made.rows.max() >= ledger.read
        ):
            raise ExecutionError(
                "evidence-wrong",
                "the rows of {fact} are not those that its value was made from",
                fact=name,
            )
        own_rows[name] = made
    return own_rows


def same_checks(report: Compilation, seal: Block) -> None:
    """Check that the notebook holds the findings made here, and knows whether it is a draft."""
    if seal["checks"] != [check.as_json() for check in report.all_checks]:
        raise ExecutionError(
            "checks-differ",
            "the checks in the notebook are not those of its ledgers and parameters",
        )
    if seal["head"]["draft"] != report.is_draft or seal["form"] != prescribed(report.edition):
        raise ExecutionError(
            "draft-differs",
            "the notebook says wrongly whether it is a draft, or what its form prescribes",
        )
