"""Proof of a real run: record, crate, signature, and every level of ``verify``."""

import json
import os
import random
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests
from click.testing import CliRunner
from shipped import ZFXXGK

from reportkit import open_report
from reportkit.cli import cli
from reportkit.proof.recount.recount import recount
from reportkit.proof.recount.sqlledger import Wanted, read_again
from reportkit.proof.rerun import compare, rerun_level
from reportkit.proof.signing.keys import keygen
from reportkit.proof.signing.trust import read_trusted
from reportkit.proof.verify import data_levels, files_level
from reportkit.worktime import work_calendar

LEVELS = ("files", "ledgers", "facts", "render", "environment")
BIN = Path(sys.executable).parent
CONTEXT = Path(__file__).parents[1] / "data/proof/context.json"


def test_the_record_holds_what_an_auditor_needs(sealed):
    manifest = json.loads((sealed.run / "MANIFEST.json").read_text(encoding="utf-8"))
    assert (manifest["district"], manifest["name"], manifest["year"]) == (
        "pingtan",
        "平潭综合实验区",
        2021,
    )
    assert manifest["basis"] == "国办公开办函〔2021〕30号"
    inputs = {one["name"] for one in manifest["inputs"]}
    assert {
        "params/districts/pingtan.yaml",
        "data/pingtan/行政执法决定2021.xlsx",
        "notebooks/annual_report.ipynb",
    } <= inputs
    (ledger,) = [one for one in manifest["ledgers"] if one["ledger"] == "applications"]
    assert (ledger["read"], ledger["accepted"], ledger["rejected"]) == (120, 120, 0)
    assert ledger["sources"][0]["encoding"] == "gb18030"
    assert manifest["source"]["git"] is None
    assert "RK-Song.ttf" in manifest["fonts"]
    assert manifest["environment"]["packages"]["pandas"].startswith("3.")
    assert manifest["figures"]["failing"] == ["Y1", "Y1", "Y1"]
    assert manifest["notebook"]["warnings"] == []
    types = {file["path"]: file["media_type"] for file in manifest["files"]}
    assert types["report.pdf"] == "application/pdf"


@pytest.fixture
def validator(monkeypatch, tmp_path):
    """roc-validator, with the terms that we use and without a network."""
    from rocrate_validator import services
    from rocrate_validator.utils.http import HttpRequester

    def get(self, url, **named):
        """Return the answer of w3id.org: the terms that we use, and no profile's page."""
        answer = requests.Response()
        answer.status_code = 200 if url.endswith("/context") else 404
        answer.headers["Content-Type"] = "application/ld+json"
        answer._content = CONTEXT.read_bytes()
        return answer

    def no_network(*arguments, **named):
        message = "a test asked the network"
        raise AssertionError(message)

    monkeypatch.setattr(HttpRequester, "get", get, raising=False)
    monkeypatch.setattr(socket.socket, "connect", no_network)

    def findings(folder):
        settings = services.ValidationSettings(
            rocrate_uri=str(folder),
            profile_identifier="process-run-crate",
            requirement_severity="REQUIRED",
            offline=True,
            cache_path=str(tmp_path / "cache"),
        )
        return [issue.message for issue in services.validate(settings).get_issues()]

    return findings


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # rdflib, inside the validator
def test_the_crate_has_no_required_finding(sealed, validator):
    assert validator(sealed.run) == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_validator_would_say_so(sealed, validator, tmp_path):
    shutil.copytree(sealed.run, tmp_path / "run")
    path = tmp_path / "run/ro-crate-metadata.json"
    path.write_text(path.read_text("utf-8").replace('"instrument"', '"tool"'), encoding="utf-8")
    assert any("instrument" in message for message in validator(tmp_path / "run"))


def command(*arguments):
    """A command of this process: status, document, and what it told besides."""
    done = CliRunner().invoke(cli, [*map(str, arguments), "--json"])
    return done.exit_code, json.loads(done.stdout), done.stderr


def levels(document):
    """Findings of each level of the one run that a command verified."""
    (run,) = document["runs"]
    return {level["level"]: level["findings"] for level in run["levels"]}


