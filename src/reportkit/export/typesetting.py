"""Typst, shut off from the machine: our own typefaces only, and all text as data."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

import typst
from reportkit_fonts import folder

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["compiler", "picture", "typefaces"]

_PICTURE = b"""#set page(width: auto, height: auto, margin: 0pt)
#image(bytes(sys.inputs.svg), format: "svg", width: 156mm)"""


def typefaces(own: str | None = None) -> typst.Fonts:
    """Return our five typefaces and those of a folder; none of the machine."""
    return _read(own) if own else _ours()


@cache  # 36 MB that stay the same; an office's own folder may change while a process lives
def _ours() -> typst.Fonts:
    return _read()


def _read(*folders: str) -> typst.Fonts:
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(folder()), *folders],
    )


def compiler(source: bytes, inputs: Mapping[str, str], fonts: typst.Fonts | None = None) -> Any:
    """Return a compiler of one source, to which *inputs* are data and never markup."""
    return typst.Compiler(source, font_paths=fonts or typefaces(), sys_inputs=dict(inputs))


def picture(svg: str) -> bytes:
    """Return a drawing as PNG, for programs that show no SVG."""
    return cast("bytes", compiler(_PICTURE, {"svg": svg}).compile(format="png", ppi=200))
