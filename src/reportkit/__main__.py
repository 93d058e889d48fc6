"""Entry point of ``reportkit`` and ``python -m reportkit``."""

from reportkit.errors import end_on_signals


def main() -> None:
    """Run a command."""
    # Before the first import that takes its time.
    end_on_signals()
    from reportkit.cli import main as run

    run()


if __name__ == "__main__":
    main()
