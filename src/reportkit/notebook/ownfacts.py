"""Facts that a notebook makes: counted from rows, or computed from rows or other facts."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reportkit.errors import InputError
from reportkit.facts import OF_NOTEBOOK, Fact
from reportkit.notebook.printed import number_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from reportkit.ledgers import Ledger

# Ids of tables are the form's.
_ID = re.compile(r"(?!t\d+\.)[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
# Stands for the conditions of a fact that was computed, which nothing else knows.
_WHERE: dict[str, Any] = {"sign": "+", "all": [], "measure": OF_NOTEBOOK}


def own_fact(
    stated: Fact,
    ledgers: Mapping[str, Ledger],
    *,
    rows: pd.Series | pd.DataFrame | None,
    value: Any,
    parts: Sequence[Fact],
    ledger: str | None,
) -> Fact:
    """A fact with its evidence; see `Report.fact`.

    Parameters
    ----------
    stated : Fact
        What the analyst says of it: id, label, unit and definition.
    """
    name = stated.id
    if not _ID.fullmatch(name):
        raise InputError(
            "fact-id",
            "'{fact}' is no id for a fact of one's own: small letters, digits and _ in "
            "two or more words with dots between, such as streets.late; t1, t2 … are "
            "the form's",
            fact=name,
        )
    if rows is not None and parts:
        raise InputError(
            "fact-rows", "fact '{fact}' rests on rows or on parts; give one of them", fact=name
        )
    if rows is None and not parts:
        raise InputError(
            "fact-rows",
            "fact '{fact}' has a value and nothing that it rests on; give rows or parts",
            fact=name,
        )
    given = None if value is None else _value(name, value)
    if isinstance(value, date) and not stated.unit:
        stated = replace(stated, unit="日期")
    if rows is None:
        names = tuple(part.id for part in parts)
        summed = " + ".join(names) if len(names) <= 8 else f"{len(names)}项之和"
        computed = f"在笔记本里由{'、'.join(names)}算得"
        return replace(
            stated,
            value=sum((part.number for part in parts), Decimal(0)) if given is None else given,
            definition=stated.definition or (summed if given is None else computed),
            sum_of=names,
        )
    if not isinstance(rows, pd.Series | pd.DataFrame):
        raise InputError(
            "fact-rows",
            "fact '{fact}': rows is a mask of pandas or the records themselves, chosen from "
            "report.ledger(…), not {kind}, which says not which records they are",
            kind=type(rows).__name__,
            fact=name,
        )
    key = ledger or rows.attrs.get("ledger")
    if key not in (known := list(ledgers)):
        raise InputError(
            "fact-rows",
            "fact '{fact}': say whose rows these are, ledger=…; ledgers are {known}",
            known=", ".join(known),
            fact=name,
        )
    chosen = _rows(name, rows, ledgers[key])
    counted = "的记录数" if given is None else "的记录算得"
    return replace(
        stated,
        value=Decimal(len(chosen)) if given is None else given,
        origin="ledger",
        definition=stated.definition or f"{ledgers[key].schema.name}中，在笔记本里选出{counted}",
        ledger=key,
        where=() if given is None else (_WHERE,),
        rows=chosen,
    )


def _rows(name: str, rows: pd.Series | pd.DataFrame, ledger: Ledger) -> npt.NDArray[np.int64]:
    """Row numbers in the ledger, in order."""
    index = rows.index
    if isinstance(rows, pd.Series):
        if not pd.api.types.is_bool_dtype(rows.dtype):
            raise InputError(
                "fact-rows",
                "fact '{fact}': rows is a mask of true and false, or the records themselves",
                fact=name,
            )
        index = index[rows.fillna(False).to_numpy(dtype=bool)]
    foreign = rows.index.difference(ledger.frame.index)
    # An index made anew (reset_index, merge) has no name, and its numbers are other records.
    anew = rows.index.name != ledger.frame.index.name
    if anew or len(foreign) or not index.is_unique:
        raise InputError(
            "fact-rows",
            "fact '{fact}': these are not rows of {ledger_name}: choose them from "
            "report.ledger('{ledger}') and keep its index",
            ledger_name=ledger.schema.name,
            ledger=ledger.key,
            fact=name,
        )
    return np.sort(index.to_numpy()).astype(np.int64)


def _value(name: str, value: Any) -> Decimal | str:
    number = number_in(value)
    if number is not None:
        return number
    if isinstance(value, date) and not pd.isna(value):
        return str(value)[:10]
    if isinstance(value, str) and value.strip():
        return value
    raise InputError(
        "fact-value", "fact '{fact}': {value!r} is no number, day or text", value=value, fact=name
    )
