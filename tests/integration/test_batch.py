"""Batches with real kernels: faults of every kind in one of them, resuming, what is left alone."""

import base64
import contextlib
import fcntl
import json
import os
import random
import re
import signal
import subprocess
import sys
import time

import pytest
from batches import (
    BIN,
    LEDGERS,
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
from commands import reportkit
from machine import PATIENCE, until

from reportkit.proof import verify_files
from reportkit.proof.signing.keys import keygen


@pytest.fixture(scope="module")
def done_once(tmp_path_factory):
    """Three districts, all made."""
    project = make_project(tmp_path_factory.mktemp("project"), ["a", "b", "c"])
    done = batch(project)
    assert states(done) == {"a": "made", "b": "made", "c": "made"}, done.stderr
    # The runs that a batch leaves in force are stated by it.
    (statement,) = (project / "outputs/batches").glob("*.dsse.json")
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
    # Of the same size, with its times put back: its bytes give it away.
    ledger.write_text(ledger.read_text(encoding="utf-8").replace("1000.50", "1000.60"), "utf-8")
    os.utime(ledger, ns=(times.st_atime_ns, times.st_mtime_ns))
    (done_once / "data/b/fees-more.csv").write_text("编号,项目编码,收费日期,金额（元）\n", "utf-8")
    run = (done_once / "outputs/c/2021/current").resolve()
    page = bytearray((run / "report.html").read_bytes())
    page[-1] ^= 1
    (run / "report.html").write_bytes(page)
    assert plan(done_once) == {
        "a": ["data/a/fees.csv has changed"],
        "b": ["data/b/fees-more.csv is new"],
        "c": ["outputs/c/2021/current: report.html was changed"],
    }
    assert plan(done_once, "--scope", "office")["a"][0] == "it is asked for in another way"
    with (done_once / "outputs/batch.jsonl").open("a", encoding="utf-8") as journal:
        journal.write('{"torn": ')
    assert states(batch(done_once)) == {"a": "made", "b": "made", "c": "made"}
    assert plan(done_once) == {"a": [], "b": [], "c": []}
    currents(done_once)


def test_remains_of_a_killed_run_go_with_the_next_batch(done_once):
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
    """Return True where a report is the sum of its members' (X5)."""
    checks = json.loads((currents(project)[district] / "checks.json").read_bytes())
    return {check["holds"] for check in checks if check["id"] == "X5"}


def test_a_parent_is_made_after_members_and_each_new_one(tmp_path):
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
        "b": ["params/districts/d.yaml is new"],
        "c": [],
        "d": ["it was never made"],
    }
    result = states(batch(project))
    assert result == {"a": "made", "b": "made", "c": "unchanged", "d": "made"}
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


def test_a_ledger_shared_by_districts_is_read_once(tmp_path):
    one, all_at_once = (make_project(tmp_path / n, "abcd", {"outcomes": KILLED}) for n in "xy")
    for project in (one, all_at_once):
        share_fees(project, "abcd")
    # The process of the third report is killed; it alone is tried again, the fourth goes on.
    done = batch(all_at_once, "--jobs", "1")
    assert states(done) == dict.fromkeys("abcd", "made"), done.stderr
    journal = (all_at_once / "outputs/batch.jsonl").read_text(encoding="utf-8")
    steps = [
        (e["event"], e["district"])
        for e in map(json.loads, journal.splitlines())
        if e["event"] in ("made", "again")
    ]
    assert steps == [("made", "a"), ("made", "b"), ("again", "c"), ("made", "c"), ("made", "d")]
    (one / "killed").touch()
    for name in "abcd":
        reportkit("run", name, "2021", cwd=one, status=0)
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
    result = f'"event": "{event}"'
    until(lambda: journal.exists() and journal.read_text("utf-8").count(result) >= count)


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
    document = [json.loads(process.communicate(timeout=PATIENCE)[0]) for process in (first, second)]
    assert {process.returncode for process in (first, second)} == {0}
    runs = [(r["district"], r["run"]) for one in document for r in one["reports"]]
    assert len(set(runs)) == 4
    made = [r["district"] for one in document for r in one["reports"] if r["state"] == "made"]
    assert sorted(made) == ["a", "b", "c", "d"]
    assert len(currents(waiting)) == 4


