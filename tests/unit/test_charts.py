"""Charts: words from their numbers, marks that stay apart in grey, sixty bars on one page."""

import re
from base64 import b64decode
from decimal import Decimal
from importlib.resources import files
from itertools import pairwise
from xml.etree import ElementTree

import matplotlib as mpl
import pandas as pd
import pytest

import reportkit as rk
from reportkit.errors import ExecutionError, InputError
from reportkit.export.drawing import clean
from reportkit.notebook.charts import chart
from reportkit.notebook.style import house_style

MONTHS = pd.DataFrame(
    {"收到": [7, 0, 11], "答复": [4, 5, 8], "月末未答复": [3, 0, 3]}, index=["1月", "2月", "3月"]
)


def texts(shown):
    return [one.text for one in ElementTree.fromstring(shown.block["svg"]).iter() if one.text]


def across(text):
    """Return the place of a text from the left."""
    turned = re.match(r"translate\(([\d.]+)", text.get("transform", ""))
    return float(turned[1] if turned else text.get("x"))


def test_the_chart_in_words_says_its_maximum_and_every_value():
    shown = chart("m", MONTHS, title="各月申请", kind="columns", line="月末未答复")
    assert shown.block["alt"] == (
        "柱状图和折线图：各月申请（单位：件）。"
        "收到：合计18，最多为3月（11）；1月7，2月0，3月11。"
        "答复：合计17，最多为3月（8）；1月4，2月5，3月8。"
        "月末未答复：最多为1月（3）；1月3，2月0，3月3。"
    )
    assert shown.block["data"]["rows"][2] == ["3月", 11, 8, 3]


def test_values_stand_at_their_marks_and_there_is_no_scale():
    shown = chart("m", MONTHS, title="各月申请", kind="columns", line="月末未答复")
    found = [text.strip() for text in texts(shown)]
    assert [text for text in found if text.isdigit()] == ["7", "11", "4", "5", "8", "3", "0", "3"]
    assert found.count("月末未答复") == 1


def test_the_limit_is_drawn_and_reported():
    days = pd.DataFrame({"期限内": [5, 2]}, index=["20日以内", "20日以上"])
    limit = ("20日以内", "法定期限")
    shown = chart("d", days, title="办理工作日", kind="columns", limit=limit)
    assert shown.block["alt"].endswith("“20日以内”之后画有界线：法定期限。")
    assert "法定期限" in "".join(texts(shown))


def test_the_label_of_the_last_mark_stays_on_the_sheet():
    days = pd.DataFrame({"期限内": [5, 2]}, index=["20日以内", "20日以上"])
    limit = ("20日以上", "法定期限")
    shown = chart("d", days, title="办理工作日", kind="columns", limit=limit)
    result = next(
        one for one in ElementTree.fromstring(shown.block["svg"]).iter() if one.text == limit[1]
    )
    assert "text-anchor: end" in result.get("style")


def test_a_long_number_stays_on_the_sheet():
    data = pd.DataFrame({"件数": [123456789012, 1]}, index=["甲", "乙"])
    drawn = ElementTree.fromstring(chart("u", data, title="各类").block["svg"])
    result = next(one for one in drawn.iter() if one.text == "123456789012")
    width = float(drawn.get("viewBox").split()[2])
    assert across(result) + 12 * 0.56 * 9 < width


def test_series_stay_apart_in_grey():
    greys = []
    for tone in house_style()["axes.prop_cycle"].by_key()["color"]:
        red, green, blue = (int(tone[at : at + 2], 16) / 255 for at in (1, 3, 5))
        greys.append(0.2126 * red + 0.7152 * green + 0.0722 * blue)
    assert min(abs(a - b) for a in greys for b in greys if a != b) > 0.15


