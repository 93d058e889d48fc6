"""Bytes of a file into text, in whichever encoding offices save it."""

from __future__ import annotations

from reportkit.errors import InputError

_DAMAGED = 0.02


def decoded(content: bytes) -> str:
    """The text of a file, in whichever encoding offices save it.

    Raises
    ------
    InputError
        ``audit-encoding``: it is in none of them.
    """
    for start, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if content.startswith(start):
            return content.decode(encoding, errors="replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    # A few damaged bytes are no other encoding.
    texts = [content.decode(encoding, errors="replace") for encoding in ("utf-8", "gb18030")]
    best = min(texts, key=lambda text: text.count("\ufffd"))
    if best.count("\ufffd") <= len(best) * _DAMAGED:
        return best
    raise InputError(
        "audit-encoding", "the text is neither UTF-8 nor GB 18030 (GBK); save it as UTF-8"
    )
