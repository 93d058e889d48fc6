"""Batches with real kernels: faults of every kind in one of them, resuming, what is left alone."""

import base64
import contextlib
import fcntl
import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest
from batches import (
    add_district,
    batch,
    currents,
    make_project,
    name_parents,
    plan,
    share_fees,
    start,
    states,
    working_in,
)
from machine import PATIENCE, until

from reportkit.proof import verify_files


@pytest.fixture(scope="module")
def done_once(tmp_path_factory):
    """Three districts, all made."""
    project = make_project(tmp_path_factory.mktemp("project"), ["a", "b", "c"])
    done = batch(project)
    assert states(done) == {"a": "made", "b": "made", "c": "made"}, done.stderr
    # The runs that a batch leaves in force are stated by it.
    (statement,) = (project / "outputs/batches").iterdir()
    envelope = json.loads(statement.read_bytes())
    assert envelope["signatures"] == []  # nobody has named a key
    subjects = json.loads(base64.b64decode(envelope["payload"]))["subject"]
    stated = [one["name"] for one in subjects]
    assert stated == [f"{name}/2021/runs/{run.name}" for name, run in currents(project).items()]
    return project


def test_what_has_not_changed_is_left(done_once):
    journal = done_once / "outputs/batch.jsonl"
    journal.unlink()
    before = currents(done_once)
    done = batch(done_once, "--explain-cache")
    assert states(done) == {"a": "unchanged", "b": "unchanged", "c": "unchanged"}
    assert currents(done_once) == before
    events = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    found = [(e["district"], e["run"]) for e in events if e["event"] == "found"]
    assert found == [(name, run.name) for name, run in before.items()]


UNFORKED = """
import sys
from multiprocessing import forkserver
from reportkit.__main__ import main
sys.argv = ["reportkit", "batch", "--years", "2021"]
try:
    main()
finally:
    print(forkserver._forkserver._forkserver_pid)
"""


def test_no_warm_process_is_started_for_nothing(done_once):
    assert set(states(batch(done_once)).values()) == {"unchanged"}
    command = [sys.executable, "-c", UNFORKED]
    done = subprocess.run(command, cwd=done_once, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1:] == ["None"], done.stderr


def test_every_cause_of_making_anew_is_named(done_once):
    ledger = done_once / "data/a/fees.csv"
    times = ledger.stat()
    ledger.touch()
    assert plan(done_once) == {"a": [], "b": [], "c": []}
    # Of the same size, with its times put back: the change of its inode gives it away.
    ledger.write_text(ledger.read_text(encoding="utf-8").replace("1000.50", "1000.60"), "utf-8")
    os.utime(ledger, ns=(times.st_atime_ns, times.st_mtime_ns))
    (done_once / "data/b/fees-more.csv").write_text("编号,项目编码,收费日期,金额（元）\n", "utf-8")
    run = (done_once / "outputs/c/2021/current").resolve()
    page = bytearray((run / "report.html").read_bytes())
    page[-1] ^= 1
    (run / "report.html").write_bytes(page)
    assert plan(done_once) == {
        "a": ["data/a/fees.csv has changed"],
        "b": ["data/b holds other files"],
        "c": ["files of the run were touched or changed"],
    }
    assert plan(done_once, "--scope", "office")["a"][0] == "it is asked for in another way"
    with (done_once / "outputs/batch.jsonl").open("a", encoding="utf-8") as journal:
        journal.write('{"torn": ')
    assert states(batch(done_once)) == {"a": "made", "b": "made", "c": "made"}
    assert plan(done_once) == {"a": [], "b": [], "c": []}
    currents(done_once)


