"""Rows of a form by their printed labels, which offices write loosely."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from rapidfuzz import fuzz

from reportkit.audit.readers.lines import squeeze

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reportkit.forms import Edition, Leaf, Table
    from reportkit.forms.model import Band

SURE = 0.9
"""A label that scores less is none: at 0.8 nine cells of forty hard documents were wrong."""
_NUMBERING = re.compile(r"[((]?(?:[一二三四五六七八九十]{1,3}|\d{1,2})(?:[))][.、]?|[、.．:])")
_PIECE = re.compile(
    r"(?=[((][一二三四五六七八九十][))]|(?<!\d)\d{1,2}[.、](?!\d)|[一二三四五六]、)"
)
_BRACKETS = re.compile(r"[((\[][^()()\[\]]*[))\]]?")
_NO_LETTER = re.compile(r"[^\w]|_")
_SHORT = 4  # labels of fewer letters are parts of others
_MORE = 8  # letters that offices add to a label


@dataclass(frozen=True)
class FormRow:
    """A value row of a table, with its columns.

    Parameters
    ----------
    table, key : str
    names : tuple of str
        Its label in plain letters, without and with its note.
    columns, heads : tuple of str
        Keys and plain labels of its columns.
    title : str
        Its label as printed, with the groups it stands in.
    band : str
        The plain title above it and the rows that share its columns.
    """

    table: str
    key: str
    names: tuple[str, ...]
    columns: tuple[str, ...]
    heads: tuple[str, ...]
    title: str
    band: str = ""

    def cell(self, column: str) -> str:
        """Fact id of one of its cells."""
        return f"{self.table}.{self.key}.{column}"

    @property
    def cells(self) -> tuple[str, ...]:
        """Fact ids of its cells, in order."""
        return tuple(self.cell(column) for column in self.columns)


def form_rows(table: Table) -> list[FormRow]:
    """All value rows of a table, in order."""
    return [_row(table, band, row) for band in table.model.bands for row in table.rows(band)]


def _row(table: Table, band: Band, row: Leaf) -> FormRow:
    node, columns = row.node, table.columns(band)
    names = {letters(text): None for text in (node.label, node.label + node.note, *node.was)}
    title = "/".join(part.number + part.label for part in row.path)
    heads = tuple(letters(column.node.label) for column in columns)
    keys = tuple(column.key for column in columns)
    return FormRow(table.id, row.key, tuple(names), keys, heads, title, letters(band.title or ""))


@lru_cache(maxsize=65536)
def letters(text: str) -> str:
    """A label without numbering, blanks and punctuation."""
    return _NO_LETTER.sub("", _without_number(squeeze(text)))


@lru_cache(maxsize=65536)
def plain_letters(text: str) -> str:
    """A label also without what stands in brackets."""
    return letters(_BRACKETS.sub("", _without_number(squeeze(text))))


def _without_number(text: str) -> str:
    match = _NUMBERING.match(text)
    return text[match.end() :] if match else text


def numbered(text: str) -> bool:
    """Return True where a label begins with a number of the form: （一）, 1., 一、."""
    return bool(_NUMBERING.match(text))


@lru_cache(maxsize=65536)
def score(label: str, row: FormRow) -> float:
    """The likeness of a label to a row's, from 0 to 1."""
    last = _PIECE.split(label)[-1] or label
    spellings = {letters(last), plain_letters(last), letters(label)} - {""}
    plain, best = plain_letters(label), 0.0
    for name in row.names:
        # Its values follow it: what comes then is the label of a further row.
        if re.search(re.escape(name) + r"\d", plain):
            continue
        if name in spellings:
            return 1.0
        if len(name) < _SHORT:
            continue
        whole = letters(label)
        if whole.endswith(name):
            best = max(best, 0.97)
        elif name in whole and len(whole) <= len(name) + _MORE:
            best = max(best, 0.91)  # another row's label may follow it
        for text in spellings:
            if _SHORT <= len(text) <= len(name) + _MORE:
                best = max(best, fuzz.ratio(text, name) / 100)
                if len(text) > len(name):
                    best = max(best, min(fuzz.partial_ratio(text, name) / 100, 0.91))
    return best


def heads_score(texts: Iterable[str], row: FormRow) -> float:
    """The share of a row's columns that some cells of a head name."""
    labels = [plain_letters(text) for text in texts if text]
    scores = [
        max((fuzz.ratio(label, head) / 100 for label in labels), default=0.0) for head in row.heads
    ]
    return sum(score for score in scores if score >= 0.75) / len(scores)


def form_words(edition: Edition) -> list[str]:
    """Labels of all rows, groups and sections, for cutting a text that runs on."""
    nodes = [
        node
        for table in edition.tables.values()
        for _, row, _ in table.places()
        for node in row.path
    ]
    words = [node.number + node.label + node.note for node in nodes]
    words += [f"{section.number}、{section.title}" for section in edition.sections]
    return list(dict.fromkeys(words))
