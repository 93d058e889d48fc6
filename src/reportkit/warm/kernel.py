"""The kernel inside a forked child: ipykernel's own, with a pipe in place of its sockets."""

from __future__ import annotations

import asyncio
import sys
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from ipykernel.inprocess.ipkernel import InProcessKernel
from ipykernel.iostream import OutStream
from IPython.core.history import HistoryManager
from jupyter_client.session import Session
from traitlets import default

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

# Types of messages that the protocol of Jupyter sends to all, and the reply.
_SENT = {
    "stream", "display_data", "update_display_data", "execute_result", "execute_input", "error",
    "clear_output", "comm_open", "comm_msg", "comm_close", "execute_reply",
}  # fmt: skip


class _PipeSession(Session):
    """Messages packed as for zmq, and written to a pipe."""

    def __init__(self, pipe: Connection) -> None:
        super().__init__()
        self._pipe, self._lock = pipe, threading.Lock()

    def send(
        self,
        stream: Any,  # noqa: ARG002 - there is one pipe for all
        msg_or_type: dict[str, Any] | str,
        content: dict[str, Any] | None = None,
        parent: dict[str, Any] | None = None,
        ident: bytes | list[bytes] | None = None,  # noqa: ARG002
        buffers: Any = None,  # noqa: ARG002
        track: bool = False,  # noqa: ARG002
        header: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> dict[str, Any] | None:
        message = msg_or_type
        if isinstance(message, str):
            message = self.msg(message, content, parent, header, metadata)
        if message["header"]["msg_type"] in _SENT:
            packed = self.pack(message | {"buffers": []})
            with self._lock:
                self._pipe.send_bytes(packed)
        return message


class _Kernel(InProcessKernel):
    """ipykernel's kernel without its sockets; it also takes what its own children print."""

    # After each cell ipykernel waits for output to arrive; here it is flushed.
    _execute_sleep = 0
    # Where ipykernel asks which thread runs cells: the one that it is in.
    shell_channel_thread = SimpleNamespace(parent_thread=threading.main_thread())

    @default("stdout")
    def _own_stdout(self) -> OutStream:
        # ipykernel has types, but not on what it is made with.
        return OutStream(self.session, self.iopub_thread, "stdout")  # type: ignore[no-untyped-call]

    @default("stderr")
    def _own_stderr(self) -> OutStream:
        return OutStream(self.session, self.iopub_thread, "stderr")  # type: ignore[no-untyped-call]


def serve(pipe: Connection) -> None:
    """Run each cell that comes through the pipe."""
    # A trait takes a value of its own kind; that is not seen in its class.
    HistoryManager.enabled = False  # type: ignore[assignment]
    kernel = _Kernel(session=_PipeSession(pipe))  # type: ignore[no-untyped-call]
    sys.stdout, sys.stderr = kernel.stdout, kernel.stderr
    with asyncio.Runner() as runner:
        while True:
            try:
                number, source = pipe.recv()
            except EOFError:
                return
            header = {
                "msg_id": str(number),
                "msg_type": "execute_request",
                "session": "",
                "username": "",
            }
            content = {"code": source, "stop_on_error": True}
            request = {"header": header, "content": content, "metadata": {}, "parent_header": {}}
            runner.run(_execute(kernel, request))


async def _execute(kernel: _Kernel, request: dict[str, Any]) -> None:
    kernel.set_parent([], request)  # type: ignore[no-untyped-call]
    await kernel.execute_request(None, [], request)  # type: ignore[no-untyped-call]
