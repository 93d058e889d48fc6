"""A real dask cluster: scheduler and workers as processes, one of them killed in the middle."""

import contextlib
import json
import os
import re
import signal
import subprocess

import fsspec
import pytest
from batches import (
    BIN,
    batch,
    currents,
    make_project,
    name_parents,
    start,
    states,
    working_in,
)
from machine import PATIENCE, until

KEPT = ("facts.json", "checks.json", "report.html", "audit.html", "report.pdf")
SLOW = "import time\ntime.sleep(1)"


@contextlib.contextmanager
def cluster(folder, *, workers):
    """Address of a scheduler, its process, and those of its workers."""
    folder.mkdir()
    log = folder / "log"
    started = []

    def begin(*command):
        with log.open("a") as out:
            process = subprocess.Popen(
                [str(BIN / "dask"), *command],
                cwd=folder,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        started.append(process)
        return process

    def result(pattern, count=1):
        until(lambda: len(re.findall(pattern, log.read_text())) >= count)
        return re.findall(pattern, log.read_text())

    try:
        begin("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-jupyter")
        address = result(r"Scheduler at: *(tcp://127\.0\.0\.1:\d+)")[0]
        hands = [
            begin(
                "worker",
                address,
                "--nthreads",
                "1",
                "--no-dashboard",
                "--death-timeout",
                "60",
                "--nanny" if number else "--no-nanny",
            )
            for number in range(workers)
        ]
        result(r"Registered to: *tcp", workers)
        yield address, started[0], hands
    finally:
        for process in started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def s3(tmp_path, monkeypatch):
    """URL of an empty bucket of an S3 server, found by all that this test starts."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "trial")
    command = [str(BIN / "moto_server"), "-H", "127.0.0.1", "-p", "0"]
    log = tmp_path / "s3.log"
    with log.open("w") as out:
        server = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        address = until(
            lambda: re.search(r"Running on (http://127\.0\.0\.1:\d+)", log.read_text())
        )[1]
        # As an operator names a store of his own: nothing of it stands in the command.
        monkeypatch.setenv("FSSPEC_S3_ENDPOINT_URL", address)
        opened(address).mkdir("reports")
        yield "s3://reports/batches"
    finally:
        server.kill()
        server.wait()


def opened(endpoint):
    """The S3 server as this process sees it."""
    return fsspec.filesystem("s3", endpoint_url=endpoint, use_listings_cache=False)


@pytest.fixture
def store(request, tmp_path):
    """``--store``, if one is asked for; it must be empty again at the end."""
    if request.param == "shared-disk":
        yield []
    elif request.param == "file":
        yield ["--store", f"file://{tmp_path}/store"]
        assert list((tmp_path / "store").iterdir()) == []
    else:
        yield ["--store", request.getfixturevalue("s3")]
        assert opened(os.environ["FSSPEC_S3_ENDPOINT_URL"]).find("reports") == []


@pytest.mark.slow
@pytest.mark.parametrize("store", ["shared-disk", "file", "s3"], indirect=True)
def test_a_cluster_that_loses_a_worker_makes_the_same_reports(store, tmp_path):
    names, hold = [f"d{number}" for number in range(8)], tmp_path / "hold"
    waits = f"import pathlib, time\nwhile pathlib.Path({str(hold)!r}).exists(): time.sleep(0.1)"
    here = make_project(tmp_path / "here", names, {"outcomes": waits})
    there = make_project(tmp_path / "there", names, {"outcomes": waits})
    assert set(states(batch(here)).values()) == {"made"}
    hold.touch()
    with cluster(tmp_path / "cluster", workers=2) as (address, _, hands):
        process = start(there, "--scheduler", address, *store)
        journal = there / "outputs/batch.jsonl"
        until(lambda: journal.exists() and journal.read_text("utf-8").count('"started"') == 2)
        os.killpg(hands[0].pid, signal.SIGKILL)
        hold.unlink()
        stdout, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, stderr
    assert ": begun again, since the worker that had it is lost" in stderr
    assert set(states(subprocess.CompletedProcess([], 0, stdout)).values()) == {"made"}
    same(here, there, names)
    assert working_in(tmp_path) == []


@pytest.mark.slow
def test_a_cluster_that_loses_its_scheduler_says_so(tmp_path):
    names = [f"d{number}" for number in range(5)]
    project = make_project(tmp_path / "project", names, {"outcomes": SLOW})
    with cluster(tmp_path / "cluster", workers=1) as (address, scheduler, _):
        process = start(project, "--scheduler", address)
        journal = project / "outputs/batch.jsonl"
        until(lambda: journal.exists() and '"made"' in journal.read_text(encoding="utf-8"))
        os.killpg(scheduler.pid, signal.SIGKILL)
        stdout, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 3, stderr
    messages = states(subprocess.CompletedProcess([], 0, stdout))
    assert set(messages.values()) == {"made", "no-scheduler"}
    assert set(states(batch(project)).values()) <= {"made", "unchanged"}
    assert list(currents(project)) == names


def same(here, there, names):
    """Both projects have the same reports in force."""
    ours, theirs = currents(here), currents(there)
    assert list(theirs) == names
    for name in names:
        for file in KEPT:
            assert (theirs[name] / file).read_bytes() == (ours[name] / file).read_bytes()


FAILS = 'if district == "c": print("seen by whoever mends it"); 1 / 0'


@pytest.mark.parametrize("store", ["s3"], indirect=True)
def test_a_trial_cluster_with_a_store_makes_the_same_reports(store, tmp_path):
    here, there = (make_project(tmp_path / one, "abc", {"outcomes": FAILS}) for one in ("x", "y"))
    for project in (here, there):
        name_parents(project, {"b": "a"})
    assert states(batch(here)) == {"a": "made", "b": "made", "c": "cell-failed"}
    done = batch(there, "--scheduler", "local", "--jobs", "2", *store)
    assert done.returncode == 3, done.stderr
    assert states(done) == {"a": "made", "b": "made", "c": "cell-failed"}
    same(here, there, ["a", "b"])
    journal = (there / "outputs/batch.jsonl").read_text(encoding="utf-8")
    events = [json.loads(line) for line in journal.splitlines()]
    assert sorted(e["district"] for e in events if e["event"] == "started") == ["a", "b", "c"]
    # The parent's report was compared with the run of its member, which the store brought there.
    checks = json.loads((currents(there)["a"] / "checks.json").read_bytes())
    assert {check["holds"] for check in checks if check["id"] == "X5"} == {True}
    failed = (there / "outputs/c/2021/failed/report.ipynb").read_text(encoding="utf-8")
    assert "seen by whoever mends it" in failed
    assert working_in(tmp_path) == []
    assert states(batch(there, "--districts", "a,b")) == {"a": "unchanged", "b": "unchanged"}


def test_an_unwritable_store_is_refused_before_the_first_report(tmp_path, monkeypatch):
    project = make_project(tmp_path, ["a"])
    monkeypatch.setenv("FSSPEC_S3_ENDPOINT_URL", "http://127.0.0.1:9")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "trial")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    done = batch(project, "--scheduler", "local", "--store", "s3://reports/batches")
    assert done.returncode == 2, done.stderr
    assert "nothing can be written to the store: " in done.stderr
    assert not (project / "outputs/a").exists()


def test_an_address_without_scheduler_is_reported(tmp_path):
    project = make_project(tmp_path, ["a"])
    done = batch(project, "--scheduler", "tcp://127.0.0.1:9", "--timeout", "5")
    assert done.returncode == 2, done.stderr
    assert "no dask scheduler at tcp://127.0.0.1:9" in done.stderr
