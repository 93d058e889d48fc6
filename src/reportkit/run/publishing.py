"""The folder of a district and year: one run works in it; what is in force is switched at once."""

from __future__ import annotations

import contextlib
import fcntl
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from reportkit.errors import ExecutionError, ReportkitError
from reportkit.export.files import flush
from reportkit.proof import verify_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


_STAGING = ".staging-"


def staging_of(place: Path, run_id: str) -> Path:
    """The folder in which a run is made before it is published."""
    return place / f"{_STAGING}{run_id}"


@contextlib.contextmanager
def locked(place: Path, *, wait: bool = False) -> Iterator[None]:
    """One run at a time for a district and year; what a dead run left behind is removed."""
    with ExecutionError.on_refusal(
        "not-writable",
        "{place} cannot be written: {problem}; choose another --out",
        place=place,
    ):
        place.mkdir(parents=True, exist_ok=True)
        lock = (place / ".lock").open("w")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError:
            raise ExecutionError(
                "busy", "another run is at work in {place}; wait for it", place=place
            ) from None
        for stale in place.glob(f"{_STAGING}*"):
            shutil.rmtree(stale, ignore_errors=True)
        yield


def clear_stale(place: Path) -> None:
    """Remove what a process that was killed left half-made, unless another run is at work there."""
    with contextlib.suppress(OSError, ExecutionError):
        if any(path.name.startswith(_STAGING) for path in place.iterdir()):
            with locked(place):
                pass


def publish(staging: Path, place: Path, run_id: str) -> Path:
    """Flush, rename into place, switch ``current``: each step is whole or not there."""
    for path in staging.rglob("*"):
        flush(path)
    flush(staging)
    (place / "runs").mkdir(exist_ok=True)
    final = place / "runs" / run_id
    staging.rename(final)
    link = place / ".current-new"
    link.unlink(missing_ok=True)
    link.symlink_to(Path("runs") / run_id)
    link.replace(place / "current")
    flush(place)
    return final


def keep_failed(
    staging: Path, failed: Path, error: BaseException, hide: Callable[[str], str]
) -> None:
    """Leave notebook and log of a failed run for whoever mends it, without persons in them.

    Parameters
    ----------
    staging, failed : Path
        Where they are, and where they go; the rest is dropped.
    error : BaseException
        What ended the run.
    hide : callable
        Takes personal data out of a text; gives nothing for one in which some is left.
    """
    if not staging.is_dir():
        return
    try:
        _keep(staging, failed, error, hide)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _keep(staging: Path, failed: Path, error: BaseException, hide: Callable[[str], str]) -> None:
    with contextlib.suppress(OSError):
        shutil.rmtree(failed, ignore_errors=True)
        failed.mkdir(parents=True)
        kept = {"run.log": f"{type(error).__name__}: {hide(str(error))}\n"}
        # A notebook that ran to its end and shows a person is kept nowhere.
        leaks = isinstance(error, ReportkitError) and error.reason == "personal-data"
        for name in ("run.log",) if leaks else ("report.ipynb", "run.log"):
            if (staging / name).is_file():
                text = (staging / name).read_text(encoding="utf-8", errors="replace")
                kept[name] = hide(text) + kept.get(name, "")
        for name, text in kept.items():
            if text and (name == "run.log" or _is_json(text)):
                (failed / name).write_text(text, encoding="utf-8")


def adopt(place: Path, run_id: str, fill: Callable[[Path], object]) -> Path:
    """Publish a run that was made elsewhere, as if it had been made here.

    Parameters
    ----------
    place : Path
        Folder of the district and year.
    run_id : str
    fill : callable
        Puts the run's files into the folder that it is given.

    Returns
    -------
    Path
        The run in force.

    Raises
    ------
    ReportkitError
        ``run-changed``: it did not arrive whole; nothing was published.
    """
    with locked(place, wait=True):
        if (place / "runs" / run_id).is_dir():
            return place / "runs" / run_id
        staging = staging_of(place, run_id)
        staging.mkdir()
        try:
            fill(staging)
            verify_files(staging)
            return publish(staging, place, run_id)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
