"""The report as an analyst sees it: open, look, show section by section, seal."""

from __future__ import annotations

import base64
import platform
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reportkit.blocks import prose_text
from reportkit.charts import Kind, show_chart
from reportkit.checks import (
    Check,
    accept,
    continuity_checks,
    coverage_checks,
    form_checks,
    intake_checks,
    limit_checks,
    member_checks,
    notice_checks,
    past_checks,
    plausibility_checks,
    published_checks,
    relation_checks,
    restatement_checks,
    rule_of,
    share_checks,
)
from reportkit.coverage import Coverage, cover
from reportkit.display import (
    Shown,
    show_checks,
    show_head,
    show_inputs,
    show_seal,
    show_section,
    show_table,
)
from reportkit.errors import InputError
from reportkit.facts import Computer, Fact, Facts, plain
from reportkit.forms import Form, form_for, forms
from reportkit.ledgers import Ledgers, schemas
from reportkit.narrative import Narrative, render
from reportkit.params import District, Project, ReportParams, Scope
from reportkit.past import Past, figures_of
from reportkit.published import load_published, read_report
from reportkit.sealing import evidence_parquet, seal_of
from reportkit.specs import read_specs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass
class Report:
    """One report of one district and year; made by `open_report`.

    Every method that shows something returns an object for the end of a notebook cell.
    """

    project: Project
    district: District
    year: int
    form: Form
    params: ReportParams
    scope: Scope
    draft: bool
    ledgers: Ledgers
    computer: Computer
    absent: tuple[str, ...]
    past: Past | None
    members: Mapping[str, Past | None]
    _extra: dict[str, Fact] = field(default_factory=dict)

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        return self.inputs()._repr_mimebundle_(**options)

    def inputs(self) -> Shown:
        """What was read: files, rows, and what was not accepted."""
        absent = [(key, schemas()[key].name) for key in self.absent]
        return show_inputs(self.ledgers, absent, self.ledgers.note)

    def ledger(self, key: str) -> pd.DataFrame:
        """The accepted records of a ledger, without personal columns, indexed by row number.

        A ledger that is not there and that the form does not need gives an empty frame.

        Raises
        ------
        InputError
            ``ledger-unknown`` or what is wrong with its files.
        """
        if key not in schemas():
            message = f"there is no ledger '{key}'; ledgers are {', '.join(schemas())}"
            raise InputError("ledger-unknown", message)
        try:
            return self.ledgers[key].frame.copy()
        except KeyError:
            schema = schemas()[key]
            names = [column.name for column in schema.columns if not column.personal]
            names += [column.name for column in schema.derived]
            dates = [column.name for column in schema.columns if column.type == "date"]
            dates += [column.name for column in schema.derived if column.type == "date"]
            frame = pd.DataFrame({name: pd.Series(dtype="str") for name in names})
            return frame.astype(dict.fromkeys(dates, "datetime64[s]"))

    def fact(
        self,
        name: str,
        *,
        rows: pd.Series | None = None,
        ledger: str | None = None,
        label: str = "",
        unit: str = "",
        definition: str = "",
    ) -> Fact:
        """One fact by its id; or, with *rows*, a further one counted in the notebook.

        Parameters
        ----------
        name : str
            Fact id.
        rows : pandas.Series of bool, optional
            A mask over ``report.ledger(ledger)``: the records that count.
        ledger, label, unit, definition : str
            What the new fact is; *ledger* is required with *rows*.

        Raises
        ------
        InputError
            ``fact-unknown``; ``fact-twice`` if a new fact's id is taken.
        """
        if rows is None:
            return self._extra.get(name) or self.computer.get(name)
        if ledger is None or name in self.computer or name in self._extra:
            reason = "needs its ledger" if ledger is None else "is there already; choose another id"
            raise InputError("fact-twice", f"fact '{name}' {reason}")
        chosen = rows.index[rows.to_numpy(dtype=bool)].to_numpy(dtype=np.int64)
        text = definition or f"{schemas()[ledger].name}中，在笔记本里选出的记录数"
        fact = Fact(
            name, label or name, Decimal(len(chosen)), unit, "ledger", text, ledger=ledger,
            rows=chosen, places=("notebook",),
        )  # fmt: skip
        self._extra[name] = fact
        return fact

    @property
    def is_draft(self) -> bool:
        """Asked for, or no narrative of its own, or an open error."""
        return self.draft or any(c.open and c.severity == "error" for c in self.all_checks)

    @property
    def made(self) -> list[Past]:
        """Reports that were made already and that this one is compared with."""
        return [past for past in (self.past, *self.members.values()) if past is not None]

    @cached_property
    def narrative(self) -> Narrative:
        """The rendered text."""
        path = self.project.report_file(self.district.id, self.year, "md")
        if path.is_file():
            template, name = path.read_text(encoding="utf-8"), path.as_posix()
        else:
            template, name = self.form.default_narrative(), f"default narrative {self.form.name}"
        context = {"year": self.year, "district": self.district}
        return render(template, computer=self.computer, form=self.form, context=context, name=name)

    @cached_property
    def coverage(self) -> Coverage:
        """The text with every number looked at: bound to a fact, allowed, or unbound."""
        narrative = self.narrative
        units = {name: self.computer.get(name).unit for name in narrative.places}
        return cover(narrative.sections, units)

    def head(self) -> Shown:
        """Title, document number, dates and preamble."""
        issuer = self.district.issuer or self.district.name
        dated, printed = self.params.dated, self.params.printed
        return show_head(
            {
                "district": self.district.id,
                "year": self.year,
                "edition": self.form.name,
                "scope": self.scope,
                "draft": self.is_draft,
                "synthetic": self.district.synthetic,
                "title": self.params.title or f"{issuer}{self.year}年政府信息公开工作年度报告",
                "issuer": issuer,
                "office": self.district.office,
                "document_number": self.params.document_number,
                "dated": dated and dated.isoformat(),
                "printed": printed and printed.isoformat(),
                "fonts": self.fonts(),
                "preamble": self.coverage.sections[""],
            }
        )

    def fonts(self) -> dict[str, str | None] | None:
        """The district's own typefaces by role, and their folder, which is told from params/."""
        own = self.district.fonts
        if own is None:
            return None
        return own.model_dump() | {"folder": (self.project.params / own.folder).as_posix()}

    def section(self, number: str) -> Shown:
        """A section's heading and text, by its number ("一")."""
        section = next((s for s in self.form.sections if s.number == number), None)
        if section is None:
            known = "、".join(s.number for s in self.form.sections)
            raise InputError("section", f"there is no section '{number}'; sections are {known}")
        return show_section(number, section.title, self.coverage.sections.get(number, []))

    def table(self, number: int | str) -> Shown:
        """A statutory table (2, 3 or 4), every cell a fact."""
        return show_table(self.form.table(number), self.facts)

    def chart(
        self,
        name: str,
        data: pd.DataFrame | pd.Series,
        *,
        title: str,
        kind: Kind = "bars",
        unit: str = "件",
        line: str | None = None,
        limit: tuple[str, str] | None = None,
    ) -> Shown | None:
        """A chart of whole numbers in the house style; None where there is nothing to draw.

        Parameters
        ----------
        name : str
            Id of the chart.
        data : pandas.DataFrame or Series
            Labels in the index, one column for each series.
        title, kind, unit, line, limit
            See `reportkit.charts.show_chart`.
        """
        frame = data.to_frame() if isinstance(data, pd.Series) else data
        if frame.empty or not frame.to_numpy().any():
            return None
        return show_chart(name, frame, title=title, kind=kind, unit=unit, line=line, limit=limit)

    @property
    def facts(self) -> Facts:
        """All facts of the report so far, by id: the form's cells and what the text asked for."""
        return Facts(dict(self._computed()) | self._extra)

    def _computed(self) -> Facts:
        for name in self.computer.cells:
            self.computer.get(name)
        return Facts(self.computer.facts)

    def outcomes(self, table: int | str = 3, total: str = "results_total") -> pd.DataFrame:
        """The parts of a total row of a table, by label, for a chart: those that are not zero.

        Last year's stand beside them where they are known.
        """
        form_table = self.form.table(table)
        (band,) = form_table.model.bands
        rows = {row.key: row for row in form_table.rows(band)}
        column = next(c.key for c in form_table.columns(band) if c.parts)
        cells = {rows[key].node.label: form_table.cell_id(key, column) for key in rows[total].parts}
        years = {
            f"{self.year}年": {label: self.facts[cell].number for label, cell in cells.items()}
        }
        past = self.past
        if past is not None and all(cell in past.values for cell in cells.values()):
            before = {label: past.values[cell] for label, cell in cells.items()}
            years[f"{past.year}年"] = before
        frame = pd.DataFrame(years).astype("int64").rename_axis("办理结果")
        return frame[frame.any(axis=1)]

    @cached_property
    def all_checks(self) -> list[Check]:
        """Every rule that applies, and what was accepted of its findings.

        Facts that a notebook adds take no part: what is a draft is known before the first cell
        shows it.
        """
        _ = self.narrative
        for relation in self.params.relations:
            for name in relation.facts:
                try:
                    self.computer.get(name)
                except InputError as error:
                    file = self.project.report_file(self.district.id, self.year, "yaml")
                    message = f"{file}: relation '{relation.title}': {error.message}"
                    raise InputError("relation", message) from None
        facts = self._computed()
        values = {name: facts[name].number for name in self.computer.cells}
        cells = list(self.computer.cells.values())
        checks = form_checks(self.form, facts, year=self.year, ledgers=self.ledgers)
        checks += relation_checks(self.params.relations, facts)
        meant = self.computer.possible() if self.coverage.of("unbound") else facts
        titles = {s.number: f"{s.number}、{s.title}" for s in self.form.sections} | {"": "序言"}
        checks += coverage_checks(self.coverage, meant, titles=titles) + past_checks(self.past)
        if self.past:
            checks += continuity_checks(self.form, values, self.past.values)
            if self.past.facts:
                checks += restatement_checks(self.past, self._computer_of_last_year())
            checks += plausibility_checks(cells, values, self.past.values)
        members = {name: made.values if made else None for name, made in self.members.items()}
        checks += member_checks(cells, values, members) + share_checks(self.form, values)
        days = [day for day in (self.params.dated, self.params.printed) if day]
        checks += notice_checks(
            self.form,
            {number: prose_text(body) for number, body in self.narrative.sections.items()},
            last=self.past.sections if self.past else {},
            year=self.year,
            level="department" if self.scope == "office" else self.district.level,
            published=max(days, default=None),
        )
        checks += intake_checks(self.ledgers)
        if "applications" in self.ledgers:
            ledger = self.ledgers["applications"]
            checks += limit_checks(ledger, self.year, self.ledgers.calendar)
        path = self.project.report_file(self.district.id, self.year, "published.json")
        if path.is_file() and self.scope == self.district.scope:
            checks += published_checks(read_report(load_published(path)).published, facts)
        return accept(checks, self.params.waivers)

    def _computer_of_last_year(self) -> Computer:
        """Last year's form over today's ledgers, so far as this year's report reads them."""
        year = self.year - 1
        return Computer(
            year, cells=form_for(year).cells(year), specs=self.computer.specs, declared=[],
            ledgers=dict(self.ledgers),
        )  # fmt: skip

    def checks(self) -> Shown:
        """What holds and what does not."""
        return show_checks(self.all_checks)

    def facts_document(self) -> dict[str, Any]:
        """The document ``facts.json``."""
        places: dict[str, tuple[str, ...]] = {
            cell.id: (f"table:{cell.table}",) for cell in self.computer.cells.values()
        }
        for name, where in self.narrative.places.items():
            places[name] = places.get(name, ()) + where
        for name, fact in self._extra.items():
            places[name] = fact.places
        _ = self.all_checks
        return self.facts.placed(places).as_json(
            district=self.district.id, year=self.year, edition=self.form.name, scope=self.scope
        )

    def _last_year(self) -> dict[str, dict[str, Any]]:
        """Last year's value and the change of every fact that has one, for the audit page."""
        past = self.past
        if past is None:
            return {}
        return {
            name: {
                "year": past.year,
                "origin": past.origin,
                "value": plain(past.values[name]),
                "change": f"{fact.value - past.values[name]:+f}",
            }
            for name, fact in self.facts.items()
            if name in past.values and isinstance(fact.value, Decimal)
        }

    def seal(self) -> Shown:
        """The last cell: all facts with their evidence, and a digest that proves it was reached."""
        document = self.facts_document()
        return show_seal(
            {
                "seal": seal_of(document),
                "parameters": {
                    "district": self.district.id,
                    "year": self.year,
                    "scope": self.scope,
                    "draft": self.is_draft,
                },
                "facts": document,
                "past": self._last_year(),
                "versions": _versions(),
                "checks": [check.as_json() for check in self.all_checks],
                "rules": {
                    check.id: {"basis": rule_of(check.id).basis, "todo": rule_of(check.id).todo}
                    for check in self.all_checks
                    if not check.holds
                },
                "evidence": base64.b64encode(evidence_parquet(self.facts)).decode(),
            }
        )


