"""Heads of rows in the PDF, which Typst tags only by a feature that its package cannot switch on.

Typst writes each table cell's tag as an object of its own. The template paints labels white, and
nothing else; such a cell is made a head of its row here, within the bytes that were there, so that
no offset moves.
"""

from __future__ import annotations

import re

from reportkit.errors import ExportError

_CELL = re.compile(
    rb"(?<=\nendobj\n)(\d+ 0 obj\n<</Type/StructElem/S/)TD(/P \d+ 0 R/A\[<</O/Table)"
    rb"(/Headers\[[^\]]*\])([^>]*>><</O/Layout/BackgroundColor)?(\[1 1 1\])?"
)


def with_row_heads(pdf: bytes, labels: int) -> bytes:
    """Return a PDF of Typst with its painted cells as heads of their rows.

    The heads that Typst named for each cell are left out: they are those of columns alone, and
    would keep a reader from looking along the row. Without them, a cell's heads are found by
    scope, to the left and above.

    Parameters
    ----------
    pdf : bytes
    labels : int
        How many cells must become heads.

    Raises
    ------
    ExportError
        ``pdf-failed`` if there are more or fewer: this Typst writes tags in another way.

    Source: ISO 32000-1, 14.8.5.7, table 349.
    """
    found = 0

    def tagged(cell: re.Match[bytes]) -> bytes:
        nonlocal found
        start, table, heads, layout, white = cell.groups(default=b"")
        found += bool(white)
        kind, scope = (b"TH", b"/Scope/Row") if white else (b"TD", b"")
        return start + kind + table + scope.ljust(len(heads)) + layout + white

    made = _CELL.sub(tagged, pdf)
    if found != labels:
        raise ExportError(
            "pdf-failed",
            "{found} of {labels} labels could be tagged as row heads",
            found=found,
            labels=labels,
        )
    return made
