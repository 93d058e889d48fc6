"""Raw ledgers read a second time, by other libraries than the first: all cells as plain text.

The csv module of Python, openpyxl and DuckDB stand against pyarrow and our own reading of XML.
What was read where (file, sheet, encoding, heading of each column) is taken from the run's
manifest, since that is what is to be checked.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import openpyxl
import pyarrow as pa

from reportkit.errors import ReportkitError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


SUMS = re.compile(
    r"(?:本[页月季年]|全年)?\s*[合小总共累]\s*计\s*(?:[(（][^()（）]{0,6}[)）])?\s*[:：]?"
)
LINE, SUM, EPOCH = " line", " sum", " epoch"
_SEARCHED = 21
Line = tuple[int, list[str]]


def read_source(
    source: Mapping[str, Any], path: Path, connection: duckdb.DuckDBPyConnection
) -> Any:
    """One file or sheet of a ledger as text.

    Parameters
    ----------
    source : mapping
        As in the manifest: ``format``, ``sheet``, ``encoding``, ``columns`` with their headings.
    path : Path
        Where the file is now.
    connection : duckdb.DuckDBPyConnection
        Reads parquet.

    Returns
    -------
    pyarrow.Table
        A text column for each column of the ledger; and where the record stands (line), whether
        it is a sum row, and the year that day numbers count from.

    Raises
    ------
    ReportkitError
        ``ledger-other``: the file cannot be read as the manifest says it was.
    """
    try:
        if source["format"] == "parquet":
            return _parquet(source, path, connection)
        if source["format"] == "csv":
            return _csv(source, path)
        return _xlsx(source, path)
    except (OSError, ValueError, KeyError, csv.Error, zipfile.BadZipFile, duckdb.Error) as error:
        message = f"{source['path']} cannot be read as it was: {error}"
        raise ReportkitError("ledger-other", message, file=source["path"]) from None


def _parquet(
    source: Mapping[str, Any], path: Path, connection: duckdb.DuckDBPyConnection
) -> pa.Table:
    named = source["columns"]
    chosen = [f'CAST("{_quoted(title)}" AS VARCHAR) AS "{name}"' for name, title in named.items()]
    query = f"SELECT {', '.join(chosen)} FROM read_parquet(?)"  # noqa: S608 - names are quoted
    found = connection.sql(query, params=[str(path)]).to_arrow_table()
    cells = [[_bare(cell or "") for cell in column.to_pylist()] for column in found.columns]
    sums = [any(map(SUMS.fullmatch, row)) for row in zip(*cells, strict=True)]
    return _table(list(named), cells, list(range(1, len(sums) + 1)), sums, 1900)


def _quoted(name: str) -> str:
    return name.replace('"', '""')


def _csv(source: Mapping[str, Any], path: Path) -> pa.Table:
    text = path.read_bytes().decode(source["encoding"] or "utf-8").removeprefix("\ufeff")
    for delimiter in ",;\t":
        lines = _csv_lines(text, delimiter)
        try:
            return _records(lines, source["columns"], 1900)
        except LookupError:
            continue
    message = "its heading is not there"
    raise ValueError(message)


def _csv_lines(text: str, delimiter: str) -> Iterator[Line]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    for row in reader:
        yield line, row
        line = reader.line_num + 1


def _xlsx(source: Mapping[str, Any], path: Path) -> pa.Table:
    # Merged ranges are known only when the whole sheet is held.
    book = openpyxl.load_workbook(path, read_only=source.get("merged") is False, data_only=True)
    try:
        sheet = book[source["sheet"]]
        if book.read_only:
            sheet.reset_dimensions()  # some programs write a wrong one
        epoch = 1904 if book.epoch.year == 1904 else 1900
        spread = _merged(sheet)
        lines = (
            (number, [_text(spread.get((number, c), value)) for c, value in enumerate(row, 1)])
            for number, row in enumerate(sheet.iter_rows(values_only=True), 1)
        )
        return _records(lines, source["columns"], epoch)
    except LookupError:
        message = f"the sheet {source['sheet']} or its heading is not there"
        raise ValueError(message) from None
    finally:
        book.close()


def _merged(sheet: Any) -> dict[tuple[int, int], Any]:
    """Cells of the first column of each merged range, which all show its first value."""
    ranges = getattr(sheet, "merged_cells", None)
    found = {}
    for one in ranges.ranges if ranges else ():
        value = sheet.cell(one.min_row, one.min_col).value
        for row in range(one.min_row, one.max_row + 1):
            found[row, one.min_col] = value
    return found


def _text(cell: Any) -> str:
    """A typed cell as it would be written."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float):
        return format(Decimal(repr(cell)).normalize(), "f") if cell == cell else ""
    if isinstance(cell, datetime):
        return str(cell.date()) if cell.time() == time() else str(cell)
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)


def _records(lines: Iterator[Line], columns: Mapping[str, str], epoch: int) -> pa.Table:
    """Records below the heading; rows without any text are none.

    Raises
    ------
    LookupError
        The heading is not among the first rows.
    """
    places, rest = _heading(lines, columns)
    numbers: list[int] = []
    sums: list[bool] = []
    cells: list[list[str]] = [[] for _ in columns]
    for line, row in rest:
        if not any(map(str.strip, row)):
            continue
        numbers.append(line)
        sums.append(any(SUMS.fullmatch(cell.strip()) for cell in row if len(cell) < _SEARCHED))
        for found, place in zip(cells, places, strict=True):
            found.append(_bare(row[place]) if place < len(row) else "")
    return _table(list(columns), cells, numbers, sums, epoch)


def _bare(cell: str) -> str:
    return cell.strip().strip("\u200b\u200c\u200d\ufeff").strip()


def _table(
    names: list[str], cells: list[list[str]], lines: list[int], sums: list[bool], epoch: int
) -> pa.Table:
    made = {name: pa.array(one, pa.string()) for name, one in zip(names, cells, strict=True)}
    made[LINE] = pa.array(lines, pa.int64())
    made[SUM] = pa.array(sums, pa.bool_())
    made[EPOCH] = pa.array([epoch] * len(lines), pa.int64())
    return pa.table(made)


def _heading(lines: Iterator[Line], columns: Mapping[str, str]) -> tuple[list[int], Iterator[Line]]:
    """Number of each column in its rows, and the rows below a heading of one row or two."""
    above: list[str] = []
    for _, (_, row) in zip(range(_SEARCHED), lines, strict=False):
        upper, lower = [[cell.strip() for cell in one] for one in (above, row)]
        for titles in ([lower], [_joined(upper, lower), lower, upper]):
            found = [next((t.index(h) for t in titles if h in t), None) for h in columns.values()]
            places = [place for place in found if place is not None]
            if len(places) == len(found):
                return places, lines
        above = row
    raise LookupError


def _joined(above: list[str], below: list[str]) -> list[str]:
    """Titles of a heading in two rows: groups above the names of their columns."""
    titles, group = [], ""
    width = max(len(above), len(below))
    padded = (one + [""] * (width - len(one)) for one in (above, below))
    for upper, lower in zip(*padded, strict=True):
        group = upper if upper or not lower else group
        titles.append(group + lower)
    return titles
