"""Items, receipts and purchases of table 2, and what the text tells."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

from reportkit.errors import InputError
from synth.printed import Printed, category
from synth.recipe import split
from synth.setting import number
from synth.words import words

if TYPE_CHECKING:
    from reportkit.forms import Cell
    from synth.recipe import Row
    from synth.setting import Setting

# How the figures of a published text are named in its JSON: the whole, and its last class.
TOTAL, LAST_CLASS = "主动公开总量", "其他"
RECEIPTS = 480
"""Most receipts of a year; a year's fees are divided among them to the cent."""


def items(setting: Setting) -> list[Row]:
    """Rows of 事项目录."""
    rng = setting.dice("items")
    rows: list[Row] = []
    for serial, (kind, row_key) in enumerate(setting.categories("items", "种类").items(), 1):
        begin, end = (
            setting.calendar.first(setting.start - 9),
            setting.calendar.first(setting.start),
        )
        count = setting.reports[0].count(f"t2.{row_key}.items_last_year")
        days = sorted(setting.day(rng, begin, end) for _ in range(count))
        listed: list[Row] = [{"种类": kind, "设立日期": day} for day in days]
        for report in setting.reports:
            if not report.leaves("items"):
                continue
            begin, end = setting.span(report.year)
            standing = [row for row in listed if "取消日期" not in row]
            if len(standing) != report.count(f"t2.{row_key}.items_last_year"):
                reason = f"{len(standing)} stood at the end of {report.year - 1}"
                report.differs(f"t2.{row_key}.items_last_year", len(standing), reason)
            change = report.count(f"t2.{row_key}.items_change")
            if len(standing) + change < 0:
                raise InputError(
                    "published",
                    "{kind}: {change} items are cancelled, but only {standing} stood",
                    kind=kind,
                    change=-change,
                    standing=len(standing),
                    district=setting.district,
                    year=report.year,
                )
            for row in rng.sample(standing, max(-change, 0)):
                row["取消日期"] = setting.day(rng, begin, end)
            days = sorted(setting.day(rng, begin, end) for _ in range(change))
            listed += [{"种类": kind, "设立日期": day} for day in days]
        for n, row in enumerate(listed, 1):
            row["事项编码"] = f"SL{serial:02}{n:06}"
            row["名称"] = setting.title(rng, "items", end=kind[-2:]) + f"（示例{n}）"
        rows += listed
    return rows


def _cents(report: Printed, cell: Cell) -> int:
    divide = cell.definition.divide if cell.definition else 1
    exact = report.published.get(cell.id, Decimal(0)) * divide * 100
    if exact % 1:
        report.differs(cell.id, Decimal(int(exact)) / 100 / divide, "a ledger holds whole cents")
    return int(exact)


def fees(setting: Setting, listed: list[Row]) -> list[Row]:
    """Rows of 收费台账: receipts that add up to the cent."""
    rng = setting.dice("fees")
    rows: list[Row] = []
    for report in setting.reports:
        for cell in report.leaves("fees"):
            charged = [k for k, r in setting.categories("items", "种类").items() if r == cell.row]
            codes = [row["事项编码"] for row in listed if row["种类"] in charged] or ["SL05000001"]
            cents = _cents(report, cell)
            for part in split(rng, cents, min(cents, RECEIPTS)):
                row: Row = {"收费日期": setting.day(rng, *setting.span(report.year))}
                rows.append(
                    row | {"项目编码": rng.choice(codes), "金额（元）": Decimal(part) / 100}
                )
    number(rows, "收费日期", "编号", "SF-{year}-{n:05}")
    return rows


def procurement(setting: Setting) -> list[Row]:
    """Rows of 政府采购台账: as many projects as published, adding up to the cent."""
    rng = setting.dice("procurement")
    rows: list[Row] = []
    for report in setting.reports:
        cells = {cell.column: cell for cell in report.leaves("procurement")}
        if not cells:
            continue
        cents = _cents(report, cells["amount"])
        count = report.count(cells["projects"].id)
        if cents and not count:
            report.differs(cells["amount"].id, 0, "there is an amount, but no project")
        for part in split(rng, cents, count):
            row: Row = {"合同签订日期": setting.day(rng, *setting.span(report.year))}
            row |= {
                "组织形式": category(cells["amount"], "组织形式"),
                "合同金额（元）": Decimal(part) / 100,
            }
            row["项目名称"] = setting.title(rng, "procurement") + "（示例）"
            rows.append(row | {"采购人": rng.choice(words()["units"])})
    number(rows, "合同签订日期", "项目编号", "SLCG-{year}-{n:04}")
    return rows


def _published(report: Printed) -> tuple[int, dict[str, int]]:
    """Total published, and its classes where the same section breaks it down to the last."""
    names = [figure["category"] for figure in report.figures]
    if TOTAL not in names:
        return 0, {}
    start = names.index(TOTAL)
    whole, classes = report.figures[start], dict[str, int]()
    # Classes are listed right below their total; another section or unit ends the list.
    for figure in report.figures[start + 1 :]:
        if any(figure[key] != whole[key] for key in ("section", "unit")):
            break
        classes[figure["category"]] = int(figure["value"])
        if figure["category"] == LAST_CLASS:
            return int(whole["value"]), classes
    return int(whole["value"]), {}


def publications(setting: Setting) -> list[Row]:
    """Rows of 主动公开目录: the recipe's, the published classes, the rest up to the total."""
    rng = setting.dice("publications")
    rows: list[Row] = []
    for report in setting.reports:
        found = setting.recipe_rows("publications", report, rng)
        kinds = words()["classes"]
        total, classes = _published(report)
        rest = split(rng, max(total - len(found), 0), len(kinds))
        wanted = Counter(classes) - Counter(row["类别"] for row in found)
        wanted = wanted if classes else Counter(dict(zip(kinds, rest, strict=True)))
        found += [{"类别": kind} for kind in wanted.elements()]
        if len(found) != total:
            reason = f"its classes are the evidence, and add up to {len(found)}"
            report.differs(TOTAL, len(found), reason, Decimal(total))
        for row in found:
            row.setdefault("发布日期", setting.day(rng, *setting.span(report.year)))
            row.setdefault("标题", setting.title(rng, "publications") + "（示例）")
            row.setdefault("发布机构", rng.choice(words()["units"]))
            row.setdefault("渠道", rng.choice(words()["publication_channels"]))
        rows += found
    number(rows, "发布日期", "索引号", "SL-{year}-{n:06}")
    return rows


def activities(setting: Setting) -> list[Row]:
    """Rows of 工作台账: what the recipe asks for, and nothing else."""
    rng = setting.dice("activities")
    rows = [row for r in setting.reports for row in setting.recipe_rows("activities", r, rng)]
    for row in rows:
        row.setdefault("单位", rng.choice(words()["units"]))
    number(rows, "日期", "编号", "GZ-{year}-{n:04}")
    return rows
