"""Charts in one house style: one message each, direct labels, readable in grey, exact bytes.

They are drawn on matplotlib's axes with the style sheet beside this file (``reportkit.mplstyle``),
which a figure of an analyst's own has too.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from io import StringIO
from typing import TYPE_CHECKING, Any, Literal, get_args

import matplotlib as mpl
import pandas as pd
import reportkit_fonts
from matplotlib import font_manager
from matplotlib.figure import Figure

from reportkit.errors import ExecutionError, InputError
from reportkit.export.blocks import Block, block, visible
from reportkit.facts.numerals import plain
from reportkit.language import Message
from reportkit.notebook.display import Shown, look
from reportkit.notebook.printed import number_in, printed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes

Kind = Literal["bars", "columns"]

_MISSING = "—"
# Points: how wide a chart is, and where its marks may stand.
_WIDTH, _LEFT, _RIGHT = 439.2, 8, 435.2
_SERIES = 3
# More bars than this on one page cannot be read.
_LABELS = 80
# What is counted or paid adds up; percentages, and days that something took, do not.
_ADDS_UP = "件条个项份次人家篇场期宗起本批元"


@dataclass(frozen=True)
class _Series:
    """One column of a chart: its numbers, those of missing values as 0, and how they are told."""

    name: str
    numbers: list[Decimal | None]
    texts: list[str]

    @property
    def heights(self) -> list[float]:
        return [float(number or 0) for number in self.numbers]


@dataclass(frozen=True)
class _Data:
    """Data of a chart: labels, and at most three series."""

    heading: str
    labels: list[str]
    series: list[_Series]

    @property
    def heights(self) -> list[float]:
        return [height for one in self.series for height in one.heights]

    @property
    def longest(self) -> float:
        return max(_width(text) for one in self.series for text in one.texts)


def chart(
    name: str,
    data: pd.DataFrame | pd.Series,
    *,
    title: str,
    kind: Kind = "bars",
    unit: str = "件",
    line: str | None = None,
    limit: tuple[str, str] | None = None,
) -> Shown | None:
    """Draw a chart in the house style; None where there is nothing to draw.

    Parameters
    ----------
    name : str
        Id of the chart in the documents.
    data : pandas.DataFrame or Series
        Labels in the index; one column of numbers for each series, three at most. Decimals are
        shown as they are, negative ones on the other side, missing ones as —.
    title : str
    kind : {"bars", "columns"}
        Horizontal bars for categories, columns for what has an order, such as months.
    unit : str
        Printed once. What is counted (件, 条, 元 …) is also added up in the chart's words.
    line : str, optional
        A column of *data* drawn as a line in a panel of its own below (a stock beside flows).
    limit : (str, str), optional
        The last label within a limit, and what to write at the line that is drawn after it.

    Returns
    -------
    Shown or None

    Raises
    ------
    InputError
        ``chart-data``: not numbers, more than three series, or no such *line* or *limit*.
    ExecutionError
        ``glyph-missing``: a label has a character that the shipped fonts do not have.
    """
    made = chart_block(name, data, title=title, kind=kind, unit=unit, line=line, limit=limit)
    return None if made is None else look(made)


def chart_block(
    name: str,
    data: pd.DataFrame | pd.Series,
    *,
    title: str,
    kind: Kind,
    unit: str,
    line: str | None = None,
    limit: tuple[str, str] | None = None,
) -> Block | None:
    """The block of a chart; see `chart`."""
    told = _read(name, data, line=line, limit=limit)
    if kind not in (kinds := get_args(Kind)):
        raise InputError(
            "chart-data",
            "chart '{chart}': there is no kind {kind!r}; kinds are {known}; others are drawn with "
            "matplotlib, for report.show",
            kind=kind,
            known="、".join(kinds),
            chart=name,
        )
    if not any(told.heights):
        return None
    know_fonts()
    with _house_style(), warnings.catch_warnings():
        warnings.filterwarnings("error", message="Glyph .* missing")
        try:
            figure = _bars(told, unit) if kind == "bars" else _columns(told, unit, line, limit)
            svg = as_svg(figure)
        except UserWarning as warning:
            raise ExecutionError(
                "glyph-missing",
                "chart '{name}': {warning}; replace the character in the label",
                name=name,
                warning=warning,
            ) from None
    columns = [told.heading, *(one.name for one in told.series)]
    cells = zip(told.labels, *(map(_as_json, one.texts) for one in told.series), strict=True)
    fields = {
        "id": name,
        "title": title,
        "alt": _alt(told, title, unit, line=line, limit=limit),
        "svg": svg,
        "data": {"columns": columns, "rows": [list(row) for row in cells]},
    }
    return block("chart", **fields)


def _read(
    name: str,
    data: pd.DataFrame | pd.Series,
    *,
    line: str | None,
    limit: tuple[str, str] | None,
) -> _Data:
    if isinstance(data, pd.Series):
        data = data.to_frame("数值" if data.name is None else data.name)
    if not isinstance(data, pd.DataFrame):
        raise InputError(
            "chart-data",
            "chart '{chart}': it is drawn from a DataFrame or a Series, not {kind}: pd.Series(…) "
            "makes one",
            kind=type(data).__name__,
            chart=name,
        )
    series = []
    for column, values in data.items():
        told = str(visible(_label(column)))
        numbers = [number_in(value) for value in values]
        if wrong := [v for v, n in zip(values, numbers, strict=True) if n is None and pd.notna(v)]:
            raise InputError(
                "chart-data",
                "chart '{chart}': column {told} holds {wrong!r}, which is no number",
                told=told,
                wrong=wrong[0],
                chart=name,
            )
        series.append(_Series(told, numbers, printed(values, missing=_MISSING)))
    labels = [str(visible(_label(label))) for label in data.index]
    names, fault = [one.name for one in series], ""
    if len(labels) > _LABELS:
        fault = Message(
            "there are {count} labels, a chart shows {most}: draw the largest "
            "(.nlargest), sum up, or show a table",
            count=len(labels),
            most=_LABELS,
        )
    elif len(series) > _SERIES:
        fault = Message(
            "there are {count} series, a chart shows {most}; draw one of your own",
            count=len(series),
            most=_SERIES,
        )
    elif line is not None and line not in names:
        fault = Message(
            "there is no column '{line}' to draw as a line; columns are {names}",
            line=line,
            names=", ".join(names),
        )
    elif limit is not None and limit[0] not in labels:
        fault = Message(
            "there is no label '{limit}' to end the limit; labels are {labels}",
            limit=limit[0],
            labels=", ".join(labels),
        )
    if fault:
        raise InputError("chart-data", "chart '{chart}': {fault}", fault=fault, chart=name)
    heading = " ".join(str(one) for one in data.index.names if one is not None)
    return _Data(heading or "类别", labels, series)


def _as_json(text: str) -> int | float | str:
    """A number that prints as this text, else the text: 1234.50 of an amount keeps its zero."""
    for kind in (int, float):
        with suppress(ValueError):
            if str(kind(text)) == text:
                return kind(text)
    return text


def _label(label: Any) -> str:
    return " ".join(printed(label)) if isinstance(label, tuple) else printed([label])[0]


@cache
def know_fonts() -> None:
    """Tell matplotlib our typefaces, once: each time it reads them and forgets what it found."""
    for path in sorted(reportkit_fonts.folder().glob("*.ttf")):
        if path.name.startswith(("RK-Hei", "RK-Song")):
            font_manager.fontManager.addfont(path)


@cache
def house_style() -> mpl.RcParams:
    """The settings of ``reportkit.mplstyle``."""
    path = files("reportkit.notebook") / "reportkit.mplstyle"
    return mpl.rc_params_from_file(str(path), use_default_template=False)


@contextmanager
def _house_style() -> Iterator[None]:
    """The style, whatever else a notebook has set; on no ground, so that a page's own is seen."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(house_style())
        mpl.rcParams["figure.facecolor"] = "none"
        yield


