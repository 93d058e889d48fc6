"""What a report costs in a batch: as users script it, ours cold, ours warm, and the floor.

Prints JSON and adds it to a history; all sides are measured by turns in one run.

    python benchmarks/batch.py                          # 30 districts, one and two workers
    python benchmarks/batch.py --districts 300 3000 --sides warm
    python benchmarks/batch.py --quick                  # four districts: the figures are rough

Sides: *script* is papermill's API in a loop, then nbconvert's html and webpdf (Chromium) for each
report; *cold* and *warm* are ``reportkit batch``; *floor* is the same facts, tables and charts in
a plain forked process, and the PDF by Typst. *again* is a batch in which nothing has changed.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing.connection
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
SIDES = ("script", "cold", "warm", "floor", "again")
# No side starts more threads than it has workers.
FIXED = {
    "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg",
    "JE_ARROW_MALLOC_CONF": "background_thread:false", "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}  # fmt: skip


def make_districts(folder: Path, count: int) -> list[str]:
    """A project of so many districts, each with the sample ledgers of 湖里 as its own."""
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    shutil.copytree(ROOT / "params/facts", folder / "params/facts")
    (folder / "params/districts").mkdir()
    huli = (ROOT / "params/districts/huli.yaml").read_text(encoding="utf-8")
    names = [f"d{number:04}" for number in range(count)]
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


def _links(path: Path, folder: Path) -> bool:
    return path.stat().st_dev == folder.stat().st_dev


def script(project: Path, names: list[str], workers: int) -> None:
    """Papermill and nbconvert, as a user would write it today."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, spawn) as pool:
        list(pool.map(_script, [(project, name) for name in names]))


def _script(what: tuple[Path, str]) -> None:
    import nbconvert
    import papermill

    project, name = what
    os.chdir(project)
    out = Path("script") / name
    out.mkdir(parents=True)
    papermill.execute_notebook(
        "notebooks/annual_report.ipynb", str(out / "report.ipynb"),
        parameters={"district": name, "year": 2020}, progress_bar=False,
    )  # fmt: skip
    body, _ = nbconvert.HTMLExporter().from_filename(str(out / "report.ipynb"))
    (out / "report.html").write_text(body, encoding="utf-8")
    # What webpdf does, with the Chromium of the machine instead of a downloaded one.
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [
                "chromium", "--headless", "--no-sandbox", "--disable-gpu",
                f"--user-data-dir={profile}", f"--print-to-pdf={out / 'report.pdf'}",
                (out / "report.html").absolute().as_uri(),
            ],
            check=True, capture_output=True,
        )  # fmt: skip


def ours(project: Path, names: list[str], workers: int, *options: str) -> Any:
    """``reportkit batch`` over the same districts."""
    command = [
        str(BIN / "reportkit"), "batch", "--json", "--years", "2020", "--jobs", str(workers),
        "--districts", ",".join(names), *options,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    document = json.loads(done.stdout)
    if document["counts"]["failed"]:
        raise SystemExit(done.stderr)
    return document


def floor(project: Path, names: list[str], workers: int) -> None:
    """The computations alone, in processes forked from a warm one."""
    os.chdir(project)
    import reportkit.execution.template  # noqa: F401 - imported before the forks

    context = multiprocessing.get_context("fork")
    waiting, running = list(names), []
    while waiting or running:
        while waiting and len(running) < workers:
            process = context.Process(target=_floor, args=(waiting.pop(),))
            process.start()
            running.append(process)
        multiprocessing.connection.wait([process.sentinel for process in running])
        if any(process.exitcode for process in running):
            raise SystemExit("the floor's own computation failed")
        running = [process for process in running if process.is_alive()]


def _floor(name: str) -> None:
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook, new_output

    from reportkit.export.document import arrange
    from reportkit.export.pdf import ReportPDF

    notebook = json.loads(Path("notebooks/annual_report.ipynb").read_text(encoding="utf-8"))
    space: dict[str, Any] = {}
    cells = []
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        source = "".join(cell["source"])
        shown = _run(source, space)
        if cell["id"] == "parameters":
            space |= {"district": name, "year": 2020}
        if shown is not None:
            output = new_output("display_data", shown._repr_mimebundle_())
            cells.append(new_code_cell(source, outputs=[output]))
    out = Path("floor") / name
    out.mkdir(parents=True)
    made = new_notebook(cells=cells)
    nbformat.write(made, out / "report.ipynb")
    exporter = ReportPDF()
    (out / "report.pdf").write_bytes(exporter.make(arrange(made)))


def _run(source: str, space: dict[str, Any]) -> Any:
    """The value of a cell's last expression, as a notebook shows it."""
    import ast

    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), space)
    return last and eval(compile(ast.Expression(last.value), "cell", "eval"), space)


def measured(side: str, count: int, workers: int, folder: Path) -> dict[str, Any]:
    """One side in a process of its own, as a command is."""
    project = folder / f"{side}-{count}-{workers}"
    names = make_districts(project, count)
    if side == "again":
        ours(project, names, workers)
    command = [sys.executable, __file__, "--one", side, str(project), str(count), str(workers)]
    start = time.perf_counter()
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(done.stderr)
    shutil.rmtree(project)
    told = {"seconds": round(seconds, 2), "seconds_per_report": round(seconds / count, 4)}
    return told | json.loads(done.stdout or "{}")


def one(side: str, project: Path, count: int, workers: int) -> None:
    """A side, in the process that was made for it."""
    names = [f"d{number:04}" for number in range(count)]
    if side == "script":
        script(project, names, workers)
    elif side == "floor":
        floor(project, names, workers)
    else:
        options = ["--cold"] if side == "cold" else []
        document = ours(project, names, workers, *options)
        peaks = [report["peak_bytes"] for report in document["reports"]]
        sys.stdout.write(json.dumps({"peak_mib": max(peaks) >> 20}))


def ratios(found: dict[str, Any]) -> dict[str, float]:
    """The figures that count, each within one size and number of workers."""
    told = {}
    for key, sides in found.items():
        time_of = {side: values["seconds"] for side, values in sides.items()}
        for name, over, under in (
            ("script/warm", "script", "warm"), ("cold/warm", "cold", "warm"),
            ("warm/floor", "warm", "floor"), ("warm/again", "warm", "again"),
        ):  # fmt: skip
            if over in time_of and under in time_of:
                told[f"{key} {name}"] = round(time_of[over] / time_of[under], 2)
    return told


def main() -> None:
    """Measure, print, and add to the history."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--districts", type=int, nargs="+", default=[30])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=list(SIDES))
    parser.add_argument("--quick", action="store_true", help="four districts, two workers")
    parser.add_argument("--history", type=Path, help="a file of JSON lines to add to")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.update(FIXED)
    if options.one:
        side, project, count, workers = options.one
        one(side, Path(project), int(count), int(workers))
        return
    if options.quick:
        options.districts, options.workers = [4], [2]
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        for count in options.districts:
            for workers in options.workers:
                sides = {s: measured(s, count, workers, Path(name)) for s in options.sides}
                found[f"{count} districts, {workers} workers"] = sides
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True,
        check=False,
    ).stdout.strip()  # fmt: skip
    result = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "commit": commit,
        "python": platform.python_version(), "processors": os.cpu_count(),
        "ratios": ratios(found), "found": found,
    }  # fmt: skip
    sys.stdout.write(json.dumps(result, indent=2) + "\n")
    if options.history:
        with options.history.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
