"""The documents of a run, each made from its executed notebook."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from nbconvert.exporters import get_exporter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportkit.export.document import Document, DocumentExporter

# The name of nbconvert's exporter for each.
DOCUMENTS = {
    "report.html": "reportkit-html",
    "audit.html": "reportkit-audit",
    "report.pdf": "reportkit-pdf",
    "report.docx": "reportkit-docx",
    "tables.xlsx": "reportkit-xlsx",
}


@cache
def exporters() -> dict[str, type[DocumentExporter]]:
    """Return the exporter of each document, by nbconvert's names; it searches all packages."""
    return {file: get_exporter(name) for file, name in DOCUMENTS.items()}  # type: ignore[no-untyped-call]  # nbconvert has no types


def make_documents(document: Document) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each document, in order."""
    for name, exporter in exporters().items():
        made = exporter().make(document)
        yield name, made.encode() if isinstance(made, str) else made
