"""Numbers of a workbook as plain text: a day where the cell's style shows one.

Source: ECMA-376 part 1, 18.8.30 (number formats), 18.17.4 (dates).
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from reportkit.ledgers.readers.table import EXACT, as_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reportkit.ledgers.readers.table import Epoch

# Formats that no workbook spells out: days and times, of Chinese and Japanese programs too.
_OF_DAYS = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
_NOT_SHOWN_AS_DATE = re.compile(r'"[^"]*"|\\.|[_*].|\[[^\]]*\]')
_DATE_LETTER = re.compile("[ymdhs]|a{3}", re.IGNORECASE)
_PLAIN = r"^(?:0|-?[1-9][0-9]{0,14})$"
_LAST_DAY = 2_958_465


def date_styles(elements: Iterable[tuple[str, Mapping[str, str]]]) -> list[bool]:
    """For each style of a workbook, whether a number in it is a day or a time.

    Parameters
    ----------
    elements : iterable of (tag, attributes)
        Those of ``styles.xml``.
    """
    formats: dict[str, str] = {}
    styles: list[bool] = []
    inside = ""
    for tag, attributes in elements:
        if tag in ("cellStyleXfs", "cellXfs", "cellStyles", "dxfs"):
            inside = tag
        elif tag == "numFmt" and not inside:
            formats[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif tag == "xf" and inside == "cellXfs":
            number = attributes.get("numFmtId", "0")
            shown = formats.get(number)
            styles.append(int(number) in _OF_DAYS if shown is None else _shows_day(shown))
    return styles


def _shows_day(shown: str) -> bool:
    return bool(_DATE_LETTER.search(_NOT_SHOWN_AS_DATE.sub("", shown.partition(";")[0])))


def number_texts(texts: pa.Array, *, days: bool, epoch: Epoch) -> pa.Array:
    """Stored numbers as text; each different one is looked at once.

    Raises
    ------
    ValueError
        One is no number.
    """
    if not days and pc.all(pc.match_substring_regex(texts, _PLAIN)).as_py() is not False:
        return texts
    encoded = texts.dictionary_encode()

    def written(number: str) -> str:
        return day_text(number, epoch) if days else as_text(float(number))

    made = [written(text) if text else "" for text in encoded.dictionary.to_pylist()]
    return pa.array(made, pa.large_string()).take(encoded.indices)


@lru_cache(maxsize=1 << 14)
def day_text(number: str, epoch: Epoch) -> str:
    """The day that a number is in a cell that shows one; the number where it is none."""
    value = float(number)
    seconds = round((value % 1) * 86_400)
    serial = int(value // 1) + seconds // 86_400
    minutes, second = divmod(seconds % 86_400, 60)
    clock = time(*divmod(minutes, 60), second)
    if epoch == 1900 and not 0 <= value < 60:
        # The calendar of 1900 has a 29 February.
        serial -= 1
    if not 0 <= value <= _LAST_DAY or (epoch == 1900 and int(value) == 60):
        return as_text(value)
    if value < 1:
        return as_text(clock)
    zero = date(1899, 12, 31) if epoch == 1900 else date(1904, 1, 1)
    day = zero + timedelta(days=serial)
    return as_text(datetime.combine(day, clock))


def is_inexact(text: str) -> bool:
    """Whether a stored number has lost digits: no spreadsheet keeps more than 15 of them."""
    return len(text) > 15 and abs(float(text)) >= EXACT
