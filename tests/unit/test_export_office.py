"""report.docx and tables.xlsx: real tables, named styles, typed numbers, no formula."""

import io
import re
import zipfile
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import docx
import openpyxl
import pytest
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from reportkit.export.docx import ReportDocx
from reportkit.export.xlsx import TablesXlsx

DATA = Path(__file__).parents[1] / "data" / "blocks"
sample = SimpleNamespace(**run_path(str(DATA / "sample.py")))


def make(exporter, blocks):
    return exporter().from_notebook_node(sample.notebook(blocks))[0]


@cache
def word(name="huli-2020"):
    return docx.Document(io.BytesIO(make(ReportDocx, sample.blocks(name))))


@cache
def book():
    return openpyxl.load_workbook(io.BytesIO(make(TablesXlsx, sample.blocks())))


@pytest.mark.parametrize("exporter", [ReportDocx, TablesXlsx])
def test_same_notebook_same_bytes_without_a_clock(exporter):
    made = [make(exporter, sample.blocks()) for _ in range(2)]
    assert made[0] == made[1]
    with zipfile.ZipFile(io.BytesIO(made[0])) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"2021-01-05T00:00:00Z" in archive.read("docProps/core.xml")


def test_the_page_is_that_of_the_standard():
    (page,) = word().sections
    sizes = (page.page_width, page.top_margin, page.bottom_margin, page.left_margin)
    millimetres = [round(size / Mm(1)) for size in sizes]
    assert millimetres == [210, 37, 35, 28]
    styles = word().styles
    faces = {
        name: styles[name].element.rPr.rFonts.get(qn("w:eastAsia"))
        for name in ("Normal", "Title", "Heading 1", "Heading 2")
    }
    assert list(faces.values()) == ["仿宋_GB2312", "方正小标宋简体", "黑体", "楷体_GB2312"]
    assert styles["Normal"].font.size == Pt(16)
    assert "— 1 —" in page.footer._element.xpath("string(.)")
    assert page.even_page_footer.paragraphs[0].alignment != page.footer.paragraphs[0].alignment


def test_headings_and_text_stand_in_order():
    said = [(p.style.name, p.text) for p in word().paragraphs]
    heads = [text for style, text in said if style == "Heading 1"]
    assert heads == [
        "一、总体情况",
        "二、主动公开政府信息情况",
        "三、收到和处理政府信息公开申请情况",
        "四、政府信息公开行政复议、行政诉讼情况",
        "五、存在的主要问题及改进情况",
        "六、其他需要报告的事项",
    ]
    assert said[0] == ("发文机关标志", "厦门市湖里区人民政府文件")
    assert said[1] == ("发文字号", "厦湖府〔2021〕1号")
    assert [text for style, text in said if style == "署名"][-1] == "2021年1月5日"
    assert said[-1] == ("版记", "\u3000厦门市湖里区人民政府办公室\t2021年1月5日印发\u3000")
    (foot,) = word().paragraphs[-1]._p.xpath("w:pPr/w:framePr")
    assert (foot.get(qn("w:vAnchor")), foot.get(qn("w:yAlign"))) == ("margin", "bottom")
    # The day keeps room for it, or it would push the day alone to the next page.
    (room,) = word().paragraphs[-2]._p.xpath("w:pPr/w:pBdr/w:bottom")
    assert (room.get(qn("w:color")), room.get(qn("w:space"))) == ("FFFFFF", "31")


def test_the_contents_lead_to_every_section():
    body = word().element.body
    assert body.xpath("string((//w:instrText)[1])").split()[:2] == ["TOC", "\\o"]
    marks = {mark.get(qn("w:name")): mark.getparent() for mark in body.xpath("//w:bookmarkStart")}
    links = body.xpath("//w:hyperlink")
    result = [(link.xpath("string(.)"), marks[link.get(qn("w:anchor"))]) for link in links]
    assert len(result) == len(marks) == 6
    assert all(heading.xpath("string(.)") == text for text, heading in result)


