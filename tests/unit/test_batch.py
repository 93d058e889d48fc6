"""Batches without a kernel: years, plans, the journal, what is told at the end."""

import json
import os
import re
import signal
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue

import pytest
from batches import ROOT, make_project, name_parents, share_fees

from reportkit.batch.jobs import Job, Result, Settings
from reportkit.batch.loop import Done, run_batch
from reportkit.batch.matrix import BatchFile, parse_years, read_batch_file
from reportkit.batch.metrics import metrics
from reportkit.batch.plan import Plan, Planned, make_plan
from reportkit.batch.progress import Progress
from reportkit.batch.signals import Signals
from reportkit.batch.summary import About, summary, summary_text
from reportkit.batch.work import read_shared
from reportkit.catalogue.journal import Journal, read_journal
from reportkit.catalogue.state import Standing, StateOfAll
from reportkit.errors import InputError, Stopped
from reportkit.ledgers import Ledgers
from reportkit.params import Project
from reportkit.params.hierarchy import read_hierarchy


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("2020", (2020,)),
        ("2019-2021", (2019, 2020, 2021)),
        ("2021, 2019-2020,2019", (2019, 2020, 2021)),
    ],
)
def test_years_are_read(text, years):
    assert parse_years(text) == years


@pytest.mark.parametrize("text", ["20", "2019-", "2019–2021", "twenty", ""])
def test_years_that_are_none_are_refused(text):
    with pytest.raises(ValueError, match="no year and no range"):
        parse_years(text)


def test_the_batch_file_is_strict(tmp_path):
    path = tmp_path / "batch.yaml"
    path.write_text("districts: [a, '007']\nyears: [2019-2020, 2021]\njobs: 3\n", encoding="utf-8")
    file = read_batch_file(path)
    assert (file.districts, file.years, file.jobs) == (("a", "007"), (2019, 2020, 2021), 3)
    path.write_text("retry: 2\njobs: 0\n", encoding="utf-8")
    with pytest.raises(InputError) as result:
        read_batch_file(path)
    assert "batch.yaml:1: unknown key 'retry'; did you mean 'retries'?" in result.value.message
    assert "batch.yaml:2: 'jobs' is '0':" in result.value.message


def test_a_plan_reads_once_who_sums_up_whom(tmp_path, monkeypatch):
    names = ["city", "a", "b", "c"]
    project = make_project(tmp_path, names)
    name_parents(project, {"a": "city", "b": "city", "c": "a"})
    folders, counted = {"params": project / "params", "data": project / "data"}, []
    monkeypatch.setattr(
        "reportkit.params.project.read_hierarchy",
        lambda folder: counted.append(folder) or read_hierarchy(folder),
    )
    settings = Settings(**folders, out=tmp_path / "out", folder=tmp_path)
    plan = make_plan(None, [2020, 2021, 2022], settings=settings)
    assert [(job.district, job.members) for job in plan.jobs] == [
        ("b", ()),
        ("c", ()),
        ("a", ("c",)),
        ("city", ("a", "b")),
    ]
    assert len(counted) == 1


def test_the_longest_job_is_first_and_years_rise(tmp_path):
    project = make_project(tmp_path, ["short", "long"])
    rows = "".join(f"{n},行政许可,2021-01-05\n" for n in range(200_000))
    with (project / "data/long/decisions.csv").open("a", encoding="utf-8") as ledger:
        ledger.write(rows)
    folders = {"params": project / "params", "data": project / "data"}
    settings = Settings(**folders, out=tmp_path / "out", folder=tmp_path)
    plan = make_plan(None, [2022, 2021], settings=settings)
    assert [(job.district, job.years) for job in plan.jobs] == [
        ("long", (2021, 2022)),
        ("short", (2021, 2022)),
    ]
    # A district that failed when it was last tried starts last, however long it takes.
    plan = make_plan(None, [2021, 2022], settings=settings, failed={("long", "2022")})
    assert [job.district for job in plan.jobs] == ["short", "long"]


