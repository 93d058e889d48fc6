"""Signed statements: DSSE envelopes over plain JSON.

Source: github.com/secure-systems-lab/dsse (protocol 1.0.2). An envelope is accepted in exactly
the bytes that `envelope` writes, so that no byte of it can be changed unseen.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from reportkit.errors import ReportkitError

if TYPE_CHECKING:
    from collections.abc import Mapping

PAYLOAD_TYPE = "application/vnd.in-toto+json"


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
