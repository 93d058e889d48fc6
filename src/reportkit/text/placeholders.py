"""Placeholders of a text: found in it, and filled in with facts.

A placeholder such as ``{{ t3.new.total }}`` prints a fact and binds the printed figure to it, so
that documents can say for each figure which fact it is. A name that is no fact stops with its line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.parser import Parser

from reportkit.errors import InputError, ReportkitError
from reportkit.facts import TO_DO
from reportkit.language import Message, joined
from reportkit.language.message import COMMA, of_library
from reportkit.text.renderings import FILTERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Protocol

    from reportkit.facts import Fact

    class Figures(Protocol):
        """Lookup of facts by their id."""

        def get(self, name: str, /) -> Fact:
            """One fact; InputError ``fact-unknown`` if there is none of this id."""


Run = dict[str, Any]

# Private-use characters that cannot come from a keyboard mark a figure on its way through
# Markdown; a narrative that holds them is refused. Markdown takes them for punctuation, beside
# which no ** begins or ends within a text, and so a letter stands around them.
_OPEN, _CLOSE = "数\ue000", "\ue001数"
MARK = re.compile(f"{_OPEN}(\\d+){_CLOSE}")
"""Mark in the place of a figure, with the number of its run."""
_MARKS = re.compile("[\ue000\ue001]")
# A long report has fifty thousand characters.
_LONGEST, _LONGEST_NAME = 400_000, 200
# What people write in templates elsewhere, in words.
_KINDS: dict[type, str] = {
    nodes.Call: "a call",
    nodes.Filter: Message("a second filter"),
    nodes.Getitem: "[…]",
    nodes.Const: Message("a plain value"),
    nodes.If: "{% if %}",
    nodes.For: "{% for %}",
}
PLACEHOLDER = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.S)


def placeholders(text: str) -> list[tuple[int, str]]:
    """Return the dotted names in the placeholders of a text (facts, district.*), with lines.

    The text need not be right as a template.
    """
    return [
        (text.count("\n", 0, place.start() + name.start()) + 1, name[0])
        for place in PLACEHOLDER.finditer(text)
        if not place[0].startswith("{#")
        for name in re.finditer(r"\b[a-z]\w*(?:\.\w+)+", place[0])
    ]


def fill_in(
    template: str, figures: Figures, context: Mapping[str, Any], name: str
) -> tuple[str, list[Run]]:
    """Return Markdown with a mark in the place of each figure, and the runs of the figures.

    Raises
    ------
    InputError
        ``narrative``: an unknown fact or a wrong placeholder; with file and line.
    """
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
        line = error.lineno
        reason = Message(
            "a '{{{{' or '{{%' is not closed as it should be: {problem}",
            problem=of_library(str(error.message)),
        )
    except ReportkitError as error:
        line, reason = filler.line, error.message
    raise InputError(
        "narrative", "{file}:{line}: {reason:.600}", reason=reason, file=name, line=line
    )


class _Filler:
    """Fills in one template, and keeps the runs that were printed.

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
        if value is None:
            raise InputError(
                "rendering", "{name} is not filled in; it cannot be printed", name=name
            )
        if not isinstance(value, str | int) or _MARKS.search(str(value)):
            raise InputError("rendering", "{name} is no text; it cannot be printed", name=name)
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
        return self.marked({"text": self.counted(text), "fact": name})

    def allow(self, text: str, options: list[Any]) -> str:
        """Print a number that the template itself says is no fact, with its reason."""
        reason = options[0] if len(options) == 1 else ""
        if not isinstance(reason, str) or not reason.strip() or _MARKS.search(text + reason):
            raise _allowed_wrongly()
        return self.marked({"text": text, "allowed": reason})

    def marked(self, run: Run) -> str:
        """Keep a run, and return the mark that stands for it."""
        self.printed.append(run)
        return f"{_OPEN}{len(self.printed) - 1}{_CLOSE}"

    def counted(self, text: str) -> str:
        """Return the text; refuse it where the whole has grown longer than any report."""
        self.size += len(text)
        if self.size > _LONGEST:
            raise InputError(
                "rendering",
                "the text is longer than {longest} characters, which no report is",
                longest=_LONGEST,
            )
        return text


def _name(node: nodes.Node | None) -> str:
    """Return the dotted name that a node of the tree stands for, such as ``t3.new.total``."""
    parts = []
    while isinstance(node, nodes.Getattr):
        parts.append(node.attr)
        node = node.node
    if not isinstance(node, nodes.Name):
        raise _refused(node)
    name = ".".join([node.name, *reversed(parts)])
    if len(name) > _LONGEST_NAME:
        raise InputError(
            "rendering", "a name of {length} characters; no fact has one so long", length=len(name)
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
