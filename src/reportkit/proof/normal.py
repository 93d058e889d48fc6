"""The normal form of an executed notebook, in which two executions of one notebook are equal.

It drops what may differ between them (times, the random id of the cell with the parameters,
folders, the patch version of Python) and nothing else.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from reportkit.export.files import digest_of
from reportkit.export.original import lasting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def normal_form(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """An executed notebook without what may differ between two executions of it.

    Returns
    -------
    dict
        Plain JSON; ``cells`` holds one dict for each cell.
    """
    kept = lasting(notebook)
    metadata = {name: value for name, value in kept["metadata"].items() if name != "widgets"}
    if version := notebook["metadata"].get("language_info", {}).get("version"):
        minor = ".".join(str(version).split(".")[:2])
        metadata["language_info"] = metadata["language_info"] | {"version": minor}
    return {"metadata": metadata, "cells": [_cell(cell) for cell in kept["cells"]]}


def _cell(cell: Mapping[str, Any]) -> dict[str, Any]:
    normal: dict[str, Any] = {
        "type": cell["cell_type"],
        "id": cell.get("id"),
        "metadata": cell["metadata"],
        "source": "".join(cell["source"]),
    }
    if "attachments" in cell:
        normal["attachments"] = cell["attachments"]
    if cell["cell_type"] == "code":
        normal["count"] = cell["execution_count"]
        normal["outputs"] = list(_outputs(cell["outputs"]))
    return normal


def _outputs(outputs: list[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    streams: dict[str, str] = {}
    # How a stream is cut into pieces depends on time, so each is joined into one text.
    for output in outputs:
        if output["output_type"] == "stream":
            streams[output["name"]] = streams.get(output["name"], "") + "".join(output["text"])
    yield from ({"stream": name, "text": streams[name]} for name in sorted(streams))
    for output in outputs:
        if output["output_type"] != "stream":
            kept = {k: v for k, v in output.items() if k not in ("execution_count", "data")}
            yield kept | {
                "data": {
                    mime: digest_of(str(value).encode()) if mime.startswith("image/") else value
                    for mime, value in output.get("data", {}).items()
                }
            }


def cell_digests(notebook: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Id and digest of each cell of the normal form, in order."""
    cells = normal_form(notebook)["cells"]
    return [(str(cell["id"]), digest_of(_json(cell))) for cell in cells]


def normal_digest(notebook: Mapping[str, Any]) -> str:
    """SHA-256 of the normal form: JSON with sorted keys, without white space."""
    return digest_of(_json(normal_form(notebook)))


def _json(value: Any) -> bytes:
    return json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()
