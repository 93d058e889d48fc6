"""Files of a project that the package carries with it: notebooks."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from reportkit.errors import InputError


def carried(pattern: str) -> list[Path]:
    """Files by their path in a project, such as ``notebooks/*.ipynb``, in the order of names.

    Raises
    ------
    InputError
        ``package``: there are none; the package is not whole.
    """
    package = Path(str(files("reportkit")))
    # In a wheel they lie inside the package; in a checkout they are the project's own.
    for root in (package / "carried", package.parents[1]):
        if found := sorted(root.glob(pattern)):
            return found
    raise InputError(
        "package",
        "{package} carries no {pattern}; install reportkit again",
        package=package,
        pattern=pattern,
    )
