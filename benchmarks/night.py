"""A whole night: districts × years, a twentieth of the districts broken in ten ways.

Makes a project of invented places, runs ``reportkit batch`` over it once, and prints JSON: what was
made, what failed and why, seconds, processor time, memory of the parent and of its template, disk
and inodes of what was made. The project stays, so that what an operator finds in the morning can be
looked at, and a night that was ended goes on when the command is given again.

    python benchmarks/night.py /var/tmp/night                        # 3 000 districts, 3 years
    python benchmarks/night.py /var/tmp/night --districts 300
    python benchmarks/night.py /var/tmp/night --years 2021 --jobs 4

Processor seconds are of all processes of the batch; they mean something on a busy machine too, the
clock's do not.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batch import (
    _PR_SET_CHILD_SUBREAPER,
    BIN,
    FIXED,
    _await_all,
    _resident,
    _template,
    machine,
    make_districts,
)

if TYPE_CHECKING:
    from collections.abc import Callable

YEARS = (2021, 2022, 2023)
EVERY = 20  # one district of so many is broken


def _ledger(key: str, change: Callable[[bytes], bytes]) -> Callable[[Path, str], None]:
    def broken(project: Path, name: str) -> None:
        path = project / f"data/{name}/{key}.csv"
        path.write_bytes(change(path.read_bytes()))

    return broken


def _appended(path: str, text: str) -> Callable[[Path, str], None]:
    def broken(project: Path, name: str) -> None:
        file = project / path.format(name=name)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as lines:
            lines.write(text)

    return broken


def _missing(project: Path, name: str) -> None:
    (project / f"data/{name}/cases.csv").unlink()


def _renamed(project: Path, name: str) -> None:
    """The register as a workbook, whose copying was cut short."""
    path = project / f"data/{name}/fees.csv"
    path.write_bytes(b"PK\x03\x04" + path.read_bytes())
    path.rename(path.with_suffix(".xlsx"))


# Way of being broken to what breaks a district so.
WAYS: dict[str, Callable[[Path, str], None]] = {
    "a ledger is not there": _missing,
    "a workbook cut short": _renamed,
    "a required column renamed": _ledger(
        "decisions", lambda text: text.replace("决定日期".encode(), "日子".encode())
    ),
    "a date that is none": _ledger("cases", lambda text: text.replace(b"2021-05-01", b"soon")),
    "bytes of no encoding": _ledger("documents", lambda text: text + b"\xff\xfe\xff"),
    "a row with more cells": _ledger("fees", lambda text: text + b"2,A1,2021-02-01,5,6,7\n"),
    "an unknown outcome": _ledger(
        "applications", lambda text: text.replace("予以公开".encode(), "看情况".encode())
    ),
    "an unknown key in its file": _appended("params/districts/{name}.yaml", "colour: red\n"),
    "a file that is no YAML": _appended("params/districts/{name}.yaml", "\t: [\n"),
    "a placeholder of no figure": _appended("params/reports/{name}/2022.md", "# 概述\n\n{nix}\n"),
}


def make_night(project: Path, count: int) -> dict[str, str]:
    """Make the project; returns broken districts and the way in which each is."""
    names = make_districts(project, count, light=True)
    ledgers = {path.name: path.read_text("utf-8") for path in (project / "data/d0000").iterdir()}
    for number, name in enumerate(names):
        path = project / f"params/districts/{name}.yaml"
        text = path.read_text("utf-8").replace("测试区", f"测试{number}区")
        path.write_text(text, encoding="utf-8")
        for file, rows in ledgers.items():
            head, *records = rows.splitlines()
            # As many records in each year, under numbers of their own.
            lines = [
                record.replace("2021-", f"{year}-").replace(",", f"/{year},", 1)
                for year in YEARS
                for record in records
            ]
            text = "\n".join([head, *lines]) + "\n"
            (project / f"data/{name}/{file}").write_text(text, encoding="utf-8")
    broken = {}
    for place, name in enumerate(names[EVERY // 2 :: EVERY]):
        way = list(WAYS)[place % len(WAYS)]
        WAYS[way](project, name)
        broken[name] = way
    return broken


def night(project: Path, years: str, jobs: int) -> dict[str, Any]:
    """Run the batch; returns its document's counts and what it cost."""
    command = [str(BIN / "reportkit"), "batch", "--json", "--years", years, "--jobs", str(jobs)]
    (project / "outputs").mkdir(exist_ok=True)
    start = time.perf_counter()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with (
        (project / "batch.messages").open("wb") as messages,
        (project / "batch.json").open("wb") as out,
    ):
        process = subprocess.Popen(command, cwd=project, stdout=out, stderr=messages)
        parent, template = 0.0, 0.0
        while process.poll() is None:
            parent = max(parent, _resident(Path(f"/proc/{process.pid}")))
            template = max(template, _template(process.pid))
            time.sleep(5)
    _await_all()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    document = json.loads((project / "batch.json").read_text("utf-8"))
    done = [one for one in document["reports"] if one["state"] == "made"]
    return {
        "exit": process.returncode,
        "counts": document["counts"],
        "seconds": round(time.perf_counter() - start),
        "processor_seconds": round(used),
        "processor_seconds_per_report": round(used / max(len(document["reports"]), 1), 3),
        "parent_mib": round(parent),
        "template_mib": round(template),
        "peak_mib": max((one["peak_bytes"] for one in done), default=0) >> 20,
    }


def of_disk(folder: Path) -> dict[str, int]:
    """MiB and inodes of all below a folder; a file of several names counts once."""
    found = {
        (status.st_dev, status.st_ino): status.st_blocks * 512
        for status in map(Path.lstat, folder.rglob("*"))
    }
    return {"mib": sum(found.values()) >> 20, "inodes": len(found)}


def main() -> None:
    """Make the project where it is not there, run the night, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("project", type=Path)
    parser.add_argument("--districts", type=int, default=3000)
    parser.add_argument("--years", default="2021-2023")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    os.environ.update(FIXED)
    # Processes whose parent has ended become ours (Linux), and so what they used.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    list_of_broken = options.project / "broken.json"
    if not list_of_broken.exists():
        options.project.mkdir(parents=True, exist_ok=True)
        broken = make_night(options.project, options.districts)
        list_of_broken.write_text(json.dumps(broken, ensure_ascii=False), encoding="utf-8")
    broken = json.loads(list_of_broken.read_text("utf-8"))
    measured = night(options.project, options.years, options.jobs)
    document = json.loads((options.project / "batch.json").read_text("utf-8"))
    failed = Counter(
        f"{broken.get(one['district'], 'whole')}: {one['reason']}"
        for one in document["reports"]
        if one.get("reason")
    )
    result = {
        "districts": options.districts,
        "years": options.years,
        "machine": machine(),
        **measured,
        "failed": dict(sorted(failed.items())),
        "disk": of_disk(options.project / "outputs"),
    }
    sys.stdout.write(json.dumps(result, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
