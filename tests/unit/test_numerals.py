from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportkit.errors import InputError
from reportkit.facts import Fact
from reportkit.facts.numerals import chinese_number, read_number, rounded
from reportkit.text.renderings import cn, day, full_day, grouped, percent, wan, yoy

NUMBERS = st.decimals(0, 10**11, allow_nan=False, places=2)


def fact(value, unit="件", compared=None):
    value = Decimal(value) if not isinstance(value, str) else value
    return Fact("a.b", "", value, unit, "sum", "", compared=compared)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "零"), (3, "三"), (10, "十"), (11, "十一"), (20, "二十"), (26, "二十六"), (100, "一百"),
        (101, "一百零一"), (110, "一百一十"), (1010, "一千零一十"), (2003, "二千零三"),
        (10_000, "一万"),
        (10_010, "一万零一十"), (10_020, "一万零二十"), (120_345, "十二万零三百四十五"),
    ],
)  # fmt: skip
def test_chinese_numbers(number, text):
    assert chinese_number(number) == text


@pytest.mark.parametrize("number", [-1, 100_000_000])
def test_a_number_out_of_range_is_refused(number):
    with pytest.raises(InputError, match="print it in digits"):
        chinese_number(number)


@given(st.integers(0, 99_999_999))
def test_chinese_numbers_read_back(number):
    assert read_number(chinese_number(number)).value == number


@given(NUMBERS)
def test_grouped_digits_read_back(value):
    assert read_number(grouped(fact(value))).says(value)


@given(NUMBERS, st.integers(0, 3))
def test_ten_thousands_read_back_within_what_they_say(value, decimals):
    text = wan(fact(value), decimals)
    reading = read_number(text)
    assert reading.says(value)
    assert (reading.within == 0) == (not text.startswith("约"))


@given(st.decimals(-1000, 1000, allow_nan=False, places=3), st.integers(0, 3))
def test_percentages_read_back(value, decimals):
    value = rounded(value, decimals)
    assert read_number(percent(fact(value, "%"))).value == value
    change = fact(value, "%", (Decimal(1), Decimal(2)))
    assert read_number(yoy(change)).value == value


@given(st.decimals(-10, 10, allow_nan=False, places=6), st.integers(0, 4))
def test_rounding_goes_to_the_nearest_and_halves_away_from_zero(value, decimals):
    step = Decimal(1).scaleb(-decimals)
    assert abs(rounded(value, decimals) - value) <= step / 2
    assert rounded(-value, decimals) == -rounded(value, decimals)
    assert rounded(step / 2, decimals) == step


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1313", "1313"), ("１３１３", "1313"), ("24,161,987.13", "24161987.13"),
        ("1.2万", "12000"),
        ("8232万", "82320000"), ("3亿", "300000000"), ("百分之三十", "30"), ("两", "2"),
        ("二〇二一", "2021"), ("一百零二", "102"), ("两千三百", "2300"), ("同比下降3.5%", "-3.5"),
        ("比上年减少7件", "-7"), ("比上年增加7件", "7"), ("与上年持平", "0"), ("-5", "-5"),
        ("一十二", "12"), ("两万两千", "22000"),
    ],
)  # fmt: skip
def test_numbers_are_read(text, value):
    assert read_number(text).value == Decimal(value)


@pytest.mark.parametrize("text", ["一百二", "30余万", "三分之二", "若干", "3至5", "十百"])
def test_what_says_no_one_value_is_not_read(text):
    assert read_number(text) is None


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (cn(fact(26)), "二十六"),
        (wan(fact(12000)), "1.2万"),
        (wan(fact(12049)), "约1.2万"),
        (wan(fact(12500)), "约1.3万"),
        (wan(fact(12500), 2), "1.25万"),
        (wan(fact(82320000), 0), "8232万"),
        (grouped(fact(Decimal("24161987.13"))), "24,161,987.13"),
        (percent(fact(Decimal("97.4"), "%")), "97.4%"),
        (percent(fact("基数为0，不计算比例", "%")), "基数为0，不计算比例"),
        (yoy(fact(Decimal("12.5"), "%", (9, 8))), "同比增长12.5%"),
        (yoy(fact(Decimal("-12.5"), "%", (7, 8))), "同比下降12.5%"),
        (yoy(fact(7, "件", (17, 10))), "比上年增加7件"),
        (yoy(fact(-7, "件", (10, 17))), "比上年减少7件"),
        (yoy(fact(0, "%", (8, 8))), "与上年持平"),
        (yoy(fact(Decimal("0.0"), "%", (10001, 10000))), "与上年基本持平"),
        (yoy(fact("上年为0，无可比增幅", "%", (8, 0))), "上年为0，无可比增幅"),
        (day(fact("2020-08-09", "日期")), "8月9日"),
        (full_day(fact("2020-08-09", "日期")), "2020年8月9日"),
    ],
)  # fmt: skip
def test_renderings(made, text):
    assert made == text


@pytest.mark.parametrize(
    ("form", "made"),
    [
        (cn, fact(Decimal("1.5"))),
        (cn, fact(-1)),
        (percent, fact(3)),
        (yoy, fact(3, "%")),
        (day, fact(3)),
    ],
)
def test_a_rendering_that_does_not_fit_is_refused(form, made):
    with pytest.raises(InputError):
        form(made)
