"""The server of a preview: one page that holds the draft, and says what is wrong with it.

It listens on this machine only, answers only to its own name, and hands out a fixed list of files.
The draft's own page may run no script; the frame around it reloads it, and keeps its place.
"""

from __future__ import annotations

import json
import re
import shutil
import threading
from dataclasses import asdict, dataclass, replace
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from reportkit.export.documents import DOCUMENTS
from reportkit.export.pages import policy_source

if TYPE_CHECKING:
    from pathlib import Path

_FILE = re.compile(rf"/v(\d+)/({'|'.join(map(re.escape, DOCUMENTS))}|evidence/[\w.-]+\.js)")
_TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# A browser that has gone is noticed when something is said to it.
_PULSE = 15


@dataclass(frozen=True)
class Draft:
    """Draft to show.

    Parameters
    ----------
    version : int
        Of the draft that is shown; 0 before there is one.
    documents : tuple of str
        Those of this version that are made already.
    making : bool
        Whether a newer one is under way.
    error : str
        Why there is no newer one.
    """

    version: int = 0
    documents: tuple[str, ...] = ()
    making: bool = True
    error: str = ""


class Board:
    """Board that shows the current draft to whoever watches."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = Draft()
        self._turn, self._count = threading.Condition(), 0

    def put(self, **changes: Any) -> None:
        """Show something else."""
        with self._turn:
            before, self.now = self.now, replace(self.now, **changes)
            self._count += 1
            self._turn.notify_all()
        if before.version != self.now.version:
            self._clear(before.version)

    def _clear(self, version: int) -> None:
        # The one before stays: a browser may still be loading it.
        for path in self.folder.glob("v*"):
            if path.name[1:].isdigit() and int(path.name[1:]) < version:
                shutil.rmtree(path, ignore_errors=True)

    def after(self, count: int) -> tuple[int, Draft]:
        """Return the draft once it has changed since that count, or after a while as it is."""
        with self._turn:
            self._turn.wait_for(lambda: self._count > count, timeout=_PULSE)
            return self._count, self.now


def serve(board: Board, title: str, port: int) -> ThreadingHTTPServer:
    """A server of the board on 127.0.0.1; the caller runs it and closes it."""
    folder = files("reportkit.preview")
    script = (folder / "frame.js").read_text(encoding="utf-8")
    page = (folder / "frame.html").read_text(encoding="utf-8")
    page = page.replace("{{ title }}", escape(title, quote=False)).replace("{{ script }}", script)
    policy = (
        f"default-src 'none'; script-src {policy_source(script)}; style-src 'unsafe-inline'; "
        "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'"
    )

    names: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            # A page of somewhere else may send a browser here, under another name.
            if self.headers.get("Host") not in names:
                return self.send_error(HTTPStatus.FORBIDDEN)
            if self.path == "/":
                return self._send(page.encode(), "html", policy)
            if self.path == "/events":
                return self._events()
            found = _FILE.fullmatch(self.path.partition("?")[0])
            path = board.folder / f"v{found[1]}" / found[2] if found else None
            if path is None or not path.is_file():
                return self.send_error(HTTPStatus.NOT_FOUND)
            return self._send(path.read_bytes(), path.suffix[1:])

        def _send(self, body: bytes, kind: str, policy: str = "") -> None:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", _TYPES[kind])
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("X-Content-Type-Options", "nosniff")
            if policy:
                self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(body)

        def _events(self) -> None:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            count = -1
            try:
                while True:
                    count, shown = board.after(count)
                    self.wfile.write(f"data: {json.dumps(asdict(shown))}\n\n".encode())
                    self.wfile.flush()
            except OSError:  # the page was closed
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Say nothing: the terminal is for what is made."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    names += [f"{name}:{server.server_port}" for name in ("127.0.0.1", "localhost")]
    return server
