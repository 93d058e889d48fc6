"""Numbers of a workbook as text, and whether their formats show something else.

Source: ECMA-376 part 1, 18.8.30 and 18.8.31 (number formats), 18.17.4 (days).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from math import isinf
from typing import TYPE_CHECKING

from reportkit.language import Message
from reportkit.ledgers.readers.table import EXACT, as_text

if TYPE_CHECKING:
    from reportkit.ledgers.readers.table import Epoch

# Formats that no workbook spells out; of days and times, those of Chinese programs too.
_BUILT_IN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00",
    12: "# ?/?", 13: "# ??/??", 37: "#,##0_);(#,##0)", 38: "#,##0_);(#,##0)",
    39: "#,##0.00_);(#,##0.00)", 40: "#,##0.00_);(#,##0.00)", 46: "[h]:mm:ss", 48: "##0.0E+0",
    49: "@", **dict.fromkeys([16, *range(18, 22), 28, 29, *range(32, 36), 45, 47], "m-d"),
    **dict.fromkeys([51, *range(53, 57), 58], "m-d"),
    **dict.fromkeys([14, 15, 17, 22, 27, 30, 31, 36, 50, 52, 57], "y-m-d"),
}  # fmt: skip
# Quoted text, an escaped character, a gap or filling, what stands in brackets, or a plain one.
_TOKEN = re.compile(r'"([^"]*)"|[\\!](.)|[_*].|\[([^\]]*)\]|(General|.)', re.DOTALL)
# As Chinese programs call the format of their own choice.
_GENERAL = re.compile("G/(?:General|通用格式)")
_ELAPSED = re.compile("h+|m+|s+", re.IGNORECASE)
_DAY = re.compile("[ymdhs]", re.IGNORECASE)
# A comma after the last digit place divides by a thousand; a point that is mere text (p) between
# places is one where the number has none: 0!.0, and 0\.0000 show ten-thousands.
_SCALED = re.compile("[0#?],+(?![0#?,])|[0#?]p[0#?]|%")
# Of text beside a number, what is of another unit or could be a part of the number.
_UNIT = re.compile("[美港日欧十百千万亿拾佰仟萬億]*元|[百千万亿拾佰仟萬億%‰$€£]|[0-9A-Za-z.]+")
_YUAN = re.compile("CNY|RMB")
_SIGN = re.compile("(?<![eE])[-(（△▲负]")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_PLAIN = re.compile(r"0|-?[1-9]\d{0,14}", re.ASCII)
_LAST_DAY = 2_958_466
_DAY_MILLISECONDS = 86_400_000
Oddities = tuple[tuple[str, str], ...]
VOLATILE = re.compile(
    r"\b(?:TODAY|NOW|RAND|RANDBETWEEN|RANDARRAY|OFFSET|INDIRECT)\s*\(", re.IGNORECASE
)
"""Functions whose value is another one whenever a workbook is calculated."""


@dataclass(frozen=True)
class Format:
    """Number format of a cell."""

    day: bool = False
    dressed: bool = False
    """It shows more or other characters than those of the number: ``000``, ``0.00E+00``."""
    yearless: bool = False
    """It shows a day without its year: ``m"月"d"日"``, which a spreadsheet makes of 3-15."""
    redated: bool = False
    """It shows a day with digits that are not the day's: ``"2021-"mm-dd``."""
    scaled: bool = False
    """It shows a multiple: ``0.0,`` thousands, ``0!.0,`` ten-thousands, ``0%`` hundredths."""
    unit: str = ""
    """The unit that it writes after the number: 元, 万元, 万 …"""
    places: int | None = None
    """Places shown after the point; None for all that there are, -1 for 1.2E+05."""
    blind: bool = False
    """It does not show the number: ``;;;``, ``"已缴"``, ``aaaa``."""
    unsigned: bool = False
    """It shows a negative number without its sign: ``0.00;[Red]0.00``."""
    signed: bool = False
    """It shows a positive number with the sign of a negative one: ``"-"0``, ``(0)``."""


def built_in(number: int) -> Format:
    """The format that a number means which the workbook does not spell out."""
    return format_of(_BUILT_IN.get(number, "General"))


