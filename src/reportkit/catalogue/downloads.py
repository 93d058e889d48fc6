"""Everything as open data: what all reports say, by year, with a description of its columns."""

from __future__ import annotations

import gzip
import json
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
    """Path, what it is made of, and the making, of each file of open data.

    Source: W3C, Metadata Vocabulary for Tabular Data; RFC 4180.
    """
    runs = [_run(overview, standing) for standing in overview.reports.values()]
    yield "open/runs.csv", runs, lambda: _csv(_RUNS, runs)
    failing = overview.failing
    yield "open/checks.csv", failing, lambda: _csv(_CHECKS, failing)
    metadata = DIALECT | {"tables": [described("runs", _RUNS), described("checks", _CHECKS)]}
    told = json.dumps(metadata, ensure_ascii=False, indent=1) + "\n"
    yield f"open/{METADATA}", told, told.encode
    for year in sorted({run["year"] for run in overview.runs.values()}):
        part = FactsOfYear(store, year)
        yield f"open/facts-{year}.csv.gz", part.names, part.csv
        yield f"open/facts-{year}.parquet", part.names, part.parquet


class FactsOfYear:
    """The facts of a year as files.

    Parameters
    ----------
    store : Store
    year : int
    """

    def __init__(self, store: Store, year: int) -> None:
        self._store, self._year = store, year
        files = store.index["files"]["facts"]
        self.names = [name for at, name in files.items() if at.startswith(f"{year}/")]

    def _table(self) -> pa.Table:
        parts = [pq.read_table(self._store.folder / name, partitioning=None) for name in self.names]
        table = pa.concat_tables(parts)
        table = table.append_column("year", pa.array([self._year] * table.num_rows, pa.int32()))
        # By folders, as the usual form's stands before others; that is in no other column.
        order = ("district", "report", "fact")
        return table.sort_by([(name, "ascending") for name in order]).drop_columns("report")

    def csv(self) -> bytes:
        """Packed, since all of it is much; a text that a program takes for a formula is marked."""
        table = self._table().select(_FACTS)
        for name in ("label", "value", "unit"):
            texts = table[name]
            formula = pc.and_(
                pc.match_substring_regex(texts, f"^(?:{FORMULA.pattern})"),
                pc.invert(pc.match_substring_regex(texts, r"^[+-]?\d+(\.\d+)?$")),
            )
            marked = pc.binary_join_element_wise("'", texts, "")
            table = table.set_column(
                table.schema.get_field_index(name), name, pc.if_else(formula, marked, texts)
            )
        sink = pa.BufferOutputStream()
        pacsv.write_csv(table, sink, pacsv.WriteOptions(quoting_style="needed"))
        return gzip.compress(sink.getvalue().to_pybytes(), compresslevel=6, mtime=0)

    def parquet(self) -> bytes:
        """One file of all districts."""
        sink = pa.BufferOutputStream()
        pq.write_table(self._table().combine_chunks(), sink, compression="zstd", store_schema=False)
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
