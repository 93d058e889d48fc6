"""Executing a notebook by papermill."""

from __future__ import annotations

import json
import os
import re
import subprocess
from functools import partial
from typing import TYPE_CHECKING, Any

import nbformat
import papermill
from jupyter_client.kernelspec import NoSuchKernel
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.paths import jupyter_runtime_dir
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillException, PapermillExecutionError
from papermill.execute import ERROR_MARKER_TAG
from traitlets import default

from reportkit.errors import ExecutionError, InputError
from reportkit.language import Message, template
from reportkit.language.catalogue import translator_here
from reportkit.language.message import Translated, of_library
from reportkit.warm.limits import killed_for_memory, kills_for_memory
from reportkit.warm.processes import die_with_parent, kernel_environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.context import BaseContext
    from pathlib import Path


# What an executed notebook may hold; more is a mistake, and no reader could open it.
_LARGEST = 64 << 20
# What papermill writes into a notebook of which a cell failed.
_AT = template("An Exception was encountered at '{cell}'.")
_HERE = template("Execution using papermill encountered an exception here and stopped:")


class LocalKernelManager(AsyncKernelManager):
    """Kernels over unix sockets, with no port to fight for, that end when we do."""

    def start_kernel(self, *arguments: Any, **options: Any) -> Any:
        """Start it as a child of ours that says nothing below Python."""
        # ipykernel watches its parent by itself; other kernels, and one that hangs, do not.
        # What it writes below Python would pass by the gate, onto the terminal.
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        ends = partial(die_with_parent, os.getpid())
        return super().start_kernel(*arguments, **options, **quiet, preexec_fn=ends)

    @default("transport")
    def _unix_sockets(self) -> str:
        return "ipc"

    @default("ip")
    def _own_sockets(self) -> str:
        # By default they would be named alike in the working folder, and kernels that start at the
        # same time would answer each other's clients.
        return f"{jupyter_runtime_dir()}/kernel"


def execute(
    notebook: Path,
    parameters: Mapping[str, Any],
    output: Path,
    *,
    cwd: Path | None = None,
    fork: BaseContext | None = None,
) -> nbformat.NotebookNode:
    """Execute a notebook in a fresh kernel: a cold one, or one that is forked.

    Parameters
    ----------
    notebook : Path
    parameters : mapping
        Typed values; each must be named in the notebook's parameters cell.
    output : Path
        Where the executed notebook is written, also when a cell fails.
    cwd : Path, optional
        Working folder of the kernel.
    fork : multiprocessing context, optional
        Whose processes are forked, and the kernel with them, if that is safe; see
        `reportkit.warm.forked`.

    Returns
    -------
    NotebookNode

    Raises
    ------
    ExecutionError
        ``cell-failed`` with the cell's number, ``out-of-memory``, ``kernel-died``, ``timeout``,
        ``output-too-large`` or ``no-kernel``.
    """
    killed = kills_for_memory()
    with kernel_environment():
        try:
            executed: nbformat.NotebookNode = papermill.execute_notebook(
                str(notebook).replace("{", "{{").replace("}", "}}"),
                str(output).replace("{", "{{").replace("}", "}}"),
                parameters=dict(parameters),
                **({"engine_name": "reportkit-warm", "fork": fork} if fork else {}),
                progress_bar=False,
                request_save_on_cell_execute=False,
                cwd=cwd,
                kernel_manager_class=LocalKernelManager,
                raise_on_iopub_timeout=True,
                iopub_timeout=60,
                # All outputs have arrived; asking politely only costs time and an interrupt.
                shutdown_kernel="immediate",
            )
        except PapermillExecutionError as error:
            _translate_mark(output)
            lines = [line.strip() for line in error.source.splitlines()]
            first = next((line for line in lines if line and not line.startswith("#")), "")
            raise ExecutionError(
                "out-of-memory" if error.ename == "MemoryError" else "cell-failed",
                "cell [{cell}] of {notebook}, which begins `{first}`: {kind}: {problem}",
                cell=error.exec_count,
                notebook=notebook.name,
                first=first[:60],
                kind=Message(error.ename) if error.ename.isidentifier() else error.ename,
                problem=_cell_error(error),
            ) from None
        except DeadKernelError:
            name = notebook.name
            if kills_for_memory() > killed:
                how = killed_for_memory()
                raise ExecutionError(
                    "out-of-memory", "the kernel of {name} was {how}", name=name, how=how
                ) from None
            raise ExecutionError(
                "kernel-died", "the kernel of {name} died; see run.log, and try again", name=name
            ) from None
        except CellTimeoutError as error:
            raise ExecutionError(
                "timeout", "{name}: {error}", name=notebook.name, error=error
            ) from None
        except (PapermillException, NoSuchKernel, RuntimeError) as error:
            raise ExecutionError(
                "no-kernel", "{name} did not start: {error}", name=notebook.name, error=error
            ) from None
    if output.stat().st_size > _LARGEST:
        raise ExecutionError(
            "output-too-large",
            "the executed notebook is larger than {most} MiB; show less in it",
            most=_LARGEST >> 20,
        )
    return executed


def _translate_mark(path: Path) -> None:
    """Translate what papermill writes before the cell that failed."""
    notebook, translate = json.loads(path.read_text(encoding="utf-8")), translator_here()
    for cell in notebook["cells"]:
        if ERROR_MARKER_TAG in cell["metadata"].get("tags", []):
            text = "".join(cell["source"])
            if found := re.search("'(<a .*</a>)'", text):
                where = found[1]
                text = text.replace(_AT.format(cell=where), translate(_AT).format(cell=where))
            cell["source"] = text.replace(_HERE, translate(_HERE))
    write_notebook(notebook, path)


def _cell_error(error: PapermillExecutionError) -> Translated | Message:
    """The error of a cell; one of ours was translated in the kernel already."""
    first = str(error.traceback[0]) if error.traceback else ""
    if first.startswith(f"{error.ename}: "):
        return Translated(error.evalue, first.partition(": ")[2])
    return of_library(error.evalue)


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """A notebook as it stands in a file.

    Raises
    ------
    InputError
        ``notebook``: it is none.
    """
    try:
        notebook: nbformat.NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # nbformat has no types
    except (OSError, ValueError, nbformat.ValidationError) as error:
        raise InputError(
            "notebook",
            "{path} is no notebook that can be read: {error}",
            path=path,
            error=error,
            file=str(path),
        ) from None
    return notebook


def write_notebook(notebook: Mapping[str, Any], path: Path) -> None:
    """Write an executed notebook, as papermill does."""
    text = json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    path.write_text(text, encoding="utf-8")
