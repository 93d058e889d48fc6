"""papermill's engine ``reportkit-warm``, by name.

papermill loads its engines while it is itself being imported, so nothing of it is imported here.
"""

from __future__ import annotations

from typing import Any


class WarmEngine:
    """Runs notebooks in kernels forked from this process; see `reportkit.warm.forked`."""

    @classmethod
    def execute_notebook(cls, *arguments: Any, **options: Any) -> Any:
        """Execute a notebook, as papermill asks its engines to."""
        return _engine().execute_notebook(*arguments, **options)

    @classmethod
    def nb_kernel_name(cls, notebook: Any, name: str | None = None) -> Any:
        """Return the name of a notebook's kernel."""
        return _engine().nb_kernel_name(notebook, name)

    @classmethod
    def nb_language(cls, notebook: Any, language: str | None = None) -> Any:
        """Return the language of a notebook."""
        return _engine().nb_language(notebook, language)


def _engine() -> Any:
    from reportkit.warm.forked import ForkedEngine

    return ForkedEngine
