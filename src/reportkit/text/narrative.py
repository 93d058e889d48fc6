"""The report's text: Markdown with facts as placeholders, rendered to prose that knows its facts.

A placeholder such as ``{{ t3.new.total }}`` prints a fact and binds the printed figure to it, so
that documents can say for each figure which fact it is. A name that is no fact stops with its line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import mistune
from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.parser import Parser

from reportkit.errors import InputError, ReportkitError
from reportkit.facts import TO_DO
from reportkit.language import Message, joined
from reportkit.language.message import COMMA, of_library
from reportkit.text.renderings import FILTERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Protocol

    from reportkit.facts import Fact
    from reportkit.forms import Edition
    from reportkit.forms.model import Section

    class Figures(Protocol):
        """Lookup of facts by their id."""

        def get(self, name: str, /) -> Fact:
            """One fact; InputError ``fact-unknown`` if there is none of this id."""


Run = dict[str, Any]
Prose = list[dict[str, Any]]

# Private-use characters that cannot come from a keyboard mark a figure on its way through
# Markdown; a narrative that holds them is refused. Markdown takes them for punctuation, beside
# which no ** begins or ends within a text, and so a letter stands around them.
_OPEN, _CLOSE = "数\ue000", "\ue001数"
UNWRITTEN = "【尚未填写"
"""With this a text says what is still to be written in its place, up to 】."""
_MARK = re.compile(f"{_OPEN}(\\d+){_CLOSE}")
_MARKS = re.compile("[\ue000\ue001]")
# A long report has fifty thousand characters.
_LONGEST, _LONGEST_NAME = 400_000, 200
# Levels of headings within a section.
_DEEPEST = 3
# What people write in templates elsewhere, in words.
_KINDS: dict[type, str] = {
    nodes.Call: "a call", nodes.Filter: Message("a second filter"), nodes.Getitem: "[…]",
    nodes.Const: Message("a plain value"), nodes.If: "{% if %}", nodes.For: "{% for %}",
}  # fmt: skip
# Markdown that Jupyter and others show too; read, so that it is not printed as signs.
_MARKDOWN = mistune.create_markdown(
    renderer=None, plugins=["table", "strikethrough", "math", "task_lists"]
)
# Markup that no report shows, as it stands in a line.
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

_INSTEAD = {
    "image": Message("show it by report.show in a cell of the notebook"),
    "table": Message("make it a DataFrame, and show it by report.show in a cell of the notebook"),
    "footnote": Message("put the note into the text, in brackets"),
    "strikethrough": Message("take out what is not to be read"),
    "inline_math": Message("write it in words; \\$ is the sign alone"),
    "block_math": Message("write it in words"),
}


@dataclass(frozen=True)
class Narrative:
    """Rendered text by section number ("一"), the preamble under "", and where facts appear."""

    sections: Mapping[str, Prose]
    places: Mapping[str, tuple[str, ...]]


class _Filler:
    """Fills in one template; remembers what was printed with something known about it.

    It walks the tree that Jinja's parser makes, and knows four things: text, names, filters and
    ``{% filter allowed(…) %}``. Nothing of a template is ever run, so it can call nothing.
    """

    def __init__(self, figures: Figures, context: Mapping[str, Any]) -> None:
        self.figures, self.context = figures, context
        self.printed: list[Run] = []
        self.size = 0
        self.line = 1

    def body(self, body: Iterable[nodes.Node]) -> str:
        """The text of some nodes, with a mark in the place of each figure."""
        parts = []
        for node in body:
            self.line = node.lineno
            if isinstance(node, nodes.Output):
                parts += [self.output(part) for part in node.nodes]
            elif isinstance(node, nodes.FilterBlock) and node.filter.name == "allowed":
                options = self.options(node.filter)
                parts.append(self.allow(self.body(node.body), options))
            else:
                raise _refused(node)
        return "".join(parts)

    def output(self, node: nodes.Expr) -> str:
        self.line = node.lineno
        if isinstance(node, nodes.TemplateData):
            return self.counted(node.data)
        if isinstance(node, nodes.Filter):
            return self.filtered(node)
        name = _name(node)
        value = self.context_value(name)
        return self.fact(name, lambda fact: fact.text) if value is None else self.counted(value)

    def filtered(self, node: nodes.Filter) -> str:
        options = self.options(node)
        if node.name == "allowed" and isinstance(node.node, nodes.Const):
            return self.allow(self.counted(str(node.node.value)), options)
        name = _name(node.node)
        if node.name == "allowed":
            raise _allowed_wrongly()
        if node.name not in FILTERS:
            raise InputError(
                "rendering",
                "there is no filter '{name}'; filters are {filters} and allowed",
                name=node.name,
                filters=joined(COMMA, FILTERS),
            )
        if (value := self.context_value(name)) is not None:
            raise InputError(
                "rendering",
                "'{name}' prints facts; {value:.40} is none",
                name=node.name,
                value=value,
            )
        return self.fact(name, FILTERS[node.name], *options)

    def context_value(self, name: str) -> str | None:
        """Return the value of a name that is no fact; plain data and nothing else."""
        value: Any = self.context
        for part in name.split("."):
            if not isinstance(value, dict) or part not in value:
                return None
            value = value[part]
        if not isinstance(value, str | int) or _MARKS.search(str(value)):
            message = (
                Message("{name} is not filled in", name=name)
                if value is None
                else Message("{name} is no text", name=name)
            )
            raise InputError("rendering", "{message}; it cannot be printed", message=message)
        return str(value)

    def options(self, node: nodes.Filter) -> list[Any]:
        """Return the arguments of a filter: plain texts and numbers."""
        if node.kwargs or node.dyn_args or node.dyn_kwargs:
            raise InputError(
                "rendering", "'{name}' takes plain values in its brackets", name=node.name
            )
        for argument in node.args:
            if not isinstance(argument, nodes.Const):
                raise _refused(argument)
        return [argument.value for argument in node.args if isinstance(argument, nodes.Const)]

    def fact(self, name: str, form: Callable[..., str], *options: Any) -> str:
        fact = self.figures.get(name)
        try:
            text = TO_DO if fact.value == TO_DO else form(fact, *options)
        except TypeError:
            raise InputError(
                "rendering",
                "{name} cannot be printed in this form with {options!r:.40}",
                name=name,
                options=options,
            ) from None
        return self.print({"text": self.counted(text), "fact": name})

    def allow(self, text: str, options: list[Any]) -> str:
        """Numbers that the template itself states to be no facts, and why."""
        reason = options[0] if len(options) == 1 else ""
        if not isinstance(reason, str) or not reason.strip() or _MARKS.search(text + reason):
            raise _allowed_wrongly()
        return self.print({"text": text, "allowed": reason})

    def print(self, run: Run) -> str:
        self.printed.append(run)
        return f"{_OPEN}{len(self.printed) - 1}{_CLOSE}"

    def counted(self, text: str) -> str:
        """The text, if all that the template makes is still of a size that a report can have."""
        self.size += len(text)
        if self.size > _LONGEST:
            raise InputError(
                "rendering",
                "the text is longer than {longest} characters, which no report is",
                longest=_LONGEST,
            )
        return text


def _name(node: nodes.Node | None) -> str:
    """``t3.new.total``, from the tree of it."""
    parts = []
    while isinstance(node, nodes.Getattr):
        parts.append(node.attr)
        node = node.node
    if not isinstance(node, nodes.Name):
        raise _refused(node)
    name = ".".join([node.name, *reversed(parts)])
    if len(name) > _LONGEST_NAME:
        raise InputError(
            "rendering", "a name of {name} characters; no fact has one so long", name=len(name)
        )
    return name


def _refused(node: nodes.Node | None) -> InputError:
    return InputError(
        "rendering",
        "a placeholder is the name of a fact with one filter at most, such as "
        "{{{{ t3.new.total }}}} or {{{{ pub.total | wan(1) }}}}; other things of Jinja are not "
        "read here: {kind}",
        kind=_KINDS.get(type(node), type(node).__name__.lower()),
    )


def _allowed_wrongly() -> InputError:
    return InputError("allowed", "'allowed' takes plain text and a reason; a fact needs neither")


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
    text, printed = _filled(template, figures, context, name)
    return _Reader(text, printed, edition.sections, name).narrative()


def render_cell(
    source: str, *, figures: Figures, context: Mapping[str, Any], name: str
) -> tuple[Prose, str]:
    """Render a piece of text that stands in a notebook, below the headings of its section.

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
    text, printed = _filled(source, figures, context, name)
    reader = _Reader(text, printed, (), name)
    body = []
    for token in reader.tokens():
        for node in reader.blocks(token):
            if node["type"] == "heading":
                node["level"] = min(_DEEPEST, node["level"] + 1)
            body.append(node)
    return body, _MARK.sub(lambda match: str(printed[int(match[1])]["text"]), text)


