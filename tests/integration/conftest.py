"""One real, signed run that the tests of proof share."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from reportkit.proof.dsse import keygen

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Sealed:
    """A project of its own (平潭 2021), its signed run, and the folder of trusted keys."""

    project: Path
    run: Path
    keys: Path
    key: Path

    def reportkit(self, *arguments, env=None):
        command = [str(Path(sys.executable).parent / "reportkit"), *map(str, arguments)]
        return subprocess.run(
            command, cwd=self.project, env=os.environ | (env or {}), capture_output=True,
            text=True, check=False,
        )  # fmt: skip


@pytest.fixture(scope="session")
def sealed(tmp_path_factory):
    project = tmp_path_factory.mktemp("proof")
    for name in ("params", "data/pingtan", "notebooks"):
        shutil.copytree(ROOT / name, project / name)
    (project / "keys/preparer").mkdir(parents=True)
    public, _ = keygen(project / "own.key")
    shutil.copy(public, project / "keys/preparer/zhang.pub")
    made = Sealed(project, project, project / "keys", project / "own.key")
    env = {"REPORTKIT_SIGNING_KEY_FILE": str(project / "own.key")}
    done = made.reportkit("run", "pingtan", 2021, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    run = (project / "outputs/pingtan/2021/current").resolve()
    return Sealed(project, run, project / "keys", project / "own.key")
