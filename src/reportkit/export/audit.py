"""audit.html: the report for auditors, where every number opens what it was computed from."""

from __future__ import annotations

from typing import Any

from reportkit.export.document import Document, DocumentExporter
from reportkit.export.pages import asset, digest, render

__all__ = ["AuditHTML"]

_SEVERITIES = ("error", "warning", "info")


def _order(check: dict[str, Any]) -> tuple[bool, bool, int]:
    """Open errors, warnings and infos, then what was accepted, then what holds."""
    waived = check["waived"] is not None
    return check["holds"], waived, _SEVERITIES.index(check["severity"])


class AuditHTML(DocumentExporter):
    """Auditors' page of an executed report notebook (``--to reportkit-audit``)."""

    export_from_notebook = "Report for auditors (HTML)"
    output_mimetype = "text/html"
    extension = ".html"

    def make(self, document: Document) -> str:
        """Return the page."""
        script = asset("audit.js")
        checks = sorted(document.checks, key=_order)
        return render(
            "audit.html.j2",
            document=document,
            facts=document.facts,
            checks=checks,
            failing=[check for check in checks if not check["holds"]],
            script=script,
            digest=digest(script),
            style=asset("base.css", "audit.css"),
        )
