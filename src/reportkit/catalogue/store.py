"""The store: facts, runs and checks of all runs in force as Parquet, and an index that names them.

It is a cache: the links ``current`` say what is in force. Their stamps tell which runs have
changed, and only the files with rows of these are written again, each named by its digest. The
index is replaced once they are on the disk, and files that it no longer names are removed last: a
process that is killed in between leaves the store as it was.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import re
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from reportkit.catalogue.runs import SCHEMAS, in_force, read_run
from reportkit.errors import ReportkitError
from reportkit.export.files import HALVES, digest, digest_of, write_whole
from reportkit.language.message import packed, unpacked
from reportkit.params.naming import year_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reportkit.catalogue.runs import CurrentRun
    from reportkit.params.naming import Report

NAME = ".store"
# Files of a year: a new run costs the rewriting of one of each table.
_BUCKETS = {"facts": 16, "runs": 1, "checks": 16}
_REPORT = ("district", "report")
_ORDER = {"facts": ("fact", *_REPORT), "runs": _REPORT, "checks": ("check", *_REPORT)}
# Another version of pyarrow may write other bytes for the same rows.
_MADE_BY = {"schema": "reportkit/store/2", "pyarrow": pa.__version__}
_INDEX = "index.json"
_FILE = re.compile(r"(facts|runs|checks)/year=\d{4}/\d\d-[0-9a-f]{64}\.parquet")

Bucket = tuple[str, int, int]


@dataclass(frozen=True)
class Store:
    """A store as one index names it.

    Parameters
    ----------
    folder : Path
    index : mapping
        ``files`` by table and ``year/bucket``; ``runs`` and ``broken``: a stamp, or the reason why
        a run is not in the tables, by the folder of its report, ``district/year``.
    """

    folder: Path
    index: Mapping[str, Any]

    def names(self, table: str, year: int | None = None) -> list[str]:
        """Names of a table's files, of one year or all, in the order of years and buckets."""
        files = self.index["files"][table]
        return [name for at, name in files.items() if year is None or at.startswith(f"{year}/")]

    def read(
        self,
        table: str,
        *,
        year: int | None = None,
        filters: Any = None,
        columns: list[str] | None = None,
    ) -> pa.Table:
        """Rows of a table, each with its year.

        Parameters
        ----------
        table : {"facts", "runs", "checks"}
        year : int, optional
            Of this year alone.
        filters : pyarrow.compute.Expression, optional
        columns : list of str, optional
            Of those in `SCHEMAS`; all by default.
        """
        parts = []
        for name in self.names(table, year):
            # From an open file: pyarrow would make a column of the "year=" in its path.
            with (self.folder / name).open("rb") as file:
                part = pq.read_table(file, columns=columns, filters=filters)
            folder = name.split("/")[1]
            years = pa.array([int(folder.removeprefix("year="))] * part.num_rows, pa.int32())
            parts.append(part.append_column("year", years))
        schema = SCHEMAS[table]
        if columns:
            schema = pa.schema([schema.field(name) for name in columns])
        empty = schema.append(pa.field("year", pa.int32())).empty_table()
        return pa.concat_tables([empty, *parts])

    @cached_property
    def runs(self) -> dict[Report, dict[str, Any]]:
        """Rows of the table of runs, by their reports."""
        return {(run["district"], run["report"]): run for run in self.read("runs").to_pylist()}

    @property
    def broken(self) -> dict[Report, str]:
        """Runs in force that cannot be read, and why."""
        return {_key(name): unpacked(why) for name, why in self.index["broken"].items()}


def refresh(out: Path, folder: Path | None = None) -> Store:
    """Bring the store of a folder of reports up to what is in force.

    Parameters
    ----------
    out : Path
        The folder of reports.
    folder : Path, optional
        Of the store; within *out* by default.

    Raises
    ------
    OSError
        It cannot be written.
    """
    folder = folder or out / NAME
    now = in_force(out)
    index = _read_index(folder)
    if index and not index["broken"] and index["runs"] == _stamps(now):
        return Store(folder, index)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Another process may have done it meanwhile.
        now = in_force(out)
        index = _written(folder, _read_index(folder) or _nothing(), now)
        _clear(folder, index)
    return Store(folder, index)


@contextlib.contextmanager
def opened(out: Path) -> Iterator[Store]:
    """Yield the store, up to date; its files stay as long as it is read.

    Where it cannot be written it is made in a temporary folder.
    """
    try:
        refresh(out)
        reading = (out / NAME / ".reading").open("w")
    except OSError:
        with tempfile.TemporaryDirectory(prefix="reportkit-store-") as folder:
            yield refresh(out, Path(folder))
        return
    with reading:
        fcntl.flock(reading, fcntl.LOCK_SH)
        # No file that the index names now is removed while this lock is held.
        yield Store(out / NAME, _read_index(out / NAME) or _nothing())


def _nothing() -> dict[str, Any]:
    return {**_MADE_BY, "files": {name: {} for name in SCHEMAS}, "runs": {}, "broken": {}}


