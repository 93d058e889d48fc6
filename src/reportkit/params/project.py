"""The folders a report is made from, and reading its parameters from them."""

from __future__ import annotations

import difflib
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reportkit.errors import InputError
from reportkit.forms import DEFAULT, project_form
from reportkit.language import Message, template
from reportkit.params.district import District, check_id
from reportkit.params.report import ReportParams
from reportkit.worktime import WorkCalendar, work_calendar
from reportkit.yamlfile import read_yaml

if TYPE_CHECKING:
    from reportkit.forms import Form
    from reportkit.yamlfile import YamlFile

FONTS = (".ttf", ".otf", ".ttc", ".otc")
"""Files of typefaces that a PDF can be set in."""


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
        start = Path.cwd()
        root = next(
            (p for p in (start, *start.parents) if (p / "params/districts").is_dir()), start
        )
        base = Path() if root == start else root
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
            raise InputError(
                "district-unknown",
                "there is no district '{district}' ({path} is missing); known: {near}",
                path=path,
                near=", ".join(near) or Message("none"),
                district=name,
            )
        file = read_yaml(path)
        district = file.validate(District)
        if district.id != name:
            problem = file.problem(
                ("id",),
                Message("id is '{id}', the file is named '{name}'", id=district.id, name=name),
            )
            raise InputError("parameters", "{problem}", problem=problem, district=name)
        if district.fonts is not None:
            self._check_fonts(file, district.fonts.folder)
        return district

    def names(self) -> dict[str, str]:
        """Chinese names of all districts whose files can be read, by id."""
        names = {}
        for path in sorted((self.params / "districts").glob("*.yaml")):
            with suppress(InputError, AttributeError):
                names[path.stem] = str(read_yaml(path).data.get("name", ""))
        return names

    def district_id(self, asked: str) -> str:
        """Id of a district that is asked for by its id, its name or the end of its name.

        Raises
        ------
        InputError
            ``district-unknown``: the name is nobody's, or fits several.
        """
        if asked.isascii():
            return asked
        names = self.names()
        found = [one for one, name in names.items() if name == asked]
        found = found or [one for one, name in names.items() if name.endswith(asked)]
        if len(found) == 1:
            return found[0]
        known = found or difflib.get_close_matches(asked, names.values(), n=3, cutoff=0.3)
        several = template("several districts are called '{district}': {known}; name one by its id")
        none = template("no district is called '{district}'; nearest: {known}")
        raise InputError(
            "district-unknown",
            "{found}",
            found=Message(
                several if found else none,
                district=asked,
                known=", ".join(known) or Message("none"),
            ),
            district=asked,
        )

    def _check_fonts(self, file: YamlFile, named: str) -> None:
        """All files of the folder become inputs of the run, so it is one of the project's own."""
        # Links are not followed: those in a project are its own.
        root, folder = (
            Path(os.path.normpath(path.absolute()))
            for path in (self.params / "..", self.params / named)
        )
        problem = ""
        if root not in folder.parents:
            problem = Message(
                "'{named}' is outside the project; copy the typefaces into {root}",
                named=named,
                root=root,
            )
        elif not any(path.suffix.lower() in FONTS for path in folder.glob("**/*")):
            problem = Message(
                "'{named}' holds no typeface ({fonts}); it is told from params/",
                named=named,
                fonts=", ".join(FONTS),
            )
        if problem:
            message = file.problem(("fonts", "folder"), problem)
            raise InputError("parameters", "{problem}", problem=message)

    @property
    def forms(self) -> Path:
        """Forms of the project's own, and what it changes of others; need not be there."""
        return self.params.parent / "forms"

    def form(self, name: str = DEFAULT) -> Form:
        """A form by its name: the project's own, else the package's.

        Raises
        ------
        InputError
            ``form``: there is none of this name; or what is wrong with its files.
        """
        return project_form(name, self.forms)

    def members(self, parent: str) -> tuple[str, ...]:
        """Ids of the districts whose reports a parent's report sums up."""
        return self.families(parent).get(parent, ())

    def families(self, parent: str = "parent") -> dict[str, tuple[str, ...]]:
        """Each parent with its members, in the order of their ids; reads every district file.

        Parameters
        ----------
        parent : str
            Files without this text are passed over: parsing thousands takes a second.

        Notes
        -----
        A file that cannot be read is told of with its own report, not with every other.
        """
        faces: dict[str, tuple[str, ...]] = {}
        for path in sorted((self.params / "districts").glob("*.yaml")):
            content = path.read_bytes()
            if parent.encode() in content:
                try:
                    data = read_yaml(path).data
                except InputError:
                    line = re.search(r"(?m)^parent:\s*([\w-]+)", content.decode(errors="replace"))
                    data = {"parent": line[1]} if line else None
                name = data.get("parent") if isinstance(data, dict) else None
                if isinstance(name, str):
                    faces[name] = (*faces.get(name, ()), path.stem)
        return faces

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
            problem = file.problem(
                ("year",),
                Message("year is {found}, the file is for {year}", found=report.year, year=year),
            )
            raise InputError(
                "parameters", "{problem}", problem=problem, district=district, year=year
            )
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


def _refuse_twice(file: YamlFile, ids: list[str], key: tuple[str, ...]) -> None:
    for number, name in enumerate(ids):
        if name in ids[:number]:
            problem = file.problem(
                (*key, number), Message("fact '{name}' is declared twice", name=name)
            )
            raise InputError("parameters", "{problem}", problem=problem, file=file.path)
