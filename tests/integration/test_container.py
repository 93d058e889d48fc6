"""In a container: process 1, another user, a root that is read only, little memory."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from batches import BIN, batch, currents, make_project, states, working_in
from machine import first_process, memory_group, program, unshared

LITTLE = 400 << 20
# All of the machine is there to be read, as an image is; only the outputs and /tmp are written to.
READ_ONLY = """
mount --bind "$1" /mnt && mount --bind "$1/outputs" /mnt/outputs
for place in $(cut -d" " -f5 /proc/self/mountinfo); do
    case $place in
        /proc*|/dev*|/sys*|/mnt/outputs) ;;
        *) mount -o remount,bind,ro "$place" || true ;;
    esac
done
mount -t tmpfs tmpfs /tmp
cd /mnt
unset HOME
shift
exec "$@"
"""
# It may read what it wants, since Python itself may lie in a folder of root's.
READS = "+dac_read_search"
AS_NOBODY = [
    *("--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs"),
    *("--inh-caps", READS, "--ambient-caps", READS),
]


@pytest.fixture
def place():
    """A folder that other users may enter, with outputs that are theirs."""
    path = Path(tempfile.mkdtemp(prefix="rk-container-", dir="/var/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def started(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    return done.returncode, done.stdout, done.stderr


def test_as_process_1_it_does_the_same(tmp_path):
    project = make_project(tmp_path, ["a", "b"])
    run, night = ("run", "a", "2021"), ("batch", "--years", "2021")
    result = []
    for words in (run, night):
        command = [*first_process(), str(BIN / "reportkit"), *words, "--json"]
        status, stdout, stderr = started(command, cwd=project)
        assert status == 0, stderr
        result.append(json.loads(stdout))
    assert result[0]["unchanged"] is False
    assert [one["state"] for one in result[1]["reports"]] == ["unchanged", "made"]
    assert list(currents(project)) == ["a", "b"]
    assert working_in(project) == []


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user")
def test_in_little_memory_read_only_and_as_nobody(place):
    project = make_project(place / "project", ["a", "b"])
    (project / "outputs").mkdir()
    shutil.chown(project / "outputs", 65534, 65534)
    result = []
    for words in (("run", "a", "2021"), ("batch", "--years", "2021")):
        with memory_group(LITTLE) as limited:
            command = [
                *limited,
                *unshared("--mount"),
                "sh",
                "-c",
                READ_ONLY,
                "sh",
                str(project),
                *first_process(),
                program("setpriv"),
                *AS_NOBODY,
                str(BIN / "reportkit"),
                *words,
                "--json",
            ]
            status, stdout, stderr = started(command)
        assert status == 0, (stdout, stderr)
        result.append(json.loads(stdout))
    assert [one["state"] for one in result[1]["reports"]] == ["unchanged", "made"]
    assert list(currents(project)) == ["a", "b"]
    assert (project / "outputs/a/2021/current/report.pdf").owner() == "nobody"


HUNGRY = """
if district == "hungry":
    held = [b"x" * (64 << 20) for _ in range(20)]
"""


def test_a_report_that_takes_too_much_memory_says_so(tmp_path):
    project = make_project(tmp_path, ["hungry", "small"], {"outcomes": HUNGRY})
    with memory_group(700 << 20) as limited:
        night = ["batch", "--years", "2021", "--json"]
        status, stdout, stderr = started([*limited, str(BIN / "reportkit"), *night], cwd=project)
        assert status == 3, stderr
        reports = {one["district"]: one for one in json.loads(stdout)["reports"]}
        assert reports["small"]["state"] == "made"
        assert reports["hungry"]["reason"] == "out-of-memory"
        assert "700 MiB are allowed here" in reports["hungry"]["message"]
        alone = ["run", "hungry", "2021", "--json"]
        status, stdout, stderr = started([*limited, str(BIN / "reportkit"), *alone], cwd=project)
    assert (status, json.loads(stdout)["error"]) == (3, "out-of-memory"), stderr
    assert states(batch(project)) == {"hungry": "made", "small": "unchanged"}
