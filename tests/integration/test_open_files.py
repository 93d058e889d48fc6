"""A process that may open few files is told so, and leaves no traceback."""

import subprocess

import pytest
from batches import BIN, make_project


@pytest.mark.parametrize(
    ("command", "status"), [("run a1 2021", 3), ("batch --years 2021", 3), ("doctor", 1)]
)
@pytest.mark.parametrize("most", [24, 64])
def test_too_few_open_files_are_reported(command, status, most, tmp_path):
    project = make_project(tmp_path / "p", ["a1"])
    done = subprocess.run(
        ["bash", "-c", f"ulimit -n {most}; {BIN}/reportkit {command}"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert "ulimit -n 1024" in said
    assert "Traceback" not in said
    assert done.returncode == status, said
