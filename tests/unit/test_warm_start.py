"""The warm process starts, or another way is taken."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(("length", "method"), [(0, "forkserver"), (120, "spawn")])
def test_a_long_temporary_folder_has_no_room_for_a_socket(length, method, tmp_path):
    folder = tmp_path / ("x" * length or ".")
    folder.mkdir(exist_ok=True)
    code = (
        "from reportkit.warm.template import start_template, stop_template\n"
        "print(start_template('json').get_start_method())\nstop_template()"
    )
    world = os.environ | {"TMPDIR": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=world, capture_output=True, text=True, check=False
    )
    assert done.stdout == f"{method}\n", done.stderr
