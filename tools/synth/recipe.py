"""Rows that a person asks for: a published report does not say them, but its text rests on them.

A recipe is data beside the published report, ``<year>.synth.yaml``::

    name: 湖里区
    issuers: [厦门市湖里区人民政府, 厦门市湖里区人民政府办公室]
    prefix: 湖府
    publications:
      - {count: 16, 类别: 招聘信息, 标题: "{year}年招聘公告（{n}）"}
    activities:
      - {日期: 2020-08-19, 类别: 工作部署, 主题: 部署标准化规范化工作}
      - {count: 109, 日期: 2020-08-20..2020-09-15, 形式: [征地补偿, 税收管理], 数量: {total: 962}}

A list is dealt out in turn, ``A..B`` spreads days evenly from A to B, ``{total: N}`` is split.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from reportkit.errors import InputError
from reportkit.ledgers.schema import schema_of
from reportkit.yamlfile import Strict
from synth.words import FORM, Calendar, span

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

Row = dict[str, Any]

NEEDED = {
    "documents": {"种类", "成文日期"},
    "publications": {"类别"},
    "activities": {"日期", "类别", "主题"},
}
"""Columns that a recipe entry cannot leave to chance."""


class Recipe(Strict):
    """The recipe of one report year; everything may be left out."""

    name: str = ""
    issuers: list[str] = Field(default_factory=list)
    prefix: str = "示例"
    publications: list[dict[str, Any]] = Field(default_factory=list)
    activities: list[dict[str, Any]] = Field(default_factory=list)
    documents: list[dict[str, Any]] = Field(default_factory=list)


def expand(
    entries: list[dict[str, Any]],
    ledger: str,
    *,
    year: int,
    calendar: Calendar,
    rng: random.Random,
) -> Iterator[Row]:
    """The rows that recipe entries stand for; columns that are not given are left out.

    Raises
    ------
    InputError
        ``recipe``: a column that the ledger does not have, or a value it cannot hold.
    """
    columns = {column.name: column for column in schema_of(FORM, ledger).columns}
    for entry in entries:
        if wrong := set(entry) - set(columns) - {"count"}:
            raise _wrong(entry, f"ledger '{ledger}' has no column {wrong.pop()!r}", year)
        if missing := NEEDED[ledger] - set(entry):
            raise _wrong(entry, f"{missing.pop()!r} is missing", year)
        try:
            count = int(entry.get("count", 1))
            values = {
                name: _column(entry[name], column.type, count, year, calendar, rng)
                for name, column in columns.items()
                if entry.get(name) is not None
            }
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _wrong(entry, f"not understood: {error}", year) from None
        for name, column in columns.items():
            if column.values and (wrong := set(values.get(name, [])) - set(column.values)):
                raise _wrong(entry, f"{name} is none of {'、'.join(column.values)}", year)
        for n in range(count):
            yield {name: column[n] for name, column in values.items()}


def _wrong(entry: dict[str, Any], what: str, year: int) -> InputError:
    return InputError("recipe", "recipe entry {entry!r}: {what}", entry=entry, what=what, year=year)


def _column(
    value: Any, kind: str, count: int, year: int, calendar: Calendar, rng: random.Random
) -> list[Any]:
    if isinstance(value, dict):
        return split(rng, int(value["total"]), count)
    if kind == "date":
        first, last = span(value)
        if first == last:
            return [first] * count
        start, end = calendar.at(first), calendar.at(last)
        if not calendar.days[0] <= first < last <= calendar.days[-1]:
            message = f"{value} is no span of days from {calendar.days[0]} to {calendar.days[-1]}"
            raise ValueError(message)
        # The last day is met exactly, so that "by the 15th" is a fact of the ledger.
        return [calendar.days[start + (end - start) * n // max(count - 1, 1)] for n in range(count)]
    if kind == "integer":
        return [int(value)] * count
    texts = value if isinstance(value, list) else [value]
    return [
        str(texts[n % len(texts)]).replace("{year}", str(year)).replace("{n}", str(n + 1))
        for n in range(count)
    ]


def split(rng: random.Random, total: int, count: int) -> list[int]:
    """Parts of very different size that add up exactly, each at least one where that can be."""
    if count == 0:
        return []
    least = 1 if total >= count else 0
    weights = [rng.lognormvariate(0, 1) for _ in range(count)]
    parts = [least + int((total - least * count) * w / sum(weights)) for w in weights]
    for n in range(total - sum(parts)):
        parts[n % count] += 1
    return parts
