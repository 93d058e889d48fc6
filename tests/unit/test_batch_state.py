"""The state of all reports: what is in force, what failed, what changed since the night before."""

import json
import re
from datetime import timedelta

import pytest
from batches import ROOT, make_project
from catalogues import ENDED as NIGHT
from catalogues import check, fact
from catalogues import publish as put

from reportkit.batch.jobs import Result
from reportkit.catalogue.journal import Journal
from reportkit.catalogue.state import NAME, as_json, changes, read_state, renew
from reportkit.catalogue.store import refresh
from reportkit.params import Project


def publish(project, district, run, *, received="3", **said):
    """Put a run in force, with the figures that sum up its form and another one."""
    facts = [fact("t3.new.total", received), fact("pub.total", 9)]
    put(project.out, district, 2021, run, facts=facts, **said)


@pytest.fixture
def project(tmp_path):
    made = make_project(tmp_path, ["a", "b", "c"])
    (made / "params/districts/a.yaml").write_text("id: a\nname: 甲区\n", encoding="utf-8")
    (made / "params/reports/b").mkdir(parents=True)
    (made / "params/reports/b/2020.yaml").write_text("year: 2020\n", encoding="utf-8")
    (made / "outputs").mkdir()
    return Project(made / "params", made / "data", made / "outputs")


def night(project, *results, at=NIGHT, tell=True):
    """A batch that came to these results; killed before its end without *tell*."""
    journal = Journal(project.out, "x", now=lambda: at)
    before = read_state(project.out)
    for one in results:
        fields = {"reason": one.reason, "message": one.message} if one.reason else {}
        journal.add(one.state, district=one.district, year=one.year, **fields)
    journal.close()
    if tell:
        store = refresh(project.out)
        state = renew(before, results, store=store, project=project, at=at)
        (project.out / NAME).write_text(json.dumps(as_json(state)), encoding="utf-8")
    return read_state(project.out)


def failed(district, reason="ledger-heading", message="no heading"):
    return Result(district, 2021, "failed", 2, reason=reason, message=message)


def states(state):
    return {f"{one.district} {one.year}": one.state for one in state.reports.values()}


def test_every_key_of_state_json_is_documented(project):
    page = (ROOT / "docs/reference/batch.md").read_text(encoding="utf-8")
    table = page.split("## state.json")[1].split("\n## ")[0]
    rows = re.findall(r"(?m)^\| (`.*?) \| (.*) \|$", table)
    document = as_json(night(project, failed("a")))
    names = [name for cell, _ in rows for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(names) == sorted(document)
    (reports,) = [text for cell, text in rows if cell == "`reports`"]
    assert set(re.findall(r"`(\w+)`", reports)) == set(document["reports"][0])


def test_each_report_has_one_state(project):
    waived = check("N1", severity="error", waived={"by": "示例", "reason": "照原文"})
    publish(project, "a", "one", checks=[waived, check("X1")])
    state = night(
        project,
        Result("a", 2021, "made", 0),
        failed("b"),
        failed("c", "not-handed-in"),
        failed("huly", "district-unknown"),
    )
    # A file says that there is to be a report of b for 2020; of huly there is nothing at all.
    assert states(state) == {
        "a 2021": "final",
        "b 2020": "waiting",
        "b 2021": "failed",
        "c 2021": "absent",
    }
    made = state.reports["a", "2021"]
    assert (made.name, made.errors, made.warnings) == ("a区", 0, 1)
    assert made.figures == {"新收": "3"}
    assert state.reports["b", "2021"].name == "测试区"
    assert state.failed == {("b", "2021"), ("c", "2021")}


def test_a_batch_that_was_killed_has_reported_its_failures(project):
    night(project, failed("a"), failed("b"))
    state = night(project, Result("a", 2021, "made", 0), failed("c"), tell=False)
    assert state.failed == {("b", "2021"), ("c", "2021")}
    (project.out / "batch.jsonl").unlink()
    assert read_state(project.out).failed == {("a", "2021"), ("b", "2021")}
    (project.out / NAME).write_text("{", encoding="utf-8")
    assert read_state(project.out).failed == set()


def test_what_somebody_made_alone_since_then_is_made(project):
    publish(project, "a", "old", ended=NIGHT - timedelta(days=9))
    state = night(project, failed("a"))
    assert (state.reports["a", "2021"].state, state.reports["a", "2021"].run) == ("failed", "old")
    publish(project, "a", "new", ended=NIGHT + timedelta(hours=7))
    state = night(project, failed("b"), at=NIGHT + timedelta(hours=8))
    assert states(state)["a 2021"] == "final"
    assert state.reports["a", "2021"].reason == ""


def test_a_restored_ledger_makes_a_failure_good(project):
    publish(project, "a", "one", ended=NIGHT - timedelta(days=1))
    night(project, failed("a"))
    state = night(project, Result("a", 2021, "unchanged", 0))
    assert states(state)["a 2021"] == "final"


def test_what_changed_is_reported_against_the_night_before(project):
    publish(project, "a", "one")
    publish(project, "b", "one", draft=True)
    first = night(project, Result("a", 2021, "made", 0), Result("b", 2021, "made", 0), failed("c"))
    assert changes(first) == []
    next_night = NIGHT + timedelta(days=1)
    publish(project, "a", "two", received="5", ended=next_night)
    publish(project, "c", "one", ended=next_night)
    night(project, failed("b"), Result("c", 2021, "made", 0), at=next_night)
    # Mended in the morning, which belongs to the same night.
    publish(project, "b", "two", ended=next_night + timedelta(hours=6))
    state = night(project, Result("b", 2021, "made", 0), at=next_night + timedelta(hours=6))
    result = [(one.was, one.now.district, one.now.state, one.figures) for one in changes(state)]
    assert result == [
        ("final", "a", "final", (("新收", "3", "5"),)),
        ("draft", "b", "final", ()),
        ("failed", "c", "final", ()),
    ]
    assert (state.night, state.since) == ("2022-01-04", "2022-01-03")
    unchanged = night(project, at=next_night + timedelta(days=1))
    assert changes(unchanged) == []
    assert all(map(unchanged.unchanged, (unchanged.reports[key, "2021"] for key in "abc")))