def test_tables_merge_like_the_form_and_repeat_their_heads():
    _, third, _ = word().tables
    assert len(third.columns) == 10
    (corner,) = {third.cell(r, c)._tc for r in range(3) for c in range(3)}
    assert "勾稽关系" in corner.xpath("string(.)")
    assert third.cell(4, 9).text == "0"
    assert third.cell(5, 0).text == third.cell(24, 0).text == "三、本年度办理结果"
    heads = [bool(row._tr.xpath("w:trPr/w:tblHeader")) for row in third.rows]
    assert heads == [True] * 3 + [False] * 23
    assert all(row._tr.xpath("w:trPr/w:cantSplit") for row in third.rows)
    caption = third._tbl.tblPr.find(qn("w:tblCaption")).get(qn("w:val"))
    assert caption == "收到和处理政府信息公开申请情况"
    result = third._tbl.tblPr.find(qn("w:tblDescription")).get(qn("w:val"))
    assert result.startswith("列：申请人情况/自然人、申请人情况/法人或其他组织/商业企业、")
    assert "行：一、本年新收政府信息公开申请数量、" in result


def test_charts_are_pictures_that_speak():
    shapes = word().inline_shapes
    result = [shape._inline.docPr.get("descr") for shape in shapes]
    assert len(result) == 2
    assert all(text.startswith("柱状图：") for text in result)
    for shape in shapes:
        (sharp,) = shape._inline.xpath(".//*[local-name()='svgBlip']")
        assert word().part.related_parts[sharp.get(qn("r:embed"))].blob.startswith(b"<svg ")
        (blip,) = shape._inline.xpath(".//a:blip")
        assert word().part.related_parts[blip.get(qn("r:embed"))].content_type == "image/png"


@pytest.mark.parametrize(("name", "draft"), [("huli-2020", False), ("pingtan-2021", True)])
def test_a_draft_is_marked_on_every_page(name, draft):
    page = word(name).sections[0]
    for header in (page.header, page.even_page_header):
        assert ("草稿" in "".join(header._element.xpath("//@string"))) is draft
    sheets = openpyxl.load_workbook(io.BytesIO(make(TablesXlsx, sample.blocks(name)))).worksheets
    assert {sheet.oddHeader.center.text for sheet in sheets} == {"草稿" if draft else None}


def test_every_sheet_has_a_title_and_plain_lists():
    assert book().sheetnames == [
        "说明",
        "二 主动公开政府信息情况",
        "三 收到和处理政府信息公开申请情况",
        "四 政府信息公开行政复议、行政诉讼情况",
        "数据",
        "核对",
    ]
    for name in ("数据", "核对"):
        sheet = book()[name]
        assert not sheet.merged_cells.ranges
        assert sheet.freeze_panes == "A3"
        assert sheet.tables[
            name
        ].ref == f"A2:{sheet.cell(1, sheet.max_column).column_letter}" + str(sheet.max_row)
        assert all(sheet.cell(2, c).value for c in range(1, sheet.max_column + 1))
    assert all(sheet["A1"].value for sheet in book().worksheets)


def test_rows_and_columns_of_the_workbook_hold_their_text():
    sheet = book()["三 收到和处理政府信息公开申请情况"]
    widths = [sheet.column_dimensions[letter].width for letter in "ABCD"]
    # Beside what is told to a reader a column has five dots of seven.
    assert [width - 182 / 256 for width in widths] == pytest.approx([7, 17, 29.4, 13], abs=0.1)
    upright = sheet["A7"]
    assert (upright.value, upright.alignment.text_rotation) == ("三、本年度办理结果", 255)
    assert sheet["C24"].value == "5.要求行政机关确认或重新出具已获取信息"
    assert sheet.row_dimensions[24].height > sheet.row_dimensions[23].height
    assert book()["数据"].row_dimensions[3].height >= 18


def test_heads_break_between_words_and_labels_have_room():
    second, third, _ = word().tables
    assert third.cell(2, 6).text == "社会\n公益\n组织"
    assert third.cell(1, 3).text == "自然人"
    grid = [int(column.get(qn("w:w"))) for column in second._tbl.tblGrid.findall(qn("w:gridCol"))]
    assert sum(grid) <= 8844
    assert grid[0] == 10 * 240 + 150  # 其他对外管理服务事项, at 12 points
    (form,) = third.cell(3, 0)._tc.xpath("w:p/w:pPr/w:ind")
    assert form.get(qn("w:left")) == "50"


def test_values_are_numbers_as_they_are_printed():
    blocks = sample.blocks()
    name = "t2.procurement.amount"
    (fact,) = [f for f in blocks[-1]["facts"]["facts"] if f["id"] == name]
    fact["value"] = "24161987.13"
    (cell,) = [
        c
        for row in next(b for b in blocks if b.get("id") == "t2")["rows"]
        for c in row
        if c.get("fact") == name
    ]
    cell["text"] = "24161987.13元"
    made = openpyxl.load_workbook(io.BytesIO(make(TablesXlsx, blocks)))
    (amount,) = [c for row in made.worksheets[1].iter_rows() for c in row if c.value == 24161987.13]
    assert (amount.data_type, amount.number_format) == ("n", '0.00"元"')
    third = book()["三 收到和处理政府信息公开申请情况"]
    assert third.cell(5, 10).value == 76
    assert str(third.freeze_panes) == "D5"
    facts = {row[0].value: row[2] for row in book()["数据"].iter_rows(min_row=3)}
    assert facts["t3.new.total"].value == 76


