"""The first steps of a forked kernel's process; what it needs is imported, or is so already."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from reportkit.internals import leave_fork_server
from reportkit.warm.processes import die_with_parent, silence_output

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.connection import Connection


def serve_forked(
    pipe: Connection, far_end: Connection, parent: int, environment: Mapping[str, str]
) -> None:
    """Run cells as they come through a pipe, until it ends.

    Parameters
    ----------
    pipe, far_end : Connection
        The child's end, and the parent's, which must not stay open here.
    parent : int
        Process id of the parent.
    environment : mapping of str to str
        The environment of the process that asked for the kernel.
    """
    die_with_parent(parent)
    os.setpgid(0, 0)
    leave_fork_server()
    far_end.close()
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    silence_output()
    sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - for the child's life
    if "numpy" in sys.modules:
        # Python seeds its own generator after a fork; numpy's would repeat the parent's numbers.
        sys.modules["numpy"].random.seed()
    # Said by the debugger that ipykernel imports, on stderr, at every start.
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")

    from reportkit.warm.kernel import serve

    serve(pipe)
