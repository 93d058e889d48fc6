"""What a published report does not say but its text lives on: rows that a person asks for.

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
from reportkit.synth.words import Calendar, span
from reportkit.yamlfile import Strict

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping

Row = dict[str, Any]


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
        ``recipe``: a column that the ledger does not have.
    """
    columns = {column.name: column.type for column in schema_of(ledger).columns}
    for entry in entries:
        count = int(entry.get("count", 1))
        unknown = set(entry) - set(columns) - {"count"}
        if unknown:
            message = f"recipe entry {entry!r}: ledger '{ledger}' has no column {unknown.pop()!r}"
            raise InputError("recipe", message, year=year)
        values: Mapping[str, list[Any]] = {
            name: _column(entry[name], kind, count, year, calendar, rng)
            for name, kind in columns.items()
            if entry.get(name) is not None
        }
        for n in range(count):
            yield {name: column[n] for name, column in values.items()}


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
