"""Many districts of one year compared in a notebook, with documents like any other's."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd

from reportkit.errors import InputError
from reportkit.evidence.seal import seal_of
from reportkit.export.blocks import block
from reportkit.facts import Fact, Facts
from reportkit.facts.computer import unknown_fact
from reportkit.facts.numerals import rounded
from reportkit.notebook.display import show
from reportkit.notebook.freeform import first_rows, next_section
from reportkit.notebook.members import ORIGINS, names_of
from reportkit.notebook.spread import Distribution, spread_of
from reportkit.params import Project
from reportkit.rollup.members import present, read_members
from reportkit.text.narrative import cell_name, render_cell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

    from reportkit.forms import Form
    from reportkit.notebook.charts import Kind
    from reportkit.notebook.display import Shown
    from reportkit.rollup.members import Member

# Small pictures on a page; more cannot be read.
_PICTURES = 24


@dataclass(frozen=True, repr=False)
class Districts:
    """Reports of many districts in one year; made by `open_districts`.

    Parameters
    ----------
    name : str
        Whose districts they are, as printed.
    year : int
    form : Form
    members : mapping of str to Member
        Reports by district, those that are missing too.
    synthetic : bool
        Some of them rest on demonstration data.
    """

    name: str
    year: int
    form: Form
    members: Mapping[str, Member]
    synthetic: bool = False
    _facts: dict[str, Fact] = field(default_factory=dict)
    _sections: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        missing = "、".join(m.name for m in self.members.values() if m.origin == "missing")
        count = f"{self.name}{self.year}年：{len(self.present)}个区县有报告"
        return count + (f"；没有的：{missing}" if missing else "")

    @property
    def present(self) -> list[Member]:
        """Districts that have a report, sealed or published."""
        return present(self.members.values())

    @property
    def names(self) -> dict[str, str]:
        """Name of each district that has a report, with its id where two are called alike."""
        return names_of(self.present)

    def sources(self) -> pd.DataFrame:
        """Each district with where its figures are from."""
        rows = [
            (member.name, ORIGINS[member.origin], "草稿" * member.draft, "、".join(member.errors))
            for member in self.members.values()
        ]
        return pd.DataFrame(rows, columns=["区县", "来源", "状态", "未处理的差错"])

    def frame(self, figures: Mapping[str, str | Sequence[str]]) -> pd.DataFrame:
        """Figures as columns, districts as rows; missing where a district has none.

        Parameters
        ----------
        figures : mapping of str to str or sequence of str
            Label to fact id; of several facts the sum.
        """
        columns, names = {}, self.names
        for label, given in figures.items():
            facts = [given] if isinstance(given, str) else list(given)
            columns[label] = {
                names[member.id]: sum((member.values[fact] for fact in facts), Decimal(0))
                for member in self.present
                if member.values.keys() >= {*facts}
            }
        frame = pd.DataFrame(columns, index=pd.Index(names.values(), name="区县"))
        return frame.astype(object)

    @staticmethod
    def share(part: pd.Series, whole: pd.Series, *, least: int = 10) -> pd.Series:
        """A share in percent with one decimal; missing where the whole is too small to say.

        Parameters
        ----------
        part, whole : pandas.Series
            Numbers by district.
        least : int
            Of fewer there is no share: one case more would change it much.
        """
        shares = {
            name: rounded(100 * Decimal(str(part[name])) / Decimal(str(whole[name])), 1)
            for name in part.index
            if pd.notna(part[name]) and pd.notna(whole[name]) and whole[name] >= least
        }
        return pd.Series(shares, index=part.index, dtype=object)

    def spread(
        self, name: str, values: pd.Series, *, unit: str = "件", label: str = ""
    ) -> Distribution | None:
        """The distribution of a column; its figures can be named in a text.

        Parameters
        ----------
        name : str
            Word of its facts: ``spread.<name>.median``, ``low``, ``high``, ``least``, ``most``,
            ``count``, ``far``.
        values : pandas.Series
            A column of `frame`, or made of such.
        unit : str
        label : str
            What it is; the name of the column by default.
        """
        found = spread_of(values, label=label or str(values.name), unit=unit)
        if found is not None:
            source = "各区县封存或已公布的报告"
            for word, (title, value, own, definition) in found.figures().items():
                fact = f"spread.{name}.{word}"
                self._facts[fact] = Fact(fact, title, value, own, "sum", definition, source=source)
        return found

    def get(self, name: str) -> Fact:
        """A fact for a text.

        Raises
        ------
        InputError
            ``fact-unknown``.
        """
        if name not in self._facts:
            raise unknown_fact(name, self._facts)
        return self._facts[name]

    def head(self) -> Shown:
        """Title of the documents."""
        return show(block("head", **self._head))

    @property
    def _head(self) -> dict[str, Any]:
        absent = dict.fromkeys(("office", "document_number", "dated", "printed", "fonts"))
        return absent | {
            "district": "districts",
            "year": self.year,
            "edition": self.form.edition(self.year).name,
            "scope": "district",
            "draft": any(member.draft for member in self.present),
            "synthetic": self.synthetic,
            "title": f"{self.name}{self.year}年各区县比较",
            "issuer": self.name,
            "preamble": [],
        }

    def section(self, title: str) -> Shown:
        """A heading of the documents; they are numbered as they come."""
        return next_section(self._sections, title)

    def text(self, source: str) -> Shown:
        """Prose, with the figures of distributions bound as in a narrative."""
        name = cell_name(source)
        body, _ = render_cell(source, figures=self, context={"year": self.year}, name=name)
        return show(block("prose", source=source, body=body))

    def show(self, table: pd.DataFrame, *, title: str, note: str = "", rows: int = 60) -> Shown:
        """A table in the documents, its first rows if it is long."""
        return first_rows(table, title=title, note=note, rows=rows)

    def chart(
        self, name: str, data: pd.Series, *, title: str, kind: Kind = "columns", unit: str = "个"
    ) -> Shown | None:
        """A chart in the documents; None where there is nothing to draw."""
        from reportkit.notebook.charts import chart_block

        made = chart_block(name, data, title=title, kind=kind, unit=unit)
        return None if made is None else show(made)

    def multiples(self, frame: pd.DataFrame, *, title: str, note: str = "") -> Shown | None:
        """One small picture a district, all on the same scale; None where there is nothing to draw.

        Parameters
        ----------
        frame : pandas.DataFrame
            Shares in percent, a column for each bar; of more than 24 rows the first.
        """
        from reportkit.notebook.figures import figure_block

        shown = frame.dropna().astype(float).head(_PICTURES)
        if shown.empty:
            return None
        if len(shown) < len(frame):
            left = f"共{len(frame)}个区县，画出{len(shown)}个"
            note = "；".join(filter(None, [note, left]))
        shares = "；".join(
            f"{name}：{'，'.join(f'{column}{value:g}%' for column, value in row.items())}"
            for name, row in shown.iterrows()
        )
        alt = f"各区县{title}。{shares}"
        return show(figure_block(_pictures(shown), title=title, alt=alt, note=note))

    def seal(self) -> Shown:
        """The last cell: what was compared, and which reports it is from."""
        sources = [f"{m.source} sha256:{m.as_json()['sha256']}" for m in self.present]
        document = Facts(self._facts).as_json(
            district="districts",
            year=self.year,
            edition=self.form.edition(self.year).name,
            scope="district",
        )
        return show(
            block(
                "seal",
                seal=seal_of(document),
                facts=document,
                head=self._head,
                sections={},
                context={"year": self.year},
                compared={},
                form=None,
                made={"blocks": [], "figures": []},
                waivers=[],
                past={},
                headlines=[],
                versions={},
                checks=[],
                rules={},
                rows={},
                parameters={"year": self.year, "reports": sources},
            )
        )


def _pictures(frame: pd.DataFrame) -> Figure:
    """A grid of bar charts that share their axes."""
    # matplotlib is imported where something is drawn.
    from matplotlib.figure import Figure

    from reportkit.notebook.style import in_house_style, know_fonts

    know_fonts()
    with in_house_style():
        across = min(4, len(frame))
        down = -(-len(frame) // across)
        figure = Figure(figsize=(6.3, 0.45 + (0.35 + 0.16 * len(frame.columns)) * down))
        grid = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
        for axes, (name, row) in zip(grid.flat, frame.iterrows(), strict=False):
            axes.barh(list(frame.columns)[::-1], list(row)[::-1], height=0.7)
            axes.set_title(str(name), fontsize=8)
            axes.set_xlim(0, 100)
            axes.tick_params(labelsize=6)
        for axes in grid.flat[len(frame) :]:
            axes.set_visible(False)
        figure.tight_layout()
    return figure


def open_districts(
    year: int,
    *,
    parent: str | None = None,
    params: str | Path | None = None,
    data: str | Path | None = None,
    out: str | Path | None = None,
) -> Districts:
    """The reports of many districts in one year: sealed runs, else what was published.

    Parameters
    ----------
    year : int
        Report year.
    parent : str, optional
        Only the members of this district; by default all of the project that have a report, but
        those that sum up others.
    params, data, out : path, optional
        Folders of parameters, ledgers and runs; those of the project around the working folder by
        default.

    Raises
    ------
    InputError
        ``districts-missing``: none has a report of the year; ``past-changed``, ``member-differs``.
    """
    project = Project.find(params, data, out)
    asked = project.district(str(parent)) if parent else None
    hierarchy = project.hierarchy()
    if asked:
        ids = hierarchy.members(asked.id)
    else:
        # Of a sum and its parts one is compared, or a city would stand among its own units.
        every = sorted(path.stem for path in (project.params / "districts").glob("*.yaml"))
        ids = tuple(name for name in every if not hierarchy.members(name))
    read = read_members(project, None, int(year), hierarchy, members=ids)
    if asked is None:
        read = {name: member for name, member in read.items() if member.origin != "missing"}
    forms = {project.district(name).form for name in read}
    if not present(read.values()):
        raise InputError(
            "districts-missing",
            "no district of {folder} has a report of {year} to compare; make some first",
            folder=project.params / "districts",
            year=int(year),
        )
    if len(forms) > 1:
        raise InputError(
            "districts-missing",
            "the districts report by the forms {forms}, whose figures cannot be compared; name a "
            "parent whose members report by one",
            forms=", ".join(sorted(forms)),
            year=int(year),
        )
    return Districts(
        asked.name if asked else "",
        int(year),
        project.form(forms.pop()),
        read,
        any(project.district(name).synthetic for name in read),
    )
