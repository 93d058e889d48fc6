"""The archive that a workbook is: how far it may be trusted, and the XML of its parts.

Source: ECMA-376 part 2 (packages).
"""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from lxml import etree

from reportkit.errors import InputError
from reportkit.language import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

_MEMBERS = 10_000
_BYTES = 1 << 30
_RATIO = 250
_RATIO_FROM = 1 << 24
# No row, and no part but sheets, texts and styles, is as long: a tree takes 25 times its bytes.
_LONGEST = 1 << 24
# Nothing is fetched and nothing declared in a part is put in; texts of more than 10 MB are refused.
_XML = {
    "resolve_entities": False, "no_network": True, "remove_comments": True, "remove_pis": True,
    "huge_tree": False,
}  # fmt: skip
ZIP_ERRORS = (
    zipfile.BadZipFile, zlib.error, etree.XMLSyntaxError, EOFError, NotImplementedError,
    RuntimeError, ValueError, LookupError, OSError,
)  # fmt: skip
"""Errors that reading a damaged archive ends in."""
_WEB_PAGE = Message("a web page")
# First bytes and what they mean; those of web pages belong together.
_STARTS = {
    b"<html": _WEB_PAGE, b"<!doctype html": _WEB_PAGE, b"<table": _WEB_PAGE, b"<meta": _WEB_PAGE,
    b"<head": _WEB_PAGE, b"<?xml": Message("a web page or an XML table"),
    b"pk\x03\x04": Message("a workbook in a zip archive (.xlsx, .ods)"),
    b"\xd0\xcf\x11\xe0": Message("an old .xls workbook"),
}  # fmt: skip


def encrypted(name: str) -> InputError:
    """The refusal of a workbook that opens with a password only."""
    return other_format(name, "encrypted", Message("take the password off"))


def starts_as(content: bytes) -> str:
    """Name a file's kind by its first bytes, for a message; "" where they are not known."""
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return next((kind for first, kind in _STARTS.items() if start.startswith(first)), "")


def other_format(name: str, found: str, do: str = Message("open it in Excel or WPS")) -> InputError:
    """The refusal of a file that is not what its name says."""
    kind = "." + name.rpartition(".")[2]
    return InputError(
        "ledger-format",
        "{file} is {found}; {do} and save it as {kind}",
        found=found,
        do=do,
        kind=kind if kind != ".xls" else ".xlsx",
        file=name,
    )


def unsafe(name: str, problem: str, do: str) -> InputError:
    """The refusal of a workbook that no program for ledgers should read."""
    return InputError("ledger-unsafe", "{file} {problem}; {do}", problem=problem, do=do, file=name)


class _Bounded:
    """A file of which only so many bytes are read until somebody says that it went well."""

    def __init__(self, file: Any) -> None:
        self.file, self.left = file, _LONGEST

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        piece: bytes = self.file.read(size)
        self.left -= len(piece)
        if self.left < 0:
            raise ValueError(Message("no row of a sheet is as long as one in it"))
        return piece


@dataclass(frozen=True)
class Package:
    """An archive within limits, and the names of its members by their spelling in small letters."""

    name: str
    archive: zipfile.ZipFile
    members: dict[str, str]

    def names(self, part: str) -> list[str]:
        """Members whose names hold this."""
        return [member for member in self.members if part in member]

    def part(self, path: str) -> Any:
        """The tree of a small part."""
        with self.archive.open(self._member(path)) as file:
            tree = etree.parse(_Bounded(file), etree.XMLParser(**_XML)).getroot()
        self._refuse_declared(tree)
        return tree

    def elements(self, path: str, *tags: str) -> Iterator[Any]:
        """Elements of a large part by their tags, each when it has ended; then it is forgotten.

        An element within another of these stays until that one has ended.
        """
        looked = False
        with self.archive.open(self._member(path)) as opened:
            file = _Bounded(opened)
            for _, element in etree.iterparse(file, tag=[f"{{*}}{tag}" for tag in tags], **_XML):
                if not looked:
                    self._refuse_declared(element)
                    looked = True
                yield element
                file.left = _LONGEST
                element.clear(keep_tail=True)
                while element.getprevious() is not None:
                    del element.getparent()[0]

    def relations(self, path: str) -> dict[str, tuple[str, str]]:
        """Kind and path of each part that a part names, by the name that it gives it."""
        folder, name = posixpath.split(path)
        listed = f"{folder}/_rels/{name}.rels".lstrip("/")
        if listed.lower() not in self.members:
            return {}
        return {
            relation.get("Id", ""): (
                relation.get("Type", "").rpartition("/")[2],
                posixpath.normpath(
                    posixpath.join("/", folder, relation.get("Target", "").replace("\\", "/"))
                )[1:],
            )
            for relation in self.part(listed)
            if relation.get("TargetMode") != "External"
        }

    def _member(self, path: str) -> str:
        if path.lower() not in self.members:
            raise LookupError(Message("its part {path} is not there", path=path))
        return self.members[path.lower()]

    def _refuse_declared(self, element: Any) -> None:
        about = element.getroottree().docinfo
        if about.doctype or about.internalDTD is not None:
            problem = Message("declares entities")
            raise unsafe(
                self.name, problem, Message("copy its cells into a new workbook and save that")
            )
        if (about.encoding or "UTF-8").upper() not in ("UTF-8", "ASCII", "US-ASCII"):
            message = Message(
                "a part of it is written in {encoding}, not in UTF-8", encoding=about.encoding
            )
            raise ValueError(message)


def open_package(file: BinaryIO, name: str) -> Package:
    """Look at an archive before anything in it is read.

    Raises
    ------
    InputError
        ``ledger-format`` (no archive, encrypted) or ``ledger-unsafe`` (links to other workbooks,
        two parts of one name, or larger than any ledger).
    """
    content = file.read(512)
    if not content.startswith(b"PK"):
        kind = starts_as(content)
        old = kind.startswith(Message("an old"))
        if old and "EncryptedPackage".encode("utf-16-le") in content + file.read():
            raise encrypted(name)
        unknown = Message("no workbook (a text file is named .csv)")
        found = Message("{kind} under another name", kind=kind) if kind else unknown
        raise other_format(name, found)
    archive = zipfile.ZipFile(file)
    save = Message("copy its cells into a new workbook and save that")
    listed = archive.infolist()
    members = {member.filename.replace("\\", "/").lower(): member.filename for member in listed}
    if len(listed) > _MEMBERS or len(members) < len(listed):
        problem = Message(
            "has {listed} parts, or one part twice: it is no plain workbook", listed=len(listed)
        )
        raise unsafe(name, problem, save)
    if link := next((path for path in members if path.startswith("xl/externallinks/")), None):
        problem = Message("takes values from other workbooks ({link})", link=link)
        raise unsafe(
            name, problem, Message("break the links (数据 › 编辑链接 › 断开链接) and save it")
        )
    needed = [member for member in listed if member.filename.lower().endswith((".xml", ".rels"))]
    total = sum(member.file_size for member in needed)
    if total > _BYTES:
        problem = Message(
            "unpacks to {total} MiB, more than {bytes} MiB", total=total >> 20, bytes=_BYTES >> 20
        )
        raise unsafe(name, problem, Message("split it by year"))
    for member in needed:
        if member.file_size > max(_RATIO_FROM, _RATIO * member.compress_size):
            times = member.file_size // max(member.compress_size, 1)
            problem = Message(
                "holds {filename}, which unpacks to {times} times its size",
                filename=member.filename,
                times=times,
            )
            raise unsafe(name, problem, save)
    return Package(name, archive, members)
