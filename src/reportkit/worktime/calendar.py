"""Working days, from a table of the announced holidays; nothing is guessed beyond it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import numpy as np
from pydantic import BeforeValidator, Field

from reportkit.errors import InputError
from reportkit.language import Message, joined
from reportkit.language.message import COMMA
from reportkit.yamlfile import Strict, read_yaml

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Days: TypeAlias = npt.NDArray[np.datetime64]

FirstDay = Literal["next", "same"]
_DAY = np.timedelta64(1, "D")


def _span(value: Any) -> Any:
    """First and last day of ``2020-01-24..2020-02-02``, or of a single day."""
    if not isinstance(value, str):
        return value
    first, _, last = value.partition("..")
    begin, end = date.fromisoformat(first), date.fromisoformat(last or first)
    if end < begin:
        raise ValueError(Message("the last day is before the first"))
    return begin, end


class Year(Strict):
    """One calendar year: notices it rests on, days off besides weekends, weekend days worked."""

    year: int
    notices: list[str] = Field(min_length=1)
    off: list[Annotated[tuple[date, date], BeforeValidator(_span)]]
    worked: list[date]


class _Table(Strict):
    first_day: FirstDay | None = None
    years: list[Year] = Field(default_factory=list)


@dataclass(frozen=True)
class WorkCalendar:
    """Which days are worked, and counting in them.

    Days go in as one day or an array of days (``datetime64``, dates or ISO text), and come out in
    the same shape.

    Parameters
    ----------
    first, last : datetime64[D]
        The days that the table knows.
    workdays : numpy.busdaycalendar
        All seven days are worked but those listed: holidays, and weekends that are not worked.
    first_day : {"next", "same"}
        Whether counting begins on the day after receipt or on that day.
    """

    first: np.datetime64
    last: np.datetime64
    workdays: np.busdaycalendar
    first_day: FirstDay

    def covers(self, days: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return a mask of the days that the table knows; an empty day (NaT) is not known."""
        given = _days(days)
        known: npt.NDArray[np.bool_] = (given >= self.first) & (given <= self.last)
        return known

    def is_working_day(self, days: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return a mask of the working days.

        Raises
        ------
        InputError
            ``holidays-unknown``: the table does not reach so far.
        """
        given = self._known(_days(days))
        return np.is_busday(given, busdaycal=self.workdays)

    def add_working_days(self, days: npt.ArrayLike, n: npt.ArrayLike) -> Days:
        """The last day of a limit of *n* working days (1 or more) that *days* set off.

        Raises
        ------
        InputError
            ``holidays-unknown``: a day, or the end of its limit, is beyond the table.

        Examples
        --------
        >>> str(work_calendar().add_working_days("2020-01-20", 20))  # over the long 春节 of 2020
        '2020-02-25'
        """
        return self._known(self.offset(self._known(_days(days)), n))

    def working_days_between(
        self, begin: npt.ArrayLike, end: npt.ArrayLike
    ) -> npt.NDArray[np.int64]:
        """Working days of a period that *begin* set off, its last day *end* included.

        Raises
        ------
        InputError
            ``holidays-unknown``: the table does not reach so far.
        """
        return self.count(self._known(_days(begin)), self._known(_days(end)))

    def offset(self, days: Days, n: npt.ArrayLike) -> Days:
        """As `add_working_days`, unchecked; NaT stays NaT.

        A result later than the table is no day to print, yet the true one is later as well.
        """
        # Whichever day it is, n days on from the working day before the first that counts.
        roll: Literal["backward", "forward"]
        step, roll = (0, "backward") if self.first_day == "next" else (1, "forward")
        return np.busday_offset(days, np.asarray(n) - step, roll=roll, busdaycal=self.workdays)

    def count(self, begin: Days, end: Days) -> npt.NDArray[np.int64]:
        """As `working_days_between`, unchecked; 0 where a day is NaT or *end* comes first."""
        begin, end = np.broadcast_arrays(begin, end)
        counted = ~np.isnat(begin) & ~np.isnat(end) & (end >= begin)
        start = begin + _DAY if self.first_day == "next" else begin
        stand_in = self.first
        days = np.busday_count(
            np.where(counted, start, stand_in),
            np.where(counted, end + _DAY, stand_in),
            busdaycal=self.workdays,
        )
        return np.asarray(days, dtype=np.int64)

    def _known(self, days: Days) -> Days:
        unknown = ~self.covers(days)
        if np.any(unknown):
            day = np.atleast_1d(days)[np.atleast_1d(unknown)][0]
            raise InputError(
                "holidays-unknown",
                "working days are known from {first} to {last}, and {day} is not in "
                "between; add the year to params/holidays.yaml (its form: "
                "docs/reference/worktime.md)",
                first=self.first,
                last=self.last,
                day=day,
            )
        return days


def work_calendar(own: Path | None = None) -> WorkCalendar:
    """The table of the package, with the years of a project's own file added or put in place.

    Parameters
    ----------
    own : Path, optional
        ``params/holidays.yaml``; a file that is not there adds nothing.

    Raises
    ------
    InputError
        ``parameters``: with file and line; also when a year is missing in between.
    """
    if own is None or not own.is_file():
        return _of_package()
    return _joined([_package(), _read(own)], own)


@cache
def _of_package() -> WorkCalendar:
    return _joined([_package()])


def _joined(tables: Sequence[_Table], own: Path | None = None) -> WorkCalendar:
    years = {year.year: year for table in tables for year in table.years}
    first, last = min(years), max(years)
    if missing := sorted(set(range(first, last)) - set(years)):
        raise InputError(
            "parameters",
            "{own}: {missing} is missing before {last}; add it",
            own=own,
            missing=joined(COMMA, map(str, missing)),
            last=last,
            file=str(own),
        )
    days = _each(date(first, 1, 1), date(last, 12, 31))
    off = [day for year in years.values() for span in year.off for day in _each(*span)]
    worked = [day for year in years.values() for day in year.worked]
    weekend = np.setdiff1d(days[~np.is_busday(days)], _days(worked))
    return WorkCalendar(
        first=days[0],
        last=days[-1],
        workdays=np.busdaycalendar("1111111", np.union1d(weekend, _days(off))),
        first_day=[table.first_day for table in tables if table.first_day][-1],
    )


@cache
def _package() -> _Table:
    return _read(Path(str(files("reportkit.worktime"))) / "holidays.yaml")


def _read(path: Path) -> _Table:
    file = read_yaml(path)
    table = file.validate(_Table)
    for number, year in enumerate(table.years):
        key = ("years", number)
        if year.year in [earlier.year for earlier in table.years[:number]]:
            problem = Message("the year {year} is given twice; keep one of them", year=year.year)
            raise file.refusal(key, problem, file=path)
        named = [*(day for span in year.off for day in span), *year.worked]
        for day in named:
            if day.year != year.year:
                problem = Message("{day} is no day of {year}", day=day, year=year.year)
                raise file.refusal(key, problem, file=path)
        for day in year.worked:
            off = any(first <= day <= last for first, last in year.off)
            if off or day.weekday() < 5:
                problem = Message("{day} is worked, but it is ", day=day) + (
                    Message("off too") if off else Message("no weekend day")
                )
                raise file.refusal(key, problem, file=path)
    return table


def _each(first: date, last: date) -> Days:
    begin, end = np.datetime64(first, "D"), np.datetime64(last, "D")
    return np.arange(begin, end + _DAY, _DAY)


def _days(days: npt.ArrayLike | Sequence[date]) -> Days:
    return np.asarray(days, dtype="datetime64[D]")
