"""The process that others are forked from: multiprocessing's fork server, which imports once.

It has never had a thread, an event loop or a zmq context, and has the environment of kernels.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from contextlib import suppress
from multiprocessing import forkserver
from typing import TYPE_CHECKING

from reportkit.internals import forget_fork_server, fork_server_process
from reportkit.warm.processes import SIGNING, kernel_environment

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext

# Arrow's allocator would start a thread on import, and nothing with threads is forked.
_WARM = {
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    # Typst sets one document at a time, and each processor has a report of its own.
    "RAYON_NUM_THREADS": "1",
}
# The environment belongs to all threads: one at a time changes it.
_STARTING = threading.Lock()


def start_template(module: str) -> BaseContext:
    """Start the warm process, if none runs; it imports a module while others work.

    Parameters
    ----------
    module : str
        What it imports before anything is forked from it.

    Returns
    -------
    multiprocessing context
        Whose processes are forked from it; they are spawned where forking is not safe, or where
        the name of the temporary folder is too long for a socket in it.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", module])
    with _STARTING:
        if not template_runs():
            with kernel_environment(_WARM):
                try:
                    forkserver.ensure_running()
                except ChildProcessError:
                    # It was ended and waited for; multiprocessing asks once more before a new one.
                    forget_fork_server()
                    forkserver.ensure_running()
                except OSError as error:
                    if error.errno is not None:
                        raise
                    return multiprocessing.get_context("spawn")
    return context


def signing_environment() -> dict[str, str]:
    """Return the variables that name the key: they are withheld from the warm process."""
    with _STARTING:
        return {name: os.environ[name] for name in SIGNING if name in os.environ}


def template_process() -> int | None:
    """Process id of the warm process, once it was started."""
    return fork_server_process()


def stop_template() -> None:
    """End the warm process, if it runs: nothing waits for its imports any more."""
    process = template_process()
    if process is not None and template_runs():
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)


def parent_of_forks(context: BaseContext) -> int:
    """Process id of the parent that processes of a context have."""
    forked = context.get_start_method() == "forkserver"
    return (template_process() or 0) if forked else os.getpid()


def template_runs() -> bool:
    """Return True while the warm process runs; asking multiprocessing would start another, cold."""
    process = template_process()
    if process is None:
        return False
    with suppress(ChildProcessError):
        return os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    return False