def _versions() -> dict[str, str]:
    """What computed the facts, as far as it could change them."""
    python = ".".join(platform.python_version_tuple()[:2])
    packages = ("reportkit", "pandas", "numpy", "pyarrow")
    return {"python": python} | {package: version(package) for package in packages}


def open_report(
    district: str,
    year: int,
    *,
    scope: Scope | None = None,
    draft: bool = False,
    params: str | Path | None = None,
    data: str | Path | None = None,
    out: str | Path | None = None,
) -> Report:
    """Open the report of a district and year: parameters, form edition, ledgers.

    Parameters
    ----------
    district : str
        District id, as in ``params/districts/<id>.yaml``.
    year : int
        Report year; chooses the edition of the form.
    scope : {"district", "office"}, optional
        Whole district or the office alone; the district file's scope by default.
    draft : bool
        Mark the documents as a draft; a report without a narrative is one in any case.
    params, data, out : path, optional
        Folders; those of the project around the working folder by default. Under *out* stands
        last year's run, if there is one.

    Returns
    -------
    Report

    Raises
    ------
    InputError
        Unknown district, a year without edition, wrong parameters, or a ledger that is missing
        or refused; all missing ledgers are told at once.
    """
    # The papermill command guesses types: `-p district 350206` arrives as a number.
    district, year = str(district), int(year)
    project = Project.find(params, data, out)
    form = form_for(year)
    who = project.district(district)
    report_params = project.report(district, year)
    ledgers = Ledgers(project, who)
    cells = form.cells(year)
    needed = {cell.definition.ledger for cell in cells if cell.definition}
    elsewhere = {ledger for other in forms() for ledger in other.ledgers()} - needed
    sources = {key: ledgers.sources(key) for key in schemas() if key not in elsewhere}
    if missing := [key for key in sources if key in needed and not sources[key]]:
        names = "\n".join(
            f"  {schemas()[key].name}: {project.data / district}/{key}-….csv, .xlsx or .parquet"
            for key in missing
        )
        message = (
            f"the {form.name} form needs ledgers that are not there:\n{names}\n"
            "add them (a file with a heading only counts as zero records)"
        )
        raise InputError("ledger-missing", message, district=district, year=year)
    for key in sources:
        if sources[key]:
            ledgers[key]
    scope = scope or who.scope
    past = figures_of(project, district, year - 1, scope=scope)
    summed = project.members(district) if scope == "district" else []
    members = {
        name: figures_of(project, name, year, scope=project.district(name).scope) for name in summed
    }
    computer = Computer(
        year, cells=cells, specs=read_specs(project.params / "facts"),
        declared=report_params.declared, ledgers=ledgers, past=past.values if past else None,
    )  # fmt: skip
    draft = draft or not project.report_file(district, year, "md").is_file()
    to_do = [fact for fact in report_params.declared if fact.value is None]
    if to_do and not draft:
        listed = "\n".join(f"  {fact.place}: {fact.id} ({fact.label})" for fact in to_do)
        message = (
            f"{len(to_do)} declared figures are still to fill in:\n{listed}\n"
            "give each its value, source, stated_by and stated_on; or ask for a draft (--draft)"
        )
        raise InputError("to-do", message, district=district, year=year)
    return Report(
        project=project, district=who, year=year, form=form, params=report_params,
        scope=scope, draft=draft, ledgers=ledgers, computer=computer,
        absent=tuple(key for key in sources if not sources[key]), past=past, members=members,
    )  # fmt: skip
