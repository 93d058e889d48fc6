"""Files into raw text tables: every cell as it stands, every record with its line.

No type is guessed and nothing is dropped here: a reader finds the heading, says on which physical
line (or sheet row) each record stands, and refuses a file that it cannot read whole.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import zipfile
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

from reportkit.errors import InputError
from reportkit.ledgers.schema import LedgerSchema, loose

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

SUFFIXES = (".csv", ".xlsx", ".parquet")
_SEARCHED_FOR_HEADING = 20
_ERROR_CELL = re.compile(rb'<c r="([A-Z]+\d+)"[^>]*\bt="e"')


@dataclass(frozen=True)
class RawTable:
    """One sheet or file: text cells by heading, and where each record stands."""

    path: str
    sha256: str
    bytes: int
    format: str
    encoding: str | None
    sheet: str | None
    columns: dict[str, pa.ChunkedArray]
    lines: npt.NDArray[np.int32]

    def place(self, line: int) -> str:
        """Line of a text file, ``sheet!row`` of a workbook."""
        return f"{self.sheet}!{line}" if self.sheet else str(line)


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
        ``ledger-unreadable``, ``ledger-encoding``, ``ledger-heading`` or ``ledger-ragged``.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        message = f"{name} cannot be read: {error.strerror}"
        raise InputError("ledger-unreadable", message, file=name) from None
    digest = hashlib.sha256(content).hexdigest()
    read = {".csv": _read_csv, ".xlsx": _read_xlsx, ".parquet": _read_parquet}[path.suffix.lower()]
    return [
        RawTable(name, digest, len(content), path.suffix.lower()[1:], encoding, sheet, cells, lines)
        for encoding, sheet, cells, lines in read(content, schema, name)
    ]


Part = tuple[str | None, str | None, dict[str, pa.ChunkedArray], "npt.NDArray[np.int32]"]
Row = tuple[int, list[str]]


def _read_csv(content: bytes, schema: LedgerSchema, name: str) -> list[Part]:
    text, encoding = _decode(content, name)
    if found := re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", text):
        line = text.count("\n", 0, found.start()) + 1
        message = f"{name}:{line} holds the control character {found[0]!r}; export the file again"
        raise InputError("ledger-unreadable", message, file=name, line=line)
    head = text[:20_000].splitlines()[:_SEARCHED_FOR_HEADING]
    wanted = schema.headings()

    def known(delimiter: str) -> int:
        return sum(
            loose(cell) in wanted for row in csv.reader(head, delimiter=delimiter) for cell in row
        )

    rows = _csv_rows(text, max(",;\t", key=known), name)
    return [(encoding, None, *_table(rows, schema, name, None))]


def _decode(content: bytes, name: str) -> tuple[str, str]:
    """BOM, else strict UTF-8, else strict GB18030, else refused."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        candidates = ["utf-16"]
    elif content.startswith(b"\xef\xbb\xbf"):
        candidates = ["utf-8-sig"]
    else:
        candidates = ["utf-8", "gb18030"]
    for encoding in candidates:
        try:
            return content.decode(encoding), encoding
        except UnicodeDecodeError as error:
            where = error.start
    line = content.count(b"\n", 0, where) + 1
    message = (
        f"{name}:{line} is not {' or '.join(candidates)} (byte {where}); "
        "save the file as UTF-8 or GB18030, and check that it is not cut off"
    )
    raise InputError("ledger-encoding", message, file=name, line=line)