def cell_name(source: str) -> str:
    """A piece of text in a notebook, named by how it begins: it has no number in Jupyter."""
    first = next((line.strip("#* ") for line in source.splitlines() if line.strip("#* ")), "")
    return Message(
        "the text “{first}{value}” of the notebook",
        first=first[:20],
        value="…" if len(first) > 20 else "",
    )


def _filled(
    template: str, figures: Figures, context: Mapping[str, Any], name: str
) -> tuple[str, list[Run]]:
    """Markdown with a mark in the place of each figure, and the figures."""
    if match := _MARKS.search(template):
        line = template.count("\n", 0, match.start()) + 1
        raise InputError(
            "narrative", "{file}:{line}: private-use characters; remove them", file=name, line=line
        )
    filler = _Filler(figures, context)
    environment = Environment(autoescape=True, keep_trailing_newline=True)  # it only parses
    try:
        parser = Parser(environment, template)
        try:
            tree = parser.parse()
        except (RecursionError, ValueError):  # ValueError: a number of thousands of digits
            filler.line = parser.stream.current.lineno
            raise InputError(
                "rendering", "a placeholder that is too deep or too long to be read"
            ) from None
        return filler.body(tree.body), filler.printed
    except TemplateSyntaxError as error:
        said = of_library(str(error.message))
        line = error.lineno
        reason = Message("a '{{{{' or '{{%' is not closed as it should be: {said}", said=said)
    except ReportkitError as error:
        line, reason = filler.line, error.message
    raise InputError(
        "narrative", "{file}:{line}: {reason:.600}", reason=reason, file=name, line=line
    )


