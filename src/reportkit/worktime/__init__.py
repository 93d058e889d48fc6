"""Working days of mainland China, and the statutory limits that are counted in them."""

from reportkit.worktime.calendar import WorkCalendar, work_calendar
from reportkit.worktime.limits import Clock, Limits, limits

__all__ = ["Clock", "Limits", "WorkCalendar", "limits", "work_calendar"]
