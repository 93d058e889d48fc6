"""The two kinds of charts, on matplotlib's axes: bars, and columns with a line below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from matplotlib.axes import Axes

# Points: the width of a chart, and the left and right edge of its marks.
_WIDTH, _LEFT, _RIGHT = 439.2, 8, 435.2


@dataclass(frozen=True)
class Series:
    """One column of a chart: its numbers, None where one is missing, and how they are printed."""

    name: str
    numbers: list[Decimal | None]
    texts: list[str]

    @property
    def heights(self) -> list[float]:
        """Numbers as they are drawn."""
        return [float(number or 0) for number in self.numbers]


@dataclass(frozen=True)
class Data:
    """Data of a chart: labels, and at most three series."""

    heading: str
    labels: list[str]
    series: list[Series]

    @property
    def heights(self) -> list[float]:
        """Numbers of all series."""
        return [height for series in self.series for height in series.heights]

    @property
    def longest(self) -> float:
        """Width of the widest printed number, in sizes of its typeface."""
        return max(_width(text) for series in self.series for text in series.texts)


def draw_bars(data: Data, unit: str) -> Figure:
    """Horizontal bars, a row for each label."""
    count, many = len(data.series), len(data.labels) * len(data.series)
    rows = len(data.labels) * (1 + 0.25 * (count - 1))
    step = 72 * _pitch(rows) * rows / len(data.labels)
    size = 9 if many <= 30 else 7
    values = size if count == 1 else 7
    labels = [_cut(label) for label in data.labels]
    left = _LEFT + size * max(map(_width, labels))
    top = 4 + step * len(labels)
    figure, axes = _sheet(top + 24, 4, top, left=left)
    thick = 0.8 / count
    for number, series in enumerate(data.series):
        places = [at + (number - (count - 1) / 2) * thick for at in range(len(labels))]
        drawn = axes.barh(places, series.heights, 0.86 * thick, label=series.name, clip_on=False)
        axes.bar_label(drawn, series.texts, padding=3, fontsize=values)
    room = 3 + values * data.longest
    axes.set_xlim(*_scale(data.heights, _RIGHT - left, room, room))
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.xaxis.set_visible(False)
    axes.set_yticks(range(len(labels)), labels, fontsize=size)
    axes.axvline(0, color=mpl.rcParams["axes.edgecolor"], linewidth=0.8, clip_on=False)
    _legend(axes, count, unit)
    return figure


def draw_columns(
    data: Data, unit: str, *, line: str | None, limit: tuple[str, str] | None
) -> Figure:
    """Columns, with one series as a line below and the end of a limit; see `chart`."""
    flows = [series for series in data.series if series.name != line]
    low, high = (16, 110) if line is None else (83, 174)
    figure, axes = _sheet(130 if line is None else 194, low, high)
    _upright(axes, Data(data.heading, data.labels, flows), high - low)
    _legend(axes, len(flows), unit)
    below = axes
    if line is not None:
        (stock,) = (series for series in data.series if series.name == line)
        below = _axes(figure, 16, 59)
        _line(below, stock, len(flows))
    if limit is not None:
        _limit(axes, (data.labels.index(limit[0]) + 1) / len(data.labels), limit[1])
    for panel in (axes, below):
        panel.set_xlim(-0.5, len(data.labels) - 0.5)
        panel.yaxis.set_visible(False)
        panel.axhline(0, color=mpl.rcParams["axes.edgecolor"], linewidth=0.8, clip_on=False)
        panel.set_xticks([])
    below.set_xticks(range(len(data.labels)), [_cut(label) for label in data.labels])
    return figure


def _pitch(rows: float) -> float:
    """Inches for one bar; many are drawn closer, so that sixty fit on a page."""
    return 0.25 if rows <= 30 else 0.155


def _upright(axes: Axes, data: Data, room: float) -> None:
    count, many = len(data.series), len(data.labels) * len(data.series)
    width = min(0.8 / max(1, count), 0.1 * len(data.labels))
    # Neighbours do not run together.
    size = 7 if many <= 12 else min(7, 11 / data.longest)
    for number, series in enumerate(data.series):
        places = [at + (number - (count - 1) / 2) * width for at in range(len(data.labels))]
        drawn = axes.bar(places, series.heights, 0.92 * width, label=series.name, clip_on=False)
        texts = ["" if a == 0 else b for a, b in zip(series.numbers, series.texts, strict=True)]
        axes.bar_label(drawn, texts, padding=1, fontsize=size)
    if any(data.heights):
        axes.set_ylim(*_scale(data.heights, room, size + 3, 0.11 * room))


def _line(axes: Axes, stock: Series, number: int) -> None:
    tone = _tones()[max(2, number)]
    heights = [float("nan") if number is None else float(number) for number in stock.numbers]
    axes.plot(range(len(heights)), heights, marker="o", color=tone, clip_on=False)
    for at, (height, text) in enumerate(zip(stock.heights, stock.texts, strict=True)):
        axes.annotate(text, (at, height), (0, 4), textcoords="offset points", ha="center", size=7)
    axes.set_ylim(*_scale([1.0, *stock.heights], 43, 0, 14))
    _above(axes, stock.name, tone)


def _limit(axes: Axes, share: float, words: str) -> None:
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
    left = share * (_RIGHT - _LEFT) + 4 + 8 * _width(words) > _RIGHT - _LEFT
    axes.annotate(
        words,
        (share, 1),
        (-4 if left else 4, -2),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right" if left else "left",
        va="top",
        size=8,
        color=tone,
    )


def _legend(axes: Axes, count: int, unit: str) -> None:
    """Write the unit above the marks, and the names of the series where there are several."""
    _above(axes, f"单位：{unit}", mpl.rcParams["axes.edgecolor"])
    if count > 1:
        axes.legend(
            loc="lower right",
            bbox_to_anchor=(1, 1),
            ncols=count,
            borderpad=0,
            borderaxespad=0.5,
            handlelength=1.1,
            handleheight=0.7,
        )


def _above(axes: Axes, text: str, color: str) -> None:
    axes.annotate(
        text,
        (0, 1),
        (0, 6),
        xycoords="axes fraction",
        textcoords="offset points",
        size=8,
        color=color,
    )


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
    """The ends of a scale on which marks fill a room, less the texts beyond them."""
    low, high = min(0, *heights), max(0, *heights)
    step = (high - low) / (room - below * (low < 0) - above * (high > 0))
    return low - below * step * (low < 0), high + above * step * (high > 0)


def _width(text: str) -> float:
    """Return the width of a text in sizes of its typeface: an upper limit, for Latin letters."""
    return sum(1 if ord(character) > 0x2E7F else 0.62 for character in text)


def _cut(label: str) -> str:
    # The table of the chart's data holds the whole of it.
    return label if len(label) <= 18 else label[:17] + "…"
