"""Output for an analyst when a cell of a notebook meets something that reportkit refuses."""

import multiprocessing
import re

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from reportkit.errors import ExecutionError
from reportkit.language.catalogue import translator
from reportkit.run.notebook import execute
from reportkit.scaffold.project import begin


@pytest.fixture
def project(tmp_path):
    begin(tmp_path, "linhai", 2024, name="临海区").write()
    return tmp_path


def cells(*sources):
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in sources])
    made.metadata["kernelspec"] = {"name": "reportkit", "display_name": "reportkit"}
    return made


def shown(notebook, folder):
    """Return the output of the notebook's failing cell."""
    with pytest.raises(CellExecutionError):
        NotebookClient(notebook, resources={"metadata": {"path": str(folder)}}).execute()
    (error,) = [o for c in notebook.cells for o in c.outputs if o.output_type == "error"]
    return error


def test_a_refusal_reads_like_help(project):
    opened = 'import reportkit as rk\nreport = rk.open_report("linhai", 2024)'
    error = shown(cells(opened, "# a table\nreport.table(9)"), project)
    assert (error.ename, error.evalue) == (
        "InputError",
        "edition 2021 has no table 9; it has t2, t3, t4 [table]",
    )
    assert error.traceback == [
        "InputError: edition 2021 has no table 9; it has t2, t3, t4",
        "  in this cell: line 2: report.table(9)",
        "  reason: table",
        "next: mend this, then run the notebook again from its first cell",
    ]


def test_a_missing_ledger_is_named_with_its_place(project):
    (project / "data/linhai/收费台账.xlsx").unlink()
    error = shown(cells('import reportkit\nreportkit.open_report("linhai", 2024)'), project)
    text = "\n".join(error.traceback)
    assert "收费台账" in text
    assert "  district: linhai\n  year: 2024\n  in this cell: line 2: " in text
    assert "`reportkit intake` lists every problem" in text
    assert len(text.splitlines()) < 10


@pytest.mark.parametrize("fork", [None, multiprocessing.get_context("fork")])
def test_it_is_still_an_error_for_the_run(project, fork):
    path = project / "own.ipynb"
    notebook = cells("pass", 'import reportkit\nreportkit.open_report("nowhere", 2024)')
    notebook.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(notebook, path)
    with pytest.raises(ExecutionError, match="there is no district 'nowhere'") as error:
        execute(path, {}, project / "made.ipynb", cwd=project, fork=fork)
    assert (error.value.reason, error.value.fields["cell"]) == ("cell-failed", 2)
    assert str(error.value).startswith("cell [2] of own.ipynb, which begins `import reportkit`: ")
    made = nbformat.read(project / "made.ipynb", 4)
    assert "in this cell: line 2" in str(made)


def test_errors_of_others_are_named_in_chinese(project, monkeypatch):
    monkeypatch.setenv("LANGUAGE", "zh")
    path = project / "own.ipynb"
    notebook = cells("pass", "1/0")
    notebook.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(notebook, path)
    with pytest.raises(ExecutionError) as error:
        execute(path, {}, project / "made.ipynb", cwd=project)
    message = error.value.message
    assert (
        message == "cell [2] of own.ipynb, which begins `1/0`: ZeroDivisionError: division by zero"
    )
    chinese = "除数为零（ZeroDivisionError）：原文：division by zero"
    expected = f"own.ipynb的第[2]格（以`1/0`开头）出错：{chinese}"
    assert message.translated(translator("zh")) == expected
    made = nbformat.read(project / "made.ipynb", 4)
    marks = [re.sub("<[^>]*>", "", c.source) for c in made.cells if c.cell_type == "markdown"]
    assert marks == ["出错的一格：In [2]", "执行到下面这一格出错，已停止："]
