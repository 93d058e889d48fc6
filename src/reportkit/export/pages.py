"""Common parts of the two HTML documents: templates, styles, filters and their filling."""

from __future__ import annotations

import base64
import hashlib
from datetime import date
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Sequence


def render(template: str, **fields: Any) -> str:
    """Return a page: everything that is not the template's own is escaped."""
    return environment("reportkit.export").get_template(template).render(fields)


@cache
def compile_templates() -> None:
    """Compile every template of the package."""
    templates = environment("reportkit.export")
    for name in templates.list_templates(extensions=["j2"]):
        templates.get_template(name)


@cache
def environment(package: str) -> Environment:
    """Return the Jinja environment of a package's templates, which can use those of this one.

    A template is compiled once in a process.
    """
    made = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("reportkit.export")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "sort_keys": True}
    made.filters["chinese_date"] = chinese_date
    made.filters["title_lines"] = title_lines
    return made


def asset(*names: str, package: str = "reportkit.export") -> Markup:
    """Return style sheets or scripts of a package, to be put into a page unescaped."""
    folder = files(package) / "templates"
    text = "".join((folder / name).read_text(encoding="utf-8") for name in names)
    return Markup(text)  # noqa: S704 - files of this package


def policy_source(script: str) -> str:
    """Return the source expression of a content policy that lets one inline script run."""
    found = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"'sha256-{found}'"


def chinese_date(iso: str) -> str:
    """Return a date as a document prints it.

    Examples
    --------
    >>> chinese_date("2021-01-05")
    '2021年1月5日'
    """
    day = date.fromisoformat(iso)
    return f"{day.year}年{day.month}月{day.day}日"


def corrected_on(days: Sequence[str]) -> str:
    """Return the line below the title that says when a report was corrected, as laws have it.

    Examples
    --------
    >>> corrected_on(["2021-03-01", "2021-04-12"])
    '（2021年3月1日、2021年4月12日更正）'
    """
    dates = "、".join(dict.fromkeys(map(chinese_date, days)))
    return f"（{dates}更正）" if dates else ""


def title_lines(head: dict[str, Any]) -> list[str]:
    """Return a title in two lines: the issuer, then the report.

    Source: GB/T 9704-2012, 7.3.1.

    Examples
    --------
    >>> title_lines({"title": "某区人民政府2020年年度报告", "issuer": "某区政府", "year": 2020})
    ['某区人民政府', '2020年年度报告']
    """
    title: str = head["title"]
    mark = f"{head['year']}年"
    start = title.find(mark)
    return [title[:start], title[start:]] if start > 0 else [title]
