"""Bad input: whatever people write is text in every document, and live in none."""

import io
import re
import zipfile
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import docx
import openpyxl
import pypdf
import pypdfium2
import pytest
from bs4 import BeautifulSoup
from docx.oxml.ns import qn

from reportkit.export.audit import AuditHTML
from reportkit.export.docx import ReportDocx
from reportkit.export.html import ReportHTML
from reportkit.export.pdf import ReportPDF
from reportkit.export.xlsx import TablesXlsx

DATA = Path(__file__).parents[1] / "data" / "blocks"
sample = SimpleNamespace(**run_path(str(DATA / "sample.py")))
WRITTEN = {
    "html": "</script><script>alert(1)</script><img src=x onerror=alert(1)>&lt;b&gt; <!-- -->",
    "template": "{{ 7*7 }} {% raw %} ${x} %(x)s {0}",
    "typst": '#panic("x") $x^2$ <label> *b* _i_ @ref [c] // d /* e */ `f` = h - i + j \\ ~ "q"',
    "latex": "\\input{/etc/passwd} \\write18{id} % comment & ^^M",
    "word": 'INCLUDETEXT "/etc/passwd" </w:t></w:r> ]]> &amp; &#x41; <?xml?>',
    "formula": '=HYPERLINK("x") ＝1＋1 @SUM(A1) -1+1 ＠a',
    "unseen": "甲\u202e乙\u0007丙\u2066丁",
    "long": "某区人民代表大会常务委员会法制工作委员会" * 12,
}
READ = WRITTEN | {"unseen": "甲〈U+202E〉乙〈U+0007〉丙〈U+2066〉丁"}


def hostile(text):
    """Return blocks with a text in every place that holds what people wrote."""
    blocks = sample.blocks(title=f"某区2020年{text}", issuer=text, office=text)
    by_kind = {one["kind"]: one for one in reversed(blocks)}
    by_kind["section"]["title"] = by_kind["table"]["title"] = text
    by_kind["chart"] |= {"title": text, "alt": text}
    by_kind["chart"]["data"]["rows"][0][0] = text
    for one in blocks:
        if one["kind"] == "section":
            one["body"].append({"type": "paragraph", "runs": [{"text": text, "strong": True}]})
            one["body"].append({"type": "list", "ordered": True, "items": [[{"text": text}]]})
    by_kind["table"]["rows"][2][0]["text"] = text
    by_kind["inputs"]["ledgers"][0]["files"][0] |= {"path": text, "sheet": text}
    by_kind["inputs"]["findings"][0] |= {"found": text, "message": text, "column": text}
    for check in by_kind["seal"]["checks"]:
        check |= {"title": text, "message": text, "left": text}
    for fact in by_kind["seal"]["facts"]["facts"]:
        fact |= {"label": text, "definition": text, "unit": text, "source": text}
    by_kind["seal"]["parameters"]["note"] = text
    return blocks


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
    documents = (hostile(" ".join(WRITTEN.values())), sample.blocks())
    found = [exporter().from_notebook_node(sample.notebook(blocks))[0] for blocks in documents]
    (text, live), (_, usual) = map(READERS[exporter], found)
    text = re.sub(r"\s", "", text)
    assert [kind for kind, told in READ.items() if re.sub(r"\s", "", told) not in text] == []
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
    assert [int(number) for number in found] == list(range(400))
