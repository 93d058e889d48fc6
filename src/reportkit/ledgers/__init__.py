"""Ledgers: raw files and tables into typed records whose every row knows where it came from."""

from reportkit.ledgers.database import read_database
from reportkit.ledgers.district import Ledgers, read_ledgers
from reportkit.ledgers.intake import entries_of, find_files, read_ledger
from reportkit.ledgers.records import Ledger, Source, Violation
from reportkit.ledgers.schema import LedgerSchema, schema_of, schemas

__all__ = [
    "Ledger",
    "LedgerSchema",
    "Ledgers",
    "Source",
    "Violation",
    "entries_of",
    "find_files",
    "read_database",
    "read_ledger",
    "read_ledgers",
    "schema_of",
    "schemas",
]
