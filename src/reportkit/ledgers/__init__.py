"""Ledgers: raw files into typed records whose every row knows where it came from."""

from reportkit.ledgers.intake import Ledger, Source, Violation, find_files, read_ledger
from reportkit.ledgers.schema import LedgerSchema, schema_of, schemas

__all__ = [
    "Ledger",
    "LedgerSchema",
    "Source",
    "Violation",
    "find_files",
    "read_ledger",
    "schema_of",
    "schemas",
]
