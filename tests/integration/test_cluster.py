"""A real dask cluster: scheduler and workers as processes, one of them killed in the middle."""

import contextlib
import os
import re
import signal
import subprocess
import time

import pytest
from batches import BIN, batch, currents, make_project, start, states

KEPT = ("facts.json", "checks.json", "report.html", "audit.html", "report.pdf")
SLOW = "import time\ntime.sleep(1)"


@contextlib.contextmanager
def cluster(folder, *, workers):
    """Address of a scheduler, and its workers' processes."""
    folder.mkdir()
    log = folder / "log"
    started = []

    def begin(*command):
        with log.open("a") as out:
            process = subprocess.Popen(
                [str(BIN / "dask"), *command], cwd=folder, stdout=out, stderr=out,
                start_new_session=True,
            )  # fmt: skip
        started.append(process)
        return process

    def told(pattern, count=1):
        for _ in range(1200):
            if len(found := re.findall(pattern, log.read_text())) >= count:
                return found
            time.sleep(0.1)
        raise AssertionError(log.read_text())

    try:
        begin("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-jupyter")
        address = told(r"Scheduler at: *(tcp://127\.0\.0\.1:\d+)")[0]
        hands = [
            begin("worker", address, "--nthreads", "1", "--no-dashboard", "--death-timeout", "60",
                  "--nanny" if number else "--no-nanny")
            for number in range(workers)
        ]  # fmt: skip
        told(r"Registered to: *tcp", workers)
        yield address, hands
    finally:
        for process in started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.mark.slow
@pytest.mark.parametrize("store", [False, True], ids=["shared-disk", "store"])
def test_a_cluster_that_loses_a_worker_makes_the_same_reports(store, tmp_path):
    names = [f"d{number}" for number in range(8)]
    here = make_project(tmp_path / "here", names, {"outcomes": SLOW})
    there = make_project(tmp_path / "there", names, {"outcomes": SLOW})
    assert set(states(batch(here)).values()) == {"made"}
    with cluster(tmp_path / "cluster", workers=2) as (address, hands):
        options = ["--scheduler", address]
        options += ["--store", f"file://{tmp_path}/store"] if store else []
        process = start(there, *options)
        journal = there / "outputs/batch.jsonl"
        while not journal.exists() or '"made"' not in journal.read_text(encoding="utf-8"):
            assert process.poll() is None, process.communicate()
            time.sleep(0.1)
        os.killpg(hands[0].pid, signal.SIGKILL)
        stdout, stderr = process.communicate(timeout=300)
    assert process.returncode == 0, stderr
    assert set(states(subprocess.CompletedProcess([], 0, stdout)).values()) == {"made"}
    ours, theirs = currents(here), currents(there)
    assert list(theirs) == names
    for name in names:
        for file in KEPT:
            assert (theirs[name] / file).read_bytes() == (ours[name] / file).read_bytes()


def test_an_address_without_scheduler_is_told(tmp_path):
    project = make_project(tmp_path, ["a"])
    done = batch(project, "--scheduler", "tcp://127.0.0.1:9", "--timeout", "5")
    assert done.returncode == 2, done.stderr
    assert "no dask scheduler at tcp://127.0.0.1:9" in done.stderr
