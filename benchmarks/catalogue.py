"""Cost of the catalogue and the store, over thousands of invented places in three years.

    python benchmarks/catalogue.py [--places 3000] [--facts 249] [--folder DIR]

Runs are made with as many facts as a report has and no documents. Measured are: the store built
whole, and after one publish; a query in a process of its own; the pages built whole, unchanged,
and after one publish; the first page's bytes with all that it loads; and searches in Chromium.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

if TYPE_CHECKING:
    from collections.abc import Callable

YEARS = 3
SEARCH = """(word) => {
  const field = document.getElementById("q");
  const begun = performance.now();
  field.value = word;
  field.dispatchEvent(new Event("input"));
  document.getElementById("reports").getBoundingClientRect();
  return performance.now() - begun;
}"""


def main() -> None:
    """Measure, and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--places", type=int, default=3000)
    parser.add_argument("--facts", type=int, default=249)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="catalogue-"))
    print(json.dumps(measured(folder, asked.places, asked.facts), indent=1))  # noqa: T201 - its result


def measured(folder: Path, places: int, facts: int) -> dict[str, Any]:
    """Return what each step took, in seconds of wall and of processor time, and sizes."""
    from catalogues import fact, make_many, publish, table_of

    from reportkit.catalogue.site import write_site
    from reportkit.catalogue.store import refresh
    from reportkit.params import Project

    more = [fact(f"act.more_{number}", number) for number in range(facts - len(table_of(1, 1, 1)))]
    if not (folder / "params").is_dir():
        make_many(folder, places, more=more)
    project = Project(folder / "params", folder / "data", folder / "outputs")
    out, to = project.out, project.out / "site"
    measured: dict[str, Any] = {"runs": places * YEARS, "facts": facts}

    def again(run: str) -> None:
        figures = [*table_of(77, 7, 7), *more]
        publish(out, "d0001", 2021, run, facts=figures, name="改后区", parent="p01")

    timed(measured, "store whole", lambda: refresh(out))
    timed(measured, "store unchanged", lambda: refresh(out))
    timed(measured, "site whole", lambda: write_site(project, refresh(out), to))
    timed(measured, "site unchanged", lambda: write_site(project, refresh(out), to))
    again(f"r{time.time_ns()}")
    timed(measured, "store after one publish", lambda: refresh(out))
    timed(measured, "site after one publish", lambda: write_site(project, refresh(out), to))
    sql = "select sum(number) from facts where fact = 't3.new.total' group by year"
    command = [sys.executable, "-m", "reportkit", "query", sql, "--out", out, "--params"]
    ask = [*command, project.params]
    timed(
        measured, "query in a process", lambda: subprocess.run(ask, check=True, capture_output=True)
    )
    for name in (".store", "site"):
        paths = [path for path in (out / name).rglob("*") if path.is_file()]
        size = round(sum(path.stat().st_size for path in paths) / 1e6, 1)
        measured[name] = {"files": len(paths), "MB": size}
    measured |= searched(to)
    measured["ms a run, site whole"] = round(
        1000 * measured["site whole"]["wall"] / measured["runs"], 2
    )
    return measured


def timed(measured: dict[str, Any], name: str, act: Callable[[], object]) -> None:
    """Note how long something takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    taken = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    measured[name] = {kind: round(seconds, 3) for kind, seconds in taken.items()}


def searched(to: Path) -> dict[str, Any]:
    """Return what the first page loads, and milliseconds of searches among all rows."""
    from machine import program
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url.partition("?")[0]))
        page.goto((to / "index.html").as_uri())
        page.locator("#reports tbody a").first.wait_for()
        later = page.locator("#reports").get_attribute("data-later") or ""
        idle = {name.partition("?")[0] for name in later.split()}
        names = [url.removeprefix(f"{to.as_uri()}/") for url in asked]
        first = sum((to / name).stat().st_size for name in names if name not in idle)
        page.locator("#y").select_option("")
        page.wait_for_timeout(2000)
        words = ["东", "松溪", "d12", "xq", "shi", "西柏湾", "q", "南榆江县", "zzz", ""]
        times = [page.evaluate(SEARCH, word) for word in words * 3]
        browser.close()
    milliseconds = {"median": statistics.median(times), "worst": max(times)}
    return {
        "first page, kB": round(first / 1000, 1),
        "search, ms": {name: round(value, 1) for name, value in milliseconds.items()},
    }


if __name__ == "__main__":
    main()
