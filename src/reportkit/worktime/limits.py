"""Until when an application must be answered, and whether it was.

Source: 政府信息公开条例 第三十条 (补正), 第三十二条 (征求第三方意见), 第三十三条 (二十个工作日，
延长不超过二十个工作日，征求意见所需时间不计算).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from reportkit.worktime.calendar import Days, WorkCalendar

Clock = Literal["information_request"]
"""The clocks that a ledger can name: whose law its limits follow."""
ANSWER_DAYS = 20
EXTENSION_DAYS = 20
CONSULTATION_DAYS = 15


@dataclass(frozen=True)
class Limits:
    """Limits of applications, one entry each; what cannot be said is empty.

    Parameters
    ----------
    due_date : numpy.ndarray of datetime64[D]
        The last day to answer on. NaT while a correction is awaited, since the limit runs from the
        day it arrives, and where the holidays of the time are not known.
    working_days : numpy.ma.MaskedArray of int64
        Working days that an answer took, without those of a consultation; masked while open.
    extended : numpy.ndarray of bool
        The applicant was told of an extension while the limit ran.
    overdue : numpy.ma.MaskedArray of bool
        Answered later than *due_date*; masked while open, and where it cannot be known.
    """

    due_date: Days
    working_days: np.ma.MaskedArray
    extended: npt.NDArray[np.bool_]
    overdue: np.ma.MaskedArray


def limits(
    days: Mapping[str, Days], extension_days: npt.NDArray[np.float64], calendar: WorkCalendar
) -> Limits:
    """Limits of applications, from the days of their steps.

    Parameters
    ----------
    days : mapping of str to array of datetime64[D]
        By column key of 依申请公开台账: ``received_date``, ``answered_date``,
        ``correction_asked_date``, ``correction_received_date``, ``consultation_sent_date``,
        ``consultation_answered_date``, ``extension_date``; NaT where there is none.
    extension_days : array of float
        Working days of the extension, NaN where none are given: then the 20 that the law allows.
    calendar : WorkCalendar

    Returns
    -------
    Limits
    """
    answered, corrected = days["answered_date"], days["correction_received_date"]
    start = np.where(np.isnat(corrected), days["received_date"], corrected)
    waits = ~np.isnat(days["correction_asked_date"]) & np.isnat(corrected)
    runs = calendar.covers(start) & ~waits
    start = np.where(runs, start, np.datetime64("NaT"))

    # An unanswered consultation ends with the third party's 15 working days.
    sent = np.maximum(days["consultation_sent_date"], start)
    consulted = days["consultation_answered_date"]
    consulted = np.where(np.isnat(consulted), calendar.offset(sent, CONSULTATION_DAYS), consulted)
    asked = calendar.count(sent, consulted)

    # What begins after the limit has passed does not bring it back.
    allowed = np.clip(np.nan_to_num(extension_days, nan=EXTENSION_DAYS), 0, EXTENSION_DAYS)
    extra = allowed.astype(np.int64)
    in_time = sent <= calendar.offset(start, ANSWER_DAYS)
    limit = ANSWER_DAYS + np.where(in_time, asked, 0)
    extended = (days["extension_date"] <= calendar.offset(start, limit)) & (extra > 0)
    limit = ANSWER_DAYS + np.where(extended, extra, 0)
    counted = in_time | (sent <= calendar.offset(start, limit))
    limit += np.where(counted, asked, 0)

    end = calendar.offset(start, limit)
    known = end <= calendar.last
    within = answered <= calendar.last
    asked = np.where(counted, calendar.count(sent, np.fmin(consulted, answered)), 0)
    took = calendar.count(start, answered) - asked
    late = answered > end
    open_ = np.isnat(answered)
    return Limits(
        due_date=np.where(known, end, np.datetime64("NaT")),
        working_days=np.ma.masked_array(took, open_ | ~runs | ~within),
        extended=extended,
        overdue=np.ma.masked_array(
            late & runs, open_ | ~(runs | waits) | (runs & ~known & ~within)
        ),
    )
