"""Ledgers in databases, read again by `verify`: rows in any order, a changed one, none at all."""

import json

import pyarrow as pa
import pytest
from commands import reportkit
from databases import DATA, project
from shipped import ZFXXGK

from reportkit.evidence.digests import read_record, record_columns, row_digests
from reportkit.ledgers import read_ledger
from reportkit.proof.record import ledger_record
from reportkit.proof.recount.recount import changed_lines, count
from reportkit.proof.recount.sqlledger import ROW, SqlLedger, Wanted, read_again
from reportkit.proof.render import render_level
from reportkit.proof.verify import data_levels
from reportkit.worktime import work_calendar

pytestmark = pytest.mark.usefixtures("password")


def again(folder, ledger, source):
    """A ledger that was read from a database, as it is there now."""
    wanted = [Wanted(ZFXXGK, ledger_record(ledger, keyed=False), [source])]
    (found,) = read_again(folder, wanted, work_calendar(), data=DATA).values()
    return found


def same_records(ledger, raw):
    names = record_columns(ledger.schema)
    there = read_record(ledger.frame, ledger.schema)
    cells = ", ".join(f'CAST("{name}" AS VARCHAR) AS "{name}"' for name in names)
    query = f'SELECT "{ROW}", {cells} FROM {raw.table} ORDER BY "{ROW}"'
    here = raw.connection.sql(query).to_arrow_table()
    assert here[ROW].to_pylist() == ledger.frame.index.tolist()
    assert here.drop_columns([ROW]).to_pylist() == there.to_pylist()


@pytest.mark.parametrize("key", ["applications", "decisions", "procurement"])
def test_a_table_is_read_the_same_in_any_physical_order(key, server, tmp_path):
    ledger = read_ledger(ZFXXGK, key, [server.source(key)], data=DATA)
    for table in (key, f"{key}_mixed"):
        raw = again(tmp_path, ledger, server.source(table))
        assert isinstance(raw, SqlLedger), raw
        assert raw.changed == ()  # the digest of the ordered records, made once more
        same_records(ledger, raw)
    assert raw.place(0) == f"{ledger.sources[0].path}:1"


def test_times_with_a_zone_and_amounts_are_read_the_same(server, tmp_path):
    day = {
        "postgresql": "TIMESTAMP WITH TIME ZONE '2020-03-01 20:00:00+00'",
        "mysql": "CAST('2020-03-02 04:00:00' AS DATETIME)",
        "sqlite": "'2020-03-02 04:00:00'",
        "duckdb": "TIMESTAMPTZ '2020-03-01 20:00:00+00'",
    }[server.kind]
    amount = "12.5" if server.kind == "sqlite" else "CAST(12.50 AS DECIMAL(10, 2))"
    select = (
        f"SELECT '0012' AS receipt_number, 'NA' AS item_code, {day} AS charged_date, "
        f"{amount} AS amount UNION ALL SELECT '1', 'b', {day}, 100"
    )
    source = server.source(None, select=select)
    ledger = read_ledger(ZFXXGK, "fees", [source], data=DATA)
    raw = again(tmp_path, ledger, source)
    assert raw.changed == ()
    same_records(ledger, raw)
    where = [{"sign": "+", "measure": "sum", "column": "金额（元）", "all": []}]
    ((value, rows),) = count(raw, [{"id": "x", "where": where}])
    assert (value, rows.tolist()) == ("112.5", [0, 1])


def test_a_changed_record_is_named(server, tmp_path):
    server.load("procurement", "moved")
    source = server.source("moved")
    ledger = read_ledger(ZFXXGK, "procurement", [source], data=DATA)
    key = ledger.frame["项目编号"].iloc[3]
    amount, name = (server.quote(one) for one in ("合同金额（元）", "项目编号"))
    server.run(f"UPDATE moved SET {amount} = 7 WHERE {name} = '{key}'")
    raw = again(tmp_path, ledger, source)
    assert raw.changed == (ledger.sources[0].path,)
    shown = ledger.sources[0].path
    then = pa.table(
        {
            "file": [shown] * ledger.read,
            "sheet": [""] * ledger.read,
            "line": pa.array(ledger.line_of, pa.int64()),
            "digest": row_digests(read_record(ledger.frame, ledger.schema), None),
        }
    )
    result = changed_lines(raw, then, None)
    assert result == [f"{shown}:4: not the record that the run read"]


def test_a_database_run_is_verified_and_says_if_gone(postgres, tmp_path):
    postgres.load("applications", "proved")
    ledgers = postgres.ledgers()
    ledgers["applications"]["table"] = "proved"
    params = project(tmp_path, ledgers)
    folders = ["--params", params, "--data", DATA, "--out", tmp_path / "out", "--json"]
    reportkit("run", "huli", "2020", *folders, cwd=tmp_path, status=0)
    run = tmp_path / "out/huli/2020/current"
    done = reportkit("verify", run, *folders, cwd=tmp_path)
    (document,) = json.loads(done.stdout)["runs"]
    assert done.returncode == 0, document
    assert [level["holds"] for level in document["levels"]] == [True] * 5
    assert document["levels"][2]["notes"][0].endswith(
        "224 of 224 from ledgers counted again in SQL"
    )

    postgres.run("""UPDATE proved SET "申请人类型" = '科研机构' WHERE "登记号" =
                 (SELECT min("登记号") FROM proved WHERE "申请人类型" = '自然人')""")
    changed, moved = data_levels(run, data=DATA, params=params)
    assert changed.findings[0] == "postgresql:///postgres#proved is not what the run read"
    assert len(changed.findings) == 2
    assert changed.findings[1].endswith("not the record that the run read")
    names = {one.partition(" moved")[0] for one in moved.findings}
    assert any(name.endswith(".research") for name in names)
    assert not any(name.startswith(("t2.", "t4.")) for name in names)

    path = params / "districts/huli.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("host=", "host=/nowhere"), encoding="utf-8")
    gone, rest = data_levels(run, data=DATA, params=params)
    assert (gone.holds, gone.findings) == (None, ())
    assert sum("cannot be reached" in note for note in gone.notes) == 3
    assert (rest.holds, rest.findings) == (None, ())
    assert "ledgers counted again" in rest.notes[0]
    render = render_level(run, data=DATA, params=params)
    assert (render.holds, render.findings, render.needed) == (None, (), ())
