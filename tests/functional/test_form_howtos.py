"""The how-tos of forms, walked: a local row, next year's edition, a form of one's own."""

import json

import commands
import pytest
from howtos import take_over

import reportkit
from reportkit.checks.folder import look_over
from reportkit.forms import project_form


@pytest.mark.parametrize(
    ("page", "name"),
    [("new-edition.md", "hubei"), ("new-edition.md", "zfxxgk"), ("new-form.md", "visits")],
)
def test_the_folder_of_a_page_has_nothing_wrong(tmp_path, page, name):
    take_over(page, tmp_path)
    assert look_over(tmp_path / "forms" / name) == []


def test_local_rows_and_next_editions_stand_in_their_years(tmp_path):
    take_over("new-edition.md", tmp_path)
    local, national = (project_form(one, tmp_path / "forms") for one in ("hubei", "zfxxgk"))
    assert "t2.other_documents.made" in {cell.id for cell in local.edition(2020).cells(2020)}
    assert [local.edition(year).name for year in (2019, 2021, 2026)] == ["2019", "2021", "2026"]
    assert [national.edition(year).name for year in (2020, 2025, 2026)] == ["2019", "2021", "2026"]


def test_a_form_of_ones_own_counts(tmp_path):
    take_over("new-form.md", tmp_path)
    for name, text in {
        "params/districts/a.yaml": "id: a\nname: 甲区\nform: visits\n",
        "data/a/visits.csv": "编号,日期,方式\n1,2024-01-05,纸质\n2,2024-12-31,电子\n"
        "3,2023-12-31,电子\n4,2024-06-01,电子\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    report = reportkit.open_report(
        "a", 2024, params=tmp_path / "params", data=tmp_path / "data", out=tmp_path / "outputs"
    )
    assert {one.id: one.text for one in report.facts.values()} == {
        "t1.paper.times": "1",
        "t1.screen.times": "2",
        "t1.total.times": "3",
    }
    assert repr(report) == "甲区2024年政府信息查阅点年度报告"
    (check,) = (one for one in report.all_checks if one.id == "K1")
    assert check.holds


def command(folder, *words, status=0):
    return commands.reportkit(*words, cwd=folder, status=status).stdout


def test_a_form_of_ones_own_is_walked_to_its_report(tmp_path):
    take_over("new-form.md", tmp_path)
    result = [
        command(tmp_path, *line.split())
        for line in (
            "form check forms/visits",
            "init . --district jia --name 甲区 --year 2024 --form visits",
        )
    ]
    assert result[0] == "forms/visits: nothing is wrong\n"
    assert "notebooks/visits.ipynb" in result[1]
    (tmp_path / "data/jia/查阅台账.xlsx").unlink()
    ledger = "编号,日期,方式\n1,2024-01-05,纸质\n2,2024-12-31,电子\n"
    (tmp_path / "data/jia/查阅台账.csv").write_text(ledger, encoding="utf-8")
    text = "# 二、情况说明\n\n{{ year }}年查阅{{ t1.total.times }}次。\n"
    (tmp_path / "params/reports/jia/2024.md").write_text(text, encoding="utf-8")
    assert "查阅台账: 2 read, 2 accepted" in command(tmp_path, "intake", "jia", "2024")
    assert "made: outputs/jia/2024/runs/" in command(tmp_path, "run", "jia", "2024")
    assert "holds" in command(tmp_path, "verify", "outputs/jia/2024/current")
    assert "2 次" in command(tmp_path, "explain", "t1.total.times")
    # A year later: an edition of the same folder, and the files of the year before.
    edition = "edition: '2025'\nextends: visits/2024\nyears: {first: 2025}\n"
    (tmp_path / "forms/visits/2025.yaml").write_text(edition, encoding="utf-8")
    assert "made from 2024" in command(tmp_path, "new", "jia", "2025")


def test_a_notebook_is_written_for_a_form_once(tmp_path):
    take_over("new-form.md", tmp_path)
    assert command(tmp_path, "form", "notebook", "forms/visits") == "notebooks/visits.ipynb\n"
    cells = json.loads((tmp_path / "notebooks/visits.ipynb").read_text("utf-8"))["cells"]
    assert [cell["source"] for cell in cells[3:]] == [
        "report.head()",
        'report.section("一")',
        "report.table(1)",
        'report.section("二")',
        "report.checks()",
        "report.seal()",
    ]
    assert "政府信息查阅点年度报告" in cells[0]["source"]
    command(tmp_path, "form", "notebook", "forms/visits", status=2)


GRID = """\
edition: "2024"
years: {first: 2024}
name: 查阅点统计表
basis: 样例
sections:
  - {number: 一, title: 查阅情况, table: visits}
tables:
  - id: visits
    title: 查阅数量
    bands:
      - define: {ledger: visits, unit: 次}
        columns:
          - label: 方式
            by: 方式
            columns:
              - {key: paper, label: 纸质}
              - {key: both, label: 合计, total: true}
        rows:
          - {key: first, label: 上半年, where: {日期: {from: Y-01-01, to: Y-06-30}}}
          - {key: second, label: 下半年, where: {日期: {from: Y-07-01, to: Y-12-31}}}
          - {key: early, label: 一季度, where: {日期: {from: Y-01-01, to: Y-03-31}}}
          - {key: year, label: 全年, total: true}
rules:
  - {id: K1, complete: {table: visits, parts_of: both}}
  - {id: K2, disjoint: {table: visits, parts_of: year}}
"""


def test_rules_of_totals_hold_for_columns_and_without_conditions(tmp_path):
    take_over("new-form.md", tmp_path)
    words = "{title: 合计, severity: error, basis: 样例, todo: 核对}"
    for name, text in {
        "forms/visits/2024.yaml": GRID,
        "forms/visits/rules.yaml": "".join(f"K{n}: {words}\n" for n in (1, 2)),
        "params/districts/a.yaml": "id: a\nname: 甲区\nform: visits\n",
        "data/a/visits.csv": "编号,日期,方式\n1,2024-01-05,纸质\n2,2024-12-31,电子\n"
        "3,2023-12-31,电子\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    report = reportkit.open_report(
        "a", 2024, params=tmp_path / "params", data=tmp_path / "data", out=tmp_path / "outputs"
    )
    messages = {one.id: (one.holds, one.left, one.right, one.message) for one in report.all_checks}
    # No column counts 电子; a day in March is in two rows; of 2024 each day is in some row.
    assert messages["K1"] == (False, "1", "2", "2：电子")
    assert messages["K2"] == (False, "2", "1", "计入各项2次，涉及记录1条")
    assert "查阅数量" in report.table("visits")._repr_mimebundle_()["text/html"]
