"""Findings of `reportkit doctor` on a machine and a project with faults."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import reportkit_fonts

from reportkit.doctor import examine, machine
from reportkit.doctor.projects import kernel, outputs
from reportkit.params import Project
from reportkit.proof.signing.keys import keygen
from reportkit.scaffold.project import begin


@pytest.fixture
def project(tmp_path):
    begin(tmp_path, "linhai", 2024, name="临海区").write()
    return Project(tmp_path / "params", tmp_path / "data", tmp_path / "outputs")


def found(project):
    """By what was looked at: state, and what was found with what to do."""
    return {one.about: (one.state, f"{one.found}; {one.todo}") for one in examine(project)}


def doctor(folder, *options, **environment):
    command = [str(Path(sys.executable).parent / "reportkit"), "doctor", *options]
    return subprocess.run(
        command,
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )


def test_a_sound_project_has_nothing_to_mend(project):
    done = doctor(project.params.parent, "--json")
    assert done.returncode == 0, done.stderr
    document = {one["about"]: one for one in json.loads(done.stdout)["findings"]}
    assert {one["state"] for one in document.values()} <= {"good", "warn"}
    for about in ("Python", "packages", "fonts", "kernel reportkit", "parameters", "holidays"):
        assert document[about]["state"] == "good", document[about]
    assert document["ledgers of linhai"]["found"].startswith("依申请公开台账、复议诉讼台账")
    # Everything that is not good says what to do.
    assert all(bool(one["todo"]) == (one["state"] != "good") for one in document.values())


def test_it_speaks_where_chinese_cannot_be_shown(project):
    done = doctor(project.params.parent, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert done.returncode == 1, done.stderr
    assert "bad   encoding" in done.stdout
    assert "PYTHONUTF8=1" in done.stdout


def test_what_stops_a_run_is_bad(project):
    (project.data / "linhai/收费台账.xlsx").unlink()
    (project.params / "districts/b.yaml").write_text("id: b\nname: 乙区\nlevle: city\n", "utf-8")
    result = found(project)
    state, text = result["ledgers of linhai"]
    assert (state, "收费台账 not found" in text) == ("bad", True)
    assert f"reportkit template 收费台账 --out {project.data}/linhai" in text
    state, text = result["parameters"]
    assert (state, "did you mean 'level'" in text) == ("bad", True)


def test_what_somebody_should_know_is_a_warning(project):
    (project.params / "reports/linhai/2031.yaml").write_text("year: 2031\n", "utf-8")
    result = found(project)
    assert result["holidays"][0] == "warn"
    assert "2031" in result["holidays"][1]
    assert result["git"][0] == "warn"


def test_git_is_asked_for_commits(project):
    def git(*arguments):
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *identity, *arguments], cwd=project.params.parent, check=True)

    git("init", "--quiet")
    git("add", "params")
    git("commit", "--quiet", "-m", "first")
    result = {one.about: one for one in examine(project)}
    assert (result["git"].state, "changes that are in none" in result["git"].found) == (
        "warn",
        True,
    )
    git("add", "--all")
    git("commit", "--quiet", "-m", "second")
    assert found(project)["git"][0] == "good"


def test_a_kernel_that_is_not_there_is_bad(project):
    path = project.params.parent / "notebooks/annual_report.ipynb"
    path.write_text(
        path.read_text("utf-8").replace('"name": "reportkit"', '"name": "gone"'), "utf-8"
    )
    (result,) = kernel(project)
    assert (result.about, result.state) == ("kernel gone", "bad")
    assert "No such kernel named gone" in result.found


def test_outputs_that_cannot_be_written_are_bad(tmp_path):
    (tmp_path / "full").write_text("no folder", "utf-8")
    (messages,) = outputs(Project(tmp_path, tmp_path, tmp_path / "full/outputs"))
    assert (messages.state, "Not a directory" in messages.found) == ("bad", True)


def test_one_wrong_byte_in_a_font_is_found(tmp_path, monkeypatch):
    for path in reportkit_fonts.folder().glob("*.ttf"):
        shutil.copy(path, tmp_path)
    monkeypatch.setattr(reportkit_fonts, "folder", lambda: tmp_path)
    assert [one.state for one in machine.fonts()] == ["good"]
    kai = tmp_path / "RK-Kai.ttf"
    content = bytearray(kai.read_bytes())
    content[1_000_000] ^= 1
    kai.write_bytes(content)
    assert [(one.state, one.found) for one in machine.fonts()] == [("bad", "RK-Kai.ttf is damaged")]
    kai.unlink()
    assert next(machine.fonts()).found.startswith("4 of 5")


def test_keys_must_be_there_and_closed_to_others(tmp_path, monkeypatch):
    monkeypatch.delenv("REPORTKIT_SIGNING_KEY_FILE", raising=False)
    assert [one.state for one in machine.signing_key()] == ["warn"]
    keygen(tmp_path / "own.key")
    monkeypatch.setenv("REPORTKIT_SIGNING_KEY_FILE", str(tmp_path / "own.key"))
    assert [one.state for one in machine.signing_key()] == ["good"]
    (tmp_path / "own.key").chmod(0o644)
    assert [one.state for one in machine.signing_key()] == ["bad"]
    monkeypatch.setenv("REPORTKIT_PRIVACY_KEY_FILE", str(tmp_path / "gone"))
    assert [one.state for one in machine.privacy_key()] == ["bad"]


def test_packages_are_compared_with_what_is_needed(monkeypatch):
    assert [one.state for one in machine.packages()] == ["good"]
    wanted = ["pandas>=99", "nonesuch-package", "click>=8", 'sqlalchemy>=99; extra == "databases"']
    monkeypatch.setattr(machine.metadata, "requires", lambda _: wanted)
    (result,) = machine.packages()
    assert result.state == "bad"
    assert result.found.endswith("; >=99 is needed; nonesuch-package is not here")
