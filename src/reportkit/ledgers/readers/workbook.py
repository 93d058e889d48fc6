"""Workbooks into raw text tables, one for each sheet that has the ledger's heading."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from reportkit.errors import InputError
from reportkit.language import Message
from reportkit.language.message import of_library
from reportkit.ledgers.readers.heading import no_heading
from reportkit.ledgers.readers.judging import SheetReading
from reportkit.ledgers.readers.ods import open_ods
from reportkit.ledgers.readers.package import ZIP_ERRORS
from reportkit.ledgers.readers.table import Note, Tell, TextTable, quiet
from reportkit.ledgers.readers.xls import open_xls
from reportkit.ledgers.readers.xlsx import open_xlsx
from reportkit.ledgers.schema import NOTES_SHEET
from reportkit.persons import without_persons

if TYPE_CHECKING:
    from reportkit.ledgers.readers.sheet import Book
    from reportkit.ledgers.schema import LedgerSchema

OPENERS = {".xlsx": open_xlsx, ".xlsm": open_xlsx, ".xls": open_xls, ".ods": open_ods}


def read_workbook(
    file: BinaryIO, schema: LedgerSchema, name: str, *, tell: Tell = quiet
) -> list[TextTable]:
    """Read all sheets of a workbook that have the heading of a ledger.

    Raises
    ------
    InputError
        What opening it refuses; ``ledger-heading``; ``ledger-hidden`` (a hidden sheet has the
        heading); with the cells ``ledger-error-cell``, ``ledger-formula``, ``ledger-shown`` and
        ``ledger-merged``.
    """
    try:
        opened = OPENERS["." + name.lower().rpartition(".")[2]]
        return _read(opened(file, name), schema, name, tell)
    except ZIP_ERRORS as error:
        if isinstance(error, OSError) and error.errno:
            raise
        problem = of_library(without_persons(str(error)))
        raise InputError(
            "ledger-unreadable",
            "{file} is damaged: {problem}; open it in Excel or WPS and save it again",
            problem=problem,
            file=name,
        ) from None


def _read(book: Book, schema: LedgerSchema, name: str, tell: Tell) -> list[TextTable]:
    parts: list[TextTable] = []
    notes = [*book.notes]
    problem: InputError | None = None
    for sheet in book.sheets:
        try:
            part = SheetReading(sheet, name, schema).run(book.epoch, tell)
        except InputError as error:
            if error.reason != "ledger-heading":
                raise
            # A sheet that says how to fill in the others is no part of the ledger.
            if sheet.title != NOTES_SHEET:
                problem = problem or error
                expected = Message(
                    "no heading of {name} in it: the sheet is not read", name=schema.name
                )
                notes.append(Note(sheet.title, "L-sheet", "warn", "", "", expected))
            continue
        parts += [part] if part else []
    if not parts:
        raise problem or no_heading(name, None, schema, [])
    return [replace(parts[0], notes=(*notes, *parts[0].notes)), *parts[1:]]
