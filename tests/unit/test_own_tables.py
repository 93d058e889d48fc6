"""Own tables: a DataFrame in every document, as wide as it needs, its numbers as they are."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from reportkit.errors import InputError
from reportkit.facts import Fact
from reportkit.notebook.display import show
from reportkit.notebook.frames import table_of
from reportkit.notebook.printed import printed


def table(data, **formats):
    return table_of(data, title="", note="", formats=formats)


def cells(made):
    return [[cell["text"] for cell in row] for row in made["rows"]]


@pytest.mark.parametrize(
    ("values", "form", "texts"),
    [
        ([1, 20], "", ["1", "20"]),
        ([1.5, 2.0, np.nan], "", ["1.5", "2.0", ""]),
        ([1.0, np.nan], "", ["1", ""]),
        ([0.1 + 0.2, 1 / 3], "", ["0.30", "0.33"]),
        ([Decimal("1.50"), Decimal("2")], "", ["1.50", "2.00"]),
        ([0.1 + 0.2, np.float64(1.1) * 3], "", ["0.3", "3.3"]),
        ([np.float32(95.3)], "", ["95.3"]),
        ([0.953, 1], "percent", ["95.3%", "100.0%"]),
        ([0.9 + 0.04, 0.9 + 0.05], "percent", ["94%", "95%"]),
        ([24161987.125], ",.2f", ["24,161,987.13"]),
        ([0.5, 2.5], ".0f", ["1", "3"]),
        ([True, False, None], "", ["是", "否", ""]),
        ([pd.Timestamp(2020, 8, 19), pd.NaT], "", ["2020-08-19", ""]),
        ([pd.Timestamp(2020, 8, 19, 9, 30)], "", ["2020-08-19 09:30:00"]),
        ([pd.Period("2020-03", "M")], "", ["2020-03"]),
        (["甲\u202e", 1e22], "", ["甲〈U+202E〉", "10000000000000000000000"]),
        ([10**40, 7], "", [f"1{'0' * 40}", "7"]),
        ([-0.4], ".0f", ["-0"]),
    ],
)
def test_values_are_printed_as_they_are(values, form, texts):
    assert printed(values, form) == texts


def test_a_wrong_form_is_refused():
    with pytest.raises(InputError, match="'prozent' is no form"):
        table(pd.DataFrame({"率": [0.5]}), 率="prozent")
    with pytest.raises(InputError, match="formats names 比率; columns are 率"):
        table(pd.DataFrame({"率": [0.5]}), 比率="percent")
    with pytest.raises(InputError, match=r"of which column: \{'率': 'percent'\}"):
        table_of(pd.DataFrame({"率": [0.5]}), title="", note="", formats="percent")


@pytest.mark.parametrize(
    "value",
    [float("inf"), [1], {"甲": 1}, b"x", 1j, pd.Timedelta(days=2), np.array([1])],
)
def test_what_is_no_value_is_refused(value):
    with pytest.raises(InputError, match="no text, number or day") as caught:
        table(pd.DataFrame({"项": ["甲"], "数": [value]}))
    assert caught.value.reason == "table-value"


def test_names_that_pandas_gives_are_left_out():
    made = table(pd.crosstab(np.array(["甲"]), np.array(["乙"])))
    assert cells(made) == [["", "乙"], ["甲", "1"]]


def test_numbers_stand_to_the_right_and_keep_their_value():
    made = table(pd.DataFrame({"街道": ["甲", "乙"], "件": [1, 2], "率": [1 / 3, 0.5]}))
    assert (made["align"], made["label_columns"]) == (["left", "right", "right"], 1)
    assert cells(made) == [["街道", "件", "率"], ["甲", "1", "0.33"], ["乙", "2", "0.50"]]
    assert made["rows"][1][0]["role"] == "label"
    assert made["rows"][1][2]["value"] == "0.333333333333333"


def test_labels_of_several_levels_are_merged_on_both_sides():
    index = pd.MultiIndex.from_product([["甲", "乙"], [2019, 2020]], names=["街道", "年度"])
    columns = pd.MultiIndex.from_tuples([("申请", "新收"), ("申请", "办结"), ("合计", "")])
    made = table(pd.DataFrame(np.arange(12).reshape(4, 3), index=index, columns=columns))
    shape = [[(c["text"], c["colspan"], c["rowspan"]) for c in row] for row in made["rows"]]
    assert shape[0] == [("街道", 1, 2), ("年度", 1, 2), ("申请", 2, 1), ("合计", 1, 2)]
    assert shape[1] == [("新收", 1, 1), ("办结", 1, 1)]
    assert shape[2][:2] == [("甲", 1, 2), ("2019", 1, 1)]
    assert shape[3][0] == ("2020", 1, 1)
    assert (made["head_rows"], made["label_columns"], made["columns"]) == (2, 2, 5)


def test_the_same_heading_twice_is_two_columns():
    made = table(pd.DataFrame([[1, 2]], columns=["件", "件"], index=["甲"]))
    assert cells(made)[0] == ["", "件", "件"]


def test_numbers_of_rows_are_left_out():
    ledger = pd.DataFrame({"项": ["甲"]}, index=pd.Index([7], name="row"))
    assert table(ledger)["columns"] == 1
    years = pd.Series({2019: 5, 2020: 7}, name="件")
    assert cells(table(years)) == [["", "件"], ["2019", "5"], ["2020", "7"]]


def test_a_fact_in_a_cell_is_bound():
    fact = Fact("own.a", "甲", Decimal(7), "件", "sum", "")
    made = table(pd.DataFrame({"项": ["甲"], "数": [fact]}))
    assert made["rows"][1][1] == {
        "text": "7",
        "role": "value",
        "colspan": 1,
        "rowspan": 1,
        "fact": "own.a",
    }
    assert made["align"] == ["left", "right"]


@pytest.mark.parametrize(
    ("columns", "width", "setting"),
    [
        (4, 4, (12, False)), (12, 4, (12, False)), (16, 4, (9, False)), (6, 11, (10, False)),
        (20, 4, (10, True)), (9, 13, (8, True)),
    ],
)  # fmt: skip
def test_the_first_setting_that_has_room_is_taken(columns, width, setting):
    made = table(pd.DataFrame([[10 ** (width - 1)] * columns], index=["甲"]))
    assert (made["size"], made["turned"]) == setting
    room = (637.8 if made["turned"] else 442.2) - 6.5 * made["columns"]
    assert sum(made["widths"]) * made["size"] <= room + 1


def test_what_no_page_holds_is_refused():
    with pytest.raises(InputError, match=r"too wide for a page.*41 columns") as caught:
        table(pd.DataFrame([[123456] * 40], index=["甲"]))
    assert caught.value.reason == "table-wide"
    with pytest.raises(InputError, match="401 rows; a document shows 400") as caught:
        table(pd.DataFrame({"数": range(401)}))
    assert caught.value.reason == "table-long"
    with pytest.raises(InputError, match="no column"):
        table(pd.DataFrame(index=range(3)))


def test_a_text_longer_than_a_page_is_refused():
    with pytest.raises(InputError, match="column 说明 is a text longer than a page") as caught:
        table(pd.DataFrame({"项": ["甲"], "说明": ["字" * 3000]}))
    assert caught.value.reason == "table-long"
    assert table(pd.DataFrame({"项": ["甲"], "说明": ["字" * 400]}))["size"] == 12


def test_what_no_line_breaks_gets_its_width_or_is_refused():
    address = "http://www.pingtan.gov.cn/" + "abcdefgh" * 4
    made = table(pd.DataFrame({"项": ["甲"] * 2, "地址": [address, "无"], "数": [1, 2]}))
    assert made["widths"][1] > 32 * 0.56
    with pytest.raises(InputError, match="too wide for a page"):
        table(pd.DataFrame({"项": ["甲"], "地址": ["abcdefgh" * 30]}))


def test_an_empty_table_says_so():
    made = table(pd.DataFrame({"街道": [], "件": []}))
    assert cells(made)[-1] == ["（没有记录）"]


def test_a_table_is_read_where_styles_and_html_are_dropped():
    shown = show(
        table_of(pd.DataFrame({"街道": ["甲<b>"], "件": [12]}), title="表", note="注", formats={})
    )
    assert '<td colspan="1" rowspan="1" align="right">12</td>' in shown.html
    assert "甲&lt;b&gt;" in shown.html
    assert repr(shown).splitlines() == ["表", "街道   件", "甲<b>  12", "注"]
