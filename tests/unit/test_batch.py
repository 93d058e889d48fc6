"""Batches without a kernel: years, plans, the journal, what is told at the end."""

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from batches import ROOT, add_district, make_project, name_parents, share_fees

from reportkit.batch.jobs import Result, Settings
from reportkit.batch.journal import Journal, read_journal
from reportkit.batch.loop import Done
from reportkit.batch.plan import make_plan, parse_years, read_batch_file
from reportkit.batch.progress import Progress
from reportkit.batch.summary import summary, summary_page, summary_text
from reportkit.batch.work import _read_shared
from reportkit.errors import InputError
from reportkit.ledgers import Ledgers, keep_ledgers
from reportkit.params import Project


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
    with pytest.raises(InputError) as told:
        read_batch_file(path)
    assert "batch.yaml:1: unknown key 'retry'; did you mean 'retries'?" in told.value.message
    assert "batch.yaml:2: 'jobs' is '0':" in told.value.message


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
    add_district(project, "bare")
    (project / "data/bare/fees.csv").unlink()
    with pytest.raises(InputError, match="bare 2021: 收费台账 is missing"):
        make_plan(None, [2021], settings=settings)


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
    (project / "params/districts/west.yaml").write_text("parent: [city", encoding="utf-8")
    with pytest.raises(InputError, match=r"west\.yaml:2 is not readable as UTF-8 YAML"):
        make_plan(["east"], [2021], settings=settings)


def test_districts_that_share_a_ledger_are_one_job_that_reads_it_once(tmp_path, monkeypatch):
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
    with keep_ledgers():
        _read_shared(sixteen)
        monkeypatch.setattr("reportkit.ledgers.district.read_ledger", None)
        read = {id(Ledgers(project, project.district(name))["fees"]) for name in names[:16]}
        assert len(read) == 1
        with pytest.raises(TypeError):
            Ledgers(project, project.district("own"))["fees"]


def test_the_journal_survives_a_torn_line(tmp_path):
    day = datetime(2022, 1, 3, tzinfo=UTC)
    for name in ("one", "two"):
        journal = Journal(tmp_path, name, now=lambda: day)
        journal.add("made", district="a", year=2021)
        journal.close()
        with (tmp_path / "batch.jsonl").open("a", encoding="utf-8") as file:
            file.write('{"at": "2022')
    assert [(one["batch"], one["event"]) for one in read_journal(tmp_path)] == [
        ("one", "made"),
        ("two", "made"),
    ]
    assert read_journal(tmp_path / "nowhere") == []


FAILED = Result("a", 2020, "failed", 2, reason="csv", message="<b>line</b> 3 of fees.csv")
DONE = Done(
    (
        Result("b", 2020, "made", 1, run="outputs/b/2020/runs/x", seconds=2.5,
               findings=[{"severity": "error", "waived": None},
                         {"severity": "warning", "waived": None},
                         {"severity": "error", "waived": {"by": "示例"}}]),
        FAILED,
        Result("c", 2021, "failed", 2, reason="csv", message="another"),
        Result("d", 2020, "failed", 3, reason="kernel-died", message="it died"),
    ),
    (("e", 2020),),
)  # fmt: skip


TIMES = ("2022-01-03T20:00:00+00:00", "2022-01-03T21:02:03+00:00")


def test_failures_are_grouped_with_the_command_that_makes_just_these(tmp_path):
    for district, day in (("a", 2), ("c", 3), ("d", 4)):
        kept = tmp_path / district / ("2021" if district == "c" else "2020") / "failed"
        kept.mkdir(parents=True)
        when = datetime(2022, 1, day, 20, 30, tzinfo=UTC).timestamp()
        os.utime(kept, (when, when))
    document = summary(DONE, batch="x", times=TIMES, options=["--out", "my out"], out=tmp_path)
    # What a report left when it failed another day is not told as of this one.
    assert {one["district"]: one["kept"] for one in document["reports"] if one["kept"]} == {
        "c": f"{tmp_path}/c/2021/failed", "d": f"{tmp_path}/d/2020/failed",
    }  # fmt: skip
    assert [(one["count"], one["reason"]) for one in document["failures"]] == [
        (2, "csv"),
        (1, "kernel-died"),
    ]
    command = "reportkit batch --districts a,c --years 2020,2021 --out 'my out'"
    assert document["failures"][0]["command"] == command
    assert document["counts"] == {
        "made": 1, "unchanged": 0, "failed": 3, "left": 1, "with_findings": 1,
    }  # fmt: skip
    assert document["exit_status"] == 3
    assert json.loads(json.dumps(document)) == document
    text = summary_text(document)
    assert text.startswith(
        "1 made, 0 unchanged, 3 failed, 1 left; 1 with findings; in 1:02:03\n"
        "1 with open errors: b 2020\n"
        "2 × csv: a, c\n    <b>line</b> 3 of fees.csv\n"
        f"    its notebook and log: {tmp_path}/c/2021/failed\n"
    )
    assert f"again: {command}" in text
    page = summary_page(document)
    assert "&lt;b&gt;line&lt;/b&gt; 3 of fees.csv" in page
    rows = re.findall(r'<tr class="(\w+)"><td>(\w)</td>', page)
    assert rows == [("failed", "a"), ("failed", "c"), ("failed", "d"), ("left", "e"), ("made", "b")]
    assert page.count('failed/run.log">log</a>') == 2
    assert "http" not in page.replace("http-equiv", "")


def test_every_key_of_batch_json_is_documented():
    page = (ROOT / "docs/reference/batch.md").read_text(encoding="utf-8")
    _, whole, report, _ = re.split(r"## batch\.json\n|\nA report:\n|\n`--dry-run", page)

    def keys(table):
        cells = re.findall(r"(?m)^\| (`.*?) \|", table)
        return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}

    document = summary(DONE, batch="x", times=TIMES, options=[], out=Path("nowhere"))
    assert keys(whole) - {"plan", "unwritten"} == set(document)
    assert [set(one) for one in document["reports"]] == [keys(report)] * 5


@pytest.mark.parametrize(("stopped", "status"), [(2, 130), (15, 143), ("csv", 3), (None, 3)])
def test_a_stopped_batch_says_by_what(stopped, status):
    assert Done(DONE.results, (), stopped).exit_status == status


def test_the_live_line_counts():
    seconds = iter(range(0, 1000, 10))
    progress = Progress(clock=lambda: next(seconds))
    assert progress.line().plain == "looking at what has changed"
    progress.planned(9, 2)
    progress.started(("b", 2020))
    progress.ended(DONE.results[0])
    progress.started(("c", 2021))
    assert progress.line().plain == (
        "1 made · 0 failed · 2 unchanged · 6 to go · 2/min · 3:00 left\n  running: c 2021 (20 s)"
    )


def test_a_project_without_districts_has_nothing_to_do(tmp_path):
    settings = Settings(tmp_path, tmp_path, out=Path("out"), folder=tmp_path)
    with pytest.raises(InputError, match="nothing to do"):
        make_plan(None, [2021], settings=settings)
