"""Faults injected into real runs, one report at a time, and what must hold after each.

After every one: each run in force is whole and its seal matches, nothing half-made or locked is
left, no process lives on (`currents`, `working_in`), and the other districts are done.

What is injected where; the numbers are those of the list of faults that the batch was built by.
Faults 21, 23-28, 35 and 36 belong to verifying, intake and databases, and are tested there.

1   a kernel killed in a cell             test_each_fault_stops_its_own_report_and_no_other
1   the same once, then tried again       test_a_kernel_that_died_is_tried_again_cold
1   the old report stays in force         test_a_failed_run_leaves_the_one_in_force
2   a kernel killed in the last cell      test_each_fault_stops_its_own_report_and_no_other
3   _exit, a segfault                     test_each_fault_stops_its_own_report_and_no_other
4   sys.exit(0) in the middle             test_each_fault_stops_its_own_report_and_no_other
5   an exception                          test_each_fault_stops_its_own_report_and_no_other
6   memory used up                        test_each_fault_stops_its_own_report_and_no_other
7   killed with much memory in use        test_each_fault_stops_its_own_report_and_no_other
7   killed by the system for its memory   test_a_report_that_takes_too_much_memory_says_so
8   a cell without end                    test_each_fault_stops_its_own_report_and_no_other
8   the same under plain papermill        test_a_cell_that_takes_too_long_is_ended
9   a cell that ignores interrupts        test_each_fault_stops_its_own_report_and_no_other
10  a kernel that is not there, or starts and says nothing
                                          test_a_kernel_that_does_not_start_is_given_up
11  SIGINT once, twice                    test_a_stopped_batch_leaves_nothing_behind_and_goes_on
12  SIGTERM                               test_a_stopped_batch_leaves_nothing_behind_and_goes_on
12  a signal before the first report      test_a_signal_while_the_template_warms_begins_no_report
13  SIGKILL of the batch                  test_a_stopped_batch_leaves_nothing_behind_and_goes_on
13  SIGKILL of a report's process         test_each_fault_stops_its_own_report_and_no_other
13  SIGKILL of whatever runs, 300 times   test_killed_three_hundred_times_it_makes_the_same_reports
13  SIGKILL of the warm process           test_a_template_that_died_is_started_again_without_a_word
13  SIGKILL of a dask worker              test_a_cluster_that_loses_a_worker_makes_the_same_reports
14  SIGKILL at each step of publishing    test_a_run_cut_short_publishes_nothing_half
14  SIGKILL before the journal knows      test_a_batch_killed_before_its_journal_knows
15  a full disk at each size              test_a_full_disk_publishes_nothing_and_is_reported
15  a file that may not grow              test_a_run_cut_short_publishes_nothing_half
16  fsync or rename that fails            test_a_run_cut_short_publishes_nothing_half
17  two batches on one output             test_two_batches_on_one_output_do_each_report_once
17  a run where another works             test_what_a_dead_run_left_is_cleared
18  ids that a file system may confuse    test_an_id_that_is_no_file_name_is_refused
19  leftovers of a dead run               test_what_a_dead_run_left_is_cleared
19  private folders of a dead process     test_what_a_killed_process_left_goes_with_the_next
20  a torn line, a deleted journal        test_the_journal_survives_a_torn_line
20  the same in a batch                   test_what_has_not_changed_is_left
22  a ledger changed during the run       test_each_fault_stops_its_own_report_and_no_other
29  parameters unknown, missing, mistyped test_bad_input_stops_before_a_notebook
29  a year without edition, unknown ids   test_a_districts_faults_are_in_its_own_reports
29  a year without holidays               test_beyond_the_table_is_refused_and_says_what_to_do
30  70 MB shown, 300 000 lines printed    test_each_fault_stops_its_own_report_and_no_other
31  a process and a thread left behind    test_each_fault_stops_its_own_report_and_no_other
31  a thread that outlives its process's first
                                          test_a_thread_that_outlives_the_first_is_ended_too
31  late output                           test_plain_papermill_gets_the_same_from_a_forked_kernel
32  no glyph for a label of a chart       test_a_label_without_glyph_stops
32  no glyph in the official document     test_missing_glyph_stops_and_is_named
32  another backend, other fonts          test_the_surroundings_of_a_user_change_no_byte
33  most of a batch fails                 test_each_fault_stops_its_own_report_and_no_other
33  all of it, since the machine fails    test_a_machine_that_fails_ends_the_batch
33  bad ledgers, however many             test_bad_districts_take_no_night_from_good_ones
34  a root that is read only              test_in_little_memory_read_only_and_as_nobody
34  nothing may be written                test_a_place_that_cannot_be_used_is_refused_clearly
34  names too long, names that are no text
                                          test_a_place_that_cannot_be_used_is_refused_clearly
"""

