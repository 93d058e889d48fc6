"""Old runs reduced to their records: what verify says of them, and what is never touched."""

import fcntl
import json
import os
import shutil

import commands
import pytest
from batches import batch, currents, make_project, states

RECORD = ["MANIFEST.json", "SHA256SUMS", "attestation.dsse.json"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A report with four runs."""
    project = make_project(tmp_path_factory.mktemp("made"), ["a"])
    fees = project / "data/a/fees.csv"
    text = fees.read_text(encoding="utf-8")
    for amount in ("1.50", "2.50", "3.50", "1000.50"):
        fees.write_text(text.replace("1000.50", amount), encoding="utf-8")
        commands.reportkit("run", "a", "2021", cwd=project, status=0)
    return project


@pytest.fixture
def project(made, tmp_path):
    return shutil.copytree(made, tmp_path / "project", symlinks=True)


def reportkit(project, *arguments):
    done = commands.reportkit(*arguments, "--json", cwd=project)
    return done.returncode, json.loads(done.stdout)


def runs(project):
    return sorted((project / "outputs/a/2021/runs").iterdir())


def names(run):
    return sorted(path.name for path in run.iterdir())


def test_old_runs_become_records_that_verify_accepts(project):
    first, second, third, fourth = runs(project)
    files = [names(run) for run in (third, fourth)]
    whole = sum(len(f) for _, _, f in os.walk(project / "outputs/a/2021/runs"))
    status, trial = reportkit(project, "prune", "--keep", 2, "--dry-run")
    assert (status, trial["before"] == trial["after"], names(first)) == (0, True, names(fourth))
    status, result = reportkit(project, "prune", "--keep", 2)
    assert (status, result["pruned"]) == (
        0,
        [run.relative_to(project).as_posix() for run in (first, second)],
    )
    assert (names(first), names(second)) == (RECORD, RECORD)
    assert [names(run) for run in (third, fourth)] == files
    assert result["before"]["files"] == whole
    assert result["after"]["files"] == whole // 2 + 2 * len(RECORD)
    assert result["after"]["bytes"] < 0.6 * result["before"]["bytes"]
    for run, chain in ((first, "the first"), (second, "1 earlier")):
        status, verdict = reportkit(project, "verify", run)
        (one,) = verdict["runs"]
        assert (status, one["holds"]) == (0, True)
        (level,) = one["levels"]
        assert level["notes"][0] == "pruned: its record is left, its files are gone"
        assert f"chain: {chain}" in level["notes"]
    status, verdict = reportkit(project, "verify", "outputs")
    assert (status, verdict["batches"]) == (0, [])
    assert "chain: 3 earlier" in verdict["runs"][0]["levels"][0]["notes"]
    assert reportkit(project, "prune", "--keep", 2)[1]["pruned"] == []
    assert states(batch(project)) == {"a": "unchanged"}


def test_a_folder_that_is_not_there_is_refused(project):
    status, document = reportkit(project, "prune", "--out", "none")
    assert (status, document["error"]) == (2, "no-outputs")
    assert "none" in document["message"]


def test_the_run_in_force_is_whole_or_does_not_hold(project):
    *_, third, fourth = runs(project)
    place = project / "outputs/a/2021"
    (place / "current").unlink()
    (place / "current").symlink_to(f"runs/{third.name}")
    assert reportkit(project, "prune", "--keep", 1)[0] == 0
    assert names(fourth) == RECORD
    assert len(names(third)) > 10
    for path in third.iterdir():
        if path.name not in RECORD:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    (third / ".pruning").touch()
    status, verdict = reportkit(project, "verify", third)
    assert status == 1
    assert "facts.json is missing" in verdict["runs"][0]["levels"][0]["findings"][0]


@pytest.mark.parametrize("damage", ["changed", "added", "record"])
def test_a_record_is_no_place_to_hide_in(damage, project):
    first = runs(project)[0]
    if damage == "changed":
        # What somebody changed stays as it is, for whoever asks what happened.
        (first / "report.html").write_text("another", encoding="utf-8")
        status, result = reportkit(project, "prune", "--keep", 1)
        assert (status, len(result["changed"]), len(result["pruned"])) == (1, 1, 2)
        assert (first / "report.pdf").is_file()
        return
    reportkit(project, "prune", "--keep", 1)
    name = "report.html" if damage == "added" else "MANIFEST.json"
    with (first / name).open("a", encoding="utf-8") as file:
        file.write(" ")
    status, verdict = reportkit(project, "verify", first)
    assert (status, verdict["runs"][0]["holds"]) == (1, False)


def test_reports_at_work_and_runs_compared_with_are_left(project):
    first, *_ = runs(project)
    with (project / "outputs/a/2021/.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        status, result = reportkit(project, "prune", "--keep", 1)
    assert (status, result["busy"], result["pruned"]) == (0, ["outputs/a/2021"], [])
    # The report of the next year is made with the figures of this one, and then this one anew.
    place = project / "outputs/a/2021"
    current = (place / "current").readlink()
    (place / "current").unlink()
    (place / "current").symlink_to(f"runs/{first.name}")
    commands.reportkit("run", "a", "2022", cwd=project, status=1)  # with findings
    (place / "current").unlink()
    (place / "current").symlink_to(current)
    status, result = reportkit(project, "prune", "--keep", 1)
    assert result["compared"] == [f"outputs/a/2021/runs/{first.name}"]
    assert len(result["pruned"]) == 2
    assert (first / "facts.json").is_file()


CUT = """
import os
from pathlib import Path
left = {steps}
known = Path.unlink
def cut(self, *arguments, **options):
    global left
    if "a/2021/runs" in str(self):
        left -= 1
    if left < 0:
        os.kill(os.getpid(), 9)
    known(self, *arguments, **options)
Path.unlink = cut
"""


@pytest.mark.parametrize("steps", [0, 1, 5, 10, 11])
def test_cut_short_it_leaves_nothing_broken(steps, project):
    first = runs(project)[0]
    status = -9 if steps < 11 else 0
    cut = CUT.format(steps=steps)
    commands.reportkit("prune", "--keep", 3, cwd=project, before=cut, status=status)
    (one,) = reportkit(project, "verify", first)[1]["runs"]
    # Nothing is wrong with it; of what is left of its files nothing is said.
    assert one["levels"][0]["holds"] is True
    assert one["holds"] is (None if steps < 10 else True)
    status, verdict = reportkit(project, "verify", "outputs")
    assert (status, verdict["batches"]) == (0, [])
    status, result = reportkit(project, "prune", "--keep", 3)
    assert (status, names(first)) == (0, RECORD)
    assert len(result["pruned"]) == (steps < 11)
    assert reportkit(project, "verify", first)[1]["runs"][0]["holds"] is True
    assert [run.name for run in currents(project).values()] == [runs(project)[3].name]
