"""Charts in one house style: one message each, direct labels, readable in grey, exact bytes."""

from __future__ import annotations

import io
import warnings
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import matplotlib as mpl
import reportkit_fonts
from matplotlib import font_manager
from matplotlib.figure import Figure

from reportkit.blocks import block, visible
from reportkit.display import Shown
from reportkit.errors import ExecutionError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

Kind = Literal["bars", "columns"]

# Dark, light and mid tones that stay apart in grey and for colour-blind readers. The pages give
# each colour here another one on a dark ground (export/templates/base.css).
_TONES = ("#1f4e79", "#a9c4dd", "#b5651d")
_INK, _FAINT = "#222222", "#8a8a8a"
_STYLE: dict[Any, Any] = {
    "font.family": ["RK Hei", "RK Song"],
    "font.size": 9,
    "text.color": _INK,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "axes.edgecolor": _FAINT,
    "axes.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": False,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "text.parse_math": False,
    "svg.hashsalt": "reportkit",
    "svg.fonttype": "none",
}


def show_chart(
    name: str,
    data: pd.DataFrame,
    *,
    title: str,
    kind: Kind = "bars",
    unit: str = "件",
    line: str | None = None,
    limit: tuple[str, str] | None = None,
) -> Shown:
    """Draw a table of whole numbers as a chart.

    Parameters
    ----------
    name : str
        Id of the chart in the documents.
    data : pandas.DataFrame
        Labels in the index; one column for each series, three at most.
    title : str
    kind : {"bars", "columns"}
        Horizontal bars for categories, columns for what has an order, such as months.
    unit : str
        Printed once.
    line : str, optional
        A column of *data* drawn as a line in a panel of its own below (a stock beside flows).
    limit : (str, str), optional
        The last label within a limit, and what to write at the line that is drawn after it.

    Returns
    -------
    Shown

    Raises
    ------
    ExecutionError
        ``glyph-missing``: a label has a character that the shipped fonts do not have.
    """
    data = data.rename(index=visible, columns=visible)
    _know_fonts()
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("error", message="Glyph .* missing")
        try:
            svg = _draw(data, kind=kind, unit=unit, line=line, limit=limit)
        except UserWarning as warning:
            message = f"chart '{name}': {warning}; replace the character in the label"
            raise ExecutionError("glyph-missing", message) from None
    columns = [data.index.name or "类别", *data.columns]
    rows = [
        [str(label), *map(int, row)] for label, row in zip(data.index, data.values, strict=True)
    ]
    fields = {
        "id": name,
        "title": title,
        "alt": _alt(data, title, unit, line=line, limit=limit),
        "svg": svg,
        "data": {"columns": columns, "rows": rows},
    }
    return Shown(block("chart", **fields), svg[svg.index("<svg") :], title)


@cache
def _know_fonts() -> None:
    """Tell matplotlib our typefaces, once: each time it reads them and forgets what it found."""
    for path in sorted(reportkit_fonts.folder().glob("*.ttf")):
        if path.name.startswith(("RK-Hei", "RK-Song")):
            font_manager.fontManager.addfont(path)


def _draw(
    data: pd.DataFrame, *, kind: Kind, unit: str, line: str | None, limit: tuple[str, str] | None
) -> str:
    rows = len(data) * (1 + 0.25 * (len(data.columns) - 1))
    height = _pitch(rows) * rows + 0.45 if kind == "bars" else 1.8 + 0.9 * (line is not None)
    figure = Figure(figsize=(6.1, height))
    if kind == "bars":
        axes = figure.subplots()
        _bars(axes, data, unit)
        labels = axes.get_yticklabels()
        left = max(_width(label.get_text()) * float(label.get_fontsize()) for label in labels)
        _margins(figure, left=left, bottom=0)
    elif line is None:
        _columns(figure.subplots(), data, unit, limit)
        _margins(figure, left=0, bottom=12)
    else:
        flows, stock = figure.subplots(2, 1, sharex=True, height_ratios=(2.1, 1))
        _columns(flows, data.drop(columns=line), unit, limit)
        _line(stock, data[line])
        _margins(figure, left=0, bottom=12)
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _margins(figure: Figure, *, left: float, bottom: float) -> None:
    """Leave room, in points, for what stands outside the axes; a line of title is above each.

    matplotlib's own layouts draw every text twice more to measure it: half of a chart's time.
    """
    width, height = (inches * 72 for inches in figure.get_size_inches())
    inner = height - bottom - 24
    figure.subplots_adjust(
        left=(left + 8) / width, right=1 - 4 / width, bottom=(bottom + 4) / height,
        top=1 - 20 / height, hspace=2 * 24 / (inner - 24),
    )  # fmt: skip


