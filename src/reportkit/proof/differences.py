"""Differences between things that should be the same: collected, and the first one in words."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reportkit.language import Message, joined
from reportkit.language.message import COLON
from reportkit.proof.surroundings import OURS

if TYPE_CHECKING:
    from collections.abc import Mapping

# What decides over the bytes of a document, besides our own code and Python; over everything else
# any package may.
_MADE_WITH = {
    "report.html": ("jinja2", "markupsafe"),
    "audit.html": ("jinja2", "markupsafe"),
    "report.pdf": ("typst", "fonts"),
    "report.docx": ("python-docx", "lxml", "typst", "fonts", "zlib"),
    "tables.xlsx": ("xlsxwriter", "zlib"),
}
_AROUND, _LONGEST = 16, 60
_ARCHIVES = (".docx", ".xlsx")
_TEXTS = (".html", ".js", ".json", ".xml", ".rels")


@dataclass
class Differences:
    """Differences; one is no finding where other versions may have made it.

    Parameters
    ----------
    versions : mapping of str to str
        What is of another version here, and which one the run had.
    """

    versions: Mapping[str, str]
    findings: list[str] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    needed: list[str] = field(default_factory=list)

    def compare(self, name: str, old: Any, new: Any, within: str = "") -> None:
        """Add the first difference of two JSON values, if there is one."""
        if old != new:
            self.differs(joined(COLON, [name, first_difference(old, new, within)]))

    def differs(self, difference: str, name: str = "") -> None:
        """Add a difference, found in the file of this name."""
        deciding = {OURS, "python", *_MADE_WITH.get(name, self.versions)}
        causes = deciding & {*self.versions}
        (self.undecided if causes else self.findings).append(difference)
        self.needed += sorted({self.versions[cause] for cause in causes} - {*self.needed})


def first_difference(old: Any, new: Any, place: str = "") -> str:
    """Describe the first difference of two JSON values: its place and both values there.

    Examples
    --------
    >>> first_difference([{"id": "t2.fees", "value": "2"}], [{"id": "t2.fees", "value": "1"}])
    "t2.fees/value is '2' and comes out as '1'"
    """
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            if key not in new:
                return Message("{place} is only in the run", place=f"{place}{key}")
            if key not in old:
                return Message("{place} is only made here", place=f"{place}{key}")
            if old[key] != new[key]:
                return first_difference(old[key], new[key], f"{place}{key}/")
    if isinstance(old, list) and isinstance(new, list):
        for number, (left, right) in enumerate(zip(old, new, strict=False)):
            if left != right:
                name = right.get("id", number) if isinstance(right, dict) else number
                return first_difference(left, right, f"{place}{name}/")
        return Message(
            "{place} has {old} and comes out with {new}",
            place=place.removesuffix("/"),
            old=len(old),
            new=len(new),
        )
    if isinstance(old, str) and isinstance(new, str):
        old, new = _excerpts(old, new)
    texts = [f"{value!r}"[:_LONGEST] for value in (old, new)]
    return Message(
        "{place} is {before} and comes out as {after}",
        place=place.removesuffix("/"),
        before=texts[0],
        after=texts[1],
    )


def difference_in_file(name: str, old: bytes, new: bytes) -> str:
    """Describe the first difference of two files; inside an archive, of its part."""
    if name.endswith(_ARCHIVES):
        try:
            part, old, new = _parts(old, new)
        except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError):
            return Message("is no archive that can be read")
        if not part:
            return Message("comes out packed otherwise")
        return joined(" ", [part, difference_in_file(part, old, new)])
    if name.endswith(_TEXTS):
        before, after = _excerpts(*(content.decode(errors="replace") for content in (old, new)))
        return Message("reads “{before}” and comes out as “{after}”", before=before, after=after)
    return Message("comes out with other bytes")


def _excerpts(old: str, new: str) -> tuple[str, str]:
    pairs = enumerate(zip(old, new, strict=False))
    at = next((at for at, (a, b) in pairs if a != b), min(len(old), len(new)))
    start, end = max(0, at - _AROUND), at + _AROUND
    return old[start:end], new[start:end]


def _parts(old: bytes, new: bytes) -> tuple[str, bytes, bytes]:
    """The first part of two archives that differs; nothing where all parts are the same."""
    with zipfile.ZipFile(io.BytesIO(old)) as left, zipfile.ZipFile(io.BytesIO(new)) as right:
        listed = [file.namelist() for file in (left, right)]
        if listed[0] != listed[1]:
            changed = sorted(set(listed[0]) ^ set(listed[1]))
            return (
                Message(
                    "{part} in it", part=changed[0] if changed else Message("its list of parts")
                ),
                b"",
                b"",
            )
        for entry in right.infolist():
            content = right.read(entry)
            with left.open(entry.filename) as file:
                # No more than that: a small archive can hold a part without end.
                start = file.read(len(content) + _AROUND)
            if start != content:
                return entry.filename, start, content
    return "", b"", b""
