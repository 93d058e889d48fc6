"""Processes in hand: what they find around them, and that none outlives its parent."""

from __future__ import annotations

import ctypes
import fcntl
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from reportkit.errors import ExecutionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PR_SET_PDEATHSIG = 1
_SCRATCH = "rk-kernel-"
# A killed process is gone in a moment, if it does not wait for a disk: then in so many seconds.
_PATIENCE = 30
_FILES, _FEWEST_FILES = 1024, 128
_ROOM = 70
# One number per source of difference between machines; the kernel starts with these.
_FIXED = {
    "PYTHONHASHSEED": "0",
    "TZ": "Asia/Shanghai",
    "LC_ALL": "C.UTF-8",
    "MPLBACKEND": "agg",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
# Where the key is, or what signs: no notebook learns it, and whoever makes a report must.
SIGNING = (
    "REPORTKIT_SIGNING_KEY_FILE",
    "REPORTKIT_SIGNER_COMMAND",
    "REPORTKIT_SIGNER_PUBLIC_KEY",
)


@contextmanager
def kernel_environment(more: Mapping[str, str] | None = None) -> Iterator[None]:
    """The environment that kernels started inside inherit."""
    with scratch() as runtime:
        before = dict(os.environ)
        own = {"JUPYTER_RUNTIME_DIR": str(runtime), "IPYTHONDIR": str(runtime)}
        # A profile of the user's own could run code of its own before the first cell.
        os.environ.update(_FIXED, **dict.fromkeys(SIGNING, ""), **own, **(more or {}))
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


@contextmanager
def scratch() -> Iterator[Path]:
    """A private folder for as long as its process lives, however that ends.

    It is locked. One whose lock is free is of a process that was killed, and is removed here: that
    is so in whatever container the process was, which its id could not tell.
    """
    sweep()
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=_short_folder()))
        # Somebody may have swept it before it was locked.
        if (lock := _lock(folder)) is not None:
            break
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def sweep() -> None:
    """Remove the private folders of processes that were killed."""
    for folder in Path(_short_folder()).glob(f"{_SCRATCH}*"):
        if (lock := _lock(folder)) is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _lock(folder: Path) -> int | None:
    """A lock on a folder, until it is closed; None if it is another's, or gone."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(handle).st_nlink:
            return handle
    except OSError:
        pass
    os.close(handle)
    return None


def _short_folder() -> str:
    """The folder for temporary files, or the system's own where its name is too long for sockets.

    A socket's name has at most 107 bytes: ours is the folder's and, say,
    ``/rk-kernel-c54d13o_/kernel-12345`` after it.
    """
    folder = tempfile.gettempdir()
    return folder if len(os.fsencode(folder)) <= _ROOM else "/tmp"  # noqa: S108 - a private folder in it


FORKED_KERNEL = "reportkit kernel"
"""Name of a process that is a kernel forked from a warm one."""


def is_forked_kernel() -> bool:
    """Return True in a forked kernel, where threads that libraries started before are gone."""
    return multiprocessing.current_process().name == FORKED_KERNEL


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


def need_files() -> None:
    """Have this process and its children open as many files as a kernel needs.

    Raises
    ------
    ExecutionError
        ``too-many-files``: the system does not let it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = hard if hard != resource.RLIM_INFINITY else _FILES
    if soft != resource.RLIM_INFINITY and soft < min(most, _FILES):
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, _FILES), hard))
    if most < _FEWEST_FILES:
        raise ExecutionError(
            "too-many-files",
            "this process may open {most} files, and a kernel needs {fewest_files}: "
            "say `ulimit -n 1024` first, or have whoever set the limit raise it",
            most=most,
            fewest_files=_FEWEST_FILES,
        )


def silence_output() -> None:
    """Send what this process writes below Python nowhere: cells' outputs go another way.

    On the terminal it would stand beside messages, and nothing there goes through the gate.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


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
    """Kill the processes of a session and count them."""
    killed = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):
            # The name in parentheses may hold anything; state and session follow it.
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            # A process whose first thread is gone still holds its files while others live.
            gone = fields[0] in "ZX" and int(fields[17]) <= 1
            if int(fields[3]) == leader and not gone:
                os.kill(int(stat.parent.name), signal.SIGKILL)
                killed += 1
    return killed
