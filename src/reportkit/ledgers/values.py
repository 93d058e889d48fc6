"""Strict reading of single cells: a value, nothing, or a reason; never a guess."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from reportkit.ledgers.readers.table import holds
from reportkit.ledgers.schema import UNITS, Column, loose

# Exact in every step, and in what a ledger is stored as.
_DIGITS, _SMALLEST = 20, Decimal("0.000001")
Parser = Callable[[str], Any]

_INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u202a\u202c\u202d\u202e\ufeff"
# So that a spreadsheet takes a number as text.
_AS_TEXT = r"^(?:=\"([^\"]*)\"|'([0-9]+))$"
_FORCED = re.compile(_AS_TEXT)
NOTHING = {"", "-", "--", "—", "——", "/", "无"}
_DAY = re.compile(
    r"(\d{4})(?:-(\d{1,2})-(\d{1,2})|/(\d{1,2})/(\d{1,2})|\.(\d{1,2})\.(\d{1,2})"
    r"|年(\d{1,2})月(\d{1,2})日?|(\d\d)(\d\d))"
    r"(?:[ T]*(?<!\d)\d{1,2}(?::\d\d(?::\d\d(?:\.\d+)?)?|时(?:\d{1,2}分(?:\d{1,2}秒)?)?))?"
)
_SERIAL = re.compile(r"(\d{5})(?:\.\d+)?")
_DAY_ZERO = {1900: date(1899, 12, 30), 1904: date(1904, 1, 1)}
_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
_LISTED = 8
_FLAGS = {
    "是": True, "否": False, "y": True, "n": False, "yes": True, "no": False, "1": True,
    "0": False, "true": True, "false": False, "公开": True, "不公开": False,
}  # fmt: skip


def clean(text: str) -> str:
    """Text without outer white space and invisible characters; nothing inside is touched.

    Examples
    --------
    >>> clean(' 001 '), clean('="001"'), clean("'001"), clean("'十四五'规划")
    ('001', '001', '001', "'十四五'规划")
    """
    text = text.strip().strip(_INVISIBLE).strip()
    if text.startswith(("=", "'")) and (forced := _FORCED.match(text)):
        return clean(forced[1] or forced[2] or "")
    return text


def clean_texts(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """What *clean* makes of each cell of a column; nothing where that is empty."""
    return pa.chunked_array(map(_clean_chunk, cells.chunks), pa.large_string())


def _clean_chunk(cells: pa.Array) -> pa.Array:
    cells = cells.cast(pa.large_string())
    cleaned = pc.utf8_trim_whitespace(cells)
    # What the encoded invisible characters begin with.
    if holds(pa.chunked_array([cells]), b"\xe2\x80", b"\xef\xbb\xbf"):
        cleaned = pc.utf8_trim_whitespace(pc.utf8_trim(cleaned, characters=_INVISIBLE))
    if holds(pa.chunked_array([cells]), b'="', b"'"):
        bare = pc.replace_substring_regex(cleaned, _AS_TEXT, r"\1\2")
        cleaned = pc.utf8_trim_whitespace(bare)
    lengths = pc.binary_length(cleaned)
    if pc.sum(lengths) == pc.sum(pc.binary_length(cells)):
        # Nothing was trimmed: the column need not be kept twice.
        cleaned = cells
    if pc.min(lengths).as_py() == 0:
        cleaned = pc.if_else(pc.equal(lengths, 0), None, cleaned)
    return cleaned


def parse_date(text: str, epoch: int = 1900) -> date | None:
    """A calendar day: 2020-08-19, 2020/8/19, 2020.8.19, 2020年8月19日, 20200819, or a serial.

    A time after the day is read and dropped. Serials are Excel's day numbers of five digits from
    20000 on: the years 1954-2173, or 1958-2177 in a workbook whose *epoch* is 1904.

    Raises
    ------
    ValueError
        With the reason, in words.
    """
    if len(text) == 10 and text[4] == text[7] == "-":  # as most stand; the rest says it slower
        with suppress(ValueError):
            return date.fromisoformat(text)
    text = unicodedata.normalize("NFKC", clean(text))
    if text in NOTHING:
        return None
    match = _DAY.fullmatch(text)
    if match:
        year, month, day = (int(part) for part in match.groups() if part is not None)
        return date(year, month, day)
    serial = _SERIAL.fullmatch(text)
    if serial and int(serial[1]) >= 20_000:
        return _DAY_ZERO[epoch] + timedelta(days=int(serial[1]))
    message = "not a day; write 2020-08-19"
    raise ValueError(message)


def parse_amount(text: str, factor: int = 1) -> Decimal | None:
    """An exact amount in 元; thousands separators are read.

    A unit in the cell (元, 万元, 亿元) decides; without one *factor* does, which is the heading's.

    Raises
    ------
    ValueError
        With the reason, in words.
    """
    text = unicodedata.normalize("NFKC", clean(text)).removeprefix("¥").strip()
    if text in NOTHING:
        return None
    for unit in sorted(UNITS, key=len, reverse=True):
        if text.endswith(unit):
            text, factor = text.removesuffix(unit).strip(), UNITS[unit]
            break
    if not _NUMBER.fullmatch(text):
        message = "not an amount; write 1234.50"
        raise ValueError(message)
    number = Decimal(text.replace(",", ""))
    digits = len(number.as_tuple().digits)
    # Digits first: of larger numbers Decimal does not divide.
    if digits > _DIGITS or (number * factor).adjusted() >= _DIGITS or number * factor % _SMALLEST:
        message = f"not an amount of at most {_DIGITS} digits, and 6 after the point of 元"
        raise ValueError(message)
    return number * factor


def parse_integer(text: str) -> int | None:
    """A whole number; ``12.0``, as spreadsheets write it, is 12.

    Raises
    ------
    ValueError
        With the reason, in words.
    """
    text = unicodedata.normalize("NFKC", clean(text))
    if text in NOTHING:
        return None
    if not _NUMBER.fullmatch(text) or Decimal(text.replace(",", "")) % 1:
        message = "not a whole number"
        raise ValueError(message)
    number = int(Decimal(text.replace(",", "")))
    if abs(number) >= 2**63:
        message = "larger than any number here can be"
        raise ValueError(message)
    return number


def parse_flag(text: str) -> bool | None:
    """是 or 否.

    Raises
    ------
    ValueError
        With the reason, in words.
    """
    text = clean(text)
    if text in NOTHING:
        return None
    if loose(text) not in _FLAGS:
        message = "neither 是 nor 否"
        raise ValueError(message)
    return _FLAGS[loose(text)]


def parse_text(text: str) -> str | None:
    """Text as it stands, without outer white space."""
    return clean(text) or None


def category_parser(column: Column) -> Parser:
    """A parser that knows the values of one category column, in all accepted spellings."""
    vocabulary = column.vocabulary()

    def parse(text: str) -> str | None:
        text = clean(text)
        if text in NOTHING:
            return None
        known = vocabulary.get(loose(text))
        if known is None and column.open:
            return text
        if known is None:
            near = difflib.get_close_matches(loose(text), vocabulary, n=4, cutoff=0.5)
            nearest = "、".join(dict.fromkeys(vocabulary[one] for one in near))
            hint = f"; nearest: {nearest}" if near else ""
            values = column.categories()
            listed = "、".join(values[:_LISTED])
            if len(values) > _LISTED:
                listed += f" … ({len(values)} values; `reportkit template` lists them)"
            message = f"not one of {listed}{hint}"
            raise ValueError(message)
        return known

    return parse


def parser_for(column: Column, *, factor: int = 1, epoch: int = 1900) -> Parser:
    """The parser of a column; *factor* turns amounts under a heading in 万元 into 元.

    *epoch* is the year that day numbers count from.
    """
    if column.type == "category":
        return category_parser(column)
    if column.type == "amount":
        return partial(parse_amount, factor=factor)
    if column.type == "date":
        return partial(parse_date, epoch=epoch)
    simple: dict[str, Parser] = {
        "text": parse_text,
        "integer": parse_integer,
        "flag": parse_flag,
    }
    return simple[column.type]
