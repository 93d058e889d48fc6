"""Word documents into lines: merged cells by their spans, deleted text left out."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import docx
from docx.oxml.ns import qn

from reportkit.audit.readers.lines import grid_line, joined, text_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportkit.audit.readers.lines import Line

_P, _TBL, _TR, _TC, _T = (qn(f"w:{name}") for name in ("p", "tbl", "tr", "tc", "t"))
_SILENT = frozenset(qn(f"w:{name}") for name in ("del", "moveFrom", "instrText", "delText"))
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_RAISED = f"{qn('w:rPr')}/{qn('w:vertAlign')}[@{qn('w:val')}='superscript']"
_WIDEST = 200  # columns that a cell covers
_GAPS = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n"}


def read_docx(content: bytes) -> Iterator[Line]:
    """Lines of a document's body, in order."""
    document = docx.Document(io.BytesIO(content))
    counts = {"table": 0, "line": 0}
    yield from _lines(document.element.body, counts)


def _lines(parent: Any, counts: dict[str, int]) -> Iterator[Line]:
    for element in parent:
        if element.tag == _P:
            text = "".join(_runs(element))
            for one in text.splitlines():
                if one.strip():
                    counts["line"] += 1
                    yield text_line(one, counts["line"])
            # A table in a text box stands in a paragraph.
            for table in element.iter(_TBL):
                yield from _table(table, counts)
        elif element.tag == _TBL:
            yield from _table(element, counts)
        elif element.tag not in _SILENT and element.tag != _FALLBACK:
            yield from _lines(element, counts)


def _runs(element: Any) -> Iterator[str]:
    """Texts of a paragraph; those of a table within it stand for themselves."""
    # A raised number is the mark of a footnote.
    if element.find(_RAISED) is not None:
        return
    for child in element:
        if child.tag == _T:
            yield child.text or ""
        elif child.tag in _GAPS:
            yield _GAPS[child.tag]
        elif child.tag not in _SILENT and child.tag not in (_FALLBACK, _TBL):
            yield from _runs(child)
            if child.tag == _P:  # of a text box
                yield "\n"


def _table(table: Any, counts: dict[str, int]) -> Iterator[Line]:
    if table.find(f".//{_TBL}") is not None:
        # A table that places others: its cells' paragraphs and tables are lines of their own.
        for cell in table.iter(_TC):
            if next(cell.iterancestors(_TBL)) is table:
                yield from _lines(cell, counts)
        return
    counts["table"] += 1
    number = counts["table"]
    for at, row in enumerate(table.iter(_TR), 1):
        cells, column = [], _number(row, "trPr", "gridBefore", default=0)
        for cell in row.iter(_TC):
            if not _continues(cell):
                pieces = ["".join(_runs(p)) for p in cell.iter(_P)]
                cells.append((column, joined(line for p in pieces for line in p.splitlines())))
            column += _number(cell, "tcPr", "gridSpan", default=1)
        yield grid_line(cells, page=None, table=number, row=at)


def _number(element: Any, group: str, name: str, *, default: int) -> int:
    """A number among the properties of a row or cell."""
    found = element.find(f"{qn(f'w:{group}')}/{qn(f'w:{name}')}")
    text = "" if found is None else found.get(qn("w:val"), "")
    return min(int(text), _WIDEST) if text.isdigit() else default


def _continues(cell: Any) -> bool:
    """True where the cell is covered by the one above it."""
    merged = cell.find(f"{qn('w:tcPr')}/{qn('w:vMerge')}")
    return merged is not None and merged.get(qn("w:val"), "continue") == "continue"