import fcntl
import json
import os
import re
import select
import subprocess
import sys
import tempfile
from itertools import accumulate
from pathlib import Path

import pytest
from batches import BIN, ROOT, batch, currents, make_project, states, working_in
from commands import reportkit
from machine import PATIENCE, unshared

from reportkit.warm.processes import end_session

FAULTS = """
import ctypes, os, pathlib, subprocess, sys, threading, time
if district == "killed": os.kill(os.getpid(), 9)
if district == "exits": os._exit(0)
if district == "segfault": ctypes.string_at(0)
if district == "sysexit": sys.exit(0)
if district == "raises": 1 / 0
if district == "memory": held = [b"x" * (64 << 20) for _ in range(100)]
if district == "hungry":
    held = b"x" * (300 << 20)
    os.kill(os.getpid(), 9)
if district == "worker": os.kill(os.getppid(), 9)
if district == "slow": time.sleep(1000)
while district == "stubborn":
    try:
        time.sleep(1000)
    except BaseException:
        pass
if district == "flood": print("x" * 70_000_000)
if district == "prints":
    for number in range(300_000): print(number)
if district == "leaves":
    subprocess.Popen(["sleep", "1000"], start_new_session=False)
    threading.Thread(target=time.sleep, args=(1000,)).start()
if district == "changes":
    path = pathlib.Path("data/changes/fees.csv")
    path.write_text(path.read_text("utf-8").replace("1000.50", "2000.50"), "utf-8")
"""
LAST = 'import os\nif district == "last": os.kill(os.getpid(), 9)'

EXPECTED = {
    "good": "made",
    "leaves": "made",
    "prints": "made",
    "killed": "kernel-died",
    "hungry": "kernel-died",
    "worker": "worker-died",
    "exits": "kernel-died",
    "segfault": "kernel-died",
    "last": "kernel-died",
    "sysexit": "not-whole",
    "raises": "cell-failed",
    "memory": "out-of-memory",
    "flood": "output-too-large",
    "changes": "input-changed",
    "ragged": "ledger-heading",
    "broken": "ledger-encoding",
}
# By themselves, so that the time they are given is not what a busy machine needs for a report.
ENDLESS = {"slow": "timeout", "stubborn": "timeout"}


