"""One fact of a run explained; the runs are made without a kernel."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from reportkit import open_report
from reportkit.cli import cli
from reportkit.evidence.rows import rows_of
from reportkit.evidence.write import write_evidence
from reportkit.facts import facts_bytes
from reportkit.proof.manifest import digest

ROOT = Path(__file__).parents[2]
FOLDERS = {"params": ROOT / "params", "data": ROOT / "data"}


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """Facts and evidence of 平潭 2020 and 2021, laid out like runs."""
    out = tmp_path_factory.mktemp("outputs")
    for year in (2020, 2021):
        report = open_report("pingtan", year, **FOLDERS)
        shown = report.seal()
        folder = out / f"pingtan/{year}/runs/1"
        folder.mkdir(parents=True)
        (folder / "facts.json").write_bytes(facts_bytes(shown.block["facts"]))
        cell = {"outputs": [{"data": shown._repr_mimebundle_()}]}
        (folder / "report.ipynb").write_text(json.dumps({"cells": [cell]}), encoding="utf-8")
        write_evidence(folder / "evidence", rows_of(report.facts), report.ledgers, key=None)
        sums = [f"{digest(folder / name)}  {name}\n" for name in ("facts.json", "report.ipynb")]
        (folder / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")
        (folder.parents[1] / "current").symlink_to("runs/1")
    return out


def explain(out, *arguments):
    command = ["explain", *arguments, "--out", out, "--params", ROOT / "params"]
    return CliRunner().invoke(cli, [str(argument) for argument in command])


def explanation(out, *arguments):
    done = explain(out, *arguments, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_a_counted_fact(out):
    fact = explanation(out, "t3.new.natural_person", "--run", "pingtan/2021")
    assert fact["value"] == "64"
    assert fact["conditions"] == ["收到日期在2021年内", "申请人类型为“自然人”"]
    assert fact["appears"] == ["表3 收到和处理政府信息公开申请情况"]
    assert len(fact["source_rows"]) == 64
    row = fact["source_rows"][0]
    assert row["file"] == "data/pingtan/applications-2021.parquet"
    assert list(row["cells"]) == ["登记号", "申请人类型", "收到日期"]
    assert row["cells"]["申请人类型"] == "自然人"
    assert row["cells"]["收到日期"].startswith("2021-")


def test_last_years_value_is_that_of_the_run_beside_it(out):
    last = explanation(out, "t3.new.total", "--run", "pingtan/2021")["last_year"]
    # The ledgers of 2020 give 27, the published report 21: the run is what counts.
    assert (last["year"], last["origin"], last["value"]) == (2020, "run", "27")
    assert (last["change"], last["text"]) == ("43", "比上年增加43件（增长159.3%）")


def test_without_a_run_last_years_value_is_the_published_one(out, tmp_path):
    copy = tmp_path / "pingtan/2021/runs/1"
    shutil.copytree(out / "pingtan/2021/runs/1", copy)
    last = explanation(out, "t3.new.total", "--run", copy)["last_year"]
    assert (last["origin"], last["value"]) == ("published", "21")
    assert last["source"] == "reports/pingtan/2020.published.json"


def test_a_cell_that_last_years_form_did_not_have(out):
    last = explanation(out, "t2.fees.amount_wan", "--run", "pingtan/2021")["last_year"]
    assert (last["origin"], last["value"], last["text"]) == ("run", None, None)


def test_a_sum_names_its_parts(out):
    fact = explanation(out, "t4.review.total", "--run", "pingtan/2021")
    assert [part["id"] for part in fact["parts"]] == [
        f"t4.review.{column}" for column in ("maintain", "correct", "other", "pending")
    ]
    assert sum(int(part["value"]) for part in fact["parts"]) == int(fact["value"])


def test_text_reads_well(out):
    lines = explain(out, "t3.new.total", "--run", "pingtan/2021").stdout.splitlines()
    assert lines[:7] == [
        "t3.new.total  一、本年新收政府信息公开申请数量/申请人情况/总计",
        "  value       70 件",
        "  last year   27 件, 比上年增加43件（增长159.3%） (run of 2020)",
        "  definition  6项之和",
        "  appears in  表3 收到和处理政府信息公开申请情况",
        "              第一部分 总体情况",
        "  parts",
    ]
    assert lines[-1] == "    … and 3 that are 0"


def test_columns_stand_below_each_other_where_characters_are_wide(out):
    text = explain(out, "t2.permits.items_change", "--run", "pingtan/2020").stdout
    heading, *rows, more = text[text.index("\n\n") + 2 :].splitlines()
    assert more == "  … and 392 more rows; --json lists all"

    def column(line, part):
        return len(line[: line.index(part)].encode("gbk"))

    assert len(rows) == 50
    assert {column(row, "data/") for row in rows} == {column(heading, "file")}


def test_a_declared_fact_says_who_stated_it_and_when(out):
    text = explain(out, "media.closed", "--run", "pingtan/2021").stdout
    assert "  source      已公布的2021年度报告一\n" in text
    assert "  stated      平潭综合实验区管委会办公室，2022-02-08\n" in text


def test_a_label_is_looked_up(out):
    matches = explanation(out, "予以公开", "--run", "pingtan/2021")["matches"]
    assert {match["id"].rpartition(".")[0] for match in matches} == {"t3.granted"}
    assert len(matches) == 7
    only = explanation(out, "关停政务", "--run", "pingtan/2021")
    assert only["id"] == "media.closed"


@pytest.mark.parametrize(
    ("name", "near"), [("t3.new.totl", "t3.new.total"), ("予已公开", "（一）予以公开")]
)
def test_what_is_not_there_names_what_is_near(name, near, out):
    done = explain(out, name, "--run", "pingtan/2021")
    assert done.exit_code == 2
    assert near in done.stderr


def test_one_of_several_runs_must_be_named(out):
    for arguments in ((), ("--run", "pingtan/2019")):
        done = explain(out, "t3.new.total", *arguments)
        assert done.exit_code == 2
        assert "there are: pingtan/2020, pingtan/2021" in done.stderr


def test_no_row_shows_a_person(out):
    """平潭's ledgers name 示例申请人 in every application."""
    for name in ("t3.new.natural_person", "t3.granted.natural_person"):
        assert "示例申请人" not in explain(out, name, "--run", "pingtan/2021", "--json").stdout
