"""A district through the years: sealed figures, or figures computed from the ledgers, compared.

Across editions of the form only those cells are compared that count the same: cells with the same
id, and cells whose edition says what stands in their place (``follows``).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from reportkit.errors import InputError
from reportkit.facts.derived import compared
from reportkit.facts.numerals import number_of, plain
from reportkit.facts.previous import sealed_facts
from reportkit.language import joined
from reportkit.language.message import AND
from reportkit.notebook.charts import chart
from reportkit.notebook.made import parameter
from reportkit.notebook.report import open_report
from reportkit.params import District, Project, parse_report_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reportkit.forms import Form, Table
    from reportkit.notebook.display import Shown


@dataclass(frozen=True, repr=False)
class Years:
    """The figures of one district in several report years; made by `open_years`.

    Parameters
    ----------
    district : District
    form : Form
        The form that it reports by.
    documents : mapping of int to dict
        By year, oldest first: what stands in ``facts.json``.
    sources : mapping of int to str
        By year: the run that was sealed, or that the figures were computed.
    left_out : mapping of int to str
        Years that could not be read, and why.
    """

    district: District
    form: Form
    documents: Mapping[int, Mapping[str, Any]]
    sources: Mapping[int, str]
    left_out: Mapping[int, str]

    def __repr__(self) -> str:
        return f"{self.origins().to_string()}{self._alone()}"

    def _repr_html_(self) -> str:
        return f"{self.origins().to_html()}<p>{self._alone()}</p>"

    def _alone(self) -> str:
        return "" if len(self.documents) > 1 else "\n只有一个年度，没有别的年度可以比较。"

    def origins(self) -> pd.DataFrame:
        """Each year with its edition and where its figures are from."""
        rows = {
            year: {"格式版本": document["edition"], "来源": self.sources[year]}
            for year, document in self.documents.items()
        }
        for year, reason in self.left_out.items():
            rows[year] = {"格式版本": "", "来源": f"未列入：{reason}"}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("年度").sort_index()

    def values(self, fact: str) -> dict[int, Decimal]:
        """A fact in every year in which it is there, or in which others add up to it.

        Parameters
        ----------
        fact : str
            An id, in the words of the earliest edition that has it.
        """
        found: dict[int, Decimal] = {}
        for year, document in self.documents.items():
            numbers = ((f["id"], number_of(f["value"])) for f in document["facts"])
            held = {name: number for name, number in numbers if number is not None}
            names = [fact]
            follow = self.form.edition(year).successor(fact)
            if fact not in held and follow and follow.comparable:
                names = follow.here
            if all(name in held for name in names):
                found[year] = sum((held[name] for name in names), Decimal(0))
        return found

    def unit(self, fact: str) -> str:
        """The unit of a fact, as the first year has it that holds it."""
        found = (known for document in self.documents.values() for known in document["facts"])
        return next((str(known["unit"]) for known in found if known["id"] == fact), "")

    def cells(self) -> dict[str, str]:
        """Label and id of every cell that all years have, and that is not zero in all of them.

        Of a table that sums up its rows the sums only.
        """
        first = min(self.documents)
        chosen = {}
        edition = self.form.edition(first)
        for cell in edition.cells(first):
            values, totals = self.values(cell.id), edition.tables[cell.table].totals
            if totals and cell.column not in totals:
                continue
            if len(values) == len(self.documents) and any(values.values()):
                chosen[cell.label.removesuffix(f"/{totals.get(cell.column)}")] = cell.id
        return chosen

    def table(self, facts: Mapping[str, str]) -> pd.DataFrame:
        """Facts as rows, years as columns, and how the last year differs from the one before.

        Parameters
        ----------
        facts : mapping of str to str
            Label to fact id.
        """
        rows = {}
        for label, fact in facts.items():
            values, unit = self.values(fact), self.unit(fact)
            row = {f"{y}年": plain(values[y]) if y in values else "—" for y in self.documents}
            recent = list(self.documents)[-2:]
            if len(recent) == 2 and all(year in values for year in recent):
                row["增减"] = _compared(values, *recent, unit=unit)
            rows[f"{label}（{unit}）"] = row
        return pd.DataFrame.from_dict(rows, orient="index").fillna("")

    def chart(self, name: str, facts: Mapping[str, str], *, title: str) -> Shown | None:
        """Columns by year, at most three facts; None with fewer than two years, or all zero.

        Parameters
        ----------
        name : str
            Id of the chart.
        facts : mapping of str to str
            Label to fact id; all of one unit.
        title : str
        """
        series = {label: self.values(fact) for label, fact in facts.items()}
        years = [y for y in self.documents if all(y in values for values in series.values())]
        data = pd.DataFrame(
            {label: [values[year] for year in years] for label, values in series.items()},
            index=pd.Index([f"{year}年" for year in years], name="年度"),
        )
        if len(years) < 2:
            return None
        (unit,) = {self.unit(fact) for fact in facts.values()}
        return chart(name, data, title=title, kind="columns", unit=unit)

    def words(self, facts: Mapping[str, str]) -> str:
        """Each fact in a sentence: its values, and what changed from year to year."""
        return "\n".join(self._sentence(label, fact) for label, fact in facts.items())

    def _sentence(self, label: str, fact: str) -> str:
        values, unit = self.values(fact), self.unit(fact)
        parts = [f"{year}年{plain(value)}{unit}" for year, value in values.items()]
        for i, (before, year) in enumerate(pairwise(values), start=1):
            parts[i] += f"，{_compared(values, before, year, unit=unit)}"
        if len(values) < 2:
            parts.append("没有别的年度可以比较")
        return f"{label}：{'；'.join(parts)}。"

    def editions(self) -> pd.DataFrame:
        """Cells that differ between the editions of these years: what may be compared, and why.

        Of a table that sums up its rows the sums only; empty if all years are of one edition.
        """
        first, last = min(self.documents), max(self.documents)
        old, new = self.form.edition(first), self.form.edition(last)
        labels = {cell.id: cell.label for cell in new.cells(last)}
        rows, seen = [], set()
        for cell in old.cells(first):
            seen.add(cell.id)
            follow = None if cell.id in labels else new.successor(cell.id)
            if follow:
                seen.update(follow.here)
                here = "；".join(labels[name] for name in follow.here)
                rows.append((cell.id, cell.label, here, follow.comparable, follow.why))
        added = [name for name in labels if name not in seen]
        rows += [(name, "", labels[name], False, f"{new.name}年版新设") for name in added]
        frame = pd.DataFrame(rows, columns=["格", f"{old.name}年版", "现行版", "可比", "说明"])
        tables = {**old.tables, **new.tables}
        shown = frame["格"].map(lambda name: _is_short(tables, name)).astype(bool)
        return (
            frame[shown]
            .assign(可比=frame["可比"].map({True: "可比", False: "不可比"}))
            .set_index("格")
        )


def _is_short(tables: Mapping[str, Table], cell: str) -> bool:
    """Return True where a cell is in the short form of its table: all, or the sums of rows."""
    totals = tables[cell.partition(".")[0]].totals
    return not totals or cell.rpartition(".")[2] in totals


def _compared(values: Mapping[int, Decimal], before: int, year: int, *, unit: str) -> str:
    return compared(values[year], values[before], unit=unit, last=f"{before}年")


def open_years(
    district: str,
    years: Iterable[int] | int | None = None,
    *,
    form: str | None = None,
    params: str | Path | None = None,
    data: str | Path | None = None,
    out: str | Path | None = None,
) -> Years:
    """The figures of a district in several years: of its sealed runs, else from its ledgers.

    Parameters
    ----------
    district : str
        District id.
    form : str, optional
        The form of the reports, as for `open_report`.
    years : iterable of int, optional
        Report years; by default all that have a run or parameters. Of these, one that cannot be
        computed is left out, with the reason; one that is asked for must be there.
    params, data, out : path, optional
        Folders of parameters, ledgers and runs; those of the project around the working folder by
        default.

    Raises
    ------
    InputError
        ``years-missing``: no year is there; ``scope``: some years are 汇总, others 本机关; and what
        `open_report` raises for a year that was asked for.
    """
    project = Project.find(params, data)
    who = project.district(str(district), form or parameter("form"))
    district = who.id
    runs = Path(out) if out else project.params.parent / "outputs"
    if years is None:
        made = (parse_report_name(path.parent.name) for path in runs.glob(f"{district}/*/current"))
        there = [*project.reports_named(district), *filter(None, made)]
        wanted = sorted({year for year, other in there if other == who.other_form})
    else:
        wanted = sorted({years} if isinstance(years, int) else set(map(int, years)))
    documents: dict[int, Mapping[str, Any]] = {}
    sources, left_out = {}, {}
    for year in wanted:
        run = runs / district / who.report_name(year) / "current"
        sealed = sealed_facts(run)
        try:
            documents[year] = (
                sealed
                or open_report(
                    district, year, form=who.form, params=params, data=data
                ).facts_document()
            )
        except InputError as error:
            if years is not None:
                raise
            left_out[year] = error.message
            continue
        sources[year] = f"已封存的报告 {run.resolve().name}" if sealed else "由台账计算"
    if not documents:
        raise InputError(
            "years-missing",
            "no year of {district} has a run or can be computed{reasons}",
            reasons=joined("", [f"\n  {year}: " + reason for year, reason in left_out.items()]),
            district=district,
        )
    if len(scopes := {document["scope"] for document in documents.values()}) > 1:
        raise InputError(
            "scope",
            "the years are of {scopes}; figures of two scopes differ",
            scopes=joined(AND, sorted(scopes)),
            district=district,
        )
    return Years(who, project.form(who.form), documents, sources, left_out)
