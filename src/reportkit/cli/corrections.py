"""Words in which a run says that figures changed since a final run (更正说明)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from reportkit.language import Message

if TYPE_CHECKING:
    from pathlib import Path

    from reportkit.run.request import Request


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
        f"    {change['id']}: {json.dumps(change['from'], ensure_ascii=False)}"
        f"  # → {change['to']} {change['label']}"
        for change in untold
    ]
