"""Files into raw text tables: every cell as a person sees it, every record with its line.

No type is guessed here: a reader finds the heading, says on which physical line (or sheet row) each
record stands, tells what its cells look like, and refuses a file that it cannot read for sure.
"""

from reportkit.ledgers.readers.files import SUFFIXES, read_file
from reportkit.ledgers.readers.table import (
    Note,
    RawTable,
    Tell,
    as_text,
    holds,
    quiet,
    sums,
)

__all__ = [
    "SUFFIXES",
    "Note",
    "RawTable",
    "Tell",
    "as_text",
    "holds",
    "quiet",
    "read_file",
    "sums",
]
