"""report.pdf: the official document."""

import io
import json
import re
from functools import cache
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import nbformat
import page as validator
import pypdfium2
import pytest
import reportkit_fonts
from pypdf import PdfReader
from pypdf.generic import ContentStream

from reportkit.errors import ExportError
from reportkit.export.pdf import ReportPDF
from reportkit.export.tagging import with_row_heads

DATA = Path(__file__).parents[1] / "data" / "blocks"
sample = SimpleNamespace(**run_path(str(DATA / "sample.py")))


def make(blocks):
    return ReportPDF().from_notebook_node(sample.notebook(blocks))[0]


@cache
def document(name="huli-2020"):
    return make(sample.blocks(name))


def read(made):
    return PdfReader(io.BytesIO(made))


def text(page):
    return re.sub(r"\s", "", page.extract_text())


def structure(reader):
    """Return how often each kind of element stands in the structure tree."""
    found, waiting, seen = {}, [reader.trailer["/Root"]["/StructTreeRoot"]], set()
    while waiting:
        item = waiting.pop().get_object()
        if isinstance(item, list):
            waiting += item
        elif isinstance(item, dict) and id(item) not in seen:
            seen.add(id(item))
            kind = item.get("/S")
            found[kind] = found.get(kind, 0) + 1
            waiting += [item["/K"]] if "/K" in item else []
    return found


def test_same_notebook_same_bytes():
    assert make(sample.blocks()) == document()


def test_metadata_and_bookmarks():
    reader = read(document())
    assert reader.metadata.title == "厦门市湖里区人民政府2020年政府信息公开工作年度报告"
    assert reader.trailer["/Root"]["/Lang"] == "zh-CN"
    assert reader.metadata["/CreationDate"].startswith("D:20210105")
    titles = [item.title for item in reader.outline if not isinstance(item, list)]
    assert titles[:2] == ["一、总体情况", "二、主动公开政府信息情况"]
    assert len(titles) == 6
    packet = reader.xmp_metadata.stream.get_data().decode()
    assert re.search(r"pdfaid:part>3<.*pdfaid:conformance>A<", packet, re.DOTALL)
    assert "pdfuaid:part>1<" in packet


def test_undated_report_is_stamped_with_its_year():
    assert read(document("pingtan-2021")).metadata["/CreationDate"].startswith("D:20211231")


def test_pages_are_a4_and_numbered():
    pages = read(document()).pages
    assert {(round(p.mediabox.width), round(p.mediabox.height)) for p in pages} == {(595, 842)}
    for number, page in enumerate(pages, start=1):
        assert f"—{number}—" in text(page)


def test_parts_of_an_official_document():
    pages = read(document()).pages
    first, last = text(pages[0]), text(pages[-1])
    assert "厦门市湖里区人民政府文件" in first
    assert "厦湖府〔2021〕1号" in first
    assert "厦门市湖里区人民政府2021年1月5日" in last
    assert "厦门市湖里区人民政府办公室2021年1月5日印发" in last
    plain = text(read(document("pingtan-2021")).pages[0])
    assert plain.startswith("平潭综合实验区2021年")
    assert plain.endswith("草稿")


def test_notices_are_shown_when_due():
    assert all("示例数据" in text(page) for page in read(document()).pages)
    other = "".join(text(page) for page in read(document("pingtan-2021")).pages)
    assert "示例数据" not in other
    assert "草稿" in other


@pytest.mark.parametrize(("name", "rows"), [("huli-2020", 23), ("pingtan-2021", 25)])
def test_table_3_stands_whole_on_one_page(name, rows):
    whole = [text(page) for page in read(document(name)).pages]
    (page,) = [one for one in whole if "勾稽关系" in one]
    assert "一、本年新收政府信息公开申请数量" in page
    assert "四、结转下年度继续办理" in page
    assert "5.要求行政机关确认或重新出具已获取信息" in page
    assert len(sample.figures(name)["table3"]) == rows


def test_no_line_parts_a_figure_from_its_unit():
    blocks = sample.blocks()
    last = [one for one in blocks if one["kind"] == "section"][-1]
    result = ["文" * length + "76件；又12345件。" for length in range(12, 36)]
    last["body"] = [{"type": "paragraph", "runs": [{"text": one}]} for one in result]
    pages = pypdfium2.PdfDocument(make(blocks))
    lines = "".join(page.get_textpage().get_text_range() for page in pages).splitlines()
    assert sum("12345件。" in line for line in lines) == len(result)
    # A colon begins no line: before one a figure may be parted from its unit.
    assert not [line for line in lines if line.startswith("；")]


def test_a_table_without_room_stands_before_its_charts():
    blocks = sample.blocks()
    (third,) = [one for one in blocks if one["kind"] == "section" and one["number"] == "三"]
    third["body"] = [{"type": "paragraph", "runs": [{"text": "申请。"}]}] * 12
    whole = "".join(text(page) for page in read(make(blocks)).pages)
    heading = whole.index("三、收到和处理政府信息公开申请情况")
    table, chart = whole.index("勾稽关系"), whole.index("政府信息公开申请办理结果（件）")
    assert heading < table < chart


