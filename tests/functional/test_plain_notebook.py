"""The plain notebook that benchmarks compare with counts what the report prints."""

import json

import papermill
from batches import ROOT
from shipped import ZFXXGK

import reportkit


def test_the_plain_notebook_counts_the_same_198_cells(tmp_path):
    given = {"data": str(ROOT / "data"), "out": str(tmp_path / "cells.json")}
    papermill.execute_notebook(
        ROOT / "benchmarks/plain_report.ipynb", None, parameters=given, progress_bar=False
    )
    counted = json.loads((tmp_path / "cells.json").read_text(encoding="utf-8"))
    report = reportkit.open_report("huli", 2020, params=ROOT / "params", data=ROOT / "data")
    facts = {fact["id"]: fact["value"] for fact in report.facts_document()["facts"]}
    assert counted == [facts[cell.id] for cell in ZFXXGK.edition(2020).cells(2020)]
    assert len(counted) == 198
