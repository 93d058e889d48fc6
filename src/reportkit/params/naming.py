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


# How a body calls itself, by the end of its name; the first that fits.
_OWN_WORDS = (
    (r"镇(?:人民政府)?", "我镇"),
    (r"乡(?:人民政府)?", "我乡"),
    (r"街道(?:办事处)?", "我街道"),
    (r"旗(?:人民政府)?", "我旗"),
    (r"盟(?:行政公署)?", "我盟"),
    (r"州(?:人民政府)?", "我州"),
    (r"县(?:人民政府)?", "我县"),
    (r"区(?:人民政府|管理委员会|管委会)?", "我区"),
    (r"市(?:人民政府)?", "我市"),
    (r"省(?:人民政府)?", "我省"),
    (r"街道党工委|党委|委员会|委", "我委"),
    (r"局", "我局"),
    (r"厅", "我厅"),
    (r"部", "我部"),
    (r"办公室|办", "我办"),
    (r"中心", "我中心"),
    (r"队", "我队"),
    (r"院", "我院"),
    (r"所", "我所"),
    (r"处", "我处"),
    (r"站", "我站"),
    (r"会", "我会"),
    (r"社", "我社"),
)


def own_word(name: str) -> str:
    """Return how a body calls itself in a report of its own, by its name.

    Examples
    --------
    >>> [own_word(name) for name in ("青棠县教育局", "柳河镇人民政府", "青棠县", "某某大学")]
    ['我局', '我镇', '我县', '本机关']
    """
    plain = re.sub(r"[（(].*[）)]$", "", name.strip())
    found = (word for end, word in _OWN_WORDS if re.search(f"(?:{end})$", plain))
    return next(found, "本机关")


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
