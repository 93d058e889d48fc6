"""The language of a command: chosen once, where its words leave the program."""

from __future__ import annotations

import gettext
import inspect
import os
from typing import TYPE_CHECKING

import click

from reportkit.cli.helptext import ChineseContext
from reportkit.language.catalogue import DOMAIN, FOLDER, translator
from reportkit.language.message import translated

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from reportkit.language.message import Translate

LANGUAGES = ("en", "zh")


def language(environment: Mapping[str, str]) -> Any:
    """Choose the language of messages: as asked for by ``--lang``, else as the locale says.

    Examples
    --------
    >>> [language(one) for one in ({"LANG": "zh_CN.UTF-8"}, {"LC_ALL": "C", "LANG": "zh_CN"}, {})]
    ['zh', 'en', 'en']
    """
    context = click.get_current_context(silent=True)
    if context and (asked := context.find_root().params.get("lang")):
        return asked
    names = (environment.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return "zh" if next(filter(None, names), "").startswith("zh") else "en"


def current_language() -> str:
    """Return the language of the command that runs."""
    return str(language(os.environ))


def translate() -> Translate:
    """Return the translator into the language of the command that runs."""
    return translator(current_language())


def say(text: str | Sequence[str], *, err: bool = False, nl: bool = True) -> None:
    """Print a text, or lines, in the language of the command that runs."""
    click.echo(in_language(text), err=err, nl=nl)


def in_language(text: str | Sequence[str]) -> str:
    """Return a text, or lines, in the language of the command that runs."""
    lines = [text] if isinstance(text, str) else text
    return "\n".join(translated(line, translate()) for line in lines)


def use_language(group: click.Group, arguments: Iterable[str]) -> None:
    """Have help texts, click itself and the kernels that are started speak one language.

    Parameters
    ----------
    group : click.Group
        Its help texts, and those of its commands, are replaced by translated ones.
    arguments : iterable of str
        Of the command line, since ``--help`` and errors of usage come before it is read.
    """
    chosen = _asked(arguments) or language(os.environ)
    # click asks gettext for its own sentences; gettext asks this variable before the locale.
    os.environ["LANGUAGE"] = chosen
    gettext.bindtextdomain(DOMAIN, str(FOLDER))
    gettext.textdomain(DOMAIN)
    if chosen == "en":
        return
    for command in (group, *group.commands.values()):
        command.context_class = ChineseContext
        command.help = translator(chosen)(inspect.cleandoc(command.help or ""))
        # click ends a sentence at a full stop in Latin letters.
        command.short_help = command.help.partition("。")[0]
        for option in command.params:
            if isinstance(option, click.Option) and option.help:
                option.help = translator(chosen)(option.help)


def _asked(arguments: Iterable[str]) -> str | None:
    """Return the language that ``--lang`` names before the command, if it is one."""
    words = iter(arguments)
    for word in words:
        name, _, value = word.partition("=")
        if name == "--lang":
            value = value or next(words, "")
            return value if value in LANGUAGES else None
        if not word.startswith("-"):
            break
    return None