def test_what_a_number_would_change_stays_text():
    values = ["007", "1E5", "2020-02-30", "12345678901234567.8", "NaN"]
    blocks = sample.blocks()
    for fact, value in zip(blocks[-1]["facts"]["facts"], values, strict=False):
        fact["value"] = value
    sheet = openpyxl.load_workbook(io.BytesIO(make(TablesXlsx, blocks)))["数据"]
    assert [(c.value, c.data_type) for c in sheet["C"][2:7]] == [(value, "s") for value in values]


def test_no_text_becomes_a_formula():
    openings = ["=", "+", "-", "@", "＝", "＋", "－", "＠", " =", "\t="]
    texts = [f'{opening}HYPERLINK("file:///etc/passwd")' for opening in openings]
    blocks = sample.blocks(issuer=texts[0])
    for fact, text in zip(blocks[-1]["facts"]["facts"], texts, strict=False):
        fact |= {"label": text, "value": text}
    made = make(TablesXlsx, blocks)
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        sheets = [n for n in archive.namelist() if re.match("xl/worksheets/sheet", n)]
        assert not [n for n in sheets if re.search(rb"<f[ >]", archive.read(n))]
    sheet = openpyxl.load_workbook(io.BytesIO(made))["数据"]
    for column in ("B", "C"):
        found = [(cell.value, cell.quotePrefix) for cell in sheet[column][2:12]]
        assert found == [(text, True) for text in texts]


def test_numbers_keep_every_digit():
    blocks = sample.blocks()
    blocks[-1]["facts"]["facts"][0]["value"] = "123456789012.34"
    made = openpyxl.load_workbook(io.BytesIO(make(TablesXlsx, blocks)))
    assert Decimal(repr(made["数据"]["C3"].value)) == Decimal("123456789012.34")


def test_a_text_longer_than_a_cell_is_cut():
    blocks = sample.blocks()
    blocks[-1]["facts"]["facts"][0]["definition"] = "长" * 40_000
    made = openpyxl.load_workbook(io.BytesIO(make(TablesXlsx, blocks)))
    assert made["数据"]["H3"].value == "长" * 32_767


def test_days_and_years_are_typed_and_last_year_stands_beside():
    blocks = sample.blocks()
    facts = blocks[-1]["facts"]["facts"]
    facts[0] |= {"value": "2020-08-19", "unit": "日期"}
    blocks[-1]["past"]["t3.new.other"] = {"value": "5", "change": "-5"}
    book = openpyxl.load_workbook(io.BytesIO(make(TablesXlsx, blocks)))
    sheet = book["数据"]
    assert [c.value for c in sheet[2]][2:6] == ["值", "单位", "上年", "增减"]
    assert (sheet["C3"].value.date(), sheet["C3"].number_format) == (
        date(2020, 8, 19),
        "yyyy-mm-dd",
    )
    rows = {row[0].value: [c.value for c in row[2:6]] for row in sheet.iter_rows(min_row=3)}
    assert rows["t3.new.total"] == [76, "件", 64, 12]
    assert rows["t3.new.other"] == [0, "件", 5, -5]
    notes = {row[0].value: row[1].value for row in book["说明"].iter_rows(min_row=2)}
    assert (notes["成文日期"].date(), notes["年度"]) == (date(2021, 1, 5), 2020)
    assert notes["口径"].startswith("汇总：")


def test_the_notes_lead_to_every_sheet():
    book = openpyxl.load_workbook(io.BytesIO(make(TablesXlsx, sample.blocks())))
    links = {c.value: c.hyperlink.location for row in book["说明"] for c in row if c.hyperlink}
    assert list(links) == book.sheetnames[1:]
    assert links == {name: f"'{name}'!A1" for name in book.sheetnames[1:]}


def test_data_sheets_are_one_table_without_merged_cells():
    book = openpyxl.load_workbook(io.BytesIO(make(TablesXlsx, sample.blocks())))
    for name in ("数据", "核对"):
        assert not book[name].merged_cells.ranges
        assert [table.name for table in book[name].tables.values()] == [name]
