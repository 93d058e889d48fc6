"""Typst, shut off from the machine: our own typefaces only, and all text as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import typst
from reportkit_fonts import folder

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["compiler", "picture"]

_PICTURE = b"""#set page(width: auto, height: auto, margin: 0pt)
#image(bytes(sys.inputs.svg), format: "svg", width: 156mm)"""


def compiler(source: bytes, inputs: Mapping[str, str]) -> Any:
    """Return a compiler of one source, to which *inputs* are data and never markup."""
    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(folder())]
    )
    return typst.Compiler(source, font_paths=fonts, sys_inputs=dict(inputs))


def picture(svg: str) -> bytes:
    """Return a drawing as PNG, for programs that show no SVG."""
    return cast("bytes", compiler(_PICTURE, {"svg": svg}).compile(format="png", ppi=200))
