"""Costs of a report: made by hand with the same libraries, by one command, in a batch.

Prints JSON and adds it to a history; all sides are measured by turns in one run.

    python benchmarks/batch.py                          # 30 districts, one and two workers
    python benchmarks/batch.py --districts 300 3000 --sides warm --light
    python benchmarks/batch.py --sides plain run --turns 3
    python benchmarks/batch.py --memory 300 --light     # what a long batch costs its parent
    python benchmarks/batch.py --quick                  # four districts: the figures are rough

Sides:

*plain*
    What a user has who has no reportkit: `plain_report.ipynb`, a notebook of pandas and matplotlib
    that counts the same 198 cells and draws four charts, by the commands ``papermill`` and
    ``jupyter nbconvert`` (html, webpdf), each started anew for every report.
*run*
    ``reportkit run`` for each report: a command started anew, its kernel forked.
*cold*, *warm*
    ``reportkit batch``: three more documents, evidence, checks and proof are made as well.
*again*
    A batch in which nothing has changed.

webpdf starts the machine's own Chromium. Districts are copies of 湖里 with its ledgers and text, or
with ``--light`` ones of a handful of records and the form's plain text. Processor seconds are those
of all processes, and steadier than the clock where others are at work.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
SIDES = ("plain", "run", "cold", "warm", "again")
# No side starts more threads than it has workers.
FIXED = {
    "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg",
    "JE_ARROW_MALLOC_CONF": "background_thread:false", "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "RAYON_NUM_THREADS": "1",
}  # fmt: skip


_PR_SET_CHILD_SUBREAPER = 36


def make_districts(folder: Path, count: int, *, light: bool) -> list[str]:
    """A project of so many districts, each with the sample ledgers of 湖里 as its own."""
    if light:
        sys.path.insert(0, str(ROOT / "tests"))
        from batches import make_project

        make_project(folder, [name_of(number) for number in range(count)])
        return [name_of(number) for number in range(count)]
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    shutil.copytree(ROOT / "params/facts", folder / "params/facts")
    (folder / "params/districts").mkdir()
    huli = (ROOT / "params/districts/huli.yaml").read_text(encoding="utf-8")
    names = [name_of(number) for number in range(count)]
    for name in names:
        text = re.sub(r"(?m)^id: .*", f"id: {name}", huli)
        (folder / f"params/districts/{name}.yaml").write_text(text, encoding="utf-8")
        reports = folder / "params/reports" / name
        reports.mkdir(parents=True)
        for suffix in ("yaml", "md"):
            shutil.copy(ROOT / f"params/reports/huli/2020.{suffix}", reports)
        data = folder / "data" / name
        data.mkdir(parents=True)
        for path in (ROOT / "data/huli").iterdir():
            # 3 000 copies of one file are one file on the disk, and 3 000 to every reader.
            os.link(path, data / path.name) if _links(path, data) else shutil.copy(path, data)
    return names


def name_of(number: int) -> str:
    """The id of a district."""
    return f"d{number:04}"


def _links(path: Path, folder: Path) -> bool:
    return path.stat().st_dev == folder.stat().st_dev


def batch_command(workers: int, year: int, *options: str) -> list[str]:
    """``reportkit batch`` over all districts of a project."""
    return [
        str(BIN / "reportkit"),
        "batch",
        "--json",
        "--years",
        str(year),
        "--jobs",
        str(workers),
        *options,
    ]


def ours(project: Path, workers: int, year: int, *options: str) -> Any:
    """``reportkit batch`` over the same districts."""
    command = batch_command(workers, year, *options)
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    document = json.loads(done.stdout)
    if document["counts"]["failed"]:
        raise SystemExit(done.stderr)
    return document


def run(project: Path, names: list[str], workers: int, year: int) -> None:
    """``reportkit run`` for each, so many at once."""
    with ThreadPoolExecutor(workers) as pool:
        for done in pool.map(lambda name: _run_one(project, name, year), names):
            if done.returncode > 1:
                raise SystemExit(done.stderr)


def _run_one(project: Path, name: str, year: int) -> subprocess.CompletedProcess[str]:
    command = [str(BIN / "reportkit"), "run", name, str(year), "--json"]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)


def lasting(project: Path, workers: int, year: int) -> dict[str, Any]:
    """A long batch: memory of its parent and its template, and what the first and last cost."""
    process = subprocess.Popen(
        batch_command(workers, year), cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    parent = Path(f"/proc/{process.pid}")
    at_100, resident, template = 0, 0, 0
    while process.poll() is None:
        resident, template = _resident(parent) or resident, _template(process.pid) or template
        if not at_100 and len(made_at(project)) >= 100:
            at_100 = resident
        time.sleep(0.2)
    if process.returncode:
        raise SystemExit(process.communicate()[1].decode())
    times = made_at(project)
    window = min(30, len(times) // 2)
    first = (times[window - 1] - times[0]) / (window - 1)
    last = (times[-1] - times[-window]) / (window - 1)
    measured = {
        "reports": len(times),
        "parent_mib_at_end": round(resident, 1),
        "template_mib": round(template, 1),
        "seconds_per_report": round((times[-1] - times[0]) / (len(times) - 1), 4),
        "seconds_per_report_first": round(first, 4),
        "seconds_per_report_last": round(last, 4),
        "last/first": round(last / first, 3),
    }
    if at_100:
        measured |= {"parent_mib_at_100": round(at_100, 1), "end/100": round(resident / at_100, 3)}
    return measured


def made_at(project: Path) -> list[float]:
    """Return the seconds after which each report was made, by the journal."""
    path = project / "outputs/batch.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    events = [json.loads(line) for line in lines if '"event": "made"' in line]
    return [datetime.fromisoformat(event["at"]).timestamp() for event in events]


def _resident(process: Path) -> float:
    """MiB that a process holds; 0 when it is gone."""
    try:
        found = re.search(r"VmRSS:\s*(\d+)", (process / "status").read_text(encoding="ascii"))
    except OSError:
        return 0
    return int(found[1]) / 1024 if found else 0


def _template(parent: int) -> float:
    """The same of the warm process that reports are forked from."""
    try:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
    except OSError:
        return 0
    return max((_resident(Path(f"/proc/{child}")) for child in children.split()), default=0)


def measured(side: str, count: int, workers: int, folder: Path, light: bool) -> dict[str, Any]:
    """One side in a process of its own, as a command is; its seconds, and those of processors."""
    # What the warm side has made is there to be left alone again. Nothing is removed before the
    # end: ext4 takes ten times as long for a new file where many were deleted a moment ago.
    project = folder / f"{side.replace('again', 'warm')}-{count}-{workers}"
    if not project.exists():
        make_districts(project, count, light=light)
        if side == "again":
            ours(project, workers, 2021 if light else 2020)
            _await_all()
    command = [sys.executable, __file__, "--one", side, str(project), str(count), str(workers)]
    start, before = time.perf_counter(), os.times()
    done = subprocess.run(
        [*command, *(["--light"] if light else [])], check=False, capture_output=True, text=True
    )
    seconds = time.perf_counter() - start
    _await_all()
    after = os.times()
    if done.returncode:
        raise SystemExit(done.stderr)
    used = (after.children_user - before.children_user) + (
        after.children_system - before.children_system
    )
    measured = {"seconds": round(seconds, 2), "seconds_per_report": round(seconds / count, 4)}
    return measured | {"processor_seconds": round(used, 2)} | json.loads(done.stdout or "{}")


def middle(turns: list[dict[str, Any]]) -> dict[str, Any]:
    """The turn of median time, with the times of all."""
    ordered = sorted(turns, key=lambda turn: turn["seconds"])
    median = ordered[len(ordered) // 2]
    return median | ({"turns": [one["seconds"] for one in turns]} if len(turns) > 1 else {})


def _await_all() -> None:
    """A template ends a moment after its batch; what it and its children used is ours to count."""
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def one(side: str, project: Path, count: int, workers: int, year: int) -> None:
    """A side, in the process that was made for it."""
    names = [name_of(number) for number in range(count)]
    if side == "plain":
        from plain import plain

        plain(project, names, workers, year)
    elif side == "run":
        run(project, names, workers, year)
    elif side == "lasting":
        sys.stdout.write(json.dumps(lasting(project, workers, year)))
    else:
        document = ours(project, workers, year, *(["--cold"] if side == "cold" else []))
        peaks = [report["peak_bytes"] for report in document["reports"]]
        sys.stdout.write(json.dumps({"peak_mib": max(peaks) >> 20}))


def ratios(found: dict[str, Any], unit: str) -> dict[str, float]:
    """The figures that count, each within one size and number of workers."""
    ratios = {}
    for key, sides in found.items():
        time_of = {side: values[unit] for side, values in sides.items()}
        for name, over, under in (
            ("plain/warm", "plain", "warm"),
            ("plain/run", "plain", "run"),
            ("cold/warm", "cold", "warm"),
            ("warm/again", "warm", "again"),
        ):
            if over in time_of and under in time_of:
                ratios[f"{key} {name}"] = round(time_of[over] / time_of[under], 2)
    # What a second worker gives, and what many cost beside few.
    for key, sides in found.items():
        count, workers = (int(part.split()[0]) for part in key.split(", "))
        for side, values in sides.items():
            alone = found.get(f"{count} districts, 1 workers", {}).get(side)
            few = found.get(f"30 districts, {workers} workers", {}).get(side)
            if workers == 2 and alone:
                ratios[f"{key} {side} 1/2 workers"] = round(alone[unit] / values[unit], 2)
            if count > 30 and few:
                cost = values[unit] / count / (few[unit] / 30)
                ratios[f"{key} {side} per report, against 30"] = round(cost, 3)
    return ratios


def machine() -> dict[str, Any]:
    """Describe the machine of the figures; no name and no path of it."""
    known = {
        "processors": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
    }
    cpu, memory = Path("/proc/cpuinfo"), Path("/proc/meminfo")
    if cpu.is_file():
        found = re.search(r"model name\s*: (.*)", cpu.read_text(encoding="utf-8"))
        known |= {"processor": found[1]} if found else {}
        total = re.search(r"MemTotal:\s*(\d+)", memory.read_text(encoding="ascii"))
        known |= {"memory_gib": round(int(total[1]) / 2**20, 1)} if total else {}
    # Above the number of processors others were at work, and the figures are rough.
    return known | {"load_before": round(os.getloadavg()[0], 1)}


def commit() -> str:
    """Of what was measured; with a plus if it was not committed as it was."""
    lines = [
        subprocess.run(
            ["git", *words], cwd=ROOT, capture_output=True, text=True, check=False
        ).stdout
        for words in (["rev-parse", "--short", "HEAD"], ["status", "--porcelain", "src"])
    ]
    return lines[0].strip() + ("+" if lines[1].strip() else "")


def main() -> None:
    """Measure, print, and add to the history."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--districts", type=int, nargs="+", default=[30])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=list(SIDES))
    parser.add_argument("--light", action="store_true", help="districts of a handful of records")
    parser.add_argument("--memory", type=int, metavar="N", help="one long batch of N districts")
    parser.add_argument("--turns", type=int, default=1, help="measure all sides so often")
    parser.add_argument("--quick", action="store_true", help="four districts, two workers")
    parser.add_argument("--history", type=Path, help="a file of JSON lines to add to")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.update(FIXED)
    # Processes whose parent has ended become ours (Linux).
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if options.one:
        side, project, count, workers = options.one
        one(side, Path(project), int(count), int(workers), 2021 if options.light else 2020)
        return
    if options.light:
        # The plain notebook knows the form of 湖里's year only.
        options.sides = [side for side in options.sides if side != "plain"]
    if options.quick:
        options.districts, options.workers = [4], [2]
    if options.memory:
        options.districts, options.sides = [options.memory], ["lasting"]
    known = machine()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        if "plain" in options.sides:
            from plain import find_chromium

            find_chromium(Path(name) / "browsers")
        for count in options.districts:
            for workers in options.workers:
                turns = [
                    {
                        side: measured(side, count, workers, Path(name, str(turn)), options.light)
                        for side in options.sides
                    }
                    for turn in range(options.turns)
                ]
                found[f"{count} districts, {workers} workers"] = {
                    side: middle([turn[side] for turn in turns]) for side in options.sides
                }
    result = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": commit(),
        "machine": known,
        "sample": "light" if options.light else "湖里",
        "ratios": ratios(found, "seconds"),
        "processor_ratios": ratios(found, "processor_seconds"),
        "found": found,
    }
    sys.stdout.write(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    if options.history:
        options.history.parent.mkdir(exist_ok=True)
        with options.history.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(result, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
