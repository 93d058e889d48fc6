"""Placeholders of a text, found without reading it as a template."""

from __future__ import annotations

import re

PLACEHOLDER = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.S)


def placeholders(text: str) -> list[tuple[int, str]]:
    """Names with a dot in the placeholders of a text, each with its line: facts and district.*."""
    return [
        (text.count("\n", 0, place.start() + name.start()) + 1, name[0])
        for place in PLACEHOLDER.finditer(text)
        if not place[0].startswith("{#")
        for name in re.finditer(r"\b[a-z]\w*(?:\.\w+)+", place[0])
    ]