def test_every_colour_has_another_on_a_dark_ground():
    months = chart("m", MONTHS, title="各月申请", kind="columns", line="月末未答复")
    limit = ("2月", "期限")
    days = chart("d", MONTHS, title="各月申请", kind="columns", limit=limit)
    drawn = clean(months.block["svg"], "m") + clean(days.block["svg"], "d")
    colours = set(re.findall(r"(?:fill|stroke): #\w+", drawn))
    dark = (files("reportkit.export") / "templates" / "base.css").read_text("utf-8")
    assert len(colours) == 7
    assert {colour for colour in colours if f'[style*="{colour}"]' not in dark} == set()


def test_large_numbers_of_neighbours_do_not_run_together():
    index = [f"{month}月" for month in range(1, 13)]
    data = pd.DataFrame({"收到": range(12345, 12357), "答复": range(54321, 54333)}, index=index)
    drawn = ElementTree.fromstring(chart("m", data, title="图", kind="columns").block["svg"])
    result = [one for one in drawn.iter() if (one.text or "").isdigit()]
    places = sorted(map(across, result))
    apart = min(b - a for a, b in pairwise(places))
    (size,) = {float(re.search(r"font-size: ([\d.]+)px", one.get("style"))[1]) for one in result}
    assert len(result) == 24
    assert 5 * 0.56 * size < apart  # a figure is 0.56 of its size wide


def test_sixty_units_fit_on_a_page():
    names = [f"某区第{number}街道办事处综合行政执法大队办公室" for number in range(60)]
    shown = chart("u", pd.DataFrame({"件数": range(60)}, index=names), title="各单位")
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', clean(shown.block["svg"], "u"))
    width, height = float(box[1]), float(box[2])
    assert 156 * 0.8 * height / width < 215  # millimetres, at four fifths of the width
    assert len(shown.block["data"]["rows"]) == 60


def test_unseen_characters_of_labels_are_named():
    shown = chart("u", pd.DataFrame({"件数": [1]}, index=["甲\u202e乙"]), title="各类")
    assert "甲〈U+202E〉乙" in texts(shown)


def test_a_label_without_glyph_stops():
    with pytest.raises(ExecutionError) as caught:
        chart("u", pd.DataFrame({"件数": [1]}, index=["公开😀"]), title="各类")
    assert caught.value.reason == "glyph-missing"


RATES = pd.Series([95.3, 88.9, None, 100], index=["甲街道", "乙街道", "丙街道", "丁街道"])


def test_decimals_stay_as_they_are_and_percentages_have_no_total():
    shown = chart("r", RATES, title="按时率", unit="%")
    assert shown.block["data"]["columns"] == ["类别", "数值"]
    assert shown.block["data"]["rows"] == [
        ["甲街道", 95.3],
        ["乙街道", 88.9],
        ["丙街道", "—"],
        ["丁街道", 100.0],
    ]
    assert shown.block["alt"] == (
        "柱状图：按时率（单位：%）。数值：最高为丁街道（100.0）；"
        "甲街道95.3，乙街道88.9，丙街道缺，丁街道100.0。"
    )
    assert {"95.3", "88.9", "—", "100.0"} <= set(texts(shown))


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ([1.5, 2], ["1.5", "2.0"]),
        ([7.0, None], ["7", "—"]),
        ([12.345, -0.5], ["12.345", "-0.500"]),
        ([1 / 3, 2 / 3], ["0.33", "0.67"]),
        ([Decimal("1234.50"), Decimal("-3.25")], ["1234.50", "-3.25"]),
        ([1e9, 3], ["1000000000", "3"]),
    ],
)
@pytest.mark.parametrize("kind", ["bars", "columns"])
def test_any_numbers_stand_at_their_marks(numbers, shown, kind):
    data = pd.Series(numbers, index=["甲", "乙"], name="数")
    found = texts(chart("n", data, title="图", unit="万元", kind=kind))
    assert [text for text in found if text in shown] == shown