KILLED_ONCE = """
import os, pathlib
mark = pathlib.Path("killed") / district
if not mark.exists():
    mark.touch()
    os.kill(os.getpid(), 9)
"""


def test_a_kernel_that_died_is_tried_again_cold(tmp_path):
    project = make_project(tmp_path, ["a"], {"outcomes": KILLED_ONCE})
    (project / "killed").mkdir()
    done = batch(project)
    assert states(done) == {"a": "made"}
    events = (project / "outputs/batch.jsonl").read_text(encoding="utf-8")
    assert '"event": "again"' in events
    log = (currents(project)["a"] / "run.log").read_text(encoding="utf-8")
    assert "kernel: cold" in log
    # Log and journal have one clock.
    times = [line.split()[0] for line in log.splitlines() if "reportkit INFO" in line]
    document = [json.loads(line)["at"] for line in events.splitlines()]
    assert document[0] < times[0] < times[-1] < document[-1]
    assert {time[-6:] for time in times + document} == {"+00:00"}


KILLS_THE_TEMPLATE = """
import os, pathlib
mark = pathlib.Path("killed")
if not mark.exists():
    mark.touch()
    of = lambda process: int(pathlib.Path(f"/proc/{process}/stat").read_text().split()[3])
    os.kill(of(os.getppid()), 9)
"""


def test_a_template_that_died_is_started_again_without_a_word(tmp_path):
    project = make_project(tmp_path, ["a", "b"], {"outcomes": KILLS_THE_TEMPLATE})
    done = batch(project, "--jobs", "1")
    assert states(done) == {"a": "made", "b": "made"}, done.stderr
    assert done.stderr.splitlines() == [
        "again: a 2021: the process of the report ended with status 255 [worker-died]"
    ]


TELLS = """
import os
for name, value in os.environ.items():
    assert "own.key" not in value, name
"""


def test_batch_runs_are_signed_and_notebooks_see_no_key(tmp_path):
    project = make_project(tmp_path, ["a", "b"], {"outcomes": TELLS})
    _, keyid = keygen(tmp_path / "own.key")
    world = os.environ | {"REPORTKIT_SIGNING_KEY_FILE": str(tmp_path / "own.key")}
    done = batch(project, "--districts", "a", env=world)
    assert states(done) == {"a": "made"}, done.stderr
    reportkit("run", "b", "2021", cwd=project, env=world, status=0)
    for run in currents(project).values():
        envelope = json.loads((run / "attestation.dsse.json").read_bytes())
        assert [one["keyid"] for one in envelope["signatures"]] == [keyid]


DIES = "import os\nif district != 'good': os.kill(os.getpid(), 9)"


def test_a_machine_that_fails_ends_the_batch(tmp_path):
    """The next one begins with other districts."""
    project = make_project(tmp_path, [*(f"d{n}" for n in range(8)), "good"], {"outcomes": DIES})
    settings = "stop_after: 3\njobs: 1\nretries: 0\n"
    (project / "params/batch.yaml").write_text(settings, encoding="utf-8")
    done = batch(project)
    assert done.returncode == 3
    document = json.loads(done.stdout)
    assert (document["stopped"], document["counts"]["failed"]) == ("kernel-died", 3)
    assert document["counts"]["left"] == 6
    assert "the machine failed 3 districts in a row" in done.stderr
    tried = [states(batch(project)) for _ in range(2)]
    assert [sorted(name for name in one if one[name] != "left") for one in tried] == [
        ["d3", "d4", "d5"],
        ["d0", "d1", "d2", "d6", "d7", "good"],
    ]


