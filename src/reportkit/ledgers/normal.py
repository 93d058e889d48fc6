"""The table of normal forms (``cells.yaml``), and what every cell is put through before it is read.

Folding is by list and never by NFKC: that makes ``1200¹`` 12001.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from reportkit.language import Message
from reportkit.yamlfile import read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

_UPPER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


@cache
def table() -> Mapping[str, Any]:
    """The table as it stands in the file."""
    path = Path(str(files("reportkit.ledgers"))) / "cells.yaml"
    return MappingProxyType(read_yaml(path).data)


def characters(codes: str) -> str:
    """The characters of code points and ranges.

    Examples
    --------
    >>> characters("0061-0063 0041")
    'abcA'
    """
    found = []
    for part in codes.split():
        first, _, last = part.partition("-")
        found += [chr(code) for code in range(int(first, 16), int(last or first, 16) + 1)]
    return "".join(found)


@cache
def pairs(name: str) -> tuple[str, str]:
    """Characters of one list of foldings (``fold``, ``loose``), and what each becomes."""
    before, after = "", ""
    for folding in table()[name]:
        chars = folding["chars"] if "chars" in folding else characters(folding["from"])
        if folding.get("to") == "nfkc":
            composed = {char: unicodedata.normalize("NFKC", char) for char in chars}
            kept = {a: b for a, b in composed.items() if a != b and len(b) == 1}
            chars, becomes = "".join(kept), "".join(kept.values())
        else:
            becomes = folding["to_chars"] if "to_chars" in folding else characters(folding["to"])
        before += chars
        after += becomes * len(chars) if len(becomes) == 1 else becomes
    return before, after


@cache
def outer() -> str:
    """Blanks and invisible characters: what is trimmed at both ends."""
    return "".join(characters(codes) for codes in table()["trim"].values())


@cache
def _foldings(name: str) -> dict[int, str]:
    before, after = pairs(name)
    return {ord(a): b for a, b in zip(before, after, strict=True)}


@cache
def _forced() -> tuple[re.Pattern[str], ...]:
    return tuple(map(re.compile, table()["forced_text"]))


@cache
def _refused() -> Mapping[str, str]:
    return {char: kind for kind, codes in table()["refuse"].items() for char in characters(codes)}


@cache
def _nothing() -> frozenset[str]:
    return frozenset(table()["nothing"])


@cache
def units() -> Mapping[str, int]:
    """Units of an amount and how many 元 each is, the longest name first."""
    zeros = table()["amount"]["zeros"]
    return {unit: 10 ** int(zeros[unit]) for unit in sorted(zeros, key=len, reverse=True)}


def clean(text: str) -> str:
    """Text without outer white space and invisible characters; nothing inside is touched.

    Examples
    --------
    >>> clean(' 001 '), clean('="001"'), clean("'001"), clean("'十四五'规划")
    ('001', '001', '001', "'十四五'规划")
    """
    text = text.strip(outer())
    if text.startswith(("=", "'")):
        for pattern in _forced():
            text = pattern.sub(r"\1", text).strip(outer())
    return text


def fold(text: str) -> str:
    """A text with full width, dashes, blanks and radicals in their plain forms.

    Examples
    --------
    >>> fold("２０２０年3⽉"), fold("1200¹")
    ('2020年3月', '1200¹')
    """
    return text if text.isascii() and "\t" not in text else text.translate(_foldings("fold"))


def loose(text: str) -> str:
    """Spelling without width, case, spaces and punctuation, to compare headings and labels.

    Examples
    --------
    >>> loose("（一） 予以公开"), loose("㈠予以公开"), loose("Ｙｅｓ")
    ('一予以公开', '一予以公开', 'yes')
    """
    plain = fold(text).translate(_foldings("loose")).translate(_UPPER)
    return re.sub(r"[\W_]+", "", plain)


def is_nothing(text: str) -> bool:
    """Return True where a trimmed cell says that there is nothing: empty, a stroke, 无.

    Examples
    --------
    >>> is_nothing("——"), is_nothing("／"), is_nothing("0")
    (True, True, False)
    """
    return fold(text) in _nothing()


def foreign(text: str) -> str:
    """Name the character in a text that fits no form, where one is to blame."""
    found = next((char for char in text if char in _refused()), "")
    return (
        Message(
            "; it holds '{found}': {refused} are not read", found=found, refused=_refused()[found]
        )
        if found
        else ""
    )


def like_keys(keys: pa.Array) -> pa.Array:
    """Keys as a person compares them: of one record if they are the same.

    Examples
    --------
    >>> like_keys(pa.array(["蓝申〔2021〕01号", "蓝申［２０２１］ 第1号", "a_1", None])).to_pylist()
    ['蓝申-2021-1', '蓝申-2021-1', 'a-1', None]
    """
    unfolded = pc.match_substring_regex(keys, f"[{re.escape(pairs('fold')[0])}]").fill_null(False)
    if pc.any(unfolded).as_py():
        folded = [fold(key) for key in keys.filter(unfolded).to_pylist()]
        keys = pc.replace_with_mask(keys, unfolded, pa.array(folded, keys.type))
    for pattern, alike in table()["key"].items():
        keys = pc.replace_substring_regex(keys, pattern, alike)
    return pc.ascii_lower(keys)
