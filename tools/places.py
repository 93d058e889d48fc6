"""A city that does not exist, with districts and units: ``python -m places DIR``.

The figures of a published report are dealt out among twelve units, and the sample maker makes their
ledgers; so the city's roll-up comes to what was published, less what is missing on purpose: one
unit has handed in nothing, one has only its published report, and the text of one contradicts its
table.
"""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from synth import synthesise, write
from synth.recipe import Recipe
from synth.words import FORM

from reportkit.facts.published import load_published, read_report

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reportkit.facts.published import PublishedReport

ROOT = Path(__file__).parents[1]
PUBLISHED = ROOT / "params/reports/pingtan/2021.published.json"
YEAR = 2021
CITY = ("chengchuan", "澄川市")
DISTRICTS = {
    "beidu": "北渡区",
    "liushi": "柳石区",
    "qingtang": "青棠县",
    "baipu": "白浦县",
}
UNITS = {"jyj": "教育局", "zrj": "自然资源局", "zhen": "云砚镇"}
MISSING, PRINTED, WRONG = "baipu-zhen", "qingtang-zrj", "liushi-jyj"

# One lawsuit against two units of different districts, which both have in their ledger.
SUED_TOGETHER = ("beidu-jyj", "baipu-zrj")
LAWSUIT = {
    "案号": f"（{YEAR}）示0101行初7号",
    "类型": "未经复议直接起诉",
    "结果": "结果维持",
    "收到日期": pd.Timestamp(YEAR, 4, 6),
    "结案日期": pd.Timestamp(YEAR, 8, 20),
}


def units() -> Iterator[tuple[str, str, str]]:
    """Id, name and district of every unit."""
    for district, name in DISTRICTS.items():
        for unit, own in UNITS.items():
            yield f"{district}-{unit}", f"{name}{own}", district


def dealt(report: PublishedReport) -> dict[str, dict[str, Decimal]]:
    """The published figures, dealt out among the units: cell to value, by unit."""
    names = [name for name, _, _ in units()]
    shares: dict[str, dict[str, Decimal]] = {name: {} for name in names}
    for turn, cell in enumerate(cell for cell in report.cells if cell.definition):
        step = Decimal(1) if cell.unit == "件" else Decimal("0.000001")
        each, left = divmod(report.published[cell.id] / step, len(names))
        for at, name in enumerate(names):
            more = (at + turn) % len(names) < left
            shares[name][cell.id] = (each + more) * step
    for own in shares.values():
        for cell in report.cells:
            _balance(cell.id, own)
        for cell in report.cells:
            if cell.sum_of:
                own[cell.id] = sum((own[part] for part in cell.sum_of), Decimal(0))
    return shares


def _balance(name: str, own: dict[str, Decimal]) -> None:
    """Balance what comes in and what goes out, so that each unit's report holds in itself."""
    table, row, column = name.split(".")
    if (table, row) == ("t3", "new") and column != "total":
        cells = [cell for cell in own if cell.startswith("t3.") and cell.endswith(f".{column}")]
        ends = [cell for cell in cells if cell.split(".")[1] not in ("new", "carried_in")]
        own[name] = sum((own[cell] for cell in ends), -own[f"t3.carried_in.{column}"])


def as_published(unit: str, issuer: str, own: Mapping[str, Decimal]) -> dict[str, Any]:
    """A unit's figures as its published report."""
    tables: dict[str, dict[str, dict[str, Any]]] = {}
    for name, value in own.items():
        table, row, column = name.split(".")
        part = tables.setdefault(f"table{table[1:]}", {}).setdefault(row, {})
        part[column] = int(value) if value == int(value) else value
    return {"id": f"{unit}-{YEAR}", "report_year": YEAR, "issuer": issuer, **tables}


def make_places(folder: Path) -> Path:
    """Write the project: parameters of all places, and ledgers of the units.

    Parameters
    ----------
    folder : Path
        Where it goes.
    """
    report = read_report(FORM, load_published(PUBLISHED))
    _district(folder, *CITY, "level: city\n")
    for district, name in DISTRICTS.items():
        _district(folder, district, name, f"level: county\nparent: {CITY[0]}\n")
    shares = dealt(report)
    for unit, name, district in units():
        above = f"level: department\nscope: office\nparent: {district}\nsynthetic: true\n"
        _district(folder, unit, name, above)
        published = as_published(unit, name, shares[unit])
        reports = folder / "params/reports" / unit
        reports.mkdir(parents=True)
        if unit == PRINTED:
            text = json.dumps(published, ensure_ascii=False, indent=1, default=float)
            (reports / f"{YEAR}.published.json").write_text(text + "\n", encoding="utf-8")
        elif unit != MISSING:
            made = synthesise([published], recipe={YEAR: Recipe(name=name, prefix=name)})
            cases = made.ledgers["cases"]
            cases["案号"] = cases["案号"].str.replace("示例", name)
            if unit in SUED_TOGETHER:
                cases.loc[len(cases)] = {**dict.fromkeys(cases, None), **LAWSUIT}
            write(made, folder / "data")
    stated = shares[WRONG]["t3.new.total"] + 3
    (folder / f"params/reports/{WRONG}/{YEAR}.yaml").write_text(
        f"""year: {YEAR}
declared:
  - id: said.new
    label: 文中所称新收申请
    value: "{stated}"
    unit: 件
    source: 单位送来的文字稿
    stated_by: 办公室
    stated_on: {YEAR + 1}-01-12
relations:
  - {{title: 文中所称新收申请与表三一致, left: [said.new], right: [t3.new.total]}}
""",
        encoding="utf-8",
    )
    return folder


def _district(folder: Path, name: str, printed: str, more: str) -> None:
    path = folder / f"params/districts/{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"id: {name}\nname: {printed}\n{more}", encoding="utf-8")


if __name__ == "__main__":
    print(make_places(Path(sys.argv[1])))  # noqa: T201 - a tool of the command line
