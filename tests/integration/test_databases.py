"""Ledgers from databases: real servers (tests/databases.py) hold the records of 湖里 2020."""

import hashlib
import json
import re
import subprocess
import sys
import traceback
from pathlib import Path

import nbformat
import pytest
from commands import papermill, reportkit
from databases import project
from shipped import ZFXXGK

from reportkit.errors import ExecutionError, InputError
from reportkit.facts import facts_bytes
from reportkit.ledgers import database, read_ledger, read_ledgers, sessions
from reportkit.notebook.report import open_report
from reportkit.run.request import Request
from reportkit.run.run import run

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data"
# SQLAlchemy leaves the cursor of a failed statement to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore:<psycopg.ServerCursor:ResourceWarning"),
    pytest.mark.usefixtures("password"),
]


def values(report):
    return {fact["id"]: fact["value"] for fact in report.facts_document()["facts"]}


# --- the same facts ---


def test_the_same_facts_as_from_files_in_any_physical_order(server, tmp_path):
    files = open_report("huli", 2020, params=ROOT / "params", data=DATA)
    reports = []
    for suffix in ("", "_mixed"):
        (tmp_path / f"p{suffix}").mkdir()
        params = project(tmp_path / f"p{suffix}", server.ledgers(suffix))
        reports.append(open_report("huli", 2020, params=params, data=DATA))
    first, mixed = reports
    assert values(first) == values(files)
    assert values(first)["t3.new.total"] == "76"
    assert facts_bytes(first.facts_document()) == facts_bytes(mixed.facts_document())
    for key in server.ledgers():
        (one,), (other,) = first.ledgers[key].sources, mixed.ledgers[key].sources
        assert one.sha256 == other.sha256
        assert one.format == "sql"
        assert one.rows == files.ledgers[key].read
        assert first.ledgers[key].place(0) == (one.path, "1")
    assert len(first.ledgers["decisions"].frame) > 30_000


def test_values_are_written_as_readers_of_files_write_them(server):
    table = server.read()
    cells = {name: column.to_pylist() for name, column in table.columns.items()}
    assert "内部备注" not in cells
    assert all(re.fullmatch(r"20\d\d-\d\d-\d\d", day) for day in cells["收到日期"])
    assert cells["登记号"] == sorted(cells["登记号"])
    assert table.lines.tolist() == list(range(1, len(cells["登记号"]) + 1))
    flags = set(server.read("decisions", "decisions").columns["是否公开"].to_pylist())
    assert flags <= {"是", "否", "0", "1", None}
    # The digest is that of the ordered records.
    lines = [list(cells), *map(list, zip(*cells.values(), strict=True))]
    text = "".join(json.dumps(x, ensure_ascii=False, separators=(",", ":")) + "\n" for x in lines)
    assert (table.sha256, table.bytes) == (
        hashlib.sha256(text.encode()).hexdigest(),
        len(text.encode()),
    )


def test_a_select_gives_the_same_ledger_as_its_table(server):
    select = (
        f"-- 100% of them; all: :of\nWITH a AS (SELECT * FROM applications_mixed)\n"
        f"SELECT a.* FROM a WHERE {server.quote('登记号')} <> '; %s :x' -- the end"
    )
    table = server.read(None, select=select)
    assert table.sha256 == server.read().sha256
    assert re.search(r"#select-[0-9a-f]{8}$", table.path)


def test_columns_may_have_english_names_and_times_and_gaps(server):
    zoned = {
        "postgresql": "TIMESTAMP WITH TIME ZONE '2020-03-01 20:00:00+00'",
        "mysql": "CAST('2020-03-02 04:00:00' AS DATETIME)",
        "sqlite": "'2020-03-02 04:00:00'",
        "duckdb": "TIMESTAMPTZ '2020-03-01 20:00:00+00'",
    }[server.kind]
    amount = "12.5" if server.kind == "sqlite" else "CAST(12.50 AS DECIMAL(10, 2))"
    select = (
        f"SELECT '0012' AS receipt_number, 'NA' AS item_code, {zoned} AS charged_date, "
        f"{amount} AS amount UNION ALL SELECT '1', '', NULL, 100"
    )
    cells = {n: c.to_pylist() for n, c in server.read(None, "fees", select=select).columns.items()}
    assert cells["receipt_number"] == ["0012", "1"]
    assert cells["item_code"] == ["NA", ""]
    assert cells["charged_date"] == ["2020-03-02 04:00:00", None]
    assert [float(amount) for amount in cells["amount"]] == [12.5, 100]


