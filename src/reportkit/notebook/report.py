"""The report as an analyst sees it: open, look, show section by section, seal."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pandas as pd

from reportkit.checks import told_of
from reportkit.checks.waivers import OF_NOTEBOOKS
from reportkit.errors import InputError
from reportkit.evidence.seal import seal_of, seal_rows
from reportkit.export.blocks import block
from reportkit.facts import Fact, plain
from reportkit.ledgers import schema_of, schemas
from reportkit.notebook.comparing import compared_with, figures_compared
from reportkit.notebook.compilation import Compilation
from reportkit.notebook.display import (
    Shown,
    look,
    show_checks,
    show_head,
    show_inputs,
    show_seal,
    show_section,
    show_table,
)
from reportkit.notebook.drafting import make_draft, saved_notebook
from reportkit.notebook.explained import explained
from reportkit.notebook.frames import table_of
from reportkit.notebook.headlines import headlines
from reportkit.notebook.made import Made, counted, follow, this_cell
from reportkit.notebook.ownfacts import OwnFact, own_fact
from reportkit.text.narrative import cell_name, render_cell
from reportkit.warm.processes import is_forked_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from reportkit.facts.previous import Past
    from reportkit.notebook.charts import Kind
    from reportkit.params import Scope
    from reportkit.text.narrative import Prose


class Report(Compilation):
    """A report in a notebook; made by `open_report`.

    Every method that shows something returns an object for the end of a notebook cell.
    """

    @cached_property
    def _so_far(self) -> Made:
        """Record of what the cells have made so far."""
        return Made()

    def __repr__(self) -> str:
        return f"{self.district.name}{self.year}年{self.form.model.title}"

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        return self.inputs()._repr_mimebundle_(**options)

    def inputs(self) -> Shown:
        """Show what was read: files, rows, and what was not accepted."""
        absent = [(key, schemas(self.form)[key].name) for key in self.absent]
        members = [one.as_json() for one in self.members.values()] if self.sums else []
        note = "" if self.sums else self.ledgers.note
        return self._so_far.note(show_inputs(self.ledgers, absent, note, members=members))

    def ledger(self, key: str) -> pd.DataFrame:
        """The accepted records of a ledger, without personal columns, indexed by row number.

        A ledger that is not there and that the form does not need gives an empty frame.

        Raises
        ------
        InputError
            ``ledger-unknown`` or what is wrong with its files.
        """
        schema = schema_of(self.form, key)
        try:
            frame = self.ledgers[key].frame.copy()
            frame.attrs["ledger"] = key  # what is chosen from it knows whose rows it has
            return frame
        except KeyError:
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
        rows: pd.Series | pd.DataFrame | None = None,
        value: Any = None,
        parts: Sequence[str | Fact] = (),
        ledger: str | None = None,
        label: str = "",
        unit: str = "",
        definition: str = "",
    ) -> Fact:
        """One fact by its id; or, with *rows* or *parts*, an own one that the text can name.

        Parameters
        ----------
        name : str
            Fact id: words of small letters with dots between, such as ``streets.late``.
        rows : pandas.Series of bool, or pandas.DataFrame, optional
            The records it rests on: a mask over ``report.ledger(…)``, or the records themselves.
            Without *value* the fact is how many they are.
        value : number, date or str, optional
            What was computed from the rows or parts: a sum, a share, a day.
        parts : sequence of str or Fact
            Facts that it is computed from, or their ids. Without *value* it is their sum.
        ledger : str, optional
            Whose rows these are, where they do not say so themselves.
        label, unit, definition : str
            What the fact is, for readers and auditors; a day has the unit 日期.

        Raises
        ------
        InputError
            ``fact-unknown``; for an own fact ``fact-twice`` if its id is taken, ``fact-id``,
            ``fact-rows``, ``fact-value``.
        """
        if rows is None and value is None and not parts:
            return self._extra.get(name) or self.computer.get(name)
        again = self._so_far.facts.get(name)
        if name in self.computer or (name in self._extra and again != this_cell().id):
            raise InputError(
                "fact-twice", "fact '{fact}' is there already; choose another id", fact=name
            )
        given = [parts] if isinstance(parts, str | Fact) else parts
        summed = [part if isinstance(part, Fact) else self.fact(part) for part in given]
        told = OwnFact(name, label or name, unit, definition)
        fact = own_fact(told, self.ledgers, rows=rows, value=value, parts=summed, ledger=ledger)
        self._so_far.facts[name] = this_cell().id or None
        self.add(fact)
        return fact

    def head(self) -> Shown:
        """Title, document number, dates and preamble."""
        return self._so_far.note(show_head(self._head()))

    def _head(self) -> dict[str, Any]:
        issuer = self.district.issuer or self.district.name
        dated, printed = self.params.dated, self.params.printed
        return {
            "district": self.district.id,
            "year": self.year,
            "edition": self.edition.name,
            "scope": self.scope,
            "draft": self.is_draft,
            "synthetic": self.district.synthetic,
            "title": self.params.title or f"{issuer}{self.year}年{self.form.model.title}",
            "issuer": issuer,
            "office": self.district.office,
            "document_number": self.params.document_number,
            "dated": dated and dated.isoformat(),
            "printed": printed and printed.isoformat(),
            "fonts": self.fonts(),
            "preamble": self.coverage.sections[""],
        }

    def fonts(self) -> dict[str, str | None] | None:
        """The district's own typefaces by role, and their folder, which is told from params/."""
        own = self.district.fonts
        if own is None:
            return None
        return own.model_dump() | {"folder": (self.project.params / own.folder).as_posix()}

    def section(self, number: str) -> Shown:
        """A section's heading and text, by its number ("一")."""
        section = next((s for s in self.edition.sections if s.number == number), None)
        if section is None:
            known = "、".join(s.number for s in self.edition.sections)
            raise InputError(
                "section",
                "there is no section '{number}'; sections are {known}",
                number=number,
                known=known,
            )
        body = self.coverage.sections.get(number, [])
        return self._so_far.note(show_section(number, section.title, body))

    def table(self, number: int | str) -> Shown:
        """A statutory table (2, 3 or 4), every cell a fact."""
        return self._so_far.note(show_table(self.edition.table(number), self._computed()))

    def parts(self) -> Iterator[Shown]:
        """Every section with its table, in the order of the form, whichever form it is."""
        for section in self.edition.sections:
            yield self.section(section.number)
            if section.table:
                yield self.table(section.table)

    def members_frame(self) -> pd.DataFrame:
        """The members of a roll-up as rows: where their figures are from, and their headlines.

        The columns of figures are those of the form's headlines that add up cells.
        """
        cells = self.computer.cells
        wanted = [
            one
            for one in self.edition.model.headlines
            if not one.share and all(name in cells for name in one.facts)
        ]
        origins = {"run": "封存的报告", "published": "已公布的数", "missing": "没有报告"}
        rows = {}
        for member in self.members.values():
            state = "、".join(
                told
                for told, holds in (
                    (origins[member.origin], True),
                    ("草稿", member.draft),
                    ("有差错", bool(member.errors)),
                    ("逾期", bool(member.late)),
                )
                if holds
            )
            figures = {
                one.label: sum((member.values[name] for name in one.facts), Decimal(0))
                for one in wanted
                if all(name in member.values for name in one.facts)
            }
            rows[member.name] = {"来源": state} | figures
        frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("单位")
        return frame.reindex(columns=["来源", *(one.label for one in wanted)])

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
        """A chart of any numbers in the house style; None where there is nothing to draw.

        Parameters
        ----------
        name : str
            Id of the chart.
        data : pandas.DataFrame or Series
            Labels in the index, one column of numbers for each series, three at most. Decimals
            are shown as they are; a missing number is told as one.
        title, kind, unit, line, limit
            As of `rk.chart`.
        """
        told, _, bound = self._bound(title)
        # matplotlib is imported where something is drawn: `verify` and the command draw nothing.
        from reportkit.notebook.charts import chart_block

        made = chart_block(name, data, title=told, kind=kind, unit=unit, line=line, limit=limit)
        return None if made is None else self._so_far.note(look(made | bound))

    def show(
        self,
        thing: Any,
        *,
        title: str | None = "",
        alt: str | None = "",
        note: str | None = "",
        formats: Mapping[str, str] | None = None,
    ) -> Shown:
        """A table or figure of one's own, in every document.

        Parameters
        ----------
        thing
            A DataFrame or Series; or what matplotlib, pandas and seaborn draw: a Figure, Axes.
        title, note : str
            Above and below it.
        alt : str
            What a figure shows, in words; asked for.
        formats : mapping of str to str, optional
            For a table, by column: ``percent`` (0.953 is 95.3%), or a format of Python's for
            numbers, such as ``,.2f``.

        Raises
        ------
        InputError
            ``show-kind``; ``table-wide``, ``table-long``, ``table-value``, ``format``;
            ``figure-alt``, ``figure-empty``, ``figure-large``, ``glyph-missing``.
        """
        from reportkit.notebook.figures import figure_block, figure_in

        title, note, bound = self._bound(title, note)
        if hasattr(thing, "to_pandas"):  # polars, Arrow and others have tables of their own
            thing = thing.to_pandas()
        if isinstance(thing, pd.DataFrame | pd.Series):
            made = table_of(thing, title=title, note=note, formats=formats or {})
        elif figure := figure_in(thing):
            made = figure_block(figure, title=title, alt=str(alt or ""), note=note)
            self._so_far.take(figure)
        else:
            raise InputError(
                "show-kind",
                "report.show takes a DataFrame, a Series or a figure, not {kind}: make it one "
                "(pd.DataFrame(…); .data of a styled table, with formats=…); text goes to "
                "report.text",
                kind=type(thing).__name__,
            )
        return self._so_far.note(look(made | bound))

    def _bound(self, title: Any, note: Any = "") -> tuple[str, str, dict[str, Any]]:
        """A caption and a note with their figures filled in, and which facts these are."""
        title, note = ("" if text is None else str(text) for text in (title, note))
        if "{{" not in title + note:
            return title, note, {}
        lines = []
        for text in (title, note):
            body, _ = render_cell(
                text, figures=self, context=self.context, name=f"the caption “{title[:20]}”"
            )
            lines.append([run for node in body for run in node.get("runs", ())])
        told = ["".join(run["text"] for run in runs) for runs in lines]
        return told[0], told[1], {"said": lines}

    def explain(self, name: str) -> pd.DataFrame:
        """Explain a fact and what it rests on; for the worker, in no document.

        Parameters
        ----------
        name : str
            Fact id.

        Returns
        -------
        pandas.DataFrame
            The records that count, with the file and line of each; of a total the facts that it
            adds up. Its definition stands above it in the notebook, and in ``attrs``.

        Raises
        ------
        InputError
            ``fact-unknown``.
        """
        fact = self.fact(name)
        parts = {
            part: self.get(part) if part in self.facts else self._of_member(fact, part)
            for part in fact.sum_of
        }
        return explained(fact, self.ledgers, parts)

    def _of_member(self, fact: Fact, part: str) -> Fact:
        """A member's fact, which a roll-up adds."""
        member = self.members[part.partition("/")[0]]
        return replace(fact, id=part, label=member.name, value=member.values[fact.id], sum_of=())

    def text(self, source: str) -> Shown:
        """Prose of one's own, with figures bound as in the narrative.

        Parameters
        ----------
        source : str
            Markdown with placeholders, such as ``受理{{ t3.new.total }}件``. It may name facts
            that are made further down.

        Raises
        ------
        InputError
            ``narrative``: an unknown fact, a wrong placeholder, markup that no document shows;
            ``show-kind``: no text.
        """
        if not isinstance(source, str):
            raise InputError(
                "show-kind",
                "report.text takes text, not {kind}; put it into quotes",
                kind=type(source).__name__,
            )
        body = self._prose(source)
        return self._so_far.note(look(block("prose", source=source, body=body)))

    def _prose(self, source: str) -> Prose:
        name = cell_name(source)
        body, _ = render_cell(source, figures=self, context=self.context, name=name)
        return body

    def compare(
        self,
        table: int | str | Mapping[str, Any],
        counted: pd.DataFrame | pd.Series | None = None,
    ) -> Shown:
        """Cells of a statutory table, counted in the notebook, beside those that the form has.

        A difference is an error of the report.

        Parameters
        ----------
        table : int or str
            2, 3 or 4. Or, alone, figures of the text: numbers by fact id.
        counted : pandas.DataFrame or Series
            Counts by the labels of rows and columns, as printed or as in the ledger; rows and
            columns may be exchanged. Of rows or columns that make up a total, those that are not
            named are zero; all others that are not named are not compared.

        Raises
        ------
        InputError
            ``compare``: there is nothing to compare.
        """
        if isinstance(table, Mapping):
            known = {name: fact for name in table if (fact := self._there(name))}
            return self._so_far.note(look(figures_compared(table, known)))
        if counted is None:
            raise InputError(
                "compare", "say what was counted: report.compare({table}, frame)", table=table
            )
        if not isinstance(counted, pd.DataFrame | pd.Series):
            raise InputError(
                "compare",
                "report.compare takes a DataFrame or a Series with the labels of the table, not "
                "{kind}: make it one, such as by pd.crosstab or .value_counts()",
                kind=type(counted).__name__,
            )
        found = compared_with(self.edition.table(table), counted, self._computed())
        return self._so_far.note(look(found))

    def _there(self, name: str) -> Fact | None:
        """One figure; None where there is none, or not the ledger that it counts."""
        if name not in self.computer:
            return None
        try:
            return self.get(name)
        except InputError as error:
            if error.reason != "ledger-missing":
                raise
            return None

    def outcomes(self, table: int | str | None = None, total: str | None = None) -> pd.DataFrame:
        """The parts of a total row of a table, by label, for a chart: those that are not zero.

        By default of the first table with a total row, and of that row.

        Last year's stand beside them where all are known, and this year's are not all zero. Rows
        that were one row in last year's edition of the form, as this one says (``follows``), are
        one here too.
        """
        tables = self.edition.tables.values() if table is None else [self.edition.table(table)]
        form_table, band, total = next(
            (one, band, row.key)
            for one in tables
            for band in one.model.bands
            for row in one.rows(band)
            if row.parts and total in (None, row.key)
        )
        rows = {row.key: row for row in form_table.rows(band)}
        column = next(c.key for c in form_table.columns(band) if c.parts)
        parts = [rows[key] for key in rows[total].parts]
        kind = next((node.by for node in reversed(rows[total].groups) if node.by), "")
        now = {form_table.cell_id(row.key, column): row for row in parts}
        past = self.past
        before = self._as_of(past, set(now)) if past else {}
        shown: dict[str, tuple[str, ...]] = {}
        for cell, row in now.items():
            whole = next((cells for cells in before if cell in cells), (cell,))
            label = row.groups[-1].label if len(whole) > 1 else row.node.label
            shown.setdefault(label, whole)
        this = {name: sum(self.facts[c].number for c in cells) for name, cells in shown.items()}
        years = {f"{self.year}年": this}
        if past is not None and any(this.values()) and set(shown.values()) <= set(before):
            years[f"{past.year}年"] = {name: before[cells] for name, cells in shown.items()}
        frame = pd.DataFrame(years).astype("int64").rename_axis(kind)
        return frame[frame.any(axis=1)]

    def _as_of(self, past: Past, here: set[str]) -> dict[tuple[str, ...], Decimal]:
        """Last year's values by the cells of this edition that count the same together."""
        found: dict[tuple[str, ...], Decimal] = {}
        found |= {(name,): value for name, value in past.values.items() if name in here}
        for name, value in past.values.items():
            follow = None if name in here else self.edition.successor(name)
            if follow and follow.comparable and here.issuperset(follow.here):
                found[tuple(follow.here)] = value
        return found

    def checks(self) -> Shown:
        """Show which checks hold and which do not."""
        return self._so_far.note(show_checks(self.all_checks, self.rules))

    def prescribed(self) -> dict[str, list[list[str]]]:
        """Return the sections and tables that the form wants shown, once each."""
        return {
            "sections": [[one.number, one.title] for one in self.edition.sections],
            "tables": [[one.id, one.title] for one in self.edition.tables.values()],
        }

    def _named_later(self) -> dict[str, Any]:
        """Sections that name facts of the notebook: they may have been shown before these were."""
        places = {place for name in self._extra for place in self.narrative.places.get(name, ())}
        numbers = [place.partition(":")[2] for place in sorted(places)]
        return {number: self.coverage.sections[number] for number in numbers}

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
        """The last cell: all facts, the rows of those made here, and a digest over the facts."""
        self.later = frozenset()
        try:
            if self.awaited:
                del self.narrative
                _ = self.narrative  # it stops at the line that names a fact that was never made
            for _, shown in self._so_far.shown:
                if shown.block["kind"] == "prose":
                    self._prose(shown.block["source"])
        finally:
            self.later = None  # cells may be run again, and further ones
        return self._sealed()

    def draft(self) -> Shown | None:
        """In Jupyter, the documents as they would be now, and links to them; elsewhere nothing.

        They are made of what cells have shown so far and of the Markdown of the saved notebook,
        under ``outputs/<district>/<year>/draft/``; nothing is published.
        """
        saved = None if is_forked_kernel() else saved_notebook()
        if saved is None:
            return None
        return make_draft(self, self._so_far, self._sealed(), saved)

    def _sealed(self) -> Shown:
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
                "form": self.prescribed(),
                "head": self._head(),
                "sections": self._named_later(),
                "context": self.context,
                "compared": {
                    name: [plain(one) for one in fact.compared]
                    for name, fact in self.facts.items()
                    if fact.compared
                },
                "made": self._so_far.as_json(),
                "waivers": [one.model_dump(mode="json") for one in self.waivers_left],
                "past": self._last_year(),
                "headlines": headlines(
                    self.edition.model.headlines,
                    self.facts,
                    year=self.year,
                    past=self.past,
                    ledgers=self.ledgers,
                ),
                "versions": _versions(),
                "checks": [check.as_json() for check in self.all_checks],
                "rules": told_of(
                    self.rules,
                    dict.fromkeys(
                        [*(c.id for c in self.all_checks if not c.holds), *OF_NOTEBOOKS, "W1"]
                    ),
                ),
                "rows": seal_rows(self._extra),
            }
        )


