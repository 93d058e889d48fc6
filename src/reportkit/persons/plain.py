"""A text in a plain form, one character for one, so that places in it are places in the text.

Full-width letters and digits become ASCII; all kinds of blanks, hyphens and points one kind.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

HAN = r"\u3400-\u4dbf\u4e00-\u9fff〇々"
"""Chinese characters, within the brackets of a pattern."""


@cache
def plain_codes() -> npt.NDArray[np.uint16]:
    """Return, for each character up to U+FFFF, the plain one that it is compared as."""
    codes = np.arange(1 << 16, dtype=np.uint16)
    # Not the thousands of Chinese and Korean characters, which stand for themselves.
    for code in (*range(0x80, 0x3400), *range(0xA000, 0xAC00), *range(0xD800, 1 << 16)):
        letter = chr(code)
        kind = unicodedata.category(letter)
        wide = unicodedata.normalize("NFKC", letter)
        if kind in ("Zs", "Cf"):
            codes[code] = ord(" ")
        elif kind == "Nd":
            codes[code] = ord(str(unicodedata.decimal(letter)))
        elif kind == "Pd" or letter == "\u2212":
            codes[code] = ord("-")
        elif len(wide) == 1 and wide.isascii():
            codes[code] = ord(wide)
        elif letter in "\u2022\u2027\u2219\u22c5\u30fb\uff65":
            codes[code] = ord("·")
        elif kind == "Cs":
            codes[code] = 0xFFFD
    return codes


def plain_text(text: str) -> str:
    """A text in its plain form, of the same length.

    Examples
    --------
    >>> plain_text("１３８－１２３４．５６７８　（ＡＢ）")
    '138-1234.5678 (AB)'
    """
    if text.isascii():
        return text
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    known = np.where(codes < 1 << 16, codes, 0xFFFD)
    return plain_codes()[known].tobytes().decode("utf-16-le")
