"""Totals, shares and changes, computed again from their printed definitions."""

import json
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shipped import ZFXXGK

from reportkit.facts import Fact
from reportkit.facts.derived import change, share
from reportkit.facts.numerals import plain
from reportkit.proof.manifest import digest
from reportkit.proof.recount.computed import check_computed, last_year, moved_with

NUMBERS = st.decimals(-(10**6), 10**6, places=2) | st.integers(-50, 50).map(Decimal)


def fact(name, value, definition="", sum_of=(), origin="ledger"):
    checked = value if isinstance(value, str) else plain(value)
    return {
        "id": name,
        "value": checked,
        "definition": definition,
        "sum_of": list(sum_of),
        "origin": "sum" if sum_of else origin,
    }


def spec(decimals=1, unit="%", if_zero=None):
    return SimpleNamespace(decimals=decimals, unit=unit, if_zero=if_zero)


def checked(*facts, past=None):
    return check_computed({one["id"]: one for one in facts}, past)


def figure(label, number, unit="件"):
    return Fact("a.b", f"{label}（2）“3”", number, unit, "ledger", "")


@given(NUMBERS, NUMBERS, st.integers(0, 6))
def test_shares_come_out_the_same(part, whole, decimals):
    value, text = share(spec(decimals), figure("甲", part), figure("乙", whole, "万元"))
    made = fact("c", value, text, ("a", "b"))
    assert checked(fact("a", part), fact("b", whole), made) == ([], [])
    if whole:
        other = made | {"value": plain(Decimal(made["value"]) + Decimal("0.1"))}
        (found,) = checked(fact("a", part), fact("b", whole), other)[0]
        assert found.startswith(f"c is {other['value']}, what it is computed from gives")
    else:
        assert checked(fact("a", part), fact("b", whole), made | {"value": "7"})[0]


@given(NUMBERS, NUMBERS, st.integers(0, 6), st.sampled_from(["%", "件"]))
def test_changes_come_out_the_same(now, before, decimals, unit):
    value, text = change(spec(decimals, unit), figure("甲", now), before)
    made = fact("c", value, text, ("a",))
    assert checked(fact("a", now), made, past={"a": plain(before)}) == ([], [])
    findings, notes = checked(fact("a", now), made)
    assert findings == []
    assert notes == [f"c: last year's {plain(before)} is as its definition says"]
    (found,) = checked(fact("a", now), made, past={"a": plain(before + 1)})[0]
    assert found.startswith(f"c compares with {plain(before)}; last year a was")
    assert checked(fact("a", now), made | {"value": "1234567.89"}, past={"a": plain(before)})[0]


def test_a_half_is_rounded_away_from_zero():
    value, text = share(spec(1), figure("甲", Decimal(1)), figure("乙", Decimal(16)))
    assert plain(value) == "6.3"  # 6.25
    assert checked(fact("a", Decimal(1)), fact("b", Decimal(16)), fact("c", value, text, "ab")) == (
        [],
        [],
    )
    assert checked(fact("a", Decimal(1)), fact("b", Decimal(16)), fact("c", "6.2", text, "ab"))[
        0
    ] == ["c is 6.2, what it is computed from gives 6.3"]


def test_a_definition_with_other_figures_is_reported():
    value, text = share(spec(), figure("甲", Decimal(1)), figure("乙", Decimal(2)))
    found, _ = checked(fact("a", Decimal(1)), fact("b", Decimal(4)), fact("c", value, text, "ab"))
    assert "c is said to rest on b as 2, which is 4" in found


def test_a_total_of_totals_moves_with_its_leaf():
    value, text = share(spec(), figure("甲", Decimal(3)), figure("合计", Decimal(4)))
    facts = [
        fact("a", "1"),
        fact("b", "2"),
        fact("s", "3", "a + b", ("a", "b")),
        fact("d", "1"),
        fact("t", "4", "s + d", ("s", "d")),
        fact("r", value, text, ("s", "t")),
        fact("far", "1", "d", ("d",)),
    ]
    by_id = {one["id"]: one for one in facts}
    assert check_computed(by_id, None) == ([], [])
    assert moved_with(by_id, {"a": "2", "b": "2"}) == {
        "s": "3 in the run, its parts come to 4",
        "t": "4 in the run, its parts come to 5",
        "r": "75 in the run, its parts come to 80",
    }


@pytest.mark.parametrize(
    ("made", "finding"),
    [
        (fact("s", "4", "a + b", ("a", "b")), "s is 4, its parts add up to 3"),
        (fact("s", "3", "a + z", ("a", "z")), "s rests on z, which is not there"),
    ],
)
def test_wrong_totals_are_reported(made, finding):
    assert checked(fact("a", "1"), fact("b", "2"), made) == ([finding], [])


def test_what_is_computed_in_no_known_way_is_reported():
    assert checked(fact("a", "1"), fact("s", "1", "a 的平方", ("a",))) == (
        [],
        ["s was not computed again: a 的平方"],
    )


def test_last_year_is_the_report_that_was_compared_with(tmp_path):
    place = tmp_path / "outputs/huli/2020/runs/new"
    place.mkdir(parents=True)
    earlier = tmp_path / "outputs/huli/2019/runs"
    for name, value in (("a", "1"), ("b", "2")):
        (earlier / name).mkdir(parents=True)
        text = json.dumps({"facts": [fact("t3.new.total", value)]})
        (earlier / name / "facts.json").write_text(text, encoding="utf-8")
    name = "out/huli/2019/current/facts.json"
    manifest = {
        "district": "huli",
        "year": 2020,
        "parameters": {},
        "inputs": [{"name": name, "sha256": digest(earlier / "b/facts.json")}],
    }
    assert last_year(ZFXXGK, place, manifest, tmp_path) == {"t3.new.total": "2"}
    (earlier / "b/facts.json").write_text("{}", encoding="utf-8")
    assert last_year(ZFXXGK, place, manifest, tmp_path) is None


def test_last_year_can_be_what_was_published(tmp_path):
    published = Path(__file__).parents[1] / "data/published/pingtan-2019.json"
    (tmp_path / "reports/pingtan").mkdir(parents=True)
    path = tmp_path / "reports/pingtan/2019.published.json"
    path.write_bytes(published.read_bytes())
    inputs = [{"name": "params/reports/pingtan/2019.published.json", "sha256": digest(path)}]
    manifest = {"district": "pingtan", "year": 2020, "parameters": {}, "inputs": inputs}
    values = last_year(ZFXXGK, tmp_path, manifest, tmp_path)
    assert values["t3.new.total"] == "23"
    assert last_year(ZFXXGK, tmp_path, manifest, tmp_path / "elsewhere") is None
