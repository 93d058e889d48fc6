"""Whose signatures count: trusted public keys, their roles, and a check against them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reportkit.errors import InputError, ReportkitError
from reportkit.language import joined, template
from reportkit.proof.signing.envelope import pae
from reportkit.proof.signing.keys import read_public

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from reportkit.proof.signing.signer import Verifier

_NOR = template(", nor any ")


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
        raise InputError(
            "keys-missing", "{place} holds no public key (*.pub, or <role>/*.pub)", place=place
        )
    if "" in roles and set(roles) != {""}:
        raise InputError(
            "keys-missing",
            "{place} holds keys with and without a role; put all of them into <role>/",
            place=place,
        )
    if len(set(ids)) < len(ids):
        raise InputError(
            "keys-missing", "{place} holds one key twice; a person signs once", place=place
        )
    by_id = dict(zip(ids, keys, strict=True))
    return Trusted(by_id, dict(zip(ids, roles, strict=True)), dict(zip(ids, names, strict=True)))


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
    signed: dict[str, str] = {}
    for keyid, signature in signatures.items():
        verifier = trusted.keys.get(keyid)
        if verifier is None:
            raise ReportkitError(
                "signature-wrong",
                "key {keyid} signed, and it is none of the trusted keys",
                keyid=keyid[:16],
            )
        if not verifier.holds(message, signature):
            raise ReportkitError(
                "signature-wrong",
                "the signature of {name} ({keyid}) does not hold",
                name=trusted.names[keyid],
                keyid=keyid[:16],
            )
        signed[keyid] = trusted.roles[keyid]
    missing = sorted(set(trusted.roles.values()) - set(signed.values()))
    if missing:
        roles = joined(_NOR, missing)
        raise ReportkitError("signature-missing", "not signed by any {roles}", roles=roles)
    return ", ".join(f"{trusted.names[keyid]} ({keyid[:16]})" for keyid in sorted(signed))
