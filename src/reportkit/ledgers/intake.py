"""From raw tables to typed records: each row is accepted, quarantined, rejected or set aside.

Rows are numbered from 0 through all files of a ledger in the order of their names, so that a row
number means the same record in the frame, in the evidence and in the row map.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from reportkit.errors import InputError
from reportkit.language import Message, joined
from reportkit.language.message import COMMA
from reportkit.ledgers.database import read_database
from reportkit.ledgers.mapping import chosen, mapped_schema, names_file, with_kept
from reportkit.ledgers.privacy import Pseudonyms
from reportkit.ledgers.readers.files import SUFFIXES, read_file
from reportkit.ledgers.reading import read_rows
from reportkit.ledgers.records import grouped
from reportkit.ledgers.rows import Part, Rows
from reportkit.ledgers.schema import map_headings, schema_of, schemas
from reportkit.params.sources import DatabaseSource
from reportkit.worktime import WorkCalendar, work_calendar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from reportkit.forms import Form
    from reportkit.ledgers.readers.table import RawTable
    from reportkit.ledgers.records import Ledger
    from reportkit.ledgers.schema import LedgerSchema
    from reportkit.params.mapping import LedgerMapping

# Tables of other programs, and what else people put records into.
_TABLES = (
    ".xlsb", ".xltx", ".xlt", ".et", ".ett", ".fods", ".numbers", ".xml", ".dbf", ".mdb", ".accdb",
    ".htm", ".html", ".mht", ".mhtml", ".tsv", ".tab", ".json", ".jsonl",
)  # fmt: skip
_PACKED = (".zip", ".rar", ".7z", ".gz")
_UNREADABLE = (*_TABLES, *_PACKED, ".txt", ".doc", ".docx", ".wps", ".rtf")
# More records refused than this share and the ledger is refused whole.
_REFUSED_LIMIT = 0.01


def entries_of(folder: Path) -> list[Path]:
    """List what a district's folder holds, by name; nothing if there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted(folder.iterdir(), key=lambda path: path.name)


def find_files(
    form: Form,
    folder: Path,
    key: str,
    entries: Iterable[Path] | None = None,
    *,
    mappings: Sequence[LedgerMapping] = (),
) -> list[Path]:
    """Files of a ledger in a district's folder: those named with its key or its Chinese name.

    Parameters
    ----------
    form : Form
    folder : Path
    key : str
        The ledger.
    entries : iterable of Path, optional
        What the folder holds, if that is known.
    mappings : sequence of LedgerMapping
        Their ``files`` are the ledger's too.

    Raises
    ------
    InputError
        ``ledger-format``: a file is named like the ledger but is of a kind that is not read, or
        is a link to nothing; ``file-name``: its name is no UTF-8.
    """
    names = (key, schema_of(form, key).name)
    # What begins with the longer name of another ledger is of that one.
    all_names = [name for other, schema in schemas(form).items() for name in (other, schema.name)]
    longer = tuple(name for name in all_names if name.startswith(names) and name not in names)
    found = []
    for path in entries_of(folder) if entries is None else entries:
        named = path.name.casefold()
        ours = named.startswith(names) and not named.startswith(longer)
        ours |= any(names_file(mapping, path.name) for mapping in mappings)
        if not ours or path.is_dir():
            continue
        try:
            path.name.encode()
        except UnicodeEncodeError:
            raise InputError(
                "file-name",
                "{folder} holds a file named {name!a}, which is no UTF-8; rename it",
                folder=folder,
                name=path.name,
                file=ascii(path.name),
            ) from None
        suffix = path.suffix.lower()
        if suffix in SUFFIXES and path.is_file():
            found.append(path)
        elif suffix in SUFFIXES:
            raise InputError(
                "ledger-format",
                "{file} is named like the ledger {name}, but is a link to no file; "
                "mend or remove it",
                name=names[1],
                file=path,
            )
        elif suffix in _UNREADABLE:
            save = Message("open it in Excel or WPS, save it as .xlsx")
            raise InputError(
                "ledger-format",
                "{file} is named like the ledger {name}, but only {suffixes} are read; {do}",
                name=names[1],
                suffixes=joined(COMMA, SUFFIXES),
                do=Message("unpack it") if suffix in _PACKED else save,
                file=path,
            )
    return found


def is_read(path: Path) -> bool:
    """Return True where a file is of a kind that is read."""
    return path.suffix.lower() in SUFFIXES


