"""Figures that changed since a final run, and how a report tells it (更正说明)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from reportkit.language import Message

if TYPE_CHECKING:
    from pathlib import Path

    from reportkit.run.request import Request


def untold_changes(request: Request, replaced: Path, made: Path) -> list[dict[str, Any]]:
    """List figures that are not as the replaced run printed them, and that no correction tells."""
    from reportkit.proof.diff import changed_figures

    try:
        changed = changed_figures(replaced, made)
    except (OSError, ValueError, LookupError):
        return []  # pruned, or not as it was written: verify says so
    corrections = request.project.report(request.whose, request.year).corrections
    corrected = {pair for one in corrections for pair in one.figures.items()}
    return [change for change in changed if (change["id"], change["from"]) not in corrected]


def correction_lines(untold: list[dict[str, Any]], replaced: Path, request: Request) -> list[str]:
    """Say which figures changed, and how the report tells it (更正说明)."""
    if not untold:
        return []
    lines: list[str] = [
        Message(
            "{count} figures are not as the final run {run} printed them; if that was published, "
            "say so in {file}:",
            count=len(untold),
            run=replaced.name,
            file=request.project.report_file(request.whose, request.year, "yaml"),
        ),
        "corrections:",
        "- on:",
        "  text:",
        "  figures:",
    ]
    # JSON is YAML that guesses nothing.
    return lines + [
        f"    {one['id']}: {json.dumps(one['from'], ensure_ascii=False)}"
        f"  # → {one['to']} {one['label']}"
        for one in untold
    ]
