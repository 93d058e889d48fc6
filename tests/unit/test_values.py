import contextlib
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shipped import ZFXXGK

from reportkit.ledgers.schema import schema_of
from reportkit.ledgers.values import (
    category_parser,
    parse_amount,
    parse_date,
    parse_flag,
    parse_integer,
)

DAY = date(2020, 8, 19)


@pytest.mark.parametrize(
    "text",
    [
        "2020-08-19", "2020-8-19", "2020/8/19", "2020.08.19", "2020年8月19日", "20200819",
        "２０２０－０８－１９", " 2020-08-19 ", "2020-08-19 09:30:00", "2020-08-19T09:30:00.5",
        "44062", "44062.0", "\u30002020/08/19", "2020年8月19日 9时30分", "2020年8月19日9时",
        "2020年8月19日9:30", "2020-08-19 09时05分30秒",
    ],
)  # fmt: skip
def test_a_day_in_each_spelling(text):
    assert parse_date(text) == DAY


@pytest.mark.parametrize("text", ["", " ", "-", "—", "/", "无"])
def test_nothing_is_nothing(text):
    assert parse_date(text) is None
    assert parse_amount(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "2020-02-30",
        "2020-13-01",
        "8月19日",
        "2020",
        "2020-8/19",
        "19.08.2020",
        "1",
        "明天",
        "2020-08-1909:30",
        "202008199:30",
        "2020-08-19时",
    ],
)
def test_what_is_no_day_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        parse_date(text)


@given(st.dates(min_value=date(1950, 1, 1)), st.sampled_from(["-", "/", ".", "年月日", ""]))
def test_every_day_comes_back(day, style):
    if style == "年月日":
        text = f"{day.year}年{day.month}月{day.day}日"
    else:
        text = day.strftime(f"%Y{style}%m{style}%d")
    assert parse_date(text) == day


@given(st.text(max_size=20))
def test_any_text_is_a_value_or_a_reason(text):
    for parse in (parse_date, parse_amount, parse_integer, parse_flag):
        with contextlib.suppress(ValueError):
            parse(text)


@pytest.mark.parametrize(
    ("text", "factor", "amount"),
    [
        ("1234.50", 1, "1234.50"),
        ("1,234.50", 1, "1234.50"),
        ("１２３４．５", 1, "1234.5"),
        ("¥ 12", 1, "12"),
        ("2416.198713万元", 1, "24161987.13"),
        ("2416.198713", 10_000, "24161987.13"),
        ("24161987.13元", 10_000, "24161987.13"),
        ("-3", 1, "-3"),
    ],
)
def test_amounts_are_exact(text, factor, amount):
    assert parse_amount(text, factor) == Decimal(amount)


@pytest.mark.parametrize("text", ["12,34", "1.2.3", "一百", "1e5", "nan", "inf", "12 34"])
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(ValueError, match="amount"):
        parse_amount(text)


@pytest.mark.parametrize(("text", "number"), [("12", 12), ("12.0", 12), ("1,000", 1000)])
def test_whole_numbers(text, number):
    assert parse_integer(text) == number


def test_half_a_number_is_refused():
    with pytest.raises(ValueError, match="whole"):
        parse_integer("1.5")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.属于国家秘密", "属于国家秘密"),
        ("属于国家秘密", "属于国家秘密"),
        ("（三）不予公开/1.属于国家秘密", "属于国家秘密"),
        ("deny_1_state_secret", "属于国家秘密"),
        ('危及"三安全一稳定"', "危及“三安全一稳定”"),
        ("部分公开（区分处理的，只计这一情形，不计其他情形）", "部分公开"),
        ("(二)部分公开", "部分公开"),
        ("3.其他", "其他"),
        ("（六）其他处理", "其他处理"),
        ("不明", None),
    ],
)
def test_outcomes_in_their_spellings(text, value):
    parse = category_parser(schema_of(ZFXXGK, "applications").column("办理结果"))
    if value is None:
        with pytest.raises(ValueError, match="not one of"):
            parse(text)
    else:
        assert parse(text) == value


@pytest.mark.parametrize("text", ["1" * 20, "9" * 20, "1" * 21, "0.00000000001", "1" * 17])
def test_an_amount_of_too_many_digits_says_what_is_wrong(text):
    with pytest.raises(ValueError, match="not an amount of at most 20 digits"):
        parse_amount(text, factor=10_000)
