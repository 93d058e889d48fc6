"""Texts for people: English to every program, translated where a person reads them.

A `Message` is the English text, joined. So it goes into journals, JSON and other texts as any
string does; it keeps its template and values, from which a reader's language is made at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Number
from types import NoneType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Translate = Callable[[str], str]


class Message(str):
    """A text in English that can be translated.

    Parameters
    ----------
    template : str
        Literal, since catalogues are made from the source; with the name of each value in braces,
        as `str.format` reads it.
    **values : object
        The values for the names; messages among them are translated too.

    Examples
    --------
    >>> text = Message("{count} rows of {ledger}", count=3, ledger="applications")
    >>> text
    '3 rows of applications'
    >>> text.translated({"{count} rows of {ledger}": "{ledger}共{count}行"}.get)
    'applications共3行'
    """

    __slots__ = ("template", "values")

    template: str
    values: dict[str, Any]

    def __new__(cls, template: str, /, **values: Any) -> Message:
        """Join the English text, and keep its parts."""
        values = {name: _kept(value) for name, value in values.items()}
        message = super().__new__(cls, template.format_map(values))
        message.template, message.values = template, values
        return message

    def __str__(self) -> str:
        # Else `str(error)` of an error with a message would be without template and values.
        return self

    def __add__(self, other: str) -> Message:
        return joined("", (self, other))

    def __radd__(self, other: str) -> Message:
        return joined("", (other, self))

    def with_other(self, old: str, new: str) -> Message:
        """Return the message with a piece of its values replaced, such as the name of a folder."""
        values = {name: _with_other(value, old, new) for name, value in self.values.items()}
        return Message(self.template, **values)

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        return (self.template,), self.values

    def translated(self, translate: Translate) -> str:
        """Return the text in the language of *translate*, which is given the template."""
        values = {name: translated(value, translate) for name, value in self.values.items()}
        return translate(self.template).format_map(values)


@dataclass(frozen=True)
class _Parts:
    """Texts one after the other."""

    separator: str
    texts: tuple[str, ...]

    def __str__(self) -> str:
        return self.separator.join(self.texts)

    def translated(self, translate: Translate) -> str:
        # A catalogue gives its own heading for the empty text.
        between = self.separator and translate(self.separator)
        return between.join(translated(text, translate) for text in self.texts)


def _with_other(value: Any, old: str, new: str) -> Any:
    if isinstance(value, Message):
        return value.with_other(old, new)
    if isinstance(value, _Parts):
        return _Parts(value.separator, tuple(_with_other(text, old, new) for text in value.texts))
    return value.replace(old, new) if isinstance(value, str) else value


def joined(separator: str, texts: Iterable[str]) -> Message:
    """Join texts as `str.join` does; messages among them can still be translated."""
    return Message("{parts}", parts=_Parts(separator, tuple(texts)))


def translated(value: Any, translate: Translate) -> Any:
    """Return a value in the language of *translate*; other values than messages are unchanged."""
    return value.translated(translate) if isinstance(value, _TRANSLATED) else value


def first_lines(text: str, count: int, *, indent: str = "\n") -> str:
    """Return the first lines of a text, in whatever language it is read."""
    return Message("{lines}", lines=_Lines(text, count, indent))


@dataclass(frozen=True)
class _Lines:
    """The first lines of a text."""

    text: str
    count: int
    indent: str

    def __str__(self) -> str:
        return self.indent.join(self.text.strip().splitlines()[: self.count])

    def translated(self, translate: Translate) -> str:
        return str(_Lines(translated(self.text, translate), self.count, self.indent))


def packed(text: str) -> Any:
    """Return a text as data of JSON types, from which it can still be translated."""
    if isinstance(text, Message):
        values = {name: packed(value) for name, value in text.values.items()}
        return {"template": text.template, "values": values}
    if isinstance(text, _Parts):
        return {"separator": text.separator, "texts": [packed(part) for part in text.texts]}
    if isinstance(text, _Foreign):
        return {"said": text.text}
    return text if isinstance(text, (str, int, float, NoneType)) else str(text)


def unpacked(data: Any) -> Any:
    """Return the text, or value, that `packed` made data of.

    Raises
    ------
    KeyError, TypeError, ValueError
        It did not.
    """
    if not isinstance(data, dict):
        return data
    if "separator" in data:
        return _Parts(data["separator"], tuple(map(unpacked, data["texts"])))
    if "said" in data:
        return _Foreign(data["said"])
    text, values = data["template"], data["values"].items()
    return Message(text, **{name: unpacked(value) for name, value in values})


def _kept(value: Any) -> Any:
    """Return a value as a message keeps it, so that it can go to another process."""
    if isinstance(value, (str, Number, NoneType, *_TRANSLATED)):
        return value
    if isinstance(value, OSError) and value.strerror:
        where = f" ({value.filename})" if value.filename else ""
        return joined("", [of_library(value.strerror), where])
    return of_library(str(value)) if isinstance(value, Exception) else str(value)


def of_form(text: str) -> Message:
    """Return a text of a form's data; those of the package's forms are translated."""
    return Message(text.replace("{", "{{").replace("}", "}}"))


def of_library(text: str) -> Message:
    """Return a sentence of the system or a library: translated where a catalogue knows it."""
    return text if isinstance(text, Message) else Message("{sentence}", sentence=_Foreign(text))


@dataclass(frozen=True)
class _Foreign:
    """A sentence of the system or of a library."""

    text: str

    def __str__(self) -> str:
        return self.text

    def translated(self, translate: Translate) -> str:
        ours = self.text and translate(self.text)
        return ours if ours != self.text else translate(UNTRANSLATED).format(original=self.text)


def template(text: str) -> str:
    """Mark a literal as the template of messages that are made elsewhere."""
    return text


@dataclass(frozen=True)
class Translated:
    """A text of another process, which was translated there.

    Parameters
    ----------
    english, words : str
        For programs, and in the language of its reader.
    """

    english: str
    words: str

    def __str__(self) -> str:
        return self.english

    def translated(self, _: Translate) -> str:
        """Return the words of its reader."""
        return self.words


_TRANSLATED = (Message, _Parts, _Lines, _Foreign, Translated)
# A sentence of a library that no catalogue has, as it stands among sentences of a language.
UNTRANSLATED = template("{original}")
# What joins the parts of a message.
SEMICOLON, COMMA, COLON = template("; "), template(", "), template(": ")
AND, OR = template(" and "), template(" or ")
