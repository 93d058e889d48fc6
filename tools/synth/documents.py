"""Documents of table 2, 第（一）项: the same shelf year after year, on either form edition."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from synth.printed import Printed, category
from synth.setting import number

if TYPE_CHECKING:
    import random

    from synth.recipe import Row
    from synth.setting import Setting


def documents(setting: Setting) -> list[Row]:
    """Rows of 规范性文件目录."""
    rng = setting.dice("documents")
    asked = [row for r in setting.reports for row in setting.recipe_rows("documents", r, rng)]
    rows: list[Row] = []
    for kind in setting.categories("documents", "种类"):
        shelf = _Shelf(setting, kind, rng, [row for row in asked if row["种类"] == kind])
        for report in setting.reports:
            shelf.fill(report)
        rows += shelf.rows
    for row in rows:
        row.setdefault("制定机关", rng.choice(setting.issuers))
        row.setdefault("名称", setting.title(rng, "documents") + "（示例）")
        row["状态"] = "已废止" if row.get("废止日期") else "有效"
    number(rows, "成文日期", "文号", setting.recipe.prefix + "规〔{year}〕{n}号")
    return rows


class _Shelf:
    """The documents of one kind, filled year by year."""

    def __init__(self, setting: Setting, kind: str, rng: random.Random, rows: list[Row]) -> None:
        self.setting, self.kind, self.rng, self.rows = setting, kind, rng, rows

    def fill(self, report: Printed) -> None:
        """Make, publish and repeal until the year's cells come out; tell what cannot."""
        leaves = [c for c in report.leaves("documents") if category(c, "种类") == self.kind]
        fact = {cell.column: cell.id for cell in leaves}
        want = {column: report.count(name) for column, name in fact.items()}
        year, first = report.year, report.year == self.setting.start
        new = want["made"] - self._in("成文日期", year)
        if "in_force" in want:
            self._make(new, year, published=True)
            earlier = [r for r in self.setting.reports if r.year < year]
            if not any("in_force" in {c.column for c in r.cells} for r in earlier):
                # Years on the older form counted only what was published: these were not.
                stock = want["in_force"] + want["repealed"] - want["made"]
                self._make(stock - len(self._standing(year - 1, "成文日期")), published=first)
            self._repeal(want["repealed"] - self._in("废止日期", year), year, "成文日期")
            given = {"repealed": self._in("废止日期", year)}
            given["in_force"] = len(self._standing(year, "成文日期"))
        else:
            self._make(new, year, published=False)
            self._publish(want["disclosed"] - self._in("公布日期", year), year)
            missing = want["total_disclosed"] - len(self._standing(year, "公布日期"))
            self._make(missing if first else 0, published=True)
            self._repeal(-missing, year, "公布日期")
            given = {"total_disclosed": len(self._standing(year, "公布日期"))}
        for column, value in given.items():
            if value != want[column]:
                reason = f"what stood at the end of {year - 1} and the changes of {year}"
                report.differs(fact[column], value, f"{reason} give {value}")

    def _in(self, column: str, year: int) -> int:
        return sum(column in row and row[column].year == year for row in self.rows)

    def _standing(self, year: int, column: str) -> list[Row]:
        """Documents with a day in *column* by the end of a year, and not repealed by then."""
        end = date(year, 12, 31)
        return [
            r for r in self.rows if r.get(column, date.max) <= end < r.get("废止日期", date.max)
        ]

    def _make(self, count: int, year: int | None = None, *, published: bool) -> None:
        """Make documents of a year, or of the years before the set."""
        calendar, start = self.setting.calendar, self.setting.start
        begin, end = (year, year + 1) if year else (start - 9, start)
        for _ in range(count):
            # Nothing is made so late that its publication would fall into the next year.
            made = calendar.draw(self.rng, calendar.first(begin), calendar.first(end) - 28)
            row: Row = {"种类": self.kind, "成文日期": calendar.days[made]}
            if published:
                row["公布日期"] = calendar.days[made + self.rng.randint(2, 15)]
            self.rows.append(row)

    def _publish(self, count: int, year: int) -> None:
        """Publish documents of the year, then older ones; make older ones where none is left."""
        calendar, (begin, end) = self.setting.calendar, self.setting.span(year)

        def silent() -> list[Row]:
            found = [row for row in self.rows if not {"公布日期", "废止日期"} & set(row)]
            return sorted(found, key=lambda row: row["成文日期"].year != year)

        self._make(count - len(silent()), published=False)
        for row in silent()[: max(count, 0)]:
            made = max(calendar.at(row["成文日期"]), begin)
            row["公布日期"] = calendar.days[min(made + self.rng.randint(2, 15), end - 1)]

    def _repeal(self, count: int, year: int, column: str) -> None:
        """Repeal the oldest that stand, on a day of the year."""
        begin, end = self.setting.span(year)
        standing = sorted(self._standing(year, column), key=lambda row: row["成文日期"])
        for row in standing[: max(count, 0)]:
            settled = self.setting.calendar.at(row["成文日期"]) + 20
            row["废止日期"] = self.setting.day(self.rng, min(max(begin, settled), end - 1), end)
