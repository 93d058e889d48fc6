"""`reportkit new` over the sample projects: within an edition, into the next, without ledgers."""

import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from reportkit import open_report
from reportkit.cli import cli

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path):
    for name in ("params", "data"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def new(project, district, year, *options):
    folders = ["--params", project / "params", "--data", project / "data"]
    arguments = ["new", district, year, *folders, *options]
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.mark.parametrize(
    ("district", "year", "missing"),
    [
        # The receipts, which the form of 2021 counts, are taken away.
        ("huli", 2021, ["收费台账"]),
        ("pingtan", 2021, []),
        ("pingtan", 2022, []),
    ],
)
def test_a_new_year_says_what_to_do(district, year, missing, project):
    folder = project / "params/reports" / district
    for path in [*folder.glob(f"{year}.*"), *project.glob("data/huli/fees*")]:
        path.unlink()
    done = new(project, district, year, "--json")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["previous"] == year - 1
    assert document["files"] == [str(folder / f"{year}.yaml"), str(folder / f"{year}.md")]
    assert [note["found"] for note in document["todo"] if note["kind"] == "ledger"] == missing
    last = (folder / f"{year - 1}.yaml").read_text(encoding="utf-8")
    declared = re.findall(r"\{id: ([a-z_.]+)", last)
    assert [note["found"] for note in document["todo"] if note["kind"] == "declared"] == declared
    assert f"reportkit run {district} {year}" in document["next"]
    # A day of last year's publication stands nowhere any more.
    text = (folder / f"{year}.yaml").read_text(encoding="utf-8")
    assert f"{year}-" not in text
    assert f"year: {year}\n" in text


@pytest.mark.parametrize(
    ("district", "cells"),
    [
        ("huli", ["t2.normative_documents.disclosed", "t2.normative_documents.total_disclosed"]),
        ("pingtan", ["t3.other.total", "t2.normative_documents.total_disclosed"]),
    ],
)
def test_cells_missing_from_the_next_form_are_named_by_line(district, cells, project):
    for path in (project / f"params/reports/{district}").glob("2021.*"):
        path.unlink()
    todo = json.loads(new(project, district, 2021, "--json").stdout)["todo"]
    facts = [note for note in todo if note["kind"] == "fact"]
    assert [note["found"] for note in facts] == cells
    for note in facts:
        path = Path(note["file"])
        assert note["found"] in path.read_text(encoding="utf-8").splitlines()[note["line"] - 1]
        assert "in its place: t" in note["message"]


def test_the_new_year_makes_a_report_once_filled_in(project):
    assert new(project, "pingtan", 2022).exit_code == 0
    path = project / "params/reports/pingtan/2022.yaml"
    text = path.read_text(encoding="utf-8")
    assert "value: ," in text
    filled = text.replace("value: ,", "value: 5,").replace("stated_on: }", "stated_on: 2023-01-10}")
    path.write_text(filled, encoding="utf-8")
    folders = {"params": project / "params", "data": project / "data"}
    report = open_report("pingtan", 2022, **folders)
    assert report.fact("media.closed").text == "5"
    (run,) = [run for run in report.compiled.narrative.sections["六"][0]["runs"] if "fact" in run]
    assert run == {"text": "5", "fact": "fee.information_processing"}


def test_it_can_be_read(project):
    done = new(project, "pingtan", 2022)
    assert done.stdout.splitlines()[0] == "made from 2021:"
    assert re.search(
        r"2022\.yaml:6: state media\.closed \(关停政务新媒体\); last year 2 个", done.stdout
    )
    assert done.stdout.endswith(
        "next: reportkit intake pingtan 2022, then reportkit run pingtan 2022\n"
    )
    again = new(project, "pingtan", 2022)
    assert again.exit_code == 2
    assert "exist already" in again.stderr