@pytest.mark.parametrize("profile", ["ua1", "3a"])
@pytest.mark.parametrize("name", ["huli-2020", "pingtan-2021"])
def test_a_validator_finds_nothing_against_the_standards(name, profile):
    report = validator.validate_pdf_bytes(document(name), profile=profile)
    assert [(failure.rule_id, failure.message) for failure in report.failures] == []
    assert report.is_compliant
    assert report.rules.total > 100


@pytest.mark.parametrize(
    ("profile", "said", "instead", "rule"),
    [
        ("ua1", b"/Scope/Column", b" " * 13, "TABLE-HEADERS-SCOPE"),
        ("ua1", b"/Lang(zh-CN)", b"/Lung(zh-CN)", "TEXT-LANGUAGE"),
        ("3a", b"/AFRelationship", b"/ZFRelationship", "FILE-SPEC-AF-RELATIONSHIP"),
        ("3a", b"/FontFile2", b"/FontFilx2", "FONT-EMBEDDING"),
    ],
)
def test_the_validator_sees_what_is_broken(profile, said, instead, rule):
    assert document().count(said) > 0
    broken = document().replace(said, instead)
    found = validator.validate_pdf_bytes(broken, profile=profile)
    assert not found.is_compliant
    assert rule in " ".join(failure.rule_id for failure in found.failures)


def cells(reader):
    """Return kind, scope and heads of the tables' cells, in order."""
    found = []

    def walk(item):
        item = item.get_object() if hasattr(item, "get_object") else item
        if isinstance(item, list):
            for child in item:
                walk(child)
        elif isinstance(item, dict):
            if item.get("/S") in ("/TD", "/TH"):
                said = {key: one for part in item["/A"] for key, one in part.items()}
                found.append((item["/S"], said.get("/Scope"), "/Headers" in said))
            else:
                walk(item.get("/K", []))

    walk(reader.trailer["/Root"]["/StructTreeRoot"]["/K"])
    return found


def test_labels_head_rows_and_values_have_both_scopes():
    found = cells(read(document()))
    # Each band of 二 is a table of its own, and its title the caption.
    assert structure(read(document()))["/Table"] == 5 + 2
    assert structure(read(document()))["/Caption"] == 5
    assert found.count(("/TD", None, False)) == 161 + 22 + 15
    assert found.count(("/TH", "/Row", False)) == 27 + 8
    assert found.count(("/TH", "/Column", True)) == 9 + 15 + 23
    assert len(found) == 198 + 35 + 47
    assert structure(read(document()))["/Figure"] == 2


def painted(page):
    """Return the marked parts of a page in the order in which they are painted."""
    operations = ContentStream(page.get_contents(), page.pdf).operations
    begun = [operands[1] for operands, operator in operations if operator == b"BDC"]
    return [mark["/MCID"] for mark in begun if isinstance(mark, dict) and "/MCID" in mark]


def tagged(reader):
    """Return the marked parts of each page in the order of the tags."""
    numbers = {page.indirect_reference.idnum: at for at, page in enumerate(reader.pages)}
    found = [[] for _ in reader.pages]

    def walk(item, page):
        item = item.get_object()
        for child in item if isinstance(item, list) else [item]:
            if isinstance(child, int):
                found[page].append(child)
            elif isinstance(child, dict):
                page = numbers[child.raw_get("/Pg").idnum] if "/Pg" in child else page
                walk(child["/K"], page) if "/K" in child else found[page].append(child["/MCID"])
            else:
                walk(child, page)

    walk(reader.trailer["/Root"]["/StructTreeRoot"]["/K"], None)
    return found


def test_pages_are_painted_in_the_order_of_tags():
    reader = read(document())
    orders = list(zip(map(painted, reader.pages), tagged(reader), strict=True))
    assert all(sorted(one) == sorted(other) for one, other in orders)
    other = [
        text(page) for page, (one, tags) in zip(reader.pages, orders, strict=True) if one != tags
    ]
    # Typst paints a cell of several rows with the last of them.
    assert all("申请人情况" in page or "未经复议直接起诉" in page for page in other)
    assert len(other) < len(orders) / 2


def test_a_table_of_values_and_labels_alone_is_tagged():
    blocks = sample.blocks()
    table = next(one for one in blocks if one.get("id") == "t4")
    line = {"role": "label", "text": "数量", "colspan": 1, "rowspan": 1}
    values = [{**line, "role": "value", "text": str(number)} for number in range(3)]
    table |= {"columns": 4, "label_columns": 1, "head_rows": 0, "rows": [[line, *values]] * 2}
    assert (
        cells(read(make(blocks)))[-8:] == [("/TH", "/Row", False), *[("/TD", None, False)] * 3] * 2
    )


def test_labels_that_cannot_be_tagged_stop_the_run():
    with pytest.raises(ExportError, match="0 of 35 labels") as caught:
        with_row_heads(document(), 35)
    assert caught.value.reason == "pdf-failed"


