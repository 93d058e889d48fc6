"""The ledgers of one district: where they are, and each read when it is first asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from reportkit.errors import InputError
from reportkit.ledgers.database import read_database
from reportkit.ledgers.intake import (
    find_files,
    is_read,
    read_ledger,
    refusal,
    shown_path,
    unread_files,
)
from reportkit.ledgers.mapping import chosen, mapped_schema, names_file
from reportkit.ledgers.mapping_check import forms_beside, mappings_of
from reportkit.ledgers.privacy import SESSION_NOTE, Pseudonyms
from reportkit.ledgers.records import Ledger
from reportkit.ledgers.schema import LedgerSchema, schema_of, schemas
from reportkit.params import District, Project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reportkit.params.sources import DatabaseSource

    # A ledger, and how its files stood when it was read.
    Kept = dict[tuple[object, ...], tuple[Ledger, dict[Path, tuple[int, ...]]]]


class Ledgers(Mapping[str, Ledger]):
    """The ledgers of a district, each read when it is first asked for.

    Parameters
    ----------
    project, district
        Whose ledgers, and where they are.
    tell : callable, optional
        Is given the file or table that is being read and the rows read of it so far.
    kept : dict, optional
        What was read before, for other reports: those who share it read a ledger once.
    """

    def __init__(
        self,
        project: Project,
        district: District,
        tell: Callable[[str, int], object] = lambda _name, _rows: None,
        kept: Kept | None = None,
    ) -> None:
        self._project, self._district, self._tell = project, district, tell
        self.form = project.form(district.form)
        self.calendar = project.calendar()
        self.pseudonyms = Pseudonyms.from_environment()
        self._kept: Kept = {} if kept is None else kept
        self._read: dict[str, Ledger] = {}
        self._stood: dict[Path, tuple[int, ...]] = {}
        self.refused: dict[str, Ledger] = {}
        self._beside = forms_beside(self.form, district, project.forms)
        known = {key for form in (self.form, *self._beside) for key in schemas(form)}
        if unknown := district.ledgers.keys() - known:
            raise InputError(
                "parameters",
                "ledgers names {unknown}; known are {known}",
                unknown=", ".join(sorted(unknown)),
                known=", ".join(schemas(self.form)),
                district=district.id,
            )
        file = project.params / "districts" / f"{district.id}.yaml"
        self.mappings = mappings_of(self.form, district, file) if district.mapping else {}

    @property
    def note(self) -> str:
        """Note on pseudonyms for the report's readers; empty where there are none."""
        return self.note_on(self)

    def note_on(self, keys: Iterable[str]) -> str:
        """The same where just these ledgers are read."""
        known = schemas(self.form)
        kept = any(column.pseudonym for key in keys for column in known[key].columns)
        return SESSION_NOTE if kept and self.pseudonyms.of_session else ""

    @property
    def row_key(self) -> bytes | None:
        """The privacy key, by which digests of records are keyed; None where there is none."""
        return self.pseudonyms.row_key

    @property
    def unread(self) -> list[str]:
        """Tables in the district's folder that belong to no ledger, as they are shown."""
        data = self._project.data
        listed = chain.from_iterable(self._district.ledgers.values())
        named = {data / source for source in listed if isinstance(source, str)}
        file = self._project.params / "districts" / f"{self._district.id}.yaml"
        others = (mappings_of(form, self._district, file) for form in self._beside)
        by_ledger = chain.from_iterable(each.values() for each in (self.mappings, *others))
        mappings = list(chain.from_iterable(by_ledger))
        folder, elsewhere = data / self._district.id, self._district.ledgers
        found = [
            path
            for path in unread_files(self.form, folder, *self._beside, elsewhere=elsewhere)
            if path not in named
            and not (is_read(path) and any(names_file(m, path.name) for m in mappings))
        ]
        return [path.relative_to(data.parent).as_posix() for path in found]

    def schema(self, key: str, file: str) -> LedgerSchema:
        """The schema that a file is read by: with the office's own words in it."""
        return mapped_schema(schema_of(self.form, key), chosen(self.mappings.get(key, ()), file))

    def sources(self, key: str) -> list[Path | DatabaseSource]:
        """List the sources of a ledger: as the district file says, else the files in its folder."""
        named = self._district.ledgers.get(key)
        if named is None:
            folder = self._project.data / self._district.id
            return [*find_files(self.form, folder, key, mappings=self.mappings.get(key, ()))]
        found = [
            self._project.data / source if isinstance(source, str) else source for source in named
        ]
        for path in found:
            if isinstance(path, Path) and not path.is_file():
                raise InputError(
                    "ledger-missing",
                    "{path}, named in the district file, is not there",
                    path=path,
                    district=self._district.id,
                    ledger=key,
                )
        return found

    @property
    def any_kept(self) -> bool:
        """Return True where the district keeps a ledger of its own, whichever."""
        return any(self.sources(key) for key in schemas(self.form))

    @property
    def only_adds(self) -> bool:
        """Return True for a parent that keeps none: its report can but add those of its members."""
        return bool(self._project.hierarchy().members(self._district.id)) and not self.any_kept

    def __getitem__(self, key: str) -> Ledger:
        if key not in self._read:
            sources = self.sources(key)
            if not sources:
                raise KeyError(key)
            words = self.mappings.get(key, ())
            name = (self.form, key, self._project.data, tuple(map(repr, sources)), repr(words))
            if name not in self._kept:
                stood = {source: _stands(source) for source in sources if isinstance(source, Path)}
                self._kept[name] = self._read_from(key, sources), stood
            self._read[key], stood = self._kept[name]
            self._stood |= stood
        return self._read[key]

    def _read_from(self, key: str, sources: list[Path | DatabaseSource]) -> Ledger:
        data = self._project.data
        # Shown from the data folder on, so that no document names a machine's folders.
        ledger = read_ledger(
            self.form,
            key,
            sources,
            root=data.parent,
            data=data,
            calendar=self.calendar,
            pseudonyms=self.pseudonyms,
            tell=self._tell,
            mappings=self.mappings.get(key, ()),
            refuse=False,
        )
        if refused := refusal(ledger):
            self.refused[key] = ledger
            raise refused
        return ledger

    def digests(self) -> dict[str, str]:
        """SHA-256 of each file and table that was read, as it was then, by its path or name."""
        root = self._project.data.parent
        found = {}
        for key, ledger in self._read.items():
            known = {source.path: source.sha256 for source in ledger.sources}
            for place in self.sources(key):
                if isinstance(place, Path):
                    found[place.as_posix()] = known[shown_path(place, root)]
                else:
                    found[place.shown] = known[place.shown]
        return found

    def changed(self) -> list[str]:
        """List what is no longer as it was read.

        A file that was not written to is not opened for this; a table of a database is read again.
        """
        found = []
        for key in self._read:
            for source in self.sources(key):
                if isinstance(source, Path):
                    if _stands(source) == self._stood.get(source):
                        continue
                    with source.open("rb") as file:
                        name, digest = str(source), hashlib.file_digest(file, "sha256").hexdigest()
                else:
                    own = self.schema(key, source.shown)
                    table = read_database(source, own, key=key, data=self._project.data)
                    name, digest = table.path, table.sha256
                known = {read.sha256 for read in self._read[key].sources}
                found += [] if digest in known else [name]
        return found

    def __iter__(self) -> Iterator[str]:
        return (key for key in schemas(self.form) if key in self._read)

    def __len__(self) -> int:
        return len(self._read)


