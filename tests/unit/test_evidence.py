"""Evidence written and read back: rows of facts, places of records, scripts for the audit page."""

import json
from dataclasses import replace
from decimal import Decimal
from io import BytesIO

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shipped import SCHEMAS

from reportkit.errors import ReportkitError
from reportkit.evidence.check import check_evidence
from reportkit.evidence.digests import record_columns
from reportkit.evidence.read import read_facts, read_records, read_source_rows
from reportkit.evidence.rows import FactRows, rows_from, rows_of, steps
from reportkit.evidence.scripts import read_rows
from reportkit.evidence.seal import seal_rows, unseal_rows
from reportkit.evidence.write import evidence_files, write_evidence
from reportkit.export.blocks import block, from_notebook, packed
from reportkit.facts import Fact
from reportkit.ledgers import Ledger
from reportkit.ledgers.records import Source


def ledger(key, count, sheet=None):
    """So many records of a key and a number, one of them with all that a script must escape."""
    schema = SCHEMAS[key]
    names = [f"{key}-{number}" for number in range(count)]
    names[0] += """'"\\</script>\u202e"""
    frame = pd.DataFrame({schema.key_column: names} | dict.fromkeys(record_columns(schema)[1:]))
    source = Source(f"data/x/{key}.csv", "ab" * 32, 1, "csv", "utf-8", sheet, count, {})
    lines = np.arange(2, count + 2, dtype=np.int32)
    return Ledger(key, schema, frame, (source,), np.zeros(count, np.int16), lines)


def rows(key, *numbers, subtracted=0):
    return FactRows(key, np.array(numbers, np.int64), subtracted)


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=50))
def test_any_rows_come_back_from_their_steps(numbers):
    assert rows_from(steps(np.array(numbers, np.int64))).tolist() == numbers


@pytest.fixture
def run(tmp_path):
    """Evidence of two ledgers: 湖里's way of rows that are added, and of some that are taken."""
    held = {
        "t3.new.total": rows("applications", 0, 1, 2, 4500),
        "t2.items.change": rows("items", 3, 4, 1, subtracted=1),
    }
    ledgers = {"applications": ledger("applications", 5000), "items": ledger("items", 6, "表")}
    write_evidence(tmp_path / "evidence", held, ledgers, key=None)
    return tmp_path


def test_rows_of_facts_are_read_back(run):
    held = read_facts(run)
    assert {
        name: (one.ledger, one.rows.tolist(), one.subtracted) for name, one in held.items()
    } == {
        "t3.new.total": ("applications", [0, 1, 2, 4500], 0),
        "t2.items.change": ("items", [3, 4, 1], 1),
    }


def test_the_records_of_a_fact_are_found_with_their_places(run):
    found = read_source_rows(run, {"id": "t2.items.change", "ledger": "items"}).to_pylist()
    assert [(one["row"], one["line"], one["key"], one["sign"]) for one in found] == [
        (3, 5, "items-3", 1),
        (4, 6, "items-4", 1),
        (1, 3, "items-1", -1),
    ]
    assert {(one["file"], one["sheet"]) for one in found} == {("data/x/items.csv", "表")}
    assert read_records(run, "applications").num_rows == 5000
    nothing = read_source_rows(run, {"id": "none", "ledger": "items"})
    assert nothing.num_rows == 0


def test_scripts_give_cells_back_whatever_is_written_in_them(run):
    cells = read_rows(run / "evidence", "applications", [4500, 0])
    assert cells == {
        0: {"登记号": """applications-0'"\\</script>〈U+202E〉"""},
        4500: {"登记号": "applications-4500"},
    }
    assert b"</script>" not in b"".join(p.read_bytes() for p in (run / "evidence").glob("*.js"))