# --- one snapshot ---


def between(monkeypatch, action):
    """Do something after the first statement of a reading, and before the second."""
    asked = database.map_headings

    def then(*arguments):
        action()
        return asked(*arguments)

    monkeypatch.setattr(database, "map_headings", then)


def test_a_change_between_two_statements_is_not_seen(server, monkeypatch):
    server.load("procurement", "moving")
    before = server.read("moving", "procurement")
    amount, key = server.quote("合同金额（元）"), before.columns["项目编号"][0]
    update = f"UPDATE moving SET {amount} = 7 WHERE {server.quote('项目编号')} = '{key}'"
    done = []

    def change():
        if server.kind == "duckdb":
            # While it is read, no other process can open the file for writing.
            command = [sys.executable, "-c", f"__import__('duckdb').connect({str(server.path)!r})"]
            tried = subprocess.run(command, capture_output=True, text=True, check=False)
            assert "lock" in tried.stderr
        else:
            server.run(update)
        done.append(True)

    with monkeypatch.context() as patched:
        between(patched, change)
        assert server.read("moving", "procurement").sha256 == before.sha256
    assert done == [True]
    server.run(*[update] * (server.kind == "duckdb"))
    assert server.read("moving", "procurement").sha256 != before.sha256
    server.run("DROP TABLE moving")


@pytest.mark.parametrize("server", ["postgres", "duck"], indirect=True)
def test_a_select_that_deletes_is_refused(server):
    deletes = "WITH gone AS (DELETE FROM procurement RETURNING *) SELECT * FROM gone"
    with pytest.raises(InputError) as error:
        server.read(None, "procurement", select=deletes)
    assert error.value.reason == "ledger-source"
    assert len(server.read("procurement", "procurement").lines) > 0


# --- what goes wrong ---


def test_a_missing_table_names_the_nearest(server):
    with pytest.raises(InputError, match="there is no table 'applicants'; nearest: app") as error:
        server.read("applicants")
    assert error.value.reason == "ledger-missing"
    assert error.value.fields["ledger"] == "applications"


def test_a_missing_column_names_the_nearest(server):
    names = ", ".join(map(server.quote, ("项目编号", "组织形式", "合同签订日期")))
    select = f"SELECT {names}, 1 AS {server.quote('合同金额')} FROM procurement"
    with pytest.raises(InputError, match=r"项目名称.*合同金额（元） \(nearest: 合同金额") as error:
        server.read(None, "procurement", select=select)
    assert error.value.reason == "ledger-column"


def test_a_wrong_select_tells_what_the_database_says(server):
    with pytest.raises(InputError, match=r"nowhere|no such") as error:
        server.read(None, select="SELECT * FROM nowhere")
    assert error.value.reason == "ledger-source"


def test_bytes_are_refused_and_not_guessed(server):
    data = {
        "postgresql": "'\\x01'::bytea",
        "mysql": "CAST('a' AS BINARY)",
        "sqlite": "x'01'",
        "duckdb": "'a'::BLOB",
    }[server.kind]
    select = (
        f"SELECT {data} AS receipt_number, 'a' AS item_code, '2020-01-01' AS charged_date, "
        "1 AS amount"
    )
    with pytest.raises(InputError, match="'receipt_number' holds bytes; write a select"):
        server.read(None, "fees", select=select)
    code = {"mysql": "CHAR(7 USING utf8mb4)", "sqlite": "CHAR(7)"}.get(server.kind, "CHR(7)")
    with pytest.raises(InputError, match="'receipt_number' holds control characters"):
        server.read(None, "fees", select=select.replace(data, code))


