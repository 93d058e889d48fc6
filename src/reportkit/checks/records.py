"""Checks of the records themselves: were all of them read, was each answered in time."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reportkit.checks.rules import Check, check
from reportkit.forms.conditions import parse_where

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reportkit.checks.rules import Rules, RuleText
    from reportkit.ledgers import Ledger
    from reportkit.ledgers.schema import Doubt
    from reportkit.worktime import WorkCalendar

# Records and files that one message names.
_NAMED = 20


def intake_checks(
    rules: Rules, ledgers: Mapping[str, Ledger], *, unread: Sequence[str] = ()
) -> list[Check]:
    """Records that were not counted are findings (L1 rejected, L2 other), and files not read."""
    checks = []
    for ledger in ledgers.values():
        name = ledger.schema.name
        rejected = [v for v in ledger.violations if v.severity == "reject"]
        message = "；".join(v.printed() for v in rejected[:_NAMED])
        message = message or f"读入{ledger.read}条，不能计入{len(ledger.refused)}条"
        checks.append(
            check(
                rules,
                "L1",
                not (rejected or ledger.refused),
                f"{name}：{message}",
                left=ledger.read - len(ledger.refused),
                right=ledger.read,
            )
        )
        others = [v for v in ledger.violations if v.severity != "reject"]
        if others:
            message = "；".join(v.printed() for v in others[:_NAMED])
            checks.append(check(rules, "L2", False, f"{name}：{message}"))
    if unread:
        names = "、".join(unread[:_NAMED])
        message = f"文件名不以台账名称开头，或者在下级文件夹中，未读入：{names}"
        checks.append(check(rules, "L2", False, message))
    return checks


def year_check(rules: Rules, ledgers: Mapping[str, Ledger], year: int) -> Check:
    """Check that some ledger has a record of the year, where all have records of others (L3)."""
    years: Counter[int] = Counter()
    for ledger in ledgers.values():
        for column in ledger.schema.columns:
            if column.type == "date" and column.name in ledger.frame:
                years.update(ledger.frame[column.name].dt.year.dropna().astype(int))
    if years[year] or not years:
        return check(rules, "L3", True, f"{years[year]}个日期在{year}年")
    message = f"各台账的日期在{min(years)}年至{max(years)}年，没有一个在{year}年"
    return check(rules, "L3", False, message, left=0)


def doubt_checks(rules: Rules, ledgers: Mapping[str, Ledger], year: int) -> list[Check]:
    """Signs that records of the year are rounded or not all there (L4, L5)."""
    checks = []
    for ledger in ledgers.values():
        for doubt in ledger.schema.doubts:
            rule = rules[doubt.id]
            frame = ledger.frame[ledger.frame[doubt.day].dt.year == year]
            for kind, records in frame.groupby(doubt.by) if doubt.by else [("", frame)]:
                count = _all_alike(doubt, rule, records)
                if count < rule.limit("least"):
                    continue
                where = f"{ledger.schema.name}，{kind}" if kind else ledger.schema.name
                found = rule.text("found", count=count, **rule.limits)
                checks.append(check(rules, doubt.id, False, f"{where}：{found}", left=count))
    return checks


def _all_alike(doubt: Doubt, rule: RuleText, records: pd.DataFrame) -> int:
    """Count the records that have a value, if all of them bear the sign; else 0."""
    if doubt.amount:
        values = [amount for amount in records[doubt.amount].dropna() if amount]
        alike = [amount % rule.limit("multiple") == 0 for amount in values]
    else:
        values = alike = records[doubt.flag].dropna().to_list()
    return len(values) if all(alike) else 0


def limit_checks(rules: Rules, ledger: Ledger, year: int, calendar: WorkCalendar) -> list[Check]:
    """Records of the year that were not done within their statutory limit (T1).

    A record is named by its number and its days, and never by a person. Where the
    holidays of the time are not known, that is a finding of its own (T2).

    The ledger's clock names these columns; see `reportkit.worktime.limits`.
    """
    frame = ledger.frame
    name = ledger.schema.names()
    reply_day, day = name["answered_date"], name["received_date"]
    overdue, limit, number_column = name["overdue"], name["due_date"], ledger.schema.key_column

    def of(where: Mapping[str, Any]) -> pd.DataFrame:
        masks = [condition.mask(frame) for condition in parse_where(where, year)]
        return frame[np.logical_and.reduce(masks)]

    answered = of({reply_day: {"during": "Y"}})
    unanswered = of({day: {"until": "Y"}, reply_day: {"not_until": "Y"}})
    still_open = unanswered[unanswered[limit] < pd.Timestamp(year, 12, 31)]
    late = pd.concat([answered[answered[overdue].fillna(False)], still_open])
    checks, rule = [], rules["T1"]
    columns = late[[number_column, limit, reply_day]].sort_values([limit, number_column])
    for number, due, reply in columns.itertuples(index=False):
        # An answer of a later year belongs to that year's report.
        in_year = not pd.isna(reply) and reply.year == year
        answer = f"{reply:%Y-%m-%d}" if in_year else None
        done = rule.text("done", day=answer) if answer else rule.text("open", year=year)
        checks.append(
            check(
                rules,
                "T1",
                False,
                f"{number}：法定期限{due:%Y-%m-%d}，{done}",
                left=answer,
                right=f"{due:%Y-%m-%d}",
            )
        )
    if not checks:
        message = rule.text("none", done=len(answered), open=len(unanswered))
        checks.append(check(rules, "T1", True, message))
    # Open at the end of the year and received in known days: a limit not known is later still.
    covered = calendar.covers(unanswered[day].to_numpy())
    unknown = int(answered[overdue].isna().sum()) + int((~covered).sum())
    if unknown:
        days = {"first": calendar.first, "last": calendar.last}
        message = rules["T2"].text("unknown", count=unknown, **days)
        checks.append(check(rules, "T2", False, message))
    return checks
