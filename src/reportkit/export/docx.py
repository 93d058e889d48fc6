"""report.docx: the report to be edited, with the styles and the page of GB/T 9704-2012."""

from __future__ import annotations

import io
from datetime import datetime, time
from functools import cache
from typing import TYPE_CHECKING

import docx
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING, WD_TAB_ALIGNMENT
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from docx.oxml.ns import qn
from docx.shared import Length, Mm, Pt, RGBColor
from docx.text.paragraph import Paragraph

from reportkit.export.archives import without_times
from reportkit.export.blocks import length
from reportkit.export.document import Document, DocumentExporter, day_of
from reportkit.export.pages import asset, chinese_date, corrected_on, title_lines
from reportkit.export.typesetting import pictures
from reportkit.export.wordtables import add_table, element, markup
from reportkit.internals import xml_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from docx.document import Document as Word
    from docx.shape import InlineShape

    from reportkit.export.blocks import Block

_CHARACTER = 15.79  # points: 156 mm hold 28 characters
_LINE = 28.95  # points: 225 mm hold 22 lines
_MARGINS = {
    "top_margin": Mm(37),
    "bottom_margin": Mm(35),
    "left_margin": Mm(28),
    "right_margin": Mm(26),
}
_RED = RGBColor(0xD7, 0x00, 0x0F)
_HAN = {
    "fang": "仿宋_GB2312",
    "kai": "楷体_GB2312",
    "hei": "黑体",
    "biao": "方正小标宋简体",
    "song": "宋体",
}
# Style: typeface, size in points, alignment, characters by which its first line is indented.
_STYLES = {
    "Normal": ("fang", 16, "JUSTIFY", 2),
    "Title": ("biao", 22, "CENTER", 0),
    "Heading 1": ("hei", 16, "LEFT", 2),
    "Heading 2": ("kai", 16, "LEFT", 2),
    "Heading 3": ("fang", 16, "LEFT", 2),
    "Heading 4": ("fang", 16, "LEFT", 2),
    "List Bullet": ("fang", 16, "JUSTIFY", None),
    "List Number": ("fang", 16, "JUSTIFY", None),
    "Caption": ("hei", 12, "CENTER", 0),
    "Header": ("kai", 9, "CENTER", 0),
    "Footer": ("song", 14, "RIGHT", 0),
    "发文机关标志": ("biao", 46, "CENTER", 0),
    "发文字号": ("fang", 16, "CENTER", 0),
    "更正": ("kai", 16, "CENTER", 0),
    "图": ("fang", 16, "CENTER", 0),
    "表注": ("song", 10, "LEFT", 0),
    "表格": ("song", 12, "CENTER", 0),
    "表头": ("hei", 12, "CENTER", 0),
    "宽表": ("song", 9, "CENTER", 0),
    "宽表头": ("hei", 9, "CENTER", 0),
    "署名": ("fang", 16, "RIGHT", 0),
    "版记": ("fang", 14, "LEFT", 0),
    "目录": ("hei", 16, "CENTER", 0),
    "toc 1": ("fang", 16, "LEFT", 0),
}
_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"
_RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_SVG = "http://schemas.microsoft.com/office/drawing/2016/SVG/main"
_STOCK = {*_STYLES, "Table Grid", "Normal Table"}
_OF_TABLES = ("表格", "表头", "宽表", "宽表头", "表注", "图", "Caption", "Header")


class ReportDocx(DocumentExporter):
    """Editable document of an executed report notebook (``--to reportkit-docx``)."""

    export_from_notebook = "Editable document (Word)"
    output_mimetype = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    extension = ".docx"

    @classmethod
    def prepare(cls) -> None:
        """Make the blank document that every report begins with."""
        _blank()

    def make(self, document: Document) -> bytes:
        """Return the document's bytes."""
        word = docx.Document(io.BytesIO(_blank()))
        _describe(word, document)
        _page(word, document.head)
        _opening(word, document)
        _contents(word, document.sections)
        charts = [str(item["svg"]) for item in document.shown if item["kind"] == "chart"]
        drawn = iter(pictures(charts))
        for section in document.all_sections:
            if section["number"]:
                heading = word.add_heading(section["heading"], 1)
                _mark(heading, section["number"])
            for part in section["parts"]:
                _prose(word, part.get("prose", ()))
                for item in part.get("shown", ()):
                    if item["kind"] == "chart":
                        _chart(word, item, next(drawn))
                    elif item["own"] and item["turned"]:
                        _turned(word, item)
                    else:
                        add_table(word, item)
        _closing(word, document.head)
        made = io.BytesIO()
        word.save(made)
        return without_times(made.getvalue(), day_of(document.head))