@lru_cache(maxsize=1024)
def format_of(code: str) -> Format:
    """Read a number format as a workbook spells it.

    Examples
    --------
    >>> format_of("0!.0,").scaled, format_of('0.00"万元"').unit, format_of("m月d日").day
    (True, '万元', True)
    """
    # What is shown as it stands, and the rest with x for such text and p for such a point.
    code = _GENERAL.sub("General", code)
    texts, shapes, elapsed, white = [""], [""], False, False
    for quoted, escaped, inside, plain in _TOKEN.findall(code):
        if plain == ";":
            shapes.append("")
            texts.append("")
            continue
        elapsed |= bool(_ELAPSED.fullmatch(inside))
        white |= inside.lower() == "white"
        currency = inside[1:].partition("-")[0] if inside.startswith("$") else ""
        # Characters of ASCII that stand bare are of the format itself, but a currency's sign.
        bare = plain if plain == "$" or not plain.isascii() else " "
        texts[-1] += quoted or escaped or currency or bare
        shape = "p" if "." in (quoted, escaped) else "x" if quoted or escaped else plain
        shapes[-1] += shape
    first = shapes[0]
    day = bool(_DAY.search(first)) and not elapsed
    shown = re.search("[0#?@]|General", first)
    places: int | None = len(re.findall("[0#?]", first.partition(".")[2]))
    if re.search("General|[/@]", first):
        places = None
    unit = _UNIT.search(_YUAN.sub(" ", " ".join(texts)))
    return Format(
        day=day,
        dressed=first.strip() not in ("", "General", "0", "#", "@"),
        yearless=day and not re.search("[ye]", first, re.IGNORECASE),
        redated=day and bool(re.search("[0-9]", " ".join(texts))),
        scaled=any(map(_SCALED.search, shapes)),
        unit=unit[0] if unit and not day else "",
        places=-1 if re.search("[eE][+-]", first) else places,
        blind=bool(code) and not day and (elapsed or white or not shown),
        unsigned=len(shapes) > 1 and not _SIGN.search(texts[1] + shapes[1]),
        signed=bool(shown and _SIGN.search(texts[0] + first)),
    )


@lru_cache(maxsize=1 << 16)
def number_text(stored: str, shown: Format, epoch: Epoch = 1900) -> tuple[str, Oddities]:
    """A stored number as text, and what is odd about how it is shown: names and texts.

    As in a spreadsheet, a number has 15 digits and a day no time of less than a millisecond:
    3.3000000000000003 is 3.3.

    Raises
    ------
    ValueError
        It is no number.
    """
    if not _NUMBER.fullmatch(stored) or isinf(value := float(stored)):
        raise ValueError(Message("'{stored}' is no number", stored=stored[:20]))
    if shown.day and (text := day_text(value, epoch)):
        more = {"yearless": shown.yearless, "redated": shown.redated}
        return text, (("day", text), *((what, text) for what, holds in more.items() if holds))
    text = stored if _PLAIN.fullmatch(stored) else as_text(value)
    places = len(text.partition(".")[2])
    odd = {
        "rounded": abs(value) >= EXACT,
        "dressed": shown.dressed,
        "scaled": shown.scaled and value,
        "short": shown.places is not None and places > shown.places,
        "blind": shown.blind or (shown.unsigned if value < 0 else shown.signed and value),
    }
    found = [(oddity, text) for oddity, holds in odd.items() if holds]
    return text, (*found, ("unit", shown.unit)) if shown.unit else tuple(found)


def day_text(value: float, epoch: Epoch) -> str:
    """The day and time that a number means; nothing where it means none."""
    days, milliseconds = divmod(round(value * _DAY_MILLISECONDS), _DAY_MILLISECONDS)
    if (epoch == 1900 and 60 <= days < 61) or not 0 <= value < _LAST_DAY:
        # The calendar of 1900 has a 29 February.
        return ""
    zero = datetime.fromisoformat("1904-01-01" if epoch == 1904 else "1899-12-30")
    if epoch == 1900 and days < 60:
        zero += timedelta(days=1)
    moment = zero + timedelta(days=days, milliseconds=milliseconds)
    return as_text(moment if days else moment.time())
