"""A district through the years, without a kernel."""

import json
import shutil
from pathlib import Path

import pytest

from reportkit import open_years
from reportkit.errors import InputError

ROOT = Path(__file__).parents[2]
FOLDERS = {"params": ROOT / "params", "data": ROOT / "data"}


@pytest.fixture(scope="module")
def pingtan(tmp_path_factory):
    return open_years("pingtan", **FOLDERS, out=tmp_path_factory.mktemp("none"))


def test_years_are_those_with_parameters(pingtan):
    assert list(pingtan.documents) == [2019, 2020, 2021]
    assert set(pingtan.sources.values()) == {"由台账计算"}


def test_years_are_in_order_however_they_are_asked_for(tmp_path):
    years = open_years("pingtan", [2020, 2019, 2020], **FOLDERS, out=tmp_path)
    assert list(years.table({"新收": "t3.new.total"}).columns) == ["2019年", "2020年", "增减"]
    assert list(open_years("pingtan", 2019, **FOLDERS, out=tmp_path).documents) == [2019]


def test_a_divided_row_continues_as_the_sum_of_parts(pingtan):
    assert pingtan.values("t3.other.total") == {2019: 0, 2020: 4, 2021: 1}
    assert pingtan.values("t3.other_3_other.total") == {2021: 1}
    assert pingtan.values("t2.normative_documents.total_disclosed").keys() == {2019, 2020}
    assert pingtan.values("act.notice_date") == {}


def test_a_chart_takes_the_years_that_all_have(pingtan):
    chart = pingtan.chart("x", {"项目": "t2.permits.items_last_year"}, title="项目")
    assert [row[0] for row in chart.block["data"]["rows"]] == ["2019年", "2020年"]
    assert pingtan.chart("x", {"收费": "t2.fees.amount_wan"}, title="收费") is None
    assert pingtan.chart("x", {"国家秘密": "t3.deny_1_state_secret.total"}, title="无") is None


def test_a_year_that_was_asked_for_must_be_there(tmp_path):
    with pytest.raises(InputError, match="2018"):
        open_years("pingtan", [2018, 2019], **FOLDERS, out=tmp_path)


def test_a_year_that_cannot_be_computed_is_left_out(tmp_path):
    shutil.copytree(ROOT / "params", tmp_path / "params")
    shutil.copytree(ROOT / "data/pingtan", tmp_path / "data/pingtan")
    for path in tmp_path.glob("data/pingtan/fees*"):
        path.unlink()
    years = open_years("pingtan", params=tmp_path / "params", data=tmp_path / "data")
    assert list(years.documents) == [2019, 2020]
    assert "收费台账" in years.origins().loc[2021, "来源"]
    with pytest.raises(InputError, match="no year of huli"):
        open_years("huli", params=tmp_path / "params", data=tmp_path / "data")


def test_two_scopes_are_not_compared(tmp_path):
    for year, scope in ((2019, "district"), (2020, "office")):
        run = tmp_path / f"pingtan/{year}/current"
        run.mkdir(parents=True)
        document = {"year": year, "edition": "2019", "scope": scope, "facts": []}
        (run / "facts.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(InputError, match="district and office"):
        open_years("pingtan", [2019, 2020], **FOLDERS, out=tmp_path)
