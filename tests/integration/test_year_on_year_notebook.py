"""The notebook through the years runs on sealed figures, on ledgers, and on one year only."""

import json
from pathlib import Path

import nbformat
import papermill
import pytest

from reportkit import open_report
from reportkit.export.blocks import from_notebook
from reportkit.facts import facts_bytes

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks/year_on_year.ipynb"


def execute(folder, **parameters):
    notebook = papermill.execute_notebook(
        str(NOTEBOOK),
        str(folder / "out.ipynb"),
        parameters={
            "params": str(ROOT / "params"),
            "data": str(ROOT / "data"),
            "out": str(folder / "outputs"),
            **parameters,
        },
        progress_bar=False,
        cwd=folder,
    )
    nbformat.validate(notebook)
    shown = {
        cell["id"]: "".join(
            part.get("text") or part["data"].get("text/html") or part["data"]["text/plain"]
            for part in cell["outputs"]
        )
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    }
    return notebook, shown


@pytest.fixture(scope="module")
def pingtan(tmp_path_factory):
    """平潭, with the figures of 2020 sealed: 25 new applications, where the ledgers give 27."""
    folder = tmp_path_factory.mktemp("pingtan")
    document = open_report(
        "pingtan", 2020, params=ROOT / "params", data=ROOT / "data"
    ).facts_document()
    (new,) = [fact for fact in document["facts"] if fact["id"] == "t3.new.total"]
    assert new["value"] == "27"
    new["value"] = "25"
    run = folder / "outputs/pingtan/2020/runs/a-run"
    run.mkdir(parents=True)
    (run / "facts.json").write_bytes(facts_bytes(document))
    (run.parents[1] / "current").symlink_to("runs/a-run")
    return execute(folder, district="pingtan")


def test_each_year_says_where_its_figures_are_from(pingtan):
    _, shown = pingtan
    assert "已封存的报告 a-run" in shown["open"]
    assert shown["open"].count("由台账计算") == 2


def test_charts_show_the_sealed_and_the_computed_years(pingtan):
    notebook, _ = pingtan
    charts = {block["id"]: block for block in from_notebook(notebook)}
    assert set(charts) == {"applications", "outcomes", "disputes", "documents", "decisions"}
    assert charts["applications"]["data"] == {
        "columns": ["年度", "新收", "办结", "结转下年"],
        "rows": [["2019年", 23, 23, 0], ["2020年", 25, 27, 0], ["2021年", 70, 69, 1]],
    }


def test_words_are_computed_across_the_editions(pingtan):
    _, shown = pingtan
    words = shown["applications-words"] + shown["outcomes-words"]
    assert "新收：2019年23件；2020年25件，比2019年增加2件（增长8.7%）；" in words
    # One row in 2019 and 2020, three rows in 2021; and a base of zero.
    assert (
        "其他处理：2019年0件；2020年4件，比2019年增加4件（2019年为0，无可比增幅）；"
        "2021年1件，比2020年减少3件（下降75%）。"
    ) in words
    assert "2020年7件，与2019年持平" in words


def test_what_cannot_be_compared_is_reported_with_its_reason(pingtan):
    _, shown = pingtan
    assert "2019年版只计已经公布的，2021年版计现行有效的全部" in shown["changed"]
    assert "对外公开总数量" not in shown["cells"]
    assert "（七）总计" in shown["cells"]


def test_one_year_has_nothing_to_compare(tmp_path):
    notebook, shown = execute(tmp_path, district="huli")
    assert "只有一个年度，没有别的年度可以比较。" in shown["open"]
    assert "新收：2020年76件；没有别的年度可以比较。" in shown["applications-words"]
    assert "image/svg" not in json.dumps(notebook)
    assert "<svg" not in json.dumps(notebook)
