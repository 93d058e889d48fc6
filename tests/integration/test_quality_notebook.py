"""The notebook on ledger quality runs on good ledgers, and shows what is wrong with bad ones."""

import json
import shutil
from pathlib import Path

import nbformat
import papermill
import pytest

from reportkit.export.blocks import from_notebook

ROOT = Path(__file__).parents[2]
NOTEBOOK = str(ROOT / "notebooks/ledger_quality.ipynb")


def execute(folder, district, year):
    return papermill.execute_notebook(
        NOTEBOOK,
        str(folder / "out.ipynb"),
        parameters={
            "district": district,
            "year": year,
            "params": str(ROOT / "params"),
            "data": str(folder / "data"),
        },
        progress_bar=False,
        cwd=folder,
    )


@pytest.mark.parametrize(("district", "year"), [("huli", 2020), ("pingtan", 2019)])
def test_it_runs_on_the_samples(district, year, tmp_path):
    shutil.copytree(ROOT / "data" / district, tmp_path / "data" / district)
    notebook = execute(tmp_path, district, year)
    nbformat.validate(notebook)
    charts = {block["id"]: block for block in from_notebook(notebook)}
    assert set(charts) == {"completeness", "records_by_month", "working_days"}
    received = charts["records_by_month"]["data"]["rows"]
    assert sum(row[1] for row in received) == {"huli": 76, "pingtan": 23}[district]
    assert "示例申请人" not in json.dumps(notebook, ensure_ascii=False)


def test_it_shows_records_that_do_not_count(tmp_path):
    folder = tmp_path / "data/pingtan"
    shutil.copytree(ROOT / "data/pingtan", folder)
    rows = [f"补{number},自然人,2019-03-01,2019-03-10,予以公开" for number in range(120)]
    rows += ["补x,自然人,2019-03-41,2019-03-10,予以公开"]
    text = "\n".join(["登记号,申请人类型,收到日期,答复日期,办理结果", *rows])
    (folder / "applications-extra.csv").write_text(text, encoding="utf-8")
    shown = json.dumps(execute(tmp_path, "pingtan", 2019), ensure_ascii=False)
    assert "2019-03-41" in shown
    assert "L-value" in shown
