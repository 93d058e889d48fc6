"""Who reports, and what this report adds: districts, reports and narrative facts from YAML."""

from __future__ import annotations

import difflib
import re
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PrivateAttr, model_validator

from reportkit.errors import InputError
from reportkit.sources import LedgerSources
from reportkit.worktime import WorkCalendar, work_calendar
from reportkit.yamlfile import Strict, YamlFile, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ID = re.compile(r"[0-9a-z][0-9a-z_-]{0,63}")
FACT_ID = re.compile(r"[a-z][0-9a-z_]*(\.[0-9a-z_]+)+")
Scope = Literal["district", "office"]
Level = Literal["department", "county", "city", "province"]


def _check_fact_id(value: Any) -> Any:
    if not FACT_ID.fullmatch(str(value)):
        message = "a fact id is lower case words joined by dots, such as pub.total"
        raise ValueError(message)
    return value


FactId = Annotated[str, BeforeValidator(_check_fact_id)]


class Contact(Strict):
    """Where readers turn to."""

    address: str | None = None
    postcode: str | None = None
    phone: str | None = None
    fax: str | None = None
    email: str | None = None


class Fonts(Strict):
    """Typefaces that the office may use itself, for the PDF; files in a folder beside ours."""

    folder: str
    fang: str | None = None
    kai: str | None = None
    hei: str | None = None
    biao: str | None = None
    song: str | None = None


class District(Strict):
    """Who reports: ``params/districts/<id>.yaml``."""

    id: str
    name: str
    code: str | None = None
    issuer: str | None = None
    office: str | None = None
    parent: str | None = None
    scope: Scope = "district"
    level: Level = "county"
    website: str | None = None
    contact: Contact = Contact()
    document_prefix: str | None = None
    synthetic: bool = False
    fonts: Fonts | None = None
    ledgers: dict[str, LedgerSources] = Field(default_factory=dict)


class Declared(Strict):
    """A figure that no ledger holds: who stated it, when, and where it stands.

    A value that is left empty is still to do.
    """

    id: FactId
    label: str
    value: str | None
    unit: str = ""
    source: str | None = None
    stated_by: str | None = None
    stated_on: date | None = None
    _place: str = PrivateAttr("")

    @model_validator(mode="after")
    def _is_stated(self) -> Declared:
        missing = [
            name for name in ("source", "stated_by", "stated_on") if getattr(self, name) is None
        ]
        if self.value is not None and missing:
            message = (
                f"'{self.id}' states a figure that no ledger holds, without {', '.join(missing)}: "
                "say where it stands, who stated it and on which day"
            )
            raise ValueError(message)
        return self

    @property
    def place(self) -> str:
        """File and line, to begin an error with."""
        return self._place


class Share(Strict):
    """A percentage that the text states, with the part and the whole it must follow from."""

    percent: FactId
    part: FactId
    whole: FactId


class Relation(Strict):
    """How figures of the text must agree; one of three kinds.

    ``left`` and ``right``: both sums are equal. ``parts`` and ``whole``: what the parts add up to
    is at most the whole (73 of 76). ``share``: a stated percentage is the part of the whole,
    rounded half up to the places it is stated with.
    """

    title: str
    left: list[FactId] | None = None
    right: list[FactId] | None = None
    parts: list[FactId] | None = None
    whole: FactId | None = None
    share: Share | None = None
    severity: Literal["error", "warning", "info"] = "error"

    @model_validator(mode="after")
    def _is_one_kind(self) -> Relation:
        kinds = [("left", "right"), ("parts", "whole"), ("share",)]
        given = {name for kind in kinds for name in kind if getattr(self, name) is not None}
        if given not in map(set, kinds):
            message = "a relation has left and right, or parts and whole, or share"
            raise ValueError(message)
        return self

    @property
    def facts(self) -> tuple[str, ...]:
        """All facts that take part."""
        share = self.share
        named = (share.percent, share.part, share.whole) if share else (self.whole,)
        listed = (*(self.left or ()), *(self.right or ()), *(self.parts or ()), *named)
        return tuple(name for name in listed if name)


class Figures(Strict):
    """The two sides of a finding, as they were when it was accepted."""

    left: str | None = None
    right: str | None = None


class Waiver(Strict):
    """A finding that somebody accepts as it stands, until its figures change."""

    check: str
    facts: list[FactId] = Field(default_factory=list)
    place: str | None = None
    figures: Figures = Figures()
    reason: str = Field(min_length=1)
    by: str = Field(min_length=1)
    on: date

    @model_validator(mode="after")
    def _one_finding(self) -> Waiver:
        if not self.facts and not self.place:
            message = "names neither facts nor place; one of them says which finding is meant"
            raise ValueError(message)
        return self


class ReportParams(Strict):
    """What one report adds: ``params/reports/<id>/<year>.yaml``."""

    year: int
    title: str | None = None
    document_number: str | None = None
    dated: date | None = None
    printed: date | None = None
    declared: list[Declared] = Field(default_factory=list)
    relations: list[Relation] = Field(default_factory=list)
    waivers: list[Waiver] = Field(default_factory=list)


