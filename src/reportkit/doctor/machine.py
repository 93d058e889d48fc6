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
    message = f"{version} at {sys.executable}"
    if Requirement(f"python{wanted}").specifier.contains(version, prereleases=True):
        yield good("Python", message)
    else:
        yield bad("Python", f"{message}; {wanted} is needed", "make the environment anew")


def packages() -> Iterator[Finding]:
    """Check that every required package is installed, and new enough."""
    wanted = [Requirement(text) for text in metadata.requires(_DISTRIBUTION) or ()]
    plain = [need for need in wanted if need.marker is None or need.marker.evaluate({"extra": ""})]
    wrong = []
    for need in plain:
        try:
            installed = metadata.version(need.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{need} is not here")
            continue
        if not need.specifier.contains(installed, prereleases=True):
            wrong.append(f"{need.name} is {installed}; {need.specifier} is needed")
    if wrong:
        yield bad("packages", "; ".join(wrong), f"pip install --upgrade {_DISTRIBUTION}")
    else:
        yield good("packages", f"{len(plain)} as needed, reportkit {__version__}")


def fonts() -> Iterator[Finding]:
    """Check that the typefaces are there, each byte of them."""
    faces = sorted(reportkit_fonts.folder().glob("*.ttf"))
    broken = [path.name for path in faces if not _is_whole(path)]
    todo = f"pip install --force-reinstall {_DISTRIBUTION}-fonts"
    if len(faces) != _FACES:
        message = f"{len(faces)} of {_FACES} are in {reportkit_fonts.folder()}"
        yield bad("fonts", message, todo)
    elif broken:
        yield bad("fonts", f"{', '.join(broken)} is damaged", todo)
    else:
        yield good("fonts", f"{_FACES}, whole")


def _is_whole(path: Path) -> bool:
    content = path.read_bytes()
    words = np.frombuffer(content + bytes(-len(content) % 4), ">u4")
    return int(words.sum(dtype=np.uint64)) % 2**32 == _WHOLE


def encoding() -> Iterator[Finding]:
    """Check that Chinese file names and messages are not garbled."""
    message = f"file names {sys.getfilesystemencoding()}, output {sys.stdout.encoding}"
    try:
        "台账".encode(sys.getfilesystemencoding())
        "台账".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        todo = "export LANG=C.UTF-8 (or PYTHONUTF8=1)"
        yield bad("encoding", f"{message}: Chinese cannot be written", todo)
        return
    # Other programs in the chain (git, an editor) follow the locale.
    current = locale.setlocale(locale.LC_CTYPE)
    yield good("encoding", f"{message}, locale {current}")


def signing_key() -> Iterator[Finding]:
    """Check that runs are signed."""

    def read() -> str:
        signer = signer_from(os.environ)
        return f"key {signer.keyid[:16]}" if signer else ""

    todo = f"reportkit keygen FILE, then export {KEY_VARIABLE}=FILE"
    yield _key("signing key", read, "none: runs are not signed", todo)


def privacy_key() -> Iterator[Finding]:
    """Check that pseudonyms stay the same from one run to the next."""

    def read() -> str:
        kept = not privacy.Pseudonyms.from_environment().of_session
        return "set, for its owner only" if kept else ""

    todo = f"umask 077; head -c 32 /dev/urandom | base64 > FILE; export {privacy.KEY_VARIABLE}=FILE"
    yield _key("privacy key", read, "none: pseudonyms differ from run to run", todo)


def _key(about: str, read: Callable[[], str], without: str, todo: str) -> Finding:
    try:
        message = read()
    except InputError as error:
        return bad(about, error.message, "chmod 600 it, or make another")
    return good(about, message) if message else warn(about, without, todo)
