"""Restatement: last year's sealed figures, counted again from today's ledgers (S1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from reportkit.checks.rules import Check, check
from reportkit.errors import InputError, ReportkitError
from reportkit.evidence.read import read_source_rows
from reportkit.facts import rows_sha256

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportkit.checks.rules import Rules
    from reportkit.facts import Computer, Fact
    from reportkit.facts.previous import Past

# Records that one message names.
_NAMED = 20


def restatement_checks(rules: Rules, past: Past, computer: Computer) -> list[Check]:
    """Check whether a ledger edited afterwards has changed figures of last year's report.

    Parameters
    ----------
    past : Past
        Last year's run; published figures have no records to compare.
    computer : Computer
        Of last year's form and definitions, over today's ledgers.

    Returns
    -------
    list of Check
        One for each fact whose value or records differ, with the records that came or went.
    """
    checks, counted, left_out = [], 0, 0
    for name, old in past.facts.items():
        # A fact that was sealed but printed nowhere was never published.
        if old["origin"] == "declared" or name not in computer or not old["places"]:
            continue
        try:
            new = computer.get(name)
        except InputError:
            left_out += 1  # of a ledger that is read for last year's form only
            continue
        counted += 1
        cause = _cause(past, old, new, computer)
        if new.text != old["value"] or cause:
            message = f"{new.label}：上年封存{old['value']}，现为{new.text}{cause}"
            sides = {"left": old["value"], "right": new.text}
            checks.append(check(rules, "S1", False, message, facts=[name], **sides))
    if not checks:
        message = f"重新计算上年{counted}项数据，均与封存时一致"
        message += f"；另有{left_out}项的台账本年不读入" if left_out else ""
        checks.append(check(rules, "S1", True, message))
    return checks


def _cause(past: Past, old: Mapping[str, Any], new: Fact, computer: Computer) -> str:
    """Records that came or went, by key and place; empty if they are the same ones."""
    if new.rows is None or new.ledger is None or rows_sha256(new.rows) == old["rows_sha256"]:
        cause = ""
    elif (before := _records(past, old)) is None:
        cause = "；上年报告的依据不能读取，不能列出增减的记录" if new.text != old["value"] else ""
    else:
        ledger = computer.ledgers[new.ledger]
        keys = ledger.frame.loc[new.rows, ledger.schema.key_column].astype("str")
        came, went = keys[~keys.isin(before["key"])], before[~before["key"].isin(keys)]
        cause = _listed(
            "增加", [f"{key}（{':'.join(ledger.place(row))}）" for row, key in came.items()]
        )
        cause += _listed("减少", [_as_sealed(row) for row in went.itertuples(index=False)])
    if not cause and new.rows is not None and new.text != old["value"]:
        cause = "；记录没有增减，所计的数值有改动"
    if new.text != old["value"] and new.definition != old["definition"]:
        cause += "；定义已改"
    return cause


def _records(past: Past, fact: Mapping[str, Any]) -> pd.DataFrame | None:
    """The records that a fact of last year's run was made from; None if they cannot be read."""
    if past.folder is None or fact["evidence"] is None:
        return pd.DataFrame({name: [] for name in ("key", "file", "sheet", "line")})
    try:
        return read_source_rows(past.folder, fact).to_pandas()
    except ReportkitError:
        return None  # another version made the run


def _as_sealed(row: Any) -> str:
    line = f"{row.sheet}!{row.line}" if row.sheet else row.line
    return f"{row.key}（原{row.file}:{line}）"


def _listed(verb: str, records: list[str]) -> str:
    if not records:
        return ""
    more = "等" if len(records) > _NAMED else ""
    return f"；{verb}{len(records)}条：{'、'.join(records[:_NAMED])}{more}"
