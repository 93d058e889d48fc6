"""The five Chinese typefaces that reportkit sets its reports in."""

from pathlib import Path

__all__ = ["folder"]


def folder() -> Path:
    """Return the folder that holds the five TrueType files and nothing else."""
    return Path(__file__).resolve().parent / "fonts"
