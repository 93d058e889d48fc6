"""The text of a report of our own, looked over as a published one is."""

from pathlib import Path

import pytest
import yaml
from shipped import ZFXXGK

import reportkit
from reportkit.audit.own import text_checks
from reportkit.scaffold.project import begin

SENTENCES = yaml.safe_load(
    (Path(__file__).parents[1] / "data/texts/sentences.yaml").read_text("utf-8")
)


@pytest.mark.parametrize("one", SENTENCES, ids=[str(n) for n in range(len(SENTENCES))])
def test_sentences_of_published_reports_are_judged_as_noted(one):
    edition = ZFXXGK.edition(one["year"])
    result = text_checks(
        ZFXXGK, edition, {"一": one["text"]}, {}, issuer=one["body"], year=one["year"]
    )
    assert [check.id for check in result] == one["found"]
    assert {check.severity for check in result} <= {"warning"}


def failing(tmp_path, text, *, name="青棠县教育局", year=2023):
    """Findings of the text of a new report, beside what is still to be written."""
    begin(tmp_path, "a", year, name=name).write()
    path = tmp_path / f"params/reports/a/{year}.md"
    path.write_text(f"{path.read_text('utf-8')}\n{text}\n", "utf-8")
    report = reportkit.open_report("a", year, params=tmp_path / "params", data=tmp_path / "data")
    return [
        (one.id, one.left, one.right, one.facts)
        for one in report.all_checks
        if not one.holds and one.id not in ("D6", "C1", "C2")
    ]


def test_a_first_report_has_no_finding_of_its_text(tmp_path):
    assert failing(tmp_path, "") == []


def test_a_figure_bound_to_another_fact_is_found(tmp_path):
    text = '新收申请{{ t3.granted.total }}件，结转下年度{{ "3" | allowed("示例") }}件。'
    assert failing(tmp_path, text) == [("N", "3", "0", ("t3.carried_out.total",))]


def test_words_of_other_bodies_and_editions_are_found(tmp_path):
    text = "我镇依据国办公开办函〔2019〕60号编制。统计期限自2023年1月1日至11月30日。"
    assert [one[0] for one in failing(tmp_path, text)] == ["A3", "A10", "A8"]
    assert failing(tmp_path / "old", "依据国办公开办函〔2019〕60号编制。", year=2020) == []


def test_a_bureau_that_counts_regulations_is_reported(tmp_path):
    figures = {"t2.regulations.in_force": 2}
    edition = ZFXXGK.edition(2023)
    for issuer, expected in (("青棠县教育局", ["A7"]), ("某某省人民政府", [])):
        result = text_checks(ZFXXGK, edition, {}, figures, issuer=issuer, year=2023)
        assert [one.id for one in result] == expected
