"""Executed notebooks made without a kernel of their own: IPython runs the cells in this process."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from traitlets.config import Config

from reportkit.notebook.made import follow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reportkit.notebook.report import Report

# A whole report and nothing else.
WHOLE = [
    "report.head()", 'report.section("一")', 'report.section("二")', "report.table(2)",
    'report.section("三")', "report.table(3)", 'report.section("四")', "report.table(4)",
    'report.section("五")', 'report.section("六")', "report.checks()", "report.seal()",
]  # fmt: skip
MARKDOWN = "%%markdown\n"


@contextmanager
def ipython() -> Iterator[InteractiveShell]:
    """Have IPython in this process, as in a kernel."""
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    # What a terminal would print of a cell's value.
    for name in ("start_displayhook", "write_output_prompt", "finish_displayhook"):
        setattr(shell.displayhook, name, lambda: None)
    try:
        yield shell
    finally:
        InteractiveShell.clear_instance()


def executed(report: Report, cells: Iterable[str], *, tags: dict[int, list[str]] | None = None):
    """Return a notebook with these cells executed; one that begins with `MARKDOWN` is prose.

    Parameters
    ----------
    report : Report
    cells : iterable of str
    tags : dict, optional
        By the cell's place in *cells*.
    """
    made: list[Any] = []
    with ipython() as shell:
        shell.user_ns["report"] = report
        follow(report.so_far)
        for at, source in enumerate(cells):
            metadata = {"tags": (tags or {}).get(at, [])}
            if source.startswith(MARKDOWN):
                made.append(new_markdown_cell(source.removeprefix(MARKDOWN), metadata=metadata))
                continue
            count = shell.execution_count
            values: list[Any] = []
            shell.displayhook.write_format_data = lambda data, _=None, to=values: to.append(data)
            with capture_output() as shown:
                shell.run_cell(source, store_history=True).raise_error()
            outputs = [
                new_output("stream", name=name, text=text)
                for name, text in (("stdout", shown.stdout), ("stderr", shown.stderr))
                if text
            ]
            outputs += [new_output("display_data", one.data) for one in shown.outputs]
            outputs += [new_output("execute_result", v, execution_count=count) for v in values]
            made.append(
                new_code_cell(source, execution_count=count, outputs=outputs, metadata=metadata)
            )
    return new_notebook(cells=made, metadata={"language_info": {"name": "python"}})


def whole(*own: str, after: str = 'report.section("三")', without: str = "") -> list[str]:
    """Return the cells of a whole report, with own cells after one of them, less one."""
    cells = [one for one in WHOLE if one != without]
    at = cells.index(after) + 1
    return [*cells[:at], *own, *cells[at:]]
