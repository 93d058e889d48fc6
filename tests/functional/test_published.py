"""The sample ledgers give the published reports, cell by cell; no kernel is started."""

import re
import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from shipped import ZFXXGK

from reportkit import open_report
from reportkit.facts.published import load_published, read_report

ROOT = Path(__file__).parents[2]
REPORTS = [("huli", 2020), ("pingtan", 2019), ("pingtan", 2020), ("pingtan", 2021)]
# 平潭 2020 contradicts itself (outcomes 27, total 21) and the years beside it (规章 0, 7, 0).
CONTRADICTIONS = {
    ("pingtan", 2020): {
        "t3.new.natural_person": "26",
        "t3.new.total": "27",
        "t3.results_total.natural_person": "26",
        "t3.results_total.total": "27",
        "t2.regulations.total_disclosed": "0",
    }
}


@pytest.fixture(scope="module")
def opened():
    reports = {}

    def get(district, year):
        if (district, year) not in reports:
            project = {"params": ROOT / "params", "data": ROOT / "data"}
            reports[district, year] = open_report(district, year, **project)
        return reports[district, year]

    return get


@pytest.mark.parametrize(("district", "year"), REPORTS)
def test_every_cell_equals_the_published_figure(district, year, opened):
    report = opened(district, year)
    path = ROOT / f"params/reports/{district}/{year}.published.json"
    published = read_report(ZFXXGK, load_published(path)).published
    cells = {cell.id for cell in report.edition.cells(year)}
    assert set(published) == cells
    different = {
        name: report.facts[name].text
        for name, value in published.items()
        if report.facts[name].number != value
    }
    assert different == CONTRADICTIONS.get((district, year), {})


@pytest.mark.parametrize(("district", "year"), REPORTS)
def test_what_differs_from_the_published_report_is_a_finding(district, year, opened):
    findings = [c for c in opened(district, year).all_checks if c.id == "P1" and not c.holds]
    result = {check.facts[0] for check in findings}
    assert result == set(CONTRADICTIONS.get((district, year), {}))


@pytest.mark.parametrize(("district", "year"), REPORTS)
def test_the_rules_of_the_form_hold(district, year, opened):
    checks = opened(district, year).all_checks
    assert all(check.holds for check in checks if re.fullmatch(r"R\d|L1", check.id))


def test_the_contradiction_of_huli_is_a_finding(opened):
    (finding,) = [c for c in opened("huli", 2020).all_checks if not c.holds]
    assert (finding.id[0], finding.severity) == ("N", "error")
    assert (finding.left, finding.right) == ("502", "514")
    assert "502 ≠ 448 + 66 = 514" in finding.message
    assert (finding.waived.by, finding.waived.on) == ("示例", "2021-01-05")
    assert not opened("huli", 2020).is_draft


def test_figures_of_the_published_huli_text_are_bound_to_facts(opened):
    report = opened("huli", 2020)
    prose = [node for section in report.compiled.narrative.sections.values() for node in section]
    runs = [run for node in prose for run in node.get("runs", ())]
    bound = [run["text"] for run in runs if "fact" in run]
    path = ROOT / "params/reports/huli/2020.published.json"
    for figure in load_published(path)["narrative_figures"]:
        if figure["value"] is None or figure["category"] in ("发文字号", "成文日期", "印发日期"):
            continue
        values = figure["value"] if isinstance(figure["value"], list) else [figure["value"]]
        for value in values:
            _, *day = str(value).split("-")
            spelt = {
                str(value),
                "二十六" if value == 26 else "",
                "六" if value == 6 else "",
                "一" if value == 1 else "",
            }
            spelt |= {f"{int(day[0])}月{int(day[1])}日"} if day else set()
            assert any(text.endswith(tuple(spelt - {""})) for text in bound), figure


def test_most_figures_of_huli_come_from_ledgers(opened):
    report = opened("huli", 2020)
    origins = [report.fact(name).origin for name in report.compiled.narrative.places]
    assert origins.count("declared") == 11
    assert len(origins) > 4 * 11


def test_an_outcome_without_a_row_in_the_edition_is_named(tmp_path):
    shutil.copytree(ROOT / "data/pingtan", tmp_path / "pingtan")
    heading = "登记号,申请人类型,收到日期,答复日期,办理结果\n"
    text = heading + "旧表一号,自然人,2021-03-01,2021-03-10,（六）其他处理\n"
    (tmp_path / "pingtan/applications-late.csv").write_text(text, encoding="utf-8")
    checks = open_report("pingtan", 2021, params=ROOT / "params", data=tmp_path).all_checks
    (finding,) = [check for check in checks if check.id == "F1"]
    assert not finding.holds
    assert finding.message == "旧表一号：其他处理"
    assert not next(c for c in checks if c.id == "R1" and "t3.new.natural_person" in c.facts).holds


def test_a_parents_report_is_compared_with_its_members(tmp_path):
    shutil.copytree(ROOT / "params", tmp_path / "params")
    folders = {"params": tmp_path / "params", "data": ROOT / "data"}
    text = "id: {0}\nname: {0}\nparent: pingtan\n"
    for name in ("east", "west"):
        path = tmp_path / f"params/districts/{name}.yaml"
        path.write_text(text.format(name), encoding="utf-8")
    own, sample = (tmp_path / f"params/reports/{name}" for name in ("east", "pingtan"))
    own.mkdir()
    shutil.copy(sample / "2021.published.json", own)

    def compared():
        report = open_report("pingtan", 2021, **folders)
        return [check for check in report.all_checks if check.id == "X5"]

    (absent,) = compared()
    assert absent.message == "west没有本年的报告，不能核对汇总数"
    (tmp_path / "params/districts/west.yaml").unlink()
    (whole,) = compared()
    assert whole.holds
    page = (own / "2021.published.json").read_text(encoding="utf-8").replace("2293", "2294")
    (own / "2021.published.json").write_text(page, encoding="utf-8")
    (found,) = compared()
    assert (found.facts, found.left, found.right) == (("t2.permits.decisions",), "2293", "2294")


def test_money_is_exact(opened):
    assert opened("huli", 2020).facts["t2.procurement.amount"].value == Decimal("24161987.13")
    assert opened("pingtan", 2021).facts["t2.fees.amount_wan"].text == "24252.311082"


def test_no_personal_column_reaches_the_analyst(opened):
    for key in ("applications", "decisions"):
        frame = opened("huli", 2020).ledger(key)
        assert not {"联系电话", "联系地址", "行政相对人"} & set(frame.columns)
        assert "示例申请人" not in frame.to_csv()


def test_an_analyst_adds_a_fact_in_pandas(opened):
    report = open_report("huli", 2020, params=ROOT / "params", data=ROOT / "data")
    applications = report.ledger("applications")
    mask = applications["申请渠道"].notna()
    fact = report.fact("extra.by_channel", rows=mask, ledger="applications", unit="件")
    assert fact.number == int(mask.sum())
    ids = [fact["id"] for fact in report.facts_document()["facts"]]
    assert "extra.by_channel" in ids
    assert ids == sorted(ids)
