"""Numbers and addresses that are personal wherever they stand: their forms and check digits.

Source: GB 11643-1999 (identity numbers), ISO/IEC 7812-1 (cards).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from reportkit.persons.plain import HAN

if TYPE_CHECKING:
    from collections.abc import Iterator

PROVINCES = frozenset(
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 "
    "71 81 82 83".split()
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True)
class Found:
    """A piece of personal data in a text: what kind, and where.

    Parameters
    ----------
    kind : str
        In Chinese.
    start, end : int
    certain : bool
        True for what is personal wherever it stands. Another form (eight digits after a letter, a
        telephone of an office) may be something else in a text that is for the public.
    """

    kind: str
    start: int
    end: int
    certain: bool = True


# One byte for each character: digits, what may stand between them, letters, all else.
_BYTES = bytes.maketrans(
    b"0123456789" + bytes(range(65, 91)) + bytes(range(97, 123)) + b" .-",
    b"0" * 10 + b"a" * 52 + b"-" * 3,
)
_RUN = re.compile(rb"0[0-]{10,}")
_DIGITS = re.compile("[0-9]+")
_ALNUM = re.compile("[0-9A-Za-z]")


def numbers(plain: str) -> Iterator[Found]:
    """Identity numbers, mobile numbers and bank cards, with blanks, hyphens and points in them."""
    shape = plain.encode("ascii", "replace").translate(_BYTES)
    for run in _RUN.finditer(shape):
        parts = [digits.span() for digits in _DIGITS.finditer(plain, *run.span())]
        end = 0
        for at, (start, _) in enumerate(parts):
            if start >= end and (found := _number(plain, parts[at:])):
                end = found.end
                yield found


def _number(plain: str, parts: list[tuple[int, int]]) -> Found | None:
    """Return the number that begins with the first of these groups of digits, if it is one."""
    start = parts[0][0]
    before, digits, sizes = plain[max(0, start - 1) : start], "", []
    if before.isascii() and (before.isalnum() or before == "_"):
        return None
    last = start
    for first, end in parts[:19]:
        if first - last > 2:
            break
        last = end
        digits += plain[first:end]
        sizes.append(end - first)
        rest = plain[end : end + 3]
        if len(digits) > 19:
            break
        x = re.match("[ .-]{0,2}[Xx]", rest) if len(digits) == 17 else None
        if x and _is_identity(digits + "X") and not _ALNUM.match(plain, end + x.end()):
            return Found("证件号码", start, end + x.end())
        if _ALNUM.match(rest):
            continue
        if len(digits) == 18 and _is_identity(digits):
            return Found("证件号码", start, end)
        # Beside these signs it is a part of an address, a path or a sum.
        whole = not re.match(r"[+/=_]|[.-][0-9]", rest) and before not in set("+/=.-")
        alone = set(sizes) != {1} or not _in_a_row(plain, start, end)
        if whole and alone and _is_mobile(digits, sizes):
            return Found("手机号码", start - _code(plain, start), end)
        if whole and _is_card(digits, sizes):
            return Found("银行卡号", start, end)
    return None


def _in_a_row(plain: str, start: int, end: int) -> bool:
    """Return True where more single digits stand beside these, as in cells of a table or chart."""
    before = re.search(r"(?:^|[^0-9])[0-9]\s{1,2}\Z", plain[max(0, start - 4) : start])
    after = re.match(r"\s{1,2}[0-9](?![0-9])", plain[end : end + 4])
    return before is not None or after is not None


def _is_identity(number: str) -> bool:
    # ISO 7064 mod 11-2 over the first 17 digits; a province and a birthday inside.
    total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
    return (
        "10X98765432"[total % 11] == number[17]
        and number[:2] in PROVINCES
        and number[6:8] in ("18", "19", "20")
        and is_day(int(number[6:10]), number[10:14])
    )


def is_day(year: int, month_and_day: str) -> bool:
    """Return True where there is such a day; *month_and_day* are four digits."""
    try:
        date(year, int(month_and_day[:2]), int(month_and_day[2:]))
    except ValueError:
        return False
    return True


def _is_mobile(digits: str, sizes: list[int]) -> bool:
    if digits[:2] == "86" and sizes[0] in (2, 13):
        sizes = sizes[1:] if sizes[0] == 2 else [11]
        digits = digits[2:]
    written = sizes in ([11], [3, 4, 4], [3, 8], [7, 4], [4, 3, 4], [3, 3, 5]) or set(sizes) == {1}
    return len(digits) == 11 and digits[0] == "1" and digits[1] in "3456789" and written


def _code(plain: str, start: int) -> int:
    """Return the length of a +86 before the number."""
    found = re.search(r"\+?86[- ]?\Z|\+\Z", plain[max(0, start - 4) : start])
    return len(found[0]) if found else 0


def _is_card(digits: str, sizes: list[int]) -> bool:
    """Return True for the digits of a card, 62…, with their check digit (Luhn)."""
    fours = sizes[:-1] == [4] * (len(sizes) - 1) and sizes[-1] <= 4
    written = len(sizes) == 1 or (len(sizes) > 3 and fours)
    # A number of an office begins with its area, and a year follows.
    of_office = digits[6:8] in ("19", "20")
    if not written or not 16 <= len(digits) <= 19 or of_office or digits[:2] != "62":
        return False
    doubled = [int(digit) * (2 if at % 2 else 1) for at, digit in enumerate(reversed(digits))]
    return sum(digit - 9 if digit > 9 else digit for digit in doubled) % 10 == 0


_BEFORE_AT = re.compile(r"[\w.+-]+\Z")
_DOMAIN = re.compile(
    rf"(?:[A-Za-z0-9{HAN}-]{{1,63}}\.){{1,8}}(?:[A-Za-z]{{2,12}}(?![A-Za-z0-9_@-])"
    "|中国|中國|公司|网络|網絡|网址|政务|公益|商标|商城|中文网|在线|集团|我爱你|香港|台湾|移动"
    "|手机|信息|企业|机构)"
)


def addresses(plain: str) -> Iterator[Found]:
    """E-mail addresses, also under Chinese top-level domains."""
    at, end = plain.find("@"), 0
    while at >= 0:
        domain = _DOMAIN.match(plain, at + 1)
        name = _BEFORE_AT.search(plain, max(end, at - 64), at) if domain else None
        if name and domain:
            # 发到zhang@163.com: Chinese words before it are no part of an address in letters.
            own = re.search(r"[A-Za-z0-9_.+-]+\Z", name[0]) or name
            yield Found("电子邮箱", at - len(own[0]), domain.end())
            end = domain.end()
        at = plain.find("@", max(at + 1, end))
