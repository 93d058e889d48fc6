"""`report.draft()`: from a notebook to its documents without leaving it."""

import json
import re
from pathlib import Path

import nbformat
import pypdfium2
import pytest

from notebooks import MARKDOWN, executed, ipython, whole
from reportkit.errors import InputError
from reportkit.notebook.made import follow
from reportkit.notebook.report import open_report

ROOT = Path(__file__).parents[2]


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """A report, and where its notebook is saved."""
    monkeypatch.chdir(ROOT)
    path = tmp_path / "笔记 本" / "own.ipynb"
    path.parent.mkdir()
    return open_report("pingtan", 2021, out=tmp_path / "out"), path


def drafted(report, path, cells, monkeypatch, *, saved=None):
    """Run cells, save the notebook, and ask for the draft in a further cell."""
    made = executed(report, cells)
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    written = nbformat.v4.new_notebook(cells=made.cells if saved is None else saved(made.cells))
    for cell in written.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    path.write_text(json.dumps(written), encoding="utf-8")
    return report.draft()


def test_the_documents_are_there_with_their_links(opened, monkeypatch, tmp_path):
    report, path = opened
    cells = whole(MARKDOWN + "自己写的：{{ t3.new.total }}件。")[:-1]
    shown = drafted(report, path, cells, monkeypatch)
    folder = tmp_path / "out/pingtan/2021/draft"
    names = ["report.html", "audit.html", "report.pdf", "report.docx", "tables.xlsx"]
    links = re.findall(r'href="([^"]+)"', shown.html)
    assert links == [f"../out/pingtan/2021/draft/{name}" for name in names]
    assert sorted(one.name for one in folder.iterdir()) == sorted([*names, "evidence"])
    page = (folder / "report.html").read_text("utf-8")
    assert "自己写的：" in page
    assert "<strong>草稿</strong>" in page
    text = pypdfium2.PdfDocument(folder / "report.pdf")[0].get_textpage().get_text_bounded()
    assert "2021年政府信息公开工作年度报告" in re.sub(r"\s", "", text)
    assert shown.block["kind"] == "note"


def test_what_is_not_shown_yet_is_reported(opened, monkeypatch, tmp_path):
    report, path = opened
    cells = ["report.head()", 'report.section("一")', MARKDOWN + "{{ own.later }}件。"]
    shown = drafted(report, path, cells, monkeypatch)
    assert "report.table(3)" in shown.html
    page = (tmp_path / "out/pingtan/2021/draft/report.html").read_text("utf-8")
    assert "〔待填〕件。" in page


def test_the_saved_notebook_gives_order_and_drops_deleted_cells(opened, monkeypatch, tmp_path):
    report, path = opened
    cells = [
        "report.head()",
        'report.text("乙句。")',
        'report.text("甲句。")',
        'report.text("丙句。")',
    ]
    shown = drafted(
        report, path, cells, monkeypatch, saved=lambda made: [made[0], made[2], made[1]]
    )
    page = (tmp_path / "out/pingtan/2021/draft/report.html").read_text("utf-8")
    assert page.index("甲句。") < page.index("乙句。")
    assert "丙句。" not in page
    assert "有1处" in shown.html


def test_a_cell_that_runs_again_shows_the_last_alone(opened, monkeypatch):
    report, _ = opened
    kernel = type("Kernel", (), {"get_parent": lambda *_: {"metadata": {"cellId": "a1"}}})()
    with ipython() as shell:
        monkeypatch.setattr(type(shell), "kernel", kernel, raising=False)
        shell.user_ns["report"] = report
        follow(report.so_far)
        for text in ("一稿", "二稿"):
            shell.run_cell(f'report.text("{text}")', store_history=True).raise_error()
    assert [one.block["source"] for _, one in report.so_far.shown] == ["二稿"]


def test_a_text_naming_an_unmade_fact_stops_at_the_seal(opened):
    report, _ = opened
    report.text("共{{ t3.new.totl }}件。")
    with pytest.raises(InputError, match=r"“共\{\{ t3.new.totl \}\}件。”.*nearest: t3.new.total"):
        report.seal()
    assert "〔待填〕" in repr(report.text("共{{ own.later }}件。"))


def test_elsewhere_there_is_no_draft(opened, monkeypatch):
    report, _ = opened
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    assert report.draft() is None