@pytest.fixture
def copy(sealed, tmp_path):
    """The run, copied; whoever changes it can seal it again, but not sign it."""
    shutil.copytree(sealed.run, tmp_path / "copy")
    return tmp_path / "copy"


def findings(run, **folders):
    """List the findings on ledgers and facts, in order."""
    return [one for verdict in data_levels(run, **folders) for one in verdict.findings]


def test_the_projects_own_holidays_count_though_nobody_names_params(sealed, tmp_path, monkeypatch):
    shutil.copytree(sealed.project / "params", tmp_path / "params")
    monkeypatch.chdir(tmp_path)
    assert findings(sealed.run, data=sealed.project / "data") == []
    (tmp_path / "params/holidays.yaml").write_text("first_day: same\n", encoding="utf-8")
    moved = findings(sealed.run, data=sealed.project / "data")
    assert any(one.startswith("timeliness.") and " moved: " in one for one in moved), moved


def test_a_signed_run_holds_and_its_ledgers_count_the_same(sealed):
    data = sealed.project / "data"
    status, result, _ = command("verify", sealed.run, "--keys", sealed.keys, "--data", data)
    assert status == 0, result
    assert levels(result) == {name: [] for name in LEVELS}
    (run,) = result["runs"]
    assert run["levels"][1]["notes"] == ["7 of 7 ledgers read again, record by record"]
    # Nothing is left that was not computed again.
    facts = ["266 facts; 224 of 224 from ledgers counted again in SQL"]
    assert run["levels"][2]["notes"] == facts
    assert "signed: zhang" in run["levels"][0]["notes"][1]


def test_every_file_of_a_run_is_watched(sealed, copy, tmp_path):
    """A bit turned, the file gone, a link to the same bytes, one more beside it: all are named."""
    chance, trusted = random.Random(7), read_trusted(sealed.keys)

    def refused(name):
        verdict = files_level(copy, trusted)
        assert not verdict.holds, name
        assert name in verdict.findings[0]

    for path in sorted(path for path in copy.rglob("*") if path.is_file()):
        name, whole = path.relative_to(copy).as_posix(), path.read_bytes()
        at = chance.randrange(len(whole))
        turned = bytes([whole[at] ^ (1 << chance.randrange(8))])
        path.write_bytes(whole[:at] + turned + whole[at + 1 :])
        refused(name)
        path.unlink()
        refused(name)
        (tmp_path / "same").write_bytes(whole)
        path.symlink_to(tmp_path / "same")
        refused(name)
        path.unlink()
        path.write_bytes(whole)
        beside = path.with_name(f"{path.name}~")
        beside.write_bytes(b"")
        refused(f"{name}~ was added")
        beside.unlink()
    assert files_level(copy, trusted).holds


def change_values(path, old, new, count=1):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, count), encoding="utf-8")


def test_a_changed_cell_names_its_line_and_the_moved_facts(sealed, tmp_path):
    shutil.copytree(sealed.project / "data", tmp_path / "data")
    path = tmp_path / "data/pingtan/applications-2021.parquet"
    table = pq.read_table(path)
    types = table["申请人类型"].to_pylist()
    row = next(
        row
        for row, day in enumerate(table["答复日期"].to_pylist())
        if str(day).startswith("2021") and types[row] == "自然人"
    )
    types[row] = "科研机构"
    index = table.column_names.index("申请人类型")
    pq.write_table(table.set_column(index, "申请人类型", pa.array(types)), path)
    result = findings(sealed.run, data=tmp_path / "data")
    assert result[0] == "data/pingtan/applications-2021.parquet is not what the run read"
    assert result[1] == (
        f"data/pingtan/applications-2021.parquet:{row + 1}: not the record that the run read"
    )
    moved = {one.partition(" moved")[0] for one in result[2:]}
    now = open_report("pingtan", 2021, params=sealed.project / "params", data=tmp_path / "data")
    there = json.loads((sealed.run / "facts.json").read_text(encoding="utf-8"))["facts"]
    here = {fact["id"]: fact for fact in now.facts_document()["facts"]}
    first = {
        fact["id"]
        for fact in there
        if any(fact[key] != here[fact["id"]][key] for key in ("value", "rows_sha256"))
    }
    assert moved == first
    assert {"t3.new.natural_person", "t3.new.research", "t3.results_total.research"} <= moved
    assert "t3.new.total" not in moved


