"""The attestation of a run: an in-toto statement about its manifest, and who signed it.

Source: in-toto Attestation Framework, Statement v1; SLSA provenance v1. Plain JSON, since
in-toto's protobuf turns the year 2020 into 2020.0. The statement names the manifest and the sums,
which name everything else: so a signature can be added later without changing either. Until
somebody signs, the envelope holds no signature, and `check_attestation` says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reportkit.errors import InputError, ReportkitError
from reportkit.export.files import digest, write_whole
from reportkit.language import Message
from reportkit.proof.manifest import ATTESTATION, MANIFEST, SUMS, read_manifest
from reportkit.proof.plainjson import parse_json
from reportkit.proof.signing.envelope import begun, envelope, in_toto, open_envelope, pae
from reportkit.proof.signing.trust import Trusted, check_signatures
from reportkit.proof.surroundings import OURS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reportkit.proof.signing.settings import Signer


def statement(folder: Path) -> bytes:
    """The statement about a run, as it is signed: the same bytes for the same run."""
    manifest = read_manifest(folder)
    packages = manifest["environment"]["packages"]
    names = ("district", "year", "scope", "edition", "run", "previous")
    dependencies = [(item["name"], item["sha256"]) for item in manifest["inputs"]]
    dependencies.append(("reportkit", manifest["code_sha256"]))
    predicate = {
        "buildDefinition": {
            "buildType": "urn:reportkit:run:1",
            "externalParameters": {name: manifest[name] for name in names},
            "internalParameters": {"inputs_sha256": manifest["inputs_sha256"]},
            "resolvedDependencies": [
                {"name": name, "digest": {"sha256": sha256}} for name, sha256 in dependencies
            ],
        },
        "runDetails": {
            "builder": {
                "id": "urn:reportkit:builder",
                # Before 28 November 2026 the distribution was called as the package is.
                "version": {"reportkit": packages.get(OURS, packages.get("reportkit"))},
            },
            "metadata": {
                "invocationId": manifest["run"],
                "startedOn": manifest["started"],
                "finishedOn": manifest["ended"],
            },
        },
    }
    subject = [(name, digest(folder / name)) for name in (MANIFEST, SUMS)]
    return in_toto(subject, "https://slsa.dev/provenance/v1", predicate)


def attest(folder: Path, signer: Signer | None = None) -> None:
    """Write the attestation of a run: its statement, signed by nobody or by the one given."""
    (folder / ATTESTATION).write_bytes(begun(statement(folder), signer))


def sign_run(folder: Path, signer: Signer) -> None:
    """Add a signature to a run; those that are there stay, and no other file is touched.

    Raises
    ------
    InputError
        ``signed-already``: this key has signed; ``attestation-wrong``: what it states is not this
        run.
    """
    payload = statement(folder)
    path = folder / ATTESTATION
    old, signatures = open_envelope(path.read_bytes())
    if old != payload:
        raise InputError(
            "attestation-wrong", "what {path} states is not this run; verify it first", path=path
        )
    if signer.keyid in signatures:
        raise InputError(
            "signed-already",
            "key {keyid} has signed {folder} already",
            keyid=signer.keyid[:16],
            folder=folder,
        )
    signatures[signer.keyid] = signer.sign(pae(payload))
    # A half-written envelope would take the first signature away, or be a file too many of the run.
    write_whole(path, envelope(payload, signatures), scratch=folder.parent)


def check_attestation(folder: Path, trusted: Trusted | None) -> str:
    """Check the signature over this very run and name its signer; without keys, only its content.

    Raises
    ------
    ReportkitError
        ``unsigned``, ``attestation-wrong``, ``signature-wrong``, ``signature-missing``;
        ``statement-other``: signed, but it states another run.
    """
    try:
        payload, signatures = open_envelope((folder / ATTESTATION).read_bytes())
        if payload != statement(folder):
            raise ReportkitError("statement-other", "{other}", other=_other(payload, folder))
        if trusted is not None:
            return check_signatures(payload, signatures, trusted)
    except ReportkitError as error:
        raise ReportkitError(
            error.reason, "{attestation}: {message}", attestation=ATTESTATION, message=error.message
        ) from None
    if not signatures:
        return Message("by nobody: whoever can write here can make it anew")
    return Message(
        "{signatures} of unknown keys: name the trusted ones with --keys",
        signatures=len(signatures),
    )


def _other(payload: bytes, folder: Path) -> str:
    """Describe how a statement differs from the one about a run."""
    try:
        predicate: Mapping[str, Any] = parse_json(payload, Message("it"))["predicate"][
            "buildDefinition"
        ]
        about = {
            name: predicate["externalParameters"][name] for name in ("district", "year", "run")
        }
    except (ReportkitError, KeyError, TypeError):
        return Message("it is no statement of reportkit")
    manifest = read_manifest(folder)
    if about != {name: manifest[name] for name in about}:
        return Message("it states the run {run} of {district} {year}, not this one", **about)
    return Message(
        "{manifest} or {sums} is not the one that it states", manifest=MANIFEST, sums=SUMS
    )
