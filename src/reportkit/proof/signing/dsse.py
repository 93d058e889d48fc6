"""Signed statements: DSSE envelopes over plain JSON, Ed25519 keys, thresholds.

Source: github.com/secure-systems-lab/dsse (protocol 1.0.2); RFC 8032 (Ed25519). An envelope is
accepted in exactly the bytes that `seal` writes, so that no byte of it can be changed unseen.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

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

from reportkit.errors import InputError, ReportkitError
from reportkit.proof.signing.programs import CommandSigner, OpensslVerifier, SshVerifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KEY_VARIABLE = "REPORTKIT_SIGNING_KEY_FILE"
COMMAND_VARIABLE, PUBLIC_VARIABLE = "REPORTKIT_SIGNER_COMMAND", "REPORTKIT_SIGNER_PUBLIC_KEY"
PAYLOAD_TYPE = "application/vnd.in-toto+json"


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
        """Whether the signature is this key's over this message."""
        try:
            self.key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class Trusted:
    """Keys that somebody vouches for, and in which role each of them signs.

    Parameters
    ----------
    keys : mapping of str to Verifier
        By key id.
    roles : mapping of str to str
        Role of each key id; "" where the keys have no roles.
    names : mapping of str to str
        What people call each key.
    """

    keys: Mapping[str, Verifier]
    roles: Mapping[str, str]
    names: Mapping[str, str]