@cache
def _blank() -> bytes:
    """Return an empty document with our styles, and none of the hundred that no report uses."""
    word = docx.Document()
    for style in list(word.styles):
        if style.type != WD_STYLE_TYPE.CHARACTER and style.name not in _STOCK:
            style.delete()
    for name, own in _STYLES.items():
        _style(word, name, *own)
    # The template has a picture of its first page, and its styles as Word 2010 kept them.
    for relations in (word.part.rels, word.part.package.rels):
        for number, relation in list(relations.items()):
            if relation.reltype.endswith(("/stylesWithEffects", "/thumbnail")):
                relations.pop(number)
    made = io.BytesIO()
    word.save(made)
    return made.getvalue()


def _describe(word: Word, document: Document) -> None:
    properties = word.core_properties
    # The format allows 255 characters.
    properties.title = document.head["title"][:255]
    properties.author = properties.last_modified_by = document.head["issuer"][:255]
    properties.comments, properties.language = "", "zh-CN"
    properties.created = properties.modified = datetime.combine(day_of(document.head), time())
    word.settings.odd_and_even_pages_header_footer = True


def _style(word: Word, name: str, face: str, size: int, align: str, indent: int | None) -> None:
    known = word.styles
    style = known[name] if name in known else known.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
    style.font.size, style.font.bold, style.font.italic = Pt(size), False, False
    style.font.color.rgb = _RED if name == "发文机关标志" else RGBColor(0, 0, 0)
    properties = style.element.get_or_add_rPr()
    for old in properties.findall(qn("w:rFonts")):
        properties.remove(old)
    latin = "Times New Roman"
    properties.insert(0, element("rFonts", ascii=latin, hAnsi=latin, eastAsia=_HAN[face], cs=latin))
    if name == "Normal":
        properties.append(element("spacing", val="-4"))
        properties.append(element("lang", val="en-US", eastAsia="zh-CN"))
    form = style.paragraph_format
    form.alignment = getattr(WD_ALIGN_PARAGRAPH, align)
    form.space_before = form.space_after = Pt(0)
    if name in _OF_TABLES:
        form.line_spacing_rule = WD_LINE_SPACING.SINGLE
    else:
        form.line_spacing = Pt(size * 1.3 if size > 16 else _LINE)
    if indent is not None:
        own = style.element.get_or_add_pPr()
        for old in own.findall(qn("w:ind")):
            own.remove(old)
        form.first_line_indent = Pt(indent * _CHARACTER)
        own.find(qn("w:ind")).set(qn("w:firstLineChars"), str(indent * 100))
    own = style.element.get_or_add_pPr()
    for line in own.findall(qn("w:pBdr")):
        own.remove(line)  # the stock title has one under it


def _page(word: Word, head: Block) -> None:
    page = word.sections[0]
    page.start_type = WD_SECTION.NEW_PAGE
    page.page_width, page.page_height = Mm(210), Mm(297)
    for side, width in _MARGINS.items():
        setattr(page, side, width)
    page.header_distance, page.footer_distance = Mm(22), Mm(22)
    grid = xml_of(page).find(qn("w:docGrid"))
    grid.set(qn("w:type"), "lines")
    grid.set(qn("w:linePitch"), str(round(_LINE * 20)))
    for header in (page.header, page.even_page_header):
        header.is_linked_to_previous = False
        (paragraph,) = header.paragraphs
        if head["synthetic"]:
            paragraph.add_run("示例数据：本文数字由示例台账生成，不是正式公布的统计")
        if head["draft"]:
            xml_of(paragraph.add_run()).append(parse_xml(asset("watermark.xml")))
    for footer, side in ((page.footer, "RIGHT"), (page.even_page_footer, "LEFT")):
        footer.is_linked_to_previous = False
        (paragraph,) = footer.paragraphs
        paragraph.alignment = getattr(WD_ALIGN_PARAGRAPH, side)
        paragraph.paragraph_format.left_indent = Pt(14)
        paragraph.paragraph_format.right_indent = Pt(14)
        paragraph.add_run("— ")
        field = element("fldSimple", markup("r", markup("t", text="1")), instr="PAGE")
        xml_of(paragraph).append(field)
        paragraph.add_run(" —")


