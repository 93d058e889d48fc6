"""Evaluation of a definition on a ledger: the value, and exactly the rows behind it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from reportkit.errors import InputError
from reportkit.language import Message

if TYPE_CHECKING:
    import numpy.typing as npt

    from reportkit.forms.conditions import Definition, Where
    from reportkit.ledgers import Ledger


def measure(definition: Definition, ledger: Ledger) -> tuple[Decimal | str, Any, int]:
    """Value, row numbers and number of subtracted rows of a definition.

    Parameters
    ----------
    definition : Definition
    ledger : Ledger
        The ledger that the definition names.

    Raises
    ------
    InputError
        ``fact-column``: the definition reads a column that the ledger does not have.
    """
    frame = ledger.frame
    if unknown := sorted(definition.columns - set(frame.columns)):
        raise InputError(
            "fact-column",
            "{name} has no column {unknown}; it has {known}",
            name=ledger.schema.name,
            unknown="、".join(unknown),
            known="、".join(frame.columns),
            ledger=ledger.key,
        )
    value, rows = _measured(definition, ledger, definition.where)
    subtracted = 0
    if definition.minus is not None:
        less, others = _measured(definition, ledger, definition.minus)
        rows, subtracted = np.concatenate([rows, others]), len(others)
        if isinstance(value, Decimal) and isinstance(less, Decimal):
            value -= less
    if isinstance(value, Decimal) and definition.divide != 1:
        value /= definition.divide
    return value, rows, subtracted


def _measured(definition: Definition, ledger: Ledger, where: Where) -> tuple[Decimal | str, Any]:
    """Value and row numbers of the records that meet some conditions."""
    chosen = np.flatnonzero(ledger.mask(where))
    rows = ledger.frame.index.to_numpy()[chosen].astype(np.int64)
    return _measure_rows(definition, ledger.frame, chosen), rows


def _measure_rows(
    definition: Definition, frame: pd.DataFrame, chosen: npt.NDArray[np.intp]
) -> Decimal | str:
    if definition.measure == "count":
        return Decimal(len(chosen))
    column = frame[str(definition.column)].take(chosen)
    if definition.measure == "distinct":
        return Decimal(column.nunique())
    if definition.measure in ("sum", "median", "max"):
        if pd.api.types.is_integer_dtype(column.dtype):
            numbers = pa.array(column, pa.int64()).cast(pa.decimal128(38, 0))
        elif isinstance(column.dtype, pd.ArrowDtype):
            numbers = pa.array(column)
        else:
            raise InputError(
                "fact-measure",
                "the {measure} of {column} is asked for, but it is no amount or number",
                measure=Message(definition.measure),
                column=definition.column,
                ledger=definition.ledger,
            )
        if definition.measure == "sum":
            total = pc.sum(numbers).as_py()
            return Decimal(0) if total is None else total
        ordered = sorted(numbers.drop_null().to_pylist())
        if not ordered:
            return ""
        middle = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
        return ordered[-1] if definition.measure == "max" else sum(middle, Decimal(0)) / 2
    if not pd.api.types.is_datetime64_any_dtype(column.dtype):
        raise InputError(
            "fact-measure",
            "the {measure} {column} is asked for, but it is no date",
            measure=Message(definition.measure),
            column=definition.column,
            ledger=definition.ledger,
        )
    day = column.min() if definition.measure == "first" else column.max()
    return "" if pd.isna(day) else str(day.date())
