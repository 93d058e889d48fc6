"""The command of --notify, which is run at the end of a batch."""

from __future__ import annotations

import shlex
import subprocess

from reportkit.language import Message

# Seconds that the command may take.
_PATIENCE = 60


def notify(command: str, text: str) -> str:
    """Run a command with a text on its stdin; return what was wrong with it, or ""."""
    try:
        done = subprocess.run(  # noqa: S603 - the words of the option, no shell
            shlex.split(command),
            input=text,
            text=True,
            capture_output=True,
            check=False,
            timeout=_PATIENCE,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        return Message("--notify failed: {error}", error=error)
    if not done.returncode:
        return ""
    detail = f": {done.stderr.strip()}" if done.stderr.strip() else ""
    return Message(
        "--notify ended with status {returncode}{detail}",
        returncode=done.returncode,
        detail=detail,
    )
