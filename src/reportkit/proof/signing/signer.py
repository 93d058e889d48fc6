"""What signs and what checks a signature: two protocols, kept by keys and by other programs."""

from __future__ import annotations

from typing import Protocol


class Signer(Protocol):
    """A key in a file, or a command that holds one (`reportkit.proof.signing.programs`)."""

    @property
    def keyid(self) -> str:
        """What its public half is known by."""
        ...

    def sign(self, message: bytes) -> bytes:
        """A signature over a message."""
        ...


class Verifier(Protocol):
    """The public half of a signer."""

    @property
    def keyid(self) -> str:
        """What it is known by."""
        ...

    def holds(self, message: bytes, signature: bytes) -> bool:
        """Whether the signature is this key's over this message."""
        ...
