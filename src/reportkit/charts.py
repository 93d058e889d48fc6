"""Charts in one house style: one message each, direct labels, readable in grey, exact bytes."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any, Literal

import matplotlib as mpl
import reportkit_fonts
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from reportkit.blocks import block
from reportkit.display import Shown
from reportkit.errors import ExecutionError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

Kind = Literal["bars", "columns"]

# Dark, light and mid tones that stay apart in grey and for colour-blind readers.
_TONES = ("#1f4e79", "#a9c4dd", "#b5651d")
_INK, _FAINT = "#222222", "#8a8a8a"
_STYLE: dict[Any, Any] = {
    "font.family": ["RK Hei", "RK Song"],
    "font.size": 9,
    "text.color": _INK,
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
) -> Shown:
    """Draw a table of whole numbers as a chart.

    Parameters
    ----------
    name : str
        Id of the chart in the documents.
    data : pandas.DataFrame
        Labels in the index; one column for each series.
    title : str
    kind : {"bars", "columns"}
        Horizontal bars for categories, columns for months.
    unit : str
        Printed at the axis.
    line : str, optional
        A column of *data* drawn as a line instead of columns (a stock beside flows).

    Returns
    -------
    Shown

    Raises
    ------
    ExecutionError
        ``glyph-missing``: a label has a character that the shipped fonts do not have.
    """
    for path in sorted(reportkit_fonts.folder().glob("*.ttf")):
        if path.name.startswith(("RK-Hei", "RK-Song")):
            font_manager.fontManager.addfont(path)
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("error", message="Glyph .* missing")
        try:
            svg = _draw(data, kind=kind, unit=unit, line=line)
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
        "alt": _alt(data, title, unit),
        "svg": svg,
        "data": {"columns": columns, "rows": rows},
    }
    return Shown(block("chart", **fields), svg[svg.index("<svg") :], title)


def _draw(data: pd.DataFrame, *, kind: Kind, unit: str, line: str | None) -> str:
    height = 0.34 * len(data) + 0.7 if kind == "bars" else 2.4
    figure = Figure(figsize=(6.1, height), layout="constrained")
    axes = figure.add_subplot()
    if kind == "bars":
        _bars(axes, data, unit)
    else:
        _columns(axes, data, unit, line)
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _bars(axes: Axes, data: pd.DataFrame, unit: str) -> None:
    values = data.iloc[:, 0].to_numpy()
    places = range(len(values) - 1, -1, -1)
    axes.barh(places, values, color=_TONES[0], height=0.62)
    for place, value in zip(places, values, strict=True):
        axes.annotate(f"{value}", (value, place), (4, 0), textcoords="offset points", va="center")
    axes.set_yticks(list(places), [str(label) for label in data.index])
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.margins(x=0.08, y=0.02)
    axes.set_xlabel(f"单位：{unit}", loc="right", color=_FAINT, fontsize=8)


def _columns(axes: Axes, data: pd.DataFrame, unit: str, line: str | None) -> None:
    series = [name for name in data.columns if name != line]
    width = min(0.8 / len(series), 0.1 * len(data))
    places = range(len(data))
    # So few that each column can bear its figure, which then needs no scale.
    labelled = line is None and len(series) * len(data) <= 16
    for number, name in enumerate(series):
        offset = (number - (len(series) - 1) / 2) * width
        bars = axes.bar(
            [place + offset for place in places], data[name], width * 0.92,
            color=_TONES[number], label=str(name),
        )  # fmt: skip
        if labelled:
            axes.bar_label(bars, padding=2)
    if line is not None:
        values = data[line].to_numpy()
        axes.plot(places, values, color=_TONES[2], marker="o", markersize=3, linewidth=1.4,
                  label=str(line))  # fmt: skip
        axes.annotate(
            f"{values[-1]}", (len(values) - 1, values[-1]), (7, 0), textcoords="offset points",
            va="center", color=_TONES[2],
        )  # fmt: skip
    axes.set_xticks(list(places), [str(label) for label in data.index])
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    if labelled:
        axes.set_yticks([])
        axes.margins(y=0.1)
    else:
        axes.grid(axis="y", color="#e4e4e4", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
    axes.set_title(f"单位：{unit}", loc="left", fontsize=8, color=_FAINT)
    axes.legend(
        loc="lower right", bbox_to_anchor=(1, 1), ncols=len(data.columns), frameon=False,
        borderaxespad=0.2, handlelength=1.1, columnspacing=1.4,
    )  # fmt: skip


def _alt(data: pd.DataFrame, title: str, unit: str) -> str:
    """The chart in words, from its own numbers."""
    parts = []
    for name in data.columns:
        told = "，".join(f"{label}{int(value)}" for label, value in data[name].items())
        parts.append(f"{name}：{told}")
    return f"{title}（单位：{unit}）。" + "；".join(parts) + "。"
