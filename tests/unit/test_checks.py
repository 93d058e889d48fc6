from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shipped import RULES, SCHEMAS, ZFXXGK

from reportkit.checks import form_checks, intake_checks, published_checks, year_check
from reportkit.facts import Fact, Facts

FORM = ZFXXGK.edition(2020)


def consistent(**changed):
    """Tables in which one application in five was answered, each outcome by its own row."""
    facts = {}
    row = 0
    for cell in FORM.cells(2020):
        leaf = cell.definition is not None and cell.table == "t3"
        count = 2 if leaf and cell.row in ("granted", "partial") else 0
        rows = np.arange(row, row + count)
        row += count
        facts[cell.id] = Fact(cell.id, cell.label, Decimal(count), "件", "ledger", "", rows=rows)
    for column in "natural_person commercial research public_welfare legal_service other".split():
        facts[f"t3.new.{column}"] = replace(facts[f"t3.new.{column}"], value=Decimal(4))
    for cell in FORM.cells(2020):
        if cell.sum_of:
            total = sum((facts[part].number for part in cell.sum_of), Decimal(0))
            facts[cell.id] = replace(facts[cell.id], value=total, rows=None)
    for name, value in changed.items():
        facts[name] = replace(facts[name], value=Decimal(value))
    return Facts(facts)


def broken(facts):
    return {check.id for check in form_checks(RULES, FORM, facts, year=2020) if not check.holds}


def test_consistent_tables_pass_every_rule():
    assert broken(consistent()) == set()
    assert {check.id for check in form_checks(RULES, FORM, consistent(), year=2020)} == {
        "R1",
        "R2",
        "R3",
        "R4",
        "R5",
        "R6",
    }


@pytest.mark.parametrize(
    ("cell", "value", "rules"),
    [
        ("t3.new.commercial", 5, {"R1", "R3"}),
        ("t3.granted.commercial", 3, {"R2", "R3"}),
        ("t3.results_total.commercial", 5, {"R1", "R2", "R3"}),
        ("t3.carried_out.total", 1, {"R1", "R3"}),
        ("t4.review.maintain", 1, {"R4"}),
        ("t3.carried_in.other", -1, {"R1", "R3", "R6"}),
    ],
)
def test_a_changed_cell_breaks_its_rules(cell, value, rules):
    assert broken(consistent(**{cell: value})) == rules


def leaf_text(cell):
    """Row and column of a cell as the form prints them."""
    table = FORM.table(cell.table)
    (band,) = table.model.bands
    return {
        leaf.node.text
        for leaf in (*table.rows(band), *table.columns(band))
        if leaf.key in (cell.row, cell.column)
    }


CELLS = [cell for cell in FORM.cells(2020) if cell.table in ("t3", "t4")]
COUNT = st.integers(0, 10_000)


@st.composite
def consistent_tables(draw):
    """Tables 3 and 4 of any sizes in which every rule holds."""
    facts = {cell.id: Decimal(draw(COUNT)) for cell in CELLS if not cell.sum_of}
    parts = {cell.id: cell.sum_of for cell in CELLS if cell.sum_of}
    for column in ("natural_person commercial research public_welfare legal_service other").split():
        done = sum(facts[part] for part in parts[f"t3.results_total.{column}"])
        received = done + facts[f"t3.carried_out.{column}"]
        old = min(facts[f"t3.carried_in.{column}"], received)
        facts |= {f"t3.carried_in.{column}": old, f"t3.new.{column}": received - old}
    facts |= {name: sum(facts[part] for part in of) for name, of in parts.items()}
    return facts


@given(consistent_tables(), st.sampled_from(CELLS), COUNT)
def test_any_changed_cell_is_found_by_row_or_column(tables, cell, value):
    def found(values):
        facts = consistent(**values)
        return [one for one in form_checks(RULES, FORM, facts, year=2020) if not one.holds]

    if value == tables[cell.id]:
        assert found(tables) == []
    else:
        named = [one.message.split("：")[0] for one in found(tables | {cell.id: value})]
        assert set(named) & leaf_text(cell)


def test_a_broken_equation_says_both_sides_and_the_difference():
    facts = consistent(**{"t3.new.commercial": 5})
    check = next(
        c for c in form_checks(RULES, FORM, facts, year=2020) if c.id == "R1" and not c.holds
    )
    assert (check.left, check.right) == ("5", "4")
    assert check.message.startswith("商业企业：")
    assert check.message.endswith("相差1")
    assert "t3.new.commercial" in check.facts


def test_one_application_in_two_outcomes_is_found():
    facts = dict(consistent())
    twice = replace(
        facts["t3.partial.natural_person"], rows=facts["t3.granted.natural_person"].rows
    )
    facts["t3.partial.natural_person"] = twice
    assert broken(Facts(facts)) == {"R5"}


def test_the_published_report_is_compared_cell_by_cell():
    facts = consistent()
    same = {name: facts[name].number for name in ("t3.new.total", "t4.review.total")}
    (check,) = published_checks(RULES, same, facts)
    assert check.holds
    (check,) = published_checks(RULES, same | {"t3.new.total": Decimal(25)}, facts)
    assert (check.holds, check.left, check.right) == (False, "24", "25")


def test_a_file_that_nobody_read_is_a_finding():
    (found,) = intake_checks(RULES, {}, unread=["data/huli/申请台账.csv"])
    assert (found.id, found.severity, found.holds) == ("L2", "warning", False)
    assert "data/huli/申请台账.csv" in found.message
    assert intake_checks(RULES, {}) == []


def ledger(*days):
    schema = SCHEMAS["cases"]
    columns = {column.name: pd.Series(dtype="str") for column in schema.columns}
    frame = pd.DataFrame(columns)[[]].reindex(range(len(days)))
    frame["收到日期"] = pd.to_datetime(pd.Series(days, dtype="object"))
    return SimpleNamespace(schema=schema, frame=frame)


@pytest.mark.parametrize(
    ("days", "holds", "expected"),
    [
        (["2020-03-01", "2019-01-01", None], True, "1个日期在2020年"),
        (["2021-03-01", "2019-01-01"], False, "各台账的日期在2019年至2021年，没有一个在2020年"),
        ([], True, "0个日期在2020年"),
        ([None], True, "0个日期在2020年"),
    ],
)
def test_a_year_without_records_in_any_ledger_is_an_error(days, holds, expected):
    found = year_check(RULES, {"cases": ledger(*days)}, 2020)
    assert (found.id, found.severity, found.holds, found.message) == (
        "L3",
        "error",
        holds,
        expected,
    )
