"""The leak gate: no byte that is about to be published holds personal data of the ledgers."""

from __future__ import annotations

import io
import re
import zipfile
from html import unescape
from typing import TYPE_CHECKING

import ahocorasick
import pyarrow as pa
import pyarrow.parquet as pq
import pypdfium2

from reportkit.errors import ExecutionError
from reportkit.privacy import find

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

# Shorter values (a surname, a house number) stand in ordinary text too often to mean anything.
_SHORTEST = 3
_ENDED = re.compile(r"</(?:\w+:)?(?:p|si|c|comments|title|creator)>")
_TAG = re.compile("<[^>]*>")


def check_leaks(folder: Path, *, personal: Collection[str], allowed: Collection[str]) -> None:
    """Scan every file of a staged run, and refuse it if one holds personal data.

    Parameters
    ----------
    folder : Path
        The run before it is published.
    personal : collection of str
        Values of personal columns, as they stand in the ledgers.
    allowed : collection of str
        What may stand in a report all the same, such as the office's own telephone number.

    Raises
    ------
    ExecutionError
        ``personal-data``: names the files and what kind of data, never the data.
    """
    names = ahocorasick.Automaton()
    permitted = "\n".join(allowed)
    for value in personal:
        if len(value) >= _SHORTEST and value not in permitted:
            names.add_word(value, value)
    if len(names):
        names.make_automaton()
    told = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            # No pattern goes over the end of a line, so that parts are searched as one text.
            kinds = set(_found("\n".join(_texts(path)), names, permitted))
            if kinds:
                told.append(f"{path.relative_to(folder)}: {'、'.join(sorted(kinds))}")
    if told:
        message = (
            "personal data would be published, so nothing was: "
            + "; ".join(told)
            + "; take it out of the narrative, or of what the notebook shows"
        )
        raise ExecutionError("personal-data", message)


def _found(text: str, names: ahocorasick.Automaton, permitted: str) -> Iterator[str]:
    for one in find(text):
        if text[one.start : one.end] not in permitted:
            yield one.kind
    if len(names) and next(names.iter(text), None):
        yield "个人信息栏内容"


def _is_text(kind: pa.DataType) -> bool:
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(inner) or pa.types.is_large_string(inner))


def _of_xml(content: str) -> Iterator[str]:
    yield unescape(content)  # with what stands in attributes
    # A paragraph's text may be cut into runs, a cell's into parts.
    yield unescape(_TAG.sub("", _ENDED.sub("\n", content)))


def _texts(path: Path) -> Iterator[str]:
    """All text that a reader of the file can get out of it."""
    content = path.read_bytes()
    if path.suffix == ".parquet":
        file = pq.ParquetFile(io.BytesIO(content))
        held = [field.name for field in file.schema_arrow if _is_text(field.type)]
        for column in file.read(held).columns if held else ():
            yield "\n".join(value or "" for value in column.unique().to_pylist())
    elif path.suffix == ".pdf":
        document = pypdfium2.PdfDocument(content)
        for page in document:
            yield page.get_textpage().get_text_bounded()
        document.close()
    elif path.suffix in (".docx", ".xlsx"):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith(".xml"):
                    yield from _of_xml(archive.read(name).decode())
    else:
        yield content.decode("utf-8", errors="replace")