@pytest.mark.parametrize(
    ("files", "years", "forms", "reports"),
    [
        (["2020", "2021-xzzf"], None, None, ["2020", "2021-xzzf"]),
        (["2020", "2021"], None, None, ["2020", "2021"]),
        (["2020", "2021-xzzf"], [2021], None, ["2021", "2021-xzzf"]),
        (["2020", "2021-xzzf"], [2020], None, ["2020"]),
        (["2020", "2021-xzzf"], None, ["xzzf"], ["2021-xzzf"]),
        (["2020", "2021"], None, ["xzzf", "zfxxgk"], ["2020-xzzf", "2021-xzzf", "2020", "2021"]),
        (["2020"], [2022], ["xzzf"], ["2022-xzzf"]),
    ],
)
def test_reports_of_several_forms_are_planned(tmp_path, files, years, forms, reports):
    project = make_project(tmp_path, ["a"])
    (project / "params/reports/a").mkdir(parents=True)
    for name in files:
        (project / f"params/reports/a/{name}.yaml").write_text(f"year: {name[:4]}\n", "utf-8")
    folders = {"params": project / "params", "data": project / "data"}
    settings = Settings(**folders, out=tmp_path / "out", folder=tmp_path)
    plan = make_plan(None, years, settings=settings, forms=forms)
    assert [one.called for one in plan.reports] == reports


def test_forms_of_the_district_file_have_its_years(tmp_path):
    project = make_project(tmp_path, ["a"])
    (project / "params/reports/a").mkdir(parents=True)
    (project / "params/reports/a/2021.yaml").write_text("year: 2021\n", "utf-8")
    with (project / "params/districts/a.yaml").open("a", encoding="utf-8") as file:
        file.write("forms: [xzzf]\n")
    folders = {"params": project / "params", "data": project / "data"}
    settings = Settings(**folders, out=tmp_path / "out", folder=tmp_path)
    plan = make_plan(None, None, settings=settings)
    # Its ledgers are not there, and that stops no other report.
    assert [(one.called, bool(one.refused)) for one in plan.reports] == [
        ("2021", False),
        ("2021-xzzf", True),
    ]
    assert [(job.district, job.form, job.years) for job in plan.jobs] == [("a", None, (2021,))]


def test_a_districts_faults_are_in_its_own_reports(tmp_path):
    project = make_project(tmp_path, ["bare", "broken", "good", "nothing"])
    (project / "data/bare/fees.csv").unlink()
    (project / "params/districts/broken.yaml").write_text("id: [", encoding="utf-8")
    for path in (project / "data/nothing").iterdir():
        path.unlink()
    folders = {"params": project / "params", "data": project / "data"}
    settings = Settings(**folders, out=tmp_path / "out", folder=tmp_path)
    names = ["bare", "broken", "good", "goud", "nothing", "../x"]
    plan = make_plan(names, [2021], settings=settings)
    assert [(one.district, one.reason) for one in plan.refused] == [
        ("bare", "ledger-missing"),
        ("broken", "yaml"),
        ("goud", "district-unknown"),
        ("nothing", "not-handed-in"),
        ("../x", "id"),
    ]
    assert [job.district for job in plan.jobs] == ["good"]
    (alone,) = make_plan(["good"], [1998], settings=settings).refused
    assert (alone.reason, alone.exit_status) == ("edition", 2)
    with pytest.raises(InputError) as result:
        make_plan(names, [2021], settings=settings, strict=True)
    assert result.value.message.startswith("the batch cannot begin; 5 things are wrong:\n")
    assert "bare 2021: 收费台账 is missing" in result.value.message


def test_members_are_made_before_their_parents(tmp_path):
    names = ["province", "city", "east", "west"]
    project = make_project(tmp_path, names)
    name_parents(project, {"city": "province", "east": "city", "west": "city"})
    folders = {"params": project / "params", "data": project / "data"}
    settings = Settings(**folders, out=tmp_path / "out", folder=tmp_path)
    jobs = make_plan(names, [2021], settings=settings).jobs
    assert [job.district for job in jobs] == ["east", "west", "city", "province"]
    assert [job.members for job in jobs] == [(), (), ("east", "west"), ("city",)]
    # Two that name each other are bad data, and no reason to wait for ever.
    name_parents(project, {"province": "west"})
    assert len(make_plan(names, [2021], settings=settings).jobs) == 4
    # One that cannot be read is a member all the same, and stops no other.
    west = project / "params/districts/west.yaml"
    west.write_text("id: [\nparent: city\n", encoding="utf-8")
    plan = make_plan(["east", "city"], [2021], settings=settings)
    assert [(job.district, job.members) for job in plan.jobs] == [
        ("east", ()),
        ("city", ("east", "west")),
    ]


