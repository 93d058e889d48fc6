"""Markdown read as prose: headings, paragraphs and lists, whose figures know their facts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import mistune

from reportkit.errors import InputError
from reportkit.language import Message
from reportkit.text.placeholders import MARK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reportkit.forms.model import Section
    from reportkit.text.placeholders import Run

Prose = list[dict[str, Any]]

# Levels of headings within a section.
_DEEPEST = 3
# Markdown that Jupyter and others show too; read, so that it is not printed as signs.
_MARKDOWN = mistune.create_markdown(
    renderer=None, plugins=["table", "strikethrough", "math", "task_lists"]
)
# Markup that no report shows, as a pattern of its line.
_MARKUP = {
    "image": r"!\[",
    "table": r"^.*\|.*$",
    "footnote": r"\[\^",
    "strikethrough": "~~",
    "inline_math": r"\$",
    "block_math": r"^\$\$",
    "task_list_item": r"^\s*(?:[-*+]|\d+[.)])\s+\[",
    "block_code": r"^(?: {4}|\t| {0,3}(?:```|~~~))",
    "block_quote": r"^ {0,3}>",
    "thematic_break": r"^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$",
    "list_item": r"^\s+(?:[-*+]|\d+[.)])\s",
}
# What to do instead.
_INSTEAD = {
    "image": Message("show it by report.show in a cell of the notebook"),
    "table": Message("make it a DataFrame, and show it by report.show in a cell of the notebook"),
    "footnote": Message("put the note into the text, in brackets"),
    "strikethrough": Message("take out what is not to be read"),
    "inline_math": Message("write it in words; \\$ is the sign alone"),
    "block_math": Message("write it in words"),
}


class MarkdownReader:
    """Reads Markdown in which marks stand for figures."""

    def __init__(
        self, text: str, printed: list[Run], sections: Sequence[Section], name: str
    ) -> None:
        self.source = text
        self.printed, self.sections, self.name = printed, sections, name
        self.places: dict[str, list[str]] = {}
        self.section = ""

    def _tokens(self) -> Any:
        """Return the tokens of Markdown, without blank lines."""
        # Without its sign a footnote is taken for an address of a link, and lost.
        if "[^" in self.source:
            raise self._unshown("footnote")
        tokens: Any = _MARKDOWN(self.source)
        return [token for token in tokens if token["type"] != "blank_line"]

    def by_section(self) -> dict[str, Prose]:
        """Return the prose of each section by its number, the preamble under ""."""
        sections: dict[str, Prose] = {"": []}
        numbers = [section.number for section in self.sections]
        for token in self._tokens():
            kind = token["type"]
            if kind == "heading" and token["attrs"]["level"] == 1:
                title = "".join(run["text"] for run in self._runs(token["children"]))
                number = title.partition("、")[0]
                if title in ("序言", "前言"):
                    number = ""
                elif number not in numbers or number in sections:
                    wanted = "；".join(f"{s.number}、{s.title}" for s in self.sections)
                    message = Message(
                        "the heading '{title}' opens no section of its own; sections are {wanted}",
                        title=title,
                        wanted=wanted,
                    )
                    raise self._wrong(message, re.escape(title))
                self.section = number
                sections.setdefault(number, [])
            else:
                sections[self.section] += self._blocks(token)
        return sections

    def body(self) -> Prose:
        """Return all prose, with headings one level below those of its section."""
        body = [node for token in self._tokens() for node in self._blocks(token)]
        for node in body:
            if node["type"] == "heading":
                node["level"] = min(_DEEPEST, node["level"] + 1)
        return body

    def _blocks(self, token: Any) -> Iterator[dict[str, Any]]:
        """Yield the block of a token; of a paragraph one for each line that ends with a break."""
        if token["type"] != "paragraph":
            yield self._block(token)
            return
        lines: list[list[Any]] = [[]]
        for child in token["children"]:
            if child["type"] == "linebreak":
                lines.append([])
            else:
                lines[-1].append(child)
        for line in lines:
            yield {"type": "paragraph", "runs": self._runs(line)}

    def _block(self, token: Any) -> dict[str, Any]:
        """Return a heading, a list or a paragraph; refuse what no document has."""
        kind = token["type"]
        if kind == "heading":
            level = token["attrs"]["level"] - 1
            return {"type": "heading", "level": level, "runs": self._runs(token["children"])}
        if kind == "list":
            for item in token["children"]:
                if item["type"] != "list_item":
                    raise self._unshown(item["type"])
            items = [
                [run for part in item["children"] for run in self._runs(part.get("children", []))]
                for item in token["children"]
            ]
            return {"type": "list", "ordered": bool(token["attrs"]["ordered"]), "items": items}
        if kind == "block_html":
            return {"type": "paragraph", "runs": self._text(token["raw"].strip())}
        raise self._unshown(kind)

    def _unshown(self, kind: str) -> InputError:
        """An error for markup that no document has."""
        instead = _INSTEAD.get(kind, Message("write a paragraph"))
        message = Message(
            "'{kind}' is markup that a report cannot show; {instead}",
            kind=Message(kind),
            instead=instead,
        )
        return self._wrong(message, _MARKUP.get(kind))

    def _wrong(self, message: str, pattern: str | None) -> InputError:
        """An error at the last line that has the pattern: a token does not know its line."""
        lines = enumerate(self.source.splitlines(), 1)
        line = max((n for n, text in lines if pattern and re.search(pattern, text)), default=None)
        place = f"{self.name}:{line}" if line else self.name
        return InputError(
            "narrative",
            "{place}: {message}",
            place=place,
            message=message,
            file=self.name,
            line=line,
        )

    def _runs(self, tokens: Any) -> list[Run]:
        """Return the runs of text within a line."""
        runs: list[Run] = []
        ended = False
        for token in tokens:
            kind = token["type"]
            if kind in ("softbreak", "linebreak"):
                ended = True
                continue
            if kind in ("text", "inline_html", "codespan"):
                more = self._text(token["raw"])
            elif kind in ("strong", "emphasis"):
                more = [run | {"strong": True} for run in self._runs(token["children"])]
            elif kind == "link":
                more = self._runs(token["children"])
                url, text = token["attrs"]["url"], "".join(run["text"] for run in more)
                if "://" in url and url != text:  # on paper nothing can be followed
                    more += self._text(f"（{url}）")
            else:
                raise self._unshown(kind)
            # Chinese text has no space where a line ends; other words have.
            if ended and runs and more and (runs[-1]["text"][-1:] + more[0]["text"][:1]).isascii():
                runs.append({"text": " "})
            ended = False
            runs += more
        return runs

    def _text(self, raw: str) -> list[Run]:
        """Return the runs of a text with marks; a fact is noted with its section."""
        runs: list[Run] = []
        for number, part in enumerate(MARK.split(raw)):
            if number % 2:
                run = self.printed[int(part)]
                place = f"section:{self.section}" if self.section else "preamble"
                if "fact" in run:
                    known = self.places.setdefault(run["fact"], [])
                    if place not in known:
                        known.append(place)
                runs.append(dict(run))
            elif part:
                runs.append({"text": part})
        return runs
