"""The warm process that reports are forked from: importing this module is what warms it.

multiprocessing's fork server imports it once, in a process of its own that has never had a thread,
an event loop or a zmq context; every report then starts with all of this in memory.
"""

from __future__ import annotations

import gc
from importlib import import_module
from pathlib import Path

import pandas as pd
from nbconvert.exporters import get_exporter

from reportkit.charts import show_chart
from reportkit.execution.run import DOCUMENTS
from reportkit.export.pages import environment
from reportkit.forms import form_for, forms
from reportkit.ledgers import schemas
from reportkit.proof.surroundings import code_digest
from reportkit.worktime import work_calendar

# What a report or its notebook imports on the way, found there after the fork.
_ALSO = """
    ahocorasick ipykernel.debugger ipykernel.kernelspec IPython.core.application
    IPython.core.completerlib IPython.core.oinspect matplotlib.backends.backend_svg
    matplotlib.figure matplotlib_inline.backend_inline multiprocessing.popen_fork openpyxl
    pandas.io.formats.style papermill.parameterize papermill.translators pyarrow.compute
    pyarrow.csv pyarrow.dataset pyarrow.parquet pypdfium2
    reportkit.execution.forked reportkit.execution.kernel reportkit.execution.work
    tornado.platform.asyncio typst
""".split()


def threads() -> int:
    """How many threads this process has, those of libraries counted too."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else 1


def _warm() -> None:
    """Do once what every report does first, with no data of anybody."""
    for module in _ALSO:
        import_module(module)
    for form in forms():
        form.cells(2020)
    schemas()
    form_for(2020).default_narrative()
    work_calendar()
    # The fonts are read and the first chart drawn: two thirds of a second.
    frame = pd.DataFrame({"件": [1, 2]}, index=["一月", "二月"])
    show_chart("warm", frame, title="暖", kind="bars")
    show_chart("warm", frame, title="暖", kind="columns")
    for name in DOCUMENTS:
        get_exporter(name)()  # type: ignore[no-untyped-call]  # nbconvert has no types
    templates = environment()
    for name in templates.list_templates(filter_func=lambda name: name.endswith(".html.j2")):
        templates.get_template(name)
    code_digest()
    # Objects that are never collected leave their pages shared with the children.
    gc.collect()
    gc.freeze()


_warm()
