"""Whose signatures count: trusted public keys, their roles, and a check against them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reportkit.errors import InputError, ReportkitError
from reportkit.language import joined, template
from reportkit.proof.signing.envelope import pae
from reportkit.proof.signing.keys import read_public

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reportkit.proof.signing.keys import Verifier

_NOR = template(", nor any ")


@dataclass(frozen=True)
class TrustedKey:
    """A key that somebody vouches for.

    Parameters
    ----------
    verifier : Verifier
    role : str
        In which it signs; "" where the keys have no roles.
    name : str
        What people call it.
    """

    verifier: Verifier
    role: str
    name: str


Trusted = dict[str, TrustedKey]
"""Keys that somebody vouches for, by their ids."""


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
    keys = [
        TrustedKey(read_public(path), role, path.stem)
        for path, role in zip(paths, roles, strict=True)
    ]
    if not keys:
        raise InputError(
            "keys-missing", "{place} holds no public key (*.pub, or <role>/*.pub)", place=folder
        )
    if "" in roles and set(roles) != {""}:
        raise InputError(
            "keys-missing",
            "{place} holds keys with and without a role; put all of them into <role>/",
            place=folder,
        )
    trusted = {key.verifier.keyid: key for key in keys}
    if len(trusted) < len(keys):
        raise InputError(
            "keys-missing", "{place} holds one key twice; a person signs once", place=folder
        )
    return trusted


def check_signatures(payload: bytes, signatures: Mapping[str, bytes], trusted: Trusted) -> str:
    """Check the signatures of a payload and name the signers.

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
    for keyid, signature in signatures.items():
        if keyid not in trusted:
            raise ReportkitError(
                "signature-wrong",
                "key {keyid} signed, and it is none of the trusted keys",
                keyid=keyid[:16],
            )
        if not trusted[keyid].verifier.holds(message, signature):
            raise ReportkitError(
                "signature-wrong",
                "the signature of {name} ({keyid}) does not hold",
                name=trusted[keyid].name,
                keyid=keyid[:16],
            )
    signed = {trusted[keyid].role for keyid in signatures}
    if missing := sorted({key.role for key in trusted.values()} - signed):
        roles = joined(_NOR, missing)
        raise ReportkitError("signature-missing", "not signed by any {roles}", roles=roles)
    return ", ".join(f"{trusted[keyid].name} ({keyid[:16]})" for keyid in sorted(signatures))
