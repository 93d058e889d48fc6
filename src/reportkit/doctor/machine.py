"""The machine: Python and packages, fonts, encodings, keys."""

from __future__ import annotations

import locale
import os
import platform
import sys
from importlib import metadata
from typing import TYPE_CHECKING

import numpy as np
import reportkit_fonts
from packaging.requirements import Requirement

from reportkit import __version__
from reportkit.doctor.finding import Finding, bad, good, warn
from reportkit.errors import InputError
from reportkit.language import Message, joined
from reportkit.ledgers import privacy
from reportkit.proof.signing.settings import KEY_VARIABLE, signer_from

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# What it is called where packages are had; the plain name there is somebody else's.
_DISTRIBUTION = "reportkit-zwgk"
_FACES = 5
# What the 32-bit words of a whole TrueType file add up to (OpenType, checkSumAdjustment).
_WHOLE = 0xB1B0AFBA


def python() -> Iterator[Finding]:
    """Check that the package supports this Python."""
    wanted = metadata.metadata(_DISTRIBUTION)["Requires-Python"]
    version = platform.python_version()
    message = Message("{version} at {executable}", version=version, executable=sys.executable)
    if Requirement(f"python{wanted}").specifier.contains(version, prereleases=True):
        yield good("Python", message)
    else:
        yield bad(
            "Python",
            Message("{message}; {wanted} is needed", message=message, wanted=wanted),
            Message("make the environment anew"),
        )


def packages() -> Iterator[Finding]:
    """Check that every required package is installed, and new enough."""
    wanted = [Requirement(text) for text in metadata.requires(_DISTRIBUTION) or ()]
    plain = [need for need in wanted if need.marker is None or need.marker.evaluate({"extra": ""})]
    wrong = []
    for need in plain:
        try:
            installed = metadata.version(need.name)
        except metadata.PackageNotFoundError:
            wrong.append(Message("{need} is not here", need=need))
            continue
        if not need.specifier.contains(installed, prereleases=True):
            wrong.append(
                Message(
                    "{name} is {installed}; {specifier} is needed",
                    name=need.name,
                    installed=installed,
                    specifier=need.specifier,
                )
            )
    if wrong:
        yield bad(
            Message("packages"), joined("; ", wrong), f"pip install --upgrade {_DISTRIBUTION}"
        )
    else:
        yield good(
            Message("packages"),
            Message(
                "{plain} as needed, reportkit {version}", plain=len(plain), version=__version__
            ),
        )


def fonts() -> Iterator[Finding]:
    """Check that the typefaces are there, each byte of them."""
    faces = sorted(reportkit_fonts.folder().glob("*.ttf"))
    broken = [path.name for path in faces if not _is_whole(path)]
    todo = f"pip install --force-reinstall {_DISTRIBUTION}-fonts"
    if len(faces) != _FACES:
        message = Message(
            "{found} of {faces} are in {folder}",
            found=len(faces),
            faces=_FACES,
            folder=reportkit_fonts.folder(),
        )
        yield bad(Message("fonts"), message, todo)
    elif broken:
        yield bad(Message("fonts"), Message("{broken} is damaged", broken=", ".join(broken)), todo)
    else:
        yield good(Message("fonts"), Message("{faces}, whole", faces=_FACES))


def _is_whole(path: Path) -> bool:
    content = path.read_bytes()
    words = np.frombuffer(content + bytes(-len(content) % 4), ">u4")
    return int(words.sum(dtype=np.uint64)) % 2**32 == _WHOLE


def encoding() -> Iterator[Finding]:
    """Check that Chinese file names and messages are not garbled."""
    message = Message(
        "file names {names}, output {output}",
        names=sys.getfilesystemencoding(),
        output=sys.stdout.encoding,
    )
    try:
        "台账".encode(sys.getfilesystemencoding())
        "台账".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        todo = "export LANG=C.UTF-8 (or PYTHONUTF8=1)"
        yield bad(
            Message("encoding"),
            Message("{message}: Chinese cannot be written", message=message),
            todo,
        )
        return
    # Other programs in the chain (git, an editor) follow the locale.
    current = locale.setlocale(locale.LC_CTYPE)
    yield good(
        Message("encoding"),
        Message("{message}, locale {current}", message=message, current=current),
    )


def signing_key() -> Iterator[Finding]:
    """Check that runs are signed."""

    def read() -> str:
        signer = signer_from(os.environ)
        return Message("key {keyid}", keyid=signer.keyid[:16]) if signer else ""

    todo = Message(
        "reportkit keygen FILE, then export {key_variable}=FILE", key_variable=KEY_VARIABLE
    )
    yield _key(Message("signing key"), read, Message("none: runs are not signed"), todo)


def privacy_key() -> Iterator[Finding]:
    """Check that pseudonyms stay the same from one run to the next."""

    def read() -> str:
        kept = not privacy.Pseudonyms.from_environment().of_session
        return Message("set, for its owner only") if kept else ""

    todo = f"umask 077; head -c 32 /dev/urandom | base64 > FILE; export {privacy.KEY_VARIABLE}=FILE"
    yield _key(
        Message("privacy key"), read, Message("none: pseudonyms differ from run to run"), todo
    )


def _key(about: str, read: Callable[[], str], without: str, todo: str) -> Finding:
    try:
        message = read()
    except InputError as error:
        return bad(about, error.message, Message("chmod 600 it, or make another"))
    return good(about, message) if message else warn(about, without, todo)
