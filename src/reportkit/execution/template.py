"""The warm process that reports are forked from: importing this module is what warms it.

multiprocessing's fork server imports it once, in a process of its own that has never had a thread,
an event loop or a zmq context; every report then starts with all of this in memory.
"""

from __future__ import annotations

import gc
from pathlib import Path

import ahocorasick  # noqa: F401 - each of these is imported to be there after the fork
import openpyxl  # noqa: F401
import pandas as pd
import pypdfium2  # noqa: F401
import python_calamine  # noqa: F401
import typst  # noqa: F401
from nbconvert.exporters import get_exporter

from reportkit.charts import show_chart
from reportkit.forms import form_for, forms
from reportkit.ledgers import schemas
from reportkit.worktime import work_calendar


def threads() -> int:
    """How many threads this process has, those of libraries counted too."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else 1


def _warm() -> None:
    """Do once what every report does first, with no data of anybody."""
    for form in forms():
        form.cells(2020)
    schemas()
    form_for(2020).default_narrative()
    work_calendar()
    # The fonts are read and the first chart drawn: two thirds of a second.
    frame = pd.DataFrame({"件": [1, 2]}, index=["一月", "二月"])
    show_chart("warm", frame, title="暖", kind="bars")
    show_chart("warm", frame, title="暖", kind="columns")
    for name in ("reportkit-html", "reportkit-audit", "reportkit-pdf"):
        get_exporter(name)()  # type: ignore[no-untyped-call]  # nbconvert has no types
    # Objects that are never collected leave their pages shared with the children.
    gc.collect()
    gc.freeze()


_warm()
