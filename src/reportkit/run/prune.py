"""Old runs reduced to their records: what proves them and the chain stays, their files go.

A run that is being pruned bears a mark until the last of its files is gone: cut short, it is not
taken for a damaged one, and the next time it is pruned to its end.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from reportkit.errors import ReportkitError
from reportkit.export.files import flush
from reportkit.language import Message, joined, template
from reportkit.language.message import COLON
from reportkit.proof.manifest import (
    ATTESTATION,
    MANIFEST,
    PRUNING,
    SUMS,
    is_pruned,
    read_manifest,
    verify_files,
)
from reportkit.run.publishing import locked

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_RECORD = {MANIFEST, SUMS, ATTESTATION}
# Bytes of a block, as the file system counts what a file takes of the disk.
_BLOCK = 512


def prune(out: Path, *, keep: int, dry_run: bool = False) -> dict[str, Any]:
    """Reduce old runs to their records.

    Parameters
    ----------
    out : Path
        The folder of all reports.
    keep : int
        Runs of each report that stay whole, the one in force among them.
    dry_run : bool
        Only say what would be done.

    Returns
    -------
    dict
        ``pruned``: runs that were reduced. Left as they are: runs ``compared`` with by a run in
        force, those that were ``changed`` since they were sealed, and of reports at which somebody
        is ``busy``. ``before`` and ``after``: what all runs take of the disk.
    """
    result: dict[str, list[str]] = {"pruned": [], "compared": [], "changed": [], "busy": []}
    places = sorted(path.parent for path in out.glob("*/*/runs"))
    before = _use(places)
    compared = _compared(out)
    for place in places:
        if not _old(place, keep):
            continue
        try:
            with nullcontext() if dry_run else locked(place):
                # Looked for again, now that no other run can come into force.
                for run in _old(place, keep):
                    result[_reduce(run, compared, dry_run=dry_run)].append(run.as_posix())
        except ReportkitError as error:
            if error.reason != "busy":
                raise
            result["busy"].append(place.as_posix())
    return {
        "schema": "reportkit/prune/1",
        "keep": keep,
        "dry_run": dry_run,
        **result,
        "before": before,
        "after": _use(places),
    }


def _old(place: Path, keep: int) -> list[Path]:
    """Runs of a report that are not to stay whole, the oldest first."""
    current = (place / "current").resolve()
    runs = sorted(path.parent for path in place.glob(f"runs/*/{MANIFEST}"))
    others = [run for run in runs if run.resolve() != current]
    whole = [run for run in others if any(path.name not in _RECORD for path in run.iterdir())]
    stay = keep - current.is_dir()
    return whole[: len(whole) - stay] if stay < len(whole) else []


def _compared(out: Path) -> set[str]:
    """Digests of the figures of other runs that those in force were made with."""
    digests = set()
    for path in out.glob(f"*/*/current/{MANIFEST}"):
        inputs = json.loads(path.read_text(encoding="utf-8")).get("inputs", [])
        digests |= {item["sha256"] for item in inputs if item["name"].endswith("/facts.json")}
    return digests


def _reduce(run: Path, compared: set[str], *, dry_run: bool) -> str:
    """Take the files of a run away; says what became of it."""
    try:
        verify_files(run, pruned=is_pruned(run))
        files = read_manifest(run)["files"]
    except ReportkitError:
        # Whoever asks what happened to it needs what is there.
        return "changed"
    if any(item["path"] == "facts.json" and item["sha256"] in compared for item in files):
        return "compared"
    if not dry_run:
        (run / PRUNING).touch()
        flush(run)
        for path in sorted(run.iterdir()):
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name not in _RECORD | {PRUNING}:
                path.unlink()
        flush(run)
        (run / PRUNING).unlink()
    return "pruned"


def _use(places: Iterable[Path]) -> dict[str, int]:
    """Files and bytes that the runs of these reports take of the disk."""
    files = taken = 0
    for place in places:
        for folder, _, names in os.walk(place / "runs"):
            files += len(names)
            taken += sum(_BLOCK * os.lstat(f"{folder}/{name}").st_blocks for name in names)
    return {"files": files, "bytes": taken}


def as_text(result: dict[str, Any]) -> str:
    """Return the result of `prune` for a terminal."""
    done = (
        template("{pruned} runs would be reduced to their records")
        if result["dry_run"]
        else template("{pruned} runs reduced to their records")
    )
    lines = [Message(done, pruned=len(result["pruned"]))]
    for name, text in (
        ("compared", Message("left whole, since a run in force was compared with it")),
        ("changed", Message("LEFT AS IT IS, since it was changed after it was sealed: verify it")),
        ("busy", Message("left, since somebody is at work there")),
    ):
        lines += [joined(COLON, [path, text]) for path in result[name]]
    for name, words in (
        ("before", template("before: {size:,.1f} MB in {files:,} files of runs")),
        ("after", template("after: {size:,.1f} MB in {files:,} files of runs")),
    ):
        use = result[name]
        lines.append(Message(words, size=use["bytes"] / 1e6, files=use["files"]))
    return joined("\n", lines)
