"""Tables of report.docx: merged cells, heads that are repeated, rows that are never cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docx.oxml import OxmlElement
from docx.oxml.ns import qn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from docx.document import Document as Word

    from reportkit.blocks import Block

__all__ = ["add_table", "element"]


def add_table(word: Word, item: Block) -> None:
    """Add a table block; one that a page may hold is kept on one."""
    wide = item["columns"] > 6
    if item["captioned"]:
        word.add_paragraph(item["title"], "Caption").paragraph_format.keep_with_next = True
    widths = _widths(item)
    table = word.add_table(0, item["columns"], "Table Grid")
    frame = table._tbl
    properties = frame.tblPr
    for old in properties.findall(qn("w:tblW")):
        properties.remove(old)
    made = element(
        "tblPr",
        element("tblStyle", val="TableGrid"),
        element("tblW", w=str(sum(widths)), type="dxa"),
    )
    made.append(element("jc", val="center"))
    made.append(element("tblLayout", type="fixed"))
    sides = {"left": "20", "right": "20"}
    made.append(
        element("tblCellMar", *(element(side, w=w, type="dxa") for side, w in sides.items()))
    )
    head, labels = str(int(item["head_rows"] > 0)), str(int(item["label_columns"] > 0))
    made.append(element("tblLook", firstRow=head, lastRow="0", firstColumn=labels, lastColumn="0"))
    made.append(element("tblCaption", val=item["title"]))
    frame.replace(properties, made)
    for column, width in zip(frame.tblGrid.findall(qn("w:gridCol")), widths, strict=True):
        column.set(qn("w:w"), str(width))
    whole = len(item["rows"]) <= 40
    for at, cells in enumerate(_filled(item)):
        rules = element(
            "trPr", element("cantSplit"), element("trHeight", val="400" if wide else "560")
        )
        if at < item["head_rows"]:
            rules.append(element("tblHeader"))
        row = element("tr", rules)
        for cell in cells:
            row.append(_cell(cell, item, widths, last=not whole or at == len(item["rows"]) - 1))
        frame.append(row)


def _filled(item: Block) -> list[list[Block]]:
    """Return the rows with a cell for each place that a cell from above reaches into."""
    rows: list[list[Block]] = [[{**cell, "from": at} for cell in row]
                               for at, row in enumerate(item["rows"])]  # fmt: skip
    for at, row in enumerate(item["rows"]):
        for cell in row:
            for below in range(at + 1, at + cell["rowspan"]):
                rows[below].append({**cell, "from": at, "text": None})
    return [sorted(row, key=lambda cell: cell["column"]) for row in rows]


def _cell(cell: Block, item: Block, widths: Sequence[int], *, last: bool) -> Any:
    at, heading = cell["column"], cell["role"] in ("head", "band")
    properties = element(
        "tcPr", element("tcW", w=str(sum(widths[at : at + cell["colspan"]])), type="dxa")
    )
    if cell["colspan"] > 1:
        properties.append(element("gridSpan", val=str(cell["colspan"])))
    if cell["rowspan"] > 1:
        properties.append(element("vMerge", val="continue" if cell["text"] is None else "restart"))
    if heading:
        grey = "E8E8E8" if cell["role"] == "band" else "F6F6F6"
        properties.append(element("shd", val="clear", color="auto", fill=grey))
    if cell["upright"]:
        properties.append(element("textDirection", val="tbRlV"))
    properties.append(element("vAlign", val="center"))
    style = ("宽表" if item["columns"] > 6 else "表格") + ("头" if heading else "")
    form = element("pPr", element("pStyle", val={"表格头": "表头"}.get(style, style)))
    if not last:
        form.append(element("keepNext"))
    form.append(element("snapToGrid", val="0"))
    if cell["role"] == "label" and not cell["upright"]:
        form.append(element("ind", left="50", right="50"))
        form.append(element("jc", val="left"))
    return element("tc", properties, element("p", form, *_text(cell, item)))


def _text(cell: Block, item: Block) -> list[Any]:
    if not cell["text"]:
        return []
    narrow = item["columns"] > 6 and cell["role"] == "head"
    lines = cell["parts"] if narrow else [cell["text"]]  # Word breaks 商业企业 anywhere by itself
    run = element("r", element("t", text=lines[0]))
    for line in lines[1:]:
        run.extend((element("br"), element("t", text=line)))
    return [run]


def _widths(item: Block) -> list[int]:
    """Return the columns' widths in twentieths of a point: labels get what they need, at most."""
    columns, labels, whole = item["columns"], item["label_columns"], 8844
    # A character of 9 or 12 points; labels of a narrow table take a column's share at least, and
    # all labels together three quarters at most.
    size, least = (180, 0) if columns > 6 else (240, whole // columns)
    needs = [max(least, int(need * size) + 150) for need in item["needs"]]
    share = min(1, 0.75 * whole / max(1, sum(needs))) if labels < columns else 1
    needs = [int(need * share) for need in needs]
    left = (whole - sum(needs)) // max(1, columns - labels)
    return needs + [left] * (columns - labels)


def element(tag: str, /, *children: Any, text: str | None = None, **attributes: str) -> Any:
    """Return an element of WordprocessingML."""
    made = OxmlElement(f"w:{tag}")
    for name, value in attributes.items():
        made.set(qn(f"w:{name}"), value)
    made.extend(children)
    if text is not None:
        made.text = text
        made.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    return made
