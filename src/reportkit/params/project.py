"""The folders a report is made from, and reading its parameters from them."""

from __future__ import annotations

import difflib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reportkit.errors import InputError
from reportkit.forms import DEFAULT, project_form
from reportkit.language import Message, joined, template
from reportkit.language.message import COMMA
from reportkit.params.district import District
from reportkit.params.hierarchy import Hierarchy, read_hierarchy
from reportkit.params.naming import check_id, parse_report_name
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

    def district(self, name: str, form: str | None = None) -> District:
        """Parameters of a district.

        Parameters
        ----------
        name : str
            Its id, or its Chinese name.
        form : str, optional
            The form that it is to report by; its usual one by default.

        Raises
        ------
        InputError
            ``district-unknown`` with the nearest known ids, ``form``, or ``parameters``.
        """
        name = check_id(self.district_id(name))
        path = self.params / "districts" / f"{name}.yaml"
        if not path.is_file():
            known = sorted(p.stem for p in path.parent.glob("*.yaml"))
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or known[:8]
            raise InputError(
                "district-unknown",
                "there is no district '{district}' ({path} is missing); known: {near}",
                path=path,
                near=joined(COMMA, near) or Message("none"),
                district=name,
            )
        file = read_yaml(path)
        district = file.validate(District)
        if district.id != name:
            problem = Message("id is '{id}', the file is named '{name}'", id=district.id, name=name)
            raise file.refusal(("id",), problem, district=name)
        if district.fonts is not None:
            self._check_fonts(file, district.fonts.folder)
        for number, further in enumerate(district.forms):
            try:
                self.form(further)
            except InputError as error:
                key = ("forms", number)
                raise file.refusal(key, error.message, reason=error.reason) from None
        if form is not None:
            self.form(form)  # it says which there are
        return district.by(form)

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
        found = [key for key, name in names.items() if name == asked]
        found = found or [key for key, name in names.items() if name.endswith(asked)]
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
                known=joined(COMMA, known) or Message("none"),
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
                "'{named}' holds no typeface ({fonts}); it is found from params/",
                named=named,
                fonts=joined(COMMA, FONTS),
            )
        if problem:
            raise file.refusal(("fonts", "folder"), problem)

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

    def member(self, name: str, parent: District) -> District:
        """A member as it reports for its parent: by the form of that, or a variant of it."""
        who, kind = self.district(name), self.form(parent.form).kind
        return who.by(next((f for f in who.all_forms if self.form(f).kind == kind), parent.form))

    def hierarchy(self) -> Hierarchy:
        """Return who sums up whom; reads every district file."""
        return read_hierarchy(self.params / "districts")

    def hierarchy_of(self, district: str, *, whole: bool) -> Hierarchy:
        """The same for one report: all of it only where it is asked for, or somebody names it."""
        few = None if whole else read_hierarchy(self.params / "districts", naming=district)
        return few if few and not few.members(district) else self.hierarchy()

    def report(self, district: District, year: int) -> ReportParams:
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
            problem = Message(
                "year is {found}, the file is for {year}", found=report.year, year=year
            )
            raise file.refusal(("year",), problem, district=district.id, year=year)
        for number, fact in enumerate(report.declared):
            if fact.id in [earlier.id for earlier in report.declared[:number]]:
                problem = Message("fact '{name}' is declared twice", name=fact.id)
                raise file.refusal(("declared", number), problem, file=file.path)
            fact._place = f"{path}:{file.line(('declared', number, 'value'))}"
        return report

    def report_file(self, district: District, year: int, suffix: str) -> Path:
        """A file of one report: ``yaml``, ``md`` (narrative) or ``published.json``."""
        folder = self.params / "reports" / check_id(district.id)
        return folder / f"{district.report_name(year)}.{suffix}"

    def reports_named(self, district: str) -> list[tuple[int, str | None]]:
        """Year and form, None for the usual one, of each report that has parameters or a text."""
        paths = (self.params / "reports" / district).glob("[0-9]*.*")
        found = {parse_report_name(path.stem) for path in paths if path.suffix in (".yaml", ".md")}
        return sorted(filter(None, found), key=lambda name: (name[0], name[1] or ""))

    def place(self, district: District, year: int) -> Path:
        """The folder of the runs of one report."""
        return self.out / check_id(district.id) / district.report_name(year)

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
