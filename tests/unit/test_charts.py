"""Charts: words from their numbers, marks that stay apart in grey, sixty bars on one page."""

import re
from importlib.resources import files
from itertools import pairwise
from xml.etree import ElementTree

import pandas as pd
import pytest

from reportkit.errors import ExecutionError
from reportkit.export.drawing import clean
from reportkit.notebook.charts import _TONES, show_chart

MONTHS = pd.DataFrame(
    {"收到": [7, 0, 11], "答复": [4, 5, 8], "月末未答复": [3, 0, 3]}, index=["1月", "2月", "3月"]
)


def texts(shown):
    return [one.text for one in ElementTree.fromstring(shown.block["svg"]).iter() if one.text]


def test_the_chart_in_words_says_what_is_most_and_every_value():
    shown = show_chart("m", MONTHS, title="各月申请", kind="columns", line="月末未答复")
    assert shown.block["alt"] == (
        "柱状图和折线图：各月申请（单位：件）。"
        "收到：合计18，最多为3月（11）；1月7，2月0，3月11。"
        "答复：合计17，最多为3月（8）；1月4，2月5，3月8。"
        "月末未答复：最多为1月（3）；1月3，2月0，3月3。"
    )
    assert shown.block["data"]["rows"][2] == ["3月", 11, 8, 3]


def test_values_stand_at_their_marks_and_there_is_no_scale():
    shown = show_chart("m", MONTHS, title="各月申请", kind="columns", line="月末未答复")
    found = [text.strip() for text in texts(shown)]
    assert [text for text in found if text.isdigit()] == ["7", "11", "4", "5", "8", "3", "0", "3"]
    assert found.count("月末未答复") == 1


def test_the_limit_is_drawn_and_told():
    days = pd.DataFrame({"期限内": [5, 2]}, index=["20日以内", "20日以上"])
    limit = ("20日以内", "法定期限")
    shown = show_chart("d", days, title="办理工作日", kind="columns", limit=limit)
    assert shown.block["alt"].endswith("“20日以内”之后画有界线：法定期限。")
    assert "法定期限" in "".join(texts(shown))


def test_what_is_told_at_the_last_mark_stays_on_the_sheet():
    days = pd.DataFrame({"期限内": [5, 2]}, index=["20日以内", "20日以上"])
    limit = ("20日以上", "法定期限")
    shown = show_chart("d", days, title="办理工作日", kind="columns", limit=limit)
    told = next(
        one for one in ElementTree.fromstring(shown.block["svg"]).iter() if one.text == limit[1]
    )
    assert "text-anchor: end" in told.get("style")


def test_a_long_number_stays_on_the_sheet():
    data = pd.DataFrame({"件数": [123456789012, 1]}, index=["甲", "乙"])
    drawn = ElementTree.fromstring(show_chart("u", data, title="各类").block["svg"])
    told = next(one for one in drawn.iter() if one.text == "123456789012")
    width = float(drawn.get("viewBox").split()[2])
    assert float(told.get("x")) + 12 * 0.56 * 9 < width


def test_series_stay_apart_in_grey():
    greys = []
    for tone in _TONES:
        red, green, blue = (int(tone[at : at + 2], 16) / 255 for at in (1, 3, 5))
        greys.append(0.2126 * red + 0.7152 * green + 0.0722 * blue)
    assert min(abs(a - b) for a in greys for b in greys if a != b) > 0.15


def test_every_colour_has_another_on_a_dark_ground():
    months = show_chart("m", MONTHS, title="各月申请", kind="columns", line="月末未答复")
    limit = ("2月", "期限")
    days = show_chart("d", MONTHS, title="各月申请", kind="columns", limit=limit)
    drawn = clean(months.block["svg"], "m") + clean(days.block["svg"], "d")
    colours = set(re.findall(r"(?:fill|stroke): #\w+", drawn))
    dark = (files("reportkit.export") / "templates" / "base.css").read_text("utf-8")
    assert len(colours) == 7
    assert {colour for colour in colours if f'[style*="{colour}"]' not in dark} == set()


def test_large_numbers_of_neighbours_do_not_run_together():
    index = [f"{month}月" for month in range(1, 13)]
    data = pd.DataFrame({"收到": range(12345, 12357), "答复": range(54321, 54333)}, index=index)
    drawn = ElementTree.fromstring(show_chart("m", data, title="图", kind="columns").block["svg"])
    told = [one for one in drawn.iter() if (one.text or "").isdigit()]
    places = sorted(float(one.get("x")) for one in told)
    apart = min(b - a for a, b in pairwise(places))
    (size,) = {float(re.search(r"font-size: ([\d.]+)px", one.get("style"))[1]) for one in told}
    assert len(told) == 24
    assert 5 * 0.56 * size < apart  # a figure is 0.56 of its size wide


def test_sixty_units_fit_on_a_page():
    names = [f"某区第{number}街道办事处综合行政执法大队办公室" for number in range(60)]
    shown = show_chart("u", pd.DataFrame({"件数": range(60)}, index=names), title="各单位")
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', clean(shown.block["svg"], "u"))
    width, height = float(box[1]), float(box[2])
    assert 156 * 0.8 * height / width < 215  # millimetres, at four fifths of the width
    assert len(shown.block["data"]["rows"]) == 60


def test_unseen_characters_of_labels_are_named():
    shown = show_chart("u", pd.DataFrame({"件数": [1]}, index=["甲\u202e乙"]), title="各类")
    assert "甲〈U+202E〉乙" in texts(shown)


def test_a_label_without_glyph_stops():
    with pytest.raises(ExecutionError) as caught:
        show_chart("u", pd.DataFrame({"件数": [1]}, index=["公开😀"]), title="各类")
    assert caught.value.reason == "glyph-missing"
