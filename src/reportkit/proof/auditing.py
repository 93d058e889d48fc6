"""An auditor's notebook over a run: verdicts, three counts, findings, samples, what has moved.

What it shows makes documents by the same exporters as a report's, and nothing in it is computed by
the run: it is read from the run's files, or counted again.
"""

from __future__ import annotations

import random
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from reportkit.errors import InputError
from reportkit.evidence.read import read_facts, read_records
from reportkit.evidence.scripts import read_rows
from reportkit.evidence.seal import seal_of
from reportkit.export.blocks import block, from_notebook
from reportkit.facts.computer import unknown_fact
from reportkit.facts.numerals import number_of
from reportkit.language import joined
from reportkit.ledgers.records import place_in_file
from reportkit.ledgers.schema import schema_of
from reportkit.notebook.display import Shown, show
from reportkit.notebook.freeform import first_rows, next_section
from reportkit.params import Project
from reportkit.proof.inspection import Asked, inspect
from reportkit.proof.manifest import read_manifest
from reportkit.proof.places import facts_of, own_form
from reportkit.proof.plainjson import read_json
from reportkit.proof.recount.computed import with_sums
from reportkit.proof.verify import counted_again

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from decimal import Decimal

    Fact = Mapping[str, Any]

_LEVELS = {
    "files": "文件",
    "ledgers": "台账",
    "facts": "数据",
    "render": "重新生成",
    "environment": "环境",
    "rerun": "重新执行",
}
_VERDICTS = {True: "通过", False: "不通过", None: "无法判断"}
_SEVERITIES = {"error": "错误", "warning": "警告", "info": "提示"}


