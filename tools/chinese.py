"""The reference pages in Chinese: those that `reference` makes, translated part by part.

What stands in ``chinese.yaml`` is a heading, a paragraph, an item or a cell of a table; ``{}`` in
it stands for any text, which is translated in its turn. Help texts of commands stand in the
catalogue of messages. What is Chinese in English pages, such as rules and definitions, stays so.
"""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from catalogue import helps

from reportkit.language.catalogue import translator

_CODE = re.compile(r"``.*?``|`[^`]*`|\]\([^)]*\)")


def catalogue() -> dict[str, str]:
    """Read what is translated, in English and in Chinese."""
    text = Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
    translations: dict[str, str] = yaml.safe_load(text)
    return translations


def _commands() -> dict[str, str]:
    """Return the paragraphs of help texts, as a page has them, and what the program prints."""
    paragraphs = (
        pair
        for text in helps()
        for pair in zip(text.split("\n\n"), translator("zh")(text).split("\n\n"), strict=True)
    )
    return {" ".join(english.splitlines()): chinese for english, chinese in paragraphs}


class Translator:
    """Puts pages into Chinese, and knows which entries it needed."""

    def __init__(self) -> None:
        self._known = catalogue()
        self.unused = set(self._known)
        self._known |= _commands()
        self._patterns = {
            known: re.compile(re.escape(known).replace(r"\{\}", "(.+)"))
            for known in self._known
            if "{}" in known
        }

    def page(self, english: str) -> str:
        """Return the Chinese page of an English one; text that nobody translated is refused."""
        blocks = english.rstrip("\n").split("\n\n")
        return "\n\n".join(map(self._block, blocks)) + "\n"

    def _block(self, block: str) -> str:
        if block.startswith("|"):
            cells = r"(?<=\| )(?:\\\||[^|])*?(?= \|)"
            return re.sub(cells, lambda found: self._part(found[0]), block)
        if block.startswith(("#", "- ")):
            return re.sub(r"(?<=[#-] ).+", lambda found: self._part(found[0]), block)
        return self._part(" ".join(block.splitlines()))

    def _part(self, english: str) -> str:
        chinese = self._say(english)
        plain = _CODE.sub("", chinese)
        mixed = re.search("[\u4e00-\u9fff]", plain)
        if re.search(r"\b[a-z]{2,} [a-z]{2,}" if mixed else r"\b[a-z]{2,}\b", plain):
            message = f"tools/chinese.yaml does not translate: {english}"
            raise SystemExit(message)
        return chinese.replace("`, `", "`、`")

    def _say(self, english: str) -> str:
        if english in self._known:
            self.unused.discard(english)
            return self._known[english]
        for known, pattern in self._patterns.items():
            if found := pattern.fullmatch(english):
                self.unused.discard(known)
                return self._known[known].format(*map(self._say, found.groups()))
        return english
