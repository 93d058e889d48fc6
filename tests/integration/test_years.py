"""A district through the years: carry-over, continuity, ledgers edited afterwards, drafts."""

import json
import shutil
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import nbformat
import pyarrow.parquet as pq
import pypdf
import pytest
from commands import papermill, reportkit
from shipped import RULES

from reportkit import open_report
from reportkit.checks import restatement_checks
from reportkit.errors import InputError
from reportkit.facts.previous import figures_of
from reportkit.notebook.checking import computer_of_last_year
from reportkit.params import Project

ROOT = Path(__file__).parents[2]


def reports_of(year, project):
    done = reportkit("run", "pingtan", year, "--json", cwd=project)
    assert done.returncode in (0, 1), done.stderr
    current = project / f"outputs/pingtan/{year}/current"
    return done, json.loads((current / "checks.json").read_text(encoding="utf-8"))


def of(checks, name):
    return [check for check in checks if check["id"] == name]


@pytest.fixture(scope="module")
def years(tmp_path_factory):
    """平潭 2019 and 2020 in force; then two applications of 2020 changed; then 2021."""
    project = tmp_path_factory.mktemp("years")
    for name in ("params", "data/pingtan", "notebooks"):
        shutil.copytree(ROOT / name, project / name)
    made = {year: reports_of(year, project) for year in (2019, 2020)}
    path = project / "data/pingtan/applications-2020.csv"
    heading, first, *others = path.read_text(encoding="gb18030").splitlines()
    gone = first.split(",")[0]
    late = others[0].split(",")
    late[3] = late[4] = ""  # answer and outcome are taken back: open at the end of the year
    lines = [heading, ",".join(late), *others[1:]]
    path.write_text("\n".join(lines) + "\n", encoding="gb18030")
    made[2021] = reports_of(2021, project)
    return project, made, gone, late[0]


def test_the_years_go_on_as_published(years):
    _, made, _, _ = years
    assert [of(made[2019][1], name) for name in ("X1", "X3", "X4", "S1", "Y1")] == [[]] * 5
    counts = {name: [c["holds"] for c in of(made[2020][1], name)] for name in ("X1", "X3", "X4")}
    # X4 fails in the published table only: 7 regulations that no ledger can hold (P1 tells them).
    assert counts == {"X1": [True] * 7, "X3": [True] * 5, "X4": [True] * 2}
    (same,) = of(made[2020][1], "S1")
    assert same["holds"]
    assert made[2020][0].returncode == 0
    assert of(made[2021][1], "X2") == of(made[2021][1], "X3") == []


def test_a_ledger_edited_afterwards_shows_with_its_records(years):
    _, made, gone, late = years
    found = {check["facts"][0]: check for check in of(made[2021][1], "S1")}
    assert not any(check["holds"] for check in found.values())
    answered = found["t3.results_total.total"]
    assert (answered["left"], answered["right"]) == ("27", "25")
    new = found["t3.new.natural_person"]["message"]
    assert new.endswith(
        f"上年封存26，现为25；减少1条：{gone}（原data/pingtan/applications-2020.csv:2）"
    )
    out = found["t3.carried_out.total"]
    assert (out["left"], out["right"]) == ("0", "1")
    assert any(
        check["message"].endswith(f"增加1条：{late}（data/pingtan/applications-2020.csv:2）")
        for check in found.values()
    )
    assert "t3.granted.commercial" not in found


def test_a_broken_carry_over_makes_a_draft(years):
    project, made, _, _ = years
    done, checks = made[2021]
    broken = [check for check in of(checks, "X1") if not check["holds"]]
    assert {(check["left"], check["right"]) for check in broken} == {("1", "0")}
    assert done.returncode == 1
    assert json.loads(done.stdout)["draft"]
    current = project / "outputs/pingtan/2021/current"
    manifest = json.loads((current / "MANIFEST.json").read_text(encoding="utf-8"))
    assert manifest["draft"]
    assert "尚未定稿" in (current / "report.html").read_text(encoding="utf-8")
    pages = pypdf.PdfReader(current / "report.pdf").pages
    assert all("草稿" in page.extract_text().replace("\n", "") for page in pages)


