"""One run: stage, execute, gate, export, seal, publish; and batches of them."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reportkit.execution.run import Outcome, run

__all__ = ["Outcome", "run"]


def __getattr__(name: str) -> Any:
    # Lazily, so that a batch in which nothing has changed does not wait for pandas.
    if name not in __all__:
        message = f"module 'reportkit.execution' has no attribute '{name}'"
        raise AttributeError(message)
    from importlib import import_module

    return getattr(import_module("reportkit.execution.run"), name)
