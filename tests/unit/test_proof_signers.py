"""Signers that are other programs: openssl, SM2, ssh-keygen and its agent."""

import base64
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from machine import program, until

from reportkit.errors import InputError, ReportkitError
from reportkit.proof.signing.envelope import envelope, open_envelope, pae
from reportkit.proof.signing.keys import keygen, read_public, read_signer
from reportkit.proof.signing.settings import signer_from
from reportkit.proof.signing.trust import check_signatures, read_trusted

PAYLOAD = "{“statement”: 1}".encode()
SM2 = (
    "openssl pkeyutl -sign -inkey {key} -rawin -in {} -digest sm3 -pkeyopt distid:1234567812345678"
)


@pytest.fixture(scope="module", autouse=True)
def programs():
    for name in ("openssl", "ssh-keygen", "ssh-agent"):
        program(name)


def do(*words, **more):
    return subprocess.run([*map(str, words)], check=True, capture_output=True, **more)


@pytest.fixture
def agent(tmp_path):
    """ssh-agent with a key whose file is gone: as near to a token as a program comes."""
    socket = tmp_path / "s"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    try:
        until(socket.exists)
        do("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "zhang", "-f", tmp_path / "agent")
        do("ssh-add", "-q", tmp_path / "agent", env=os.environ | {"SSH_AUTH_SOCK": str(socket)})
        (tmp_path / "agent").unlink()
        sign = "ssh-keygen -q -Y sign -n reportkit"
        yield f"env SSH_AUTH_SOCK={socket} {sign} -f {tmp_path}/agent.pub"
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(params=["ed25519", "p256", "sm2", "ssh", "agent"])
def signer(request, tmp_path):
    """A command that signs, and the file of its public key."""
    key, public = tmp_path / "own.key", tmp_path / "own.key.pub"
    if request.param == "agent":
        command, public = request.getfixturevalue("agent"), tmp_path / "agent.pub"
    elif request.param == "ed25519":
        keygen(key)
        command = f"openssl pkeyutl -sign -inkey {key} -rawin -in {{}}"
    elif request.param == "ssh":
        do("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
        command = f"ssh-keygen -q -Y sign -n reportkit -f {key}"
    else:
        curve = {"sm2": ["SM2"], "p256": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]}
        do("openssl", "genpkey", "-algorithm", *curve[request.param], "-out", key)
        do("openssl", "pkey", "-in", key, "-pubout", "-out", public)
        command = f"openssl pkeyutl -sign -inkey {key} -rawin -in {{}}"
        command = SM2.replace("{key}", str(key)) if request.param == "sm2" else command
    return command, public


def test_what_a_command_signs_is_verified(signer, tmp_path):
    command, public = signer
    made = signer_from(
        {"REPORTKIT_SIGNER_COMMAND": command, "REPORTKIT_SIGNER_PUBLIC_KEY": str(public)}
    )
    content = envelope(PAYLOAD, {made.keyid: made.sign(pae(PAYLOAD))})
    (tmp_path / "keys").mkdir()
    shutil.copy(public, tmp_path / "keys/zhang.pub")
    trusted = read_trusted(tmp_path / "keys")
    payload, signatures = open_envelope(content)
    assert check_signatures(payload, signatures, trusted) == f"zhang ({made.keyid[:16]})"
    with pytest.raises(ReportkitError, match="does not hold"):
        check_signatures(PAYLOAD + b" ", signatures, trusted)
    signature = bytearray(signatures[made.keyid])
    signature[len(signature) // 2] ^= 1
    with pytest.raises(ReportkitError, match="does not hold"):
        check_signatures(payload, {made.keyid: bytes(signature)}, trusted)
    # Of another key of the same kind, nothing is accepted.
    other = keygen(tmp_path / "other.key")[0]
    assert not read_public(other).holds(pae(PAYLOAD), signatures[made.keyid])


def test_a_command_that_fails_or_has_another_key_signs_nothing(tmp_path):
    keygen(tmp_path / "one.key")
    keygen(tmp_path / "other.key")
    sign = f"openssl pkeyutl -sign -inkey {tmp_path}/one.key -rawin -in {{}}"

    def signed(command, public="one.key.pub"):
        with pytest.raises(InputError) as refused:
            signer_from(
                {
                    "REPORTKIT_SIGNER_COMMAND": command,
                    "REPORTKIT_SIGNER_PUBLIC_KEY": str(tmp_path / public),
                }
            ).sign(b"message")
        assert refused.value.reason == "signing-key"
        return refused.value.message

    assert "with another key than" in signed(sign, "other.key.pub")
    assert "ended with status" in signed(sign.replace("one.key", "none.key"))
    assert "cannot be run" in signed("no-such-program {}")
    assert "is no public key" in signed(sign, "one.key")


def test_an_ssh_signature_for_something_else_is_refused(tmp_path):
    do("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "id")
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", "file", "-f", tmp_path / "id"]
    signature = do(*command, input=pae(PAYLOAD)).stdout
    assert not read_public(tmp_path / "id.pub").holds(pae(PAYLOAD), signature)


def test_the_id_of_ssh_keys_is_that_of_ssh_keygen(tmp_path):
    do("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "id")
    shown = do("ssh-keygen", "-l", "-f", tmp_path / "id.pub").stdout.decode().split()[1]
    digest = base64.b64decode(shown.removeprefix("SHA256:") + "=")
    assert read_public(tmp_path / "id.pub").keyid == digest.hex()


@pytest.mark.parametrize(
    "given",
    [
        {"REPORTKIT_SIGNER_COMMAND": "true"},
        {"REPORTKIT_SIGNER_PUBLIC_KEY": "a.pub"},
        {"REPORTKIT_SIGNER_COMMAND": "true", "REPORTKIT_SIGNER_PUBLIC_KEY": "a",
         "REPORTKIT_SIGNING_KEY_FILE": "b"},
    ],
)  # fmt: skip
def test_half_a_signer_and_two_signers_are_refused(given):
    with pytest.raises(InputError, match=r"set REPORTKIT_SIGNING_KEY_FILE, or both"):
        signer_from(given)


def test_an_rsa_key_is_not_trusted(tmp_path):
    do("openssl", "genpkey", "-algorithm", "RSA", "-out", tmp_path / "rsa")
    do("openssl", "pkey", "-in", tmp_path / "rsa", "-pubout", "-out", tmp_path / "rsa.pub")
    with pytest.raises(InputError, match="no Ed25519 key, nor one of SM2"):
        read_public(Path(tmp_path / "rsa.pub"))
    (tmp_path / "rsa").chmod(0o600)
    with pytest.raises(InputError, match="no Ed25519 key"):
        read_signer(tmp_path / "rsa")
