"""First difference between two things that should be the same, in words."""

from __future__ import annotations

import io
import zipfile
from typing import Any

_AROUND, _LONGEST = 16, 60
_ARCHIVES = (".docx", ".xlsx")
_TEXTS = (".html", ".js", ".json", ".xml", ".rels")


def first_difference(found: Any, made: Any, place: str = "") -> str:
    """Describe the first difference of two JSON values: its place and both values there.

    Examples
    --------
    >>> first_difference([{"id": "t2.fees", "value": "2"}], [{"id": "t2.fees", "value": "1"}])
    "t2.fees/value is '2' and comes out as '1'"
    """
    if isinstance(found, dict) and isinstance(made, dict):
        for key in sorted({*found, *made}):
            if key not in found or key not in made:
                return f"{place}{key} is only {'in the run' if key in found else 'made here'}"
            if found[key] != made[key]:
                return first_difference(found[key], made[key], f"{place}{key}/")
    if isinstance(found, list) and isinstance(made, list):
        for number, (one, other) in enumerate(zip(found, made, strict=False)):
            if one != other:
                name = other.get("id", number) if isinstance(other, dict) else number
                return first_difference(one, other, f"{place}{name}/")
        return f"{place.removesuffix('/')} has {len(found)} and comes out with {len(made)}"
    if isinstance(found, str) and isinstance(made, str):
        found, made = _excerpts(found, made)
    told = [f"{one!r}"[:_LONGEST] for one in (found, made)]
    return f"{place.removesuffix('/')} is {told[0]} and comes out as {told[1]}"


def difference_in_file(name: str, found: bytes, made: bytes) -> str:
    """Describe the first difference of two files; inside an archive, of its part."""
    if name.endswith(_ARCHIVES):
        try:
            part, found, made = _parts(found, made)
        except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError):
            return "is no archive that can be read"
        if not part:
            return "comes out packed otherwise"
        return f"{part} {difference_in_file(part, found, made)}"
    if name.endswith(_TEXTS):
        there, here = _excerpts(*(one.decode(errors="replace") for one in (found, made)))
        return f"reads “{there}” and comes out as “{here}”"
    return "comes out with other bytes"


def _excerpts(found: str, made: str) -> tuple[str, str]:
    pairs = enumerate(zip(found, made, strict=False))
    at = next((at for at, (a, b) in pairs if a != b), min(len(found), len(made)))
    start, end = max(0, at - _AROUND), at + _AROUND
    return found[start:end], made[start:end]


def _parts(found: bytes, made: bytes) -> tuple[str, bytes, bytes]:
    """The first part of two archives that differs; nothing where all parts are the same."""
    with zipfile.ZipFile(io.BytesIO(found)) as one, zipfile.ZipFile(io.BytesIO(made)) as other:
        listed = [file.namelist() for file in (one, other)]
        if listed[0] != listed[1]:
            changed = sorted(set(listed[0]) ^ set(listed[1]))
            return f"{(changed or ['its list of parts'])[0]} in it", b"", b""
        for entry in other.infolist():
            content = other.read(entry)
            with one.open(entry.filename) as file:
                # No more than that: a small archive can hold a part without end.
                there = file.read(len(content) + _AROUND)
            if there != content:
                return entry.filename, there, content
    return "", b"", b""
