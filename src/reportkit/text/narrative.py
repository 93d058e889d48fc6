"""The report's text: Markdown with facts as placeholders, rendered to prose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reportkit.language import Message
from reportkit.text.markdown import MarkdownReader
from reportkit.text.placeholders import MARK, fill_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportkit.forms import Edition
    from reportkit.text.markdown import Prose
    from reportkit.text.placeholders import Figures

UNWRITTEN = "【尚未填写"
"""Opens a passage that is still to be written; it ends at 】."""


@dataclass(frozen=True)
class Narrative:
    """Rendered text by section number ("一"), the preamble under "", and where facts appear."""

    sections: Mapping[str, Prose]
    places: Mapping[str, tuple[str, ...]]


def render(
    template: str, *, figures: Figures, edition: Edition, context: Mapping[str, Any], name: str
) -> Narrative:
    """Render a narrative.

    Parameters
    ----------
    template : str
        Markdown with placeholders. ``# 一、总体情况`` opens a section, ``##`` and ``###``
        are headings in it; what stands before the first section, or under ``# 序言``, is preamble.
    figures
        Gives the facts.
    edition : Edition
        Its sections are the ones the text may have.
    context : mapping
        Further names, of texts, numbers and mappings only: ``year``, ``district.name``, …
    name : str
        Shown in errors.

    Returns
    -------
    Narrative

    Raises
    ------
    InputError
        ``narrative``: an unknown fact, a wrong placeholder, an unknown section or markup that no
        document can show; with file and line.
    """
    text, printed = fill_in(template, figures, context, name)
    reader = MarkdownReader(text, printed, edition.sections, name)
    sections = reader.by_section()
    return Narrative(sections, {fact: tuple(places) for fact, places in reader.places.items()})


def render_cell(
    source: str, *, figures: Figures, context: Mapping[str, Any], name: str
) -> tuple[Prose, str]:
    """Render a text of a notebook, below the headings of its section.

    Parameters
    ----------
    source : str
        Markdown with placeholders; ``#`` is the first heading within a section.
    figures
        Gives the facts.
    context, name
        As for `render`.

    Returns
    -------
    list of dict, str
        The prose, and the Markdown with its figures filled in.

    Raises
    ------
    InputError
        ``narrative``, as `render`.
    """
    text, printed = fill_in(source, figures, context, name)
    body = MarkdownReader(text, printed, (), name).body()
    return body, MARK.sub(lambda match: str(printed[int(match[1])]["text"]), text)


def cell_name(source: str) -> str:
    """A piece of text in a notebook, named by how it begins: it has no number in Jupyter."""
    lines = (line.strip("#* ") for line in source.splitlines())
    first = next(filter(None, lines), "")
    return Message(
        "the text “{first}{value}” of the notebook",
        first=first[:20],
        value="…" if len(first) > 20 else "",
    )
