"""report.pdf: the official document, set by Typst after GB/T 9704-2012."""

from __future__ import annotations

import calendar
import json
import re
from importlib.resources import files
from typing import TYPE_CHECKING, cast

import typst

from reportkit.errors import ExportError
from reportkit.export.document import Document, DocumentExporter, day_of
from reportkit.export.original import originals
from reportkit.export.pages import chinese_date, corrected_on, title_lines
from reportkit.export.tagging import with_row_heads
from reportkit.export.typesetting import compiler, typefaces
from reportkit.language import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportkit.export.blocks import Block

_DATES = ("dated", "printed")


class ReportPDF(DocumentExporter):
    """Official document of an executed report notebook (``--to reportkit-pdf``)."""

    export_from_notebook = "Official document (PDF)"
    output_mimetype = "application/pdf"
    extension = ".pdf"

    def make(self, document: Document) -> bytes:
        """Return the PDF's bytes."""
        return _typeset(document)


def _typeset(document: Document) -> bytes:
    head = document.head
    day = day_of(head)
    faces = dict(head.get("fonts") or {})
    fonts = _own_fonts(faces, document)
    # All text goes in as data: nothing of a ledger or a narrative is ever read as markup.
    content = {
        "head": head | {key: chinese_date(head[key]) for key in _DATES if head[key]},
        "lines": title_lines(head),
        "day": [day.year, day.month, day.day],
        "last": _last_part(document),
        "corrected": corrected_on(document.corrected),
        "preamble": document.preamble,
        "sections": document.sections,
        "faces": {role: name for role, name in faces.items() if name},
    }
    source = (files("reportkit.export") / "templates" / "report.typ").read_bytes()
    inputs = {"doc": json.dumps(content, ensure_ascii=False)} | originals(document.notebook)
    try:
        made = compiler(source, inputs, fonts).compile(
            format="pdf",
            pdf_standards=["a-3a", "ua-1"],
            timestamp=calendar.timegm(day.timetuple()),
        )
    except typst.TypstError as error:
        raise _failure(error, document) from None
    # One file, as no page is asked for alone.
    return with_row_heads(cast("bytes", made), sum(1 for _ in _labels(document)))


def _last_part(document: Document) -> str | None:
    """Return the name of the tables and charts that a document ends with; none if it is text."""
    parts = [part for section in document.all_sections for part in section["parts"]]
    return parts[-1].get("name") if parts else None


def _labels(document: Document) -> Iterator[Block]:
    tables = (item for item in document.shown if "rows" in item)
    cells = (cell for table in tables for row in table["rows"] for cell in row)
    return (cell for cell in cells if cell["role"] == "label")


def _own_fonts(faces: dict[str, str | None], document: Document) -> typst.Fonts:
    """Return the typefaces to set in; takes the folder of the district's own out of *faces*."""
    where = faces.pop("folder", None)
    fonts = typefaces(where)
    known = set(fonts.families())
    if absent := sorted({name for name in faces.values() if name} - known):
        raise ExportError(
            "typeface-missing",
            "{where} holds no typeface named {absent}; there are {known}: name one of "
            "these under fonts, or add its file",
            where=where or Message("the district file"),
            absent=", ".join(absent),
            known=", ".join(sorted(known)),
            district=document.head["district"],
        )
    return fonts


def _failure(error: typst.TypstError, document: Document) -> ExportError:
    place = {"district": document.head["district"], "year": document.head["year"]}
    quoted = re.findall(r'the text `"(.+?)"` could not be displayed', error.diagnostic)
    if not quoted:
        return ExportError(
            "pdf-failed", "the PDF could not be set: {message}", message=error.message, **place
        )
    texts = [re.sub(r"\\u\{(\w+)\}", lambda m: chr(int(m[1], 16)), text) for text in quoted]
    named = ", ".join(f"{text!r} (U+{ord(text[0]):04X})" for text in sorted(set(texts)))
    return ExportError(
        "glyph-missing",
        "no typeface of the report has a glyph for {named}: the official document "
        "would lose it; write it otherwise in the ledger, narrative or parameters",
        named=named,
        **place,
    )
