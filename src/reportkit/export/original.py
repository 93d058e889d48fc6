"""What the official document was made from, to travel inside it: facts and executed notebook."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from reportkit.export.blocks import from_notebook, json_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["originals"]

_TIMED = ("papermill", "execution")
_INJECTED = "injected-parameters"
_FOLDERS = re.compile(r"^(params|data|out) = .*\n?", re.MULTILINE)


def originals(notebook: Mapping[str, Any]) -> dict[str, str]:
    """Return ``facts.json`` as it is published, and the notebook without what differs by chance.

    The notebook stays a valid one; times, the random id of the cell with the parameters, folders
    and the patch version of Python are dropped, so that equal reports hold equal notebooks.
    """
    seal = from_notebook(notebook, "seal")[0]
    metadata = {key: value for key, value in notebook["metadata"].items() if key not in _TIMED}
    language = dict(metadata.get("language_info", {}))
    language.pop("version", None)
    kept = {
        **notebook,
        "metadata": {**metadata, "language_info": language},
        "cells": [_cell(cell) for cell in notebook["cells"]],
    }
    text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n"
    return {"facts.json": json_bytes(seal["facts"]).decode(), "report.ipynb": text}


def _cell(cell: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in cell["metadata"].items() if key not in _TIMED}
    made = {**cell, "metadata": metadata}
    if _INJECTED in metadata.get("tags", ()):
        made |= {"id": _INJECTED, "source": _FOLDERS.sub("", "".join(cell["source"]))}
    return made
