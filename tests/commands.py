"""``reportkit`` as a user gives it, without the second that its imports take.

Each command is a process of its own, forked from one that has imported what commands need: it has
the folder, the words and the environment that a new one would have, and ends as one. There are two
such processes, whose sets are in another order each, so that what made a run and what verifies it
do not agree by chance.

multiprocessing's fork server, which a command forks its kernels and reports from, is a fork of the
command where that has the hash seed of kernels; it is started anew where not.

What Python itself reads from the environment (encodings, search paths) it has read before: tests of
that, of signals and of programs given by others start the program.
"""

from __future__ import annotations

import atexit
import fcntl
import functools
import os
import pkgutil
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from importlib import import_module
from multiprocessing import forkserver, util
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from runpy import run_path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# Commands that look at what others have made.
LOOKING = {"verify", "diff"}
# Imported by libraries when they are first used.
LATER = """
    ahocorasick docx duckdb nbclient.client openpyxl papermill.execute papermill.parameterize
    papermill.translators pypdfium2 typst xlsxwriter
""".split()
# What changes the process that imports it, or reads the environment then.
NEVER = {"reportkit.batch.template", "reportkit.batch.workers.cluster"}
# No thread of an allocator is there to be lost by forking; no word of a debugger that nobody uses.
_QUIET = {
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}


def reportkit(
    *words: object,
    cwd: Path | str,
    env: Mapping[str, str] | None = None,
    status: int | None = None,
    before: str = "",
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, in *cwd*; *env* is added to the environment.

    With a *status* it is an error that the command ends with another. Python code that its process
    executes *before* may put a fault there.
    """
    from machine import PATIENCE, until

    given = [str(word) for word in words]
    channel = _server(2 if given[:1] and given[0] in LOOKING else 0)
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        channel.send((given, str(cwd), os.environ | (env or {}), before, str(out), str(err)))
        assert channel.poll(PATIENCE), f"no end after {PATIENCE} s: {given}"
        ended = channel.recv()
        # It has ended when nobody whom it started can say anything any more, as behind a pipe.
        until(lambda: _is_free(out) and _is_free(err))
        done = subprocess.CompletedProcess(
            given, ended, out.read_text("utf-8"), err.read_text("utf-8")
        )
    assert status in (None, done.returncode), f"{given}: {done}"
    return done


def papermill(
    notebook: Path | str,
    out: Path | str,
    *,
    cwd: Path | str,
    env: Mapping[str, str] | None = None,
    **parameters: object,
) -> subprocess.CompletedProcess[str]:
    """Execute a notebook by papermill's own command; *env* is added to the environment."""
    words = [Path(sys.executable).parent / "papermill", "--no-progress-bar", notebook, out]
    for name, value in parameters.items():
        words += ["-p", name, str(value)]
    return subprocess.run(
        words, cwd=cwd, env=os.environ | (env or {}), capture_output=True, text=True, check=False
    )


def _is_free(path: Path) -> bool:
    """Return True where no process has a file open that a command's own process has locked."""
    with path.open() as file, suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return True
    return False


@functools.cache
def _server(seed: int) -> Connection:
    """Start a process to fork from; it ends when nobody can ask any more."""
    ours, its = Pipe()
    process = subprocess.Popen(
        [sys.executable, __file__, str(its.fileno())],
        env=os.environ | {"PYTHONHASHSEED": str(seed)} | _QUIET,
        pass_fds=[its.fileno()],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    its.close()
    atexit.register(process.wait)
    atexit.register(ours.close)  # first: they are called in turn from the last
    return ours


def _serve(channel: Connection) -> None:
    import reportkit

    for module in pkgutil.walk_packages(reportkit.__path__, "reportkit."):
        if module.name not in NEVER:
            import_module(module.name)
    for name in LATER:
        import_module(name)

    # Every process here ends by `_exit`: Python's own way lists what libraries have not freed.
    util.spawnv_passfds = functools.partial(_fork_server, util.spawnv_passfds)
    while True:
        try:
            words, folder, environment, before, *streams = channel.recv()
        except EOFError:
            os._exit(0)
        process = os.fork()
        if not process:
            break
        channel.send(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
    channel.close()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate(streams, start=1):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        fcntl.flock(file, fcntl.LOCK_EX)
        os.dup2(file, number)
        os.close(file)
    program = str(Path(sys.executable).parent / "reportkit")
    sys.argv = [program, *words]
    try:
        exec(before, {})
        run_path(program, run_name="__main__")
    except SystemExit as end:
        status = end.code or 0
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _fork_server(
    spawn: Callable[..., int], path: bytes, words: Sequence[str], passed: Sequence[int]
) -> int:
    """Start a process as multiprocessing asks; its fork server is a fork of this process."""
    if "forkserver" not in words[-1] or sys.flags.hash_randomization:
        return spawn(path, words, passed)
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        for number in [int(path.name) for path in Path("/proc/self/fd").iterdir()]:
            if number > 2 and number not in passed:
                with suppress(OSError):  # that of the listing
                    os.close(number)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        # Both are held while it is started.
        vars(forkserver._forkserver)["_lock"] = threading.Lock()
        sys.modules["reportkit.warm.template"]._STARTING = threading.Lock()
        exec(words[-1])
    except SystemExit:
        status = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    os._exit(status)


if __name__ == "__main__":
    _serve(Connection(int(sys.argv[1])))
