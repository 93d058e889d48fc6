"""Speed and size of the documents, against nbconvert's own.

Prints JSON: ratios of medians, both sides measured by turns in one run, on one executed notebook;
the time until the audit page's first panel shows its rows, in Chromium.

    reportkit run huli 2020                  # the report that is measured
    python benchmarks/documents.py outputs/huli/2020/current
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from nbconvert.exporters import HTMLExporter, WebPDFExporter
from playwright.async_api import BrowserType
from playwright.sync_api import sync_playwright

from reportkit.export.audit import AuditHTML
from reportkit.export.docx import ReportDocx
from reportkit.export.html import ReportHTML
from reportkit.export.pdf import ReportPDF
from reportkit.export.xlsx import TablesXlsx

if TYPE_CHECKING:
    from collections.abc import Callable

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
# The largest fact of the sample, so that its rows are in many files.
OPENED = "t2.other_services.decisions"
OPEN = """async (id) => {
  const number = document.querySelector(`main [data-fact="${id}"]`);
  const start = performance.now();
  number.click();
  while (!document.querySelector("#panel .value")) await new Promise(requestAnimationFrame);
  const open = performance.now() - start;
  while (!document.querySelector("#panel tbody tr")) await new Promise(requestAnimationFrame);
  return [open, performance.now() - start];
}"""


def with_debians_chromium() -> None:
    """Let nbconvert's webpdf find the browser; it has no setting for that."""
    launch = BrowserType.launch

    async def found(self: BrowserType, **options: Any) -> Any:
        options |= {"executable_path": CHROMIUM, "args": ["--no-sandbox"]}
        return await launch(self, **options)

    # nbconvert gives no way to name the browser that it starts.
    BrowserType.launch = found  # type: ignore[method-assign]


def compared(
    sides: dict[str, Callable[[], Any]], notebook: nbformat.NotebookNode, turns: int
) -> dict[str, dict[str, float]]:
    """Median seconds and size of each side, by turns."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    sizes = {}
    for turn in range(turns + 1):
        for name, exporter in sides.items():
            start = time.perf_counter()
            content, _ = exporter().from_notebook_node(notebook)
            if turn:  # the first of each loads modules and fonts
                seconds[name].append(time.perf_counter() - start)
            sizes[name] = len(content.encode() if isinstance(content, str) else content)
    return {
        name: {"seconds": round(statistics.median(seconds[name]), 3), "bytes": sizes[name]}
        for name in sides
    }


def panel(run: Path, turns: int) -> dict[str, Any]:
    """Milliseconds from a click to the open panel and to its rows, each time in a fresh page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        taken = []
        for _ in range(turns):
            page = browser.new_page()
            page.goto((run.resolve() / "audit.html").as_uri())
            taken.append(page.evaluate(OPEN, OPENED))
            page.close()
        browser.close()
    facts = json.loads((run / "facts.json").read_text(encoding="utf-8"))["facts"]
    rows = {fact["id"]: fact["rows"] for fact in facts}
    opened, filled = zip(*taken, strict=True)
    return {
        "open_milliseconds": round(statistics.median(opened), 1),
        "rows_milliseconds": round(statistics.median(filled), 1),
        "rows_of_the_fact": rows[OPENED],
        "rows_beside_the_page": sum(rows.values()),
        "page_bytes": (run / "audit.html").stat().st_size,
        "evidence_bytes": sum(path.stat().st_size for path in (run / "evidence").iterdir()),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path, help="a folder with report.ipynb and audit.html")
    parser.add_argument("--turns", type=int, default=7)
    options = parser.parse_args()
    notebook = nbformat.read(options.run / "report.ipynb", as_version=4)
    with_debians_chromium()
    sides = {
        "pdf": ReportPDF,
        "webpdf": WebPDFExporter,
        "html": ReportHTML,
        "nbconvert_html": HTMLExporter,
        "audit": AuditHTML,
        "docx": ReportDocx,
        "xlsx": TablesXlsx,
    }
    found = compared(sides, notebook, options.turns)

    def ratio(ours: str, theirs: str, what: str) -> float:
        return round(found[ours][what] / found[theirs][what], 3)

    result = {
        "pdf_time_of_webpdf": ratio("pdf", "webpdf", "seconds"),
        "html_time_of_nbconvert": ratio("html", "nbconvert_html", "seconds"),
        "html_size_of_nbconvert": ratio("html", "nbconvert_html", "bytes"),
        "each": found,
        "panel": panel(options.run, options.turns),
    }
    sys.stdout.write(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