def test_a_record_more_and_a_record_less_are_reported(sealed, tmp_path):
    manifest = json.loads((sealed.run / "MANIFEST.json").read_text(encoding="utf-8"))
    (ledger,) = [one for one in manifest["ledgers"] if one["ledger"] == "fees"]
    facts = json.loads((sealed.run / "facts.json").read_text(encoding="utf-8"))["facts"]
    fees = [fact for fact in facts if fact["ledger"] == "fees"]
    path = tmp_path / "fees.csv"
    whole = (sealed.project / "data/pingtan/fees-2019-2021.csv").read_bytes().rstrip()

    def counted(content):
        path.write_bytes(content)
        wanted = [Wanted(ZFXXGK, ledger, [path])]
        (raw,) = read_again(sealed.run, wanted, work_calendar()).values()
        return recount(raw, fees, run=sealed.run)

    more = counted(whole + "\r\n票1,项1,2021年3月3日,1.5万元\r\n".encode())
    assert more.lines == (
        "data/pingtan/fees-2019-2021.csv:482: a record that the run did not read",
    )
    assert more.moved == {
        "t2.fees.amount_wan": "24252.311082 in the run, 24253.811082 in the ledger"
    }
    less = counted(whole.rpartition(b"\n")[0])
    assert less.lines == ("data/pingtan/fees-2019-2021.csv:481: the record is gone",)


def test_without_ledgers_everything_else_is_checked(sealed, tmp_path):
    ledgers, facts = data_levels(sealed.run, data=tmp_path)
    assert (ledgers.holds, ledgers.verdict) == (None, "could not be judged")
    assert ledgers.notes[0] == "0 of 7 ledgers read again, record by record"
    assert sum("not counted again" in note for note in ledgers.notes) == 7
    assert (facts.holds, facts.findings) == (None, ())
    assert facts.notes[0] == "266 facts; 0 of 224 from ledgers counted again in SQL"


def test_other_keys_and_no_keys_are_refused(sealed, tmp_path):
    public, _ = keygen(tmp_path / "other.key")
    (tmp_path / "others").mkdir()
    shutil.copy(public, tmp_path / "others")
    status, result, _ = command("verify", sealed.run, "--keys", tmp_path / "others")
    assert status == 1
    assert "none of the trusted keys" in levels(result)["files"][0]
    (tmp_path / "none").mkdir()
    status, _, text = command("verify", sealed.run, "--keys", tmp_path / "none")
    assert status == 2
    assert "holds no public key" in text


def test_a_reviewer_signs_by_the_command(sealed, copy, tmp_path):
    status, made, _ = command("keygen", tmp_path / "li.key")
    assert status == 0
    status, signed, _ = command("sign", copy, "--key", tmp_path / "li.key")
    assert status == 0
    assert signed["keyid"] == made["keyid"]
    shutil.copytree(sealed.keys, tmp_path / "keys")
    (tmp_path / "keys/reviewer").mkdir()
    shutil.copy(tmp_path / "li.key.pub", tmp_path / "keys/reviewer/li.pub")
    assert files_level(copy, read_trusted(tmp_path / "keys")).holds
    assert not files_level(sealed.run, read_trusted(tmp_path / "keys")).holds


