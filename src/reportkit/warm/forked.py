"""Kernels forked from a warm process: a fresh process for each notebook, without its start.

The process that calls papermill is the template. The child runs the cells with ipykernel's own
in-process kernel and sends its messages through a pipe; nbclient makes outputs of them, as it does
of a cold kernel's. Where forking is not safe a cold kernel is started instead, and the log says so.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
import warnings
from contextlib import suppress
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

from ipykernel.ipkernel import IPythonKernel
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine

from reportkit.errors import ExecutionError
from reportkit.internals import has_zmq_context
from reportkit.language import Message
from reportkit.warm.child import serve_forked
from reportkit.warm.processes import FORKED_KERNEL
from reportkit.warm.template import parent_of_forks, template_runs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.context import BaseContext
    from typing import Self

_log = logging.getLogger("reportkit")

# An executed notebook of more than this holds something that no report needs.
LARGEST_OUTPUT = 64 << 20


class ForkedEngine(NBClientEngine):  # type: ignore[misc]  # papermill has no types
    """papermill's engine ``reportkit-warm``."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, fork: BaseContext | None = None, **options: Any
    ) -> Any:
        """Run the cells in a forked child; in a cold kernel where nothing can be forked.

        Parameters
        ----------
        fork : multiprocessing context, optional
            Whose processes are forked from a warm one; by default this process is forked itself.
        """
        fork = fork or multiprocessing.get_context("fork")
        reason = _obstacle(kernel_name, fork)
        if reason:
            _log.warning("kernel: cold, since %s", reason)
            return super().execute_managed_notebook(nb_man, kernel_name, **options)
        timeout = options.get("execution_timeout")
        client = _Client(nb_man, timeout=timeout, record_timing=False)
        return client.execute_forked(fork)


def _obstacle(kernel_name: str, fork: BaseContext) -> str:
    """Name what forbids to fork a kernel for a notebook; "" if nothing does."""
    if sys.platform != "linux":
        return Message("processes are not forked safely on {platform}", platform=sys.platform)
    if fork.get_start_method() == "fork":
        if threading.active_count() > 1:
            names = ", ".join(sorted(t.name for t in threading.enumerate()))
            return Message("this process has threads: {names}", names=names)
        if _has_loop_or_context():
            return Message("this process has an event loop or a zmq context")
    elif not template_runs():
        return Message("the warm process has ended")
    try:
        program = KernelSpecManager().get_kernel_spec(kernel_name).argv[0]
    except NoSuchKernel:
        return Message("there is no kernel '{kernel_name}'", kernel_name=kernel_name)
    # jupyter_client takes these names for the Python it runs in.
    version = sys.version_info
    same = {"python", f"python{version[0]}", f"python{version[0]}.{version[1]}", sys.executable}
    if program not in same:
        return Message("kernel '{kernel_name}' is another Python", kernel_name=kernel_name)
    return ""


def _has_loop_or_context() -> bool:
    import asyncio

    with suppress(RuntimeError):
        asyncio.get_running_loop()
        return True
    return has_zmq_context()


class _Client(PapermillNotebookClient):  # type: ignore[misc]  # the same
    """papermill's own client, talking to a forked kernel."""

    def execute_forked(self, fork: BaseContext) -> Any:
        """Run all cells up to the first that fails."""
        self.reset_execution_trackers()
        with _Kernel(fork) as self.kernel:
            self.papermill_execute_cells()
            self.nb.metadata["language_info"] = IPythonKernel.language_info
            self.set_widgets_metadata()
        return self.nb

    def execute_cell(self, cell: Any, cell_index: int) -> Any:
        """Run one cell; outputs are added to it as they come."""
        if cell.cell_type != "code" or not cell.source.strip():
            return cell
        if self.skip_cells_with_tag in cell.metadata.get("tags", []):
            return cell
        timeout = self.timeout if self.timeout and self.timeout > 0 else None
        self.clear_before_next_output = False
        reply: dict[str, Any] = {}
        for message in self.kernel.run(cell.source, timeout, cell):
            if message["msg_type"] == "execute_reply":
                reply = message["content"]
            else:
                self.process_message(message, cell, cell_index)
        allowed = self.allow_errors or "raises-exception" in cell.metadata.get("tags", [])
        if reply["status"] == "error" and not allowed:
            raise CellExecutionError.from_cell_and_msg(cell, reply)
        self.nb["cells"][cell_index] = cell
        return cell


class _Kernel:
    """A forked child that runs cells; it and all that it started are gone at the end."""

    def __init__(self, fork: BaseContext) -> None:
        self._pipe, far_end = fork.Pipe()
        parent = parent_of_forks(fork)
        given = (far_end, self._pipe, parent, dict(os.environ))
        # Each context has processes of its own kind, under one name.
        self._child = fork.Process(  # type: ignore[attr-defined]
            target=serve_forked, args=given, daemon=False, name=FORKED_KERNEL
        )
        with warnings.catch_warnings():
            # Python 3.12 warns of threads. Ours has none of Python's; Arrow mends its own.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._child.start()
        far_end.close()
        _log.info("kernel: process %d, forked from %d for %d", self._child.pid, parent, os.getpid())
        self._number = self._bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        # All outputs have arrived. Its group holds what the notebook started and left behind.
        for kill in (os.killpg, os.kill):
            with suppress(ProcessLookupError, PermissionError):
                kill(self._child.pid or 0, signal.SIGKILL)
        self._child.join()
        self._pipe.close()

    def run(self, source: str, timeout: float | None, cell: Any) -> Iterator[dict[str, Any]]:
        """Messages of one cell, the reply last.

        Raises
        ------
        DeadKernelError, CellTimeoutError
            As nbclient raises them.
        ExecutionError
            ``output-too-large``.
        """
        self._number += 1
        deadline = time.monotonic() + timeout if timeout else None
        try:
            self._pipe.send((self._number, source))
            while True:
                left = None if deadline is None else max(0, deadline - time.monotonic())
                if not wait([self._pipe, self._child.sentinel], left):
                    message = Message("Cell execution timed out")
                    raise CellTimeoutError.error_from_timeout_and_cell(
                        message, int(timeout or 0), cell
                    )
                packed = self._pipe.recv_bytes() if self._pipe.poll() else b""
                if not packed:
                    raise EOFError
                self._bytes += len(packed)
                if self._bytes > LARGEST_OUTPUT:
                    problem = Message(
                        "the notebook shows more than {largest_output} MiB",
                        largest_output=LARGEST_OUTPUT >> 20,
                    )
                    raise ExecutionError(
                        "output-too-large", "{problem}; show less in its cells", problem=problem
                    )
                message = json.loads(packed)
                # Late output of an earlier cell has no place any more, as with a cold kernel.
                if message["parent_header"].get("msg_id") == str(self._number):
                    yield message
                    if message["msg_type"] == "execute_reply":
                        return
        except (EOFError, BrokenPipeError, ConnectionResetError):
            self._child.join()
            message = Message("Kernel died (status {exitcode})", exitcode=self._child.exitcode)
            raise DeadKernelError(message) from None