def test_last_years_run_is_an_input_for_papermill_too(years):
    project, made, _, _ = years
    manifest = json.loads((project / "outputs/pingtan/2021/current/MANIFEST.json").read_text())
    inputs = {one["path"] for one in manifest["inputs"]}
    assert {f"outputs/pingtan/2020/current/{n}" for n in ("facts.json", "report.ipynb")} <= inputs
    out = project / "out.ipynb"
    done = papermill(
        "notebooks/annual_report.ipynb", out, cwd=project, district="pingtan", year=2021
    )
    assert done.returncode == 0, done.stderr
    (seal,) = (
        output["data"]["application/vnd.reportkit.block+json"]
        for output in nbformat.read(out, as_version=4)["cells"][-1]["outputs"]
    )
    # What the notebook shows is looked over when it is exported: B1, B2, ….
    assert seal["checks"] == [one for one in made[2021][1] if not one["id"].startswith("B")]


def test_rows_may_move_but_amounts_may_not_change(years):
    project, _, _, _ = years
    folders = {name: project / name for name in ("params", "data")}
    report = open_report("pingtan", 2020, out=project / "outputs", **folders)
    facts = {name: dict(fact) for name, fact in report.past.facts.items()}
    facts["t2.permits.decisions"]["rows_sha256"] = "of other row numbers"
    facts["t2.procurement.amount"]["value"] = "75394432.53"
    past = replace(report.past, facts=facts)
    (found,) = restatement_checks(RULES, past, computer_of_last_year(report.compiled))
    assert found.message == (
        "政府集中采购/采购总金额：上年封存75394432.53，现为75394432.52；"
        "记录没有增减，所计的数值有改动"
    )


def test_evidence_of_another_version_lists_no_records(years, tmp_path):
    project, _, _, _ = years
    folders = Project(project / "params", project / "data", project / "outputs")
    past = figures_of(folders, folders.district("pingtan"), 2020, scope="district")
    shutil.copytree(past.folder / "evidence", tmp_path / "evidence")
    records = tmp_path / "evidence/records.parquet"
    pq.write_table(pq.read_table(records).drop_columns("key"), records)
    folders = {name: project / name for name in ("params", "data")}
    computer = computer_of_last_year(open_report("pingtan", 2021, **folders).compiled)
    found = restatement_checks(RULES, replace(past, folder=tmp_path), computer)
    messages = {one.facts[0]: one.message for one in found}
    assert messages["t3.new.natural_person"].endswith(
        "上年封存26，现为25；上年报告的依据不能读取，不能列出增减的记录"
    )
    assert not any(one.left == one.right for one in found)


def test_the_past_is_the_run_else_what_was_published(years):
    project, _, _, _ = years
    folders = Project(project / "params", project / "data", project / "outputs")
    run = figures_of(folders, folders.district("pingtan"), 2020, scope="district")
    assert (run.origin, run.source) == ("run", "pingtan/2020/current")
    assert run.values["t3.new.total"] == 27
    assert run.sections["六"] == "无其他需要报告的事项。"
    assert run.changed() == []
    # A report of the office alone would be another report, run or published.
    assert figures_of(folders, folders.district("pingtan"), 2020, scope="office") is None
    none = replace(folders, out=project / "none")
    other = figures_of(none, none.district("pingtan"), 2020, scope="district")
    assert (other.origin, other.source) == ("published", "reports/pingtan/2020.published.json")
    assert other.values["t3.new.total"] == 21
    assert other.values["t2.procurement.amount"] == Decimal("73802895.9")
    assert figures_of(none, none.district("pingtan"), 2018, scope="district") is None


def test_figures_of_another_scope_are_not_compared(tmp_path):
    folders = {"params": ROOT / "params", "data": ROOT / "data", "out": tmp_path}
    messages = {}
    for scope in ("district", "office"):
        checks = open_report("pingtan", 2021, scope=scope, **folders).all_checks
        messages[scope] = [one.message for one in checks if one.id == "X0"]
        assert any(one.id == "P1" for one in checks) == (scope == "district")
        assert any(one.id == "Y1" for one in checks) == (scope == "district")
    assert messages == {
        "district": ["上年的报告：reports/pingtan/2020.published.json"],
        "office": ["没有上年的报告，未作跨年核对"],
    }


def test_a_past_run_that_was_changed_is_refused(years, tmp_path):
    project, _, _, _ = years
    shutil.copytree(project / "outputs/pingtan/2020", tmp_path / "pingtan/2020", symlinks=True)
    facts = tmp_path / "pingtan/2020/current/facts.json"
    folders = {"params": project / "params", "data": project / "data", "out": tmp_path}
    past = open_report("pingtan", 2021, **folders).past
    facts.write_text(facts.read_text(encoding="utf-8").replace('"27"', '"28"'), encoding="utf-8")
    assert past.changed() == [str(facts)]
    with pytest.raises(InputError, match="not what it was sealed with"):
        open_report("pingtan", 2021, **folders)
