"""Xlsx into raw text tables, one for each sheet that has the ledger's heading."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO
from xml.parsers import expat

import pyarrow as pa

from reportkit.errors import InputError
from reportkit.ledgers.readers.cells import heard_sheet
from reportkit.ledgers.readers.guard import ZIP_ERRORS, Book, guard
from reportkit.ledgers.readers.plain import DoubtError, plain_sheet
from reportkit.ledgers.readers.sheet import SheetReading
from reportkit.ledgers.readers.table import Note, Part, Tell, no_heading, quiet
from reportkit.ledgers.schema import NOTES_SHEET
from reportkit.persons import without_persons

if TYPE_CHECKING:
    from reportkit.ledgers.schema import LedgerSchema


def read_xlsx(file: BinaryIO, schema: LedgerSchema, name: str, *, tell: Tell = quiet) -> list[Part]:
    """Read all sheets of a workbook that have the heading of a ledger.

    Raises
    ------
    InputError
        What the guard refuses; ``ledger-heading``; ``ledger-hidden`` (a hidden sheet has the
        heading); ``ledger-error-cell`` and ``ledger-formula`` with the cells.
    """
    try:
        return _read(guard(file, name), schema, name, tell)
    except (*ZIP_ERRORS, expat.ExpatError, OverflowError, LookupError, pa.ArrowException) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        told = without_persons(str(error))
        message = f"{name} is damaged: {told}; open it in Excel or WPS and save it again as .xlsx"
        raise InputError("ledger-unreadable", message, file=name) from None


def _read(book: Book, schema: LedgerSchema, name: str, tell: Tell) -> list[Part]:
    parts: list[Part] = []
    others: list[Note] = []
    problem: InputError | None = None
    for title in book.sheets:
        try:
            part = _read_sheet(book, title, schema, name, tell)
        except InputError as error:
            if error.reason != "ledger-heading":
                raise
            # A sheet that says how to fill in the others is no part of the ledger.
            if title != NOTES_SHEET:
                problem = problem or error
                expected = f"no heading of {schema.name} in it: the sheet is not read"
                others.append(Note(title, "L-sheet", "warn", "", "", expected))
            continue
        parts += [part] if part else []
    if not parts:
        raise problem or no_heading(name, None, schema, [])
    return [replace(parts[0], notes=(*others, *parts[0].notes)), *parts[1:]]


def _read_sheet(book: Book, title: str, schema: LedgerSchema, name: str, tell: Tell) -> Part | None:
    """A sheet's records; None where it is empty."""
    try:
        with book.part(title) as file:
            return SheetReading(book, name, title, schema).run(plain_sheet, file, tell)
    except DoubtError:
        with book.part(title) as file:
            return SheetReading(book, name, title, schema).run(heard_sheet, file, tell)