def as_svg(figure: Figure, **how: Any) -> str:
    """A figure as SVG, the same bytes each time."""
    buffer = StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "reportkit"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, **how)
    return buffer.getvalue()


def _sheet(height: float, low: float, high: float, *, left: float = _LEFT) -> tuple[Figure, Axes]:
    """A figure of so many points with axes between these edges, without their scale."""
    figure = Figure(figsize=(_WIDTH / 72, height / 72))
    axes = _axes(figure, low, high, left=left)
    return figure, axes


def _axes(figure: Figure, low: float, high: float, *, left: float = _LEFT) -> Axes:
    height = figure.get_figheight() * 72
    place = (left / _WIDTH, low / height, (_RIGHT - left) / _WIDTH, (high - low) / height)
    axes = figure.add_axes(place, facecolor="none")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return axes


def _tones() -> list[str]:
    found: list[str] = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
    return found


def _scale(heights: Sequence[float], room: float, below: float, above: float) -> Sequence[float]:
    """The ends of a scale on which marks fill a room, but for what is written beyond them."""
    low, high = min(0, *heights), max(0, *heights)
    step = (high - low) / (room - below * (low < 0) - above * (high > 0))
    return low - below * step * (low < 0), high + above * step * (high > 0)


def _bars(data: _Data, unit: str) -> Figure:
    series, many = len(data.series), len(data.labels) * len(data.series)
    rows = len(data.labels) * (1 + 0.25 * (series - 1))
    step = 72 * _pitch(rows) * rows / len(data.labels)
    size = 9 if many <= 30 else 7
    values = size if series == 1 else 7
    labels = [_cut(label) for label in data.labels]
    left = _LEFT + size * max(map(_width, labels))
    top = 4 + step * len(labels)
    figure, axes = _sheet(top + 24, 4, top, left=left)
    thick = 0.8 / series
    for number, one in enumerate(data.series):
        places = [at + (number - (series - 1) / 2) * thick for at in range(len(labels))]
        drawn = axes.barh(places, one.heights, 0.86 * thick, label=one.name, clip_on=False)
        axes.bar_label(drawn, one.texts, padding=3, fontsize=values)
    room = 3 + values * data.longest
    axes.set_xlim(*_scale(data.heights, _RIGHT - left, room, room))
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.xaxis.set_visible(False)
    axes.set_yticks(range(len(labels)), labels, fontsize=size)
    axes.axvline(0, color=mpl.rcParams["axes.edgecolor"], linewidth=0.8, clip_on=False)
    _told(axes, series, unit)
    return figure


