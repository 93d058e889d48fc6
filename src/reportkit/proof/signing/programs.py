"""Verifiers that are other programs: SM2 and whatever else openssl knows, keys of ssh-keygen."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reportkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NAMESPACE = "reportkit"
# 国密: the object identifier of SM2, with which goes the digest SM3 and the id of GM/T 0009.
_SM2 = bytes.fromhex("06082a811ccf5501822d")
_SM3 = ("-digest", "sm3", "-pkeyopt", "distid:1234567812345678")


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
        with files_of(message=message, signature=signature, key=self.pem) as folder:
            words = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", f"{folder}/key", "-rawin"]
            words += ["-in", f"{folder}/message", "-sigfile", f"{folder}/signature"]
            return not run_program([*words, *(_SM3 if _SM2 in self._der else ())], b"").returncode


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
        with files_of(signers=signers, signature=signature) as folder:
            words = ["ssh-keygen", "-Y", "verify", "-f", f"{folder}/signers", "-I", NAMESPACE]
            words += ["-n", NAMESPACE, "-s", f"{folder}/signature"]
            return not run_program(words, message).returncode


@contextmanager
def files_of(**contents: bytes) -> Iterator[str]:
    """A folder, only ours, with these files, for as long as they are needed."""
    with tempfile.TemporaryDirectory(prefix="rk-sign-") as folder:
        for name, content in contents.items():
            Path(folder, name).write_bytes(content)
        yield folder


def run_program(words: Sequence[str], message: bytes) -> subprocess.CompletedProcess[bytes]:
    """Run a program with a message on its standard input."""
    with InputError.on_refusal(
        "signing-key", "{program} cannot be run: {problem}", program=words[0]
    ):
        return subprocess.run(words, input=message, capture_output=True, check=False)  # noqa: S603 - the words of the setting, no shell
