"""One ledger file of any kind into its raw tables."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

from reportkit.errors import InputError
from reportkit.ledgers.readers.columnar import read_parquet
from reportkit.ledgers.readers.delimited import read_csv
from reportkit.ledgers.readers.table import RawTable, Tell, quiet
from reportkit.ledgers.readers.workbook import OPENERS, read_workbook

if TYPE_CHECKING:
    from pathlib import Path

    from reportkit.ledgers.schema import LedgerSchema

_READERS = {".csv": read_csv, **dict.fromkeys(OPENERS, read_workbook), ".parquet": read_parquet}
SUFFIXES = tuple(_READERS)


def read_file(path: Path, schema: LedgerSchema, *, name: str, tell: Tell = quiet) -> list[RawTable]:
    """Read one ledger file.

    Parameters
    ----------
    path : Path
        A file whose name ends in one of `SUFFIXES`.
    schema : LedgerSchema
        Its headings tell the heading row from title rows.
    name : str
        The path as shown to people and written into evidence.
    tell : callable
        Is given the number of rows so far, time and again.

    Returns
    -------
    list of RawTable
        One, or one for each sheet that has the ledger's heading.

    Raises
    ------
    InputError
        ``ledger-format``, ``ledger-unreadable``, ``ledger-encoding``, ``ledger-heading``,
        ``ledger-heading-twice``, ``ledger-ragged``, ``ledger-type``; for a workbook also
        ``ledger-unsafe``, ``ledger-hidden``, ``ledger-error-cell``, ``ledger-formula``,
        ``ledger-shown`` and ``ledger-merged``.
    """
    suffix = path.suffix.lower()
    if suffix not in _READERS:
        raise InputError(
            "ledger-format",
            "{file} is of a kind that is not read; {suffixes} are",
            suffixes="、".join(SUFFIXES),
            file=name,
        )
    read = _READERS[suffix]
    with (
        InputError.on_refusal("ledger-unreadable", "{file} cannot be read: {problem}", file=name),
        path.open("rb") as file,
    ):
        before = os.fstat(file.fileno())
        parts = read(file, schema, name, tell=tell)
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise InputError(
            "ledger-unreadable",
            "{file} was written to while it was read; run again when it is finished",
            file=name,
        )
    about: dict[str, Any] = {
        "path": name,
        "sha256": digest,
        "bytes": before.st_size,
        "format": suffix[1:],
    }
    return [RawTable(**vars(part), **about) for part in parts]
