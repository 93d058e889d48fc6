"""What was published for a year: the figures of a report that stands already, by fact id."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from reportkit.synth.published import read_report

if TYPE_CHECKING:
    from decimal import Decimal
    from pathlib import Path

    from reportkit.forms import Form


def read_published(path: Path, form: Form, year: int) -> dict[str, Decimal]:
    report = read_report(json.loads(path.read_text(encoding="utf-8")))
    return report.published
