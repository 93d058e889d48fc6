"""report.html: one page for readers, with no code in it and nothing fetched from anywhere."""

from __future__ import annotations

from reportkit.export.document import Document, DocumentExporter
from reportkit.export.pages import asset, compile_templates, render

__all__ = ["ReportHTML"]

_PUBLIC = ("id", "label", "value", "unit", "origin")


class ReportHTML(DocumentExporter):
    """Readers' page of an executed report notebook (``--to reportkit-html``)."""

    export_from_notebook = "Report for readers (HTML)"
    output_mimetype = "text/html"
    extension = ".html"

    @classmethod
    def prepare(cls) -> None:
        """Compile the templates."""
        compile_templates()

    def make(self, document: Document) -> str:
        """Return the page."""
        facts = [[fact[key] for key in _PUBLIC] for fact in document.facts.values()]
        return render(
            "report.html.j2",
            document=document,
            facts=document.facts,
            public={"schema": "reportkit/public-facts/2", "columns": _PUBLIC, "facts": facts},
            style=asset("base.css", "report.css"),
        )