def _read_index(folder: Path) -> dict[str, Any] | None:
    """Return the index; None where there is none, or one of another version, or a file is gone."""
    try:
        index: dict[str, Any] = json.loads((folder / _INDEX).read_bytes())
        names = [name for table in SCHEMAS for name in index["files"][table].values()]
        whole = all(_FILE.fullmatch(name) and digest(folder / name) in name for name in names)
        same = {name: index.get(name) for name in _MADE_BY} == _MADE_BY
        known = all(isinstance(index[name], dict) for name in ("runs", "broken"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return index if whole and same and known else None


def _stamps(now: Mapping[Report, CurrentRun]) -> dict[str, list[Any]]:
    return {"/".join(key): run.stamp for key, run in now.items()}


def _key(name: str) -> Report:
    district, _, report = name.partition("/")
    return district, report


def _bucket(table: str, key: Report) -> Bucket:
    first = hashlib.sha256(key[0].encode()).digest()[0]
    return table, year_of(key), first % _BUCKETS[table]


def _written(
    folder: Path, index: dict[str, Any], now: Mapping[Report, CurrentRun]
) -> dict[str, Any]:
    """Write what has changed, then the index; return it."""
    stamps, known = _stamps(now), index["runs"]
    changed = {_key(name) for name in stamps.keys() | known if stamps.get(name) != known.get(name)}
    # A broken run may have been repaired without a change of size.
    changed |= {_key(name) for name in index["broken"] if name in stamps}
    files = {table: dict(names) for table, names in index["files"].items()}
    broken: dict[str, Any] = {}
    # A run has rows in a bucket of each table. By buckets of facts, few runs are in memory at once.
    groups: dict[Bucket, set[Report]] = {}
    for key in changed:
        groups.setdefault(_bucket("facts", key), set()).add(key)
    runs: dict[Bucket, tuple[set[Report], list[pa.Table]]] = {}
    for bucket, keys in sorted(groups.items()):
        read = dict(_read(now, keys, broken))
        for table in ("facts", "checks"):
            tables = [run[table] for run in read.values()]
            _put(folder, files, (table, *bucket[1:]), keys, tables)
        for key in keys:
            of_year = runs.setdefault(_bucket("runs", key), (set(), []))
            of_year[0].add(key)
            of_year[1].extend([read[key]["runs"]] if key in read else [])
    for bucket, (keys, tables) in sorted(runs.items()):
        _put(folder, files, bucket, keys, tables)
    fresh = {
        **_MADE_BY,
        "files": {table: dict(sorted(names.items())) for table, names in files.items()},
        "runs": {name: stamp for name, stamp in stamps.items() if name not in broken},
        "broken": dict(sorted(broken.items())),
    }
    if fresh != index or not (folder / _INDEX).is_file():
        content = json.dumps(fresh, ensure_ascii=False, separators=(",", ":")).encode()
        write_whole(folder / _INDEX, content, flushed=True)
    return fresh


def _read(
    now: Mapping[Report, CurrentRun], keys: Iterable[Report], broken: dict[str, Any]
) -> Iterator[tuple[Report, dict[str, pa.Table]]]:
    """Yield the tables of runs that are in force; *broken* takes why others cannot be read."""
    for key in sorted(keys):
        if key in now:
            try:
                yield key, read_run(now[key].folder, key)
            except ReportkitError as error:
                broken["/".join(key)] = packed(error.message)


def _put(
    folder: Path,
    files: dict[str, dict[str, str]],
    bucket: Bucket,
    keys: Iterable[Report],
    tables: list[pa.Table],
) -> None:
    """Write a bucket with new rows in the place of all that it has of these reports."""
    table, year, number = bucket
    name = f"{year}/{number:02}"
    new = pa.concat_tables([SCHEMAS[table].empty_table(), *tables])
    if old := files[table].get(name):
        kept = pq.read_table(folder / old, schema=SCHEMAS[table], partitioning=None)
        own = pa.array(sorted(map("/".join, keys)), pa.string())
        of_all = pc.binary_join_element_wise(kept["district"], kept["report"], "/")
        of_others = pc.invert(pc.is_in(of_all, value_set=own))
        new = pa.concat_tables([kept.filter(of_others), new])
    if not new.num_rows:
        files[table].pop(name, None)
        return
    new = new.sort_by([(column, "ascending") for column in _ORDER[table]]).combine_chunks()
    sink = pa.BufferOutputStream()
    pq.write_table(new, sink, compression="zstd", store_schema=False)
    content = sink.getvalue().to_pybytes()
    files[table][name] = f"{table}/year={year}/{number:02}-{digest_of(content)}.parquet"
    path = folder / files[table][name]
    if not path.is_file() or path.read_bytes() != content:
        write_whole(path, content, flushed=True)


def _clear(folder: Path, index: Mapping[str, Any]) -> None:
    """Remove what the index does not name, unless somebody may be reading it."""
    with (folder / ".reading").open("w") as reading:
        try:
            fcntl.flock(reading, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return
        named = {name for names in index["files"].values() for name in names.values()}
        for path in sorted(folder.glob("*/*/*"), reverse=True):
            if path.relative_to(folder).as_posix() not in named:
                path.unlink()
        for path in sorted(folder.glob("*/*")):
            with contextlib.suppress(OSError):
                path.rmdir()
        for half in folder.glob(HALVES):
            half.unlink()