def _versions() -> dict[str, str]:
    """Return the versions of what computed the facts, as far as they could change them."""
    python = ".".join(platform.python_version_tuple()[:2])
    packages = {name: version(name) for name in ("pandas", "numpy", "pyarrow")}
    return {"python": python, "reportkit": version("reportkit-zwgk")} | packages


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
    return _opened(district, year, scope=scope, draft=draft, params=params, data=data, out=out)


def open_rollup(
    parent: str,
    year: int,
    *,
    draft: bool = False,
    params: str | Path | None = None,
    data: str | Path | None = None,
    out: str | Path | None = None,
) -> Report:
    """Open the report of a parent as the sum of its members' reports.

    Parameters
    ----------
    parent : str
        District id; its members are the districts whose files say ``parent: <id>``.
    year : int
        Report year.
    draft : bool
        Mark the documents as a draft.
    params, data, out : path, optional
        As for `open_report`; under *out* stand the runs of the members.

    Returns
    -------
    Report
        Its figures are of origin ``sum``, and it has no ledgers.

    Raises
    ------
    InputError
        ``hierarchy``: districts name their parents wrongly; ``members-missing``: no member has a
        report; ``member-differs``: one is of another year, form or edition.
    """
    return _opened(parent, year, draft=draft, params=params, data=data, out=out, rollup=True)


def _opened(district: str, year: int, **options: Any) -> Report:
    # The papermill command guesses types: `-p district 350206` arrives as a number.
    if isinstance(year, bool) or not re.fullmatch("[0-9]{4}", str(year)):
        raise InputError(
            "parameters",
            "the parameter year is {year!r}, no year; give four digits: -p year 2020, "
            "or open_report(district, 2020)",
            year=year,
            district=str(district),
        )
    with counted() as tell:
        report = Report.open(str(district), int(year), tell=tell, **options)
    follow(report._so_far)
    return report
