"""Completions of a shell after Tab; asked of a real bash."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reportkit.scaffold.project import begin

BIN = Path(sys.executable).parent


@pytest.fixture
def project(tmp_path):
    begin(tmp_path, "linhai", 2024, name="临海区").write()
    begin(tmp_path, "lin-an", 2020, name="临安区").write()
    run = tmp_path / "outputs/linhai/2024/current"
    run.mkdir(parents=True)
    facts = {
        "facts": [
            {"id": name, "label": f"一、本年新收/{label}"}
            for name, label in (("t3.new.total", "总计"), ("t3.new.other", "（六）其他"))
        ]
    }
    (run / "facts.json").write_text(json.dumps(facts), "utf-8")
    return tmp_path


def offered(folder, *words):
    """Return the completions that bash offers for the last word."""
    script = 'eval "$(reportkit completion bash)"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
    script += '_reportkit_completion reportkit; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(
        ["bash", "-c", script, "-", "reportkit", *words],
        cwd=folder,
        capture_output=True,
        env=os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"},
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["doc"], ["doctor"]),
        (["run", "li"], ["lin-an", "linhai"]),
        (["intake", "linh"], ["linhai"]),
        (["run", "linhai", ""], ["2024"]),
        (["run", "nowhere", ""], []),
        (["explain", "--run", "linhai/2024", "t3.new."], ["t3.new.other", "t3.new.total"]),
        (["explain", "--run", "linhai/2024", "本"], ["本年新收"]),
        (["explain", "--run", "linhai/2024", "其"], ["其他"]),
        (["explain", "--run", "l"], ["linhai/2024"]),
        (["run", "临"], ["临安区", "临海区"]),
        (["run", "临海区", ""], ["2024"]),
        (["template", "依"], ["依申请公开台账"]),
        (["run", "--params", "elsewhere", ""], []),
    ],
)
def test_bash_completes_what_the_project_holds(project, words, expected):
    assert offered(project, *words) == expected


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_a_script_of_their_own(shell):
    done = subprocess.run(
        [BIN / "reportkit", "completion", shell], capture_output=True, text=True, check=True
    )
    assert f"_REPORTKIT_COMPLETE={shell}_complete" in done.stdout
