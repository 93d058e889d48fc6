"""Record of the blocks, figures and facts that a notebook has made so far, by cell."""

from __future__ import annotations

import hashlib
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from reportkit.export.blocks import Block, block, json_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from matplotlib.figure import Figure

    from reportkit.notebook.display import Shown

T = TypeVar("T")


@dataclass(frozen=True)
class CodeCell:
    """The cell that runs: its number in Jupyter, its id where the client gives one, its text."""

    count: int
    id: str = ""
    source: str = field(default="", compare=False, repr=False)


def this_cell() -> CodeCell:
    """The cell that runs; count 0 outside a notebook."""
    shell = _shell()
    if shell is None:
        return CodeCell(0)
    kernel = getattr(shell, "kernel", None)
    parent = kernel.get_parent("shell") if kernel is not None else {}
    # IPython's own count has gone on by now, or not: it depends on its version.
    count = shell.displayhook.prompt_count
    texts = shell.user_ns.get("In", [])
    source = texts[count].strip() if 0 < count < len(texts) else ""
    return CodeCell(count, str(parent.get("metadata", {}).get("cellId", "")), source)


def parameter(name: str) -> str | None:
    """A parameter that the notebook was given as text; None where there is none, or no notebook."""
    shell = _shell()
    value = shell.user_ns.get(name) if shell is not None else None
    return value if isinstance(value, str) and value else None


def _shell() -> Any:
    # Where nothing of IPython is loaded there is no notebook, and it is slow to load.
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def digest_of_block(shown: Block) -> str:
    """SHA-256 of a block, whatever the order of its keys; of prose, of its Markdown."""
    if shown["kind"] == "prose":
        shown = block("prose", source=shown["source"])
    return hashlib.sha256(json_bytes(shown)).hexdigest()


PRINTED = ("table", "chart", "prose")
"""Kinds of blocks that stand in documents wherever they are shown."""


@dataclass
class Made:
    """Blocks shown, charts drawn and not shown, and the cell in which each own fact was made."""

    shown: list[tuple[CodeCell, Shown]] = field(default_factory=list)
    figures: list[tuple[CodeCell, Figure]] = field(default_factory=list)
    facts: dict[str, str | None] = field(default_factory=dict)

    def note(self, shown: Shown) -> Shown:
        """Record what a cell shows, in place of what it showed when it ran before."""
        cell = this_cell()
        self.shown = [*_without(self.shown, cell), (cell, shown)]
        return shown

    def take(self, figure: Figure) -> None:
        """Take a figure that is shown from those left over, and from pyplot."""
        self.figures = [(cell, left) for cell, left in self.figures if left is not figure]
        close(figure)

    def left(self) -> None:
        """Record, at the end of a cell, the figures that it drew and did not show."""
        cell = this_cell()
        drawn = [(cell, figure) for figure in open_figures()]
        self.figures = [*_without(self.figures, cell), *drawn]

    def as_json(self) -> dict[str, Any]:
        """The record for the seal: a digest of every block, and the cells that left figures."""
        return {
            "blocks": [
                {
                    "cell": cell.count,
                    "kind": shown.block["kind"],
                    "sha256": digest_of_block(shown.block),
                }
                for cell, shown in self.shown
                if shown.block["kind"] in PRINTED
            ],
            "figures": [cell.count for cell, _ in self.figures],
        }


def _without(kept: list[tuple[CodeCell, T]], cell: CodeCell) -> list[tuple[CodeCell, T]]:
    """Take away what the same cell made when it ran before."""
    return [
        (other, made)
        for other, made in kept
        if not (other.id and other.id == cell.id and other.count != cell.count)
    ]


# A ledger of fewer rows is read at once.
_MANY = 20_000


@contextmanager
def counted() -> Iterator[Callable[[str, int], None]]:
    """In a notebook, a line of progress while a long ledger is read; it is cleared at the end."""
    shown = False

    def tell(name: str, rows: int) -> None:
        nonlocal shown
        if _shell() is not None and rows >= _MANY:
            shown = True
            sys.stderr.write(f"\r{name}: {rows:,} rows")

    yield tell
    if shown:
        from IPython.display import clear_output

        clear_output()  # type: ignore[no-untyped-call]  # IPython has no types here


class _AtEnd:
    """IPython calls it when the code of a cell has run."""

    def __init__(self, made: Made) -> None:
        self._made = made

    def __call__(self) -> None:
        self._made.left()


def open_figures() -> Iterator[Figure]:
    """Figures that pyplot holds; a cell that shows one in a document closes it."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        yield from map(pyplot.figure, pyplot.get_fignums())


def close(figure: Figure) -> None:
    """Take a figure from pyplot, so that the next cell draws a new one."""
    if (pyplot := sys.modules.get("matplotlib.pyplot")) is not None:
        pyplot.close(figure)


def _close_all(*_: Any) -> None:
    for figure in list(open_figures()):
        close(figure)


def follow(made: Made) -> None:
    """In a notebook: our typefaces and style for its figures, and a record after each cell."""
    shell = _shell()
    if shell is None:
        return
    # Imported here alone: a report that is opened outside of a notebook draws nothing.
    from reportkit.notebook.figures import prepare

    prepare()
    at_end = shell.events.callbacks["post_execute"]
    for callback in list(at_end):
        if isinstance(callback, _AtEnd):  # of a report that was opened before
            shell.events.unregister("post_execute", callback)
    # In front of all others: the next one, Jupyter's, shows the open figures and closes them.
    at_end.insert(0, _AtEnd(made))
    # The next cell begins without figures, as in Jupyter.
    if _close_all not in shell.events.callbacks["post_run_cell"]:
        shell.events.register("post_run_cell", _close_all)
