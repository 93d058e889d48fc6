"""Who reports, and what this report adds: districts, reports and narrative facts from YAML."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from reportkit.errors import InputError
from reportkit.sources import LedgerSources
from reportkit.worktime import WorkCalendar, work_calendar
from reportkit.yamlfile import Strict, YamlFile, read_yaml

ID = re.compile(r"[0-9a-z][0-9a-z_-]{0,63}")
FACT_ID = re.compile(r"[a-z][0-9a-z_]*(\.[0-9a-z_]+)+")
Scope = Literal["district", "office"]
_Measure = Literal["sum", "distinct", "first", "last", "median", "max"]


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
    website: str | None = None
    contact: Contact = Contact()
    document_prefix: str | None = None
    synthetic: bool = False
    fonts: Fonts | None = None
    ledgers: dict[str, LedgerSources] = Field(default_factory=dict)


class Declared(Strict):
    """A figure that no ledger holds, with who stated it and where it stands."""

    id: FactId
    label: str
    value: str
    unit: str = ""
    source: str
    stated_by: str | None = None
    stated_on: date | None = None


class Relation(Strict):
    """Figures of the text that must add up: the sum of the left ones is that of the right ones."""

    title: str
    left: list[FactId]
    right: list[FactId]
    severity: Literal["error", "warning", "info"] = "error"


class ReportParams(Strict):
    """What one report adds: ``params/reports/<id>/<year>.yaml``."""

    year: int
    title: str | None = None
    document_number: str | None = None
    dated: date | None = None
    printed: date | None = None
    declared: list[Declared] = Field(default_factory=list)
    relations: list[Relation] = Field(default_factory=list)


class FactSpec(Strict):
    """A narrative fact as data: ``params/facts/*.yaml``."""

    id: FactId
    label: str
    unit: str = ""
    ledger: str | None = None
    where: dict[str, Any] = Field(default_factory=dict)
    minus: dict[str, Any] | None = None
    measure: Literal["count"] | dict[_Measure, str] = "count"
    sum_of: list[FactId] | None = None


class _FactFile(Strict):
    facts: list[FactSpec]


@dataclass(frozen=True)
class Project:
    """The folders a report is made from; paths are kept as given."""

    params: Path
    data: Path

    @classmethod
    def find(cls, params: str | Path | None = None, data: str | Path | None = None) -> Project:
        """The project around the working folder: the nearest one above it with ``params/``.

        Parameters
        ----------
        params, data : path, optional
            Folders to use instead.
        """
        here = Path.cwd()
        root = next((p for p in (here, *here.parents) if (p / "params/districts").is_dir()), here)
        base = Path() if root == here else root
        return cls(Path(params or base / "params"), Path(data or base / "data"))

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

    def fact_specs(self) -> dict[str, FactSpec]:
        """All narrative facts that ``params/facts`` defines, by id.

        Raises
        ------
        InputError
            ``parameters``: with file and line; also when an id is defined twice.
        """
        specs: dict[str, FactSpec] = {}
        for path in sorted((self.params / "facts").glob("*.yaml")):
            file = read_yaml(path)
            for number, spec in enumerate(file.validate(_FactFile).facts):
                key = ("facts", number, "id")
                if spec.id in specs:
                    message = file.problem(key, f"fact '{spec.id}' is defined twice")
                    raise InputError("parameters", message, file=str(path))
                if (spec.ledger is None) == (spec.sum_of is None):
                    message = f"fact '{spec.id}' needs either a ledger or sum_of"
                    raise InputError("parameters", file.problem(key, message), file=str(path))
                specs[spec.id] = spec
        return specs


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
