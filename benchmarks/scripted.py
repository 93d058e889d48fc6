"""Script for a report as users write it today, with papermill and nbconvert; see batch.py."""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

BIN = Path(sys.executable).parent
OURS = "notebooks/annual_report.ipynb"
PLAIN = str(Path(__file__).with_name("plain_report.ipynb"))


def script(project: Path, names: list[str], workers: int, year: int) -> None:
    """Papermill and nbconvert, as a user would write it today."""
    _pooled([(project, name, year, OURS) for name in names], workers)


def pool(project: Path, names: list[str], workers: int, year: int) -> None:
    """The same with a notebook of pandas and matplotlib alone, which counts the same cells."""
    _pooled([(project, name, year, PLAIN) for name in names], workers)


def _pooled(reports: list[tuple[Path, str, int, str]], workers: int) -> None:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, spawn) as pool:
        list(pool.map(_script, reports))


def _script(what: tuple[Path, str, int, str]) -> None:
    import nbconvert
    import papermill

    project, name, year, source = what
    os.chdir(project)
    out = Path("pool" if source == PLAIN else "script") / name
    out.mkdir(parents=True)
    notebook = str(out / "report.ipynb")
    given = {"district": name, "year": year}
    if source == PLAIN:
        given["out"] = str(out / "cells.json")
    papermill.execute_notebook(source, notebook, progress_bar=False, parameters=given)
    page, _ = nbconvert.HTMLExporter().from_filename(notebook)
    (out / "report.html").write_text(page, encoding="utf-8")
    pdf, _ = nbconvert.WebPDFExporter(disable_sandbox=True).from_filename(notebook)
    (out / "report.pdf").write_bytes(pdf)


def shell(project: Path, names: list[str], workers: int, year: int) -> None:
    """The same by commands, so many loops at once."""
    _looped([(project, name, year, OURS) for name in names], workers)


def plain(project: Path, names: list[str], workers: int, year: int) -> None:
    """The commands with the notebook of pandas and matplotlib alone."""
    _looped([(project, name, year, PLAIN) for name in names], workers)


def _looped(reports: list[tuple[Path, str, int, str]], workers: int) -> None:
    with ThreadPoolExecutor(workers) as threads:
        list(threads.map(_shell, reports))


def _shell(what: tuple[Path, str, int, str]) -> None:
    project, name, year, source = what
    out = project / ("plain" if source == PLAIN else "shell") / name
    out.mkdir(parents=True)
    notebook = str(out / "report.ipynb")
    given = ["-p", "district", name, "-p", "year", str(year)]
    if source == PLAIN:
        given += ["-p", "out", str(out / "cells.json")]
    convert = [str(BIN / "jupyter"), "nbconvert", "--log-level", "ERROR", "--to"]
    for command in (
        [str(BIN / "papermill"), "--no-progress-bar", source, notebook, *given],
        [*convert, "html", notebook],
        [*convert, "webpdf", "--disable-chromium-sandbox", notebook],
    ):
        subprocess.run(command, cwd=project, check=True, capture_output=True)
    assert (out / "report.pdf").is_file()


def find_chromium(folder: Path) -> None:
    """Put the machine's Chromium where Playwright looks for its own."""
    from playwright.sync_api import Error, sync_playwright

    os.environ["PLAYWRIGHT_BROWSERS_PATH"] = str(folder)
    with sync_playwright() as playwright:
        try:
            playwright.chromium.launch(chromium_sandbox=False).close()
        except Error as error:
            found = re.search(r"Executable doesn't exist at (\S+)", str(error))
            if found is None:
                raise
            place = Path(found[1])
            place.parent.mkdir(parents=True)
            place.symlink_to(shutil.which("chromium") or "/usr/bin/chromium")
            playwright.chromium.launch(chromium_sandbox=False).close()
