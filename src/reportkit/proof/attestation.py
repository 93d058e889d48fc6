"""The attestation of a run: an in-toto statement about its manifest, signed.

Source: in-toto Attestation Framework, Statement v1; SLSA provenance v1. Plain JSON, since
in-toto's protobuf turns the year 2020 into 2020.0. The statement names the manifest and the sums,
which name everything else: so a signature can be added later without changing either.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from reportkit.errors import InputError, ReportkitError
from reportkit.proof.dsse import Signer, Trusted, check_signatures, envelope, open_envelope, pae
from reportkit.proof.manifest import ATTESTATION, MANIFEST, SUMS, digest, read_manifest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def statement(folder: Path) -> bytes:
    """The statement about a run, as it is signed: the same bytes for the same run."""
    manifest = read_manifest(folder)
    dependencies = [
        {"name": one["name"], "digest": {"sha256": one["sha256"]}} for one in manifest["inputs"]
    ]
    document = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [
            {"name": name, "digest": {"sha256": digest(folder / name)}} for name in (MANIFEST, SUMS)
        ],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:reportkit:run:1",
                "externalParameters": {
                    name: manifest[name]
                    for name in ("district", "year", "scope", "edition", "run", "previous")
                },
                "internalParameters": {"inputs_sha256": manifest["inputs_sha256"]},
                "resolvedDependencies": [
                    *dependencies,
                    {"name": "reportkit", "digest": {"sha256": manifest["code_sha256"]}},
                ],
            },
            "runDetails": {
                "builder": {
                    "id": "urn:reportkit:builder",
                    "version": {"reportkit": manifest["environment"]["packages"]["reportkit"]},
                },
                "metadata": {
                    "invocationId": manifest["run"],
                    "startedOn": manifest["started"],
                    "finishedOn": manifest["ended"],
                },
            },
        },
    }
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sign_run(folder: Path, signer: Signer) -> None:
    """Add a signature to a run; those that are there stay, and no other file is touched.

    Raises
    ------
    InputError
        ``signed-already``: this key has signed; ``attestation-wrong``: what others signed is
        not this run.
    """
    payload = statement(folder)
    signatures: dict[str, bytes] = {}
    path = folder / ATTESTATION
    if path.exists():
        old, signatures = open_envelope(path.read_bytes())
        if old != payload:
            message = f"what is signed in {path} is not this run; verify it first"
            raise InputError("attestation-wrong", message)
    if signer.keyid in signatures:
        raise InputError("signed-already", f"key {signer.keyid[:16]} has signed {folder} already")
    signatures[signer.keyid] = signer.sign(pae(payload))
    # Whole or not there at all: a half-written envelope would take the first signature away.
    new = folder.parent / f".{folder.name}-{ATTESTATION}"
    new.write_bytes(envelope(payload, signatures))
    new.replace(path)


def check_attestation(folder: Path, trusted: Trusted | None) -> str:
    """Who signed this very run, in words; with nobody trusted, only what is signed is checked.

    Raises
    ------
    ReportkitError
        ``unsigned``, ``attestation-wrong``, ``signature-wrong``, ``signature-missing``;
        ``statement-other``: signed, but it states another run.
    """
    path = folder / ATTESTATION
    if not path.exists():
        raise ReportkitError("unsigned", "nobody has signed this run")
    if path.is_symlink():
        raise ReportkitError("attestation-wrong", f"{ATTESTATION} is a link")
    content = path.read_bytes()
    try:
        payload, signatures = open_envelope(content)
        told = f"{len(signatures)} of unknown keys: name the trusted ones with --keys"
        if trusted is not None:
            told = check_signatures(payload, signatures, trusted)
    except ReportkitError as error:
        raise ReportkitError(error.reason, f"{ATTESTATION}: {error.message}") from None
    if payload != statement(folder):
        raise ReportkitError("statement-other", f"{ATTESTATION}: {_other(payload, folder)}")
    return told


def _other(payload: bytes, folder: Path) -> str:
    """How a statement differs from the one about a run."""
    try:
        told: Mapping[str, Any] = json.loads(payload)["predicate"]["buildDefinition"]
        about = {name: told["externalParameters"][name] for name in ("district", "year", "run")}
    except (ValueError, KeyError, TypeError):
        return "what was signed is no statement of reportkit"
    manifest = read_manifest(folder)
    if about != {name: manifest[name] for name in about}:
        return "what was signed is the run {run} of {district} {year}, not this one".format(**about)
    return f"{MANIFEST} or {SUMS} is not the one that was signed"


def manifest_digest(folder: Path) -> str:
    """Digest of a run's manifest, by which later runs and batches name it."""
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
