"""Every command of the README, tutorial and a how-to, run as it stands there, in a copy."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


def commands(page: str) -> list[list[str]]:
    """The commands of each section that has some; comments are those of the shell."""
    sections = re.split(r"^## .*$", (ROOT / page).read_text("utf-8"), flags=re.M)
    listed = [re.findall(r"^ *\$ (.*)$", section, flags=re.M) for section in sections]
    return [one for one in listed if one]


def bare(page: str) -> list[list[str]]:
    return [[line.partition(" #")[0].strip() for line in listed] for listed in commands(page)]


def test_both_readmes_give_the_same_commands():
    assert bare("README.zh-CN.md") == bare("README.md")


# One script each, in a project of its own; the tutorial's first command is the README's too.
SCRIPTS = {
    "README, samples": commands("README.md")[:1],
    "README, one's own": commands("README.md")[1:],
    "tutorial, notebook": commands("docs/tutorial.md")[-1:],
    "tutorial, one's own": commands("docs/tutorial.md")[1:-1],
    "signing": commands("docs/how-to/signing.md"),
}


@pytest.fixture
def project(tmp_path) -> Path:
    """Make a checkout without outputs; its environment is the one that runs this test."""
    for name in ("params", "data", "notebooks"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "fonts").mkdir()
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "fonts/pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/bin").symlink_to(BIN)
    for name in ("locked", "ready"):  # so that make has nothing to install
        (tmp_path / ".venv" / name).touch()
    return tmp_path


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_commands_work(project: Path, name: str):
    listed = [command for section in SCRIPTS[name] for command in section]
    # `make test` is what runs this very test.
    result = [re.sub(r"^make test\b", "make -n test", command) for command in listed]
    script = "mkdir ~\n" + "\n".join(f"{command}\necho STATUS $? : {command}" for command in result)
    env = os.environ | {"HOME": str(project / "home"), "PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", script], cwd=project, env=env, capture_output=True, text=True, check=False
    )
    ended = re.findall(r"^STATUS (\d+) : (.*)$", done.stdout, flags=re.M)
    assert len(ended) == len(listed)
    # 1 says that a report was made which is a draft or has findings; a proof must hold.
    wrong = [
        (status, command)
        for status, command in ended
        if status not in ("01" if command.startswith("reportkit run") else "0")
    ]
    assert wrong == [], done.stdout + done.stderr
