"""更正说明: a published report that was corrected says so in every document."""

import io
import json
import shutil
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import docx
import openpyxl
import page as validator
import pypdfium2
import pytest
from bs4 import BeautifulSoup
from shipped import ZFXXGK

from reportkit.errors import InputError
from reportkit.export.docx import ReportDocx
from reportkit.export.html import ReportHTML
from reportkit.export.pdf import ReportPDF
from reportkit.export.xlsx import TablesXlsx
from reportkit.notebook.compilation import Compilation
from reportkit.notebook.sealing import seal_content
from reportkit.scaffold.next_text import Turn, renew_parameters

ROOT = Path(__file__).parents[2]
sample = SimpleNamespace(**run_path(str(ROOT / "tests" / "data" / "blocks" / "sample.py")))
FIRST = """
corrections:
- on: 2022-03-01
  text: 台账漏登，现补录，未经复议直接起诉的案件为{{ t4.litigation_direct.total }}件。
  figures: {t4.litigation_direct.maintain: 11, t4.litigation_direct.total: "11"}
"""
SECOND = """
- on: 2022-04-12
  text: 再次核对。
  figures: {t4.litigation_direct.total: 10}
"""


@pytest.fixture
def opened(tmp_path):
    def open_with(corrections):
        shutil.copytree(ROOT / "params", tmp_path / "params")
        path = tmp_path / "params/reports/pingtan/2021.yaml"
        path.write_text(path.read_text(encoding="utf-8") + corrections, encoding="utf-8")
        return Compilation.open(
            "pingtan", 2021, params=tmp_path / "params", data=ROOT / "data", out=tmp_path / "no"
        )

    return open_with


def texts(table):
    return [[cell["text"] for cell in row] for row in table["rows"]]


def test_figures_stand_as_published_and_as_they_are(opened):
    result = seal_content(opened(FIRST), {})["corrections"]
    assert result["days"] == ["2022-03-01"]
    assert texts(result["table"]) == [
        ["更正日期", "项目", "单位", "原公布", "更正后"],
        ["2022年3月1日", "行政诉讼/未经复议直接起诉/结果维持", "件", "11", "12"],
        ["2022年3月1日", "行政诉讼/未经复议直接起诉/总计", "件", "11", "12"],
    ]
    assert result["table"]["rows"][2][-1]["fact"] == "t4.litigation_direct.total"
    (paragraph,) = result["body"]
    assert "".join(run["text"] for run in paragraph["runs"]) == (
        "2022年3月1日更正：台账漏登，现补录，未经复议直接起诉的案件为12件。"
    )


def test_a_figure_corrected_twice_shows_each_step(opened):
    rows = texts(seal_content(opened(FIRST + SECOND), {})["corrections"]["table"])[1:]
    assert [row[-2:] for row in rows] == [["11", "12"], ["11", "10"], ["10", "12"]]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ('t4.litigation_direct.total: "11"', "t4.litigation_direct.totl: 11", "nearest"),
        ('total: "11"', "total: 12", "was published as 12, and it is 12 now"),
    ],
)
def test_a_correction_that_corrects_nothing_is_refused(opened, before, after, expected):
    compiled = opened(FIRST.replace(before, after))
    compiled.later = frozenset()  # as in a run, whose notebook makes no fact
    with pytest.raises(InputError, match=expected) as error:
        compiled.facts_document()
    assert error.value.reason == "correction"


@pytest.mark.parametrize(
    ("was", "found"),
    [
        ("11", set()),
        # Another figure than the one that was published does not tell of it.
        ("9", {"t4.litigation_direct.maintain", "t4.litigation_direct.total"}),
    ],
)
def test_a_corrected_figure_need_not_be_the_published_one(opened, tmp_path, was, found):
    compiled = opened(FIRST.replace("11", was))
    path = tmp_path / "params/reports/pingtan/2021.published.json"
    report = json.loads(path.read_text(encoding="utf-8"))
    report["table4"]["litigation_direct"] |= {"maintain": 11, "total": 11}
    path.write_text(json.dumps(report), encoding="utf-8")
    open_findings = [one for one in compiled.all_checks if one.id == "P1" and not one.holds]
    assert {name for one in open_findings for name in one.facts} == found


