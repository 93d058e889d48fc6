"""Typst, shut off from the machine: our own typefaces only, and all text as data."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import typst
from reportkit_fonts import folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PICTURES = b"""#set page(width: auto, height: auto, margin: 0pt)
#for svg in json(bytes(sys.inputs.svgs)) { page(image(bytes(svg), format: "svg", width: 156mm)) }
"""


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


def pictures(svgs: Sequence[str], *, ppi: int = 200) -> list[bytes]:
    """Return drawings as PNG, for programs that show no SVG; the fonts are read once for all."""
    if not svgs:
        return []
    inputs = {"svgs": json.dumps(svgs)}
    made = compiler(_PICTURES, inputs).compile(format="png", ppi=ppi)
    return made if isinstance(made, list) else [made]