def test_rare_names_are_printed():
    blocks = sample.blocks()
    blocks[2]["body"].insert(0, {"type": "paragraph", "runs": [{"text": "堃喆镕玥犇䶮𬀩𠅤㎡²"}]})
    assert "堃喆镕玥犇䶮𬀩𠅤" in "".join(text(page) for page in read(make(blocks)).pages)


def test_missing_glyph_stops_and_is_named():
    blocks = sample.blocks()
    blocks[2]["body"].insert(0, {"type": "paragraph", "runs": [{"text": "公开😀工作"}]})
    with pytest.raises(ExportError) as caught:
        make(blocks)
    assert caught.value.reason == "glyph-missing"
    assert caught.value.fields == {"district": "huli", "year": 2020}
    assert "😀" in str(caught.value)
    assert "U+1F600" in str(caught.value)


def test_longer_table_breaks_with_its_head():
    blocks = sample.blocks()
    table = next(one for one in blocks if one.get("id") == "t3")
    line = [{**cell} for cell in table["rows"][-1]]
    table["rows"] += [line] * 40
    pages = [text(page) for page in read(make(blocks)).pages]
    assert sum("勾稽关系" in page for page in pages) > 1


def test_the_page_holds_22_lines_of_28_characters():
    blocks = sample.blocks()
    body = [{"type": "paragraph", "runs": [{"text": "公开政府信息" * 250}]}]
    blocks[2]["body"] = body
    lines = pdfium_lines(make(blocks))[2]
    assert [len(line) for line in lines] == [28] * 22


def pdfium_lines(made):
    """Return the lines of each page's text block, without header and page number."""
    pages = []
    for page in pypdfium2.PdfDocument(made):
        text = page.get_textpage()
        bottom, top = 35 / 25.4 * 72 - 2, (297 - 37) / 25.4 * 72 + 2
        found = text.get_text_bounded(bottom=bottom, top=top)
        pages.append([line for line in found.splitlines() if line])
    return pages


def test_every_character_comes_out_in_order():
    found = re.sub(r"\s", "", "".join("".join(page) for page in pdfium_lines(document())))
    place = 0
    for one in sample.blocks():
        if one["kind"] == "section":
            for item in one["body"]:
                for runs in [item["runs"]] if "runs" in item else item["items"]:
                    wanted = re.sub(r"\s", "", "".join(run["text"] for run in runs))
                    place = found.index(wanted, place) + len(wanted)
    assert place > 1900


def test_facts_and_notebook_travel_inside():
    reader = read(document())
    held = reader.attachments
    assert set(held) == {"facts.json", "report.ipynb"}
    assert json.loads(held["facts.json"][0]) == sample.blocks()[-1]["facts"]
    nbformat.validate(nbformat.reads(held["report.ipynb"][0].decode(), as_version=4))
    files = [file.get_object() for file in reader.trailer["/Root"]["/AF"]]
    assert [file["/AFRelationship"] for file in files] == ["/Data", "/Source"]


def test_times_folders_and_random_ids_do_not_travel():
    notebook = sample.notebook()
    again = sample.notebook()
    cell = notebook.cells[1]
    for number, one in enumerate((notebook, again)):
        one.metadata["papermill"] = {"end_time": f"2021-01-0{number + 1}", "output_path": "/x"}
        first = one.cells[1]
        first.metadata |= {"tags": ["injected-parameters"], "execution": {"busy": str(number)}}
        first.id, first.source = f"random-{number}", f'year = 2020\ndata = "/home/{number}"\n'
    made = [ReportPDF().from_notebook_node(one)[0] for one in (notebook, again)]
    assert made[0] == made[1]
    assert cell.id == "random-0"


def test_archive_and_reading_aids_are_declared():
    root = read(document()).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    (intent,) = root["/OutputIntents"]
    assert intent["/S"] == "/GTS_PDFA1"
    assert intent["/DestOutputProfile"].get_object()["/N"] == 3
    for page in read(document()).pages:
        fonts = [font.get_object() for font in page["/Resources"]["/Font"].values()]
        for font in fonts:
            (descendant,) = font["/DescendantFonts"]
            assert "/FontFile2" in descendant["/FontDescriptor"]
            assert "/ToUnicode" in font
        assert page["/Tabs"] == "/S"


def test_a_district_names_its_own_typefaces(tmp_path):
    from fontTools.ttLib import TTFont

    font = TTFont(reportkit_fonts.folder() / "RK-Kai.ttf")
    for record in font["name"].names:
        if record.nameID in (1, 4, 16):
            record.string = "Office Fang"
    font.save(tmp_path / "own.ttf")
    fonts = {"folder": str(tmp_path), "fang": "Office Fang", "kai": None}
    used = {
        str(font.get_object()["/BaseFont"])
        for page in read(make(sample.blocks(fonts=fonts))).pages
        for font in page["/Resources"]["/Font"].values()
    }
    assert not [name for name in used if "RK-FangSong" in name or "RKFangSong" in name]
    fonts["fang"] = "仿宋_GB2312"
    with pytest.raises(ExportError, match="仿宋_GB2312") as caught:
        make(sample.blocks(fonts=fonts))
    assert caught.value.reason == "typeface-missing"
