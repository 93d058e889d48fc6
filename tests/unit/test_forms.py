from collections import Counter

import pytest
from shipped import ZFXXGK

from reportkit.errors import InputError


@pytest.mark.parametrize(
    ("year", "edition", "cells"),
    [
        (2019, "2019", {"t2": 22, "t3": 161, "t4": 15}),
        (2020, "2019", {"t2": 22, "t3": 161, "t4": 15}),
        (2021, "2021", {"t2": 10, "t3": 175, "t4": 15}),
        (2025, "2021", {"t2": 10, "t3": 175, "t4": 15}),
    ],
)
def test_the_year_chooses_the_edition_and_its_cells(year, edition, cells):
    form = ZFXXGK.edition(year)
    assert form.name == edition
    assert Counter(cell.table for cell in form.cells(year)) == cells


def test_a_year_before_all_editions_is_refused():
    with pytest.raises(InputError, match="2018") as error:
        ZFXXGK.edition(2018)
    assert error.value.reason == "edition"


def test_fact_ids_are_those_of_the_contract():
    ids = {cell.id for cell in ZFXXGK.edition(2021).cells(2021)}
    rows = (
        "new carried_in granted partial deny_1_state_secret deny_2_law_forbids "
        "deny_3_three_safety deny_4_third_party deny_5_internal deny_6_process "
        "deny_7_enforcement_file deny_8_admin_query unable_1_not_held unable_2_needs_creation "
        "unable_3_still_unclear reject_1_petition reject_2_duplicate reject_3_publication "
        "reject_4_excessive reject_5_confirm other_1_no_correction other_2_fee_unpaid "
        "other_3_other results_total carried_out"
    ).split()
    columns = "natural_person commercial research public_welfare legal_service other total".split()
    assert {f"t3.{row}.{column}" for row in rows for column in columns} <= ids
    blocks = "review litigation_direct litigation_after_review".split()
    results = "maintain correct other pending total".split()
    assert {f"t4.{block}.{result}" for block in blocks for result in results} <= ids
    assert {f"t2.{kind}.decisions" for kind in ("permits", "penalties", "coercion")} <= ids
    assert "t2.fees.amount_wan" in ids
    old = {cell.id for cell in ZFXXGK.edition(2020).cells(2020)}
    assert {"t3.other.total", "t2.procurement.amount", "t2.fees.items_change"} <= old


def test_a_total_of_totals_points_at_leaves_only():
    cells = {cell.id: cell for cell in ZFXXGK.edition(2020).cells(2020)}
    parts = cells["t3.results_total.total"].sum_of
    assert len(parts) == 19 * 6
    assert all(cells[part].definition for part in parts)


def test_each_edition_needs_the_ledgers_its_cells_are_made_from():
    assert ZFXXGK.edition(2020).ledgers() == {
        "applications",
        "cases",
        "decisions",
        "documents",
        "items",
        "procurement",
    }
    assert ZFXXGK.edition(2021).ledgers() == {
        "applications",
        "cases",
        "decisions",
        "documents",
        "fees",
    }


@pytest.mark.parametrize(
    "written",
    ["予以公开", "（一）予以公开", "granted"],
)
def test_an_outcome_may_have_a_number_or_be_a_key(written):
    assert ZFXXGK.edition(2020).vocabulary("t3", "rows")[written] == "予以公开"


def test_total_rows_are_no_outcomes():
    values = set(ZFXXGK.edition(2020).vocabulary("t3", "rows").values())
    assert "总计" not in values
    assert "结转下年度继续办理" not in values


def test_editions_follow_each_other_without_gap():
    first, second = ZFXXGK.editions
    assert first.model.years.last + 1 == second.model.years.first
    assert second.model.years.last is None


def test_the_2021_edition_has_a_successor_of_every_2019_cell():
    old, new = ZFXXGK.edition(2019), ZFXXGK.edition(2021)
    cells = {cell.id: cell for cell in new.cells(2020)}
    for cell in old.cells(2020):
        successor = new.successor(cell.id)
        if cell.id in cells:
            # The same id is the same count: what a definition asks for did not change.
            assert successor is None, cell.id
            assert cell.definition == cells[cell.id].definition, cell.id
        else:
            assert successor is not None, cell.id
            assert set(successor.here) <= set(cells), cell.id
            assert successor.comparable == cell.id.startswith("t3.other."), cell.id
    other = new.successor("t3.other.natural_person")
    assert other is not None
    assert other.here == [
        "t3.other_1_no_correction.natural_person",
        "t3.other_2_fee_unpaid.natural_person",
        "t3.other_3_other.natural_person",
    ]
