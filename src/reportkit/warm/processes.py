"""Processes in hand: what they find around them, and that none outlives its parent."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PR_SET_PDEATHSIG = 1
# A killed process is gone in a moment, if it does not wait for a disk: then in so many seconds.
_PATIENCE = 30
# One number per source of difference between machines; the kernel starts with these.
_FIXED = {
    "PYTHONHASHSEED": "0",
    "TZ": "Asia/Shanghai",
    "LC_ALL": "C.UTF-8",
    "MPLBACKEND": "agg",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "REPORTKIT_SIGNING_KEY_FILE": "",  # no notebook learns where the key is, or what signs
    "REPORTKIT_SIGNER_COMMAND": "",
    "REPORTKIT_SIGNER_PUBLIC_KEY": "",
}


@contextmanager
def kernel_environment(more: Mapping[str, str] | None = None) -> Iterator[None]:
    """The environment that kernels started inside inherit."""
    # Socket names are limited to about 100 bytes, so they live in a short private folder.
    with tempfile.TemporaryDirectory(prefix=_scratch(os.getpid())) as runtime:
        before = dict(os.environ)
        # A profile of the user's own could run code of its own before the first cell.
        os.environ.update(_FIXED, JUPYTER_RUNTIME_DIR=runtime, IPYTHONDIR=runtime, **(more or {}))
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def _scratch(process: int) -> str:
    return f"rk-{process}-"


def clear_scratch(process: int) -> None:
    """Remove the private folders of a process that was killed."""
    for path in Path(tempfile.gettempdir()).glob(f"{_scratch(process)}*"):
        shutil.rmtree(path, ignore_errors=True)


def die_with_parent(parent: int) -> None:
    """Have this process killed when its parent ends, in whatever way; Linux only.

    Parameters
    ----------
    parent : int
        The parent's own process id, taken before the fork: in a container it may well be 1.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        # The parent ended before it could be watched.
        os._exit(1)


def end_session(leader: int) -> None:
    """Kill every process of a session, also those that its leader left behind, and see them gone.

    What they held open, such as the lock of a report, is free when this returns.
    """
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
    deadline = time.monotonic() + _PATIENCE
    while _kill_members(leader) and time.monotonic() < deadline:
        time.sleep(0.01)


def _kill_members(leader: int) -> int:
    """How many processes of a session still lived."""
    found = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):
            # The name in parentheses may hold anything; state and session follow it.
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            # A process whose first thread is gone still holds its files while others live.
            gone = fields[0] in "ZX" and int(fields[17]) <= 1
            if int(fields[3]) == leader and not gone:
                os.kill(int(stat.parent.name), signal.SIGKILL)
                found += 1
    return found
