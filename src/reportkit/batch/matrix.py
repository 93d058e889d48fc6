"""The matrix of a batch: its file, and the years and forms of each district."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, Field

from reportkit.errors import InputError
from reportkit.language import Message
from reportkit.params import Scope
from reportkit.yamlfile import Strict, read_yaml

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reportkit.params import Project
    from reportkit.params.hierarchy import Hierarchy


def parse_years(text: str) -> tuple[int, ...]:
    """Years from ``2020``, ``2019,2021`` or ``2019-2021``.

    Examples
    --------
    >>> parse_years("2019-2021,2023")
    (2019, 2020, 2021, 2023)
    """
    years: set[int] = set()
    for part in str(text).replace(" ", "").split(","):
        match = re.fullmatch(r"(\d{4})(?:-(\d{4}))?", part)
        if match is None:
            message = Message(
                "'{part}' is no year and no range of years, such as 2019-2021", part=part
            )
            raise ValueError(message)
        years |= set(range(int(match[1]), int(match[2] or match[1]) + 1))
    return tuple(sorted(years))


def _years(value: str | list[str] | None) -> tuple[int, ...] | None:
    if not value:
        return None
    return parse_years(",".join(value) if isinstance(value, list) else value)


def _forms(value: str | list[str] | None) -> list[str] | None:
    return value.replace(" ", "").split(",") if isinstance(value, str) else value or None


class BatchFile(Strict):
    """``params/batch.yaml``.

    Parameters
    ----------
    retries : int
        Further tries of a report whose fault is transient.
    stop_after : int
        Number of districts in a row that fail for reasons of the machine, after which the batch
        ends; 0: never. Faults of a district's own data do not count.
    """

    districts: tuple[str, ...] | None = None
    years: Annotated[tuple[int, ...] | None, BeforeValidator(_years)] = None
    form: Annotated[tuple[str, ...] | None, BeforeValidator(_forms)] = None
    scope: Scope | None = None
    jobs: int | None = Field(default=None, ge=1)
    retries: int = Field(default=1, ge=0)
    timeout: float = Field(default=600, gt=0)
    memory: int | None = Field(default=None, ge=256)
    stop_after: int = Field(default=20, ge=0)


def read_batch_file(path: Path) -> BatchFile:
    """The settings of a batch.

    Raises
    ------
    InputError
        ``parameters``: with file, line and the nearest known key.
    """
    return read_yaml(path).validate(BatchFile)


def reports_of(
    project: Project,
    district: str,
    years: Sequence[int] | None,
    forms: Sequence[str] | None,
    hierarchy: Hierarchy,
) -> list[tuple[int, str | None]]:
    """Years and forms of a district's reports, its usual form, which has no name here, first.

    A form that is asked for, or that the district's file names, has all years that are asked for,
    else those that have a file, else those of the usual form. A parent without a file has the
    years of its members.
    """
    named = project.reports_named(district)
    if not named:
        below = {year for one in hierarchy.members(district) for year in _years_of(project, one)}
        named = [(year, None) for year in sorted(below)]
    by_form: dict[str | None, list[int]] = {}
    for year, form in named:
        by_form.setdefault(form, []).append(year)
    wanted = _forms_of(project, district, forms)
    reports = [
        (year, form)
        for form in wanted
        for year in years or by_form.get(form, by_form.get(None, []))
    ]
    if forms is None:
        further = sorted((form for form in by_form if form not in wanted), key=str)
        reports += [
            (year, form) for form in further for year in by_form[form] if not years or year in years
        ]
    return reports


def _forms_of(project: Project, district: str, forms: Sequence[str] | None) -> list[str | None]:
    """The forms that are asked for, or that the district's file names; None for its usual one."""
    path = project.params / "districts" / f"{district}.yaml"
    # Parsing thousands of files takes a second, and most name no further form.
    if forms is None and not (path.is_file() and b"forms:" in path.read_bytes()):
        return [None]
    try:
        who = project.district(district)
    except InputError:
        return [None]  # its report says what is wrong
    asked = forms or who.all_forms
    return [None if form == who.usual_form else form for form in dict.fromkeys(asked)]


def _years_of(project: Project, district: str) -> list[int]:
    """Years with a file of a district's report, be it one that was published."""
    paths = (project.params / "reports" / district).glob("[0-9]*.*")
    stems = {path.name.partition(".")[0] for path in paths}
    return [int(stem) for stem in stems if re.fullmatch(r"\d{4}", stem)]