def _stands(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def read_ledgers(
    district: str,
    year: int | None = None,
    *,
    form: str | None = None,
    params: str | Path | None = None,
    data: str | Path | None = None,
    tell: Callable[[str, int], object] = lambda _name, _rows: None,
) -> tuple[Ledgers, list[InputError]]:
    """Read every ledger of a district, going on after one that is refused.

    Parameters
    ----------
    district : str
    year : int, optional
        With a year, a ledger that its form needs and that is not there is a problem too.
    form : str, optional
        Whose ledgers they are; the district's usual one by default.
    params, data : path, optional
        As for `open_report`.
    tell : callable, optional
        Is given the file or table that is being read and the rows read of it so far.

    Returns
    -------
    tuple of Ledgers and list of InputError
    """
    project = Project.find(params, data)
    ledgers = Ledgers(project, project.district(district, form), tell)
    needed = ledgers.form.edition(year).ledgers() if year else set()
    problems = []
    for key, schema in schemas(ledgers.form).items():
        try:
            ledgers[key]
        except KeyError:
            if key in needed:
                problems.append(
                    InputError(
                        "ledger-missing",
                        "{name} is not in {data}",
                        name=schema.name,
                        data=project.data / district,
                        ledger=key,
                    )
                )
        except InputError as error:
            error.values.setdefault("ledger", key)
            problems.append(error)
    if not ledgers and not problems:
        problems.append(
            InputError(
                "ledger-missing",
                "no ledger is in {data}; a file's name begins with a ledger's",
                data=project.data / district,
                district=district,
            )
        )
    return ledgers, problems
