"""Entry point of ``reportkit`` and ``python -m reportkit``.

The list of commands is asked for most often, and importing click takes most of the time of
showing it: its text is kept beside this file (a test compares them).
"""

import sys

from reportkit.errors import end_on_signals


def main() -> None:
    """Show the list of commands, or run one."""
    if sys.argv[1:] in (["--help"], ["-h"]):
        path = f"{__file__.rpartition('/')[0]}/help.txt"
        with open(path, encoding="utf-8") as text:  # noqa: PTH123 - pathlib takes a third longer
            sys.stdout.write(text.read())
        return
    # Before the first import that takes its time.
    end_on_signals()
    from reportkit.cli import main as run

    run()


if __name__ == "__main__":
    main()