def test_each_fault_stops_its_own_report_and_no_other(tmp_path):
    names = [*EXPECTED, *ENDLESS]
    project = make_project(tmp_path, names, {"outcomes": FAULTS, "seal": LAST})
    (project / "data/ragged/cases.csv").write_text("案号,类型\n1,行政复议,3,4\n", encoding="utf-8")
    (project / "data/broken/cases.csv").write_bytes(
        "案号,类型\n号".encode("gb18030")[:-1] + b"\xff"
    )
    (project / "params/batch.yaml").write_text("memory: 1024\n", encoding="utf-8")
    faulty, options = ",".join(EXPECTED), ("--retries", "0", "--jobs", "2")
    with tempfile.TemporaryDirectory(prefix="h") as scratch:
        world = os.environ | {"TMPDIR": scratch}
        done = batch(project, "--districts", faulty, *options, env=world)
        assert list(Path(scratch).iterdir()) == []
    assert done.returncode == 3, done.stderr
    assert states(done) == EXPECTED
    assert set(currents(project)) == {"good", "leaves", "prints"}
    assert working_in(project) == []
    document = json.loads((project / "outputs/batch.json").read_text(encoding="utf-8"))
    (died,) = [one for one in document["failures"] if one["reason"] == "kernel-died"]
    assert died["command"] == (
        "reportkit batch --jobs 2 --retries 0 "
        "--districts exits,hungry,killed,last,segfault --years 2021 --failed"
    )
    assert document["counts"]["failed"] == len(EXPECTED) - 3
    result = {report["district"]: report for report in document["reports"]}
    assert result["hungry"]["peak_bytes"] > 300 << 20
    assert re.match(
        r"cell \[\d+\] of annual_report.ipynb, .*: ZeroDivi", result["raises"]["message"]
    )
    assert most_at_once(project) == 2
    done = batch(project, "--districts", "good,slow,stubborn", "--timeout", "10", *options)
    assert done.returncode == 3, done.stderr
    assert states(done) == {"good": "unchanged"} | ENDLESS
    assert set(currents(project)) == {"good", "leaves", "prints"}
    assert working_in(project) == []


def most_at_once(project):
    """Count the reports that were under way at one time, by the journal."""
    lines = (project / "outputs/batch.jsonl").read_text(encoding="utf-8").splitlines()
    steps = [json.loads(line)["event"] for line in lines]
    changes = [{"started": 1, "made": -1, "failed": -1}.get(step, 0) for step in steps]
    return max(accumulate(changes))


HOLDS = """
import ctypes, os, threading
os.setsid()
if os.fork() == 0:
    os.setpgid(0, 0)  # as a kernel does
    threading.Thread(target=os.read, args=(0, 1)).start()
    os.write(1, b"!")
    ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[os.uname().machine], 0)
os.read(0, 1)
"""


def test_a_thread_that_outlives_the_first_is_ended_too():
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", HOLDS], stdin=pipe, stdout=pipe) as leader:
        assert leader.stdout.read(1) == b"!"
        end_session(leader.pid)
        # Whatever held the other end of the pipe is gone.
        leader.wait(timeout=PATIENCE)
        assert select.select([leader.stdout], [], [], 0)[0]
        assert leader.stdout.read() == b""


SPEC = {"display_name": "silent", "language": "python", "argv": ["sleep", "1000"]}


