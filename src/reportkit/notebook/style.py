"""The house style of charts and of an analyst's own figures: typefaces, settings, exact bytes."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from io import StringIO
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import reportkit_fonts
from matplotlib import font_manager

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure


@cache
def know_fonts() -> None:
    """Register our typefaces with matplotlib, once: each time it would read all of them again."""
    for path in sorted(reportkit_fonts.folder().glob("*.ttf")):
        if path.name.startswith(("RK-Hei", "RK-Song")):
            font_manager.fontManager.addfont(path)


@cache
def house_style() -> mpl.RcParams:
    """The settings of ``reportkit.mplstyle``."""
    path = files("reportkit.notebook") / "reportkit.mplstyle"
    return mpl.rc_params_from_file(str(path), use_default_template=False)


@contextmanager
def in_house_style() -> Iterator[None]:
    """The style, whatever else a notebook has set; on no ground, so that a page's is seen."""
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
