"""Preview: watch, make, show, until somebody stops it."""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import partial
from pathlib import Path
from queue import Queue
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NoReturn

from reportkit.errors import InputError, refused_by_system
from reportkit.export.documents import DOCUMENTS
from reportkit.language import Message
from reportkit.language.message import translated
from reportkit.preview.making import make
from reportkit.preview.serving import Board, serve
from reportkit.preview.watching import saved, watched
from reportkit.warm.template import start_template, stop_template

if TYPE_CHECKING:
    from collections.abc import Callable

    from reportkit.language.message import Translate
    from reportkit.run.request import Request

_USUAL = 8640


def preview(
    request: Request,
    *,
    port: int | None,
    tell: Callable[[str], object],
    translate: Translate = str,
) -> NoReturn:
    """Show a draft on localhost, and make it again when something of it is saved.

    Parameters
    ----------
    request : Request
    port : int, optional
        8640 by default, or any that is free.
    tell : callable
        Is given the address, and what came of each draft.
    translate : callable
        Into the language of the page's reader.

    Raises
    ------
    Stopped
        Somebody has ended it: nothing else does.
    InputError
        ``port``: it is taken; ``district-unknown``.
    """
    project = request.project
    title = f"{project.district(request.district).name}{request.year}年"
    context = start_template("reportkit.batch.template")
    with TemporaryDirectory(prefix="rk-preview-") as name:
        board = Board(Path(name))
        server = _server(board, title, port)
        stop = threading.Event()
        maker = _Maker(request, board, context, tell, translate)
        news: Queue[Exception | None] = Queue()
        folders = watched(project, request.district)
        for work in (server.serve_forever, partial(_watch, folders, stop, news)):
            threading.Thread(target=work, daemon=True).start()
        tell(f"http://127.0.0.1:{server.server_port}/")
        try:
            maker.begin()
            # Signals reach this thread alone: here they end the preview.
            while (fault := news.get()) is None:
                maker.begin()
            raise fault
        finally:
            stop.set()
            maker.end()
            server.shutdown()
            server.server_close()
            stop_template()


def _watch(folders: list[Path], stop: threading.Event, news: Queue[Exception | None]) -> None:
    try:
        for _ in saved(folders, stop):
            news.put(None)
    except Exception as fault:
        news.put(fault)


def _server(board: Board, title: str, port: int | None) -> Any:
    try:
        return serve(board, title, _USUAL if port is None else port)
    except OSError as error:
        if port is None:
            return serve(board, title, 0)
        raise InputError(
            "port",
            "port {port} cannot be used: {problem}; name another, or none",
            port=port,
            problem=refused_by_system(error),
        ) from None


class _Maker:
    """Makes one draft at a time; a newer one ends what is under way."""

    def __init__(
        self,
        request: Request,
        board: Board,
        context: Any,
        tell: Callable[[str], object],
        translate: Translate,
    ) -> None:
        self._translate = translate
        self._request, self._board, self._context, self._tell = request, board, context, tell
        self._child: Any = None
        self._thread: threading.Thread | None = None
        self._number = 0
        self._ending = False

    def begin(self) -> None:
        """Make the draft as things are now."""
        self.end()
        self._number += 1
        self._board.put(making=True)
        place = self._board.folder / f"v{self._number}"
        place.mkdir()
        here, there = self._context.Pipe(duplex=False)
        given = (self._request, str(Path.cwd()), place, there)
        self._child = self._context.Process(target=make, args=given)
        self._child.start()
        there.close()
        self._thread = threading.Thread(target=self._follow, args=(here, self._number), daemon=True)
        self._thread.start()

    def end(self) -> None:
        """End what is under way."""
        self._ending = True
        # A signal may come while one of them is being started.
        if self._child is not None and self._child.pid is not None:
            self._child.kill()
            self._child.join()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join()
        self._ending = False

    def _follow(self, pipe: Any, number: int) -> None:
        made: tuple[str, ...] = ()
        outcome = Message("the process that makes the draft ended without a word; save again")
        with suppress(EOFError, OSError), pipe:
            while len(made) < len(DOCUMENTS):
                state, outcome = pipe.recv()
                if state == "failed":
                    break
                made = (*made, outcome)
                if len(made) == 1:
                    self._tell(Message("draft {number}", number=number))
                self._board.put(version=number, documents=made, making=False, error="")
        if len(made) < len(DOCUMENTS) and not self._ending:
            self._board.put(making=False, error=translated(outcome, self._translate))
            self._tell(Message("not made: {problem}", problem=outcome))