class _Reader:
    """Markdown tokens into prose nodes by section."""

    def __init__(
        self, text: str, printed: list[Run], sections: Sequence[Section], name: str
    ) -> None:
        self.source, self.lines = text, text.splitlines()
        self.printed, self.sections, self.name = printed, sections, name
        self.places: dict[str, list[str]] = {}
        self.section = ""

    def tokens(self) -> Any:
        # Without its sign a footnote is taken for an address of a link, and lost.
        if "[^" in self.source:
            raise self.unshown("footnote")
        tokens: Any = _MARKDOWN(self.source)
        return [token for token in tokens if token["type"] != "blank_line"]

    def narrative(self) -> Narrative:
        sections: dict[str, Prose] = {"": []}
        numbers = [section.number for section in self.sections]
        for token in self.tokens():
            kind = token["type"]
            if kind == "heading" and token["attrs"]["level"] == 1:
                title = "".join(run["text"] for run in self.runs(token["children"]))
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
                    raise self.wrong(message, re.escape(title))
                self.section = number
                sections.setdefault(number, [])
            else:
                sections[self.section] += self.blocks(token)
        return Narrative(sections, {fact: tuple(p) for fact, p in self.places.items()})

    def blocks(self, token: Any) -> Iterator[dict[str, Any]]:
        """A paragraph for each of its lines that was broken on purpose; else one block."""
        lines: list[list[Any]] = [[]] if token["type"] == "paragraph" else []
        for child in token["children"] if lines else ():
            if child["type"] == "linebreak":
                lines.append([])
            else:
                lines[-1].append(child)
        for line in lines:
            yield {"type": "paragraph", "runs": self.runs(line)}
        if not lines:
            yield self.block(token)

    def block(self, token: Any) -> dict[str, Any]:
        kind = token["type"]
        if kind == "heading":
            level = token["attrs"]["level"] - 1
            return {"type": "heading", "level": level, "runs": self.runs(token["children"])}
        if kind == "list":
            for item in token["children"]:
                if item["type"] != "list_item":
                    raise self.unshown(item["type"])
            items = [
                [run for part in item["children"] for run in self.runs(part.get("children", []))]
                for item in token["children"]
            ]
            return {"type": "list", "ordered": bool(token["attrs"]["ordered"]), "items": items}
        if kind == "block_html":
            return {"type": "paragraph", "runs": self.text(token["raw"].strip())}
        raise self.unshown(kind)

    def unshown(self, kind: str) -> InputError:
        """An error for markup that no document has."""
        instead = _INSTEAD.get(kind, Message("write a paragraph"))
        message = Message(
            "'{kind}' is markup that a report cannot show; {instead}",
            kind=Message(kind),
            instead=instead,
        )
        return self.wrong(message, _MARKUP.get(kind))

    def wrong(self, message: str, pattern: str | None) -> InputError:
        """An error at the last line that has the pattern; Markdown does not tell its lines."""
        lines = [n for n, line in enumerate(self.lines, 1) if pattern and re.search(pattern, line)]
        line = lines[-1] if lines else None
        place = f"{self.name}:{line}" if line else self.name
        return InputError(
            "narrative",
            "{place}: {message}",
            place=place,
            message=message,
            file=self.name,
            line=line,
        )

    def runs(self, tokens: Any) -> list[Run]:
        runs: list[Run] = []
        ended = False
        for token in tokens:
            kind = token["type"]
            if kind in ("softbreak", "linebreak"):
                ended = True
                continue
            if kind in ("text", "inline_html", "codespan"):
                more = self.text(token["raw"])
            elif kind in ("strong", "emphasis"):
                more = [run | {"strong": True} for run in self.runs(token["children"])]
            elif kind == "link":
                more = self.runs(token["children"])
                url, text = token["attrs"]["url"], "".join(run["text"] for run in more)
                if "://" in url and url != text:  # on paper nothing can be followed
                    more += self.text(f"（{url}）")
            else:
                raise self.unshown(kind)
            # Chinese text has no space where a line ends; other words have.
            if ended and runs and more and (runs[-1]["text"][-1:] + more[0]["text"][:1]).isascii():
                runs.append({"text": " "})
            ended = False
            runs += more
        return runs

    def text(self, raw: str) -> list[Run]:
        runs: list[Run] = []
        for number, part in enumerate(_MARK.split(raw)):
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
