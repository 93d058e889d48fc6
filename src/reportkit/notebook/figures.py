"""Figures of an analyst's own, as matplotlib, pandas and seaborn draw them."""

from __future__ import annotations

import warnings
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.text import Text

from reportkit.errors import InputError
from reportkit.export.blocks import Block, block
from reportkit.language import Message
from reportkit.notebook.style import as_svg, house_style, know_fonts

# Characters of SVG.
_LARGEST = 300_000
_HOW_TO = Message(
    "report.show(figure, title=…, alt=…): alt says in words what the figure shows, "
    "for those who do not see it and for programs"
)


def figure_in(thing: Any) -> Figure | None:
    """The figure in a result of plotting libraries: Figure, Axes, lists of them, seaborn's grids.

    None if it is no drawing.
    """
    if isinstance(thing, Figure):
        return thing
    if hasattr(thing, "flat") and hasattr(thing, "dtype"):  # an array of axes
        thing = thing.ravel().tolist()
    if isinstance(thing, list | tuple):  # lines, bars
        return next(filter(None, map(figure_in, thing)), None)
    found = getattr(thing, "figure", None)
    return found if isinstance(found, Figure) else None


def figure_block(figure: Figure, *, title: str, alt: str, note: str) -> Block:
    """The block of a figure: its drawing, as small as text and shapes are.

    Raises
    ------
    InputError
        ``figure-alt``: nothing says what it shows; ``figure-empty``: it shows nothing;
        ``figure-large``: no document should hold it; ``glyph-missing``: the shipped typefaces lack
        a character.
    """
    if not _drawn(figure):
        raise InputError(
            "figure-empty",
            "figure '{title}' is empty: what a cell draws is taken away at its end (plt.gcf() is "
            "a new figure then); draw and show it in one cell, or keep the figure by a name",
            title=title,
        )
    if not alt.strip():
        raise InputError("figure-alt", "a figure needs its words: {how_to}", how_to=_HOW_TO)
    know_fonts()
    families = house_style()["font.family"]
    with mpl.rc_context({"font.family": families}), warnings.catch_warnings():
        warnings.filterwarnings("error", message="Glyph .* missing")
        try:
            # Other styles name typefaces that no document has. Labels of ticks come by drawing.
            _set_in(figure, families)
            figure.draw_without_rendering()
            _set_in(figure, families)
            svg = as_svg(figure, bbox_inches="tight")  # as Jupyter shows it: no label is cut
        except UserWarning as warning:
            raise InputError(
                "glyph-missing",
                "figure '{title}': {warning}; replace the character in its labels",
                title=title,
                warning=warning,
            ) from None
    if len(svg) > _LARGEST:
        raise InputError(
            "figure-large",
            "figure '{title}' takes {size} kB, for its many points; draw these as a "
            "picture within the figure: rasterized=True in the call that plots them",
            title=title,
            size=len(svg) // 1000,
        )
    return block("chart", own=True, id="", title=title, alt=alt, note=note, svg=svg, data=None)


def _drawn(figure: Figure) -> bool:
    # An empty figure has its ground alone.
    inside = any(
        axes.has_data() or axes.texts or axes.tables or axes.get_title() for axes in figure.axes
    )
    return inside or len(figure.get_children()) - len(figure.axes) > 1


def _set_in(figure: Figure, families: list[str]) -> None:
    for text in figure.findobj(Text):
        text.set_fontfamily(families)


def prepare() -> None:
    """Set our typefaces and style for all that pyplot, pandas and seaborn draw in this process."""
    know_fonts()
    mpl.rcParams.update(house_style())
    # Other styles name other typefaces. A figure for a document is set in ours and checked then.
    warnings.filterwarnings("ignore", message="Glyph .* missing from font")