def test_numbers_of_single_precision_are_refused(server):
    amount = {
        "postgresql": "1234567.89::real",
        "mysql": "CAST(1234567.89 AS FLOAT)",
        "sqlite": "CAST(1234567.89 AS REAL)",
        "duckdb": "1234567.89::FLOAT",
    }[server.kind]
    select = (
        "SELECT 'a' AS receipt_number, 'a' AS item_code, '2020-01-01' AS charged_date, "
        f"{amount} AS amount"
    )
    if server.kind == "sqlite":  # whose REAL is of double precision
        amounts = server.read(None, "fees", select=select).columns["amount"]
        assert amounts.to_pylist() == ["1234567.89"]
        return
    with pytest.raises(InputError, match="'amount' is a number of single precision"):
        server.read(None, "fees", select=select)


def test_a_connection_lost_on_the_way_is_made_again(postgres, monkeypatch):
    monkeypatch.setattr(database, "_PAUSES", (0, 0))
    times = []

    def cut():
        times.append(1)
        if len(times) < 3:
            postgres.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader'"
            )

    between(monkeypatch, cut)
    assert len(postgres.read("procurement", "procurement").lines) > 0
    assert len(times) == 3
    between(monkeypatch, lambda: (times.clear(), cut()))
    with pytest.raises(InputError, match="tried 3 times") as error:
        postgres.read("procurement", "procurement")
    assert error.value.reason == "ledger-source"


def test_a_slow_statement_is_ended(postgres, monkeypatch):
    begin = (*sessions._BEGIN["postgresql"], "SET LOCAL statement_timeout = 200")
    monkeypatch.setitem(sessions._BEGIN, "postgresql", begin)
    select = (
        "SELECT '1' AS receipt_number, 'a' AS item_code, '2020-01-01' AS charged_date, "
        "1 AS amount FROM pg_sleep(60)"
    )
    with pytest.raises(InputError, match="statement timeout") as error:
        postgres.read(None, "fees", select=select)
    assert error.value.reason == "ledger-source"


def test_a_cell_in_a_database_message_is_not_repeated(postgres):
    select = (
        "SELECT '1' AS receipt_number, 'a' AS item_code, CAST(who AS DATE) AS charged_date, "
        "1 AS amount FROM (SELECT CAST('金丝雀' AS TEXT) AS who) AS people"
    )
    with pytest.raises(InputError, match=r"DataError|InvalidDatetimeFormat") as error:
        postgres.read(None, "fees", select=select)
    assert "金丝雀" not in str(error.value)


# --- the password ---


@pytest.mark.parametrize("server", ["postgres", "mariadb"], indirect=True)
def test_a_refused_password_is_tried_once_and_never_shown(server, monkeypatch):
    monkeypatch.setattr(database.time, "sleep", lambda seconds: None if not seconds else 1 / 0)
    monkeypatch.setenv("OA_PASSWORD", "Falsch-4711-秘密")
    with pytest.raises(InputError, match="reader") as error:
        server.read()
    chain = traceback.TracebackException.from_exception(error.value, capture_locals=True)
    assert "Falsch-4711-秘密" not in "".join(chain.format())
    assert error.value.reason == "ledger-source"
    monkeypatch.delenv("OA_PASSWORD")
    with pytest.raises(InputError, match="export OA_PASSWORD"):
        server.read()