def pae(payload: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """The bytes that are signed: DSSE's pre-authentication encoding."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def envelope(payload: bytes, signatures: Mapping[str, bytes]) -> bytes:
    """An envelope as written: signatures by key id, in their order."""
    document = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [
            {"keyid": keyid, "sig": base64.b64encode(signatures[keyid]).decode()}
            for keyid in sorted(signatures)
        ],
    }
    return (json.dumps(document, indent=1) + "\n").encode()


def open_envelope(content: bytes) -> tuple[bytes, dict[str, bytes]]:
    """Payload and signatures (none, where nobody has signed yet); nothing of it is believed yet.

    Raises
    ------
    ReportkitError
        ``attestation-wrong``: it is not what `envelope` writes, byte for byte.
    """
    try:
        document = json.loads(content)
        payload = base64.b64decode(document["payload"], validate=True)
        signatures = {
            one["keyid"]: base64.b64decode(one["sig"], validate=True)
            for one in document["signatures"]
        }
        same = envelope(payload, signatures) == content
    except (ValueError, KeyError, TypeError, RecursionError):
        same = False
    if not same:
        message = "it is no DSSE envelope in the form that reportkit writes"
        raise ReportkitError("attestation-wrong", message)
    return payload, signatures


def check_signatures(payload: bytes, signatures: Mapping[str, bytes], trusted: Trusted) -> str:
    """Who signed a payload, in words.

    Where keys have roles, each role must have signed, with a key of its own; else one key.

    Raises
    ------
    ReportkitError
        ``unsigned``: there is no signature; ``signature-wrong``: one of a trusted key does not
        hold, or a key signed that is none of them; ``signature-missing``: a role has not signed.
    """
    if not signatures:
        raise ReportkitError("unsigned", "nobody has signed it")
    message = pae(payload)
    signed: dict[str, str] = {}
    for keyid, signature in signatures.items():
        verifier = trusted.keys.get(keyid)
        if verifier is None:
            text = f"key {keyid[:16]} signed, and it is none of the trusted keys"
            raise ReportkitError("signature-wrong", text)
        if not verifier.holds(message, signature):
            text = f"the signature of {trusted.names[keyid]} ({keyid[:16]}) does not hold"
            raise ReportkitError("signature-wrong", text)
        signed[keyid] = trusted.roles[keyid]
    missing = sorted(set(trusted.roles.values()) - set(signed.values()))
    if missing:
        text = "not signed by any " + ", nor any ".join(missing)
        raise ReportkitError("signature-missing", text)
    return ", ".join(f"{trusted.names[keyid]} ({keyid[:16]})" for keyid in sorted(signed))


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
    for one in (path, public):
        if one.exists() or one.is_symlink():
            raise InputError("key-place", f"{one} is there already; a key is never written over")
    if _among_runs(path.parent.resolve()):
        raise InputError("key-place", f"{path} lies among runs; keys are kept elsewhere")
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Nobody else can read it from its first moment on.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(private)
        public.write_bytes(
            key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )
    except OSError as error:
        raise InputError("key-place", f"{path} cannot be written: {error.strerror}") from None
    return public, _keyid(key.public_key())


def _among_runs(folder: Path) -> bool:
    above = [folder, *folder.parents]
    in_run = any((one / "MANIFEST.json").exists() for one in above)
    in_place = any((one / "current").is_symlink() for one in above)
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
        message = f"{path} is no private key that can be used: {error}"
        raise InputError("signing-key", message) from None
    if mode & 0o077:
        message = f"{path} can be read by others; chmod 600 it"
        raise InputError("signing-key", message)
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError("signing-key", f"{path} is no Ed25519 key; make one with keygen")
    return Ed25519Signer(key)


def signer_from(environment: Mapping[str, str]) -> Signer | None:
    """The signer that the environment names, if it names one.

    ``REPORTKIT_SIGNING_KEY_FILE`` is a file with a private key. Or ``REPORTKIT_SIGNER_COMMAND`` is
    a command that signs, and ``REPORTKIT_SIGNER_PUBLIC_KEY`` the file of its public key.

    Raises
    ------
    InputError
        ``signing-key``.
    """
    name, command = environment.get(KEY_VARIABLE), environment.get(COMMAND_VARIABLE)
    public = environment.get(PUBLIC_VARIABLE)
    if (name and command) or bool(command) != bool(public):
        message = f"set {KEY_VARIABLE}, or both {COMMAND_VARIABLE} and {PUBLIC_VARIABLE}"
        raise InputError("signing-key", message)
    if command and public:
        return CommandSigner(command, read_public(Path(public)))
    return read_signer(Path(name)) if name else None


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
        raise InputError("signing-key", f"{path} is no public key: {error}") from None
    if not isinstance(key, Ed25519PublicKey):
        message = f"{path} is no Ed25519 key, nor one of SM2 or of another curve"
        raise InputError("signing-key", message)
    return Ed25519Verifier(key)


def read_trusted(folder: Path) -> Trusted:
    """The public keys of a folder: ``*.pub``, or ``<role>/*.pub`` where roles must sign.

    Raises
    ------
    InputError
        ``keys-missing``: no key is there, keys lie on both levels, or one key has two roles;
        ``signing-key``: a file is no public key.
    """
    paths = sorted([*folder.glob("*.pub"), *folder.glob("*/*.pub")])
    roles = [path.parent.name if path.parent != folder else "" for path in paths]
    keys = [read_public(path) for path in paths]
    return trust(keys, roles=roles, names=[path.stem for path in paths], place=folder)


def trust(
    keys: Sequence[Verifier], *, roles: Sequence[str], names: Sequence[str], place: Path
) -> Trusted:
    """Trusted keys, each with its role and name; *place* is where they came from.

    Raises
    ------
    InputError
        ``keys-missing``.
    """
    ids = [key.keyid for key in keys]
    if not ids:
        raise InputError("keys-missing", f"{place} holds no public key (*.pub, or <role>/*.pub)")
    if "" in roles and set(roles) != {""}:
        message = f"{place} holds keys with and without a role; put all of them into <role>/"
        raise InputError("keys-missing", message)
    if len(set(ids)) < len(ids):
        raise InputError("keys-missing", f"{place} holds one key twice; a person signs once")
    by_id = dict(zip(ids, keys, strict=True))
    return Trusted(by_id, dict(zip(ids, roles, strict=True)), dict(zip(ids, names, strict=True)))


def _keyid(key: Ed25519PublicKey) -> str:
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()
