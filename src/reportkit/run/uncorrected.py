"""Figures that changed since a final run, and that no correction names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reportkit.run.request import Outcome, Request


def uncorrected_changes(request: Request, outcome: Outcome) -> list[dict[str, Any]]:
    """List figures that are not as the replaced run printed them, and that no correction names."""
    if outcome.replaced is None or outcome.draft:
        return []
    from reportkit.proof.diff import changed_figures  # few reports need it

    try:
        changed = changed_figures(outcome.replaced, outcome.folder)
    except (OSError, ValueError, LookupError):
        return []  # pruned, or not as it was written: verify says so
    corrections = request.project.report(request.whose, request.year).corrections
    corrected = {pair for correction in corrections for pair in correction.figures.items()}
    return [change for change in changed if (change["id"], change["from"]) not in corrected]