def test_bad_districts_take_no_night_from_good_ones(tmp_path):
    bad, good = [f"bad{n}" for n in range(4)], [f"good{n}" for n in range(2)]
    project = make_project(tmp_path, [*bad, *good])
    for name in bad:
        with (project / f"data/{name}/decisions.csv").open("a", encoding="utf-8") as ledger:
            ledger.write("".join(f"d{n},行政许可,no day\n" for n in range(2000)))
    (project / "params/batch.yaml").write_text("stop_after: 2\n", encoding="utf-8")
    done = batch(project, "--years", "2021-2023")
    document = json.loads(done.stdout)
    assert (document["stopped"], done.returncode) == (None, 2)
    made = {one["district"] for one in document["reports"] if one["state"] == "made"}
    assert made == set(good)
    (failure,) = document["failures"]
    assert sorted((one["districts"], one["years"]) for one in failure["messages"]) == [
        ([name], [2021, 2022, 2023]) for name in bad
    ]


def test_what_is_wrong_with_one_district_refuses_no_other(tmp_path):
    project = make_project(tmp_path, ["huli", "siming", "tongan"])
    (project / "data/siming/fees.csv").unlink()
    (project / "params/districts/tongan.yaml").write_text("id: tongan\nname: [", encoding="utf-8")
    wanted = ("--districts", "huly,siming,huli,tongan")
    refused = {"huly": "district-unknown", "siming": "ledger-missing", "tongan": "yaml"}
    plan = batch(project, *wanted, "--dry-run")
    document = {one["district"]: one["refused"] for one in json.loads(plan.stdout)["reports"]}
    assert {name: one and one["reason"] for name, one in document.items()} == {
        "huli": None,
        **refused,
    }
    assert plan.returncode == 2
    assert not (project / "outputs").exists()

    done = batch(project, *wanted)
    assert (done.returncode, states(done)) == (2, {"huli": "made", **refused})
    assert "there is no district 'huly'" in done.stderr

    strict = batch(project, *wanted, "--strict")
    assert strict.returncode == 2
    assert "the batch cannot begin; 3 things are wrong:" in json.loads(strict.stdout)["message"]
    last = json.loads((project / "outputs/batch.json").read_text(encoding="utf-8"))
    assert "3 things are wrong" in last["refused"]["message"]
    assert (last["exit_status"], last["reports"]) == (2, [])
    (project / "params/batch.yaml").write_text("jbos: 2\n", encoding="utf-8")
    assert "params/batch.yaml:1: unknown key 'jbos'; did you mean 'jobs'?" in batch(project).stderr
    journal = (project / "outputs/batch.jsonl").read_text(encoding="utf-8").splitlines()
    events = [json.loads(line) for line in journal]
    assert [one["reason"] for one in events if one["event"] == "refused"] == ["batch", "parameters"]
    # All three are kept, and the page says how all reports stand, whatever the last batch came to.
    history = (project / "outputs/batches").glob("*.json")
    assert len([path for path in history if not path.name.endswith(".dsse.json")]) == 3
    page = (project / "outputs/batch.html").read_text(encoding="utf-8")
    assert "没有“jbos”这个键" in page
    assert "huli/2021/current/report.html" in page


