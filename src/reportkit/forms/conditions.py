"""Definition of a number, as data: rows of a ledger, and what is measured on them.

The same conditions are written in the form editions and in ``params/facts``: a column name and
a value (``类别: 解读``), a list of values, or one operator (``发布日期: {during: Y}``). ``Y`` is
the report year, ``Y-1`` the year before, ``Y-11-30`` a day in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from reportkit.errors import InputError
from reportkit.language import Message, joined
from reportkit.language.message import COMMA

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Mask: TypeAlias = npt.NDArray[np.bool_]

Op = Literal[
    "=",
    "in",
    "not in",
    "between",
    "<",
    "<=",
    "empty or >=",
    "empty or >",
    "contains",
    "empty",
    "present",
    "heaviest",
]
Measure = Literal["count", "sum", "distinct", "first", "last", "median", "max"]

# Between several values in one cell.
_SEVERAL = re.compile(r"[、，,；;/+＋\s]+")
_WORDS = {
    "=": "为“{0}”",
    "<": "早于{0}",
    "<=": "不晚于{0}",
    "empty or >=": "为空或不早于{0}",
    "empty or >": "为空或晚于{0}",
    "contains": "含“{0}”",
    "empty": "为空",
    "present": "不为空",
}


@dataclass(frozen=True)
class Condition:
    """One test of one column; dates are ISO text, ``between`` includes both ends.

    ``heaviest``: of several values in one cell, one of *value* is there and none of *over*.
    """

    column: str
    op: Op
    value: tuple[str, ...] = ()
    over: tuple[str, ...] = ()

    def mask(self, frame: pd.DataFrame) -> Mask:
        """Rows of *frame* that pass; an empty cell passes only where the operator says so."""
        import pandas as pd  # a plan of a batch reads definitions and no data

        column = frame[self.column]
        empty: Mask = column.isna().to_numpy(dtype=bool)
        chosen: Mask
        if self.op == "empty":
            chosen = empty
        elif self.op == "present":
            chosen = ~empty
        elif self.op == "contains":
            found = column.astype("str").str.contains(self.value[0], regex=False, na=False)
            chosen = found.to_numpy(dtype=bool)
        elif self.op == "heaviest":
            texts = [text for text in column.dropna().unique() if self._is_heaviest(text)]
            chosen = column.isin(texts).to_numpy(dtype=bool)
        elif pd.api.types.is_datetime64_any_dtype(column.dtype):
            chosen = self._mask_dates(column.to_numpy(dtype="datetime64[D]"), empty)
        else:
            if pd.api.types.is_bool_dtype(column.dtype):
                column = column.map({True: "是", False: "否"}, na_action="ignore")
            chosen = column.isin(self.value).to_numpy(dtype=bool)
            # An empty cell is none of the named values, so "not in" lets it pass.
            chosen = ~chosen if self.op == "not in" else chosen
        return chosen

    def _is_heaviest(self, text: Any) -> bool:
        values = set(_SEVERAL.split(str(text)))
        return bool(values & {*self.value}) and not values & {*self.over}

    def _mask_dates(self, days: npt.NDArray[np.datetime64], empty: Mask) -> Mask:
        import numpy as np

        chosen: Mask
        if span := self.span():
            first, last, blank = span
            chosen = (days >= first) & (days <= last) | (empty & blank)
        else:
            named = np.array(self.value, dtype="datetime64[D]")
            chosen = np.isin(days, named) != (self.op == "not in")
        return chosen

    def span(self) -> tuple[np.datetime64, np.datetime64, bool] | None:
        """First and last day that pass, and True where an empty cell does too; None of no days."""
        import numpy as np

        if self.op not in ("between", "<", "<=", "empty or >=", "empty or >"):
            return None
        # Days of numpy, which go on after the year 9999.
        first, last = (np.datetime64(self.value[end], "D") for end in (0, -1))
        if self.op == "between":
            return first, last, False
        if self.op in ("<", "<="):
            return np.datetime64("0001-01-01"), first - int(self.op == "<"), False
        return first + int(self.op == "empty or >"), np.datetime64("9999-12-31"), True

    def text(self) -> str:
        """The condition in Chinese, as a definition that auditors read has it."""
        if self.op == "between":
            first, last = self.value
            if first[:4] == last[:4] and first.endswith("-01-01") and last.endswith("-12-31"):
                return f"{self.column}在{first[:4]}年内"
            return f"{self.column}在{first}至{last}之间"
        verb = {"heaviest": "中最重的是", "in": "是", "not in": "不是"}.get(self.op)
        if verb is None:
            return self.column + _WORDS[self.op].format(*self.value)
        values = "、".join(f"“{value}”" for value in self.value)
        return f"{self.column}{verb}{values}{'之一' if len(self.value) > 1 else ''}"

    def as_json(self) -> dict[str, Any]:
        """The condition for ``facts.json``."""
        several = self.op in ("in", "not in", "between", "heaviest")
        value = list(self.value) if several else next(iter(self.value), None)
        document: dict[str, Any] = {"column": self.column, "op": self.op, "value": value}
        return document | ({"over": list(self.over)} if self.op == "heaviest" else {})


Where = tuple[Condition, ...]


@dataclass(frozen=True)
class Definition:
    """A measure over the rows of one ledger that meet all conditions.

    Parameters
    ----------
    ledger : str
        Key of the ledger.
    where : tuple of Condition
        Rows that count.
    minus : tuple of Condition or None
        Rows whose measure is subtracted (a yearly increase or decrease), or None.
    measure : {"count", "sum", "distinct", "first", "last", "median", "max"}
        Number of rows; exact sum, number of different values, earliest or latest day, exact median
        or largest number of *column*.
    column : str or None
        What is measured; None for a count.
    divide : int
        The measure is divided by this, exactly (10 000 for 万元).
    """

    ledger: str
    where: Where
    minus: Where | None = None
    measure: Measure = "count"
    column: str | None = None
    divide: int = 1

    @property
    def columns(self) -> frozenset[str]:
        """Columns of the ledger that the definition reads."""
        read = {condition.column for condition in self.where + (self.minus or ())}
        return frozenset(read | ({self.column} if self.column else set()))

    def text(self, ledger_name: str) -> str:
        """The definition in Chinese, as auditors read it."""
        measured = {
            "count": "记录数",
            "sum": f"{self.column}之和",
            "distinct": f"不同{self.column}的个数",
            "first": f"最早的{self.column}",
            "last": f"最晚的{self.column}",
            "median": f"{self.column}的中位数",
            "max": f"最大的{self.column}",
        }[self.measure]
        text = f"{ledger_name}中，{_all_of(self.where)}的{measured}"
        if self.minus is not None:
            text += f"，减去{_all_of(self.minus)}的{measured}"
        return text + (f"，除以{self.divide}" if self.divide != 1 else "")

    @classmethod
    def from_json(cls, ledger: str, groups: Sequence[Mapping[str, Any]]) -> Definition:
        """The definition whose filter `where_json` gave."""
        first, *others = groups
        where, *minus = (tuple(map(condition_from, group["all"])) for group in (first, *others[:1]))
        return cls(
            ledger,
            where,
            minus[0] if minus else None,
            first.get("measure", "count"),
            first.get("column"),
            first.get("divide", 1),
        )

    def where_json(self) -> list[dict[str, Any]]:
        """The filter for ``facts.json``: groups of conditions, each measured with its sign.

        A group names its measure, column and divisor where it is not just counted.
        """
        groups = [("+", self.where)] + ([("-", self.minus)] if self.minus is not None else [])
        other: dict[str, Any] = {}
        if self.measure != "count":
            other = {"measure": self.measure, "column": self.column}
        other |= {} if self.divide == 1 else {"divide": self.divide}
        return [
            {"sign": sign, **other, "all": [condition.as_json() for condition in where]}
            for sign, where in groups
        ]


def condition_from(document: Mapping[str, Any]) -> Condition:
    """The condition that `Condition.as_json` gave."""
    value = document["value"]
    values = value if isinstance(value, list) else [] if value is None else [value]
    return Condition(
        document["column"], document["op"], tuple(values), tuple(document.get("over", ()))
    )


def _all_of(where: Where) -> str:
    return "、".join(condition.text() for condition in where) or "全部记录"


def parse_where(where: Mapping[str, Any], year: int) -> Where:
    """Read conditions as written in YAML for one report year.

    Parameters
    ----------
    where : mapping
        Column name to a value, a list of values, or one operator with its value.
    year : int
        The year that ``Y`` means.

    Returns
    -------
    tuple of Condition

    Raises
    ------
    InputError
        ``condition``: an unknown operator or a value that is no day.
    """
    return tuple(_condition(column, test, year) for column, test in where.items())


def _condition(column: str, test: Any, year: int) -> Condition:
    if isinstance(test, list):
        return Condition(column, "in", tuple(test))
    if not isinstance(test, Mapping):
        return Condition(column, "=", (str(test),))
    if set(test) == {"heaviest", "over"}:
        return Condition(column, "heaviest", tuple(test["heaviest"]), tuple(test["over"]))
    if set(test) == {"from", "to"}:
        ends = _days(test["from"], year)[0], _days(test["to"], year)[1]
        return Condition(column, "between", ends)
    if len(test) != 1:
        raise _wrong(column, test, Message("give one operator"))
    ((name, value),) = test.items()
    if name in ("from", "to"):
        raise _wrong(column, test, Message("give both 'from' and 'to'"))
    if name == "not":
        return Condition(column, "not in", tuple(value) if isinstance(value, list) else (value,))
    if name == "contains":
        return Condition(column, "contains", (value,))
    if name == "empty":
        return Condition(column, "empty" if str(value) == "true" else "present")
    dated: dict[str, tuple[Op, slice]] = {
        "during": ("between", slice(0, 2)),
        "before": ("<", slice(0, 1)),
        "until": ("<=", slice(1, 2)),
        "not_before": ("empty or >=", slice(0, 1)),
        "not_until": ("empty or >", slice(1, 2)),
    }
    if name not in dated:
        known = joined(COMMA, ["from/to", "not", "contains", "empty", "heaviest with over", *dated])
        raise _wrong(column, test, Message("operators are {known}", known=known))
    op, days = dated[name]
    return Condition(column, op, tuple(_days(value, year)[days]))


def _days(text: Any, year: int) -> tuple[str, str]:
    """First and last day of ``Y``, ``Y-1``, a day of the year or an ISO day."""
    match = re.fullmatch(r"Y(?:-(\d))?", str(text))
    if match:
        y = year - int(match[1] or 0)
        return f"{y:04}-01-01", f"{y:04}-12-31"
    day = re.sub(r"^Y(?=-\d\d-\d\d$)", f"{year:04}", str(text))
    try:
        return (date.fromisoformat(day).isoformat(),) * 2
    except ValueError:
        raise InputError(
            "condition", "'{text}' is no day; write Y, Y-1, Y-11-30 or 2020-11-30", text=text
        ) from None


def _wrong(column: str, test: Any, advice: str) -> InputError:
    return InputError(
        "condition",
        "condition on '{column}' reads {test!r}; {advice}",
        column=column,
        test=dict(test),
        advice=advice,
    )
