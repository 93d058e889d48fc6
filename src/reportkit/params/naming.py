"""Names of districts and of their reports: ids, and ``2024`` or ``2024-<form>`` among them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from reportkit.errors import InputError

ID = re.compile(r"[0-9a-z][0-9a-z_-]{0,63}")


def check_id(name: str) -> str:
    """A district id that is safe as a file name.

    Raises
    ------
    InputError
        ``id``: it is not.
    """
    if not ID.fullmatch(name):
        raise InputError(
            "id",
            "'{name}' is no district id; ids are lower case letters, digits, '-' and "
            "'_', 64 at most",
            name=name,
        )
    return name


def report_name(year: int, form: str | None = None) -> str:
    """The name of a report among those of its district; the usual form's has its year alone."""
    return f"{year}-{form}" if form else str(year)


def parse_report_name(name: str) -> tuple[int, str | None] | None:
    """The year and form of a report's name; None where it is the name of none.

    Examples
    --------
    >>> [parse_report_name(name) for name in ("2024", "2024-c", "24", "2024.published")]
    [(2024, None), (2024, 'c'), None, None]
    """
    match = re.fullmatch(rf"(\d{{4}})(?:-({ID.pattern}))?", name)
    return (int(match[1]), match[2]) if match else None


Report = tuple[str, str]
"""A report by its district and its name among the reports of that: ``2024``, ``2024-<form>``."""


def year_of(report: Report) -> int:
    """The year of a report."""
    return int(report[1][:4])


@dataclass(frozen=True)
class OfReport:
    """Base of what is of one report.

    Parameters
    ----------
    district, year
        Whose.
    form : str, optional
        The form where it is not the district's usual one.
    """

    district: str
    year: int
    form: str | None = field(default=None, kw_only=True)

    @property
    def called(self) -> str:
        """Its name among the reports of its district."""
        return report_name(self.year, self.form)

    @property
    def report(self) -> Report:
        """The report."""
        return self.district, self.called
