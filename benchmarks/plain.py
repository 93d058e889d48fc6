"""A report as a user without reportkit makes one: pandas, matplotlib, papermill, nbconvert."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

BIN = Path(sys.executable).parent
NOTEBOOK = str(Path(__file__).with_name("plain_report.ipynb"))


def plain(project: Path, names: list[str], workers: int, year: int) -> None:
    """The commands of a shell loop, so many loops at once."""
    with ThreadPoolExecutor(workers) as threads:
        list(threads.map(lambda name: _report(project, name, year), names))


def _report(project: Path, name: str, year: int) -> None:
    out = project / "plain" / name
    out.mkdir(parents=True)
    notebook = str(out / "report.ipynb")
    given = {"district": name, "year": str(year), "out": str(out / "cells.json")}
    parameters = [word for pair in given.items() for word in ("-p", *pair)]
    convert = [str(BIN / "jupyter"), "nbconvert", "--log-level", "ERROR", "--to"]
    for command in (
        [str(BIN / "papermill"), "--no-progress-bar", NOTEBOOK, notebook, *parameters],
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
