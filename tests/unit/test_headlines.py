"""The figures that readers see first, as the notebook seals them."""

from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from reportkit.facts import Fact
from reportkit.forms import shipped_form
from reportkit.forms.model import Headline
from reportkit.ledgers.schema import schemas
from reportkit.notebook.headlines import headlines

FRAME = pd.DataFrame({"收到日期": pd.to_datetime(["2020-01-05", "2020-03-01", "2020-03-09"])})
LEDGERS = {"applications": SimpleNamespace(frame=FRAME)}


def fact(name, value, *rows, sum_of=()):
    number = Decimal(value) if isinstance(value, int) else value
    return Fact(
        name,
        name,
        number,
        "件",
        "sum" if sum_of else "ledger",
        "…",
        ledger=None if sum_of else "applications",
        rows=np.array(rows, np.int64),
        sum_of=sum_of,
    )


FACTS = {
    "new": fact("new", 3, sum_of=("persons", "firms")),
    "persons": fact("persons", 2, 0, 2),
    "firms": fact("firms", 1, 1),
    "all": fact("all", 7),
    "none": fact("none", 0),
    "told": fact("told", "本年无答复"),
}


def made(past=None, **asked):
    one = Headline(label="项", **asked)
    return headlines([one], FACTS, year=2020, past=past, ledgers=LEDGERS)


def test_a_sum_has_its_months_through_its_parts():
    (one,) = made(facts=["new"], months="收到日期")
    assert one["months"] == [1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    assert one["years"] == [{"year": 2020, "value": "3", "count": "3", "of": None}]
    assert (one["title"], one["unit"]) == ("项", "件")


def test_a_share_is_rounded_half_up_to_one_place():
    (one,) = made(facts=["persons", "firms"], of=["all"], share=True)
    assert one["years"] == [{"year": 2020, "value": "42.9", "count": "3", "of": "7"}]
    assert (one["unit"], one["months"]) == ("%", None)


def test_a_share_of_nothing_is_no_number():
    (one,) = made(facts=["none"], of=["none"], share=True)
    assert one["years"] == [{"year": 2020, "value": None, "count": "0", "of": "0"}]


def test_last_year_stands_where_all_of_it_is_known():
    known = SimpleNamespace(year=2019, values={"new": Decimal(5)})
    (one,) = made(known, facts=["new"])
    assert [year["value"] for year in one["years"]] == ["3", "5"]
    (one,) = made(known, facts=["new"], of=["all"])
    assert [year["year"] for year in one["years"]] == [2020]


@pytest.mark.parametrize("names", [["new", "nowhere"], ["told"]])
def test_what_is_not_there_or_no_number_is_left_out(names):
    assert made(facts=names) == []


def test_headlines_of_the_package_name_columns_that_ledgers_have():
    form = shipped_form()
    columns = {column.name for schema in schemas(form).values() for column in schema.columns}
    for edition in form.editions:
        asked = edition.model.headlines
        assert [one.label for one in asked] == [
            "新收申请",
            "按期答复",
            "予以公开和部分公开",
            "行政复议纠正",
            "主动公开信息",
        ]
        assert {one.months for one in asked if one.months} <= columns
        cells = {cell.id for cell in edition.cells(edition.model.years.first)}
        named = {name for one in asked for name in (*one.facts, *one.of) if name[0] == "t"}
        assert {name for name in named if name.startswith(("t2.", "t3.", "t4."))} <= cells
