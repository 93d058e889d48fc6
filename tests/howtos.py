"""The files that how-to pages write out: tests use them from there, and nowhere else."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs/how-to"


def blocks(page: str) -> dict[str, str]:
    """Text of each block of a page, by the name that it has there."""
    text = (DOCS / page).read_text("utf-8")
    return dict(re.findall(r'^```\w+ title="(.*?)"\n(.*?)^```', text, re.M | re.S))


def take_over(page: str, folder: Path) -> None:
    """Write each block of a page under the name that it has there."""
    for name, block in blocks(page).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block, encoding="utf-8")


NEXT = blocks("new-edition.md")["forms/zfxxgk/2026.yaml"]
"""An edition of 2026: a row more, a label changed, a section more."""