def _opening(word: Word, document: Document) -> None:
    head = document.head
    if head["document_number"]:
        mark = word.add_paragraph(head["issuer"] + "文件", "发文机关标志")
        mark.paragraph_format.space_before = Mm(35)
        # The mark stays on one line of 156 mm, as long as it can be read there.
        size = max(22, min(46, int(442 / length(mark.text))))
        mark.runs[0].font.size = Pt(size)
        mark.paragraph_format.line_spacing = Pt(size * 1.3)
        number = word.add_paragraph(head["document_number"], "发文字号")
        number.paragraph_format.space_before = Pt(_LINE)
        _edges(number, bottom=(12, "D7000F", 11))
        number.paragraph_format.space_after = Pt(_LINE)
    title = word.add_paragraph(style="Title")
    for at, line in enumerate(title_lines(head)):
        if at:
            title.add_run().add_break()
        title.add_run(line)
    last = title
    if corrected := corrected_on(document.corrected):
        last = word.add_paragraph(corrected, "更正")
    last.paragraph_format.space_after = Pt(_LINE)


def _closing(word: Word, head: Block) -> None:
    dated = chinese_date(head["dated"]) if head["dated"] else ""
    # A last page with nothing but these looks forged: they stay with the paragraph before them.
    last = "*[last() - 1]/descendant-or-self::w:p[not(ancestor::w:tr/following-sibling::w:tr)]"
    for kept in word.element.body.xpath(last):
        Paragraph(kept, word).paragraph_format.keep_with_next = True
    signed = word.add_paragraph(head["issuer"], "署名")
    signed.paragraph_format.space_before = Pt(2 * _LINE)
    signed.paragraph_format.keep_with_next = bool(dated)
    # The issuer is centred over the date, which is indented by four characters.
    beside = (length(dated) - min(24, length(head["issuer"]))) / 2 if dated else 0
    signed.paragraph_format.right_indent = Pt(max(0, 4 + beside) * _CHARACTER)
    if dated:
        shown = word.add_paragraph(dated, "署名")
        shown.paragraph_format.right_indent = Pt((4 + max(0, -4 - beside)) * _CHARACTER)
    if head["printed"]:
        # An unseen line as far below as the imprint is high: without this room the imprint pushes
        # the date to a page of its own.
        _edges(word.paragraphs[-1], bottom=(4, "FFFFFF", 31))
        note = word.add_paragraph(style="版记")
        # Lines as wide as the page's text; their text is a character in from both sides.
        note.paragraph_format.tab_stops.add_tab_stop(Mm(156), WD_TAB_ALIGNMENT.RIGHT)
        office, printed = head["office"] or head["issuer"], chinese_date(head["printed"])
        note.add_run(f"\u3000{office}\t{printed}印发\u3000")
        _edges(note, top=(8, "000000", 4), bottom=(8, "000000", 4))
        # At the foot of the last page, wherever its text ends. Source: GB/T 9704-2012, 7.4.
        frame = element(
            "framePr",
            w=8844,
            hSpace=0,
            wrap="around",
            vAnchor="margin",
            hAnchor="margin",
            xAlign="center",
            yAlign="bottom",
        )
        xml_of(note).get_or_add_pPr().insert_element_before(frame, "w:widowControl", "w:pBdr")


def _contents(word: Word, sections: Iterable[Block]) -> None:
    """Add a table of contents, filled in: it leads to the sections before anybody renews it."""
    word.add_paragraph("目录", "目录")
    titles = [(section["number"], section["heading"]) for section in sections]
    begin = markup("r", markup("fldChar", fldCharType="begin"))
    begin += markup("r", markup("instrText", text=' TOC \\o "1-1" \\n \\h \\z '))
    begin += markup("r", markup("fldChar", fldCharType="separate"))
    for at, (number, title) in enumerate(titles):
        link = markup("hyperlink", markup("r", markup("t", text=title)), anchor=_bookmark(number))
        end = markup("r", markup("fldChar", fldCharType="end")) if at == len(titles) - 1 else ""
        style = markup("pPr", markup("pStyle", val=word.styles["toc 1"].style_id))
        line = element("p", style, begin if at == 0 else "", link, end)
        word.element.body.insert_element_before(line, "w:sectPr")
    word.paragraphs[-1].paragraph_format.space_after = Pt(_LINE)


