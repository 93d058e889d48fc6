"""Parts of libraries that these do not promise to keep, and that nothing public stands for.

All of them are here, and a test says when one has moved.
"""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing import forkserver
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docx.section import Section
    from docx.shape import InlineShape
    from docx.shared import StoryChild


def fork_server_process() -> int | None:
    """Process id of multiprocessing's fork server, once it was started."""
    process: int | None = vars(_fork_server())["_forkserver_pid"]
    return process


def forget_fork_server() -> None:
    """Have multiprocessing start another fork server, after its own was ended and waited for."""
    vars(_fork_server())["_forkserver_pid"] = None


def leave_fork_server() -> None:
    """In a child of the fork server: let the server end before this process does.

    The server lives while its pipe is open somewhere, and a child that holds the pipe lives while
    the server does: neither would end when the command is killed.
    """
    pipe = vars(_fork_server())["_forkserver_alive_fd"]
    if pipe is not None:
        os.close(pipe)
        # The same number may soon be another file's, and a child of this process comes here too.
        vars(_fork_server())["_forkserver_alive_fd"] = None


def _fork_server() -> Any:
    return forkserver._forkserver


def allow_children() -> None:
    """Let this process have children, though whoever started it has marked it as one without."""
    multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined]  # no type has it


def has_zmq_context() -> bool:
    """Return True where this process has a context of zmq; asking pyzmq for it would make one."""
    import zmq

    context = zmq.Context._instance
    return context is not None and not context.closed


def xml_of(part: StoryChild | Section | InlineShape) -> Any:
    """The element of lxml that a part of a python-docx document stands for."""
    names = ("_element", "_sectPr", "_inline")
    return next(getattr(part, name) for name in names if hasattr(part, name))
