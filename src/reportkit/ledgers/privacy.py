"""Pseudonyms for columns of persons.

Source: 条例 第十五条 (personal privacy is not disclosed); 个人信息保护法 第六条, 第五十一条 (least
data, de-identification). A pseudonym is still personal data in the law's sense: it lets an analyst
see that two applications come from one applicant, and is shown in no document.
"""

from __future__ import annotations

import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from reportkit.errors import InputError
from reportkit.language import Message

KEY_VARIABLE = "REPORTKIT_PRIVACY_KEY_FILE"

SESSION_NOTE = (
    "未指定密钥文件，个人信息栏的化名由本次运行的临时密钥生成，与其他次运行的化名不能比对。"
)
SESSION_MESSAGE = Message(
    "{key_variable} is not set: pseudonyms are of a key for this session only, "
    "those of another run differ",
    key_variable=KEY_VARIABLE,
)


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
        digest = hmac.digest(self.key, f"{column}\0{value}".encode(), "sha256")
        return f"{column}-{digest[:6].hex()}"

    @property
    def row_key(self) -> bytes | None:
        """The key by which digests of records are keyed; None where it is of this session."""
        return None if self.of_session else self.key

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
        with InputError.on_refusal(
            "privacy-key",
            "{key_variable} names {name}, which cannot be read: {problem}",
            key_variable=KEY_VARIABLE,
            name=name,
        ):
            key, mode = path.read_bytes().strip(), path.stat().st_mode
        if len(key) < 32 or mode & 0o077:
            raise InputError(
                "privacy-key",
                "{name} must hold at least 32 bytes and be readable by its owner only (0600)",
                name=name,
            )
        return cls(key)
