"""The report's text: Markdown with facts as placeholders, rendered to prose that knows its facts.

A placeholder such as ``{{ t3.new.total }}`` prints a fact and binds the printed figure to it, so
that documents can say for each figure which fact it is. The template runs in Jinja2's sandbox;
a name that is no fact stops with its line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import mistune
from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment

from reportkit.errors import InputError, ReportkitError
from reportkit.facts import TO_DO
from reportkit.text.renderings import FILTERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reportkit.facts import Computer
    from reportkit.forms import Form

Run = dict[str, Any]
Prose = list[dict[str, Any]]

# Private-use characters that cannot come from a keyboard mark a figure on its way through
# Markdown; a narrative that holds them is refused.
_OPEN, _CLOSE = "\ue000", "\ue001"
UNWRITTEN = "【尚未填写"
"""With this a text says what is still to be written in its place, up to 】."""
_MARK = re.compile(f"{_OPEN}(\\d+){_CLOSE}")


@dataclass(frozen=True)
class Narrative:
    """Rendered text by section number ("一"), the preamble under "", and where facts appear."""

    sections: Mapping[str, Prose]
    places: Mapping[str, tuple[str, ...]]


class _Names:
    """``t3`` in ``{{ t3.new.total }}``: grows by attribute until it is printed."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> _Names:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Names(f"{self._name}.{name}")


class _Renderer:
    """One pass over one template; remembers what was printed with something known about it."""

    def __init__(self, computer: Computer) -> None:
        self.computer = computer
        self.printed: list[Run] = []

    def mark(
        self, value: Any, form: Callable[..., str] = lambda fact: fact.text, *options: Any
    ) -> Any:
        if not isinstance(value, _Names):
            return value
        name = value._name
        fact = self.computer.get(name)
        text = TO_DO if fact.value == TO_DO else form(fact, *options)
        return self.print({"text": text, "fact": name})

    def allow(self, value: Any, reason: str) -> str:
        """Numbers that the template itself states to be no facts, and why."""
        text = str(value)
        if isinstance(value, _Names) or _OPEN in text or not reason.strip():
            message = "'allowed' takes plain text and a reason; a fact needs neither"
            raise InputError("allowed", message)
        return self.print({"text": text, "allowed": reason})

    def print(self, run: Run) -> str:
        self.printed.append(run)
        return f"{_OPEN}{len(self.printed) - 1}{_CLOSE}"

    def environment(self) -> SandboxedEnvironment:
        environment = SandboxedEnvironment(
            undefined=StrictUndefined,
            finalize=self.mark,
            keep_trailing_newline=True,
            autoescape=False,  # the output is Markdown; exporters escape it
        )
        for name, form in FILTERS.items():
            environment.filters[name] = partial(self._filtered, name, form)
        environment.filters["allowed"] = self.allow
        return environment

    def _filtered(self, name: str, form: Callable[..., str], value: Any, *options: Any) -> Any:
        if not isinstance(value, _Names):
            message = f"'{name}' prints facts; {value!r} is none"
            raise InputError("rendering", message)
        return self.mark(value, form, *options)


def render(
    template: str, *, computer: Computer, form: Form, context: Mapping[str, Any], name: str
) -> Narrative:
    """Render a narrative.

    Parameters
    ----------
    template : str
        Markdown with Jinja2 placeholders. ``# 一、总体情况`` opens a section, ``##`` and ``###``
        are headings in it; what stands before the first section, or under ``# 序言``, is preamble.
    computer : Computer
        Gives the facts.
    form : Form
        Its sections are the ones the text may have.
    context : mapping
        Further names: ``year``, ``district``, …
    name : str
        Shown in errors.

    Returns
    -------
    Narrative

    Raises
    ------
    InputError
        ``narrative``: an unknown fact, a wrong placeholder, an unknown section or markup that no
        document can show; with file and line where the template knows it.
    """
    if _OPEN in template or _CLOSE in template:
        message = f"{name} holds private-use characters; remove them"
        raise InputError("narrative", message, file=name)
    renderer = _Renderer(computer)
    roots = {known.split(".")[0]: _Names(known.split(".")[0]) for known in computer.known()}
    try:
        text = renderer.environment().from_string(template).render(roots | dict(context))
    except (TemplateError, ReportkitError, TypeError) as error:
        line = error.lineno if isinstance(error, TemplateSyntaxError) else _template_line(error)
        reason = error.message if isinstance(error, ReportkitError) else str(error)
        message = f"{name}:{line}: {reason}"
        raise InputError("narrative", message, file=name, line=line) from None
    tokens = mistune.create_markdown(renderer=None)(text)
    return _Reader(renderer.printed, form, name).narrative(tokens)


def _template_line(error: BaseException) -> int | None:
    line = None
    trace = error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


class _Reader:
    """Markdown tokens into prose nodes by section."""

    def __init__(self, printed: list[Run], form: Form, name: str) -> None:
        self.printed, self.form, self.name = printed, form, name
        self.places: dict[str, list[str]] = {}
        self.section = ""

    def narrative(self, tokens: Any) -> Narrative:
        sections: dict[str, Prose] = {"": []}
        numbers = [section.number for section in self.form.sections]
        for token in tokens:
            kind = token["type"]
            if kind == "heading" and token["attrs"]["level"] == 1:
                title = "".join(run["text"] for run in self.runs(token["children"]))
                number = title.partition("、")[0]
                if title in ("序言", "前言"):
                    number = ""
                elif number not in numbers or number in sections:
                    wanted = "；".join(f"{s.number}、{s.title}" for s in self.form.sections)
                    message = (
                        f"{self.name}: the heading '{title}' opens no section of its own; "
                        f"sections are {wanted}"
                    )
                    raise InputError("narrative", message, file=self.name)
                self.section = number
                sections.setdefault(number, [])
            elif kind != "blank_line":
                sections[self.section].append(self.block(token))
        return Narrative(sections, {fact: tuple(p) for fact, p in self.places.items()})

    def block(self, token: Any) -> dict[str, Any]:
        kind = token["type"]
        if kind == "heading":
            level = token["attrs"]["level"] - 1
            return {"type": "heading", "level": level, "runs": self.runs(token["children"])}
        if kind in ("paragraph", "block_text"):
            return {"type": "paragraph", "runs": self.runs(token["children"])}
        if kind == "list":
            items = [
                [run for part in item["children"] for run in self.runs(part.get("children", []))]
                for item in token["children"]
            ]
            return {"type": "list", "ordered": bool(token["attrs"]["ordered"]), "items": items}
        if kind == "block_html":
            return {"type": "paragraph", "runs": self.text(token["raw"].strip())}
        message = f"{self.name}: '{kind}' is markup that a report cannot show; write a paragraph"
        raise InputError("narrative", message, file=self.name)

    def runs(self, tokens: Any) -> list[Run]:
        runs: list[Run] = []
        for token in tokens:
            kind = token["type"]
            if kind in ("text", "inline_html", "codespan"):
                runs += self.text(token["raw"])
            elif kind in ("softbreak", "linebreak"):
                continue  # Chinese text has no space where a line ends
            elif kind in ("strong", "emphasis"):
                runs += [run | {"strong": True} for run in self.runs(token["children"])]
            elif kind == "link":
                runs += self.runs(token["children"])
            else:
                message = f"{self.name}: '{kind}' is markup that a report cannot show"
                raise InputError("narrative", message, file=self.name)
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
