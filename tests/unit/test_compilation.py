"""A report that is kept is gone on with where it is opened again, and no other is."""

from pathlib import Path

import pytest

from reportkit import open_report
from reportkit.errors import InputError
from reportkit.notebook.compilation import keep_report

ROOT = Path(__file__).parents[2]
PLACE = {"params": ROOT / "params", "data": ROOT / "data", "out": Path("no runs")}


@pytest.fixture(scope="module")
def report():
    return open_report("pingtan", 2020, **PLACE)


def test_what_is_computed_of_a_kept_report_is_not_computed_again(report):
    facts = report.facts["t3.new.total"]
    with keep_report(report):
        again = open_report("pingtan", 2020, **PLACE)
    assert again is not report
    assert again.computer.get("t3.new.total") is facts
    assert open_report("pingtan", 2020, **PLACE).computer.get("t3.new.total") is not facts


def test_what_one_notebook_adds_stays_its_own(report):
    with keep_report(report):
        first, second = (open_report("pingtan", 2020, **PLACE) for _ in range(2))
    rows = first.ledger("applications")["申请人类型"] == "自然人"
    first.fact("own.count", rows=rows, ledger="applications")
    assert "own.count" in first.facts
    assert "own.count" not in second.facts
    assert "own.count" not in report.facts


@pytest.mark.parametrize(
    "asked",
    [{"year": 2019}, {"scope": "office"}, {"draft": True}, {"district": "huli"}],
    ids=lambda asked: next(iter(asked)),
)
def test_another_report_is_opened_anew(report, asked):
    with keep_report(report):
        other = open_report(**({"district": "pingtan", "year": 2020} | PLACE | asked))
    assert other.ledgers is not report.ledgers


@pytest.mark.parametrize("year", [2020.0, "twenty", True, "", None, "20", 2020.5])
def test_a_year_that_is_none_is_named(year):
    with pytest.raises(InputError, match="the parameter year is") as error:
        open_report("pingtan", year, **PLACE)
    assert error.value.reason == "parameters"