def test_districts_sharing_a_ledger_are_one_job(tmp_path, monkeypatch):
    names = [f"d{number:02}" for number in range(20)]
    project = make_project(tmp_path, [*names, "own", "city"])
    share_fees(project, [*names, "city"])
    name_parents(project, {"d00": "city"})
    folders = {"params": project / "params", "data": project / "data"}
    settings = Settings(**folders, out=tmp_path / "out", folder=tmp_path)
    jobs = make_plan(None, [2021], settings=settings).jobs
    parts = sorted([part.district for part in job.parts] for job in jobs[:3])
    # At most sixteen in one process; a parent waits for its members and is in no job with them.
    assert parts == [names[:16], names[16:], ["own"]]
    assert [part.district for part in jobs[3].parts] == ["city"]
    (sixteen,) = [job for job in jobs if len(job.parts) == 16]
    project = Project(**folders)
    kept = read_shared(sixteen)
    monkeypatch.setattr("reportkit.ledgers.district.read_ledger", None)

    def fees(name):
        return Ledgers(project, project.district(name), kept=kept)["fees"]

    assert len({id(fees(name)) for name in names[:16]}) == 1
    with pytest.raises(TypeError):
        fees("own")


def test_the_journal_survives_a_torn_line(tmp_path):
    day = datetime(2022, 1, 3, tzinfo=UTC)
    for name in ("one", "two"):
        journal = Journal(tmp_path, name, now=lambda: day)
        journal.add("made", district="a", year=2021)
        journal.close()
        with (tmp_path / "batch.jsonl").open("a", encoding="utf-8") as file:
            file.write('{"at": "2022')
    events, end = read_journal(tmp_path)
    assert [(one["batch"], one["event"]) for one in events] == [("one", "made"), ("two", "made")]
    assert read_journal(tmp_path, end) == ([], end)
    assert read_journal(tmp_path, end + 1) == (events, end)
    assert read_journal(tmp_path / "nowhere") == ([], 0)


def failed(district, year, reason, message, status=2):
    return Result(district, year, "failed", status, reason=reason, message=message)


RESULTS = (
    Result(
        "b",
        2020,
        "made",
        1,
        run="outputs/b/2020/runs/x",
        seconds=2.5,
        draft=True,
        findings=[
            {"severity": "error", "waived": None},
            {"severity": "warning", "waived": None},
            {"severity": "error", "waived": {"by": "示例"}},
        ],
    ),
    Result(
        "f", 2020, "made", 0, findings=[{"severity": "error", "waived": {"by": "示例"}}], untold=2
    ),
    failed("a", 2020, "csv", "<b>line</b> 3 of fees.csv"),
    failed("c", 2020, "csv", "another"),
    failed("c", 2021, "csv", "another"),
    failed("d", 2020, "kernel-died", "d 2020: it died", 3),
)
DONE = Done(RESULTS, (("e", "2020"),))
BEGAN = datetime(2022, 1, 3, 20, tzinfo=UTC)
COMMAND = ("reportkit", "batch", "my night.yaml", "--years", "2020-2021", "--out", "my out")
ABOUT = About("x", BEGAN, datetime(2022, 1, 3, 21, 2, 3, tzinfo=UTC), COMMAND, 3)


def test_failures_are_reported_by_cause_and_district_once(tmp_path):
    for district, day in (("a", 2), ("c", 3), ("d", 4)):
        kept = tmp_path / district / ("2021" if district == "c" else "2020") / "failed"
        kept.mkdir(parents=True)
        when = datetime(2022, 1, day, 20, 30, tzinfo=UTC).timestamp()
        os.utime(kept, (when, when))
    document = summary(DONE, ABOUT, out=tmp_path)
    # What a report left when it failed another day is not told as of this one.
    assert {one["district"]: one["kept"] for one in document["reports"] if one["kept"]} == {
        "c": f"{tmp_path}/c/2021/failed",
        "d": f"{tmp_path}/d/2020/failed",
    }
    csv, died = document["failures"]
    assert (csv["count"], csv["reason"], died["reason"]) == (3, "csv", "kernel-died")
    assert csv["messages"] == [
        {"districts": ["a"], "years": [2020], "message": "<b>line</b> 3 of fees.csv"},
        {"districts": ["c"], "years": [2020, 2021], "message": "another"},
    ]
    alone = "reportkit batch 'my night.yaml' --out 'my out' --districts a,c --years 2020,2021"
    assert csv["command"] == f"{alone} --failed"
    again = "reportkit batch 'my night.yaml' --years 2020-2021 --out 'my out'"
    # A finding that was accepted is none.
    assert document["counts"] == {
        "made": 2,
        "unchanged": 0,
        "failed": 4,
        "left": 1,
        "with_findings": 1,
    }
    assert json.loads(json.dumps(document)) == document
    assert summary_text(document) == (
        "2 made, 0 unchanged, 4 failed, 1 left; 1 with findings; in 1:02:03\n"
        "1 with open errors: b 2020\n"
        "1 with figures that are not as the final run before printed them, and that no correction "
        "tells: f 2020; reportkit diff shows them\n"
        "3 × csv:\n"
        "  a 2020: <b>line</b> 3 of fees.csv\n"
        "  c 2020, 2021: another\n"
        f"      its notebook and log: {tmp_path}/c/2021/failed\n"
        "1 × kernel-died:\n"
        "  d 2020: it died\n"
        f"      its notebook and log: {tmp_path}/d/2020/failed\n"
        f"those that failed, when they are mended: {again} --failed\n"
        "the same command makes what is left"
    )


