"""The signer that the environment of a command names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reportkit.errors import InputError
from reportkit.proof.signing.keys import read_public, read_signer
from reportkit.proof.signing.programs import CommandSigner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportkit.proof.signing.signer import Signer

KEY_VARIABLE = "REPORTKIT_SIGNING_KEY_FILE"
COMMAND_VARIABLE, PUBLIC_VARIABLE = "REPORTKIT_SIGNER_COMMAND", "REPORTKIT_SIGNER_PUBLIC_KEY"


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
