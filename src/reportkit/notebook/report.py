"""The report as an analyst sees it: opened, shown section by section, sealed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from reportkit.errors import InputError
from reportkit.export.blocks import block
from reportkit.facts import Fact
from reportkit.language import Message
from reportkit.ledgers import schema_of, schemas
from reportkit.notebook.comparing import compared_with, figures_compared
from reportkit.notebook.compilation import Compilation
from reportkit.notebook.display import Shown, show, show_checks, show_inputs, show_table
from reportkit.notebook.drafting import make_draft, saved_notebook
from reportkit.notebook.explained import explained
from reportkit.notebook.frames import table_of
from reportkit.notebook.made import Made, counted, follow, parameter, this_cell
from reportkit.notebook.members import members_frame, part_of
from reportkit.notebook.outcomes import outcomes_of
from reportkit.notebook.ownfacts import own_fact
from reportkit.notebook.sealing import head_of, seal_content
from reportkit.text.narrative import cell_name, render_cell
from reportkit.warm.processes import is_forked_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from reportkit.checks import Check
    from reportkit.facts import Facts
    from reportkit.facts.previous import Past
    from reportkit.forms import Edition
    from reportkit.ledgers import Ledgers
    from reportkit.notebook.charts import Kind
    from reportkit.params import District, Scope
    from reportkit.text.markdown import Prose


class Report:
    """A report in a notebook; made by `open_report`.

    Every method that shows something returns an object for the end of a notebook cell.
    """

    def __init__(self, compiled: Compilation) -> None:
        self.compiled = compiled
        self.so_far = Made()

    @property
    def district(self) -> District:
        """The body that reports."""
        return self.compiled.district

    @property
    def year(self) -> int:
        """Report year."""
        return self.compiled.year

    @property
    def edition(self) -> Edition:
        """Edition of the form."""
        return self.compiled.edition

    @property
    def ledgers(self) -> Ledgers:
        """The ledgers that were read, by key."""
        return self.compiled.ledgers

    @property
    def past(self) -> Past | None:
        """Last year's report."""
        return self.compiled.past

    @property
    def facts(self) -> Facts:
        """All facts so far, by id: those that are defined, and the notebook's own."""
        return self.compiled.facts

    @property
    def all_checks(self) -> list[Check]:
        """Every check over the computed report, and what was accepted of its findings."""
        return self.compiled.all_checks

    @property
    def is_draft(self) -> bool:
        """Asked for, or no narrative that is written to its end, or an open error."""
        return self.compiled.is_draft

    def facts_document(self) -> dict[str, Any]:
        """The document ``facts.json`` as it would be now; it is not to be changed."""
        return self.compiled.facts_document()

    def __repr__(self) -> str:
        return f"{self.district.name}{self.year}年{self.compiled.form.model.title}"

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        return self.inputs()._repr_mimebundle_(**options)

    def inputs(self) -> Shown:
        """Show what was read: files, rows, and what was not accepted."""
        absent = [(key, schemas(self.compiled.form)[key].name) for key in self.compiled.absent]
        members, note = [], self.ledgers.note
        if self.compiled.sums:
            members, note = [member.as_json() for member in self.compiled.members.values()], ""
        return self.so_far.note(show_inputs(self.ledgers, absent, note, members=members))

    def ledger(self, key: str) -> pd.DataFrame:
        """The accepted records of a ledger, without personal columns, indexed by row number.

        A ledger that is not there and that the form does not need gives an empty frame.

        Raises
        ------
        InputError
            ``ledger-unknown`` or what is wrong with its files.
        """
        schema = schema_of(self.compiled.form, key)
        try:
            frame = self.ledgers[key].frame.copy()
            frame.attrs["ledger"] = key  # a selection of it still says whose rows it has
            return frame
        except KeyError:
            types = {column.name: column.type for column in schema.columns if not column.personal}
            types |= {column.name: column.type for column in schema.derived}
            dtypes = {n: "datetime64[s]" if t == "date" else "str" for n, t in types.items()}
            return pd.DataFrame({n: pd.Series(dtype=dtype) for n, dtype in dtypes.items()})

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
            return self.compiled.own.get(name) or self.compiled.computer.get(name)
        again = self.so_far.facts.get(name)
        if name in self.compiled.computer or (
            name in self.compiled.own and again != this_cell().id
        ):
            raise InputError(
                "fact-twice", "fact '{fact}' is there already; choose another id", fact=name
            )
        given = [parts] if isinstance(parts, str | Fact) else parts
        summed = [part if isinstance(part, Fact) else self.fact(part) for part in given]
        stated = Fact(name, label or name, "", unit, "sum", definition, places=("notebook",))
        fact = own_fact(stated, self.ledgers, rows=rows, value=value, parts=summed, ledger=ledger)
        self.so_far.facts[name] = this_cell().id or None
        self.compiled.add(fact)
        return fact

    def head(self) -> Shown:
        """Title, document number, dates and preamble."""
        return self.so_far.note(show(block("head", **head_of(self.compiled))))

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
        body = list(self.compiled.coverage.sections.get(number, []))
        shown = block("section", number=number, title=section.title, body=body)
        return self.so_far.note(show(shown))

    def table(self, number: int | str) -> Shown:
        """A statutory table (2, 3 or 4), every cell a fact."""
        return self.so_far.note(show_table(self.edition.table(number), self.compiled.computed()))

    def parts(self) -> Iterator[Shown]:
        """Every section with its table, in the order of the form, whichever form it is."""
        for section in self.edition.sections:
            yield self.section(section.number)
            if section.table:
                yield self.table(section.table)

    def members(self) -> pd.DataFrame:
        """The members of a roll-up, for a table or chart; see `members_frame`."""
        return members_frame(self.compiled)

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
            are shown as they are, a missing number as —.
        title, kind, unit, line, limit
            As of `rk.chart`.
        """
        title, _, bound = self._bound(title)
        # matplotlib is imported where something is drawn: `verify` and the command draw nothing.
        from reportkit.notebook.charts import chart_block

        made = chart_block(name, data, title=title, kind=kind, unit=unit, line=line, limit=limit)
        return None if made is None else self.so_far.note(show(made | bound))

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
            self.so_far.take(figure)
        else:
            raise InputError(
                "show-kind",
                "report.show takes a DataFrame, a Series or a figure, not {kind}: make it one "
                "(pd.DataFrame(…); .data of a styled table, with formats=…); text goes to "
                "report.text",
                kind=type(thing).__name__,
            )
        return self.so_far.note(show(made | bound))

    def _bound(self, title: Any, note: Any = "") -> tuple[str, str, dict[str, Any]]:
        """A caption and a note with their figures filled in, and which facts these are."""
        title, note = ("" if text is None else str(text) for text in (title, note))
        if "{{" not in title + note:
            return title, note, {}
        lines = []
        name = Message("the caption “{title}”", title=title[:20])
        for text in (title, note):
            body = self._prose(text, name)
            lines.append([run for node in body for run in node.get("runs", ())])
        title, note = ("".join(run["text"] for run in runs) for runs in lines)
        return title, note, {"said": lines}

    def explain(self, name: str) -> pd.DataFrame:
        """Explain a fact and what it rests on, for the analyst; it stands in no document.

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
        return explained(
            fact,
            self.ledgers,
            {part: part_of(self.compiled, fact, part) for part in fact.sum_of},
        )

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
        body = self._prose(source, cell_name(source))
        return self.so_far.note(show(block("prose", source=source, body=body)))

    def _prose(self, source: str, name: str) -> Prose:
        context = self.compiled.context
        body, _ = render_cell(source, figures=self.compiled, context=context, name=name)
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
            return self.so_far.note(show(figures_compared(table, known)))
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
        found = compared_with(self.edition.table(table), counted, self.compiled.computed())
        return self.so_far.note(show(found))

    def _there(self, name: str) -> Fact | None:
        """One figure; None where there is none, or not the ledger that it counts."""
        if name not in self.compiled.computer:
            return None
        try:
            return self.compiled.get(name)
        except InputError as error:
            if error.reason != "ledger-missing":
                raise
            return None

    def outcomes(self) -> pd.DataFrame:
        """The parts of the first total row of a table, by label, for a chart; see `outcomes_of`."""
        return outcomes_of(self.compiled)

    def checks(self) -> Shown:
        """Show which checks hold and which do not."""
        return self.so_far.note(show_checks(self.all_checks, self.compiled.rules))

    def seal(self) -> Shown:
        """The last cell: all facts, the rows of those made here, and a digest over the facts."""
        self.compiled.later = frozenset()
        try:
            if self.compiled.awaited:
                # Rendered again, it stops at the line that names a fact that was never made.
                del self.compiled.narrative
                _ = self.compiled.narrative
            for _, shown in self.so_far.shown:
                if shown.block["kind"] == "prose":
                    source = shown.block["source"]
                    self._prose(source, cell_name(source))
        finally:
            self.compiled.later = None  # cells may be run again, and further ones
        return self._sealed()

    def draft(self) -> Shown | None:
        """In Jupyter, the documents as they would be now, and links to them; elsewhere nothing.

        They are made of what cells have shown so far and of the Markdown of the saved notebook,
        under ``outputs/<district>/<year>/draft/``; nothing is published.
        """
        saved = None if is_forked_kernel() else saved_notebook()
        if saved is None:
            return None
        return make_draft(self.compiled, self.so_far, self._sealed(), saved)

    def _sealed(self) -> Shown:
        return show(block("seal", **seal_content(self.compiled, self.so_far.as_json())))


def open_report(
    district: str,
    year: int,
    *,
    form: str | None = None,
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
    form : str, optional
        The form that it reports by. By default the notebook's parameter ``form``, where it is given
        one (``papermill … -p form NAME``, ``reportkit run --form NAME``), else the district's.
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
        or refused; all missing ledgers are named at once.
    """
    options = {"draft": draft, "params": params, "data": data, "out": out}
    return _opened(district, year, form, scope=scope, **options)


def open_rollup(
    parent: str,
    year: int,
    *,
    form: str | None = None,
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
    form : str, optional
        As for `open_report`.
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
    options = {"draft": draft, "params": params, "data": data, "out": out}
    return _opened(parent, year, form, rollup=True, **options)


def _opened(district: str, year: int, form: str | None, **options: Any) -> Report:
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
        by = form or parameter("form")
        compiled = Compilation.open(str(district), int(year), form=by, tell=tell, **options)
    report = Report(compiled)
    follow(report.so_far)
    return report
