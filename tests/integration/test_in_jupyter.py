"""A kernel as Jupyter starts it: what it draws is shown by itself, and `draft` tells of it."""

import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).parents[2]
CELLS = [
    "import pandas as pd\nimport reportkit as rk\n"
    'report = rk.open_report("pingtan", 2021, out="outputs")\n'
    "ours = pd.Series([1, 2], ['甲', '乙'])",
    "report.head()",
    "ours.plot.barh()",
    "report.show(ours.plot.barh(), title='自己的图', alt='两条')",
    "axes = ours.plot.barh()",
    "report.show(axes, title='上一格的图', alt='两条')",
    "report.draft()",
    "report.draft()",
]


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("desk")
    for name in ("params", "data/pingtan"):
        shutil.copytree(ROOT / name, folder / name)
    notebook = new_notebook(cells=[new_code_cell(source) for source in CELLS])
    path = folder / "own.ipynb"
    nbformat.write(notebook, path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JPY_SESSION_NAME", str(path))
        patch.delenv("MPLBACKEND", raising=False)
        done = NotebookClient(notebook, kernel_name="reportkit", timeout=300).execute(
            cwd=str(folder)
        )
    return [cell.outputs for cell in done.cells]


def test_a_figure_outside_of_documents_is_shown_once_and_reported(outputs):
    seen = [
        [sorted(one.data) for one in cell if "image/png" in one.get("data", {})] for cell in outputs
    ]
    assert [len(one) for one in seen] == [0, 0, 1, 1, 1, 1, 0, 0]
    (drafted,) = outputs[-1]
    text = drafted.data["text/plain"]
    assert "B2 第3格（ours.plot.barh()）显示或画了一张图，各文件都没有" in text
    assert text.count("显示或画了") == 1
