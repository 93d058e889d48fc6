"""Costs of proving, against making a report: ratios of processor time, measured in one run.

Prints JSON. ``files``: the files level over many runs, and the time for one against that of making
one. ``verify``: all levels of one run that are on by default, its raw ledgers counted again and
everything made again, against making it; it must be at most half. ``facts`` and ``render``: the two
that cost most. ``seal``: writing the proof of a run, signature included.

    python benchmarks/proof.py               # 3 000 copies of the run of 湖里区 2020
    python benchmarks/proof.py --runs 100
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportkit.proof import manifest
from reportkit.proof.attestation import attest
from reportkit.proof.crate import crate_bytes
from reportkit.proof.inspection import Asked, inspect
from reportkit.proof.manifest import read_manifest, write_manifest
from reportkit.proof.render import render_level
from reportkit.proof.signing.keys import keygen, read_signer
from reportkit.proof.signing.trust import read_trusted
from reportkit.proof.verify import data_levels, files_level
from reportkit.run.request import Request
from reportkit.run.run import run

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[1]


def seconds(work: Callable[[], object]) -> float:
    """Processor time of one piece of work, its processes counted too."""
    start = sum(os.times()[:4])
    work()
    return sum(os.times()[:4]) - start


def copies(made: Path, out: Path, number: int) -> list[Path]:
    """The same run many times, its files linked hard: other inodes would only fill the disk."""
    folders = [out / f"copy{one}" / "2020" / "runs" / made.name for one in range(number)]
    for folder in folders:
        folder.parent.mkdir(parents=True)
        shutil.copytree(made, folder, copy_function=os.link)
    return folders


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3000)
    number = parser.parse_args().runs
    os.chdir(ROOT)
    measured: dict[str, Any] = {"runs": number}
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        keygen(out / "own.key")
        (out / "keys").mkdir()
        shutil.copy(out / "own.key.pub", out / "keys/own.pub")
        os.environ["REPORTKIT_SIGNING_KEY_FILE"] = str(out / "own.key")
        huli = Request("huli", 2020, out=out / "outputs")
        spent: dict[str, list[float]] = {"making": [], "facts": [], "render": [], "verify": []}
        for _ in range(5):
            spent["making"].append(seconds(partial(run, huli, force=True)))
            current = (out / "outputs/huli/2020/current").resolve()
            spent["facts"].append(seconds(partial(data_levels, current)))
            spent["render"].append(seconds(partial(render_level, current)))
            spent["verify"].append(seconds(partial(inspect, current, Asked(), closely=True)))
        made = statistics.median(spent["making"])
        for name in ("facts", "render", "verify"):
            measured[f"{name} over making"] = round(statistics.median(spent[name]) / made, 3)
        signer, trusted = read_signer(out / "own.key"), read_trusted(out / "keys")

        def seal() -> None:
            record = read_manifest(current)
            del record["files"], record["schema"]
            (current / "ro-crate-metadata.json").write_bytes(crate_bytes(current, record))
            write_manifest(current, record)
            attest(current, signer)

        sealing = statistics.median([seconds(seal) for _ in range(3)])
        measured["seal over making"] = round(sealing / made, 4)
        folders = copies(current, out / "many", number)

        def files(run: Path) -> None:
            # Each real run has a manifest of its own to be checked.
            manifest._problem_of.cache_clear()
            files_level(run, trusted)

        begun = time.perf_counter()
        all_files = seconds(lambda: [files(one) for one in folders])
        measured["files over making, one run"] = round(all_files / number / made, 4)
        measured["files of all runs over making one"] = round(all_files / made, 2)
        measured["files of all runs, seconds by the clock"] = round(time.perf_counter() - begun, 1)
        measured["making one, processor seconds"] = round(made, 2)
    json.dump(measured, sys.stdout, ensure_ascii=False, indent=1)
    print()  # noqa: T201 - a blank line after the progress


if __name__ == "__main__":
    main()