@dataclass(frozen=True)
class Project:
    """The folders a report is made from; paths are kept as given."""

    params: Path
    data: Path
    out: Path = Path("outputs")

    @classmethod
    def find(
        cls,
        params: str | Path | None = None,
        data: str | Path | None = None,
        out: str | Path | None = None,
    ) -> Project:
        """The project around the working folder: the nearest one above it with ``params/``.

        Parameters
        ----------
        params, data, out : path, optional
            Folders to use instead; ``outputs`` stands beside ``params``.
        """
        here = Path.cwd()
        root = next((p for p in (here, *here.parents) if (p / "params/districts").is_dir()), here)
        base = Path() if root == here else root
        folder = Path(params or base / "params")
        return cls(folder, Path(data or base / "data"), Path(out or folder.parent / "outputs"))

    def district(self, name: str) -> District:
        """Parameters of a district.

        Raises
        ------
        InputError
            ``district-unknown`` with the nearest known ids, or ``parameters``.
        """
        check_id(name)
        path = self.params / "districts" / f"{name}.yaml"
        if not path.is_file():
            known = sorted(p.stem for p in path.parent.glob("*.yaml"))
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or known[:8]
            message = f"there is no district '{name}' ({path} is missing); " + (
                f"known: {', '.join(near)}" if near else f"{path.parent} holds no district"
            )
            raise InputError("district-unknown", message, district=name)
        file = read_yaml(path)
        district = file.validate(District)
        if district.id != name:
            message = file.problem(("id",), f"id is '{district.id}', the file is named '{name}'")
            raise InputError("parameters", message, district=name)
        return district

    def members(self, parent: str) -> tuple[str, ...]:
        """Ids of the districts whose reports a parent's report sums up."""
        known = _known.get()
        if known is not None and known[:2] == (self.params, parent):
            return known[2]
        return self.families(parent).get(parent, ())

    def families(self, parent: str = "parent") -> dict[str, tuple[str, ...]]:
        """Each parent with its members, in the order of their ids; reads every district file.

        Parameters
        ----------
        parent : str
            Files without this text are passed over: parsing thousands takes a second.
        """
        found: dict[str, tuple[str, ...]] = {}
        for path in sorted((self.params / "districts").glob("*.yaml")):
            if parent.encode() in path.read_bytes():
                data = read_yaml(path).data
                name = data.get("parent") if isinstance(data, dict) else None
                if isinstance(name, str):
                    found[name] = (*found.get(name, ()), path.stem)
        return found

    def report(self, district: str, year: int) -> ReportParams:
        """Parameters of one report; a report without a file has none.

        Raises
        ------
        InputError
            ``parameters``: with file, line and the nearest known key.
        """
        path = self.report_file(district, year, "yaml")
        if not path.is_file():
            return ReportParams(year=year)
        file = read_yaml(path)
        report = file.validate(ReportParams)
        if report.year != year:
            message = file.problem(("year",), f"year is {report.year}, the file is for {year}")
            raise InputError("parameters", message, district=district, year=year)
        _refuse_twice(file, [fact.id for fact in report.declared], ("declared",))
        for number, fact in enumerate(report.declared):
            fact._place = f"{path}:{file.line(('declared', number, 'value'))}"
        return report

    def report_file(self, district: str, year: int, suffix: str) -> Path:
        """A file of one report: ``yaml``, ``md`` (narrative) or ``published.json``."""
        return self.params / "reports" / district / f"{year}.{suffix}"

    @property
    def holidays_file(self) -> Path:
        """Years of holidays that the project adds; most projects have none."""
        return self.params / "holidays.yaml"

    def calendar(self) -> WorkCalendar:
        """Working days: those that the package knows, and the project's own years.

        Raises
        ------
        InputError
            ``parameters``: with file and line.
        """
        return work_calendar(self.holidays_file)


_Known = tuple[Path, str, tuple[str, ...]]
_known: ContextVar[_Known | None] = ContextVar("known members", default=None)


@contextmanager
def members_known(project: Project, parent: str, members: tuple[str, ...]) -> Iterator[None]:
    """Within it nobody looks for a parent's members, in kernels forked from here neither."""
    token = _known.set((project.params, parent, members))
    try:
        yield
    finally:
        _known.reset(token)


def check_id(name: str) -> str:
    """A district id that is safe as a file name.

    Raises
    ------
    InputError
        ``id``: it is not.
    """
    if not ID.fullmatch(name):
        message = (
            f"'{name}' is no district id; ids are lower case letters, digits, '-' and '_', "
            "64 at most"
        )
        raise InputError("id", message)
    return name


def _refuse_twice(file: YamlFile, ids: list[str], key: tuple[str, ...]) -> None:
    for number, name in enumerate(ids):
        if name in ids[:number]:
            message = file.problem((*key, number), f"fact '{name}' is declared twice")
            raise InputError("parameters", message, file=str(file.path))
