"""The leak gate: no byte that is about to be published holds personal data of the ledgers."""

from __future__ import annotations

import io
import re
import zipfile
from html import unescape
from typing import TYPE_CHECKING

import ahocorasick
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pypdfium2

from reportkit.errors import ExecutionError
from reportkit.persons import find, is_named, name_of_two

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    import numpy.typing as npt

# Shorter values (a surname, a house number) stand in ordinary text too often to mean anything, but
# names of two characters where the text around them says that a person is meant.
_SHORTEST = 3
_CHINESE = 0x3400
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
    of_two = {name for name in map(name_of_two, personal) if name and name not in permitted}
    pairs = np.array([ord(name[0]) << 16 | ord(name[1]) for name in of_two], np.uint32)
    told = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            # No pattern goes over the end of a line, so that parts are searched as one text.
            kinds = set(_found("\n".join(_texts(path)), names, pairs, permitted))
            if kinds:
                told.append(f"{path.relative_to(folder)}: {'、'.join(sorted(kinds))}")
    if told:
        message = (
            "personal data would be published, so nothing was: "
            + "; ".join(told)
            + "; take it out of the narrative, or of what the notebook shows"
        )
        raise ExecutionError("personal-data", message)


def _found(
    text: str, names: ahocorasick.Automaton, pairs: npt.NDArray[np.uint32], permitted: str
) -> Iterator[str]:
    for one in find(text, certain=True):
        if text[one.start : one.end] not in permitted:
            yield one.kind
    if (len(names) and next(names.iter(text), None)) or _has_name(text, pairs):
        yield "个人信息栏内容"


def _has_name(text: str, pairs: npt.NDArray[np.uint32]) -> bool:
    """Whether one of these pairs of characters is a name there; megabytes take milliseconds."""
    if not len(pairs) or text.isascii():
        return False
    raw = text.encode("utf-16-le", "surrogatepass")
    characters = np.frombuffer(raw, np.uint16)
    firsts = np.flatnonzero(characters[:-1] >= _CHINESE)
    firsts = firsts[np.isin(characters[firsts], pairs >> 16)]
    found = characters[firsts].astype(np.uint32) << 16 | characters[firsts + 1]
    return any(
        is_named(*(raw[start:end].decode("utf-16-le", "replace") for start, end in around))
        for at in (2 * firsts[np.isin(found, pairs)]).tolist()
        for around in [((max(0, at - 24), at), (at + 4, at + 20))]
    )


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