def unread_files(
    form: Form, folder: Path, *beside: Form, elsewhere: Collection[str] = ()
) -> list[Path]:
    """List the unread files: tables and archives named like no ledger, or in deeper folders.

    Of what is named like a ledger, too, all that is of no kind for records, such as a .pdf.
    Ledgers of forms that the district reports by *beside* this one are read with those; of ledgers
    that are kept *elsewhere*, as the district file says, nothing here is read.
    """
    known = [pair for own in (form, *beside) for pair in schemas(own).items()]
    here = [(key, schema) for key, schema in known if key not in elsewhere]
    names = tuple(name for key, schema in here for name in (key, schema.name))
    entries = entries_of(folder)
    inside = [inner for path in entries if path.is_dir() for inner in entries_of(path)]

    def unread(path: Path) -> bool:
        if path.is_dir() or path.name.startswith(("~$", ".")):
            return False
        suffix = path.suffix.lower()
        if path.parent == folder and path.name.casefold().startswith(names):
            return suffix not in (*SUFFIXES, *_UNREADABLE)
        return suffix in (*SUFFIXES, *_TABLES, *_PACKED)

    return [path for path in (*entries, *inside) if unread(path)]


def read_ledger(
    form: Form,
    key: str,
    sources: Sequence[Path | DatabaseSource],
    *,
    root: Path | None = None,
    data: Path | None = None,
    calendar: WorkCalendar | None = None,
    pseudonyms: Pseudonyms | None = None,
    tell: Callable[[str, int], object] = lambda _name, _rows: None,
    mappings: Sequence[LedgerMapping] = (),
    refuse: bool = True,
) -> Ledger:
    """Read, type and check all files and database tables of one ledger.

    Parameters
    ----------
    form : Form
        Whose ledger it is.
    key : str
        The ledger.
    sources : sequence of Path or DatabaseSource
        Its files and tables; at least one.
    root : Path, optional
        Paths are shown relative to this folder.
    data : Path, optional
        Files of SQLite and DuckDB are found from this folder on.
    calendar : WorkCalendar, optional
        Working days for limits; those that the package knows by default.
    pseudonyms : Pseudonyms, optional
        For personal columns that are kept; of a key for this session by default.
    tell : callable, optional
        Is given the file or table that is being read and the rows read of it so far.
    mappings : sequence of LedgerMapping
        How the office keeps the ledger in its own words.
    refuse : bool
        Too many rejected records are an error; else the ledger is returned all the same.

    Returns
    -------
    Ledger

    Raises
    ------
    InputError
        A file cannot be read, a required column is missing, or more than one record in a hundred
        is rejected; all places are named at once.
    """
    schema = schema_of(form, key)
    tables: list[tuple[RawTable, LedgerSchema, LedgerMapping | None]] = []
    for source in sources:
        name = source.shown if isinstance(source, DatabaseSource) else source.name
        mapping = chosen(mappings, name)
        own = mapped_schema(schema, mapping)
        if isinstance(source, DatabaseSource):
            telling = partial(tell, source.shown)
            read = [read_database(source, own, key=key, data=data or Path(), tell=telling)]
        else:
            name = shown_path(source, root)
            read = read_file(source, own, name=name, tell=partial(tell, name))
        tables += [(table, own, mapping) for table in read]
    # What reading needed for a while is no longer needed.
    pa.default_memory_pool().release_unused()
    parts = [
        Part(table, own, mapping, map_headings(list(table.columns), own, table.path, key))
        for table, own, mapping in tables
    ]
    rows = Rows.of(key, with_kept(schema, mappings), parts)
    pseudonyms = pseudonyms or Pseudonyms.of_this_session()
    ledger = read_rows(rows, calendar or work_calendar(), pseudonyms)
    if refuse and (refused := refusal(ledger)):
        raise refused
    return ledger


def refusal(ledger: Ledger) -> InputError | None:
    """Return the error that refuses a ledger as a whole, if too many of its records are bad."""
    refused = ledger.quarantined + ledger.rejected
    if refused <= _REFUSED_LIMIT * ledger.read:
        return None
    lines = joined("\n", grouped(v for v in ledger.violations if v.severity == "reject"))
    rejected = Message(
        "{refused} of {read} records of {name} are rejected, more than {limit:.0%}",
        refused=refused,
        read=ledger.read,
        name=ledger.schema.name,
        limit=_REFUSED_LIMIT,
    )
    return InputError(
        "ledger-rejected",
        "{rejected}; mend them and run again (`reportkit intake --all` lists each):\n{lines}",
        rejected=rejected,
        lines=lines,
        ledger=ledger.key,
    )


def shown_path(path: Path, root: Path | None) -> str:
    """A file as people are shown it: from *root* on, where it is in there."""
    if root is not None and path.is_relative_to(root):
        path = path.relative_to(root)
    return path.as_posix()
