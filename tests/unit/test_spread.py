"""Distributions over districts: quartiles, outliers, steps and words, by hand."""

from decimal import Decimal

import pandas as pd
import pytest

from reportkit.notebook.districts import Districts
from reportkit.notebook.spread import spread_of


def series(*numbers):
    return pd.Series({f"{n}区": v for n, v in zip("甲乙丙丁戊己庚辛壬", numbers, strict=False)})


def test_quartiles_lie_between_values_in_proportion():
    # 1 2 3 4 10: a quarter of the way is the second, half the third, three quarters the fourth.
    assert spread_of(series(3, 1, 10, 2, 4), label="新收", unit="件").quartiles == (2, 3, 4)
    four = spread_of(series(1, 2, 3, 4), label="新收", unit="件").quartiles
    assert four == (Decimal("1.8"), Decimal("2.5"), Decimal("3.3"))
    assert spread_of(series(7), label="新收", unit="件").quartiles == (7, 7, 7)


def test_what_lies_beyond_the_fence_is_far():
    # Quartiles 3 and 7: the fence is at 3 - 6 and 7 + 6.
    found = spread_of(series(1, 2, 3, 4, 5, 6, 7, 13, 14), label="新收", unit="件")
    assert found.quartiles == (3, 5, 7)
    assert found.outliers == {"壬区": 14}


def test_of_few_districts_none_is_far():
    found = spread_of(series(1, 1, 1, 1, 1, 1, 99), label="新收", unit="件")
    assert found.outliers == {}
    assert found.words("new").endswith("区县不到八个，不说离群。")


def test_districts_without_the_figure_are_left_out():
    found = spread_of(series(2, None, 4), label="新收", unit="件")
    assert found.values == {"甲区": 2, "丙区": 4}
    assert spread_of(series(None, None), label="新收", unit="件") is None


@pytest.mark.parametrize(
    ("numbers", "steps"),
    [
        ((0, 1, 1, 3), {"0": 1, "1": 2, "2": 0, "3": 1}),
        ((10, 12, 29), {"10—15": 2, "15—20": 0, "20—25": 0, "25—30": 1}),
        ((Decimal("0.5"), Decimal("0.7")), {"0.5—0.6": 1, "0.6—0.7": 0, "0.7—0.8": 1}),
        ((5, 5), {"5": 2}),
    ],
)
def test_steps_are_numbers_that_people_read(numbers, steps):
    found = spread_of(series(*numbers), label="新收", unit="件").bins
    assert found.to_dict() == steps
    assert sum(steps.values()) == len(numbers)


def test_words_name_figures_and_districts():
    found = spread_of(series(1, 2, 3), label="新收", unit="件")
    plain = found.words("new").replace("{{ spread.new.", "<").replace(" }}", ">")
    assert plain == (
        "<count>个区县的新收，中位数<median>件，中间一半在<low>件至<high>件之间；"
        "最少的<least>件（甲区），最多的<most>件（丙区）。区县不到八个，不说离群。"
    )
    same = spread_of(series(2, 2), label="新收", unit="件")
    assert same.words("new").endswith("中位数{{ spread.new.median }}件，各区县相同。")


def test_a_share_of_few_is_not_reported():
    part, whole = series(5, 3, None), series(8, 12, 30)
    found = Districts.share(part, whole, least=10)
    assert found.isna().tolist() == [True, False, True]
    assert found["乙区"] == Decimal("25.0")
