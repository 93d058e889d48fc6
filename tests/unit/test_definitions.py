import pandas as pd
import pytest

from reportkit.errors import InputError
from reportkit.forms.conditions import Definition, condition_from, parse_where

FRAME = pd.DataFrame(
    {
        "类型": pd.Categorical(["甲", "乙", "甲", None]),
        "日期": pd.to_datetime(["2019-12-31", "2020-01-01", "2020-12-31", None]),
        "标题": ["一号通知", "二号", None, "通知"],
    }
)


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ({"类型": "甲"}, [0, 2]),
        ({"类型": ["甲", "乙"]}, [0, 1, 2]),
        ({"类型": {"not": "甲"}}, [1, 3]),
        ({"日期": {"during": "Y"}}, [1, 2]),
        ({"日期": {"during": "Y-1"}}, [0]),
        ({"日期": {"before": "Y"}}, [0]),
        ({"日期": {"until": "Y"}}, [0, 1, 2]),
        ({"日期": {"until": "Y-06-30"}}, [0, 1]),
        ({"日期": {"not_before": "Y"}}, [1, 2, 3]),
        ({"日期": {"not_until": "Y"}}, [3]),
        ({"日期": {"from": "Y-01-01", "to": "2020-12-30"}}, [1]),
        ({"日期": "2020-12-31"}, [2]),
        ({"日期": {"empty": "true"}}, [3]),
        ({"日期": {"empty": "false"}}, [0, 1, 2]),
        ({"标题": {"contains": "通知"}}, [0, 3]),
    ],
)
def test_conditions_choose_rows(where, rows):
    (condition,) = parse_where(where, 2020)
    assert condition.mask(FRAME).nonzero()[0].tolist() == rows


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ({"收到日期": {"during": "Y"}}, "收到日期在2020年内"),
        ({"收到日期": {"before": "Y"}}, "收到日期早于2020-01-01"),
        ({"答复日期": {"not_until": "Y"}}, "答复日期为空或晚于2020-12-31"),
        ({"类型": ["甲", "乙"]}, "类型是“甲”、“乙”之一"),
        ({"地位": {"not": "共同被告"}}, "地位不是“共同被告”"),
    ],
)
def test_conditions_speak_chinese(where, text):
    (condition,) = parse_where(where, 2020)
    assert condition.text() == text


@pytest.mark.parametrize(
    "where",
    [{"日期": {"around": "Y"}}, {"日期": {"until": "June"}}, {"日期": {"from": "Y-01-01"}}],
)
def test_a_condition_that_means_nothing_is_refused(where):
    with pytest.raises(InputError) as error:
        parse_where(where, 2020)
    assert error.value.reason == "condition"


def test_a_change_is_reported_as_plus_and_minus():
    definition = Definition(
        "items",
        parse_where({"设立日期": {"during": "Y"}}, 2020),
        minus=parse_where({"取消日期": {"during": "Y"}}, 2020),
    )
    assert definition.text("事项目录") == (
        "事项目录中，设立日期在2020年内的记录数，减去取消日期在2020年内的记录数"
    )
    assert [group["sign"] for group in definition.where_json()] == ["+", "-"]


@pytest.mark.parametrize(
    ("cell", "counted"),
    [
        ("罚款", True),
        ("警告、罚款", True),
        ("罚款，其他", True),
        ("罚款、行政拘留", False),
        ("行政拘留", False),
        ("警告", False),
        (None, False),
    ],
)
def test_of_several_values_in_a_cell_the_heaviest_counts(cell, counted):
    (condition,) = parse_where({"处罚种类": {"heaviest": ["罚款"], "over": ["行政拘留"]}}, 2024)
    frame = pd.DataFrame({"处罚种类": pd.Series([cell], dtype="str")})
    assert condition.mask(frame).tolist() == [counted]
    assert condition.text() == "处罚种类中最重的是“罚款”"
    assert condition_from(condition.as_json()) == condition
