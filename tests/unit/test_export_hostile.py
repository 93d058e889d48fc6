"""Bad input: whatever people write is text in every document, and live in none."""

import io
import re
import zipfile
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import docx
import openpyxl
import pandas as pd
import pypdf
import pypdfium2
import pytest
from bs4 import BeautifulSoup
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from reportkit.export.audit import AuditHTML
from reportkit.export.blocks import block
from reportkit.export.docx import ReportDocx
from reportkit.export.html import ReportHTML
from reportkit.export.pdf import ReportPDF
from reportkit.export.xlsx import TablesXlsx
from reportkit.notebook.charts import chart

DATA = Path(__file__).parents[1] / "data" / "blocks"
sample = SimpleNamespace(**run_path(str(DATA / "sample.py")))
READ = sample.WRITTEN | {"unseen": "甲〈U+202E〉乙〈U+0007〉丙〈U+2066〉丁"}


def parts(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def page(content):
    """Text of a page, and what in it could act."""
    soup = BeautifulSoup(content, "html.parser")
    live = [e.name for e in soup.find_all(["script", "img", "style", "link", "iframe", "object"])]
    live += [key for e in soup.find_all(True) for key in e.attrs if key.startswith("on")]
    return soup.get_text(), live


def pdf(content):
    text = "".join(p.get_textpage().get_text_bounded() for p in pypdfium2.PdfDocument(content))
    root = pypdf.PdfReader(io.BytesIO(content)).trailer["/Root"]
    return text, sorted(set(root) & {"/OpenAction", "/AA", "/AcroForm"})


def word(content):
    document = docx.Document(io.BytesIO(content))
    text = "".join(run.text for run in document.element.body.iter(qn("w:t")))
    marks = re.findall(
        rb"<w:(instrText|fldSimple|altChunk|hyperlink)", b"".join(parts(content).values())
    )
    return text, [*marks, *sorted(name for name in parts(content) if "media" not in name)]


def book(content):
    sheets = openpyxl.load_workbook(io.BytesIO(content)).worksheets
    cells = [c for sheet in sheets for row in sheet.iter_rows() for c in row if c.value is not None]
    return "\n".join(str(c.value) for c in cells), [
        c.coordinate for c in cells if c.data_type == "f"
    ]


READERS = {ReportHTML: page, AuditHTML: page, ReportPDF: pdf, ReportDocx: word, TablesXlsx: book}


@pytest.mark.parametrize("exporter", READERS)
def test_what_people_write_is_text_and_nothing_else(exporter):
    documents = (sample.hostile(), sample.blocks())
    found = [exporter().from_notebook_node(sample.notebook(blocks))[0] for blocks in documents]
    (text, live), (_, usual) = map(READERS[exporter], found)
    text = re.sub(r"\s", "", text)
    assert [kind for kind, message in READ.items() if re.sub(r"\s", "", message) not in text] == []
    assert live == usual


@pytest.mark.parametrize("exporter", READERS)
def test_a_table_of_400_rows_stays_whole(exporter):
    blocks = sample.blocks()
    table = next(one for one in blocks if one.get("id") == "t3")
    line = table["rows"][-1]
    for number in range(400):
        table["rows"].append([{**line[0], "text": f"第{number}行"}, *line[1:]])
    text, _ = READERS[exporter](exporter().from_notebook_node(sample.notebook(blocks))[0])
    found = re.findall(r"第(\d+)行", re.sub(r"\s", "", text))
    # The readers' page names a row again where it links to it and says how it was counted.
    assert [int(number) for number in dict.fromkeys(found)] == list(range(400))


UNITS = [f"某区第{number}街道办事处综合行政执法大队办公室" for number in range(60)]


@pytest.mark.parametrize("exporter", READERS)
def test_a_district_of_60_units_stays_whole(exporter):
    counted = pd.DataFrame({"件数": range(60)}, index=pd.Index(UNITS, name="单位"))
    drawn = chart("units", counted, title="各单位办理件数").block
    cells = [(unit, str(number)) for unit, number in zip(UNITS, range(60), strict=True)]
    rows = [[sample.cell("单位", "head"), sample.cell("件数", "head")]]
    rows += [[sample.cell(unit, "label"), sample.cell(number)] for unit, number in cells]
    shape = {"columns": 2, "label_columns": 1, "head_rows": 1, "rows": rows}
    blocks = sample.blocks()
    blocks[-2:-2] = [block("table", id="u", title="各单位", **shape), drawn]
    content, _ = exporter().from_notebook_node(sample.notebook(blocks))
    text, _ = READERS[exporter](content)
    text = re.sub(r"\s", "", text)
    assert [unit for unit in UNITS if unit not in text] == []
    if exporter is ReportPDF:  # the drawing stands whole on a page
        pages = [p.get_textpage().get_text_bounded() for p in pypdfium2.PdfDocument(content)]
        cut = [f"{unit[:17]}…" for unit in UNITS]
        assert [all(unit in page for unit in cut) for page in pages].count(True) == 1
    if exporter is ReportDocx:
        shapes = docx.Document(io.BytesIO(content)).inline_shapes
        assert max(shape.height for shape in shapes) <= Mm(200)


def test_a_very_long_name_is_printed_to_be_read():
    name = "某区人民代表大会常务委员会法制工作委员会" * 3
    notebook = sample.notebook(sample.blocks(issuer=name, office=name))
    page = pypdfium2.PdfDocument(ReportPDF().from_notebook_node(notebook)[0])[0].get_textpage()
    _, bottom, _, top = page.get_charbox(page.search(name[:10]).get_next()[0], loose=True)
    assert top - bottom > 20
    written = docx.Document(io.BytesIO(ReportDocx().from_notebook_node(notebook)[0]))
    (mark,) = [p for p in written.paragraphs if p.style.name == "发文机关标志"]
    assert mark.runs[0].font.size == Pt(22)
    signed = [p for p in written.paragraphs if p.style.name == "署名"]
    assert [p.text for p in signed] == [name, "2021年1月5日"]
    assert max(p.paragraph_format.right_indent for p in signed) < Mm(156) / 2
