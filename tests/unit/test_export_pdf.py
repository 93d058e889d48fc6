"""report.pdf: the official document."""

import io
import re
from functools import cache
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import pytest
from pypdf import PdfReader

from reportkit.errors import ExportError
from reportkit.export.pdf import ReportPDF

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
    assert all("演示数据" in text(page) for page in read(document()).pages)
    other = "".join(text(page) for page in read(document("pingtan-2021")).pages)
    assert "演示数据" not in other
    assert "草稿" in other


@pytest.mark.parametrize(("name", "rows"), [("huli-2020", 23), ("pingtan-2021", 25)])
def test_table_3_stands_whole_on_one_page(name, rows):
    whole = [text(page) for page in read(document(name)).pages]
    (page,) = [one for one in whole if "勾稽关系" in one]
    assert "一、本年新收政府信息公开申请数量" in page
    assert "四、结转下年度继续办理" in page
    assert "5.要求行政机关确认或重新出具已获取信息" in page
    assert len(sample.figures(name)["table3"]) == rows


def test_tables_are_tagged():
    found = structure(read(document()))
    assert found["/Table"] == 3
    labels = 27 + 8
    assert found["/TD"] == 161 + 22 + 15 + labels  # Typst tags no heads of rows yet
    assert found["/TH"] == 9 + 20 + 23
    assert found["/Figure"] == 2


def test_text_is_never_markup():
    marks = '#panic("x") $x^2$ <label> {{ 7*7 }} *b* _i_ @ref [c] // d /* e */ `f` \\ ~ = + - "q"'
    blocks = sample.blocks(issuer="#let x", office="*a*")
    blocks[2]["body"].insert(0, {"type": "paragraph", "runs": [{"text": marks}]})
    blocks[5]["rows"][2][0]["text"] = "#sys.inputs"
    whole = "".join(text(page) for page in read(make(blocks)).pages)
    assert re.sub(r"\s", "", marks) in whole
    assert "#sys.inputs" in whole
    assert "#letx" in whole


def test_rare_names_are_printed():
    blocks = sample.blocks()
    blocks[2]["body"].insert(0, {"type": "paragraph", "runs": [{"text": "堃喆镕玥犇䶮𬀩㎡²"}]})
    assert "堃喆镕玥犇䶮𬀩" in "".join(text(page) for page in read(make(blocks)).pages)


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