def test_no_output_of_a_run_holds_the_password(postgres, password, tmp_path):
    postgres.load("applications", "applications_run")
    ledgers = postgres.ledgers()
    ledgers["applications"]["table"] = "applications_run"
    params = project(tmp_path, ledgers)
    folders = ["--params", params, "--data", DATA]
    run = ["run", "huli", "2020", *folders, "--out", tmp_path / "out", "--json"]
    done = reportkit(*run, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["unchanged"] is False
    messages = [done.stdout, done.stderr]
    current = tmp_path / "out/huli/2020/current"
    (entry,) = [
        one
        for one in json.loads((current / "MANIFEST.json").read_text("utf-8"))["inputs"]
        if one["path"].endswith("#applications_run")
    ]
    assert entry == {
        "path": "postgresql:///postgres#applications_run",
        "name": "postgresql:///postgres#applications_run",
        "sha256": postgres.read("applications_run").sha256,
        "bytes": None,
        "modified": None,
    }
    # Nothing has changed: not made again. A record changes: made again.
    again = reportkit(*run, cwd=ROOT)
    assert json.loads(again.stdout)["unchanged"] is True
    postgres.run("""UPDATE applications_run SET "所需信息" = '别的'""")
    anew = reportkit(*run, cwd=ROOT)
    assert json.loads(anew.stdout)["unchanged"] is False

    # A failure inside the kernel, with the traceback in the notebook, and on the command.
    wrong = {"OA_PASSWORD": "wrong-" + password}
    failed = papermill(
        ROOT / "notebooks/annual_report.ipynb",
        tmp_path / "out/failed.ipynb",
        cwd=tmp_path,
        env=wrong,
        district="huli",
        year=2020,
        params=params,
        data=DATA,
    )
    assert failed.returncode != 0
    assert "ledger-source" in (tmp_path / "out/failed.ipynb").read_text(encoding="utf-8")
    intake = reportkit("intake", "huli", "2020", *folders, cwd=ROOT, env=wrong, status=2)
    assert "ledger-source" in intake.stdout
    for process in (again, anew, failed, intake):
        messages += [process.stdout, process.stderr]
    messages += [json.dumps(text) for text in messages]
    spelt = [password, json.dumps(password)[1:-1]]
    assert not [text for text in messages for word in spelt if word in text]
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [word for word in spelt if word.encode() in content], path


def test_records_that_change_during_the_run_stop_it(postgres, tmp_path):
    postgres.load("procurement", "live")
    params = project(
        tmp_path, {"procurement": postgres.ledgers()["procurement"] | {"table": "live"}}
    )
    notebook = nbformat.read(ROOT / "notebooks/annual_report.ipynb", as_version=4)
    host = postgres.engine.url.query["host"]
    code = (
        "import psycopg\n"
        f"with psycopg.connect(host={host!r}, user='owner', dbname='postgres',\n"
        "                     password=__import__('os').environ['OA_PASSWORD']) as c:\n"
        "    _ = c.execute('UPDATE live SET \"项目名称\" = \\'X\\'')\n"
    )
    notebook.cells.insert(-1, nbformat.v4.new_code_cell(code, id="change"))
    nbformat.write(notebook, tmp_path / "changing.ipynb")
    with pytest.raises(ExecutionError, match=r"postgresql:///postgres#live changed") as error:
        run(
            Request(
                "huli",
                2020,
                params=params,
                data=DATA,
                out=tmp_path / "out",
                notebook=tmp_path / "changing.ipynb",
            )
        )
    assert error.value.reason == "input-changed"
    assert not (tmp_path / "out/huli/2020/current").exists()


def test_intake_goes_on_after_a_table_that_is_not_there(postgres, tmp_path):
    ledgers = postgres.ledgers()
    ledgers["decisions"]["table"] = "nothing_like_it"
    params = project(tmp_path, {key: ledgers[key] for key in ("procurement", "decisions")})
    read_them, problems = read_ledgers("huli", 2020, params=params, data=DATA)
    assert [problem.reason for problem in problems] == ["ledger-missing"]
    assert {"procurement", "applications"} <= set(read_them)


def test_files_and_tables_together_are_one_ledger(sqlite, tmp_path):
    text = "项目编号,项目名称,组织形式,合同签订日期,合同金额（元）\nn1,A,分散采购,2021-01-05,3.50\n"
    (tmp_path / "procurement-2021.csv").write_text(text, encoding="utf-8")
    asked = [tmp_path / "procurement-2021.csv", sqlite.source("procurement")]
    ledger = read_ledger(ZFXXGK, "procurement", asked)
    assert [one.format for one in ledger.sources] == ["csv", "sql"]
    assert ledger.read == 1 + ledger.sources[1].rows
    assert ledger.sources[1].headings["项目编号"] == "项目编号"
