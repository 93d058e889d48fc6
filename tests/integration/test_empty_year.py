"""A year without a single application is a sound report."""

import json
import shutil
from pathlib import Path

import docx
import openpyxl
import page as validator
import pytest
from bs4 import BeautifulSoup

from reportkit.run.request import Request
from reportkit.run.run import run

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """平潭 2021 with an applications ledger that has a heading only."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "params", folder / "params")
    (folder / "params/reports/pingtan/2021.published.json").unlink()
    shutil.copytree(ROOT / "data/pingtan", folder / "data/pingtan")
    heading = (ROOT / "data/pingtan/applications-2020.csv").read_bytes().split(b"\n")[0]
    for path in (folder / "data/pingtan").iterdir():
        if path.name.startswith(("applications", "依申请公开台账")):
            path.unlink()
    (folder / "data/pingtan/applications-2021.csv").write_bytes(heading + b"\n")
    folders = {name: folder / name for name in ("params", "data", "out")}
    return run(Request("pingtan", 2021, **folders)).folder


def test_its_table_is_zeros_and_no_applications_are_charted(empty):
    facts = json.loads((empty / "facts.json").read_text("utf-8"))["facts"]
    assert {fact["value"] for fact in facts if fact["id"].startswith("t3.")} == {"0"}
    page = (empty / "report.html").read_text("utf-8")
    assert 'id="publications_by_class"' in page
    assert 'id="answer_days"' not in page
    assert 'id="outcomes"' not in page


def test_every_document_prints_its_zeros(empty):
    for name in ("report.html", "audit.html"):
        table = BeautifulSoup((empty / name).read_text("utf-8"), "html.parser").find(id="t3")
        assert {cell.get_text() for cell in table.select("td")} == {"0"}
    (sheet,) = [s for s in openpyxl.load_workbook(empty / "tables.xlsx") if s.title[0] == "三"]
    numbers = [c.value for row in sheet.iter_rows(min_row=5, min_col=4) for c in row]
    assert set(numbers) == {0}
    (table,) = [
        t for t in docx.Document(empty / "report.docx").tables if "申请人情况" in t.cell(0, 9).text
    ]
    assert {cell.text for row in table.rows[3:] for cell in row.cells[3:]} == {"0"}
    for profile in ("ua1", "3a"):
        assert validator.is_pdf_compliant(empty / "report.pdf", profile=profile)
