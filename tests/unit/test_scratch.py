"""Private folders of processes: swept when these were killed, and no sooner."""

import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from machine import first_process

from reportkit.warm import processes
from reportkit.warm.processes import _short_folder, scratch

HOLDS = """
import os, sys
from reportkit.warm import processes
from reportkit.warm.processes import _short_folder, scratch
processes._ROOM = 200
with scratch() as folder:
    (folder / "kernel-1").touch()
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def shared(tmp_path, monkeypatch):
    """A folder for temporary files that several containers share."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(processes, "_ROOM", 200)  # no socket is made here
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def holding(*prefix):
    pipe = subprocess.PIPE
    command = [*prefix, sys.executable, "-c", HOLDS]
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
    return process, Path(process.stdout.readline().strip())


def test_a_folder_lives_as_long_as_its_process(shared):
    with scratch() as own:
        assert own.is_dir()
        process, folder = holding()
        with scratch():
            assert {*shared.iterdir()} > {own, folder}
            assert (folder / "kernel-1").exists()
        process.communicate()
        assert list(shared.iterdir()) == [own]
    assert list(shared.iterdir()) == []


def test_what_a_killed_process_left_goes_with_the_next(shared):
    process, folder = holding()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert folder.is_dir()
    # Neither a folder of another name nor one that may not be entered is touched.
    (shared / "rk-db-x").mkdir()
    with scratch() as own:
        assert sorted(shared.iterdir()) == sorted([own, shared / "rk-db-x"])


def test_a_process_of_another_container_is_left_in_peace(shared):
    process, folder = holding(*first_process())
    # There it is process 1, as is another of ours.
    with scratch():
        assert (folder / "kernel-1").exists()
    process.communicate()
    assert not folder.exists()


def test_a_folder_swept_before_its_lock_is_made_again(shared, monkeypatch):
    made, known = [], tempfile.mkdtemp

    def swept_once(**options):
        made.append(known(**options))
        if len(made) == 1:
            shutil.rmtree(made[0])
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", swept_once)
    with scratch() as folder:
        assert (str(folder), len(made)) == (made[1], 2)
        assert list(shared.iterdir()) == [folder]


def test_a_long_name_of_the_temporary_folder_is_avoided(monkeypatch):
    """A socket in it would have more than the 107 bytes that its name may have."""
    monkeypatch.setattr(tempfile, "tempdir", "/var/tmp/" + 8 * "scratch-")
    assert _short_folder() == "/tmp"
    monkeypatch.setattr(tempfile, "tempdir", "/var/tmp/scratch")
    assert _short_folder() == "/var/tmp/scratch"
