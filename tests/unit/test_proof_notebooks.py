"""The normal form of executed notebooks, and the rules that notebooks are written to."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from reportkit.proof.normal import cell_digests, normal_digest
from reportkit.proof.notebook_rules import lint

ROOT = Path(__file__).parents[2]


def executed(**changes):
    """A small executed notebook, and what may differ in another execution."""
    result = {"start": "2026", "id": "ab12", "folder": "/tmp/a", "patch": "3.11.7", "split": False}
    result |= changes
    text = ["one\n", "two\n"] if result["split"] else ["one\ntwo\n"]
    streams = [new_output("stream", name="stdout", text=part) for part in text]
    shown = new_output("execute_result", data={"text/plain": "76"}, execution_count=2)
    cells = [
        new_code_cell(
            f'year = 2020\nparams = "{result["folder"]}"\n',
            id=result["id"],
            execution_count=1,
            metadata={"tags": ["injected-parameters"], "execution": {"iopub.status.idle": "t"}},
        ),
        new_code_cell(
            "show",
            id="cell",
            execution_count=2,
            outputs=[*streams, shown],
            metadata={"papermill": {"duration": result["start"]}},
        ),
    ]
    metadata = {
        "papermill": {"start_time": result["start"]},
        "language_info": {"name": "python", "version": result["patch"]},
    }
    return new_notebook(cells=cells, metadata=metadata)


@pytest.mark.parametrize(
    "change",
    [{"start": "2027"}, {"id": "cd34"}, {"folder": "/srv"}, {"patch": "3.11.9"}, {"split": True}],
)
def test_two_executions_have_one_normal_form(change):
    assert normal_digest(executed(**change)) == normal_digest(executed())


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda c: c.outputs[-1].data.update({"text/plain": "77"}), id="value"),
        pytest.param(lambda c: c.outputs[0].update(text="two\none\n"), id="stream"),
        pytest.param(lambda c: c.update(source="show()"), id="source"),
        pytest.param(lambda c: c.update(execution_count=3), id="count"),
        pytest.param(lambda c: c.outputs[-1].data.update({"image/png": "aGk="}), id="image"),
    ],
)
def test_any_other_difference_names_its_cell(change):
    other = executed()
    change(other.cells[1])
    differing = {
        here[0]
        for here, there in zip(cell_digests(executed()), cell_digests(other), strict=True)
        if here != there
    }
    assert differing == {"cell"}


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("import time\nstart = time.time()", "B-clock"),
        ("from datetime import datetime as dt\ndt.now()", "B-clock"),
        ("import datetime\ndatetime.date.today()", "B-clock"),
        ("import pandas as pd\npd.Timestamp.now()", "B-clock"),
        ("import random", None),
        ("import random\nrandom.random()", "B-random"),
        ("import numpy as np\nnp.random.default_rng(1)", "B-random"),
        ("import uuid\nuuid.uuid4()", "B-random"),
        ("frame.sample(3)", "B-random"),
        ("frame.sample(3, random_state=1)", None),
        ("audit.sample(figure, 3, seed=1)", None),
        ("random_state = 1\nframe.sample(3)", "B-random"),
        ("!ls", "B-shell"),
        ("%pip install x", "B-shell"),
        ("files = !ls", "B-shell"),
        ("import subprocess as s\ns.run(['ls'])", "B-shell"),
        ("get_ipython().system('ls')", "B-shell"),
        ("import requests\nrequests.get(url)", "B-network"),
        ("from urllib.request import urlopen\nurlopen(url)", "B-network"),
        ("import threading\nthreading.Thread(target=f)", "B-parallel"),
        ("import os\nos.getpid()", "B-machine"),
        ("import os\nos.listdir('.')", "B-machine"),
        ("hash('a')", "B-machine"),
        ("print({1, 2})", "B-order"),
        ("set(kinds)", "B-order"),
        ("for kind in set(kinds):\n    print(kind)", "B-order"),
        ("'、'.join({k for k in kinds})", "B-order"),
        ("list(set(a) - set(b))", "B-order"),
        ("f'{set(a)}'", "B-order"),
        ("sorted(set(kinds))", None),
        ("len({1, 2})", None),
        ("frame[frame.kind.isin({'a'})]", None),
        ("if kind in {'a', 'b'}:\n    pass", None),
        ("time = 3\ntime", None),
        ("report.sampled", None),
        ("a = 7 % 2\nb = a != 3", None),
        ("def broken(:", "B-syntax"),
    ],
)
def test_rules_of_notebooks(source, rule):
    notebook = new_notebook(cells=[new_code_cell(source, id="one")])
    assert [finding.rule for finding in lint(notebook)] == ([rule] if rule else [])


def test_a_finding_names_cell_and_line():
    cells = [
        new_code_cell("import time as clock", id="first"),
        new_code_cell("x = 1\nclock.time()", id="second"),
    ]
    (finding,) = lint(new_notebook(cells=cells))
    assert str(finding) == (
        "cell second, line 2: reads the clock; take days from the report year or from a parameter "
        "[B-clock]"
    )


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda p: p.stem)
def test_our_notebooks_keep_the_rules(path):
    assert lint(nbformat.read(path, as_version=4)) == []
