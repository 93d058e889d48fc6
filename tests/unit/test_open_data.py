"""The open-data folder: tidy CSV that reads back to the facts, described by CSVW."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import pytest
from csvw import TableGroup

from reportkit.export.document import arrange
from reportkit.export.opendata import METADATA, open_data

sample = SimpleNamespace(
    **run_path(str(Path(__file__).parents[1] / "data" / "blocks" / "sample.py"))
)


def blocks():
    made = sample.blocks()
    facts = made[-1]["facts"]["facts"]
    for fact in facts:
        fact["value"] = fact["value"].removesuffix("元")
    facts.append(facts[0] | {"id": "own.day", "value": "2020-08-19", "unit": "日期"})
    facts.append(facts[0] | {"id": "own.none", "value": "本年无答复", "unit": "%"})
    return made


@pytest.fixture
def folder(tmp_path):
    for name, body in open_data(arrange(sample.notebook(blocks()))):
        (tmp_path / name).write_bytes(body)
    return tmp_path


def rows(folder, name):
    return list(csv.DictReader(io.StringIO((folder / name).read_text(encoding="utf-8"))))


def test_facts_read_back_exactly(folder):
    facts = {fact["id"]: fact for fact in blocks()[-1]["facts"]["facts"]}
    found = {row["fact"]: row for row in rows(folder, "facts.csv")}
    assert list(found) == list(facts)
    for name, row in found.items():
        assert row["value"] + row["day"] + row["words"] == facts[name]["value"]
        assert (row["unit"], row["label"]) == (facts[name]["unit"], facts[name]["label"])
    assert (found["own.day"]["day"], found["own.none"]["words"]) == ("2020-08-19", "本年无答复")
    assert found["t3.new.total"]["last_year"] == "64"


@pytest.mark.parametrize(("table", "count"), [("t2", 22), ("t3", 161), ("t4", 15)])
def test_every_cell_of_a_table_is_one_row(folder, table, count):
    facts = {fact["id"]: fact["value"] for fact in blocks()[-1]["facts"]["facts"]}
    found = rows(folder, f"{table}.csv")
    assert len({row["fact"] for row in found}) == len(found) == count
    assert {row["fact"]: row["value"] for row in found} == {
        name: value for name, value in facts.items() if name.startswith(f"{table}.")
    }


def test_the_metadata_fit_the_files(folder):
    group = TableGroup.from_file(folder / METADATA)
    read = {table.url.string: list(table) for table in group.tables}
    for table in group.tables:
        table.check_primary_key()
    assert list(read) == ["facts.csv", "t2.csv", "t3.csv", "t4.csv"]
    (total,) = [row for row in read["t3.csv"] if row["fact"] == "t3.new.total"]
    assert (total["value"], total["column"]) == (Decimal(76), "申请人情况/总计")
    group.check_referential_integrity()
    titles = {c["name"]: c["titles"][1] for c in table_schema(folder)["columns"]}
    assert titles["last_year"] == "上年值"


def table_schema(folder):
    return json.loads((folder / METADATA).read_text(encoding="utf-8"))["tables"][0]["tableSchema"]


@pytest.mark.parametrize(
    ("name", "old", "new", "why"),
    [
        ("t3.csv", ",76,件", ",七十六,件", "invalid lexical value for decimal"),
        ("t4.csv", "t4.review.correct", "t4.review.maintain", "duplicate primary key"),
        ("t2.csv", "t2.regulations.made", "t2.nobody.made", "not found in table facts.csv"),
        ("facts.csv", "2020-08-19", "2020-02-30", "day is out of range"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(folder, name, old, new, why):
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_bytes(text.replace(old, new).encode())
    with pytest.raises(ValueError, match=why):
        test_the_metadata_fit_the_files(folder)


def test_a_draft_says_so():
    made = sample.blocks(draft=True)
    files = dict(open_data(arrange(sample.notebook(made))))
    assert json.loads(files[METADATA])["dc:description"].startswith("草稿")