def test_a_typed_number_is_a_finding_as_in_the_text(opened):
    compiled = opened(FIRST.replace("漏登", "漏登3件"))
    (found,) = [one for one in compiled.all_checks if one.id == "C1"]
    assert (found.holds, found.message[:5]) == (False, "更正说明：")
    places = {one["id"]: one["places"] for one in compiled.facts_document()["facts"]}
    assert places["t4.litigation_direct.total"][-1] == "corrections"


def made(exporter, shown):
    return exporter().from_notebook_node(sample.notebook(shown))[0]


def test_the_page_tells_it_below_the_title_and_last():
    page = BeautifulSoup(made(ReportHTML, sample.corrected()), "html.parser")
    link = page.select_one(".masthead .corrected a")
    assert link.text == "（2021年3月1日更正）"
    section = page.select_one(link["href"])
    assert section.h2.text.startswith("更正说明")
    assert "2021年3月1日更正：补录。" in section.text
    assert section.select_one("td data[data-fact='t3.new.total']").text == "76"
    assert [one.text for one in page.select(".contents a")][-2:] == ["更正说明", "下载与引用"]
    described = json.loads(page.select_one("[type='application/ld+json']").string)
    assert (described["dateModified"], described["correction"]) == (
        "2021-03-01",
        "2021年3月1日更正：补录。",
    )
    assert page.select_one("[property='article:modified_time']")["content"] == "2021-03-01"


def test_word_and_excel_tell_it():
    word = docx.Document(io.BytesIO(made(ReportDocx, sample.corrected())))
    said = [(one.style.name, one.text) for one in word.paragraphs]
    assert ("更正", "（2021年3月1日更正）") in said
    assert [text for style, text in said if style == "Heading 1"][-1] == "更正说明"
    assert [one.text for one in word.tables[-1].rows[-1].cells][-2:] == ["73", "76"]
    book = openpyxl.load_workbook(io.BytesIO(made(TablesXlsx, sample.corrected())))
    assert [c.value for c in book["更正说明 更正前后的数据"][3]][-2:] == [73, 76]
    notes = {row[0].value: row[1].value for row in book["说明"].iter_rows()}
    assert notes["更正"] == "2021年3月1日更正"


@pytest.mark.parametrize("paragraphs", range(1, 12))
def test_the_signature_never_stands_on_a_page_alone(paragraphs):
    pdf = pypdfium2.PdfDocument(made(ReportPDF, sample.corrected(lines=2, paragraphs=paragraphs)))
    pages = [page.get_textpage().get_text_range() for page in pdf]
    assert "2021年1月5日" in pages[-1]
    assert "更正后" in pages[-1]
    assert "（2021年3月1日更正）" in "".join(pages)


@pytest.mark.parametrize("profile", ["ua1", "3a"])
def test_a_corrected_document_breaks_no_standard(profile):
    report = validator.validate_pdf_bytes(made(ReportPDF, sample.corrected()), profile=profile)
    assert [(failure.rule_id, failure.message) for failure in report.failures] == []


def test_a_new_year_begins_without_corrections():
    turn = Turn(2021, 2022, "年度报告", ZFXXGK.edition(2022), set())
    text, advanced, _ = renew_parameters(f"year: 2021\n{FIRST}{SECOND}title: 报告\n", turn)
    assert text == "year: 2022\n\ntitle: 报告\n"
    assert [note.message for note in advanced] == ["corrections of 2021 are dropped: 2"]


def test_without_corrections_nothing_is_reported():
    for exporter in (ReportHTML, ReportDocx):
        content = made(exporter, sample.blocks())
        assert "更正说明" not in str(content)
