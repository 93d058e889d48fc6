"""The auditor's notebook over a run: it says what holds, counts again, and makes documents."""

import re
import shutil
from pathlib import Path

import nbformat
import openpyxl
import pandas as pd
import papermill
import pytest
from nbconvert.exporters import get_exporter

from reportkit import open_run
from reportkit.errors import InputError
from reportkit.export.blocks import from_notebook
from reportkit.notebook.filled import fill

ROOT = Path(__file__).parents[2]


def audited(sealed, folder, **given):
    made = papermill.execute_notebook(
        str(ROOT / "notebooks/audit.ipynb"),
        str(folder / "audit.ipynb"),
        parameters={"run": str(sealed.run), "auditor": "市审计局", **given},
        progress_bar=False,
        cwd=sealed.project,
    )
    nbformat.validate(made)
    return made


@pytest.fixture(scope="module")
def notebook(sealed, tmp_path_factory):
    return audited(sealed, tmp_path_factory.mktemp("audit"), size=4)


def texts(table):
    return [[cell["text"] for cell in row] for row in table["rows"]]


def test_it_shows_what_an_auditor_asks_for(notebook):
    head, *rest = [one for one in from_notebook(notebook) if one["kind"] != "note"]
    assert head["title"] == "平潭综合实验区管理委员会2021年政府信息公开工作年度报告核查记录"
    assert [one["title"] for one in rest if one["kind"] == "section"] == [
        "核验结论",
        "三次计数",
        "未通过的核对",
        "抽查",
        "与上年相比",
    ]
    verdicts, *counts, findings, applications, permits, moved = [
        texts(one) for one in rest if one["kind"] == "table"
    ]
    assert [row[:2] for row in verdicts[1:]] == [
        [level, "通过"] for level in ("文件", "台账", "数据", "重新生成", "环境")
    ]
    assert [rows[0] for rows in counts] == [["格", "笔记本", "程序", "SQL", "核对"]] * 3
    assert {row[-1] for rows in counts for row in rows[1:]} == {"一致"}
    new = next(row for row in counts[1] if row[0].endswith("申请数量/申请人情况/总计"))
    assert new[1] == new[2] == new[3] != ""
    assert findings[0] == ["编号", "级别", "规则", "说明", "接受的理由"]
    assert applications[0] == ["核", "文件", "位置", "登记号", "申请人类型", "收到日期"]
    assert len(applications) == len(permits) == 5
    assert moved[0] == ["数据", "上年", "本年", "增减"]
    assert len(moved) > 1


@pytest.mark.parametrize("kind", ["html", "pdf", "docx", "xlsx"])
def test_documents_are_made_of_it(kind, notebook, tmp_path):
    with_words = nbformat.from_dict(notebook)
    with_words["cells"].insert(
        -1, nbformat.v4.new_markdown_cell("核查意见：新收{{ t3.new.total }}件，抽查4条无误。")
    )
    (seal,) = from_notebook(notebook, "seal")
    (new,) = [one["value"] for one in seal["facts"]["facts"] if one["id"] == "t3.new.total"]
    made, _ = get_exporter(f"reportkit-{kind}")().from_notebook_node(with_words)
    if kind == "html":
        assert re.search(rf"新收(<[^>]*>)*{new}(<[^>]*>)*件", made)
        assert "草稿" not in made
        assert "三次计数" in made
        assert "市审计局" in made
    elif kind == "xlsx":
        path = tmp_path / "audit.xlsx"
        path.write_bytes(made)
        cells = {c.value for sheet in openpyxl.load_workbook(path) for c in sheet["A"]}
        assert "□" in cells
    else:
        assert len(made) > 10_000


def test_no_rule_of_reports_is_applied_to_it(notebook):
    (seal,) = from_notebook(notebook, "seal")
    assert fill(notebook)["metadata"]["reportkit"]["checks"] == seal["checks"]


def test_the_same_seed_draws_the_same_records(sealed):
    audit = open_run(sealed.run, params=sealed.project / "params", data=sealed.project / "data")
    one = audit.sample("t2.permits.decisions", 5, seed=7)
    assert one.equals(audit.sample("t2.permits.decisions", 5, seed=7))
    assert not one.equals(audit.sample("t2.permits.decisions", 5, seed=8))
    assert one["决定书文号"].is_unique
    everything = audit.sample("t3.new.total", 10_000, seed=1)
    assert len(everything) == int(audit.facts["t3.new.total"]["value"])
    with pytest.raises(InputError, match=r"t3\.new\.total"):
        audit.sample("t3.new.totl", 5, seed=1)
    with pytest.raises(InputError, match="t2、t3、t4"):
        audit.counts(9)


def test_a_ledger_that_was_changed_is_seen_in_the_counts(sealed, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(sealed.project / "data", data)
    path = data / "pingtan/applications-2021.parquet"
    frame = pd.read_parquet(path)
    frame.iloc[:-1].to_parquet(path, index=False)
    audit = open_run(sealed.run, params=sealed.project / "params", data=data)
    counts = audit.counts(3)
    differ = counts[counts["核对"] == "不一致"]
    assert "t3.new.total" in differ.index
    result = differ.loc["t3.new.total"]
    assert result["SQL"] == result["程序"] - 1 == result["笔记本"] - 1
    verdicts = audit.verdicts().set_index("层次")["结论"]
    assert verdicts["台账"] == verdicts["数据"] == "不通过"


def test_without_ledgers_two_counts_are_left(sealed, tmp_path):
    counts = open_run(sealed.run, data=tmp_path, params=sealed.project / "params").counts("t3")
    assert counts["SQL"].isna().all()
    assert set(counts["核对"]) <= {"一致", "另无来源"}


def test_what_is_no_run_is_reported(tmp_path):
    with pytest.raises(InputError) as caught:
        open_run(tmp_path)
    assert caught.value.reason == "run-missing"
