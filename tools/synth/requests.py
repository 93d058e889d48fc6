"""Applications and the cases that follow them: tables 3 and 4.

What is open at the end of one year is the same record in the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportkit.errors import InputError
from synth.printed import Printed, category
from synth.setting import number
from synth.words import words

if TYPE_CHECKING:
    import random

    from synth.recipe import Row
    from synth.setting import Setting


def applications(setting: Setting) -> list[Row]:
    """Rows of 依申请公开台账."""
    rng = setting.dice("applications")
    rows: list[Row] = []
    cells = setting.reports[0].leaves("applications")
    kinds = {kind: cell.column for cell in cells if (kind := category(cell, "申请人类型"))}
    for kind, column in kinds.items():
        rows += _applications_of(setting, kind, column, rng)
    number(rows, "收到日期", "登记号", setting.recipe.prefix + "依申〔{year}〕{n}号")
    answered = [row for row in rows if "答复日期" in row]
    number(answered, "答复日期", "答复文号", setting.recipe.prefix + "依答〔{year}〕{n}号")
    for n, row in enumerate(rows, 1):
        row |= {"申请人": f"示例申请人{n:04}", "证件号码": f"示例证件{n:04}"}
        row |= {"联系电话": f"000-{n:08}", "联系地址": f"示例路{n}号"}
        row |= {
            "申请渠道": rng.choice(words()["channels"]),
            "承办单位": rng.choice(words()["units"]),
        }
        row["所需信息"] = rng.choice(words()["subjects"])
    return rows


def _applications_of(setting: Setting, kind: str, column: str, rng: random.Random) -> list[Row]:
    calendar = setting.calendar
    rows: list[Row] = []

    def late(year: int, count: int) -> list[Row]:
        """Receive applications in the last weeks of a year that are not answered in it."""
        days = [calendar.days[calendar.first(year + 1) - rng.randint(1, 12)] for _ in range(count)]
        new: list[Row] = [{"申请人类型": kind, "收到日期": day} for day in days]
        rows.extend(new)
        return new

    waiting = late(setting.start - 1, setting.reports[0].count(f"t3.carried_in.{column}"))
    for report in setting.reports:
        if len(waiting) != report.count(f"t3.carried_in.{column}"):
            reason = f"{len(waiting)} were carried out of {report.year - 1}; they are the same"
            report.differs(f"t3.carried_in.{column}", len(waiting), reason)
        outcomes = [
            (outcome, cell.row)
            for cell in report.leaves("applications")
            if cell.column == column and (outcome := category(cell, "办理结果"))
            for _ in range(report.count(cell.id))
        ]
        rng.shuffle(outcomes)
        left = report.count(f"t3.carried_out.{column}")
        _check_new(report, column, len(outcomes), left, len(waiting))
        begin, end = setting.span(report.year)
        for row in waiting[: len(outcomes)]:
            row["办理结果"], _ = outcomes.pop()
            arrived = calendar.at(row["收到日期"])
            first, last = max(begin, arrived + 3), max(begin + 5, arrived + 18)
            row["答复日期"] = calendar.days[rng.randint(first, last)]
        waiting = [row for row in waiting if "答复日期" not in row]
        for outcome, row_key in outcomes:
            rows.append({"申请人类型": kind, "办理结果": outcome})
            rows[-1] |= _steps(setting, row_key, begin, end, rng)
        waiting += late(report.year, left - len(waiting))
    return rows


def _check_new(report: Printed, column: str, outcomes: int, left: int, waiting: int) -> None:
    """Let new applications follow from the rest; refuse what cannot be, tell what differs."""
    fact, new = f"t3.new.{column}", outcomes + left - waiting
    reason = f"{outcomes} outcomes and {left} carried out, less {waiting} carried in, leave {new}"
    if new < 0:
        raise InputError(
            "published",
            "{fact}: {reason}; correct table 3 of the published report",
            fact=fact,
            reason=reason,
            district=report.district,
            year=report.year,
        )
    if new != report.count(fact):
        report.differs(fact, new, reason)


def _steps(setting: Setting, row_key: str, begin: int, end: int, rng: random.Random) -> Row:
    """Days of an application that is received and answered within one year."""
    days, steps = setting.calendar.days, words()["steps"]
    usual = rng.choices(list(steps), [int(share) for share in steps.values()])[0]
    step = words()["steps_of_outcome"].get(row_key, usual)
    if step == "plain":
        arrived = setting.calendar.draw(rng, begin, end - 4)
        answered = min(arrived + rng.randint(3, 18), end - 1)
        return {"收到日期": days[arrived], "答复日期": days[answered]}
    arrived = setting.calendar.draw(rng, begin, end - 36)
    asked = arrived + rng.randint(1, 5)
    heard = asked + rng.randint(4, 12)
    row = {"收到日期": days[arrived], "答复日期": days[heard + rng.randint(3, 14)]}
    if step == "extended":
        extended, answered = arrived + rng.randint(14, 18), arrived + rng.randint(21, 35)
        return row | {"延期告知日期": days[extended], "延期工作日": 20, "答复日期": days[answered]}
    if step == "uncorrected":
        return row | {"补正告知日期": days[asked], "答复日期": days[asked + rng.randint(16, 25)]}
    first, second = words()["step_columns"][step]
    return row | {first: days[asked], second: days[heard]}


def cases(setting: Setting, applied: list[Row]) -> list[Row]:
    """Rows of 复议诉讼台账; a case names an application that was answered before it."""
    rng = setting.dice("cases")
    days = setting.calendar.days
    rows: list[Row] = []
    for kind, block in setting.categories("cases", "类型").items():
        waiting: list[Row] = []
        for report in setting.reports:
            begin, end = setting.span(report.year)
            results = [
                result
                for cell in report.leaves("cases")
                if cell.row == block and (result := category(cell, "结果"))
                for _ in range(report.count(cell.id))
            ]
            rng.shuffle(results)
            for row in waiting[: len(results)]:
                row["结案日期"], row["结果"] = setting.day(rng, begin, end - 120), results.pop()
            waiting = [row for row in waiting if "结果" not in row]
            # A case that was open before the first year of the set contradicts no report.
            earliest = begin - 60 if report.year == setting.start else begin
            for result in results:
                closed = setting.calendar.draw(rng, begin + 20, end)
                received = max(closed - rng.randint(20, 60), earliest)
                new = {"收到日期": days[received], "结案日期": days[closed], "结果": result}
                rows.append({"类型": kind, **new})
            pending = report.count(f"t4.{block}.pending")
            if pending < len(waiting):
                reason = f"{len(waiting)} cases of {report.year - 1} have no result in this year"
                report.differs(f"t4.{block}.pending", len(waiting), reason)
            for _ in range(pending - len(waiting)):
                rows.append({"类型": kind, "收到日期": setting.day(rng, end - 60, end)})
                waiting.append(rows[-1])
    number(rows, "收到日期", "案号", "示例{类型}〔{year}〕{n}号")
    for row in rows:
        row["本机关地位"] = "原行为主体"
        earlier = [
            a["登记号"] for a in applied if a.get("答复日期", row["收到日期"]) < row["收到日期"]
        ]
        row["登记号"] = rng.choice(earlier) if earlier else None
    return rows
