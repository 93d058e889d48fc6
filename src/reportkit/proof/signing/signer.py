"""Protocols of signers and of public keys, kept by keys and by other programs."""

from __future__ import annotations

from typing import Protocol


class Signer(Protocol):
    """A key in a file, or a command that holds one (`reportkit.proof.signing.programs`)."""

    @property
    def keyid(self) -> str:
        """Id of the public half."""
        ...

    def sign(self, message: bytes) -> bytes:
        """A signature over a message."""
        ...


class Verifier(Protocol):
    """The public half of a signer."""

    @property
    def keyid(self) -> str:
        """Id of the key."""
        ...

    def holds(self, message: bytes, signature: bytes) -> bool:
        """Return True where the signature is this key's over this message."""
        ...
