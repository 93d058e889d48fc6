"""A report as open data: tidy CSV of its facts and statutory tables, described by CSVW."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from reportkit.export.blocks import json_bytes
from reportkit.export.defined import definition_of
from reportkit.export.tidy import csv_text, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportkit.export.blocks import Block
    from reportkit.export.document import Document

    Columns = tuple[tuple[str, str, Any, bool], ...]

METADATA = "csv-metadata.json"
DIALECT = {
    "@context": ["http://www.w3.org/ns/csvw", {"@language": "zh"}],
    "dialect": {"encoding": "utf-8", "lineTerminators": ["\r\n"], "header": True},
}
"""Part of all our metadata."""
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
# Name, heading, datatype, and whether every row has one.
_FACT = ("fact", "标识", "string", True)
_LAST_YEAR = ("last_year", "上年值", "decimal", False)
_FACTS = (
    _FACT,
    ("label", "名称", "string", True),
    ("value", "值", "decimal", False),
    ("day", "日期", "date", False),
    ("words", "文字", "string", False),
    ("unit", "单位", "string", False),
    _LAST_YEAR,
    ("definition", "定义", "string", True),
    ("origin", "来历", {"base": "string", "format": "ledger|sum|declared"}, True),
    ("source", "来源说明", "string", False),
    ("ledger", "台账", "string", False),
    ("rows", "来源行数", "nonNegativeInteger", True),
    ("district", "地区", "string", True),
    ("year", "年度", "gYear", True),
)
_CELLS = (
    _FACT,
    ("part", "条款", "string", False),
    ("row", "行", "string", False),
    ("column", "列", "string", True),
    ("value", "值", "decimal", True),
    ("unit", "单位", "string", True),
    _LAST_YEAR,
)


def open_data(document: Document) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of each file: ``facts.csv``, one a statutory table, their metadata.

    Source: W3C, Metadata Vocabulary for Tabular Data; RFC 4180.
    """
    head = document.head
    tables = [item for item in document.shown if item["kind"] == "table" and not item["own"]]
    title = f"{head['title']}：全部数据"
    files = [described("facts", _FACTS, primaryKey="fact") | {"dc:title": title}]
    yield "facts.csv", _csv(_FACTS, _facts(document))
    for table in tables:
        yield f"{table['id']}.csv", _csv(_CELLS, _cells(table, document))
        to_facts = {"resource": "facts.csv", "columnReference": "fact"}
        keys = [{"columnReference": "fact", "reference": to_facts}]
        file = described(table["id"], _CELLS, primaryKey="fact", foreignKeys=keys)
        files.append(file | {"dc:title": table["title"]})
    yield METADATA, json_bytes(_group(document, files))


def described(name: str, columns: Columns, **more: Any) -> Block:
    """Return the description of a CSV file after CSVW.

    Parameters
    ----------
    name : str
        Of the file, without its ending.
    columns : sequence
        Name, heading, datatype, and whether every row has one, of each.
    **more : object
        Further properties of its schema.
    """
    return {
        "url": f"{name}.csv",
        "tableSchema": {
            **more,
            "columns": [
                {"name": key, "titles": [key, heading], "datatype": kind, "required": required}
                for key, heading, kind, required in columns
            ],
        },
    }


def _group(document: Document, tables: list[dict[str, Any]]) -> dict[str, Any]:
    head = document.head
    group = {
        **DIALECT,
        "dc:title": head["title"],
        "dc:publisher": head["issuer"],
        "dc:temporal": f"{head['year']}-01-01/{head['year']}-12-31",
        "dc:conformsTo": f"格式版本：{head['edition']}",
        "dc:identifier": document.seal["seal"],
        "tables": tables,
    }
    if head["dated"]:
        group["dc:issued"] = head["dated"]
    if head["draft"] or head["synthetic"]:
        kind = "草稿，尚未定稿" if head["draft"] else "示例，由示例台账生成"
        group["dc:description"] = f"{kind}；不是正式公布的统计"
    return group


def _csv(columns: Columns, rows: Iterator[Block]) -> bytes:
    names = [key for key, *_ in columns]
    return csv_text([names, *([row.get(name) for name in names] for row in rows)]).encode()


def _facts(document: Document) -> Iterator[Block]:
    head, past = document.head, document.seal.get("past", {})
    for name, fact in document.facts.items():
        value = fact["value"]
        kind = "value" if _NUMBER.fullmatch(value) else "day" if _DAY.fullmatch(value) else "words"
        same = ("label", "unit", "origin", "source", "ledger", "rows")
        yield {
            **{key: fact[key] for key in same},
            "fact": name,
            kind: value,
            "last_year": past.get(name, {}).get("value"),
            "definition": definition_of(fact, document.facts),
            "district": head["district"],
            "year": head["year"],
        }


def _cells(table: Block, document: Document) -> Iterator[Block]:
    past = document.seal.get("past", {})
    for part in parts_of(table):
        for label, cells in part.rows:
            for column, cell in zip(part.columns, cells, strict=True):
                fact = document.facts[cell["fact"]]
                yield {
                    "fact": fact["id"],
                    "part": part.title,
                    "row": label,
                    "column": column,
                    "value": fact["value"],
                    "unit": fact["unit"],
                    "last_year": past.get(fact["id"], {}).get("value"),
                }