@pytest.mark.parametrize("kind", ["bars", "columns"])
def test_negative_values_stand_on_the_other_side(kind):
    data = pd.Series({"甲": -12, "乙": 5}, name="增减")
    drawn = ElementTree.fromstring(chart("n", data, title="增减", kind=kind).block["svg"])
    boxes = [one.get("d") for one in drawn.iter() if "#1f4e79" in one.get("style", "")]
    spans = [list(map(float, re.findall(r"[-\d.]+", box))) for box in boxes if box]
    axis = 0 if kind == "bars" else 1
    ends = [(min(span[axis::2]), max(span[axis::2])) for span in spans]
    less, more = ends if kind == "bars" else ends[::-1]
    assert less[1] == pytest.approx(more[0], abs=0.1)  # both begin at the line of zero


def test_only_what_adds_up_is_added_up():
    data = pd.Series({"甲": 2, "乙": 3}, name="数")
    assert "合计5" in chart("n", data, title="图", unit="件").block["alt"]
    assert "合计5" in chart("n", data, title="图", unit="万元").block["alt"]
    for unit in ("%", "个工作日", "‰"):
        assert "合计" not in chart("n", data, title="图", unit=unit).block["alt"]


def test_several_levels_of_labels_are_joined():
    index = pd.MultiIndex.from_tuples([("甲", 2020), ("乙", 2021)], names=["街道", "年度"])
    shown = chart("n", pd.Series([1, 2], index=index, name="数"), title="图")
    assert shown.block["data"]["columns"] == ["街道 年度", "数"]
    assert [row[0] for row in shown.block["data"]["rows"]] == ["甲 2020", "乙 2021"]


@pytest.mark.parametrize(
    ("data", "how", "expected"),
    [
        (pd.DataFrame({"甲": ["多"]}), {}, "'多', which is no number"),
        (pd.Series([float("inf")]), {}, "inf, which is no number"),
        (pd.Series([pd.Timestamp(2020, 1, 1)]), {}, "which is no number"),
        (pd.DataFrame([[1, 2, 3, 4]]), {}, "there are 4 series"),
        (MONTHS, {"kind": "columns", "line": "未答复"}, "columns are 收到, 答复, 月末未答复"),
        (MONTHS, {"kind": "columns", "limit": ("4月", "期限")}, "labels are 1月, 2月, 3月"),
        (MONTHS, {"kind": "pie"}, "kinds are bars、columns"),
        (pd.Series(range(81)), {}, "there are 81 labels, a chart shows 80"),
        ({"甲": 1}, {}, "not dict: pd.Series(…) makes one"),
        ([1, 2], {}, "not list"),
    ],
)
def test_what_cannot_be_drawn_is_refused(data, how, expected):
    with pytest.raises(InputError, match=re.escape(expected)) as caught:
        chart("n", data, title="图", **how)
    assert caught.value.reason == "chart-data"
    assert "chart 'n'" in caught.value.message


def test_a_label_does_not_run_into_its_number():
    words = chart("n", pd.Series([7, 12], index=[2020, 2021]), title="图").block["alt"]
    assert words.endswith("；2020：7，2021：12。")


@pytest.mark.parametrize("data", [pd.Series(dtype="float64"), pd.Series([0, 0]), RATES.iloc[[2]]])
def test_nothing_is_drawn_where_there_is_nothing(data):
    assert chart("n", data, title="图") is None


def test_a_chart_has_the_same_bytes_whatever_else_was_set():
    before = chart("n", MONTHS, title="图")
    with mpl.rc_context({"font.size": 20, "axes.facecolor": "red", "svg.fonttype": "path"}):
        assert chart("n", MONTHS, title="图") == before


def test_a_chart_is_a_picture_for_viewers_that_drop_drawings():
    shown = chart("n", MONTHS, title="各月<申请>")
    bundle = shown._repr_mimebundle_()
    assert b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert f'src="data:image/png;base64,{bundle["image/png"]}"' in bundle["text/html"]
    assert "<figcaption>各月&lt;申请&gt;</figcaption>" in bundle["text/html"]
    assert "<svg" not in bundle["text/html"]
    assert bundle["text/plain"] == repr(shown) == shown.block["alt"]


def test_the_old_name_says_what_took_its_place():
    with pytest.raises(AttributeError, match=r"it is report\.chart"):
        _ = rk.show_chart
