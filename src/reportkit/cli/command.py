"""Parts that all commands share: folders, ``--json``, exit status; and their group."""

from __future__ import annotations

import inspect
import json
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from itertools import accumulate
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from reportkit import __version__
from reportkit.cli.helptext import width
from reportkit.cli.language import LANGUAGES, in_language, say
from reportkit.errors import ExecutionError, InputError, ReportkitError, Stopped, refusal
from reportkit.language import joined
from reportkit.language.message import COLON

DEFAULT_OUT = {"outputs": "Default: outputs.", ".": "Default: the working folder."}

Command = Callable[..., Any]
Result = tuple[int, Any, str | Sequence[str]]
"""Exit status, JSON document, and the text or its lines; messages in them are translated."""

ERASED = "\r\x1b[2K"

"""Takes a line of a terminal away, so that another can be written over it."""


@contextmanager
def live_line(*, shown: bool) -> Iterator[Callable[[str], None]]:
    """One line on a terminal that says what is being done; nothing elsewhere."""
    if not (shown and sys.stderr.isatty()):
        yield lambda _text: None
        return

    def tell(text: str) -> None:
        line = cut(in_language(text), shutil.get_terminal_size().columns - 1)
        click.echo(f"{ERASED}{line}", err=True, nl=False)

    try:
        yield tell
    finally:
        click.echo(ERASED, err=True, nl=False)


def cut(text: str, columns: int) -> str:
    """Cut a text to the columns of a terminal, of which a Chinese character takes two."""
    wide = accumulate(map(width, text))
    return text[: sum(used <= columns for used in wide)]


FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, help="Show the version and exit.")
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language; default: the locale's.")
def cli(lang: str | None) -> None:
    """Statutory annual reports (政府信息公开工作年度报告) from raw ledgers.

    Exit status: 0 done; 1 done, with findings; 2 bad input; 3 execution failed.
    """


def warn_of_session_key() -> None:
    """Say that pseudonyms are of this session only, where no key is kept."""
    from reportkit.ledgers.privacy import SESSION_MESSAGE, Pseudonyms

    if Pseudonyms.from_environment().of_session:
        say(SESSION_MESSAGE, err=True)


def district_id(asked: str, params: Path | None) -> str:
    """Return the id of a district that is asked for by its id or its Chinese name."""
    if asked.isascii():
        return asked
    from reportkit.params import Project

    return Project.find(params).district_id(asked)


def need_outputs(out: Path) -> None:
    """Refuse a folder of reports that is not there: an answer about nothing looks like one.

    Raises
    ------
    InputError
        ``no-outputs``.
    """
    if not out.is_dir():
        raise InputError(
            "no-outputs", "there is no folder {folder}; name the reports' with --out", folder=out
        )


def as_given(context: click.Context, *without: str) -> tuple[str, ...]:
    """The command with what was given to it, to be given again, but for some options."""
    words = ["reportkit", context.info_name or ""]
    for param in context.command.params:
        name = param.name or ""
        if name in without or context.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
            continue
        value = str(context.params[name])
        option = [max(param.opts, key=len)] if isinstance(param, click.Option) else []
        words += option if option and getattr(param, "is_flag", False) else [*option, value]
    return tuple(words)


def _as_reportkit_error(fault: Exception) -> ReportkitError:
    """A fault as an error of ours; the text of one that nobody foresaw is cleared of persons."""
    if isinstance(fault, ReportkitError):
        return fault
    if isinstance(fault, OSError) and (refused := refusal(fault)):
        return refused
    # numpy comes with it, for which `--help` does not wait.
    from reportkit.persons import without_persons

    text = without_persons("".join(traceback.format_exception(fault)))
    return ExecutionError("internal", "{text}", text=text)


def command(out: str = "outputs") -> Callable[[Command], click.Command]:
    """A command that returns (exit status, JSON document, text) or raises a ReportkitError.

    Every command takes the same folders and ``--json``; what it has no use for it leaves.
    """

    def decorate(function: Command) -> click.Command:
        taken = inspect.signature(function).parameters
        all_taken = any(parameter.kind is parameter.VAR_KEYWORD for parameter in taken.values())

        @wraps(function)
        def wrapped(*, as_json: bool, **options: Any) -> None:
            if not all_taken:
                options = {name: value for name, value in options.items() if name in taken}
            if "as_json" in taken:
                options["as_json"] = as_json
            try:
                status, document, text = function(**options)
            except Stopped as stopped:
                status = stopped.number + 128
                document = {"error": "stopped", "message": str(stopped), "signal": stopped.number}
                say(joined(COLON, ["reportkit", str(stopped)]), err=True)
            except (click.ClickException, click.exceptions.Exit, click.Abort):
                raise
            except Exception as fault:
                error = _as_reportkit_error(fault)
                status = error.exit_status
                document = {"error": error.reason, "message": error.message} | error.fields
                say(joined(COLON, ["reportkit", str(error)]), err=True)
            else:
                if not as_json:
                    say(text)
            if as_json:
                click.echo(json.dumps(document, ensure_ascii=False, indent=1, default=str))
            sys.exit(status)

        for option in (
            click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout."),
            click.option("--out", type=FOLDER, default=Path(out), help=DEFAULT_OUT[out]),
            click.option("--data", type=FOLDER, help="Ledgers; default: data."),
            click.option("--params", type=FOLDER, help="Parameters; default: params."),
        ):
            wrapped = option(wrapped)
        return cli.command()(wrapped)

    return decorate
