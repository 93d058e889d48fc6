"""Signers and verifiers that are other programs: tokens, ssh-agent, SM2, whatever openssl knows."""

from __future__ import annotations

import base64
import hashlib
import shlex
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reportkit.errors import InputError, refused_by_system

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportkit.proof.signing.signer import Verifier

NAMESPACE = "reportkit"
# 国密: the object identifier of SM2, with which goes the digest SM3 and the id of GM/T 0009.
_SM2 = bytes.fromhex("06082a811ccf5501822d")
_SM3 = ("-digest", "sm3", "-pkeyopt", "distid:1234567812345678")


@dataclass(frozen=True)
class CommandSigner:
    """A command that signs what it finds on its standard input, or in the file put for ``{}``.

    Parameters
    ----------
    command : str
        As in a shell, without a shell; it writes the signature to its standard output.
    public : Verifier
        The public half of the key that the command has.
    """

    command: str
    public: Verifier

    @property
    def keyid(self) -> str:
        """Id of the public key."""
        return self.public.keyid

    def sign(self, message: bytes) -> bytes:
        """Sign with the command; check the signature before anybody else sees it.

        Raises
        ------
        InputError
            ``signing-key``: the command failed, or signed with another key.
        """
        with _files(message=message) as folder:
            words = [word.replace("{}", f"{folder}/message") for word in shlex.split(self.command)]
            done = _run(words, message)
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            raise InputError(
                "signing-key",
                "the signer {program} ended with status {returncode}: {said}",
                program=words[0],
                returncode=done.returncode,
                said=said,
            )
        if not self.public.holds(message, done.stdout):
            raise InputError(
                "signing-key",
                "the signer {program} signed with another key than {keyid}",
                program=words[0],
                keyid=self.keyid[:16],
            )
        return done.stdout


@dataclass(frozen=True)
class OpensslVerifier:
    """A public key in PEM that openssl knows: SM2 with SM3, or a curve with SHA-256."""

    pem: bytes

    @property
    def keyid(self) -> str:
        """SHA-256 of the public key (SubjectPublicKeyInfo, DER)."""
        return hashlib.sha256(self._der).hexdigest()

    @property
    def _der(self) -> bytes:
        body = self.pem.partition(b"-----\n")[2].partition(b"-----END")[0]
        return base64.b64decode(body)

    def holds(self, message: bytes, signature: bytes) -> bool:
        """Return True where the signature is this key's over this message."""
        with _files(message=message, signature=signature, key=self.pem) as folder:
            words = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", f"{folder}/key", "-rawin"]
            words += ["-in", f"{folder}/message", "-sigfile", f"{folder}/signature"]
            return not _run([*words, *(_SM3 if _SM2 in self._der else ())], b"").returncode


@dataclass(frozen=True)
class SshVerifier:
    """A public key as ssh-keygen writes it; signatures are those of ``ssh-keygen -Y sign``.

    Parameters
    ----------
    kind, blob : str
        The first two words of its file.
    """

    kind: str
    blob: str

    @property
    def keyid(self) -> str:
        """SHA-256 of the public key, as ``ssh-keygen -l`` gives it, in hexadecimal."""
        return hashlib.sha256(base64.b64decode(self.blob)).hexdigest()

    def holds(self, message: bytes, signature: bytes) -> bool:
        """Return True where the signature is this key's over this message, made for reportkit."""
        signers = f"{NAMESPACE} {self.kind} {self.blob}\n".encode()
        with _files(signers=signers, signature=signature) as folder:
            words = ["ssh-keygen", "-Y", "verify", "-f", f"{folder}/signers", "-I", NAMESPACE]
            words += ["-n", NAMESPACE, "-s", f"{folder}/signature"]
            return not _run(words, message).returncode


class _files(tempfile.TemporaryDirectory[str]):  # noqa: N801 - used as a function
    """A folder, only ours, with these files."""

    def __init__(self, **contents: bytes) -> None:
        super().__init__(prefix="rk-sign-")
        for name, content in contents.items():
            (Path(self.name) / name).write_bytes(content)


def _run(words: Sequence[str], message: bytes) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(words, input=message, capture_output=True, check=False)  # noqa: S603 - the words of the setting, no shell
    except OSError as error:
        raise InputError(
            "signing-key",
            "{program} cannot be run: {why}",
            program=words[0],
            why=refused_by_system(error),
        ) from None
