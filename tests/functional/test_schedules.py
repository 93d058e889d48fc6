"""The examples of overnight.md (units, cron, Airflow, Prefect): read, and run with stubs."""

import configparser
import json
import os
import re
import shlex
import subprocess
import sys
import types

import pytest
from batches import BIN, ROOT, make_project

PAGE = (ROOT / "docs/how-to/overnight.md").read_text(encoding="utf-8")
MAIL = """#!/bin/sh
echo "$@" > mailed.txt
cat >> mailed.txt
"""


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.M | re.S)


def unit(text):
    read = configparser.ConfigParser(interpolation=None)
    read.optionxform = str
    read.read_string(text)
    return read


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project where the page has one, with a ``mail`` that keeps what it is given."""
    made = make_project(tmp_path / "annual", ["good", "bad"])
    (made / "params/batch.yaml").write_text("years: [2021]\n", encoding="utf-8")
    (made / "data/bad/fees.csv").unlink()
    (made / ".venv/bin").mkdir(parents=True)
    (made / ".venv/bin/reportkit").symlink_to(BIN / "reportkit")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/mail").write_text(MAIL, encoding="utf-8")
    (tmp_path / "bin/mail").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    return made


def here(text, project):
    """Return the text of the page, with the places of this project."""
    text = text.replace("/var/lib/node_exporter", f"{project}/metrics")
    return text.replace("/srv/annual", str(project))


def check(project):
    """The night was made: one report, one that failed, and status 0 all the same."""
    night = json.loads((project / "outputs/batch.json").read_text(encoding="utf-8"))
    assert (night["counts"]["made"], night["counts"]["failed"]) == (1, 1)
    assert night["exit_status"] == 0
    page = (project / "outputs/batch.html").read_text(encoding="utf-8")
    return re.search(r'<html lang="([\w-]+)">', page)[1]


def test_the_units_of_systemd(project):
    service, timer = (unit(here(text, project)) for text in blocks("ini"))
    assert timer["Timer"]["OnCalendar"].split()[:2] == ["*-*-*", "02:00:00"]
    asked = service["Service"]
    assert (asked["KillMode"], asked["Type"]) == ("mixed", "oneshot")
    name, _, value = asked["Environment"].partition("=")
    done = subprocess.run(
        shlex.split(asked["ExecStart"]),
        cwd=asked["WorkingDirectory"],
        env={name: value, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert check(project) == "zh-Hans"
    text = (project / "metrics/reportkit.prom").read_text(encoding="utf-8")
    assert 'reportkit_batch_failures{reason="ledger-missing"} 1' in text
    assert [path.name for path in (project / "metrics").iterdir()] == ["reportkit.prom"]
    mailed = (project / "mailed.txt").read_text(encoding="utf-8").splitlines()
    assert mailed[0] == "-s Reports office@example.org"
    assert mailed[1].startswith("已生成1份，没有变化0份，未成功1份，余下0份；")


def test_the_line_of_cron(project):
    (line,) = [text for text in blocks("text") if text.startswith("0 2 * * *")]
    assert "%" not in line  # cron would make a new line of it
    command = here(line.split(maxsplit=5)[5], project)
    world = {"HOME": str(project), "PATH": os.environ["PATH"], "SHELL": "/bin/sh"}
    done = subprocess.run(
        ["/bin/sh", "-c", command], env=world, cwd="/", capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert check(project) == "zh-Hans"
    assert (project / "mailed.txt").is_file()
    assert "\n已生成1份" in (project / "batch.log").read_text(encoding="utf-8")


def stubs(monkeypatch, **modules):
    for name, content in modules.items():
        module = types.ModuleType(name.replace("__", "."))
        module.__dict__.update(content)
        monkeypatch.setitem(sys.modules, module.__name__, module)


class Context:
    def __init__(self, **options):
        self.options = options

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass


def test_the_example_of_airflow(project, monkeypatch):
    started = []

    def bash_operator(*, task_id, cwd, bash_command, execution_timeout):
        started.append((bash_command, cwd, execution_timeout.total_seconds()))

    stubs(
        monkeypatch,
        pendulum={"datetime": lambda *day, tz: (day, tz)},
        airflow={},
        airflow__sdk={"DAG": Context},
        airflow__providers__standard__operators__bash={"BashOperator": bash_operator},
    )
    (code,) = [text for text in blocks("python") if "airflow" in text]
    known = {}
    exec(compile(here(code, project), "airflow", "exec"), known)
    assert known["dag"].options["schedule"] == "0 2 * * *"
    ((command, cwd, seconds),) = started
    assert seconds == 6 * 3600
    done = subprocess.run(["bash", "-c", command], cwd=cwd, capture_output=True, check=False)
    assert done.returncode == 0
    check(project)


def test_the_example_of_prefect(project, monkeypatch, capsys):
    served = []

    def flow(**options):
        def decorate(function):
            function.serve = lambda **asked: served.append(asked)
            return function

        return decorate

    stubs(
        monkeypatch,
        prefect={"flow": flow},
        prefect__schedules={"Cron": lambda when, timezone: (when, timezone)},
    )
    (code,) = [text for text in blocks("python") if "prefect" in text]
    known = {"__name__": "__main__"}
    exec(compile(here(code, project), "prefect", "exec"), known)
    assert served == [{"name": "night", "schedule": ("0 2 * * *", "Asia/Shanghai")}]
    counts = known["annual_reports"]()
    assert (counts["made"], counts["failed"]) == (1, 1)
    assert "reportkit batch --fail-on never --failed" in capsys.readouterr().out
    (project / "params/batch.yaml").write_text("years: [2021]\nscope: nobody\n", encoding="utf-8")
    with pytest.raises(RuntimeError, match="scope"):
        known["annual_reports"]()


def test_a_notice_that_fails_is_reported(project):
    command = [str(BIN / "reportkit"), "batch", "--districts", "good", "--notify"]
    ends = "sh -c 'cat > told.txt; echo no such host >&2; exit 7'"
    done = subprocess.run(
        [*command, ends], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert done.stdout.splitlines()[-1] == "--notify ended with status 7: no such host"
    assert (project / "told.txt").read_text(encoding="utf-8").startswith("1 made")
    # A batch that cannot begin is told of too.
    (project / "params/batch.yaml").write_text("jbos: 2\n", encoding="utf-8")
    done = subprocess.run(
        [*command, "sh -c 'cat > told.txt'"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "unknown key 'jbos'" in (project / "told.txt").read_text(encoding="utf-8")
    done = subprocess.run(
        [*command, "/nowhere/at-all"], cwd=project, capture_output=True, text=True, check=False
    )
    assert "--notify failed: No such file or directory (/nowhere/at-all)" in done.stderr
