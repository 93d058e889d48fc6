"""The warm process that reports are forked from: importing this module is what warms it.

multiprocessing's fork server imports it once, in a process of its own that has never had a thread,
an event loop or a zmq context; every report then starts with all of this in memory.
"""

from __future__ import annotations

import gc
from importlib import import_module
from pathlib import Path

from reportkit.run import kernels

# Modules that a report imports on its way; they are in memory after the fork.
_ALSO = """
    ahocorasick papermill.parameterize papermill.translators pypdfium2 reportkit.batch.work
    reportkit.warm.forked typst
""".split()


def threads() -> int:
    """Count the threads of this process, those of libraries included."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else 1


def _warm() -> None:
    """Do once what every report does first, without any data."""
    gc.disable()
    import nbformat
    from jupyter_client.provisioning.factory import KernelProvisionerFactory
    from nbformat.v4 import new_notebook

    from reportkit.export.documents import exporters
    from reportkit.proof.manifest import schema_check
    from reportkit.proof.surroundings import code_digest, fonts

    for module in _ALSO:
        import_module(module)
    for exporter in exporters().values():
        exporter.prepare()
    # Schemas are compiled when they are first used.
    nbformat.validate(new_notebook())  # type: ignore[no-untyped-call]  # nbformat has no types
    schema_check()
    code_digest()
    fonts()
    # The plug-ins of jupyter_client are searched in all installed packages, once.
    KernelProvisionerFactory.instance()
    kernels.keep()


_warm()
