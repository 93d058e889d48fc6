"""The way of docs/explanation/half-hour.md: the notebook is the report, end to end."""

import json
import re
import shutil
import zipfile
from pathlib import Path

import openpyxl
import papermill
import pypdf
import pytest
from commands import reportkit

from reportkit.export.blocks import from_notebook

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/explanation/half-hour.md").read_text("utf-8")
EXPLAIN, FACT, TABLE, PLOT, _, FIGURE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(PROSE,) = re.findall(r"```markdown\n(.*?)```", PAGE, re.DOTALL)


class Desk:
    """A project of an analyst's, and their notebook."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("params", "data/huli", "notebooks"):
            shutil.copytree(ROOT / name, folder / name)
        self.notebook = folder / "notebooks/annual_report.ipynb"
        self.current = folder / "outputs/huli/2020/current"

    def edit(self, change):
        notebook = json.loads(self.notebook.read_text("utf-8"))
        notebook["cells"] = change(notebook["cells"])
        self.notebook.write_text(json.dumps(notebook), "utf-8")

    def reportkit(self, *arguments, status=0):
        done = reportkit(*arguments, cwd=self.folder, status=status)
        return done.stdout + done.stderr


def code(name, source):
    return {
        "cell_type": "code",
        "id": name,
        "metadata": {},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def after_table_3(*added):
    def change(cells):
        at = next(n for n, one in enumerate(cells) if one["source"] == "report.table(3)") + 1
        return [*cells[:at], *added, *cells[at:]]

    return change


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    made = Desk(tmp_path_factory.mktemp("desk"))
    prose = {"cell_type": "markdown", "id": "prose", "metadata": {}, "source": PROSE}
    made.edit(
        after_table_3(
            code("explain", EXPLAIN),
            prose,
            code("fact", FACT),
            code("own-table", TABLE),
            code("plot", PLOT),
        )
    )
    return made


def test_the_half_hour(desk):
    result = desk.reportkit("run", "huli", 2020)
    assert "B2 warning" in result
    assert 'by_unit["自然人"].sort_values().plot.barh()）显示或画了一张图，各文件都没有' in result
    assert "写成report.show(…, alt=…)" in result
    assert "made as a draft" not in result

    desk.edit(
        lambda cells: [one | {"source": FIGURE} if one["id"] == "plot" else one for one in cells]
    )
    result = desk.reportkit("run", "huli", 2020)
    assert "B2" not in result
    looked_at_everywhere(desk.current)
    result = desk.reportkit("explain", "own.december", "--run", "huli/2020")
    assert "12月收到的申请" in result
    assert len(re.findall(r"湖府依申〔2020〕\d+号", result)) == 10

    kept = json.loads(desk.notebook.read_text("utf-8"))["cells"]
    desk.edit(lambda cells: [one for one in cells if one["source"] != 'report.section("六")'])
    result = desk.reportkit("run", "huli", 2020, status=1)
    assert "B1 error" in result
    assert "第六部分“其他需要报告的事项”（report.section('六')）没有列出" in result
    assert "made as a draft" in result

    desk.edit(lambda _: kept)
    desk.reportkit("run", "huli", 2020)
    result = desk.reportkit("verify", desk.current)
    assert "figures of the notebook's own code: own.december" in result
    assert "own-table (table)" in result

    result = desk.reportkit("run", "huli", 2031, status=2)
    assert "2031 is not over" in result


def looked_at_everywhere(run):
    """Paragraph, table and figure stand in each document, in their place."""
    pages = pypdf.PdfReader(run / "report.pdf").pages
    printed = re.sub(r"\s", "", "".join(page.extract_text() for page in pages))
    places = [
        printed.index(text)
        for text in ("年底的申请", "其中12月收到10件。", "2020年各单位收到的申请", "自然人的申请")
    ]
    assert places == sorted(places)
    with zipfile.ZipFile(run / "report.docx") as word:
        document = word.read("word/document.xml").decode()
    plain = re.sub(r"<[^>]*>", "", document)
    assert "其中12月收到10件。" in plain
    assert "横条图：各单位收到的自然人的申请" in document
    book = openpyxl.load_workbook(run / "tables.xlsx")
    (sheet,) = [one for one in book if "各单位收到的申请" in str(one["A1"].value)]
    assert all(isinstance(cell.value, int) for cell in sheet[sheet.max_row][1:])
    for name in ("report.html", "audit.html"):
        page = (run / name).read_text("utf-8")
        assert 'id="own-1"' in page or "own-1" in page
        assert "横条图：各单位收到的自然人的申请" in page
        assert "own.december" in page
    audit = (run / "audit.html").read_text("utf-8")
    assert "report.show(by_unit" in audit


def test_a_year_without_records_is_no_report(desk):
    made = papermill.execute_notebook(
        str(ROOT / "notebooks/annual_report.ipynb"),
        None,
        progress_bar=False,
        cwd=desk.folder,
        parameters={"district": "huli", "year": 2031},
    )
    (seal,) = from_notebook(made, "seal")
    (empty,) = [one for one in seal["checks"] if one["id"] == "L3"]
    assert (empty["holds"], empty["severity"]) == (False, "error")
    assert "没有一个在2031年" in empty["message"]
    assert seal["head"]["draft"]
