"""Persons in a text, found and taken out."""

from __future__ import annotations

import re
from functools import cache
from string import ascii_letters
from typing import TYPE_CHECKING

import numpy as np

from reportkit.persons.names import looks_like_name, names_somebody
from reportkit.persons.numbers import Found, addresses, numbers
from reportkit.persons.others import PAPERS, PHONES, PLATES, others
from reportkit.persons.plain import HAN, plain_codes, plain_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

OUT = "…"
"""Replaces in a message what was taken out."""
# A name of two or three characters with blanks in it, so that columns of names are even.
_PARTED = re.compile(rf"(?<![{HAN}])([{HAN}]{{1,2}})[ \u3000]+([{HAN}]{{1,2}})(?![{HAN}])")
_WORD = re.compile(f"[{HAN}·]+")


def find(text: str, *, certain: bool = False) -> list[Found]:
    """Numbers and names of persons in a text, by their place; no two of them overlap.

    Parameters
    ----------
    text : str
    certain : bool
        Only what is personal wherever it stands: identity numbers with a right check digit, mobile
        numbers, bank cards and e-mail addresses. A file of megabytes takes milliseconds.

    Examples
    --------
    >>> [one.kind for one in find("护照E12345678，车牌闽D·12A45，０５９２－５７２２６０１")]
    ['证件号码', '车牌号码', '电话号码']
    """
    plain = plain_text(text)
    found = [*numbers(plain), *addresses(plain), *(() if certain else others(plain))]
    kept: list[Found] = []
    for piece in sorted(found, key=lambda piece: (piece.start, -piece.end)):
        if not kept or piece.start >= kept[-1].end:
            kept.append(piece)
    return kept


@cache
def suspect() -> str:
    """Pattern that matches every text that `hide` changes; a column is searched for it fast.

    Ten digits with what may stand between them, seven after a word or before a bracket, six after
    a letter, a letter after the name of a province, or a sign of addresses and foreign names.
    """
    codes = plain_codes()

    def all_of(plain: str) -> str:
        found = np.flatnonzero(np.isin(codes, [ord(character) for character in plain]))
        return "[" + "".join(f"\\x{{{code:x}}}" for code in found.tolist()) + "]"

    digit, letter, signs = map(all_of, ("0123456789", ascii_letters, "@·"))
    more = f"(?:{all_of(' .-)')}{{0,3}}{digit})"
    words = f"(?s:(?:{PAPERS}|{PHONES}).{{0,20}})"
    return (
        f"{digit}{more}{{9}}|{words}{digit}{more}{{6}}|{digit}{{7}}{all_of('(')}"
        f"|{letter}{digit}{{6}}|[{PLATES}使领]{letter}|{signs}"
    )


def hide(text: str) -> str:
    """A text with the personal data that can be recognised in it replaced by its kind.

    Examples
    --------
    >>> hide("请回电13812345678")
    '请回电〔手机号码〕'
    """
    return _replaced(text, lambda piece: f"〔{piece.kind}〕")


def _replaced(text: str, mark: Callable[[Found], str]) -> str:
    parts, end = [], 0
    for piece in find(text):
        parts += [text[end : piece.start], mark(piece)]
        end = piece.end
    return "".join(parts) + text[end:]


def without_persons(text: str, known: Collection[str] = ()) -> str:
    """A text for a message, with numbers of persons and what looks like a name taken out.

    Parameters
    ----------
    text : str
    known : collection of str
        Words that are no names, whatever they look like.

    Examples
    --------
    >>> without_persons("湖公申〔2021〕12号 张三 13812345678"), without_persons("已公开")
    ('湖公申〔2021〕12号 … …', '已公开')
    """

    def parted(match: re.Match[str]) -> str:
        return OUT if looks_like_name(match[1] + match[2]) else match[0]

    def named(match: re.Match[str]) -> str:
        looks = looks_like_name(match[0]) or names_somebody(match[0])
        return OUT if looks and match[0] not in known else match[0]

    safe = _WORD.sub(named, _PARTED.sub(parted, _replaced(text, lambda _: OUT)))
    # A message that names nobody stays a message, which can be translated.
    return text if safe == text else safe
