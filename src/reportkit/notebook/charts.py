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
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.transforms import Affine2D

from reportkit.errors import ExecutionError
from reportkit.export.blocks import block, visible
from reportkit.notebook.display import Shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

Kind = Literal["bars", "columns"]

# Dark, light and mid tones that stay apart in grey and for colour-blind readers. The pages give
# each colour here another one on a dark ground (export/templates/base.css).
_TONES = ("#1f4e79", "#a9c4dd", "#b5651d")
_INK, _FAINT = "#222222", "#8a8a8a"
# Points: how wide a chart is, and where its marks may stand.
_WIDTH, _LEFT, _RIGHT = 439.2, 8, 435.2
_STYLE: dict[Any, Any] = {
    "font.family": ["RK Hei", "RK Song"],
    "font.size": 9,
    "text.color": _INK,
    "figure.facecolor": "none",
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


class _Sheet:
    """A sheet to draw on, in points from its lower left corner.

    matplotlib's axes would measure, scale and tick what has no scale here: most of a chart's time.
    """

    def __init__(self, height: float) -> None:
        self.figure = Figure(figsize=(_WIDTH / 72, height / 72))
        self._points = Affine2D().scale(1 / 72) + self.figure.dpi_scale_trans

    def box(self, x: float, y: float, width: float, height: float, tone: str) -> None:
        box = Rectangle((x, y), width, height, transform=self._points)
        box.set(facecolor=tone, edgecolor="none")
        self.figure.add_artist(box)

    def line(self, x: Sequence[float], y: Sequence[float], tone: str, **look: Any) -> None:
        self.figure.add_artist(Line2D(x, y, transform=self._points, color=tone, **look))

    def text(self, x: float, y: float, text: object, size: float, **look: Any) -> None:
        self.figure.text(x, y, str(text), fontsize=size, transform=self._points, **look)

    def svg(self) -> str:
        buffer = io.StringIO()
        self.figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        return buffer.getvalue()


def _draw(
    data: pd.DataFrame, *, kind: Kind, unit: str, line: str | None, limit: tuple[str, str] | None
) -> str:
    if kind == "bars":
        return _bars(data, unit)
    flows = data if line is None else data.drop(columns=line)
    sheet = _Sheet(130 if line is None else 194)
    low, high = (16, 110) if line is None else (83, 174)
    step = (_RIGHT - _LEFT) / len(data)
    middles = [_LEFT + (at + 0.5) * step for at in range(len(data))]
    _columns(sheet, flows, middles, step, low, high)
    _told(sheet, _LEFT, high, flows, unit)
    if line is not None:
        _line(sheet, data[line], middles, 16, 59)
    if limit is not None:
        last, told = limit
        _limit(sheet, _LEFT + (list(data.index).index(last) + 1) * step, low, high, told)
    for middle, label in zip(middles, data.index, strict=True):
        sheet.text(middle, 12.5, _cut(str(label)), 9, ha="center", va="top")
    return sheet.svg()


def _bars(data: pd.DataFrame, unit: str) -> str:
    series = len(data.columns)
    rows = len(data) * (1 + 0.25 * (series - 1))
    step = 72 * _pitch(rows) * rows / len(data)
    size = 9 if data.size <= 30 else 7
    values = size if series == 1 else 7
    labels = [_cut(str(label)) for label in data.index]
    left = _LEFT + size * max(map(_width, labels))
    top = 4 + step * len(data)
    most = max(1, int(data.to_numpy().max()))
    scale = (_RIGHT - left - 3 - values * _width(str(most))) / most
    thick = 0.8 * step / series
    sheet = _Sheet(top + 24)
    for number, name in enumerate(data.columns):
        for at, value in enumerate(data[name]):
            middle = top - (at + 0.1) * step - (number + 0.5) * thick
            end = left + scale * value
            sheet.box(left, middle - 0.43 * thick, end - left, 0.86 * thick, _TONES[number])
            sheet.text(end + 3, middle, value, values, va="center_baseline")
    for at, label in enumerate(labels):
        middle = top - (at + 0.5) * step
        sheet.text(left - 3.5, middle, label, size, ha="right", va="center_baseline")
    sheet.line([left, left], [4, top], _FAINT, linewidth=0.8)
    _told(sheet, left, top, data, unit)
    return sheet.svg()


def _pitch(rows: float) -> float:
    """Inches for one bar: many of them stand closer, so that sixty fit on a page."""
    return 0.25 if rows <= 30 else 0.155


def _columns(
    sheet: _Sheet, data: pd.DataFrame, middles: Sequence[float], step: float, low: float,
    high: float,
) -> None:  # fmt: skip
    series = len(data.columns)
    width = step * min(0.8 / series, 0.1 * len(data))
    most = max(1, int(data.to_numpy().max()))
    scale = (high - low) / 1.12 / most
    # Neighbours do not run together.
    size = 7 if data.size <= 12 else min(7, 21 / len(str(most)))
    for number, name in enumerate(data.columns):
        for at, value in zip(middles, data[name], strict=True):
            middle = at + (number - (series - 1) / 2) * width
            height = scale * value
            sheet.box(middle - 0.46 * width, low, 0.92 * width, height, _TONES[number])
            if value:
                sheet.text(middle, low + height + 1, value, size, ha="center", va="bottom")
    sheet.line([_LEFT, _RIGHT], [low, low], _FAINT, linewidth=0.8)


def _line(
    sheet: _Sheet, stock: pd.Series, middles: Sequence[float], low: float, high: float
) -> None:
    scale = (high - low) / 1.5 / max(1, int(stock.max()))
    heights = [low + scale * value for value in stock]
    sheet.line(middles, heights, _TONES[2], marker="o", markersize=3, linewidth=1.4)
    for middle, height, value in zip(middles, heights, stock, strict=True):
        sheet.text(middle, height + 4, value, 7, ha="center")
    sheet.text(_LEFT, high + 6, stock.name, 8, color=_TONES[2])
    sheet.line([_LEFT, _RIGHT], [low, low], _FAINT, linewidth=0.8)


def _limit(sheet: _Sheet, x: float, low: float, high: float, told: str) -> None:
    sheet.line([x, x], [low, high], _TONES[2], linewidth=1.2, linestyle=(0, (4, 2)))
    left = x + 4 + 8 * _width(told) > _RIGHT
    look = {"ha": "right" if left else "left", "va": "top", "color": _TONES[2]}
    sheet.text(x + (-4 if left else 4), high - 2, told, 8, **look)


def _told(sheet: _Sheet, left: float, high: float, data: pd.DataFrame, unit: str) -> None:
    """Above the marks: the unit, and which tone is which where there are several."""
    sheet.text(left, high + 6, f"单位：{unit}", 8, color=_FAINT)
    right = _RIGHT
    for number in reversed(range(len(data.columns) if len(data.columns) > 1 else 0)):
        name = str(data.columns[number])
        right -= 9 * _width(name)
        sheet.text(right, high + 6, name, 9)
        sheet.box(right - 17, high + 6, 10, 6.3, _TONES[number])
        right -= 30


def _width(text: str) -> float:
    """How wide a text is, in sizes of its typeface: at most, for Latin letters."""
    return sum(1 if ord(character) > 0x2E7F else 0.62 for character in text)


def _cut(label: str) -> str:
    # The table of the chart's data holds the whole of it.
    return label if len(label) <= 18 else label[:17] + "…"


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
