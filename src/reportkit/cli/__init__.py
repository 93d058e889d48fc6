"""Commands: argument in, result out; a command imports what it needs when it runs."""

from __future__ import annotations

import sys
import traceback

import click

from reportkit.cli import (  # noqa: F401 - a command is known by being defined
    audits,
    catalogue,
    projects,
    reports,
    runs,
)
from reportkit.cli.command import cli
from reportkit.cli.language import use_language

__all__ = ["cli", "main"]


def main() -> None:
    """Entry point of ``reportkit``."""
    # A terminal that cannot show a character shows its number, and the run goes on.
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a text stream
    use_language(cli, sys.argv[1:])
    try:
        cli(standalone_mode=False)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except Exception:
        # Status 1 means "done, with findings": a fault of ours must not look like it.
        traceback.print_exc()
        sys.exit(3)