@pytest.mark.parametrize("kernel", ["--rerun", "--cold"])
def test_a_run_comes_out_again_in_another_world(kernel, sealed, tmp_path):
    """Other hash seed, zone, locale, HOME, working folder, threads and umask: the same bytes."""
    env = {
        "PYTHONHASHSEED": "7",
        "TZ": "America/New_York",
        "LC_ALL": "C",
        "HOME": str(tmp_path),
        "OMP_NUM_THREADS": "8",
    }
    before = os.umask(0o077)
    try:
        done = subprocess.run(
            [BIN / "reportkit", "verify", sealed.run, kernel, "--json"],
            cwd=sealed.project,
            env=os.environ | env,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        os.umask(before)
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(done.stdout)
    assert levels(document)["rerun"] == []
    forked = "executed in a kernel forked from a warm process"
    executed = {"--rerun": forked, "--cold": "executed in a cold kernel"}[kernel]
    assert document["runs"][0]["levels"][-1]["notes"] == [
        executed,
        "facts, evidence, notebook and documents came out the same",
    ]


def test_a_rerun_names_the_cell_and_the_document(sealed, copy):
    change_values(copy / "report.html", "总体情况", "总体状况", count=-1)
    notebook = json.loads((copy / "report.ipynb").read_bytes())
    number = [cell["id"] for cell in notebook["cells"]].index("publications") + 1
    notebook["cells"][number - 1]["source"] += "\n# another"
    (copy / "report.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    assert list(compare(copy, sealed.run)) == [
        f"report.ipynb: cell {number} (publications) comes out otherwise",
        "report.html comes out with other bytes",
    ]


def test_a_rerun_wants_the_recorded_inputs(sealed, tmp_path):
    for name in ("params", "data", "notebooks"):
        shutil.copytree(sealed.project / name, tmp_path / name)
    change_values(tmp_path / "params/reports/pingtan/2021.md", "主动公开", "主动地公开")
    (tmp_path / "params/facts/documents.yaml").unlink()
    verdict = rerun_level(sealed.run, data=tmp_path / "data", params=tmp_path / "params")
    assert verdict.findings == (
        "params/facts/documents.yaml is not here",
        "params/reports/pingtan/2021.md is not what the run read",
    )


def test_a_folder_of_outputs_is_sampled(sealed, tmp_path):
    for name in ("one", "two"):
        shutil.copytree(sealed.project / "outputs", tmp_path / name, symlinks=True)
    status, result, _ = command("verify", tmp_path, "--sample", 1, "--data", tmp_path)
    assert status == 0, result
    assert sorted(len(run["levels"]) for run in result["runs"]) == [1, 5]
    assert len(result["sampled"]) == 1


def test_many_runs_are_verified_by_several_processes(sealed, tmp_path):
    for number in range(12):
        place = tmp_path / f"outputs/copy{number:02}"
        shutil.copytree(sealed.project / "outputs", place, symlinks=True)
    name = "pingtan/2021/current"
    change_values(tmp_path / f"outputs/copy07/{name}/checks.json", "true", "false")
    data = sealed.project / "data"
    done = sealed.reportkit(
        "verify", tmp_path / "outputs", "--sample", 2, "--data", data, "--keys", sealed.keys
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 1, done.stderr
    assert [line for line in lines if "DOES NOT" in line] == [
        f"pingtan 2021, run {sealed.run.name}, {tmp_path}/outputs/copy07/{name}: DOES NOT HOLD"
    ]
    assert "    - checks.json was changed" in lines
    assert lines[-1] == "11 of 12 runs hold; 2 were looked into, of all the files"
    assert len(lines) == 12 + 2 + 1
    none = sealed.reportkit("verify", tmp_path / "outputs", "--keys", tmp_path)
    assert none.returncode == 2
    assert "holds no public key" in none.stderr


def test_the_four_sample_reports_hold_at_every_level(tmp_path):
    """Made by a batch and verified by its command, from our own folders."""
    out = tmp_path / "outputs"
    made, batch, _ = command("batch", "--out", out)
    assert made == 0, batch
    status, result, _ = command("verify", out)
    assert status == 0, result
    found = {
        f"{run['district']} {run['year']}": {one["level"]: one["holds"] for one in run["levels"]}
        for run in result["runs"]
    }
    names = ("huli 2020", "pingtan 2019", "pingtan 2020", "pingtan 2021")
    assert found == {name: dict.fromkeys(LEVELS, True) for name in names}
