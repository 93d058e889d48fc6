"""A person planted anywhere is in no byte that is left behind, and in no message."""

import csv
import json
import shutil
from dataclasses import dataclass, field

import pytest
from batches import LEDGERS, make_project
from commands import reportkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shipped import SCHEMAS

from reportkit.run.leaks import _texts

PERSON = {
    "申请人": "欧阳小测",
    "证件号码": "110101199003071233",
    "联系电话": "0592-5722601",
    "联系地址": "枋湖南路161号721室",
    "行政相对人": "买买提·艾力",
}
PLANTED = [*PERSON.values(), "13812345678"]


@dataclass
class Place:
    """A project with one district, and what was planted in it."""

    project: object
    planted: list = field(default_factory=lambda: list(PLANTED))

    def reportkit(self, *arguments):
        done = reportkit(*arguments, cwd=self.project)
        return done.returncode, done.stdout + done.stderr

    def found(self, said):
        """Planted values that were said, or stand in what is left behind."""
        left = {"said": said}
        for path in (self.project / "outputs").rglob("*"):
            if path.is_file() and not path.is_symlink():
                raw = path.read_bytes().decode("utf-8", "replace")
                left[str(path)] = "\n".join([path.name, raw, *_texts(path)])
        escaped = {value: json.dumps(value)[1:-1] for value in self.planted}
        return [
            (name, value)
            for name, text in left.items()
            for value in self.planted
            if value in text or escaped[value] in text
        ]


def rows_of(key):
    return list(csv.reader(LEDGERS[key].splitlines()))


def write(project, key, rows):
    with (project / f"data/a1/{key}.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def planted_project(folder, cells=None):
    """120 applications and decisions, the first of each a planted person's."""
    project = make_project(folder, ["a1"], cells)
    (project / "data/a1/decisions.csv").write_text("", encoding="utf-8")
    for key, (first, *_) in {
        key: rows_of(key)[1:] for key in ("applications", "decisions")
    }.items():
        heading = [*rows_of(key)[0], *(c.name for c in SCHEMAS[key].columns if c.personal)]
        heading += ["所需信息"] if key == "applications" else []
        known = [PERSON.get(name, "回电13812345678") for name in heading[len(first) :]]
        nobody = [""] * len(known)
        rows = [[str(n), *first[1:], *(known if n == 0 else nobody)] for n in range(120)]
        write(project, key, [heading, *rows])
    return Place(project)


RAW = "raw = open('data/a1/applications.csv', encoding='utf-8').read()"
FAILURES = {
    "printed": f"{RAW}; print(raw); raise ValueError('no')",
    "in the exception": f"{RAW}; raise ValueError(raw)",
    "in a chain": (
        f"{RAW}\ntry:\n    raise KeyError(raw)\nexcept KeyError:\n    raise ValueError(raw)"
    ),
    "on stderr": f"{RAW}; import sys; sys.stderr.write(raw); 1 / 0",
    "below Python": f"{RAW}; import os; [os.write(n, raw.encode()) for n in (1, 2)]; 1 / 0",
    "logged": f"{RAW}; import logging; logging.getLogger('reportkit').error(raw); 1 / 0",
    "a frame": "import pandas as pd; display(pd.read_csv('data/a1/applications.csv')); 1 / 0",
    "with blanks": f"{RAW}; print(raw.replace('欧阳', '欧 阳').replace('1101', '1101 ')); 1 / 0",
    "an exit": f"{RAW}; import sys; print(raw); sys.exit(raw)",
    "a dead kernel": f"{RAW}; import os, signal; print(raw); os.kill(os.getpid(), signal.SIGKILL)",
    "not failing": f"{RAW}; print(raw)",
}


RUN, BATCH = ("run", "a1", 2021), ("batch", "--years", "2021")
IN_A_BATCH = ("printed", "in the exception", "below Python", "not failing")


@pytest.mark.parametrize(
    ("command", "cell"),
    [(RUN, cell) for cell in FAILURES.values()] + [(BATCH, FAILURES[name]) for name in IN_A_BATCH],
    ids=[*FAILURES, *(f"{name}, in a batch" for name in IN_A_BATCH)],
)
def test_a_notebook_that_shows_persons_leaves_none(command, cell, tmp_path):
    place = planted_project(tmp_path / "p")
    path = place.project / "notebooks/annual_report.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    code = [one for one in notebook["cells"] if one["cell_type"] == "code"]
    code[2]["source"] = [cell, "\n", *code[2]["source"]]
    path.write_text(json.dumps(notebook), encoding="utf-8")
    status, said = place.reportkit(*command)
    assert status == 3, said
    assert place.found(said) == []
    # What is kept still says what happened.
    log = (place.project / "outputs/a1/2021/failed/run.log").read_text(encoding="utf-8")
    assert "ExecutionError" in log


def test_a_report_of_planted_ledgers_is_published_without_them(tmp_path):
    place = planted_project(tmp_path / "p")
    status, said = place.reportkit("run", "a1", 2021)
    assert status in (0, 1), said
    assert (place.project / "outputs/a1/2021/current/report.pdf").is_file()
    assert place.found(said) == []


NAMES = st.builds(
    "{}{}{}".format,
    st.sampled_from("欧阳 司马 王 李 陈 黄".split()), st.sampled_from("小建丽国文"),
    st.sampled_from("测华芳强"),
)  # fmt: skip
COLUMNS = [
    (key, column.name)
    for key in LEDGERS
    for column in SCHEMAS[key].columns
    if not column.personal and not column.free_text
]
FORMS = ["{}", "2021-13-40 {}", "{}，男", "关于{}的答复", "12.5{}"]


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=NAMES, column=st.sampled_from(COLUMNS), form=st.sampled_from(FORMS),
    shift=st.integers(0, 2),
)  # fmt: skip
def test_a_person_planted_in_any_cell_is_left_nowhere(name, column, form, shift, tmp_path):
    shutil.rmtree(tmp_path / "p", ignore_errors=True)
    place = planted_project(tmp_path / "p")
    place.planted.append(name)
    key, title = column
    path = place.project / f"data/a1/{key}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        heading, *rows = csv.reader(file)
    if title not in heading:
        heading.append(title)
        rows = [[*row, ""] for row in rows]
    row = list(rows[-1])
    row[heading.index(title)] = form.format(name)
    row[0] = row[0] if title == heading[0] else "another"
    write(place.project, key, [heading, *rows[:-1], row[shift:] + row[:shift]])
    with (place.project / "data/a1/applications.csv").open(encoding="utf-8", newline="") as file:
        head, *known = csv.reader(file)
    known[5][head.index("申请人")] = name
    write(place.project, "applications", [head, *known])
    for command in (("intake", "a1", 2021), RUN):
        _, said = place.reportkit(*command)
        assert place.found(said) == [], (command, said)