def _mark(heading: Paragraph, number: str) -> None:
    """Make a heading a place that the contents lead to."""
    name, at = _bookmark(number), ord(number[-1])
    xml_of(heading).insert(1, element("bookmarkStart", id=at, name=name))
    xml_of(heading).append(element("bookmarkEnd", id=at))


def _bookmark(number: str) -> str:
    return f"_Toc{''.join(str(ord(character)) for character in number)}"


def _prose(word: Word, items: Iterable[Block]) -> None:
    for item in items:
        if item["type"] == "heading":
            _runs(word.add_heading("", item["level"] + 1), item["runs"])
        elif item["type"] == "paragraph":
            _runs(word.add_paragraph(), item["runs"])
        else:
            for entry in item["items"]:
                style = "List Number" if item["ordered"] else "List Bullet"
                _runs(word.add_paragraph(style=style), entry)


def _runs(paragraph: Paragraph, items: Iterable[Block]) -> None:
    for item in items:
        run = paragraph.add_run(item["text"])
        if item.get("strong"):
            run.bold = True


def _chart(word: Word, item: Block, drawn: bytes) -> None:
    paragraph = word.add_paragraph(style="图")
    shape = paragraph.add_run().add_picture(io.BytesIO(drawn), width=Mm(150))
    _beside(word, shape, item)
    if shape.height > Mm(200):  # a page holds it and its caption
        shape.width, shape.height = Length(shape.width * Mm(200) // shape.height), Mm(200)
    xml_of(shape).docPr.set("descr", item["alt"])
    xml_of(shape).docPr.set("title", item["title"])
    for text, style in ((item["title"], "Caption"), (item["note"], "表注")):
        if text:
            paragraph.paragraph_format.keep_with_next = True
            paragraph = word.add_paragraph(text, style)
    paragraph.paragraph_format.space_after = Pt(_LINE / 2)


def _beside(word: Word, shape: InlineShape, item: Block) -> None:
    """Put the drawing beside its picture: programs that know it show sharp lines and its text."""
    name = PackURI(f"/word/media/drawing-{xml_of(shape).docPr.id}.svg")
    # Without our typefaces, one of the office's is used.
    svg = str(item["svg"]).replace("'RK Song'", "'RK Song', SimHei, 'Microsoft YaHei'")
    part = Part(name, "image/svg+xml", svg.encode(), word.part.package)
    blip = xml_of(shape).graphic.graphicData.pic.blipFill.blip
    blip.append(
        parse_xml(
            f'<a:extLst xmlns:a="{_DRAWING}"><a:ext uri="{{96DAC541-7B7A-43D3-8B79-37D633B846F1}}">'
            f'<s:svgBlip xmlns:s="{_SVG}" xmlns:r="{_RELATED}" '
            f'r:embed="{word.part.relate_to(part, RELATIONSHIP_TYPE.IMAGE)}"/></a:ext></a:extLst>'
        )
    )


def _turned(word: Word, item: Block) -> None:
    """Add a table that is too wide for the page on pages of its own that lie on their side."""
    upright = word.sections[-1]
    width, height = upright.page_width, upright.page_height
    lying = word.add_section(WD_SECTION.NEW_PAGE)
    lying.orientation, lying.page_width, lying.page_height = WD_ORIENT.LANDSCAPE, height, width
    lying.left_margin, lying.right_margin = Mm(35), Mm(37)
    lying.top_margin, lying.bottom_margin = Mm(28), Mm(26)
    add_table(word, item)
    after = word.add_section(WD_SECTION.NEW_PAGE)
    after.orientation, after.page_width, after.page_height = WD_ORIENT.PORTRAIT, width, height
    for side, width in _MARGINS.items():
        setattr(after, side, width)


def _edges(paragraph: Paragraph, **sides: tuple[int, str, int]) -> None:
    """Give a paragraph lines above or below: thickness in eighths, colour, distance in points."""
    lines = (
        markup(side, val="single", sz=size, space=space, color=color)
        for side in ("top", "bottom")
        if side in sides
        for size, color, space in [sides[side]]
    )
    border = element("pBdr", *lines)
    xml_of(paragraph).get_or_add_pPr().insert_element_before(
        border, "w:shd", "w:tabs", "w:suppressAutoHyphens", "w:spacing", "w:ind", "w:jc"
    )