def test_metrics_are_what_prometheus_reads():
    reports = {
        ("b", "2020"): Standing("b", 2020, run="x", draft=True, errors=1),
        ("a", "2020"): Standing("a", 2020, reason="csv"),
    }
    text = metrics(summary(DONE, ABOUT, out=Path("nowhere")), StateOfAll(reports))
    lines = text.splitlines()
    name = r"reportkit_[a-z_]+"
    for line in lines:
        assert re.fullmatch(
            rf'# (HELP {name} .+|TYPE {name} gauge)|{name}(\{{[a-z]+="[a-z-]+"\}})? [\d.e+]+', line
        ), line
    page = (ROOT / "docs/reference/batch.md").read_text(encoding="utf-8")
    assert set(re.findall(name, text)) == set(re.findall(name, page))
    assert {line for line in lines if not line.startswith("#")} == {
        "reportkit_batch_start_time_seconds 1641240000",
        "reportkit_batch_end_time_seconds 1641243723",
        "reportkit_batch_exit_status 3",
        "reportkit_batch_refused 0",
        "reportkit_batch_stopped 0",
        'reportkit_batch_reports{state="made"} 2',
        'reportkit_batch_reports{state="unchanged"} 0',
        'reportkit_batch_reports{state="failed"} 4',
        'reportkit_batch_reports{state="left"} 1',
        'reportkit_batch_failures{reason="csv"} 3',
        'reportkit_batch_failures{reason="kernel-died"} 1',
        "reportkit_batch_peak_bytes 0",
        'reportkit_reports{state="failed"} 1',
        'reportkit_reports{state="absent"} 0',
        'reportkit_reports{state="waiting"} 0',
        'reportkit_reports{state="draft"} 1',
        'reportkit_reports{state="final"} 0',
        "reportkit_reports_with_errors 1",
    }


def test_every_key_of_batch_json_is_documented():
    page = (ROOT / "docs/reference/batch.md").read_text(encoding="utf-8")
    _, whole, report, _ = re.split(r"## batch\.json\n|\nA report:\n|\n`--dry-run", page)

    def keys(table):
        cells = re.findall(r"(?m)^\| (`.*?) \|", table)
        return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}

    document = summary(DONE, ABOUT, out=Path("nowhere"))
    assert keys(whole) - {"plan", "unwritten"} == set(document)
    assert [set(one) for one in document["reports"]] == [keys(report)] * 7


@pytest.mark.parametrize(
    ("stopped", "fail_on", "status"),
    [
        (2, "error", 130),
        (15, "never", 143),
        (None, "error", 3),
        (None, "never", 0),
        ("no-space", "never", 3),
    ],
)
def test_the_status_says_by_what_a_batch_was_stopped(stopped, fail_on, status):
    assert Done(RESULTS, (), stopped).exit_status(fail_on) == status


@pytest.mark.parametrize(
    ("draft", "open_errors", "statuses"),
    [(False, 0, (0, 0, 0)), (True, 0, (0, 1, 0)), (True, 1, (1, 1, 0))],
)
def test_the_status_is_of_what_it_was_asked_to_be(draft, open_errors, statuses):
    done = Done((Result("a", 2020, "made", open_errors, draft=draft),))
    assert tuple(map(done.exit_status, ("error", "draft", "never"))) == statuses


