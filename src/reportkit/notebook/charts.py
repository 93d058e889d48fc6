"""Charts in one house style: one message each, direct labels, readable in grey, exact bytes.

They are drawn on matplotlib's axes with the style sheet beside this file (``reportkit.mplstyle``),
which a figure of an analyst's own has too.
"""

from __future__ import annotations

import warnings
from contextlib import suppress
from decimal import Decimal
from functools import partial
from typing import Literal, get_args

import pandas as pd

from reportkit.errors import ExecutionError, InputError
from reportkit.export.blocks import Block, block, visible
from reportkit.facts.numerals import plain
from reportkit.language import Message, joined
from reportkit.language.message import COMMA
from reportkit.notebook.display import Shown, show
from reportkit.notebook.plotting import Data, Series, draw_bars, draw_columns
from reportkit.notebook.printed import as_frame, label_text, number_in, printed
from reportkit.notebook.style import as_svg, in_house_style, know_fonts

Kind = Literal["bars", "columns"]

_MISSING = "—"
_SERIES = 3
# More bars than this on one page cannot be read.
_LABELS = 80
# What is counted or paid adds up; percentages, and days that something took, do not.
_ADDS_UP = "件条个项份次人家篇场期宗起本批元"


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
    return None if made is None else show(made)


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
    read = _read(name, data, line=line, limit=limit)
    if kind not in (kinds := get_args(Kind)):
        raise InputError(
            "chart-data",
            "chart '{chart}': there is no kind {kind!r}; kinds are {known}; others are drawn with "
            "matplotlib, for report.show",
            kind=kind,
            known="、".join(kinds),
            chart=name,
        )
    if not any(read.heights):
        return None
    know_fonts()
    with in_house_style(), warnings.catch_warnings():
        warnings.filterwarnings("error", message="Glyph .* missing")
        try:
            draw = draw_bars if kind == "bars" else partial(draw_columns, line=line, limit=limit)
            svg = as_svg(draw(read, unit))
        except UserWarning as warning:
            raise ExecutionError(
                "glyph-missing",
                "chart '{name}': {warning}; replace the character in the label",
                name=name,
                warning=warning,
            ) from None
    columns = [read.heading, *(series.name for series in read.series)]
    cells = zip(read.labels, *(map(_as_json, series.texts) for series in read.series), strict=True)
    fields = {
        "id": name,
        "title": title,
        "alt": _alt(read, title, unit, line=line, limit=limit),
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
) -> Data:
    if not isinstance(data, pd.DataFrame | pd.Series):
        raise InputError(
            "chart-data",
            "chart '{chart}': it is drawn from a DataFrame or a Series, not {kind}: pd.Series(…) "
            "makes one",
            kind=type(data).__name__,
            chart=name,
        )
    frame, series = as_frame(data), []
    for column, values in frame.items():
        label = str(visible(label_text(column, " ")))
        numbers = [number_in(value) for value in values]
        if wrong := [v for v, n in zip(values, numbers, strict=True) if n is None and pd.notna(v)]:
            raise InputError(
                "chart-data",
                "chart '{chart}': column {column} holds {wrong!r}, which is no number",
                column=label,
                wrong=wrong[0],
                chart=name,
            )
        series.append(Series(label, numbers, printed(values, missing=_MISSING)))
    labels = [str(visible(label_text(label, " "))) for label in frame.index]
    names, fault = [column.name for column in series], ""
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
            names=joined(COMMA, names),
        )
    elif limit is not None and limit[0] not in labels:
        fault = Message(
            "there is no label '{limit}' to end the limit; labels are {labels}",
            limit=limit[0],
            labels=joined(COMMA, labels),
        )
    if fault:
        raise InputError("chart-data", "chart '{chart}': {fault}", fault=fault, chart=name)
    heading = " ".join(str(name) for name in frame.index.names if name is not None)
    return Data(heading or "类别", labels, series)


def _as_json(text: str) -> int | float | str:
    """A number that prints as this text, else the text: 1234.50 of an amount keeps its zero."""
    for kind in (int, float):
        with suppress(ValueError):
            if str(kind(text)) == text:
                return kind(text)
    return text


def _alt(
    data: Data, title: str, unit: str, *, line: str | None, limit: tuple[str, str] | None
) -> str:
    """The chart in words, from its own numbers: the largest value, then every value."""
    parts = []
    for series in data.series:
        numbers = [number for number in series.numbers if number is not None]
        if not numbers:
            parts.append(f"{series.name}：没有数值")
            continue
        pairs = zip(data.labels, series.texts, strict=True)
        # 1月7, but 2020：7: a label that ends as a number begins would run into it.
        values = "，".join(
            f"{a}{'：' if a[-1:].isascii() else ''}{'缺' if b == _MISSING else b}" for a, b in pairs
        )
        counts = unit[-1:] in _ADDS_UP
        whole = f"合计{plain(sum(numbers, Decimal(0)))}，" if counts and series.name != line else ""
        at = series.numbers.index(max(numbers))
        most = f"最{'多' if counts else '高'}为{data.labels[at]}（{series.texts[at]}）"
        parts.append(f"{series.name}：{whole}{most}；{values}")
    shape = "柱状图和折线图" if line else "柱状图"
    after = f"“{limit[0]}”之后画有界线：{limit[1]}。" if limit else ""
    return f"{shape}：{title}（单位：{unit}）。" + "。".join(parts) + "。" + after
