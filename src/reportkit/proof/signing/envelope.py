"""Signed statements: DSSE envelopes over plain JSON.

Source: github.com/secure-systems-lab/dsse (protocol 1.0.2). An envelope is accepted in exactly
the bytes that `envelope` writes, so that no byte of it can be changed unseen.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from reportkit.errors import ReportkitError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reportkit.proof.signing.settings import Signer

PAYLOAD_TYPE = "application/vnd.in-toto+json"


def in_toto(subject: Iterable[tuple[str, str]], kind: str, predicate: Mapping[str, Any]) -> bytes:
    """A statement about files, by their names and SHA-256: the same bytes for the same files.

    Source: in-toto Attestation Framework, Statement v1.
    """
    document = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": sha256}} for name, sha256 in subject],
        "predicateType": kind,
        "predicate": predicate,
    }
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def pae(payload: bytes) -> bytes:
    """The bytes that are signed: DSSE's pre-authentication encoding."""
    kind = PAYLOAD_TYPE.encode()
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


def begun(payload: bytes, signer: Signer | None) -> bytes:
    """An envelope that a signer has signed, or nobody yet."""
    return envelope(payload, {signer.keyid: signer.sign(pae(payload))} if signer else {})


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
            signature["keyid"]: base64.b64decode(signature["sig"], validate=True)
            for signature in document["signatures"]
        }
        same = envelope(payload, signatures) == content
    except (ValueError, KeyError, TypeError, RecursionError):
        same = False
    if not same:
        raise ReportkitError(
            "attestation-wrong", "it is no DSSE envelope in the form that reportkit writes"
        )
    return payload, signatures
