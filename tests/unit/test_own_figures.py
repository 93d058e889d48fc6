"""Own figures: what matplotlib, pandas and seaborn draw, in our typefaces, with fixed bytes."""

import re
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import seaborn as sns

from reportkit.errors import InputError
from reportkit.export.drawing import clean
from reportkit.notebook.display import show
from reportkit.notebook.figures import figure_block, figure_in, prepare


@pytest.fixture(autouse=True)
def as_in_a_notebook():
    with plt.rc_context(), warnings.catch_warnings():
        prepare()
        yield
    plt.close("all")


def bars():
    figure, axes = plt.subplots()
    axes.bar(["一月", "二月"], [-3, 5], hatch="/")
    axes.set_title("收到的申请（件）")
    return figure


def grid():
    data = pd.DataFrame({"街道": ["甲", "乙"] * 3, "件": range(6), "年": ["一", "二", "三"] * 2})
    return sns.catplot(data, x="街道", y="件", col="年", kind="bar")


DRAWN = {
    "figure": bars,
    "axes": lambda: pd.Series([1, 2], ["甲", "乙"]).plot.barh(),
    "array": lambda: pd.DataFrame({"甲": [1, 2], "乙": [2, 3]}).plot(subplots=True),
    "lines": lambda: plt.plot([1, 2]),
    "columns": lambda: plt.bar(["甲", "乙"], [1, 2]),
    "heatmap": lambda: sns.heatmap(pd.DataFrame([[1, 2], [3, 4]], ["甲", "乙"]), annot=True),
    "grid": grid,
    "image": lambda: plt.imshow(np.arange(9).reshape(3, 3)).axes,
}


def svg(thing, **how):
    how = {"title": "图", "alt": "一张图", "note": ""} | how
    return figure_block(figure_in(thing), **how)["svg"]


@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_has_the_same_bytes_each_time(name):
    one = svg(DRAWN[name]())
    plt.close("all")
    assert svg(DRAWN[name]()) == one
    assert clean(one, "own-1").startswith("<svg")
    assert "DejaVu" not in one


def test_other_styles_do_not_bring_other_typefaces():
    with sns.axes_style("whitegrid"), plt.rc_context({"font.family": "sans-serif"}):
        axes = pd.Series([1, 2], ["甲街道", "乙街道"]).plot.barh()
        axes.set_xlabel("件数")
        drawn = svg(axes)
    assert set(re.findall(r"font-family: ([^;\"]*)", drawn)) == {"'RK Hei', 'RK Song'"}
    assert "甲街道" in drawn


def test_a_figure_needs_its_words():
    with pytest.raises(InputError, match="a figure needs its words") as caught:
        svg(bars(), alt=" ")
    assert caught.value.reason == "figure-alt"


def test_a_figure_of_many_points_must_be_a_picture():
    points = np.arange(20_000)
    figure, axes = plt.subplots()
    axes.plot(points, points % 97, ".")
    with pytest.raises(InputError, match=r"takes \d+ kB.*rasterized=True") as caught:
        svg(figure)
    assert caught.value.reason == "figure-large"
    figure, axes = plt.subplots()
    axes.plot(points, points % 97, ".", rasterized=True)
    assert "data:image/png" in svg(figure)


def test_a_character_without_glyph_is_reported():
    figure, axes = plt.subplots()
    axes.set_title("公开😀")
    with pytest.raises(InputError, match="replace the character") as caught:
        svg(figure)
    assert caught.value.reason == "glyph-missing"


@pytest.mark.parametrize(
    "drawn", [plt.figure, plt.gcf, lambda: plt.subplots(2)[1]], ids=["new", "current", "axes"]
)
def test_a_figure_that_shows_nothing_is_refused(drawn):
    with pytest.raises(InputError, match="draw and show it in one cell") as caught:
        svg(drawn())
    assert caught.value.reason == "figure-empty"


@pytest.mark.parametrize("thing", [1, "x", [1], [], pd.DataFrame(), np.arange(3), None])
def test_what_is_no_drawing_is_none(thing):
    assert figure_in(thing) is None


def test_a_figure_is_a_picture_in_jupyter():
    shown = show(figure_block(bars(), title="图<b>", alt="两条", note="注：示例"))
    bundle = shown._repr_mimebundle_()
    assert f"data:image/png;base64,{bundle['image/png']}" in bundle["text/html"]
    assert "图&lt;b&gt;<br>注：示例" in bundle["text/html"]
    assert (bundle["text/plain"], "<svg" in bundle["text/html"]) == ("两条", False)
