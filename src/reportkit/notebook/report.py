"""The report as an analyst sees it: open, look, show section by section, seal."""

from __future__ import annotations

import platform
import re
from decimal import Decimal
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reportkit import __version__
from reportkit.checks import rule_of
from reportkit.errors import InputError
from reportkit.evidence.seal import seal_of, seal_rows
from reportkit.facts import Fact, plain
from reportkit.ledgers import schemas
from reportkit.notebook.charts import Kind, show_chart
from reportkit.notebook.compilation import Compilation
from reportkit.notebook.display import (
    Shown,
    show_checks,
    show_head,
    show_inputs,
    show_seal,
    show_section,
    show_table,
)

if TYPE_CHECKING:
    from pathlib import Path

    from reportkit.facts.previous import Past
    from reportkit.params import Scope


class Report(Compilation):
    """A report in a notebook; made by `open_report`.

    Every method that shows something returns an object for the end of a notebook cell.
    """

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
            As of `rk.show_chart`.
        """
        frame = data.to_frame() if isinstance(data, pd.Series) else data
        if frame.empty or not frame.to_numpy().any():
            return None
        return show_chart(name, frame, title=title, kind=kind, unit=unit, line=line, limit=limit)

    def outcomes(self, table: int | str = 3, total: str = "results_total") -> pd.DataFrame:
        """The parts of a total row of a table, by label, for a chart: those that are not zero.

        Last year's stand beside them where all are known, and this year's are not all zero. Rows
        that were one row in last year's edition of the form, as this one says (``follows``), are
        one here too.
        """
        form_table = self.form.table(table)
        (band,) = form_table.model.bands
        rows = {row.key: row for row in form_table.rows(band)}
        column = next(c.key for c in form_table.columns(band) if c.parts)
        parts = [rows[key] for key in rows[total].parts]
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
        frame = pd.DataFrame(years).astype("int64").rename_axis("办理结果")
        return frame[frame.any(axis=1)]

    def _as_of(self, past: Past, here: set[str]) -> dict[tuple[str, ...], Decimal]:
        """Last year's values by the cells of this edition that count the same together."""
        found: dict[tuple[str, ...], Decimal] = {}
        found |= {(name,): value for name, value in past.values.items() if name in here}
        for name, value in past.values.items():
            follow = None if name in here else self.form.successor(name)
            if follow and follow.comparable and here.issuperset(follow.here):
                found[tuple(follow.here)] = value
        return found

    def checks(self) -> Shown:
        """What holds and what does not."""
        return show_checks(self.all_checks)

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
                "rows": seal_rows(self._extra),
            }
        )


def _versions() -> dict[str, str]:
    """What computed the facts, as far as it could change them."""
    python = ".".join(platform.python_version_tuple()[:2])
    packages = {name: version(name) for name in ("pandas", "numpy", "pyarrow")}
    return {"python": python, "reportkit": __version__} | packages


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
    if isinstance(year, bool) or not re.fullmatch("[0-9]{4}", str(year)):
        message = (
            f"the parameter year is {year!r}, no year; give four digits: -p year 2020, or "
            "open_report(district, 2020)"
        )
        raise InputError("parameters", message, district=str(district))
    return Report.open(
        str(district), int(year), scope=scope, draft=draft, params=params, data=data, out=out
    )
