"""Sources of the official document, which travel inside it: facts and executed notebook."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from reportkit.export.blocks import from_notebook, json_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

_TIMED = ("papermill", "execution")
INJECTED = "injected-parameters"
_FOLDERS = re.compile(r"^(params|data|out) = .*\n?", re.MULTILINE)


def lasting(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """Return an executed notebook without what may differ between two executions of it.

    It stays a valid one. Times, the random id of the cell with the parameters, folders and the
    version of Python are dropped, so that equal reports hold equal notebooks.
    """
    metadata = {key: value for key, value in notebook["metadata"].items() if key not in _TIMED}
    language = dict(metadata.get("language_info", {}))
    language.pop("version", None)
    return {
        **notebook,
        "metadata": {**metadata, "language_info": language},
        "cells": [_cell(cell) for cell in notebook["cells"]],
    }


def _cell(cell: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in cell["metadata"].items() if key not in _TIMED}
    made = {**cell, "metadata": metadata}
    if INJECTED in metadata.get("tags", ()):
        made |= {"id": INJECTED, "source": _FOLDERS.sub("", "".join(cell["source"]))}
    return made


def originals(notebook: Mapping[str, Any]) -> dict[str, str]:
    """Return ``facts.json`` as it is published, and the notebook as `lasting` leaves it."""
    seal = from_notebook(notebook, "seal")[0]
    kept = lasting(notebook)
    text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n"
    return {"facts.json": json_bytes(seal["facts"]).decode(), "report.ipynb": text}
