"""audit.html: the report for auditors, where every number opens what it was computed from."""

from __future__ import annotations

from reportkit.export.document import Document, DocumentExporter
from reportkit.export.pages import asset, digest, render

__all__ = ["AuditHTML"]

_SEVERITIES = ("error", "warning", "info")


class AuditHTML(DocumentExporter):
    """Auditors' page of an executed report notebook (``--to reportkit-audit``)."""

    export_from_notebook = "Report for auditors (HTML)"
    output_mimetype = "text/html"
    extension = ".html"

    def make(self, document: Document) -> str:
        """Return the page."""
        script = asset("audit.js")
        failing = [check for check in document.checks if not check["holds"]]
        return render(
            "audit.html.j2",
            document=document,
            facts=document.facts,
            failing=sorted(failing, key=lambda check: _SEVERITIES.index(check["severity"])),
            script=script,
            digest=digest(script),
            style=asset("base.css", "audit.css"),
        )