@pytest.mark.parametrize(
    ("name", "seconds", "expected"), [("nowhere", PATIENCE, "no-kernel"), ("silent", 5, "timeout")]
)
def test_a_kernel_that_does_not_start_is_given_up(name, seconds, expected, tmp_path, monkeypatch):
    project = make_project(tmp_path / "project", ["a"])
    path = project / "notebooks/annual_report.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["metadata"]["kernelspec"]["name"] = name
    path.write_text(json.dumps(notebook), encoding="utf-8")
    (tmp_path / "jupyter/kernels/silent").mkdir(parents=True)
    (tmp_path / "jupyter/kernels/silent/kernel.json").write_text(json.dumps(SPEC), "utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    done = batch(project, "--timeout", seconds, "--retries", "0")
    assert states(done) == {"a": expected}, done.stderr
    assert currents(project) == {}
    assert working_in(project) == []


CUT = """
import os, resource
from pathlib import Path
def at(method, name, act):
    known = getattr(Path, method)
    def cut(self, *arguments, **options):
        if name in self.name: act()
        return known(self, *arguments, **options)
    setattr(Path, method, cut)
def dies(): os.kill(os.getpid(), 9)
def fails(*_): raise OSError(5, "Input/output error")
"""
POINTS = {
    "staged": "at('rename', '.staging', dies)",
    "renamed": "at('symlink_to', '.current-new', dies)",
    "linked": "at('replace', '.current-new', dies)",
    "published": "at('read_text', 'checks.json', dies)",
    "limit": "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))",
    "fsync": "os.fsync = fails",
    "rename fails": "at('rename', '.staging', fails)",
}


@pytest.mark.parametrize(
    ("point", "status", "reason"),
    [
        ("staged", -9, None),
        ("renamed", -9, None),
        pytest.param("linked", -9, None, marks=pytest.mark.slow),
        ("published", -9, None),
        ("limit", 3, "no-space"),
        ("fsync", 3, "not-writable"),
        pytest.param("rename fails", 3, "not-writable", marks=pytest.mark.slow),
    ],
)
def test_a_run_cut_short_publishes_nothing_half(point, status, reason, tmp_path):
    project = make_project(tmp_path, ["a"])
    done = reportkit("run", "a", "2021", "--json", cwd=project, before=CUT + POINTS[point])
    document = json.loads(done.stdout)["error"] if done.stdout else None
    assert (done.returncode, document) == (status, reason), done
    published = point == "published"
    assert (project / "outputs/a/2021/current").exists() == published
    again = reportkit("run", "a", "2021", "--json", cwd=project, status=0)
    assert json.loads(again.stdout)["unchanged"] == published
    assert list(currents(project)) == ["a"]


DIES_UNKNOWN = """
import os
from reportkit.catalogue.journal import Journal
known = Journal.add
def add(self, event, **fields):
    if event == "made":
        os.kill(os.getpid(), 9)
    known(self, event, **fields)
Journal.add = add
"""


def test_a_batch_killed_before_its_journal_knows(tmp_path):
    project = make_project(tmp_path, ["a"])
    reportkit("batch", "--years", "2021", cwd=project, before=DIES_UNKNOWN, status=-9)
    before = currents(project)
    assert '"made"' not in (project / "outputs/batch.jsonl").read_text(encoding="utf-8")
    assert states(batch(project)) == {"a": "unchanged"}
    assert currents(project) == before
    assert len(list((project / "outputs/a/2021/runs").iterdir())) == 1


# In a mount namespace of its own: the disk of *size*, then the same with room.
FULL = """
mount -t tmpfs -o size=$1 tmpfs outputs
"$2" batch --years 2021 --json > full.json
echo $? >> full.json
mount -o remount,size=64m outputs
"$2" batch --years 2021 --json > room.json
cp -a outputs kept
umount outputs
"""


@pytest.mark.parametrize(
    "size", ["4k", *(pytest.param(size, marks=pytest.mark.slow) for size in ("200k", "600k", "1m"))]
)
def test_a_full_disk_publishes_nothing_and_is_reported(size, tmp_path):
    project = make_project(tmp_path, ["a", "b"])
    (project / "outputs").mkdir()
    command = [*unshared("--mount"), "sh", "-c", FULL, "sh", size, str(BIN / "reportkit")]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    document, _, status = (
        (project / "full.json").read_text(encoding="utf-8").rstrip().rpartition("\n")
    )
    assert status == "3"
    reports = {report["district"]: report["reason"] for report in json.loads(document)["reports"]}
    assert reports == {"a": "no-space", "b": "no-space"}
    if size == "4k":
        assert json.loads(document)["unwritten"] == (
            "outputs cannot be written: No space left on device"
        )
    room = json.loads((project / "room.json").read_text(encoding="utf-8"))
    assert {report["state"] for report in room["reports"]} == {"made"}
    (project / "outputs").rmdir()
    (project / "kept").rename(project / "outputs")
    assert set(currents(project)) == {"a", "b"}
    assert not list((project / "outputs").rglob(".*.new"))
    assert working_in(project) == []


def test_what_a_dead_run_left_is_cleared(tmp_path):
    project = make_project(tmp_path, ["a"])
    place = project / "outputs/a/2021"
    (place / ".staging-dead/evidence").mkdir(parents=True)
    (place / ".staging-dead/evidence/rows.parquet").write_bytes(b"half")
    (place / ".current-new").symlink_to("runs/never")
    command = [str(BIN / "reportkit"), "run", "a", "2021", "--json"]
    with (place / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
        assert (done.returncode, json.loads(done.stdout)["error"]) == (3, "busy")
        assert (place / ".staging-dead").is_dir()
    # The file of the lock stays; that nobody holds it is what counts.
    assert states(batch(project)) == {"a": "made"}
    assert list(currents(project)) == ["a"]
    assert not (place / ".current-new").is_symlink()


def test_the_surroundings_of_a_user_change_no_byte(tmp_path):
    plain, odd = (make_project(tmp_path / name, ["a"]) for name in ("plain", "odd"))
    assert states(batch(plain)) == {"a": "made"}
    settings = "backend: tkagg\nfont.family: Nowhere\nsvg.fonttype: none\nfont.size: 30\n"
    # The name of a socket is limited, so that this folder has a short one.
    with tempfile.TemporaryDirectory(prefix="h") as home:
        config, scratch = Path(home, ".config/matplotlib"), Path(home, "t")
        config.mkdir(parents=True)
        scratch.mkdir()
        (config / "matplotlibrc").write_text(settings, encoding="utf-8")
        world = {
            "HOME": home,
            "XDG_CONFIG_HOME": f"{home}/.config",
            "MPLBACKEND": "tkagg",
            "TZ": "America/New_York",
            "LC_ALL": "C",
            "PYTHONHASHSEED": "7",
            "TMPDIR": str(scratch),
        }
        assert states(batch(odd, env=os.environ | world)) == {"a": "made"}
        # No history, profile or connection file is written, and no scratch folder stays.
        assert not Path(home, ".ipython").exists()
        assert not list(Path(home).rglob("kernel-*.json"))
        assert list(scratch.iterdir()) == []
    ours, theirs = currents(plain)["a"], currents(odd)["a"]
    for name in ("facts.json", "checks.json", "report.html", "audit.html", "report.pdf"):
        assert (ours / name).read_bytes() == (theirs / name).read_bytes(), name


READ_ONLY = """
mount -t tmpfs -o ro tmpfs outputs
"$1" batch --years 2021 --json
status=$?
umount outputs
exit $status
"""


def test_a_place_that_cannot_be_used_is_refused_clearly(tmp_path):
    project = make_project(tmp_path, ["a"])
    long = "x" * 300
    for option in ("--out", "--params", "--data"):
        done = batch(project, option, long)
        document = json.loads(done.stdout)
        assert (done.returncode, document["error"]) == (3, "path"), done.stderr
        assert "Traceback" not in done.stderr
    (project / "outputs").mkdir(exist_ok=True)
    command = [*unshared("--mount"), "sh", "-c", READ_ONLY, "sh", str(BIN / "reportkit")]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    document = json.loads(done.stdout)
    assert (done.returncode, document["error"]) == (3, "not-writable")
    assert document["message"] == (
        "outputs cannot be written: Read-only file system; choose another --out"
    )
    fees = project / "data/a/fees.csv"
    fees.rename(os.fsdecode(os.fsencode(fees.parent) + b"/fees-\xff.csv"))
    done = batch(project)
    assert (done.returncode, states(done)) == (2, {"a": "file-name"})
    (document,) = json.loads(done.stdout)["reports"]
    assert r"data/a holds a file named 'fees-\udcff.csv', which is no UTF-8" in document["message"]
    assert not (project / "outputs/a").exists()


def test_every_fault_of_the_list_has_its_test():
    numbers = {int(number) for number in re.findall(r"(?m)^(\d+) ", __doc__ or "")}
    assert numbers == {*range(1, 21), 22, *range(29, 35)}
    named = set(re.findall(r"\btest_\w+", __doc__ or ""))
    named |= set(
        re.findall(r"`(test_\w+)`", (ROOT / "docs/explanation/warm.md").read_text("utf-8"))
    )
    there = "".join(path.read_text("utf-8") for path in Path(ROOT / "tests").rglob("test_*.py"))
    assert {name for name in named if f"def {name}(" not in there} == set()
