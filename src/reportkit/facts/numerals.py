"""Numbers as Chinese text writes them: 二十六, 1.2万, 同比增长12.5%; written, found, read back."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext

from reportkit.errors import InputError

_DIGITS = "零一二三四五六七八九"
_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
MONEY = {"元": 1, "万元": 10_000, "亿元": 100_000_000}
CHINESE = "〇○零一二三四五六七八九十百千万亿两"

# A number with all that belongs to its value: 1,234.5 · 30余万 · 二十六 · 百分之三十 · 壹佰.
# Words without an exact value (半, 双, 几, 若干) are no numbers.
NUMBER = re.compile(
    rf"[{CHINESE}]+分之[{CHINESE}]+(?:点[{CHINESE}]+)?"
    r"|(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:[.．]\d+)*(?:[多余]?[百千万亿]+(?![克米瓦]))?"
    rf"|[{CHINESE}]+(?:[多余][十百千万亿]+|点[{CHINESE}]+)?"
    r"|[壹贰叁肆伍陆柒捌玖拾佰仟]{2,}"
)
_PLAIN = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_FALLS = re.compile("下降|减少|降低|回落|[-−－](?=[\\d])")


@dataclass(frozen=True)
class Reading:
    """Number read from a text: its value, and how far the true one can be from it."""

    value: Decimal
    within: Decimal = Decimal(0)

    def says(self, value: Decimal) -> bool:
        """Return True where the text is a right rendering of *value*."""
        return abs(value - self.value) <= self.within


def chinese_number(number: int) -> str:
    """A whole number below 100 million in Chinese numerals: 26 is 二十六.

    Raises
    ------
    InputError
        ``number``: negative or too large.
    """
    if not 0 <= number < 100_000_000:
        raise InputError(
            "number",
            "{number} cannot be written in Chinese numerals here; print it in digits",
            number=number,
        )
    if number >= 10_000:
        high, low = divmod(number, 10_000)
        link = "零" if 0 < low < 1_000 else ""
        rest = re.sub("^十", "一十", chinese_number(low)) if low else ""
        return chinese_number(high) + "万" + link + rest
    text, pending = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // unit % 10
        if digit:
            text += ("零" if pending else "") + _DIGITS[digit] + name
        pending = bool(text) and not digit
    return re.sub("^一十", "十", text) or "零"


def plain(value: Decimal) -> str:
    """A decimal in plain digits without trailing zeros; zero is ``0``."""
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def json_number(value: Decimal | None) -> int | float | None:
    """A number for JSON: a whole one as an integer.

    Examples
    --------
    >>> json_number(Decimal("76.0")), json_number(Decimal("12.5")), json_number(None)
    (76, 12.5, None)
    """
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def number_of(text: str) -> Decimal | None:
    """The number that plain digits say, as in ``facts.json``; None for a day or another text."""
    # Plain ones only: 1E+999999999 would be written with so many digits.
    return Decimal(text) if _PLAIN.fullmatch(text) else None


def rounded(value: Decimal, decimals: int) -> Decimal:
    """*value* to so many decimals, a half away from zero (四舍五入)."""
    with localcontext(prec=max(28, value.adjusted() + decimals + 2)):
        return value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


def read_number(text: str) -> Reading | None:
    """Read back one number from a rendered text, with its sign in words; None if it says none.

    Examples
    --------
    >>> read_number("二十六").value
    Decimal('26')
    >>> read_number("约1.2万").says(Decimal(12049))
    True
    >>> read_number("同比下降3.5%").value
    Decimal('-3.5')
    """
    plain = unicodedata.normalize("NFKC", text)
    numbers = NUMBER.findall(plain)
    if not numbers:
        return Reading(Decimal(0)) if "持平" in plain else None
    if len(numbers) > 1:
        return None
    value = _value(numbers[0])
    if value is None:
        return None
    number, step = value
    before = plain[: plain.index(numbers[0]) + 1]
    sign = -1 if _FALLS.search(before) else 1
    return Reading(sign * number, step / 2 if "约" in before else Decimal(0))


def _value(text: str) -> tuple[Decimal, Decimal] | None:
    """Value of one number, and the size of its last place."""
    digits = re.fullmatch(r"([\d,]+(?:\.\d+)?)([百千万亿]*)", text)
    if digits:
        factor = Decimal(1)
        for unit in digits[2]:
            factor *= _UNITS[unit]
        try:
            number = Decimal(digits[1].replace(",", ""))
        except InvalidOperation:
            return None
        return number * factor, factor.scaleb(-len(digits[1].partition(".")[2]))
    text = re.sub("[〇○]", "零", text).removeprefix("百分之")
    if len(text) > 1 and set(text) <= set(_DIGITS):
        return Decimal("".join(str(_DIGITS.index(digit)) for digit in text)), Decimal(1)
    text = re.sub("两(?=[百千万亿]|$)", "二", text)
    # A digit waits for the unit after it (三百); 万 and 亿 multiply all that was read so far.
    total = section = digit = 0
    for character in text:
        if character in _DIGITS:
            digit = _DIGITS.index(character)
        elif character in "万亿":
            total, section, digit = (total + section + digit) * _UNITS[character], 0, 0
        elif character in _UNITS:
            section, digit = section + (digit or 1) * _UNITS[character], 0
        else:
            return None
    total += section + digit
    # Only the canonical form is sure to mean this value: 一百二 is 120 to some, 102 to others.
    return (Decimal(total), Decimal(1)) if 0 <= total < 10**8 and _same(total, text) else None


def _same(number: int, text: str) -> bool:
    return text in (chinese_number(number), re.sub("^十", "一十", chinese_number(number)))
