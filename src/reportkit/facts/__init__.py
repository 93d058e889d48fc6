"""Facts: every value of a report, computed from the numbers of its source rows.

A fact is made in two steps that cannot disagree: the definition gives ordered row numbers, and
the value is measured on exactly those rows. A total holds no rows; it points at its leaves.
"""

from reportkit.facts.computer import Computer
from reportkit.facts.fact import OF_NOTEBOOK, TO_DO, Fact, Facts, facts_bytes, rows_sha256
from reportkit.facts.measuring import measure
from reportkit.facts.numerals import plain

__all__ = [
    "OF_NOTEBOOK",
    "TO_DO",
    "Computer",
    "Fact",
    "Facts",
    "facts_bytes",
    "measure",
    "plain",
    "rows_sha256",
]
