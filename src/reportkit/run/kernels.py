"""Modules that a kernel needs to show a report; importing this one loads them all.

The process that imports it is forked for a kernel; see `reportkit.warm.template`. It has no data.
"""

from __future__ import annotations

import gc
from importlib import import_module

# What a notebook imports on the way, found there after the fork.
_ALSO = """
    ipykernel.debugger ipykernel.kernelspec IPython.core.application
    IPython.core.completerlib IPython.core.oinspect matplotlib.backends.backend_svg
    matplotlib.figure matplotlib_inline.backend_inline multiprocessing.popen_fork
    pandas.io.formats.style pyarrow.compute pyarrow.csv pyarrow.dataset pyarrow.parquet
    reportkit.notebook.report reportkit.warm.child reportkit.warm.kernel tornado.platform.asyncio
""".split()


def _warm() -> None:
    """Do once what every notebook does first, with no data of anybody."""
    gc.disable()  # nothing imported is ever garbage: looking for it takes a fifth of the time
    import mistune
    import pandas as pd

    for module in _ALSO:
        import_module(module)

    from reportkit.audit.wording import wording_of
    from reportkit.checks import rules_of
    from reportkit.forms import shipped_form
    from reportkit.ledgers import schemas
    from reportkit.notebook.charts import chart_block
    from reportkit.text.coverage import cover
    from reportkit.worktime import work_calendar

    form = shipped_form()
    for edition in form.editions:
        edition.ledgers()
    schemas(form)
    rules_of(form)
    wording_of(form)
    work_calendar()
    # The fonts are read and the first chart drawn: two thirds of a second.
    frame = pd.DataFrame({"件": [1, 2]}, index=["一月", "二月"])
    for kind in ("bars", "columns"):  # not as pictures: Typst would start threads
        chart_block("warm", frame, title="暖", kind=kind, unit="件")
    # Patterns are made into programs when they are first used.
    mistune.create_markdown(renderer=None)("暖")
    cover({"": [{"type": "paragraph", "runs": [{"text": "暖"}]}]})
    keep()


def keep() -> None:
    """Freeze what is loaded, for all processes that are forked from here."""
    # Objects that are never collected leave their pages shared with the children. A report makes
    # much JSON and few circles: a search at every 700 new objects costs a twentieth of it.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    gc.enable()


_warm()
