"""Open data of all reports: runs, checks, and the facts by year, with their columns described."""

from __future__ import annotations

import gzip
import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from reportkit.catalogue.state import STATES
from reportkit.export.opendata import DIALECT, METADATA, described
from reportkit.export.tidy import FORMULA, csv_text, harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reportkit.catalogue.overview import Overview
    from reportkit.catalogue.state import Standing
    from reportkit.catalogue.store import Store
    from reportkit.export.opendata import Columns

Made = tuple[str, Any, "Callable[[], bytes]"]

_FACTS = ("district", "year", "form", "fact", "label", "value", "unit", "origin", "rows", "run")
# Name, heading, datatype, whether each row has one.
_RUNS = (
    ("district", "地区", "string", True),
    ("year", "年度", "gYear", True),
    ("name", "名称", "string", True),
    ("parent", "所属", "string", False),
    ("form", "格式", "string", True),
    ("edition", "格式版本", "string", False),
    ("state", "状态", {"base": "string", "format": "|".join(STATES)}, True),
    ("reason", "原因", "string", False),
    ("errors", "错误", "nonNegativeInteger", True),
    ("warnings", "警告", "nonNegativeInteger", True),
    ("made", "封存时间", "dateTime", False),
    ("run", "运行", "string", False),
    ("synthetic", "示例数据", "boolean", False),
)
_CHECKS = (
    ("district", "地区", "string", True),
    ("year", "年度", "gYear", True),
    ("form", "格式", "string", True),
    ("check", "规则", "string", True),
    ("title", "要求", "string", True),
    ("severity", "级别", {"base": "string", "format": "error|warning|info"}, True),
    ("left", "左边", "string", False),
    ("right", "右边", "string", False),
    ("message", "实际", "string", False),
    ("accepted", "接受的理由", "string", False),
)


def downloads(overview: Overview, store: Store) -> Iterator[Made]:
    """Path, source and maker of each file of open data; another source, another file.

    Source: W3C, Metadata Vocabulary for Tabular Data; RFC 4180.
    """
    runs = [_run(overview, standing) for standing in overview.reports.values()]
    yield "open/runs.csv", runs, lambda: _csv(_RUNS, runs)
    failing = overview.failing
    yield "open/checks.csv", failing, lambda: _csv(_CHECKS, failing)
    metadata = DIALECT | {"tables": [described("runs", _RUNS), described("checks", _CHECKS)]}
    text = json.dumps(metadata, ensure_ascii=False, indent=1) + "\n"
    yield f"open/{METADATA}", text, text.encode
    for year in sorted({run["year"] for run in overview.runs.values()}):
        files = store.names("facts", year)
        yield f"open/facts-{year}.csv.gz", files, partial(_facts_csv, store, year)
        yield f"open/facts-{year}.parquet", files, partial(_facts_parquet, store, year)


def _facts(store: Store, year: int) -> pa.Table:
    # The name of a report sorts that of the usual form first, and is in no other column.
    order = ("district", "report", "fact")
    table = store.read("facts", year=year)
    return table.sort_by([(name, "ascending") for name in order]).drop_columns("report")


def _facts_csv(store: Store, year: int) -> bytes:
    """Return the facts of a year as compressed CSV; a text that looks like a formula is quoted."""
    table = _facts(store, year).select(_FACTS)
    for name in ("label", "value", "unit"):
        texts = table[name]
        formula = pc.and_(
            pc.match_substring_regex(texts, f"^(?:{FORMULA.pattern})"),
            pc.invert(pc.match_substring_regex(texts, r"^[+-]?\d+(\.\d+)?$")),
        )
        quoted = pc.if_else(formula, pc.binary_join_element_wise("'", texts, ""), texts)
        table = table.set_column(table.schema.get_field_index(name), name, quoted)
    sink = pa.BufferOutputStream()
    pacsv.write_csv(table, sink, pacsv.WriteOptions(quoting_style="needed"))
    return gzip.compress(sink.getvalue().to_pybytes(), compresslevel=6, mtime=0)


def _facts_parquet(store: Store, year: int) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(
        _facts(store, year).combine_chunks(), sink, compression="zstd", store_schema=False
    )
    return bytes(sink.getvalue().to_pybytes())


def _run(overview: Overview, standing: Standing) -> dict[str, Any]:
    run, place = overview.runs.get(standing.report), overview.places[standing.district]
    same = ("district", "year", "state", "reason", "errors", "warnings", "made", "run")
    return {
        **{name: getattr(standing, name) for name in same},
        "name": standing.name or place.name,
        "parent": place.parent,
        "form": run["form"] if run else standing.form or place.form,
        "edition": run and run["edition"],
        "synthetic": run and str(run["synthetic"]).lower(),
    }


def _csv(columns: Columns, rows: list[dict[str, Any]]) -> bytes:
    names = [name for name, *_ in columns]
    lines = [["" if row[name] is None else harmless(row[name]) for name in names] for row in rows]
    return csv_text([names, *lines]).encode()
