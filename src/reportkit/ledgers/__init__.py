"""Ledgers: raw files and tables into typed records whose every row knows where it came from."""

from reportkit.ledgers.database import read_database
from reportkit.ledgers.intake import Ledger, Source, Violation, find_files, read_ledger
from reportkit.ledgers.schema import LedgerSchema, schema_of, schemas

__all__ = [
    "Ledger",
    "LedgerSchema",
    "Source",
    "Violation",
    "find_files",
    "read_database",
    "read_ledger",
    "schema_of",
    "schemas",
]
