"""Personal data stays behind: pseudonyms for personal columns, patterns hidden in free text.

Source: 条例 第十五条 (personal privacy is not disclosed); 个人信息保护法 第六条, 第五十一条 (least
data, de-identification). A pseudonym is still personal data in the law's sense: it lets an analyst
see that two applications come from one applicant, and is shown in no document.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from reportkit.errors import InputError

KEY_VARIABLE = "REPORTKIT_PRIVACY_KEY_FILE"

SESSION_NOTE = (
    "未指定密钥文件，个人信息栏的化名由本次运行的临时密钥生成，与其他次运行的化名不能比对。"
)
SESSION_TOLD = (
    f"{KEY_VARIABLE} is not set: pseudonyms are of a key for this session only, "
    "those of another run differ"
)

_ID_CARD = re.compile(r"(?<![0-9A-Za-z])[1-9]\d{16}[\dXx](?![0-9A-Za-z])", re.ASCII)
_MOBILE = re.compile(
    r"(?<![\w.+/=-])(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?![\w+/=]|\.\d)", re.ASCII
)
_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,12}(?![\w@])", re.ASCII
)
# Where to try the patterns: digits all alike; or 1, 9 for 3-9, 0 for the others.
_DIGITS = bytes.maketrans(b"0123456789", b"0" * 10)
_SHAPE = bytes.maketrans(b"0123456789 ", b"0109999999-")
_LONG_NUMBER = re.compile(rb"0{17,}")
_MOBILE_SHAPE = re.compile(rb"19(?=[019]-?[019]{4}-?[019]{4})")
_BEFORE_AT = re.compile(r"[\w.+-]+\Z", re.ASCII)
SUSPECT = r"1[3-9][0-9][- ]?[0-9]{4}|[0-9]{17}|@"
"""What every text has that `hide` changes; a column is searched for it fast."""
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True)
class Found:
    """A piece of personal data in a text: what kind, and where."""

    kind: str
    start: int
    end: int


def find(text: str) -> list[Found]:
    """Identity-card numbers (with a right check digit), mobile numbers and e-mail addresses.

    The patterns are tried only where the shape of the text allows them, so that a file of
    megabytes takes milliseconds.
    """
    found = []
    # One byte for each character, whatever it is: places in the shape are places in the text.
    raw = text.encode("ascii", "replace")
    for spot in _LONG_NUMBER.finditer(raw.translate(_DIGITS)):
        if (match := _ID_CARD.match(text, spot.start())) and _is_id(match[0]):
            found.append(Found("证件号码", *match.span()))
    end = 0
    for spot in _MOBILE_SHAPE.finditer(raw.translate(_SHAPE)):
        # The country code before it is part of the number.
        starts = range(max(end, spot.start() - len("+86-")), spot.start() + 1)
        if match := next(filter(None, (_MOBILE.match(text, at) for at in starts)), None):
            found.append(Found("手机号码", *match.span()))
            end = match.end()
    at, end = text.find("@"), 0
    while at >= 0:
        name = _BEFORE_AT.search(text, max(end, at - 64), at)
        if name and (match := _EMAIL.match(text, name.start())):
            found.append(Found("电子邮箱", *match.span()))
            end = match.end()
        at = text.find("@", at + 1)
    return sorted(found, key=lambda one: one.start)


def _is_id(number: str) -> bool:
    # GB 11643-1999: ISO 7064 mod 11-2 over the first 17 digits, and a month and day inside.
    total = sum(int(d) * w for d, w in zip(number[:17], _WEIGHTS, strict=True))
    month, day = int(number[10:12]), int(number[12:14])
    return "10X98765432"[total % 11] == number[17].upper() and 1 <= month <= 12 and 1 <= day <= 31


def hide(text: str) -> str:
    """A text with the personal data that can be recognised in it replaced by its kind.

    Examples
    --------
    >>> hide("请回电13812345678")
    '请回电〔手机号码〕'
    """
    parts, end = [], 0
    for one in find(text):
        if one.start >= end:
            parts += [text[end : one.start], f"〔{one.kind}〕"]
            end = one.end
    return "".join(parts) + text[end:]


@dataclass(frozen=True)
class Pseudonyms:
    """Keyed pseudonyms: the same person gets the same one, and nobody without the key can tell who.

    Parameters
    ----------
    key : bytes
    of_session : bool
        Whether the key was drawn for this session, so that pseudonyms differ from the next one's.
    """

    key: bytes
    of_session: bool = False

    def __call__(self, column: str, value: str) -> str:
        """The pseudonym of one value of one column, such as ``申请人-7f3a91c2``."""
        # A number's plain digest is found by trying all numbers; a keyed one is not.
        told = hmac.digest(self.key, f"{column}\0{value}".encode(), "sha256")
        return f"{column}-{told[:6].hex()}"

    @classmethod
    def of_this_session(cls) -> Pseudonyms:
        """A key that nobody keeps."""
        return cls(secrets.token_bytes(32), of_session=True)

    @classmethod
    def from_environment(cls) -> Pseudonyms:
        """The key in the file that ``REPORTKIT_PRIVACY_KEY_FILE`` names, or one for the session.

        Raises
        ------
        InputError
            ``privacy-key``: the file is not there, too short, or open to others.
        """
        name = os.environ.get(KEY_VARIABLE)
        if not name:
            return cls.of_this_session()
        path = Path(name)
        try:
            key, mode = path.read_bytes().strip(), path.stat().st_mode
        except OSError as error:
            message = f"{KEY_VARIABLE} names {name}, which cannot be read: {error.strerror}"
            raise InputError("privacy-key", message) from None
        if len(key) < 32 or mode & 0o077:
            message = f"{name} must hold at least 32 bytes and be readable by its owner only (0600)"
            raise InputError("privacy-key", message)
        return cls(key)