class RunAudit:
    """A run in an auditor's notebook; made by `open_run`.

    Methods that give a DataFrame are to look at; with ``show`` it stands in the documents.
    """

    def __init__(self, run: Path, asked: Asked, auditor: str) -> None:
        self.run, self._asked, self._auditor = run, asked, auditor
        self.manifest = read_manifest(run)
        self._notebook = read_json(run / "report.ipynb")
        (self._seal,) = from_notebook(self._notebook, "seal")
        self._checks = read_json(run / "checks.json")
        self._form = own_form(self.manifest, asked.params)
        self._sections: list[str] = []

    def __repr__(self) -> str:
        return f"{self.manifest['name']}{self.manifest['year']}年，运行{self.manifest['run']}"

    @cached_property
    def facts(self) -> dict[str, Fact]:
        """The facts of the run, by id."""
        return facts_of(self.run)

    @cached_property
    def _counted(self) -> dict[str, str]:
        """Values of the form's cells that the run's notebook counted, by fact."""
        shown = from_notebook(self._notebook, "compare")
        values = {name: value for block in shown for name, value in block["cells"].items()}
        return with_sums(self.facts, {name: values[name] for name in values if name in self.facts})

    @cached_property
    def _recounted(self) -> dict[str, str]:
        """Values that SQL counts over the raw ledgers, by fact."""
        return counted_again(self.run, data=self._asked.data, params=self._asked.params)

    def verdicts(self) -> pd.DataFrame:
        """Return the verdicts of ``reportkit verify`` on the run, level by level."""
        inspected = inspect(self.run, self._asked, closely=True)
        rows = [
            (
                _LEVELS.get(verdict.level, verdict.level),
                _VERDICTS[verdict.holds],
                joined("\n", verdict.findings) or "—",
                joined("\n", verdict.notes),
            )
            for verdict in inspected.levels
        ]
        return pd.DataFrame(rows, columns=["层次", "结论", "不符", "说明"])

    def counts(self, table: int | str) -> pd.DataFrame:
        """The cells of a statutory table, each counted three times.

        Parameters
        ----------
        table : int or str
            2, 3 or 4.

        Raises
        ------
        InputError
            ``table``: the run has no such table.
        """
        year = int(self.manifest["year"])
        cells = self._form.edition(year).cells(year)
        wanted = f"t{table}" if str(table).isdigit() else str(table)
        own = [cell.id for cell in cells if cell.table == wanted and cell.id in self.facts]
        if not own:
            tables = "、".join(dict.fromkeys(cell.table for cell in cells))
            raise InputError(
                "table",
                "the run has no table {table!r}; it has {tables}",
                table=table,
                tables=tables,
            )
        rows = []
        for name in own:
            fact = self.facts[name]
            counts = [self._counted.get(name), fact["value"], self._recounted.get(name)]
            numbers = [None if count is None else _number(count) for count in counts]
            known = [number for number in numbers if number is not None]
            verdict = "一致" if len({*known}) == 1 else "不一致"
            rows.append((fact["label"], *numbers, verdict if len(known) > 1 else "另无来源"))
        return pd.DataFrame(
            rows,
            columns=["格", "笔记本", "程序", "SQL", "核对"],
            index=pd.Index(own, name="标识"),
            dtype=object,
        )

    def findings(self) -> pd.DataFrame:
        """Checks of the run that do not hold, and what was accepted of them."""
        checks = [check for check in self._checks if not check["holds"]]
        rows = [
            (
                check["id"],
                _SEVERITIES[check["severity"]],
                check["title"],
                check["message"],
                check["waived"]["reason"] if check["waived"] else "",
            )
            for check in checks
        ]
        return pd.DataFrame(rows, columns=["编号", "级别", "规则", "说明", "接受的理由"])

    def sample(self, fact: str, size: int, *, seed: int) -> pd.DataFrame:
        """Records that a fact rests on, drawn by lot, with a box to tick for each.

        Parameters
        ----------
        fact : str
            Id; of a total the records of all its parts are drawn from.
        size : int
            How many; all of them if there are fewer.
        seed : int
            The same seed draws the same records of the same run.

        Raises
        ------
        InputError
            ``fact-unknown``.
        """
        facts, leaves = read_facts(self.run), self._leaves(fact)
        rows = {
            (facts[leaf].ledger, int(row)) for leaf in leaves & {*facts} for row in facts[leaf].rows
        }
        lot = random.Random(f"{seed} {fact}")  # noqa: S311 - it can be drawn again
        drawn = sorted(lot.sample(sorted(rows), min(size, len(rows))))
        records = []
        for ledger in sorted({ledger for ledger, _ in drawn}):
            numbers = [row for key, row in drawn if key == ledger]
            cells = read_rows(self.run / "evidence", ledger, numbers)
            places = read_records(self.run, ledger).take(numbers).to_pylist()
            columns = self._columns_of(ledger, leaves, next(iter(cells.values())))
            for number, place in zip(numbers, places, strict=True):
                at = place_in_file(place["sheet"], place["line"])
                own = {name: cells[number][name] for name in columns}
                records.append({"核": "□", "文件": place["file"], "位置": at, **own})
        return pd.DataFrame(records, columns=None if records else ["核", "文件", "位置"]).fillna("")

    def _columns_of(self, ledger: str, leaves: set[str], columns: Iterable[str]) -> list[str]:
        """The key of a record, and the columns by which it is counted."""
        groups = [group for leaf in leaves for group in self.facts[leaf]["where"]]
        named = {str(group.get("column")) for group in groups}
        named |= {condition["column"] for group in groups for condition in group["all"]}
        key = schema_of(self._form, ledger).key_column
        return [name for name in columns if name == key or name in named]

    def _leaves(self, name: str) -> set[str]:
        if name not in self.facts:
            raise unknown_fact(name, self.facts)
        # Those of a roll-up's members rest on the members' own evidence.
        parts = [part for part in self.facts[name]["sum_of"] if part in self.facts]
        return {leaf for part in parts for leaf in self._leaves(part)} or {name}

    def moved(self) -> pd.DataFrame:
        """Facts whose value differs from last year's, those that moved most first."""
        rows = [
            (self.facts[name]["label"], *map(_number, (last["value"], now, last["change"])))
            for name, last in self._seal["past"].items()
            if name in self.facts and (now := self.facts[name]["value"]) != last["value"]
        ]
        # A change that is no number, such as a day, counts as none and comes last.
        rows.sort(key=lambda row: -abs(row[3] or 0))
        return pd.DataFrame(rows, columns=["数据", "上年", "本年", "增减"], dtype=object)

    def head(self) -> Shown:
        """Title of the audit's documents."""
        return show(block("head", **self._head))

    @property
    def _head(self) -> dict[str, Any]:
        own: dict[str, Any] = {
            "title": f"{self._seal['head']['title']}核查记录",
            "issuer": self._auditor,
            "office": None,
            "document_number": None,
            "dated": None,
            "printed": None,
            "draft": False,
            "preamble": [],
        }
        return dict(self._seal["head"] | own)

    def section(self, title: str) -> Shown:
        """A heading of the audit's documents; they are numbered as they come."""
        return next_section(self._sections, title)

    def show(self, table: pd.DataFrame, *, title: str, note: str = "", rows: int = 400) -> Shown:
        """A table in the audit's documents, its first rows if it is long."""
        return first_rows(table, title=title, note=note, rows=rows)

    def checks(self) -> Shown:
        """The checks of the run."""
        return show(block("checks", checks=self._checks, rules=self._seal["rules"]))

    def seal(self) -> Shown:
        """The last cell: what was audited."""
        document = read_json(self.run / "facts.json")
        own = {
            "seal": seal_of(document),
            "facts": document,
            "head": self._head,
            "sections": {},
            "form": None,
            "waivers": [],
            "made": {"blocks": [], "figures": []},
            "checks": self._checks,
            "parameters": {"run": self.manifest["run"], "auditor": self._auditor},
        }
        return show(self._seal | own)


def _number(text: str) -> int | Decimal | None:
    number = number_of(text)
    return number if number is None or number % 1 else int(number)


def open_run(
    run: str | Path,
    *,
    params: str | Path | None = None,
    data: str | Path | None = None,
    auditor: str = "",
) -> RunAudit:
    """Open a run to audit it in a notebook.

    Parameters
    ----------
    run : path
        Its folder, such as ``outputs/huli/2020/current``.
    params, data : path, optional
        The auditor's own folders of parameters and ledgers.
    auditor : str
        Who audits it, as printed.

    Raises
    ------
    InputError
        ``run-missing``.
    """
    own = Project.find(params, data)
    return RunAudit(Path(run), Asked(data=own.data, params=own.params), auditor)
