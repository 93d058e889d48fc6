"""Published reports read back: cells right, null and wrong by format, and processor seconds.

Prints JSON. Contents are those of ``tests/data`` and invented ones, each printed in every way that
``tests/reprinted.py`` knows.

    python benchmarks/audit.py [--contents 20] [--folder 300]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

if TYPE_CHECKING:
    from reprinted import Content

    from reportkit.audit.published import Published


def audited(path: Path) -> Published:
    """Read a document, and look for what does not hold in it."""
    from reprinted import FORM

    from reportkit.audit.findings import findings_of
    from reportkit.audit.read import read_published

    report = read_published(path, FORM)
    findings_of(report, FORM)
    return report


def counted(content: Content, path: Path) -> tuple[Counter[str], float]:
    """The cells of a document that are right, null and wrong, and the seconds it took."""
    begun = time.process_time()
    report = audited(path)
    spent = time.process_time() - begun
    read = {name: value for table in report.tables for name, value in table.values.items()}
    found: Counter[str] = Counter()
    for name in content.cells.keys() | {name for name, value in read.items() if value is not None}:
        printed, value = content.cells.get(name), read.get(name)
        expected = None if printed is None else Decimal(str(printed))
        found["right" if value == expected else "null" if value is None else "wrong"] += 1
    return found, spent


def main() -> None:
    """Read everything, and print what was found."""
    from click.testing import CliRunner
    from reprinted import WAYS, content_of, invented

    from reportkit.cli import cli
    from reportkit.facts.published import load_published

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contents", type=int, default=20)
    parser.add_argument("--folder", type=int, default=300)
    asked = parser.parse_args()
    known = sorted((ROOT / "tests/data").glob("*/*-20[12][0-9].json"))
    contents = [content_of(load_published(path)) for path in known]
    contents += [invented(seed, 2020 + seed % 4) for seed in range(asked.contents)]
    formats: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for way, (suffix, make) in WAYS.items():
            cells: Counter[str] = Counter()
            seconds = []
            for content in contents:
                path = Path(folder) / f"report{suffix}"
                path.write_bytes(make(content))
                found, spent = counted(content, path)
                cells += found
                seconds.append(spent)
            numbers = {name: cells[name] for name in ("right", "null", "wrong")}
            formats[way] = numbers | {"seconds": round(statistics.median(seconds), 3)}
        begun = time.process_time()
        audited(ROOT / "tests/data/audit/hongze-2023.pdf")
        real = time.process_time() - begun
        many = Path(folder) / "many"
        many.mkdir()
        for number in range(asked.folder):
            way = ("pdf", "docx", "html")[number % 3]
            content = invented(number, 2021 + number % 3)
            content.title = content.title.replace("海州", f"第{number // 3}")
            (many / f"{number}{WAYS[way][0]}").write_bytes(WAYS[way][1](content))
        begun = time.process_time()
        CliRunner().invoke(cli, ["audit", str(many), "--html", str(Path(folder) / "pages")])
        whole = time.process_time() - begun
    measured = {"formats": formats, "real_pdf_seconds": round(real, 2), "documents": asked.folder}
    sys.stdout.write(json.dumps(measured | {"folder_seconds": round(whole, 1)}, indent=1) + "\n")


if __name__ == "__main__":
    main()
