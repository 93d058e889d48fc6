"""Strict reading of single cells: a value, nothing, or a reason; never a guess.

Which spellings there are stands in ``cells.yaml``; a second engine reads the same table.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache, partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from reportkit.language import Message
from reportkit.ledgers.normal import clean, fold, foreign, is_nothing, loose, outer, table, units
from reportkit.ledgers.readers.table import holds

if TYPE_CHECKING:
    from reportkit.ledgers.schema import Column

Parser = Callable[[str], Any]
_LISTED = 8


def clean_texts(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Clean each cell of a column; empty cells stay empty."""
    return pa.chunked_array(map(_clean_chunk, cells.chunks), pa.large_string())


def _clean_chunk(cells: pa.Array) -> pa.Array:
    cells = cells.cast(pa.large_string())
    cleaned = pc.utf8_trim(cells, characters=outer())
    if holds(pa.chunked_array([cells]), b'="', b"'"):
        for pattern in table()["forced_text"]:
            bare = pc.replace_substring_regex(cleaned, pattern, r"\1")
            cleaned = pc.utf8_trim(bare, characters=outer())
    lengths = pc.binary_length(cleaned)
    if pc.sum(lengths) == pc.sum(pc.binary_length(cells)):
        # Nothing was trimmed: the column need not be kept twice.
        cleaned = cells
    if pc.min(lengths).as_py() == 0:
        cleaned = pc.if_else(pc.equal(lengths, 0), None, cleaned)
    return cleaned


@cache
def _days() -> tuple[re.Pattern[str], ...]:
    day = table()["date"]
    return tuple(
        re.compile(f"{form['day']}(?:{form['gap']}{day['time']})?") for form in day["forms"]
    )


@cache
def _short_days() -> tuple[re.Pattern[str], ...]:
    return tuple(map(re.compile, table()["date"]["short"]))


@cache
def _serial() -> tuple[re.Pattern[str], dict[int, date]]:
    serial = table()["date"]["serial"]
    epochs = {int(year): date.fromisoformat(day) for year, day in serial["epochs"].items()}
    return re.compile(serial["form"]), epochs


def parse_date(text: str, epoch: int = 1900, year: int | None = None) -> date | None:
    """A calendar day: 2020-08-19, 2020/8/19, 2020.8.19, 2020年8月19日, 20200819, or a serial.

    A time after the day is read and dropped; with an offset from UTC the day is that in China.
    Serials are Excel's day numbers of five digits from 20000 on: the years 1954-2173, or 1958-2177
    in a workbook whose *epoch* is 1904. Days without a year (3.15) are of *year*.

    Raises
    ------
    ValueError
        With the reason, in words.
    """
    if len(text) == 10 and text[4] == text[7] == "-":  # as most stand; the rest says it slower
        with suppress(ValueError):
            return date.fromisoformat(text)
    text = fold(clean(text))
    if is_nothing(text):
        return None
    for form in _days():
        if match := form.fullmatch(text):
            day = date(*map(int, match.groups()[:3]))
            hour, minute, offset = match.groups()[3:]
            if offset is None:
                return day
            passed = timedelta(hours=int(hour), minutes=int(minute)) - _from_utc(offset)
            at = datetime.combine(day, time(), UTC) + passed
            return at.astimezone(ZoneInfo(table()["date"]["zone"])).date()
    form, epochs = _serial()
    if match := form.fullmatch(text):
        return epochs[epoch] + timedelta(days=int(match[1]))
    for form in _short_days() if year else ():
        if match := form.fullmatch(text):
            return date(int(year or 0), int(match[1]), int(match[2]))
    raise ValueError(Message("not a day; write 2020-08-19{foreign}", foreign=foreign(text)))


def _from_utc(offset: str) -> timedelta:
    """An offset such as ``+08:00`` or ``Z``."""
    sign, digits = offset.strip()[0], re.sub("[^0-9]", "", offset)
    minutes = int(digits[:2] or 0) * 60 + int(digits[2:] or 0)
    return timedelta(minutes=-minutes if sign == "-" else minutes)


@cache
def _number() -> re.Pattern[str]:
    return re.compile(table()["amount"]["number"])


