"""Tables of report.docx: merged cells, heads that are repeated, rows that are never cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from reportkit.export.tidy import summary
from reportkit.internals import xml_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from docx.document import Document as Word

    from reportkit.export.blocks import Block

_SIDES = ("top", "left", "bottom", "right")


def add_table(word: Word, item: Block) -> None:
    """Add a table block; one that a page may hold is kept on one."""
    high = 30 * item["size"] if item["own"] else 360 if item["columns"] > 6 else 560
    if item["captioned"]:
        word.add_paragraph(item["title"], "Caption").paragraph_format.keep_with_next = True
    widths = _widths(item)
    whole = len(item["rows"]) <= 40
    rows = [
        markup(
            "tr",
            markup(
                "trPr",
                markup("cantSplit"),
                markup("trHeight", val=high),
                markup("tblHeader") if at < item["head_rows"] else "",
            ),
            *(_cell(c, item, widths, last=not whole or at == len(item["rows"]) - 1) for c in cells),
        )
        for at, cells in enumerate(_filled(item))
    ]
    head, labels = int(item["head_rows"] > 0), int(item["label_columns"] > 0)
    frame = element(
        "tbl",
        markup(
            "tblPr",
            markup("tblStyle", val="TableGrid"),
            markup("tblW", w=sum(widths), type="dxa"),
            markup("jc", val="center"),
            markup("tblLayout", type="fixed"),
            markup("tblCellMar", *(markup(side, w=20, type="dxa") for side in _SIDES)),
            markup("tblLook", firstRow=head, lastRow=0, firstColumn=labels, lastColumn=0),
            markup("tblCaption", val=item["title"]),
            markup("tblDescription", val=summary(item)),
        ),
        markup("tblGrid", *(markup("gridCol", w=width) for width in widths)),
        *rows,
    )
    table = xml_of(word.add_table(0, 1))  # where python-docx puts it
    table.getparent().replace(table, frame)
    if item["note"]:
        word.add_paragraph(item["note"], "表注")


def _filled(item: Block) -> list[list[Block]]:
    """Return the rows with a cell for each place that a cell from above reaches into."""
    rows: list[list[Block]] = [
        [{**cell, "from": at} for cell in row] for at, row in enumerate(item["rows"])
    ]
    for at, row in enumerate(item["rows"]):
        for cell in row:
            for below in range(at + 1, at + cell["rowspan"]):
                rows[below].append({**cell, "from": at, "text": None})
    return [sorted(row, key=lambda cell: cell["column"]) for row in rows]


def _cell(cell: Block, item: Block, widths: Sequence[int], *, last: bool) -> str:
    at, heading = cell["column"], cell["role"] in ("head", "band")
    kept, label = [], cell["role"] == "label" and not cell["upright"]
    if cell["colspan"] > 1:
        kept.append(markup("gridSpan", val=cell["colspan"]))
    if cell["rowspan"] > 1:
        kept.append(markup("vMerge", val="continue" if cell["text"] is None else "restart"))
    if heading:
        grey = "E8E8E8" if cell["role"] == "band" else "F6F6F6"
        kept.append(markup("shd", val="clear", color="auto", fill=grey))
    if cell["upright"]:
        kept.append(markup("textDirection", val="tbRlV"))
    width = markup("tcW", w=sum(widths[at : at + cell["colspan"]]), type="dxa")
    wide = item["columns"] > 6 and not item["own"]
    style = ("宽表" if wide else "表格") + ("头" if heading else "")
    edge = 20 if item["own"] else 50
    side = item["align"][at] if item["own"] and not heading else "left" if label else ""
    form = markup(
        "pPr",
        markup("pStyle", val={"表格头": "表头"}.get(style, style)),
        "" if last else markup("keepNext"),
        # Room between letters and Chinese would break a text that fits the width.
        markup("autoSpaceDE", val=0) + markup("autoSpaceDN", val=0) if item["own"] else "",
        markup("snapToGrid", val=0),
        markup("ind", left=edge, right=edge) + markup("jc", val=side) if side else "",
    )
    return markup(
        "tc",
        markup("tcPr", width, *kept, markup("vAlign", val="center")),
        markup("p", form, _text(cell, item)),
    )


def _text(cell: Block, item: Block) -> str:
    if not cell["text"]:
        return ""
    narrow = item["columns"] > 6 and cell["role"] == "head"
    lines = cell["parts"] if narrow else [cell["text"]]  # Word breaks 商业企业 anywhere by itself
    size = markup("rPr", markup("sz", val=2 * item["size"])) if item["own"] else ""
    return markup("r", size, markup("br").join(markup("t", text=line) for line in lines))


def _widths(item: Block) -> list[int]:
    """Return the columns' widths in twentieths of a point: labels get what they need, at most."""
    if item["own"]:
        whole = 12756 if item["turned"] else 8844
        needs = [width * item["size"] + 6.5 for width in item["widths"]]
        return [int(whole * need / sum(needs)) for need in needs]
    columns, labels, whole = item["columns"], item["label_columns"], 8844
    # A character of 9 or 12 points; labels of a narrow table take a column's share at least, and
    # all labels together three quarters at most.
    size, least = (180, 0) if columns > 6 else (240, whole // columns)
    needs = [max(least, int(need * size) + 150) for need in item["needs"]]
    share = min(1, 0.75 * whole / max(1, sum(needs))) if labels < columns else 1
    needs = [int(need * share) for need in needs]
    left = (whole - sum(needs)) // max(1, columns - labels)
    return needs + [left] * (columns - labels)


def markup(tag: str, /, *children: str, text: str | None = None, **attributes: Any) -> str:
    """Return an element of WordprocessingML as text, three times as fast as a tree of calls."""
    given = "".join(f" w:{name}={quoteattr(str(value))}" for name, value in attributes.items())
    if text is not None:
        given, children = f'{given} xml:space="preserve"', (escape(text),)
    return f"<w:{tag}{given}>{''.join(children)}</w:{tag}>"


def element(tag: str, /, *children: str, **attributes: Any) -> Any:
    """Return an element of WordprocessingML with its children."""
    return parse_xml(markup(tag, *children, **attributes).replace(">", f" {nsdecls('w')}>", 1))
