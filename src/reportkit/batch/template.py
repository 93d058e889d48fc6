"""The warm process that reports are forked from: importing this module is what warms it.

multiprocessing's fork server imports it once, in a process of its own that has never had a thread,
an event loop or a zmq context; every report then starts with all of this in memory.
"""

from __future__ import annotations

import gc
from importlib import import_module
from pathlib import Path

# What a report or its notebook imports on the way, found there after the fork.
_ALSO = """
    ahocorasick ipykernel.debugger ipykernel.kernelspec IPython.core.application
    IPython.core.completerlib IPython.core.oinspect matplotlib.backends.backend_svg
    matplotlib.figure matplotlib_inline.backend_inline multiprocessing.popen_fork
    pandas.io.formats.style papermill.parameterize papermill.translators pyarrow.compute
    pyarrow.csv pyarrow.dataset pyarrow.parquet pypdfium2 reportkit.batch.work
    reportkit.warm.forked reportkit.warm.kernel tornado.platform.asyncio typst
""".split()


def threads() -> int:
    """How many threads this process has, those of libraries counted too."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else 1


def _warm() -> None:
    """Do once what every report does first, with no data of anybody."""
    gc.disable()  # nothing imported is ever garbage: looking for it takes a fifth of the time
    import mistune
    import nbformat
    import pandas as pd
    from jupyter_client.provisioning.factory import KernelProvisionerFactory
    from nbformat.v4 import new_notebook

    from reportkit.export.documents import exporters
    from reportkit.forms import form_for, forms
    from reportkit.ledgers import schemas
    from reportkit.notebook.charts import chart
    from reportkit.proof.manifest import schema_check
    from reportkit.proof.surroundings import code_digest, fonts
    from reportkit.text.coverage import cover
    from reportkit.worktime import work_calendar

    for module in _ALSO:
        import_module(module)
    for form in forms():
        form.ledgers()
    schemas()
    form_for(2020).default_narrative()
    work_calendar()
    # The fonts are read and the first chart drawn: two thirds of a second.
    frame = pd.DataFrame({"件": [1, 2]}, index=["一月", "二月"])
    chart("warm", frame, title="暖", kind="bars")
    chart("warm", frame, title="暖", kind="columns")
    for exporter in exporters().values():
        exporter.prepare()
    # Schemas and patterns are made into programs when they are first used.
    nbformat.validate(new_notebook())  # type: ignore[no-untyped-call]  # nbformat has no types
    schema_check()
    mistune.create_markdown(renderer=None)("暖")
    cover({"": [{"type": "paragraph", "runs": [{"text": "暖"}]}]})
    code_digest()
    fonts()
    # Which plug-ins of jupyter_client there are is asked of every installed package, once.
    KernelProvisionerFactory.instance()
    # Objects that are never collected leave their pages shared with the children. A report makes
    # much JSON and few circles: looked for at every 700 new objects they cost a twentieth of it.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    gc.enable()


_warm()