def parse_amount(text: str, factor: int = 1) -> Decimal | None:
    """An exact amount in 元; thousands separators are read.

    A unit in the cell (元, 万元, 亿元) decides; without one *factor* does, which is the heading's.

    Raises
    ------
    ValueError
        With the reason, in words.
    """
    text = fold(clean(text))
    if is_nothing(text):
        return None
    number = text.removeprefix(table()["amount"]["prefix"]).strip(" ")
    for unit, times in units().items():
        if number.endswith(unit):
            number, factor = number.removesuffix(unit).strip(" "), times
            break
    if not _number().fullmatch(number):
        raise ValueError(Message("not an amount; write 1234.50{foreign}", foreign=foreign(text)))
    whole, _, fraction = number.replace(",", "").partition(".")
    exact = table()["amount"]["exact"]
    digits, places = int(exact["whole"]), int(exact["places"])
    zeros = len(str(factor)) - 1
    # By the digits, since a number that was multiplied first may have been rounded.
    if len(whole.lstrip("+-0")) > digits - zeros or len(fraction.rstrip("0")) > places + zeros:
        message = Message(
            "not an amount of at most {digits} digits, and {places} after the point of 元",
            digits=digits,
            places=places,
        )
        raise ValueError(message)
    return Decimal(f"{whole}.{fraction.rstrip('0')}") * factor


def parse_integer(text: str) -> int | None:
    """A whole number; ``12.0``, as spreadsheets write it, is 12.

    Raises
    ------
    ValueError
        With the reason, in words.
    """
    text = fold(clean(text))
    if is_nothing(text):
        return None
    whole, _, fraction = text.replace(",", "").partition(".")
    if not _number().fullmatch(text) or fraction.strip("0"):
        raise ValueError(Message("not a whole number{foreign}", foreign=foreign(text)))
    bits = int(table()["integer"]["bits"])
    if len(whole.lstrip("+-0")) > bits or abs(int(whole)) >= 2 ** (bits - 1):
        raise ValueError(Message("larger than any number here can be"))
    return int(whole)


@cache
def _flags() -> dict[str, bool]:
    words = table()["flag"]
    return {loose(word): value == "true" for value in words for word in words[value]}


def parse_flag(text: str) -> bool | None:
    """是 or 否.

    Raises
    ------
    ValueError
        With the reason, in words.
    """
    text = clean(text)
    if is_nothing(text):
        return None
    found = _flags().get(loose(text))
    if found is None:
        raise ValueError(Message("neither 是 nor 否{foreign}", foreign=foreign(text)))
    return found


def category_parser(column: Column) -> Parser:
    """A parser that knows the values of one category column, in all accepted spellings."""
    vocabulary = column.vocabulary()

    def parse(text: str) -> str | None:
        text = clean(text)
        if is_nothing(text):
            return None
        known = vocabulary.get(loose(text))
        if known is None and column.open:
            return text
        if known is None:
            near = difflib.get_close_matches(loose(text), vocabulary, n=4, cutoff=0.5)
            nearest = "、".join(dict.fromkeys(vocabulary[label] for label in near))
            hint = Message("; nearest: {nearest}", nearest=nearest) if near else ""
            values = column.categories()
            listed = "、".join(values[:_LISTED])
            if len(values) > _LISTED:
                listed += Message(
                    " … ({values} values; `reportkit template` lists them)", values=len(values)
                )
            raise ValueError(Message("not one of {listed}{hint}", listed=listed, hint=hint))
        return known

    return parse


def alike(column: Column, text: str) -> str:
    """A cell as it is compared with the office's own values of a column."""
    return loose(text) if column.type in ("category", "flag") else fold(clean(text))


def parser_for(column: Column, *, factor: int = 1, epoch: int = 1900) -> Parser:
    """The parser of a column; *factor* turns amounts under a heading in 万元 into 元.

    *epoch* is the year that day numbers count from. The office's own values go before ours.
    """
    parse = _parser(column, factor, epoch)
    if not column.swaps:
        return parse
    return lambda text: parse(column.swaps.get(alike(column, text), text))


def _parser(column: Column, factor: int, epoch: int) -> Parser:
    if column.type == "category":
        return category_parser(column)
    if column.type == "amount":
        return partial(parse_amount, factor=factor)
    if column.type == "date":
        return partial(parse_date, epoch=epoch, year=column.year)
    simple: dict[str, Parser] = {
        "text": lambda text: clean(text) or None,
        "integer": parse_integer,
        "flag": parse_flag,
    }
    return simple[column.type]
