"""What all commands share: folders, ``--json``, exit status; and the group that holds them."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from reportkit import __version__
from reportkit.errors import ReportkitError, refusal
from reportkit.ledgers.privacy import SESSION_TOLD, Pseudonyms

Command = Callable[..., Any]
Result = tuple[int, Any, str]

ERASED = "\r\x1b[2K"
"""Takes a line of a terminal away, so that another can be written over it."""
FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Statutory annual reports (政府信息公开工作年度报告) from raw ledgers.

    Exit status: 0 done; 1 done, with findings; 2 bad input; 3 execution failed.
    """


def tell_session_key() -> None:
    """Say that pseudonyms are of this session only, where no key is kept."""
    if Pseudonyms.from_environment().of_session:
        click.echo(SESSION_TOLD, err=True)


def command(out: str = "outputs") -> Callable[[Command], click.Command]:
    """A command that returns (exit status, JSON document, text) or raises a ReportkitError.

    Every command takes the same folders and ``--json``; what it has no use for it leaves.
    """

    def decorate(function: Command) -> click.Command:
        taken = inspect.signature(function).parameters
        all_taken = any(one.kind is one.VAR_KEYWORD for one in taken.values())

        @wraps(function)
        def wrapped(*, as_json: bool, **options: Any) -> None:
            if not all_taken:
                known = options | {"as_json": as_json}
                options = {name: value for name, value in known.items() if name in taken}
            try:
                status, document, text = function(**options)
            except (ReportkitError, OSError) as found:
                error = refusal(found) if isinstance(found, OSError) else found
                if error is None:
                    raise
                status, text = error.exit_status, f"reportkit: {error}"
                document = {"error": error.reason, "message": error.message} | error.fields
                click.echo(text, err=True)
            else:
                if not as_json:
                    click.echo(text)
            if as_json:
                click.echo(json.dumps(document, ensure_ascii=False, indent=1, default=str))
            sys.exit(status)

        for option in (
            click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout."),
            click.option("--out", type=FOLDER, default=Path(out), help=f"Default: {out}."),
            click.option("--data", type=FOLDER, help="Ledgers; default: data."),
            click.option("--params", type=FOLDER, help="Parameters; default: params."),
        ):
            wrapped = option(wrapped)
        return cli.command()(wrapped)

    return decorate