def _width(text: str) -> float:
    """How wide a text is, in sizes of its typeface: at most, for Latin letters."""
    return sum(1 if ord(character) > 0x2E7F else 0.62 for character in text)


def _pitch(rows: float) -> float:
    """Inches for one bar: many of them stand closer, so that sixty fit on a page."""
    return 0.25 if rows <= 30 else 0.155


def _bars(axes: Axes, data: pd.DataFrame, unit: str) -> None:
    thick = 0.8 / len(data.columns)
    size = 9 if len(data) * len(data.columns) <= 30 else 7
    places = range(len(data) - 1, -1, -1)
    for number, name in enumerate(data.columns):
        middle = (number - (len(data.columns) - 1) / 2) * thick
        drawn = axes.barh(
            [place - middle for place in places], data[name], thick * 0.86,
            color=_TONES[number], label=str(name), clip_on=False,
        )  # fmt: skip
        axes.bar_label(drawn, padding=3, fontsize=size if len(data.columns) == 1 else 7)
    axes.set_yticks(list(places), [_cut(str(label)) for label in data.index], fontsize=size)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.margins(x=0.08, y=0.02)
    _told(axes, data, unit)


def _columns(axes: Axes, data: pd.DataFrame, unit: str, limit: tuple[str, str] | None) -> None:
    width = min(0.8 / len(data.columns), 0.1 * len(data))
    places = range(len(data))
    longest = len(str(data.to_numpy().max()))
    size = 7 if data.size <= 12 else min(7, 21 / longest)  # neighbours do not run together
    for number, name in enumerate(data.columns):
        offset = (number - (len(data.columns) - 1) / 2) * width
        drawn = axes.bar(
            [place + offset for place in places], data[name], width * 0.92,
            color=_TONES[number], label=str(name), clip_on=False,
        )  # fmt: skip
        axes.bar_label(drawn, [f"{v}" if v else "" for v in data[name]], padding=1, fontsize=size)
    if limit is not None:
        last, told = limit
        at = list(data.index).index(last) + 0.5
        axes.axvline(at, color=_TONES[2], linewidth=1.2, linestyle=(0, (4, 2)))
        axes.annotate(
            told, (at, 1), (4, -2), xycoords=("data", "axes fraction"),
            textcoords="offset points", va="top", color=_TONES[2], fontsize=8,
        )  # fmt: skip
    axes.set_xticks(list(places), [_cut(str(label)) for label in data.index])
    axes.margins(x=0.02, y=0.12)
    _plain(axes)
    _told(axes, data, unit)


def _line(axes: Axes, stock: pd.Series) -> None:
    places = range(len(stock))
    axes.plot(places, stock, color=_TONES[2], marker="o", markersize=3, linewidth=1.4)
    for place, value in zip(places, stock, strict=True):
        axes.annotate(
            f"{value}", (place, value), (0, 4), textcoords="offset points", ha="center", fontsize=7
        )
    axes.set_ylim(0, max(1, stock.max()) * 1.5)
    axes.set_title(str(stock.name), loc="left", fontsize=8, color=_TONES[2])
    _plain(axes)


def _cut(label: str) -> str:
    # The table of the chart's data holds the whole of it.
    return label if len(label) <= 18 else label[:17] + "…"


def _plain(axes: Axes) -> None:
    # Every value stands at its mark: a scale would only repeat them.
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)


def _told(axes: Axes, data: pd.DataFrame, unit: str) -> None:
    axes.set_title(f"单位：{unit}", loc="left", fontsize=8, color=_FAINT)
    if len(data.columns) > 1:
        axes.legend(
            loc="lower right", bbox_to_anchor=(1, 1), ncols=len(data.columns), frameon=False,
            borderaxespad=0.2, handlelength=1.1, columnspacing=1.4,
        )  # fmt: skip


def _alt(
    data: pd.DataFrame, title: str, unit: str, *, line: str | None, limit: tuple[str, str] | None
) -> str:
    """The chart in words, from its own numbers: what is most, then every value."""
    parts = []
    for name in data.columns:
        values = data[name]
        told = "，".join(f"{label}{int(value)}" for label, value in values.items())
        whole = "" if name == line else f"合计{int(values.sum())}，"
        parts.append(f"{name}：{whole}最多为{values.idxmax()}（{int(values.max())}）；{told}")
    shape = "柱状图和折线图" if line else "柱状图"
    after = f"“{limit[0]}”之后画有界线：{limit[1]}。" if limit else ""
    return f"{shape}：{title}（单位：{unit}）。" + "。".join(parts) + "。" + after