def _pitch(rows: float) -> float:
    """Inches for one bar: many of them stand closer, so that sixty fit on a page."""
    return 0.25 if rows <= 30 else 0.155


def _columns(data: _Data, unit: str, line: str | None, limit: tuple[str, str] | None) -> Figure:
    flows = [one for one in data.series if one.name != line]
    low, high = (16, 110) if line is None else (83, 174)
    figure, axes = _sheet(130 if line is None else 194, low, high)
    _upright(axes, _Data(data.heading, data.labels, flows), high - low)
    _told(axes, len(flows), unit)
    below = axes
    if line is not None:
        (stock,) = (one for one in data.series if one.name == line)
        below = _axes(figure, 16, 59)
        _line(below, stock, len(flows))
    if limit is not None:
        _limit(axes, (data.labels.index(limit[0]) + 1) / len(data.labels), limit[1])
    for one in (axes, below):
        one.set_xlim(-0.5, len(data.labels) - 0.5)
        one.yaxis.set_visible(False)
        one.axhline(0, color=mpl.rcParams["axes.edgecolor"], linewidth=0.8, clip_on=False)
        one.set_xticks([])
    below.set_xticks(range(len(data.labels)), [_cut(label) for label in data.labels])
    return figure


def _upright(axes: Axes, data: _Data, room: float) -> None:
    series, many = len(data.series), len(data.labels) * len(data.series)
    width = min(0.8 / max(1, series), 0.1 * len(data.labels))
    # Neighbours do not run together.
    size = 7 if many <= 12 else min(7, 11 / data.longest)
    for number, one in enumerate(data.series):
        places = [at + (number - (series - 1) / 2) * width for at in range(len(data.labels))]
        drawn = axes.bar(places, one.heights, 0.92 * width, label=one.name, clip_on=False)
        texts = ["" if a == 0 else b for a, b in zip(one.numbers, one.texts, strict=True)]
        axes.bar_label(drawn, texts, padding=1, fontsize=size)
    if any(data.heights):
        axes.set_ylim(*_scale(data.heights, room, size + 3, 0.11 * room))


