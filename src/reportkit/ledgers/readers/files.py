"""One ledger file of any kind into its raw tables."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from reportkit.errors import InputError
from reportkit.ledgers.readers.columnar import read_parquet
from reportkit.ledgers.readers.delimited import read_csv
from reportkit.ledgers.readers.table import Part, RawTable
from reportkit.ledgers.readers.workbook import read_xlsx

if TYPE_CHECKING:
    from pathlib import Path

    from reportkit.ledgers.schema import LedgerSchema

SUFFIXES = (".csv", ".xlsx", ".parquet")


def read_file(path: Path, schema: LedgerSchema, *, name: str) -> list[RawTable]:
    """Read one ledger file.

    Parameters
    ----------
    path : Path
        A .csv, .xlsx or .parquet file.
    schema : LedgerSchema
        Its headings tell the heading row from title rows.
    name : str
        The path as shown to people and written into evidence.

    Returns
    -------
    list of RawTable
        One, or one for each sheet that has the ledger's heading.

    Raises
    ------
    InputError
        ``ledger-unreadable``, ``ledger-encoding``, ``ledger-heading``, ``ledger-heading-twice``,
        ``ledger-ragged``, ``ledger-type``; for a workbook also ``ledger-unsafe``,
        ``ledger-hidden``, ``ledger-error-cell`` and ``ledger-formula``.
    """
    suffix = path.suffix.lower()
    try:
        if suffix == ".parquet":
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = path.stat().st_size
            parts: list[Part] = read_parquet(path, schema, name)
        else:
            content = path.read_bytes()
            digest, size = hashlib.sha256(content).hexdigest(), len(content)
            read = read_csv if suffix == ".csv" else read_xlsx
            parts = read(content, schema, name)
    except OSError as error:
        message = f"{name} cannot be read: {error.strerror or error}"
        raise InputError("ledger-unreadable", message, file=name) from None
    return [
        RawTable(
            name, digest, size, suffix[1:], part.encoding, part.sheet, part.columns, part.lines,
            part.notes, part.epoch,
        )
        for part in parts
    ]  # fmt: skip