class Told:
    """Workers that end each job at once, as they are told to; and who is shown what happens."""

    capacity = 1

    def __init__(self, outcomes, events):
        self.outcomes, self.events, self.begun, self.notes = outcomes, events, [], []

    def submit(self, fn, job):
        self.begun.append(job.district)
        future = Future()
        for year in job.years:
            outcome = self.outcomes.get(job.district, "")
            if isinstance(outcome, int):
                self.events.put(outcome)
                outcome = ""
            state = "failed" if outcome else "made"
            status = 3 if outcome else 0
            self.events.put(Result(job.district, year, state, status, reason=outcome))
        future.set_result([])
        return future

    def close(self):
        pass

    kill = close

    def shutdown(self, wait=True, *, cancel_futures=False):
        pass

    def started(self, report):
        pass

    ended = again = started

    def note(self, text):
        self.notes.append(text)


def run(tmp_path, outcomes, *, years=(2021,), stop_after=3):
    """A batch over these districts, in their order; what came of it, and who told of it."""
    settings = Settings(None, None, out=tmp_path, folder=tmp_path)
    jobs = tuple(Job(name, years, settings) for name in outcomes)
    reports = tuple(Planned(name, year, ("new",), 1) for name in outcomes for year in years)
    events = SimpleQueue()
    result = Told(outcomes, events)
    journal = Journal(tmp_path, "x", now=lambda: BEGAN)
    limits = BatchFile(retries=0, stop_after=stop_after)
    done = run_batch(
        Plan(reports, jobs), result, events, limits=limits, journal=journal, watcher=result
    )
    journal.close()
    return done, result


def test_bad_data_stop_no_batch_however_many(tmp_path):
    bad = {f"d{number}": "ledger-heading" for number in range(40)} | {"last": ""}
    done, result = run(tmp_path, bad)
    assert (done.stopped, done.left, result.notes) == (None, (), [])
    assert done.results[-1] == Result("last", 2021, "made", 0)


def test_a_machine_that_fails_is_counted_by_districts(tmp_path):
    # One district with many years is one; what fails for its data between them tells nothing.
    once, _ = run(tmp_path, {"a": "no-space", "b": ""}, years=range(2019, 2029))
    assert once.stopped is None
    outcomes = {"a": "no-space", "b": "cell-failed", "c": "worker-died", "d": "no-space", "e": ""}
    done, result = run(tmp_path, outcomes)
    assert (done.stopped, done.left) == ("no-space", (("e", "2021"),))
    assert result.notes == [
        "stopping: the machine failed 3 districts in a row, most of them for one cause [no-space]; "
        "mend it and give the same command again"
    ]
    assert (done.exit_status(), done.exit_status("never")) == (3, 3)


def test_a_success_between_shows_that_the_machine_works(tmp_path):
    outcomes = {"a": "no-kernel", "b": "no-kernel", "c": "", "d": "no-kernel", "e": "no-kernel"}
    done, _ = run(tmp_path, outcomes)
    assert (done.stopped, done.left) == (None, ())


def test_a_signal_that_comes_while_reports_begin_begins_no_other(tmp_path):
    done, result = run(tmp_path, {"a": "", "b": signal.SIGTERM, "c": "", "d": ""})
    assert (result.begun, done.stopped) == (["a", "b"], signal.SIGTERM)
    assert done.exit_status("never") == 143


def test_signals_end_a_plan_at_once_and_are_events_afterwards():
    events = []
    with Signals(events.append):
        with pytest.raises(Stopped) as stopped:
            os.kill(os.getpid(), signal.SIGTERM)
        assert (stopped.value.code, events) == (143, [])
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(os.getpid(), number)
    assert events == [signal.SIGINT, signal.SIGTERM]


def test_the_live_line_counts():
    seconds = iter(range(0, 1000, 10))
    progress = Progress(clock=lambda: next(seconds))
    assert progress.line().plain == "looking at what has changed"
    progress.planned(9, 2)
    progress.started(("b", "2020"))
    progress.ended(RESULTS[0])
    progress.started(("c", "2021"))
    assert progress.line().plain == (
        "1 made · 0 failed · 2 unchanged · 6 to go · 2/min · 3:00 left\n  running: c 2021 (20 s)"
    )


def test_a_project_without_districts_has_nothing_to_do(tmp_path):
    settings = Settings(tmp_path, tmp_path, out=Path("out"), folder=tmp_path)
    with pytest.raises(InputError, match="nothing to do"):
        make_plan(None, [2021], settings=settings)