def _line(axes: Axes, stock: _Series, number: int) -> None:
    tone = _tones()[max(2, number)]
    heights = [float("nan") if one is None else float(one) for one in stock.numbers]
    axes.plot(range(len(heights)), heights, marker="o", color=tone, clip_on=False)
    for at, (height, text) in enumerate(zip(stock.heights, stock.texts, strict=True)):
        axes.annotate(text, (at, height), (0, 4), textcoords="offset points", ha="center", size=7)
    axes.set_ylim(*_scale([1.0, *stock.heights], 43, 0, 14))
    _above(axes, 0, stock.name, 8, color=tone)


def _limit(axes: Axes, share: float, told: str) -> None:
    """A line at a share of the width, with its words on the side where there is room."""
    tone = _tones()[2]
    axes.plot(
        [share, share],
        [0, 1],
        transform=axes.transAxes,
        color=tone,
        linewidth=1.2,
        linestyle=(0, (4, 2)),
        clip_on=False,
    )
    left = share * (_RIGHT - _LEFT) + 4 + 8 * _width(told) > _RIGHT - _LEFT
    axes.annotate(
        told,
        (share, 1),
        (-4 if left else 4, -2),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right" if left else "left",
        va="top",
        size=8,
        color=tone,
    )


def _told(axes: Axes, series: int, unit: str) -> None:
    """Above the marks: the unit, and which tone is which where there are several."""
    _above(axes, 0, f"单位：{unit}", 8, color=mpl.rcParams["axes.edgecolor"])
    if series > 1:
        axes.legend(
            loc="lower right",
            bbox_to_anchor=(1, 1),
            ncols=series,
            borderpad=0,
            borderaxespad=0.5,
            handlelength=1.1,
            handleheight=0.7,
        )


def _above(axes: Axes, x: float, text: str, size: float, **look: Any) -> None:
    axes.annotate(
        text,
        (x, 1),
        (0, 6),
        xycoords="axes fraction",
        textcoords="offset points",
        size=size,
        **look,
    )


def _width(text: str) -> float:
    """Return the width of a text in sizes of its typeface: an upper limit, for Latin letters."""
    return sum(1 if ord(character) > 0x2E7F else 0.62 for character in text)


def _cut(label: str) -> str:
    # The table of the chart's data holds the whole of it.
    return label if len(label) <= 18 else label[:17] + "…"


def _alt(
    data: _Data, title: str, unit: str, *, line: str | None, limit: tuple[str, str] | None
) -> str:
    """The chart in words, from its own numbers: what is most, then every value."""
    parts = []
    for one in data.series:
        numbers = [number for number in one.numbers if number is not None]
        if not numbers:
            parts.append(f"{one.name}：没有数值")
            continue
        pairs = zip(data.labels, one.texts, strict=True)
        # 1月7, but 2020：7: a label that ends as a number begins would run into it.
        told = "，".join(
            f"{a}{'：' if a[-1:].isascii() else ''}{'缺' if b == _MISSING else b}" for a, b in pairs
        )
        counts = unit[-1:] in _ADDS_UP
        whole = f"合计{plain(sum(numbers, Decimal(0)))}，" if counts and one.name != line else ""
        at = one.numbers.index(max(numbers))
        most = f"最{'多' if counts else '高'}为{data.labels[at]}（{one.texts[at]}）"
        parts.append(f"{one.name}：{whole}{most}；{told}")
    shape = "柱状图和折线图" if line else "柱状图"
    after = f"“{limit[0]}”之后画有界线：{limit[1]}。" if limit else ""
    return f"{shape}：{title}（单位：{unit}）。" + "。".join(parts) + "。" + after
