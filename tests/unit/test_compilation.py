"""A report is opened and computed by itself each time; ledgers are shared where they are given."""

from pathlib import Path

import pytest

from reportkit import open_report
from reportkit.errors import InputError
from reportkit.notebook.compilation import Compilation
from reportkit.notebook.report import Report
from reportkit.params.hierarchy import Hierarchy

ROOT = Path(__file__).parents[2]
PLACE = {"params": ROOT / "params", "data": ROOT / "data", "out": Path("no runs")}


def test_nothing_computed_goes_from_one_report_to_the_next():
    kept = {}
    opened = (Compilation.open("pingtan", 2020, **PLACE, kept=kept) for _ in range(2))
    first, second = map(Report, opened)
    assert first.ledgers["applications"] is second.ledgers["applications"]
    assert first.fact("t3.new.total") is not second.fact("t3.new.total")
    rows = first.ledger("applications")["申请人类型"] == "自然人"
    first.fact("own.count", rows=rows, ledger="applications")
    assert "own.count" in first.facts
    assert "own.count" not in second.facts
    other = open_report("pingtan", 2020, **PLACE)
    assert other.ledgers["applications"] is not first.ledgers["applications"]


def test_a_parent_sums_up_the_members_that_are_named():
    named = Hierarchy(PLACE["params"] / "districts", {"huli": "pingtan"}, frozenset())
    report = Compilation.open("pingtan", 2020, **PLACE, hierarchy=named)
    assert list(report.members) == ["huli"]
    assert Compilation.open("pingtan", 2020, **PLACE).members == {}
    office = Compilation.open("pingtan", 2020, **PLACE, hierarchy=named, scope="office")
    assert office.members == {}


@pytest.mark.parametrize("year", [2020.0, "twenty", True, "", None, "20", 2020.5])
def test_a_year_that_is_none_is_named(year):
    with pytest.raises(InputError, match="the parameter year is") as error:
        open_report("pingtan", year, **PLACE)
    assert error.value.reason == "parameters"
