"""Last year's figures, where they are known: in the chart of outcomes and on the audit page."""

from decimal import Decimal
from pathlib import Path

import pytest

from reportkit import open_report
from reportkit.facts.previous import Past

ROOT = Path(__file__).parents[2]


@pytest.fixture
def report():
    return open_report("pingtan", 2021, params=ROOT / "params", data=ROOT / "data")


def test_outcomes_stand_beside_last_year_s(report):
    cells = [name for name in report.facts if name.startswith("t3.") and name.endswith(".total")]
    values = dict.fromkeys(cells, Decimal(0)) | {"t3.reject_2_duplicate.total": Decimal(4)}
    report.compiled.past = Past(2020, "published", "2020.published.json", values, {})
    frame = report.outcomes()
    assert list(frame.columns) == ["2021年", "2020年"]
    assert frame.loc["予以公开"].tolist() == [30, 0]
    assert frame.loc["重复申请"].tolist() == [0, 4]
    assert "要求提供公开出版物" not in frame.index


def test_three_rows_stand_beside_the_one_of_last_year(report):
    cells = [name for name in report.facts if name.startswith("t3.") and name.endswith(".total")]
    values = dict.fromkeys((c for c in cells if ".other_" not in c), Decimal(0))
    values |= {"t3.other.total": Decimal(6), "t3.granted.total": Decimal(9)}
    report.compiled.past = Past(2020, "published", "2020.published.json", values, {})
    frame = report.outcomes()
    assert list(frame.columns) == ["2021年", "2020年"]
    assert frame.loc["其他处理"].tolist() == [1, 6]
    assert frame.loc["予以公开"].tolist() == [30, 9]
    assert frame["2021年"].sum() == report.facts["t3.results_total.total"].number
    del values["t3.other.total"]
    assert list(report.outcomes().columns) == ["2021年"]


def test_outcomes_without_last_year_are_one_series(report):
    report.compiled.past = None
    assert list(report.outcomes().columns) == ["2021年"]


def test_the_seal_holds_last_year_s_value_and_the_change(report):
    values = {"t3.new.total": Decimal(72), "t9.gone": Decimal(1)}
    report.compiled.past = Past(2020, "run", "pingtan/2020/current", values, {})
    assert report.seal().block["past"] == {
        "t3.new.total": {"year": 2020, "origin": "run", "value": "72", "change": "-2"}
    }
