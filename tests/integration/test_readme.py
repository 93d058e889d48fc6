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


# One script each: what stands in one of them goes on where it ended.
SCRIPTS = {
    "README, samples": commands("README.md")[:1],
    "README, one's own": commands("README.md")[1:],
    "tutorial, samples": [*commands("docs/tutorial.md")[:1], commands("docs/tutorial.md")[-1]],
    "tutorial, one's own": commands("docs/tutorial.md")[1:-1],
    "signing": commands("docs/how-to/signing.md"),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """What git has, without outputs; its environment is the one that runs this test."""
    copy = tmp_path_factory.mktemp("readme")
    names = (
        "Makefile",
        "pyproject.toml",
        "requirements.lock",
        "fonts",
        "params",
        "data",
        "notebooks",
    )
    for name in names:
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, copy / name)
    (copy / ".venv").mkdir()
    (copy / ".venv/bin").symlink_to(BIN)
    for name in ("locked", "ready"):  # so that make has nothing to install
        (copy / ".venv" / name).touch()
    return copy


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_commands_work(project: Path, name: str):
    listed = [command for section in SCRIPTS[name] for command in section]
    # `make test` is what runs this very test; the samples are made already for what comes later.
    told = [re.sub(r"^make test\b", "make -n test", command) for command in listed]
    script = ". .venv/bin/activate\n" if (BIN / "activate").exists() else ""
    script += "\n".join(f"{command}\necho STATUS $? : {command}" for command in told)
    home = project / "home" / name
    home.mkdir(parents=True)
    env = os.environ | {"HOME": str(home), "PATH": f"{BIN}:{os.environ['PATH']}"}
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
