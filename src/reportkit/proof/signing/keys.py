"""Ed25519 keys in files: made, read for signing, read for checking.

Source: RFC 8032 (Ed25519); RFC 5280 (SubjectPublicKeyInfo, which key ids are digests of).
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from reportkit.errors import InputError
from reportkit.proof.signing.programs import OpensslVerifier, SshVerifier

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Ed25519Signer:
    """A private key of this process."""

    key: Ed25519PrivateKey

    @property
    def keyid(self) -> str:
        """SHA-256 of the public key (SubjectPublicKeyInfo, DER)."""
        return _keyid(self.key.public_key())

    def sign(self, message: bytes) -> bytes:
        """A signature of 64 bytes."""
        return self.key.sign(message)


@dataclass(frozen=True)
class Ed25519Verifier:
    """A public key."""

    key: Ed25519PublicKey

    @property
    def keyid(self) -> str:
        """SHA-256 of the public key (SubjectPublicKeyInfo, DER)."""
        return _keyid(self.key)

    def holds(self, message: bytes, signature: bytes) -> bool:
        """Return True where the signature is this key's over this message."""
        try:
            self.key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


Verifier = Ed25519Verifier | OpensslVerifier | SshVerifier
"""The public half of a signer."""


def keygen(path: Path) -> tuple[Path, str]:
    """Make a key: the private half at *path*, readable by its owner only, the other beside it.

    Returns
    -------
    tuple of Path and str
        The public key's file and the key id.

    Raises
    ------
    InputError
        ``key-place``: the file is there already, or would lie in a run.
    """
    public = path.with_name(path.name + ".pub")
    for key_file in (path, public):
        if key_file.exists() or key_file.is_symlink():
            raise InputError(
                "key-place", "{path} is there already; a key is never written over", path=key_file
            )
    if _among_runs(path.parent.resolve()):
        raise InputError("key-place", "{path} lies among runs; keys are kept elsewhere", path=path)
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with InputError.on_refusal("key-place", "{path} cannot be written: {problem}", path=path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Nobody else can read it from its first moment on.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(private)
        public.write_bytes(
            key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )
    return public, _keyid(key.public_key())


def _among_runs(folder: Path) -> bool:
    above = [folder, *folder.parents]
    in_run = any((folder / "MANIFEST.json").exists() for folder in above)
    in_place = any((folder / "current").is_symlink() for folder in above)
    return in_run or in_place or any((*folder.glob("*/current"), *folder.glob("*/*/current")))


def read_signer(path: Path) -> Ed25519Signer:
    """The signer of a private key file.

    Raises
    ------
    InputError
        ``signing-key``: not there, open to others, or no Ed25519 key without a password.
    """
    try:
        content, mode = path.read_bytes(), path.stat().st_mode
        key = load_pem_private_key(content, password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(
            "signing-key",
            "{path} is no private key that can be used: {error}",
            path=path,
            error=error,
        ) from None
    if mode & 0o077:
        raise InputError("signing-key", "{path} can be read by others; chmod 600 it", path=path)
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError("signing-key", "{path} is no Ed25519 key; make one with keygen", path=path)
    return Ed25519Signer(key)


def read_public(path: Path) -> Verifier:
    """A public key: PEM (Ed25519, SM2, other curves by openssl), or a line of ssh-keygen.

    Raises
    ------
    InputError
        ``signing-key``: it is neither.
    """
    try:
        content = path.read_bytes()
        words = content.decode().split()
        if re.fullmatch(r"(sk-)?(ssh|ecdsa)-[a-z0-9@.-]+", words[0]):
            base64.b64decode(words[1], validate=True)
            return SshVerifier(words[0], words[1])
        key: Any = None
        with suppress(UnsupportedAlgorithm):
            key = load_pem_public_key(content)
        if key is None or isinstance(key, EllipticCurvePublicKey):
            return OpensslVerifier(content)
    except (OSError, ValueError, IndexError) as error:
        raise InputError(
            "signing-key", "{path} is no public key: {error}", path=path, error=error
        ) from None
    if not isinstance(key, Ed25519PublicKey):
        raise InputError(
            "signing-key", "{path} is no Ed25519 key, nor one of SM2 or of another curve", path=path
        )
    return Ed25519Verifier(key)


def _keyid(key: Ed25519PublicKey) -> str:
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()
