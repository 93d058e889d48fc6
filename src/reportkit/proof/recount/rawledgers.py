"""Raw ledgers read a second time, by other readers than the first: all cells as plain text.

An expression for the cells of a csv text, calamine, DuckDB, and a database's rows put in order by
Python stand against the csv module of Python, our own reading of sheets, pyarrow, and Arrow's
order. What was read where (file, sheet, encoding, heading of each column) is taken from the run's
manifest, since that is what is to be checked.
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reportkit.errors import ReportkitError
from reportkit.export.files import digest
from reportkit.language import Message
from reportkit.ledgers.normal import outer, pairs, table
from reportkit.persons import without_persons
from reportkit.proof.recount.workbooks import Spread, plain_text, read_sheets

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from reportkit.ledgers.schema import LedgerSchema
    from reportkit.params.sources import DatabaseSource

Line = tuple[int, list[str]]
_BLANK = "[\\s\u3000\u00a0]*"  # Arrow's \s is of ASCII only
SUMS = (
    f"^(?:本[页月季年]|全年)?{_BLANK}[合小总共累]{_BLANK}计{_BLANK}"
    f"(?:[(（][^()（）]{{0,6}}[)）])?{_BLANK}[:：]?$"
)
_SEARCHED, _HEADING_ROWS = 20, 3
_FOOTERS = 10
# 填表人：…, 单位负责人（签字）：…, 说明：… alone in the last rows, or 填表人 and who, by turns.
_SIGNS = (
    r"(?:填表|填报|制表|审核|审批|复核|经办|(?:单位)?负责|统计|联系)(?:人|日期|单位|电话)"
    r"(?:[(（]?签[字章名][)）]?)?"
)
_FOOTER = re.compile(rf"(?:{_SIGNS}|备注|说明|注)\s*[：:]|以下空白|以下无正文")
_SIGN = re.compile(rf"{_SIGNS}\s*[：:]?")
# 示例, （例）, 示例1; 例：… and 例如….
_EXAMPLE = re.compile(
    r"[(\[【〔]?(?:填写|填报)?(?:(?:示|样|范)例|例子?|举例|例如)"
    r"(?:[-_ ]*\d{0,3}[)\]】〕]?|[)\]】〕]? *[:,].*)",
    re.ASCII,
)
_HINTS = ("", "必填", "选填", "必填项", "选填项")
_CHINA = ZoneInfo("Asia/Shanghai")
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Cells:
    """One file, sheet or table of a ledger as text.

    Parameters
    ----------
    columns : mapping of str to pyarrow.Array
        Text columns by their names in the ledger, without white space around the cells.
    lines : numpy.ndarray
        Where each record stands.
    aside : numpy.ndarray of bool
        Rows that are sums of others, or are signed below the table.
    epoch : int
        The year that day numbers count from.
    sha256 : str
        Digest of the file as it is now, or of the ordered records of a table.
    """

    columns: Mapping[str, pa.Array]
    lines: np.ndarray[Any, Any]
    aside: np.ndarray[Any, Any]
    epoch: int
    sha256: str


def read_cells(
    source: Mapping[str, Any],
    place: Path | DatabaseSource,
    connection: duckdb.DuckDBPyConnection,
    schema: LedgerSchema,
    *,
    key: str = "",
    data: Path | None = None,
) -> Cells:
    """One file, sheet or table of a ledger as text.

    Parameters
    ----------
    source : mapping
        As in the manifest: ``format``, ``sheet``, ``encoding``, ``columns`` with their headings.
    place : Path or DatabaseSource
        Where it is now.
    connection : duckdb.DuckDBPyConnection
        Reads parquet.
    schema : LedgerSchema
        The ledger's, with the office's own words.
    key, data
        The ledger, and the folder of files of SQLite and DuckDB.

    Raises
    ------
    ReportkitError
        ``ledger-other``: it cannot be read as the manifest says it was; what a database answers.
    """
    try:
        if not isinstance(place, Path):
            return _table(source, place, schema, key, data or Path())
        if source["format"] == "parquet":
            return _parquet(source, place, connection, schema)
        if source["format"] == "csv":
            return _csv(source, place, schema)
        sheet = read_sheets(place, source["format"])[source["sheet"]]
        return _records(sheet.rows, source, sheet.epoch, digest(place), schema)
    except LookupError as error:
        message = str(error) or Message("its heading is not there")
    except (OSError, ValueError, TypeError, zipfile.BadZipFile) as error:
        message = str(error)
    except duckdb.Error as error:
        message = str(error)
    raise ReportkitError(
        "ledger-other",
        "{file} cannot be read as it was: {problem}",
        problem=without_persons(message),
        file=source["path"],
    ) from None


def _parquet(
    source: Mapping[str, Any],
    path: Path,
    connection: duckdb.DuckDBPyConnection,
    schema: LedgerSchema,
) -> Cells:
    connection.execute("SET TimeZone = 'Asia/Shanghai'")
    table = connection.sql("SELECT * FROM read_parquet(?)", params=[str(path)]).to_arrow_table()
    texts = {name: _texts(table[name].combine_chunks()) for name in source["columns"].values()}
    lines = np.arange(1, table.num_rows + 1)
    return _cells(texts, source["columns"], lines, 1900, digest(path), schema)


def _texts(column: pa.Array) -> pa.Array:
    if pa.types.is_string(column.type) or pa.types.is_integer(column.type):
        return column.cast(pa.string())
    different = column.dictionary_encode()
    cells = [
        cell.replace(tzinfo=None) if isinstance(cell, datetime) else cell
        for cell in different.dictionary.to_pylist()
    ]
    return pa.array(map(plain_text, cells), pa.string()).take(different.indices)


def _csv(source: Mapping[str, Any], path: Path, schema: LedgerSchema) -> Cells:
    text = path.read_bytes().decode(source["encoding"] or "utf-8").removeprefix("\ufeff")
    named = re.match(r"(?i)sep=([^\w\"\r\n])[\r\n]", text)
    for delimiter in named[1] if named else ",;\t":
        try:
            return _records(csv_lines(text, delimiter), source, 1900, digest(path), schema)
        except LookupError:
            continue
    raise LookupError


def csv_lines(text: str, delimiter: str) -> Iterator[Line]:
    """Rows of a csv text with the lines that they begin on, cell by cell."""
    cell = re.compile(
        rf'(?:"((?:[^"]+|"")*)"|((?!")[^{re.escape(delimiter)}\r\n]*))'
        rf"({re.escape(delimiter)}|\r\n|\r|\n|\Z)"
    )
    row: list[str] = []
    at = begun = 0
    line = 1
    while at < len(text) or row:
        match = cell.match(text, at)
        if match is None:
            raise ValueError(Message("line {line} is not well-formed csv", line=line))
        at = match.end()
        row.append(match[2] if match[1] is None else match[1].replace('""', '"'))
        if match[3] != delimiter:
            yield line, row
            line += len(_LINE_END.findall(text, begun, at))
            row, begun = [], at


def _records(
    lines: Iterator[Line], source: Mapping[str, Any], epoch: int, sha256: str, schema: LedgerSchema
) -> Cells:
    """Records below the heading; rows without any text are none.

    Raises
    ------
    LookupError
        The heading is not among the first rows.
    """
    places, rest = _heading(lines, source["columns"].values())
    own = places[source["columns"][schema.key_column]]
    numbers, rows = [], []
    for line, row in rest:
        if any(map(str.strip, row)):
            # A key is that of one record, though its cell be merged beside several.
            if isinstance(row[own], Spread):
                row[own] = ""
            numbers.append(line)
            rows.append(row)
    width = max([*map(len, rows), *(place + 1 for place in places.values())])
    full = [row if len(row) == width else row + [""] * (width - len(row)) for row in rows]
    columns = zip(*full, strict=True) if full else ([] for _ in range(width))
    texts = {str(at): pa.array(column, pa.string()) for at, column in enumerate(columns)}
    named = {name: str(places[title]) for name, title in source["columns"].items()}
    at = np.array(numbers, dtype=np.int64)
    return _cells(texts, named, at, epoch, sha256, schema, titles=source["columns"])


def _cells(
    texts: Mapping[str, pa.Array],
    named: Mapping[str, str],
    lines: Any,
    epoch: int,
    sha256: str,
    schema: LedgerSchema,
    *,
    titles: Mapping[str, str] | None = None,
) -> Cells:
    """The columns of a ledger out of all cells of a file, with a mask of what is no record."""
    bare = {title: _bare(column) for title, column in texts.items()}
    fixed = {
        column.name: pa.repeat(pa.scalar(column.fixed), len(lines))
        for column in schema.columns
        if column.fixed is not None
    }
    columns = {name: bare[title] for name, title in named.items()} | fixed
    aside = _no_records(bare, columns, set(named.values()), schema)
    # Rows with nothing in the ledger's columns, the heading once more, or what to fill in.
    empty, hints = np.ones(len(lines), dtype=bool), np.ones(len(lines), dtype=bool)
    same = np.zeros(len(lines), dtype=int)
    for name, title in named.items():
        cells = bare[title].fill_null("")
        empty &= np.asarray(pc.equal(cells, ""))
        hints &= np.asarray(pc.is_in(cells, value_set=pa.array(_HINTS, cells.type)))
        same += np.asarray(pc.equal(cells, (titles or named)[name]))
    aside |= empty | hints | (same > 1)
    for row in range(max(0, len(lines) - _FOOTERS), len(lines)):
        filled = [cell for column in bare.values() if (cell := column[row].as_py())]
        signed = [bool(_SIGN.fullmatch(cell)) for cell in filled]
        aside[row] |= bool(filled) and all(
            signed[at] or _FOOTER.match(cell) or (at > 0 and signed[at - 1])
            for at, cell in enumerate(filled)
        )
    return Cells(columns, lines, aside, epoch, sha256)


def _no_records(
    bare: Mapping[str, pa.Array],
    columns: Mapping[str, pa.Array],
    own: Collection[str],
    schema: LedgerSchema,
) -> Any:
    """Rows that are sums of others, or examples.

    A sum says so, and has no key or no day; what says so in a column of no ledger has neither.
    """
    key, day = columns[schema.key_column], columns[schema.day_column.name]
    mask = np.zeros(len(key), dtype=bool)
    for title, cells in bare.items():
        says = pc.match_substring_regex(cells, SUMS).fill_null(False)
        for row in np.flatnonzero(says.to_numpy(zero_copy_only=False)).tolist():
            label = cells[row].as_py()
            void = [
                value in (None, label) or _folded(value) in table()["nothing"]
                for value in (key[row].as_py(), day[row].as_py())
            ]
            mask[row] |= any(void) if title in own else all(void)
    near = pc.match_substring(key, "例").fill_null(False).to_numpy(zero_copy_only=False)
    for row in np.flatnonzero(near).tolist():
        mask[row] |= bool(_EXAMPLE.fullmatch(_folded(key[row].as_py())))
    return mask


def _folded(text: str) -> str:
    before, after = pairs("fold")
    return text.translate(str.maketrans(before, after))


def _bare(column: pa.Array) -> pa.Array:
    """Cells without white space around them, and without what made a number a text."""
    trimmed = pc.utf8_trim(column, characters=outer())
    for forced in table()["forced_text"]:
        bare = pc.replace_substring_regex(trimmed, forced, r"\1")
        trimmed = pc.utf8_trim(bare, characters=outer())
    return trimmed


def _heading(lines: Iterator[Line], titles: Iterable[str]) -> tuple[dict[str, int], Iterator[Line]]:
    """Number of the column of each title, and the rows below a heading of one to three rows."""
    wanted = {"".join(title.split()): title for title in titles}
    stack: list[list[str]] = []
    for _, (_, row) in zip(range(_SEARCHED + _HEADING_ROWS), lines, strict=False):
        stack = [*stack[1 - _HEADING_ROWS :], ["".join(cell.split()) for cell in row]]
        for depth in range(1, len(stack) + 1):
            places: dict[str, int] = {}
            # Spaces and line breaks within a title do not count, nor does how many rows it has.
            for at, called in enumerate(_joined(stack[-depth:])):
                for title in wanted.keys() & called:
                    places.setdefault(wanted[title], at)
            if len(places) == len(wanted):
                return places, lines
    raise LookupError


def _joined(rows: list[list[str]]) -> list[set[str]]:
    """List the names of each column where groups stand above the names of columns."""
    width = max(map(len, rows))
    padded = [row + [""] * (width - len(row)) for row in rows]
    called: list[set[str]] = [{cell} - {""} for cell in padded.pop()]
    for row in reversed(padded):
        group = ""
        for at, above in enumerate(row):
            below = called[at]
            # A group is written once, above its first column; the cells beside it are empty.
            group = above if above or not below else group
            called[at] = below | {group + name for name in below} if below else {above} - {""}
    return called


def _table(
    source: Mapping[str, Any], place: DatabaseSource, schema: LedgerSchema, key: str, data: Path
) -> Cells:
    """A table of a database, read again in one snapshot; records in the order of their bytes."""
    from reportkit.ledgers.database import origin
    from reportkit.ledgers.sessions import LostError, open_session

    titles = source["columns"]
    try:
        with open_session(place, key, data) as session:
            present = session.columns(f"SELECT * FROM {origin(place)}")  # noqa: S608 - the district's
            names = [name for name in present if name in set(titles.values())]
            if missing := sorted(set(titles.values()) - set(names)):
                raise ValueError(Message("it has no column {missing}", missing="、".join(missing)))
            chosen = ", ".join(present[name].text for name in names)
            statement = f"SELECT {chosen} FROM {origin(place)}"  # noqa: S608 - the same
            rows = [list(map(_cell, row)) for rows in session.batches(statement) for row in rows]
    except LostError as error:
        raise ReportkitError(
            "ledger-unreachable",
            "{path} cannot be reached: {error}",
            path=source["path"],
            error=error,
        ) from None
    # By the key and then by all other columns; a column may be in the table in any place.
    first = titles[schema.key_column]
    order = [names.index(name) for name in [first, *sorted(set(names) - {first})]]
    rows.sort(key=lambda row: [(row[at] is None, row[at] or "") for at in order])
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    sha256 = hashlib.sha256("".join(encode(row) + "\n" for row in [names, *rows]).encode())
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    texts = {n: pa.array(column, pa.string()) for n, column in zip(names, columns, strict=True)}
    filled = {name: pc.fill_null(column, "") for name, column in texts.items()}
    return _cells(filled, titles, np.arange(1, len(rows) + 1), 1900, sha256.hexdigest(), schema)


def _cell(cell: Any) -> str | None:
    if isinstance(cell, datetime) and cell.tzinfo:
        cell = cell.astimezone(_CHINA).replace(tzinfo=None)
    return None if cell is None else plain_text(cell)