def test_what_a_killed_run_left_goes_with_the_next_batch_though_nothing_is_made(done_once):
    places = [done_once / "outputs" / name / "2021" for name in ("a", "b")]
    for place in places:
        (place / ".staging-killed").mkdir()
    with (places[1] / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a run is at work there
        assert set(states(batch(done_once)).values()) == {"unchanged"}
    assert [(place / ".staging-killed").exists() for place in places] == [False, True]
    assert set(states(batch(done_once)).values()) == {"unchanged"}
    currents(done_once)


def summed(project, district):
    """Whether a report is the sum of its members' (X5)."""
    checks = json.loads((currents(project)[district] / "checks.json").read_bytes())
    return {check["holds"] for check in checks if check["id"] == "X5"}


def test_a_parent_is_made_after_its_members_and_again_when_it_gets_one(tmp_path):
    project = make_project(tmp_path, ["a", "b", "c"])
    # 'a' comes first by every other order; it must wait for 'b', and that for 'c'.
    name_parents(project, {"b": "a", "c": "b"})
    assert set(states(batch(project, "--jobs", "3")).values()) == {"made"}
    assert set(states(batch(project)).values()) == {"unchanged"}
    assert summed(project, "a") == {True}
    add_district(project, "d")
    name_parents(project, {"d": "b"})
    assert plan(project) == {
        "a": ["the report of b is made first"],
        "b": ["it is the parent of other districts than before: d"],
        "c": [],
        "d": ["it was never made"],
    }
    told = states(batch(project))
    assert told == {"a": "made", "b": "made", "c": "unchanged", "d": "made"}
    # Two members with the figures of their parent are twice as much as it states.
    assert False in summed(project, "b")
    # Two that sum up each other are bad data, and no reason to wait for ever.
    name_parents(project, {"a": "c"})
    assert states(batch(project, "--districts", "a,b,c")).keys() == {"a", "b", "c"}


KILLED = """
import os, pathlib
mark = pathlib.Path("killed")
if district == "c" and not mark.exists():
    mark.touch()
    os.kill(os.getppid(), 9)
"""


def test_districts_that_share_a_ledger_are_made_from_it_once_read(tmp_path):
    one, all_at_once = (make_project(tmp_path / n, "abcd", {"outcomes": KILLED}) for n in "xy")
    for project in (one, all_at_once):
        share_fees(project, "abcd")
    # The process of the third report is killed; it alone is tried again, the fourth goes on.
    done = batch(all_at_once, "--jobs", "1")
    assert states(done) == dict.fromkeys("abcd", "made"), done.stderr
    journal = (all_at_once / "outputs/batch.jsonl").read_text(encoding="utf-8")
    steps = [(e["event"], e["district"]) for e in map(json.loads, journal.splitlines())
             if e["event"] in ("made", "again")]  # fmt: skip
    assert steps == [("made", "a"), ("made", "b"), ("again", "c"), ("made", "c"), ("made", "d")]
    (one / "killed").touch()
    for name in "abcd":
        assert states(batch(one, "--districts", name)) == {name: "made"}
    alone, together = currents(one), currents(all_at_once)
    for name in "abcd":
        for file in ("facts.json", "checks.json", "report.html", "report.pdf"):
            assert (alone[name] / file).read_bytes() == (together[name] / file).read_bytes()
    assert working_in(tmp_path) == []


WAITS = (
    "import pathlib, time\nwhile district != 'a' and pathlib.Path('wait').exists(): time.sleep(.05)"
)


@pytest.fixture
def waiting(tmp_path):
    """Four districts; all but the first wait as long as there is a file ``wait``."""
    project = make_project(tmp_path, ["a", "b", "c", "d"], {"outcomes": WAITS})
    (project / "wait").touch()
    return project


def wait_for(project, event, count):
    """Until the journal holds so many of an event."""
    journal = project / "outputs/batch.jsonl"
    told = f'"event": "{event}"'
    until(lambda: journal.exists() and journal.read_text("utf-8").count(told) >= count)


@pytest.mark.parametrize(
    ("signals", "status"),
    [
        ([signal.SIGINT], 130),
        pytest.param([signal.SIGINT, signal.SIGINT], 130, marks=pytest.mark.slow),
        ([signal.SIGTERM], 143),
        ([signal.SIGKILL], -9),
    ],
    ids=["SIGINT", "twice", "SIGTERM", "SIGKILL"],
)
def test_a_stopped_batch_leaves_nothing_behind_and_goes_on(waiting, signals, status):
    process = start(waiting, "--jobs", "2")
    wait_for(waiting, "started", 3)
    for number in signals:
        process.send_signal(number)
        wait_for(waiting, "stopping", status != -9)
    finishes = signals == [signal.SIGINT]
    if finishes:
        (waiting / "wait").unlink()
    _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == status, stderr
    until(lambda: not working_in(waiting))
    made = {"a", "b", "c"} if finishes else {"a"}
    assert {path.parents[1].name for path in waiting.glob("outputs/*/*/current")} == made
    (waiting / "wait").unlink(missing_ok=True)
    done = batch(waiting)
    assert states(done) == {
        name: "unchanged" if name in made else "made" for name in ("a", "b", "c", "d")
    }
    assert set(currents(waiting)) == {"a", "b", "c", "d"}


def test_two_batches_on_one_output_do_each_report_once(waiting):
    first, second = start(waiting, "--jobs", "2"), start(waiting, "--jobs", "2")
    wait_for(waiting, "started", 5)
    (waiting / "wait").unlink()
    told = [json.loads(process.communicate(timeout=PATIENCE)[0]) for process in (first, second)]
    assert {process.returncode for process in (first, second)} == {0}
    runs = [(r["district"], r["run"]) for one in told for r in one["reports"]]
    assert len(set(runs)) == 4
    made = [r["district"] for one in told for r in one["reports"] if r["state"] == "made"]
    assert sorted(made) == ["a", "b", "c", "d"]
    assert len(currents(waiting)) == 4


KILLED_ONCE = """
import os, pathlib
mark = pathlib.Path("killed") / district
if not mark.exists():
    mark.touch()
    os.kill(os.getpid(), 9)
"""


def test_a_kernel_that_died_is_tried_again_in_a_cold_one(tmp_path):
    project = make_project(tmp_path, ["a"], {"outcomes": KILLED_ONCE})
    (project / "killed").mkdir()
    done = batch(project)
    assert states(done) == {"a": "made"}
    events = (project / "outputs/batch.jsonl").read_text(encoding="utf-8")
    assert '"event": "again"' in events
    log = (currents(project)["a"] / "run.log").read_text(encoding="utf-8")
    assert "kernel: cold" in log


def test_many_failures_of_one_cause_end_the_batch(tmp_path):
    names = [f"d{number}" for number in range(8)]
    project = make_project(tmp_path, names, {"outcomes": "1 / 0"})
    (project / "params/batch.yaml").write_text("stop_after: 3\njobs: 1\n", encoding="utf-8")
    done = batch(project)
    assert done.returncode == 3
    document = json.loads(done.stdout)
    assert (document["stopped"], document["counts"]["failed"]) == ("cell-failed", 3)
    assert document["counts"]["left"] == 5
    assert "3 reports in a row failed for one cause [cell-failed]" in done.stderr


def test_the_whole_matrix_is_checked_before_the_first_report(tmp_path):
    project = make_project(tmp_path, ["huli", "siming"])
    (project / "data/siming/fees.csv").unlink()
    (project / "data/siming/cases.csv").unlink()
    done = batch(project, "--districts", "huly,siming,huli", "--years", "1998,2021")
    assert done.returncode == 2
    told = json.loads(done.stdout)["message"]
    assert "no district 'huly'" in told
    assert "did you mean huli?" in told
    assert "1998" in told
    done = batch(project)
    assert done.returncode == 2
    told = json.loads(done.stdout)["message"]
    assert "siming 2021: 复议诉讼台账 is missing: data/siming/cases-….csv" in told
    assert "siming 2021: 收费台账 is missing" in told
    (project / "params/batch.yaml").write_text("jbos: 2\n", encoding="utf-8")
    assert "params/batch.yaml:1: unknown key 'jbos'; did you mean 'jobs'?" in batch(project).stderr
    assert not (project / "outputs").exists()


@pytest.mark.slow
def test_killed_three_hundred_times_it_makes_the_same_reports(tmp_path):
    names = [f"d{number}" for number in range(6)]
    undisturbed = make_project(tmp_path / "undisturbed", names)
    assert set(states(batch(undisturbed)).values()) == {"made"}
    project = make_project(tmp_path / "chaos", names)
    chance, kills = random.Random(6), 0
    while kills < 300:
        process = start(project, "--force", "--timeout", "60")
        while process.poll() is None:
            time.sleep(chance.uniform(0.05, 1.5))
            found = [int(line.split()[0]) for line in working_in(project)]
            # The batch itself is hit now and then, its kernels and workers mostly.
            hit = process.pid if not found or chance.random() < 0.1 else chance.choice(found)
            with contextlib.suppress(ProcessLookupError):
                os.kill(hit, signal.SIGKILL)
                kills += 1
        process.communicate()
        for current in project.glob("outputs/*/*/current"):
            verify_files(current.resolve())
    until(lambda: not working_in(project))
    assert set(states(batch(project)).values()) <= {"made", "unchanged"}
    ours, reference = currents(project), currents(undisturbed)
    assert list(ours) == names
    for name in names:
        for file in ("facts.json", "checks.json", "report.html", "audit.html", "report.pdf"):
            assert (ours[name] / file).read_bytes() == (reference[name] / file).read_bytes()
