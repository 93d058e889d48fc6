"""Signers, and the one that the environment of a command names: a key, or tokens and agents."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reportkit.errors import InputError
from reportkit.proof.signing.keys import Ed25519Signer, Verifier, read_public, read_signer
from reportkit.proof.signing.programs import files_of, run_program

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_VARIABLE = "REPORTKIT_SIGNING_KEY_FILE"
COMMAND_VARIABLE, PUBLIC_VARIABLE = "REPORTKIT_SIGNER_COMMAND", "REPORTKIT_SIGNER_PUBLIC_KEY"


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
        with files_of(message=message) as folder:
            words = [word.replace("{}", f"{folder}/message") for word in shlex.split(self.command)]
            done = run_program(words, message)
        if done.returncode:
            output = done.stderr.decode(errors="replace").strip()
            raise InputError(
                "signing-key",
                "the signer {program} ended with status {returncode}: {output}",
                program=words[0],
                returncode=done.returncode,
                output=output,
            )
        if not self.public.holds(message, done.stdout):
            raise InputError(
                "signing-key",
                "the signer {program} signed with another key than {keyid}",
                program=words[0],
                keyid=self.keyid[:16],
            )
        return done.stdout


Signer = Ed25519Signer | CommandSigner
"""A key in a file, or a command that holds one."""


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
        raise InputError(
            "signing-key",
            "set {key_variable}, or both {command_variable} and {public_variable}",
            key_variable=KEY_VARIABLE,
            command_variable=COMMAND_VARIABLE,
            public_variable=PUBLIC_VARIABLE,
        )
    if command and public:
        return CommandSigner(command, read_public(Path(public)))
    return read_signer(Path(name)) if name else None