def _csv_rows(text: str, delimiter: str, name: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for row in reader:
            yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        message = f"{name}:{line} is not well-formed csv: {error}"
        raise InputError("ledger-unreadable", message, file=name, line=line) from None


def _read_xlsx(content: bytes, schema: LedgerSchema, name: str) -> list[Part]:
    try:
        _refuse_error_cells(content, name)
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    except (zipfile.BadZipFile, CalamineError) as error:
        message = f"{name} is not a readable .xlsx workbook: {error}; save it again as .xlsx"
        raise InputError("ledger-unreadable", message, file=name) from None
    parts: list[Part] = []
    problems: list[InputError] = []
    for meta in book.sheets_metadata:
        if meta.visible != SheetVisibleEnum.Visible:
            continue
        sheet = book.get_sheet_by_name(meta.name)
        first = sheet.start[0] if sheet.start else 0
        rows = (
            (first + number, [_as_text(cell) for cell in row])
            for number, row in enumerate(sheet.to_python(skip_empty_area=True), 1)
        )
        try:
            parts.append((None, meta.name, *_table(rows, schema, name, meta.name)))
        except InputError as error:
            if error.reason != "ledger-heading":
                raise
            problems.append(error)
    if not parts:
        raise problems[0] if problems else _no_heading(name, None, schema, [])
    return parts


def _refuse_error_cells(content: bytes, name: str) -> None:
    # The fast reader shows #N/A and #REF! as empty cells: a count would change without a word.
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        for member in book.namelist():
            if not re.fullmatch(r"xl/worksheets/[^/]+\.xml", member):
                continue
            if found := _ERROR_CELL.search(book.read(member)):
                cell = found[1].decode()
                message = (
                    f"{name}: cell {cell} of {member.rsplit('/', 1)[-1]} holds an error value "
                    "(#N/A, #REF! …); mend the formula or type the value"
                )
                raise InputError("ledger-error-cell", message, file=name, cell=cell)


def _read_parquet(content: bytes, schema: LedgerSchema, name: str) -> list[Part]:
    try:
        file = pq.ParquetFile(io.BytesIO(content))
        headings = file.schema_arrow.names
        wanted = schema.headings()
        table = file.read(columns=[heading for heading in headings if loose(heading) in wanted])
    except (pa.ArrowException, OSError) as error:
        message = f"{name} is not a readable parquet file: {error}"
        raise InputError("ledger-unreadable", message, file=name) from None
    if not _names_ledger(headings, schema):
        raise _no_heading(name, None, schema, headings)
    columns = {
        heading: _column_as_text(column)
        for heading, column in zip(table.column_names, table.columns, strict=True)
    }
    return [(None, None, columns, np.arange(1, table.num_rows + 1, dtype=np.int32))]


def _column_as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_floating(column.type) or pa.types.is_boolean(column.type):
        cells = [_as_text(cell) or None for cell in column.to_pylist()]
        return pa.chunked_array([pa.array(cells, pa.string())])
    return column.cast(pa.string())


def _as_text(cell: Any) -> str:
    """A typed cell in its plain written form."""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float):
        return "" if cell != cell else format(Decimal(repr(cell)).normalize(), "f")
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ") if cell.time() != time() else cell.date().isoformat()
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    if cell is None or isinstance(cell, timedelta):
        return "" if cell is None else str(cell)
    return str(cell)


def _table(
    rows: Iterator[Row], schema: LedgerSchema, name: str, sheet: str | None
) -> tuple[dict[str, pa.ChunkedArray], npt.NDArray[np.int32]]:
    """Find the heading, then take the records below it; blank rows are skipped."""
    heading = _find_heading(rows, schema, name, sheet)
    width = len(heading)
    while width and not heading[width - 1].strip():
        width -= 1
    heading = heading[:width]
    lines: list[int] = []
    records: list[Sequence[str]] = []
    for line, row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != width:
            if any(cell.strip() for cell in row[width:]) or (sheet is None and len(row) < width):
                place = f"{sheet}!{line}" if sheet else str(line)
                message = (
                    f"{name}:{place} has {len(row)} cells, its heading has {width}; "
                    "a separator inside a cell must be quoted"
                )
                raise InputError("ledger-ragged", message, file=name, line=place)
            row = (row + [""] * width)[:width]
        lines.append(line)
        records.append(row)
    cells = zip(*records, strict=True) if records else [()] * width
    columns = {
        title: pa.chunked_array([pa.array(column, pa.string())])
        for title, column in zip(heading, cells, strict=True)
        if title.strip()
    }
    return columns, np.array(lines, dtype=np.int32)


def _find_heading(
    rows: Iterator[Row], schema: LedgerSchema, name: str, sheet: str | None
) -> list[str]:
    best: list[str] = []
    for (_, row), _ in zip(rows, range(_SEARCHED_FOR_HEADING), strict=False):
        if _names_ledger(row, schema):
            titles = [title for title in row if title.strip()]
            if len(set(titles)) < len(titles):
                twice = next(title for title in titles if titles.count(title) > 1)
                message = f"{name}: the heading '{twice}' stands twice; rename one of them"
                raise InputError("ledger-heading-twice", message, file=name)
            return row
        best = max(best, row, key=lambda row: _named(row, schema))
    raise _no_heading(name, sheet, schema, best)


def _named(row: Sequence[str], schema: LedgerSchema) -> int:
    wanted = schema.headings()
    return len({wanted[loose(cell)][0].name for cell in row if loose(cell) in wanted})


def _names_ledger(row: Sequence[str], schema: LedgerSchema) -> bool:
    # A data row or a title cannot name most of the required columns; a heading with one
    # misspelt column can, and the missing column is then told by its name.
    required = sum(column.required for column in schema.columns)
    return _named(row, schema) >= max(2, (required + 1) // 2)


def _no_heading(
    name: str, sheet: str | None, schema: LedgerSchema, nearest: Sequence[str]
) -> InputError:
    wanted = "、".join(column.name for column in schema.columns if column.required)
    found = "、".join(cell for cell in nearest if cell.strip()) or "nothing"
    message = (
        f"{name}: no heading of the ledger {schema.name} in the first "
        f"{_SEARCHED_FOR_HEADING} rows; it must name {wanted}; nearest row: {found}"
    )
    return InputError("ledger-heading", message, file=name, sheet=sheet)