@pytest.mark.parametrize(("count", "files"), [(2_000, 4), (49_000, 16), (200_000, 18)])
def test_evidence_is_at_most_twenty_files(count, files):
    held = {"x": rows("decisions", *range(count))}
    made = dict(evidence_files(held, {"decisions": ledger("decisions", count)}, key=None))
    assert len(made) == files
    index = json.loads(made["facts.js"][len(b"RK.facts(") : -len(b");\n")])
    assert len(index["parts"]["decisions"]) == -(-count // 2000)
    for part, name in index["parts"]["decisions"].items():
        assert f'RK.rows("decisions",{part},'.encode() in made[f"{name}.js"]


def test_evidence_is_the_same_bytes_where_names_stand_twice():
    """Facts of one ledger, and sheets of one file, share a name."""
    one = ledger("decisions", 4, "表")
    twice = replace(one, sources=one.sources * 3, source_of=np.array([0, 1, 2, 2], np.int16))
    held = {name: rows("decisions", 0, 1, 3) for name in "abcdefgh"}
    made = [dict(evidence_files(held, {"decisions": twice}, key=None)) for _ in range(30)]
    assert made == made[:1] * 30
    # Each name is there once, and nothing behind it.
    for name, columns in (("facts", ("fact", "ledger")), ("records", ("file", "sheet"))):
        table = pq.read_table(BytesIO(made[0][f"{name}.parquet"]), read_dictionary=columns)
        for column in columns:
            names = table[column].combine_chunks().dictionary.to_pylist()
            assert len(names) == len(set(names))


def test_what_disagrees_with_its_evidence_is_reported(run):
    fact = {
        "id": "t3.new.total",
        "origin": "ledger",
        "ledger": "applications",
        "value": "4",
        "rows": 4,
        "rows_sha256": "other",
        "evidence": "evidence/facts.parquet",
        "where": [{"sign": "+"}],
    }
    other = fact | {"id": "t2.items.change", "value": "2", "ledger": "items"}
    assert check_evidence(run, {"t3.new.total": fact, "t2.items.change": other}) == [
        "t3.new.total: its evidence holds 4 rows, not the 4 that it says",
        "t2.items.change: its evidence holds 3 rows, not the 4 that it says",
        "t2.items.change is 2, its evidence counts 1",
    ]
    assert check_evidence(run, {"t3.new.total": fact})[0] == (
        "the evidence holds rows of t2.items.change, which is no fact"
    )


@pytest.mark.parametrize(
    "spoil",
    [lambda path: path.unlink(), lambda path: path.write_bytes(b"?")],
    ids=["gone", "no-parquet"],
)
def test_evidence_that_cannot_be_read_is_reported_as_such(run, spoil):
    spoil(run / "evidence/facts.parquet")
    with pytest.raises(ReportkitError, match=r"facts\.parquet is not as this version writes it"):
        check_evidence(run, {})


def test_a_row_that_no_ledger_has_is_refused(run):
    path = run / "evidence/facts.parquet"
    table = pq.read_table(path).to_pandas().assign(row=-1)
    table.to_parquet(path)
    with pytest.raises(ReportkitError, match="-1 is no row"):
        read_facts(run)


def counted(name, *numbers):
    return Fact(
        name,
        name,
        Decimal(len(numbers)),
        "件",
        "ledger",
        "",
        ledger="items",
        rows=np.array(numbers, np.int64),
        where=({"sign": "+", "all": [{"column": "种类"}]},),
    )


def test_a_seal_holds_rows_of_what_the_notebook_made():
    sealed = seal_rows({"own.a": counted("own.a", 7, 8, 9), "own.b": counted("own.b")})
    assert sealed == {"own.a": {"ledger": "items", "steps": "7,1x2", "subtracted": 0}}
    (held,) = unseal_rows(sealed).values()
    assert (held.ledger, held.rows.tolist()) == ("items", [7, 8, 9])


def test_facts_of_a_seal_come_back_as_they_were():
    facts = [counted(f"own.{number}", *range(number)).as_json() for number in range(5)]
    facts[4] |= {"origin": "sum", "sum_of": ["own.1", "own.3", "not.there"]}
    for document in ({"year": 2020, "facts": facts}, {"year": 2020, "facts": []}):
        shown = packed(block("seal", facts=document))
        assert isinstance(shown["facts"]["facts"], str)
        notebook = {
            "cells": [{"outputs": [{"data": {"application/vnd.reportkit.block+json": shown}}]}]
        }
        (back,) = from_notebook(json.loads(json.dumps(notebook)))
        assert back["facts"] == document


def test_facts_without_rows_have_no_evidence():
    assert rows_of({"a": counted("a"), "b": counted("b", 3)}).keys() == {"b"}
