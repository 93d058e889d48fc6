"""The leak gate: no byte that is about to be published holds personal data of the ledgers."""

from __future__ import annotations

import io
import json
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
from reportkit.language import Message, joined
from reportkit.language.message import COLON, COMMA
from reportkit.persons import find, hide, is_named, name_of_two, plain_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    import numpy.typing as npt

# Shorter values (a surname, a house number) stand in ordinary text too often to mean anything, but
# names of two characters where the text around them says that a person is meant.
_SHORTEST, _SHORTEST_NUMBER = 3, 7
_OF_COLUMNS = "个人信息栏内容"
# It begins with the blank, which is found ten times as fast as what stands before it.
_BETWEEN = re.compile(r" (?<=[\u3400-\u9fff] ) *(?=[\u3400-\u9fff])")
_CHINESE = 0x3400
_ENDED = re.compile(r"</(?:\w+:)?(?:p|si|c|comments|title|creator)>")
_TAG = re.compile("<[^>]*>")


class Gate:
    """Texts that must not be published of some ledgers, nor kept of a run that failed.

    Parameters
    ----------
    personal : collection of str
        Values of personal columns, as they stand in the ledgers.
    allowed : collection of str
        What may stand in a report all the same, such as the office's own telephone number.
    """

    def __init__(self, personal: Collection[str], allowed: Collection[str]) -> None:
        self._permitted = "\n".join(allowed)
        self._names = ahocorasick.Automaton()
        known = {spelling for value in personal for spelling in _spellings(value)}
        for value in known:
            if len(value) >= _SHORTEST and value not in self._permitted:
                self._names.add_word(value, value)
        if len(self._names):
            self._names.make_automaton()
        of_two = {name for name in map(name_of_two, known) if name}
        self._of_two = {name for name in of_two if name not in self._permitted}
        self._pairs = np.array(
            [ord(name[0]) << 16 | ord(name[1]) for name in self._of_two], np.uint32
        )

    def kinds(self, text: str) -> set[str]:
        """Return the kinds of personal data in a text."""
        kinds = {
            person.kind
            for person in find(text, certain=True)
            if text[person.start : person.end] not in self._permitted
        }
        if next(self._iterate(_unparted(text)), None) or _has_name(text, self._pairs):
            kinds.add(_OF_COLUMNS)
        return kinds

    def hide(self, text: str) -> str:
        """A text with the personal data in it replaced by its kind; nothing if some is left."""
        hidden = self._hidden(text)
        if self.kinds(hidden):
            hidden = self._hidden(_unparted(hidden))
        return "" if self.kinds(hidden) else hidden

    def _hidden(self, text: str) -> str:
        hidden = hide(text)
        spans = [(end + 1 - len(name), end + 1) for end, name in self._iterate(hidden)]
        for name in self._of_two:
            spans += [
                match.span()
                for match in re.finditer(name, hidden)
                if is_named(
                    hidden[max(0, match.start() - 12) : match.start()],
                    hidden[match.end() : match.end() + 8],
                )
            ]
        parts, done = [], 0
        # Of names that overlap the one that begins first is hidden, and the longest of these.
        for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
            if start >= done:
                parts += [hidden[done:start], f"〔{_OF_COLUMNS}〕"]
                done = end
        return "".join(parts) + hidden[done:]

    def _iterate(self, text: str) -> Iterator[tuple[int, str]]:
        return self._names.iter(text) if len(self._names) else iter(())

    def check(self, folder: Path) -> None:
        """Scan every file of a staged run, and refuse it if one holds personal data.

        Raises
        ------
        ExecutionError
            ``personal-data``: names the files and what kind of data, never the data.
        """
        leaks = []
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                # No pattern goes over the end of a line, so that parts are searched as one text.
                kinds = self.kinds("\n".join(_texts(path)))
                if kinds:
                    cells = self._cells(path) if path.suffix == ".ipynb" else ""
                    name = joined("", [str(path.relative_to(folder)), cells])
                    leaks.append(joined(COLON, [name, "、".join(sorted(kinds))]))
        if leaks:
            raise ExecutionError(
                "personal-data",
                "personal data would be published, so nothing was: {leaks}; take it out of the "
                "narrative, or of what the notebook shows",
                leaks=joined("; ", leaks),
            )

    def _cells(self, path: Path) -> str:
        """In which cells of a notebook it stands, as Jupyter counts them."""
        try:
            cells = json.loads(path.read_bytes())["cells"]
        except (ValueError, KeyError):
            return ""
        places = [
            f"[{count}]"
            if (count := cell.get("execution_count"))
            else Message("no. {number} from above", number=number)
            for number, cell in enumerate(cells, 1)
            if self.kinds(json.dumps(cell, ensure_ascii=False))
        ]
        return Message(", cell {places}", places=joined(COMMA, places[:5])) if places else ""


def _spellings(value: str) -> Iterator[str]:
    """A value of a personal column as other texts may write it."""
    yield value
    yield _unparted(value)
    digits = "".join(filter(str.isdigit, plain_text(value)))
    if len(digits) >= _SHORTEST_NUMBER and not any(char >= "\u3400" for char in value):
        yield digits


def _unparted(text: str) -> str:
    """The plain form of a text, without blanks between Chinese characters."""
    return _BETWEEN.sub("", plain_text(text))


def _has_name(text: str, pairs: npt.NDArray[np.uint32]) -> bool:
    """Return True where one of these pairs of characters is a name in the text."""
    if not len(pairs) or text.isascii():
        return False
    # Pairs are compared as numbers, all at once: each character is two bytes of UTF-16.
    raw = text.encode("utf-16-le", "surrogatepass")
    characters = np.frombuffer(raw, np.uint16)
    firsts = np.flatnonzero(characters[:-1] >= _CHINESE)
    firsts = firsts[np.isin(characters[firsts], pairs >> 16)]
    codes = characters[firsts].astype(np.uint32) << 16 | characters[firsts + 1]
    return any(
        is_named(*(raw[start:end].decode("utf-16-le", "replace") for start, end in around))
        for at in (2 * firsts[np.isin(codes, pairs)]).tolist()
        # In bytes: twelve characters before the pair, and eight after it.
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
        columns = [field.name for field in file.schema_arrow if _is_text(field.type)]
        for column in file.read(columns).columns if columns else ():
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
