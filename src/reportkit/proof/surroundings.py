"""Surroundings of a run: code, versions, fonts, machine; read once, kept in the manifest."""

from __future__ import annotations

import getpass
import locale
import os
import platform
import resource
import socket
import subprocess
import sys
import time
import zlib
from functools import cache
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from typing import Any

import reportkit_fonts

from reportkit.export.files import digest, digest_of

OURS = "reportkit-zwgk"
"""Name of this package where packages are installed from."""
# A list of names that is read as a whole, ours first and the others by letter.
_PACKAGES = (
    OURS, "reportkit-zwgk-fonts", "ipykernel", "jinja2", "lxml", "markupsafe",
    "matplotlib", "mistune", "nbclient", "nbconvert", "nbformat", "numpy", "pandas", "papermill",
    "pyarrow", "pydantic", "python-docx", "pyyaml", "typst", "xlsxwriter",
)  # fmt: skip
_VARIABLES = (
    "LANG",
    "LC_ALL",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "PYTHONHASHSEED",
    "SOURCE_DATE_EPOCH",
    "TZ",
)


@cache
def environment() -> dict[str, Any]:
    """Versions of everything that can change a byte of a report."""
    packages = {}
    for name in _PACKAGES:
        try:
            packages[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            packages[name] = "unknown"
    packages["zlib"] = zlib.ZLIB_RUNTIME_VERSION  # what packs the Word file and the workbook
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": packages,
    }


@cache
def code_digest() -> str:
    """One digest over all files of the library."""
    root = Path(str(files("reportkit")))
    paths = sorted(
        path
        for path in root.rglob("*")
        if path.is_file() and path.suffix not in (".pyc", ".so") and "__pycache__" not in path.parts
    )
    text = "".join(f"{path.relative_to(root).as_posix()}\0{digest(path)}\n" for path in paths)
    return digest_of(text.encode())


@cache
def fonts() -> dict[str, str]:
    """SHA-256 of each font file that documents are set in."""
    folder = reportkit_fonts.folder()
    return {path.name: digest(path) for path in sorted(folder.iterdir())}


def machine() -> dict[str, Any]:
    """Describe the machine of this process; none of it may change a byte of a document."""
    return {
        "host": socket.gethostname(),
        "user": _user(),
        "os": platform.platform(),
        "cpu": platform.processor() or platform.machine(),
        "cpus": os.cpu_count() or 1,
        "locale": locale.setlocale(locale.LC_CTYPE),
        "time_zone": time.strftime("%z"),
        "variables": {name: os.environ[name] for name in _VARIABLES if name in os.environ},
        "peak_memory_bytes": peak(),
    }


def git_state(folder: Path) -> dict[str, Any] | None:
    """Commit of a checkout, and a digest of what differs from it; None where there is no git."""
    try:
        status = _git(folder, "status", "--porcelain=v2", "--branch").decode(
            errors="surrogateescape"
        )
        lines = status.splitlines()
        commit = next(line.split()[2] for line in lines if line.startswith("# branch.oid"))
        touched = [line for line in lines if not line.startswith("#")]
        changed = _git(folder, "diff", "HEAD") if touched else b""
    except (OSError, subprocess.CalledProcessError):
        return None
    if commit == "(initial)":  # nothing was committed yet
        return None
    if not touched:
        return {"commit": commit, "dirty": False, "diff_sha256": None}
    names = "\n".join(touched).encode(errors="surrogateescape")
    return {"commit": commit, "dirty": True, "diff_sha256": digest_of(changed + names)}


def _git(folder: Path, *arguments: str) -> bytes:
    # What the user's git may be set to run is not run here.
    command = ["git", "-C", str(folder), "-c", "core.fsmonitor=false", *arguments]
    return subprocess.run(command, check=True, capture_output=True).stdout  # noqa: S603


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def peak() -> int:
    """Most memory, in bytes, that this process or one that it waited for has held."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    unit = 1 if sys.platform == "darwin" else 1024
    return max(usage.ru_maxrss for usage in used) * unit