def test_the_printed_command_makes_just_what_failed(tmp_path):
    project = make_project(tmp_path, ["a", "b", "c"])
    for name in ("b", "c"):
        (project / f"data/{name}/fees.csv").unlink()
    night = "scope: office\nyears: [2021]\ntimeout: 300\n"
    (project / "my night.yaml").write_text(night, encoding="utf-8")
    words = ["batch", "my night.yaml", "--jobs", "1", "--force"]
    done = reportkit(*words, cwd=project, status=2)
    (again,) = re.findall(r"(?m)^those that failed, .*: (reportkit .*)$", done.stdout)
    assert again == "reportkit batch 'my night.yaml' --jobs 1 --failed"
    before = currents(project)
    (project / "data/b/fees.csv").write_text(LEDGERS["fees"], encoding="utf-8")
    world = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"}
    command = ["sh", "-c", f"{again} --json"]
    done = subprocess.run(
        command, cwd=project, env=world, capture_output=True, text=True, check=False
    )
    assert states(done) == {"b": "made", "c": "ledger-missing"}
    facts = json.loads((currents(project)["b"] / "facts.json").read_bytes())
    assert facts["scope"] == "office"
    assert {name: run for name, run in currents(project).items() if name == "a"} == before
    # In the morning the page still tells what the night left undone.
    page = (project / "outputs/batch.html").read_text(encoding="utf-8")
    assert re.findall(r'<tr data-state="(\w+)', page) == ["failed", "draft", "draft"]
    assert states(batch(project, "--failed", "--districts", "a,b")) == {}


def test_a_file_of_somebody_where_pages_go_is_reported(tmp_path):
    project = make_project(tmp_path, ["a"])
    (project / "outputs/site").mkdir(parents=True)
    (project / "outputs/site/index.html").write_text("mine", encoding="utf-8")
    done = batch(project)
    document = json.loads(done.stdout)
    assert (done.returncode, states(done)) == (3, {"a": "made"})
    assert document["unwritten"].startswith("outputs/site holds index.html, which no catalogue has")
    assert (project / "outputs/site/index.html").read_text(encoding="utf-8") == "mine"
    assert list((project / "outputs/batches").glob("*.dsse.json")) != []


@pytest.mark.parametrize(
    ("delay", "number"),
    [
        (0.0, signal.SIGINT),
        (0.4, signal.SIGTERM),
        (1.0, signal.SIGINT),
        pytest.param(0.0, signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param(0.4, signal.SIGINT, marks=pytest.mark.slow),
        pytest.param(1.0, signal.SIGTERM, marks=pytest.mark.slow),
    ],
)
def test_a_signal_while_the_template_warms_begins_no_report(delay, number, tmp_path):
    project = make_project(tmp_path, "abcd", {"outcomes": "import time\ntime.sleep(10_000)"})
    journal = project / "outputs/batch.jsonl"
    process = start(project, "--jobs", "2")
    wait_for(project, "planned", 1)
    time.sleep(delay)
    process.send_signal(number)
    until(lambda: process.poll() is not None or '"started"' in journal.read_text("utf-8"))
    begun = '"started"' in journal.read_text("utf-8")
    if begun:  # on a machine that was quicker
        process.send_signal(signal.SIGTERM)
    stdout, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == (143 if begun else 128 + number), stderr
    counts = json.loads(stdout)["counts"]
    assert counts == {"made": 0, "unchanged": 0, "failed": 0, "left": 4, "with_findings": 0}
    assert working_in(project) == []
    last = json.loads((project / "outputs/batch.json").read_text(encoding="utf-8"))
    assert last["stopped"] == process.returncode - 128


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_obeys_signals_and_leaves_what_is_in_force(number, tmp_path):
    project = make_project(tmp_path, ["a"], {"outcomes": WAITS.replace("'a'", "''")})
    command = [str(BIN / "reportkit"), "run", "a", "2021", "--json"]
    subprocess.run(command, cwd=project, capture_output=True, check=True)
    before = currents(project)
    (project / "wait").touch()
    pipe = subprocess.PIPE
    process = subprocess.Popen([*command, "--force"], cwd=project, stdout=pipe, stderr=pipe)
    until(lambda: list(project.glob("outputs/a/2021/.staging-*/run.log")))
    process.send_signal(number)
    stdout, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + number
    document = json.loads(stdout)
    assert (document["error"], document["signal"]) == ("stopped", number)
    assert currents(project) == before
    assert working_in(project) == []


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
