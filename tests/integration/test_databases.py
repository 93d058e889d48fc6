"""Ledgers from databases: real servers, started here, hold the records of 湖里 2020."""

import dataclasses
import gc
import hashlib
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback
from contextlib import closing
from pathlib import Path

import duckdb
import nbformat
import psycopg
import pymysql
import pytest
import yaml

from reportkit.errors import ExecutionError, InputError
from reportkit.execution.run import run
from reportkit.facts import facts_bytes
from reportkit.ledgers import (
    database,
    find_files,
    read_database,
    read_ledger,
    read_ledgers,
    schemas,
)
from reportkit.ledgers.readers import read_file
from reportkit.params import Project
from reportkit.report import open_report
from reportkit.sources import DatabaseSource

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
DATA = ROOT / "data"
CANARY = "Kanarien-4711-秘密"
WITH_DATABASES = ("applications", "decisions", "procurement")
# SQLAlchemy leaves the cursor of a failed statement to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:<psycopg.ServerCursor:ResourceWarning")
TYPES = {"date": "DATE", "integer": "INTEGER", "amount": "DECIMAL(18, 2)", "flag": "BOOLEAN"}


# --- servers ---


def program(name, package):
    """A server's program, installed if it is not there and that is possible."""
    folders = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/sbin")]
    for attempt in range(2):
        path = os.pathsep.join([*map(str, folders), os.environ.get("PATH", "")])
        if found := shutil.which(name, path=path):
            return found
        if attempt == 0 and os.getuid() == 0 and shutil.which("apt-get"):
            subprocess.run(["apt-get", "update", "-qq"], check=False, timeout=300)
            subprocess.run(
                ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package],
                env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"}, check=False, timeout=900,
                capture_output=True,
            )  # fmt: skip
            folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    message = f"{name} is not there; run: apt-get install {package}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
    return ""


def as_user(user):
    """How root runs a program as another user; servers refuse to be root."""
    return ["setpriv", "--reuid", user, "--regid", user, "--init-groups"] if not os.getuid() else []


@pytest.fixture(scope="module")
def folder():
    """A short path (socket names are limited) that the servers' users may enter."""
    path = Path(tempfile.mkdtemp(prefix="rk-db-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def owned(path, user):
    path.mkdir()
    if not os.getuid():
        shutil.chown(path, user, user)
    return path


class Postgres:
    kind = "postgresql"
    errors = psycopg.Error

    def __init__(self, folder):
        self.home = owned(folder / "pg", "postgres")
        initdb, self.ctl = program("initdb", "postgresql"), program("pg_ctl", "postgresql")
        secret = self.home / "password"
        secret.write_text(CANARY, encoding="utf-8")
        secret.chmod(0o644)
        data = self.home / "data"
        self.do(initdb, "-D", data, "-U", "owner", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
                "--auth=scram-sha-256", f"--pwfile={secret}")  # fmt: skip
        options = f"-c listen_addresses='' -c unix_socket_directories={self.home} -c fsync=off"
        self.do(self.ctl, "-D", data, "-w", "-l", self.home / "log", "-o", options, "start")
        self.run("CREATE ROLE reader LOGIN PASSWORD '" + CANARY + "' CONNECTION LIMIT 20")
        self.run("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO reader")

    def do(self, *command):
        # The server inherits the pipes; files do not keep us waiting for it.
        with (self.home.parent / "pg.out").open("w") as out:
            subprocess.run([*as_user("postgres"), *map(str, command)], check=True, stdout=out,
                           stderr=out, cwd="/", timeout=120)  # fmt: skip

    def connect(self):
        return psycopg.connect(
            host=str(self.home), user="owner", password=CANARY, dbname="postgres", autocommit=True
        )

    def run(self, *statements):
        with self.connect() as connection:
            for statement in statements:
                connection.execute(statement)

    def fill(self, table, names, rows):
        with self.connect() as connection, connection.cursor() as cursor:
            listed = ", ".join(f'"{name}"' for name in names)
            with cursor.copy(f'COPY "{table}" ({listed}) FROM STDIN') as copy:
                for row in rows:
                    copy.write_row(row)

    @property
    def url(self):
        return f"postgresql+psycopg://reader@/postgres?host={self.home}"

    def stop(self):
        self.do(self.ctl, "-D", self.home / "data", "-m", "immediate", "stop")


class MariaDB:
    kind = "mysql"
    errors = pymysql.Error

    def __init__(self, folder):
        self.home = owned(folder / "my", "mysql")
        server = program("mariadbd", "mariadb-server")
        install = program("mariadb-install-db", "mariadb-server")
        data, self.socket = self.home / "data", self.home / "s"
        user = [] if os.getuid() else ["--user=mysql"]
        subprocess.run(
            [install, "--no-defaults", *user, f"--datadir={data}", "--skip-test-db",
             "--auth-root-authentication-method=normal"],
            check=True, capture_output=True, timeout=120, cwd="/",
        )  # fmt: skip
        self.process = subprocess.Popen(
            [server, "--no-defaults", *user, f"--datadir={data}", f"--socket={self.socket}",
             "--skip-networking", f"--pid-file={self.home}/pid", "--innodb-buffer-pool-size=64M"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
        )  # fmt: skip
        until = time.monotonic() + 60
        while not self.socket.exists() and time.monotonic() < until:
            time.sleep(0.1)
        self.run(
            "CREATE DATABASE oa CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
            f"CREATE USER reader@localhost IDENTIFIED BY '{CANARY}'",
            "GRANT SELECT ON oa.* TO reader@localhost",
        )

    def connect(self, **more):
        return pymysql.connect(
            unix_socket=str(self.socket), user="root", autocommit=True, charset="utf8mb4", **more
        )

    def run(self, *statements):
        with self.connect() as connection, connection.cursor() as cursor:
            for statement in statements:
                if statement.startswith(("CREATE TABLE", "UPDATE", "DROP TABLE", "CREATE VIEW")):
                    connection.select_db("oa")
                    statement = statement.replace('"', "`")
                cursor.execute(statement)

    def fill(self, table, names, rows):
        with self.connect(database="oa") as connection, connection.cursor() as cursor:
            listed = ", ".join(f"`{name}`" for name in names)
            marks = ", ".join(["%s"] * len(names))
            cursor.executemany(f"INSERT INTO `{table}` ({listed}) VALUES ({marks})", rows)

    @property
    def url(self):
        return f"mysql+pymysql://reader@/oa?unix_socket={self.socket}"

    def stop(self):
        self.process.terminate()
        self.process.wait(60)


class SQLite:
    kind = "sqlite"
    errors = sqlite3.Error

    def __init__(self, folder):
        self.path = folder / "区 oa.db"
        self.run("PRAGMA journal_mode = WAL")

    def connect(self):
        return closing(sqlite3.connect(self.path, isolation_level=None))

    def run(self, *statements):
        with self.connect() as connection:
            for statement in statements:
                connection.execute(statement)

    def fill(self, table, names, rows):
        marks = ", ".join("?" * len(names))
        listed = ", ".join(f'"{name}"' for name in names)
        with self.connect() as connection:
            connection.execute("BEGIN")
            connection.executemany(f'INSERT INTO "{table}" ({listed}) VALUES ({marks})', rows)
            connection.execute("COMMIT")

    @property
    def url(self):
        return f"{self.kind}:///{self.path}"

    def stop(self):
        pass


class DuckDB(SQLite):
    kind = "duckdb"
    errors = duckdb.Error

    def __init__(self, folder):
        self.path = folder / "oa.duckdb"

    def connect(self):
        return closing(duckdb.connect(str(self.path)))

    def fill(self, table, names, rows):
        import pyarrow as pa

        cells = zip(*rows, strict=True)
        held = pa.table({name: list(cell) for name, cell in zip(names, cells, strict=True)})
        with self.connect() as connection:
            connection.register("held", held)
            listed = ", ".join(f'"{name}"' for name in names)
            connection.execute(f'INSERT INTO "{table}" ({listed}) SELECT {listed} FROM held')


@pytest.fixture(scope="module", params=[Postgres, MariaDB, SQLite, DuckDB], ids=lambda k: k.kind)
def server(request, folder):
    """A database with the records of 湖里 2020, once in file order and once shuffled."""
    made = request.param(folder)
    try:
        for key in WITH_DATABASES:
            load(made, key, key)
            load(made, key, f"{key}_mixed", mixed=True)
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def postgres(folder):
    (folder / "own").mkdir()
    made = Postgres(folder / "own")
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture(autouse=True)
def password(monkeypatch):
    monkeypatch.setenv("OA_PASSWORD", CANARY)
    yield
    gc.collect()


def load(server, key, table, *, mixed=False):
    """The records of a ledger's file as a table with typed columns and one that nobody knows."""
    schema = schemas()[key]
    (file,) = find_files(DATA / "huli", key)
    raw = read_file(file, schema, name=file.name)[0]
    names = list(raw.columns)
    known = {column.name: column for column in schema.columns}
    types = {name: TYPES.get(known[name].type) if name in known else None for name in names}
    frame = read_ledger(key, [file]).frame
    text = "VARCHAR(500)" if server.kind == "mysql" else "TEXT"
    server.run(
        f'CREATE TABLE "{table}" ("内部备注" {text}, '
        + ", ".join(f'"{name}" {types[name] or text}' for name in names)
        + ")"
    )
    columns = []
    for name in names:
        if types[name] is None:
            columns.append([cell or None for cell in raw.columns[name].to_pylist()])
        else:
            columns.append([plain(cell, server) for cell in frame[name]])
    rows = list(zip(*columns, strict=True))
    assert len(rows) == len(frame)
    if mixed:
        random.Random(7).shuffle(rows)
    server.fill(table, names, rows)


def plain(cell, server):
    """A value that the driver takes."""
    if str(cell) in ("None", "nan", "NaT", "<NA>"):
        return None
    if hasattr(cell, "date"):
        return cell.date().isoformat() if server.kind == "sqlite" else cell.date()
    if type(cell).__name__ in ("bool", "bool_"):
        return bool(cell)
    if type(cell).__name__ == "Decimal":
        return str(cell) if server.kind == "sqlite" else round(cell, 2)
    return int(cell)


def source(server, table="applications", **more):
    given = {"url": server.url, "table": table, "password_env": "OA_PASSWORD"} | more
    return DatabaseSource(**{name: value for name, value in given.items() if value is not None})


def read(server, table="applications", key="applications", **more):
    return read_database(source(server, table, **more), schemas()[key], key=key, data=DATA)


def project(folder, ledgers):
    """湖里's parameters with other ledger sources; the data folder is the project's own."""
    shutil.copytree(ROOT / "params", folder / "params")
    path = folder / "params/districts/huli.yaml"
    district = yaml.safe_load(path.read_text(encoding="utf-8")) | {"ledgers": ledgers}
    path.write_text(yaml.safe_dump(district, allow_unicode=True), encoding="utf-8")
    return folder / "params"


def tables(server, suffix=""):
    return {
        key: {"url": server.url, "table": key + suffix, "password_env": "OA_PASSWORD"}
        for key in WITH_DATABASES
    }


def values(report):
    return {fact["id"]: fact["value"] for fact in report.facts_document()["facts"]}


# --- the same facts ---


def test_the_same_facts_as_from_files_in_any_physical_order(server, tmp_path):
    files = open_report("huli", 2020, params=ROOT / "params", data=DATA)
    reports = []
    for suffix in ("", "_mixed"):
        (tmp_path / f"p{suffix}").mkdir()
        params = project(tmp_path / f"p{suffix}", tables(server, suffix))
        reports.append(open_report("huli", 2020, params=params, data=DATA))
    first, mixed = reports
    assert values(first) == values(files)
    assert values(first)["t3.new.total"] == "76"
    assert facts_bytes(first.facts_document()) == facts_bytes(mixed.facts_document())
    for key in WITH_DATABASES:
        (one,), (other,) = first.ledgers[key].sources, mixed.ledgers[key].sources
        assert one.sha256 == other.sha256
        assert one.format == "sql"
        assert one.rows == files.ledgers[key].read
        assert first.ledgers[key].place(0) == (one.path, "1")
    assert len(first.ledgers["decisions"].frame) > 30_000


def test_values_are_written_as_readers_of_files_write_them(server):
    table = read(server)
    assert "内部备注" not in table.columns
    days = set(table.columns["收到日期"].to_pylist())
    assert all(re.fullmatch(r"20\d\d-\d\d-\d\d", day) for day in days)
    keys = table.columns["登记号"].to_pylist()
    assert keys == sorted(keys)
    assert table.lines.tolist() == list(range(1, len(keys) + 1))
    flags = set(read(server, "decisions", "decisions").columns["是否公开"].to_pylist())
    assert flags <= {"是", "否", "0", "1", None}


def test_the_digest_is_that_of_the_ordered_records(server):
    table = read(server)
    rows = zip(*(column.to_pylist() for column in table.columns.values()), strict=True)
    lines = [list(table.columns), *map(list, rows)]
    text = "".join(json.dumps(x, ensure_ascii=False, separators=(",", ":")) + "\n" for x in lines)
    assert table.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert table.bytes == len(text.encode())


def test_a_select_gives_the_same_ledger_as_its_table(server):
    quote = "`" if server.kind == "mysql" else '"'
    select = (
        f"-- 100% of them; all: :of\nWITH a AS (SELECT * FROM applications_mixed)\n"
        f"SELECT a.* FROM a WHERE {quote}登记号{quote} <> '; %s :x' -- the end"
    )
    table = read(server, None, select=select)
    assert table.sha256 == read(server).sha256
    assert re.search(r"#select-[0-9a-f]{8}$", table.path)


def test_columns_may_have_english_names_and_times_and_gaps(server):
    zoned = {"postgresql": "TIMESTAMP WITH TIME ZONE '2020-03-01 20:00:00+00'",
             "mysql": "CAST('2020-03-02 04:00:00' AS DATETIME)", "sqlite": "'2020-03-02 04:00:00'",
             "duckdb": "TIMESTAMPTZ '2020-03-01 20:00:00+00'"}[server.kind]  # fmt: skip
    number = "CAST(12.50 AS DECIMAL(10, 2))"
    amount = {"sqlite": "12.5"}.get(server.kind, number)
    select = (
        f"SELECT '0012' AS receipt_number, 'NA' AS item_code, {zoned} AS charged_date, "
        f"{amount} AS amount UNION ALL SELECT '1', '', NULL, 100"
    )
    cells = {n: c.to_pylist() for n, c in read(server, None, "fees", select=select).columns.items()}
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
    load(server, "procurement", "moving")
    before = read(server, "moving", "procurement")
    key = before.columns["项目编号"][0].as_py()
    done = []

    def change():
        if done:
            return
        if server.kind == "duckdb":
            # While it is read, no other process can open the file for writing.
            command = [sys.executable, "-c", f"__import__('duckdb').connect({str(server.path)!r})"]
            tried = subprocess.run(command, capture_output=True, text=True, check=False)
            assert "lock" in tried.stderr
        else:
            server.run(update)
        done.append(True)

    update = f"""UPDATE "moving" SET "合同金额（元）" = 7 WHERE "项目编号" = '{key}'"""
    between(monkeypatch, change)
    assert read(server, "moving", "procurement").sha256 == before.sha256
    assert done
    if server.kind == "duckdb":
        server.run(update)
    assert read(server, "moving", "procurement").sha256 != before.sha256
    server.run('DROP TABLE "moving"')


def test_nothing_can_be_written(server):
    for statement in ("DELETE FROM procurement", "SELECT 1; DELETE FROM procurement"):
        with pytest.raises(ValueError, match="must be"):
            source(server, None, select=statement)
    if server.kind in ("postgresql", "duckdb"):
        deletes = "WITH gone AS (DELETE FROM procurement RETURNING *) SELECT * FROM gone"
        with pytest.raises(InputError) as error:
            read(server, None, "procurement", select=deletes)
        assert error.value.reason == "ledger-source"
    assert len(read(server, "procurement", "procurement").lines) > 0


# --- what goes wrong ---


def test_a_missing_table_names_the_nearest(server):
    with pytest.raises(InputError, match="there is no table 'applicants'; nearest: app") as error:
        read(server, "applicants")
    assert error.value.reason == "ledger-missing"
    assert error.value.fields["ledger"] == "applications"


def test_a_missing_column_names_the_nearest(server):
    quote = "`" if server.kind == "mysql" else '"'
    names = ", ".join(f"{quote}{name}{quote}" for name in ("项目编号", "组织形式", "合同签订日期"))
    select = f"SELECT {names}, 1 AS {quote}合同金额{quote} FROM procurement"
    with pytest.raises(InputError, match=r"项目名称.*合同金额（元） \(nearest: 合同金额") as error:
        read(server, None, "procurement", select=select)
    assert error.value.reason == "ledger-column"


def test_a_wrong_select_tells_what_the_database_says(server):
    with pytest.raises(InputError, match=r"nowhere|no such") as error:
        read(server, None, select="SELECT * FROM nowhere")
    assert error.value.reason == "ledger-source"


def test_bytes_are_refused_and_not_guessed(server):
    data = {"postgresql": "'\\x01'::bytea", "mysql": "CAST('a' AS BINARY)",
            "sqlite": "x'01'", "duckdb": "'a'::BLOB"}[server.kind]  # fmt: skip
    select = (
        f"SELECT {data} AS receipt_number, 'a' AS item_code, '2020-01-01' AS charged_date, "
        "1 AS amount"
    )
    with pytest.raises(InputError, match="'receipt_number' holds bytes; write a select"):
        read(server, None, "fees", select=select)
    code = {"mysql": "CHAR(7 USING utf8mb4)", "sqlite": "CHAR(7)"}.get(server.kind, "CHR(7)")
    with pytest.raises(InputError, match="'receipt_number' holds control characters"):
        read(server, None, "fees", select=select.replace(data, code))


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_a_missing_file_is_told(kind, tmp_path):
    asked = DatabaseSource(url=f"{kind}:///none.db", table="fees")
    with pytest.raises(InputError, match=r"none\.db is not there") as error:
        read_database(asked, schemas()["fees"], key="fees", data=tmp_path)
    assert error.value.reason == "ledger-missing"
    assert not list(tmp_path.iterdir())


def test_duckdb_reads_no_other_file(folder):
    with duckdb.connect(str(folder / "shut.duckdb")) as connection:
        connection.execute("CREATE TABLE a (b TEXT)")
    for select in (
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/hostname')",
    ):
        asked = DatabaseSource(url=f"duckdb:///{folder}/shut.duckdb", select=select)
        with pytest.raises(InputError, match="disabled"):
            read_database(asked, schemas()["fees"], key="fees", data=folder)


@pytest.mark.parametrize("module", ["sqlalchemy", "psycopg", "pymysql", "duckdb"])
def test_a_missing_driver_names_the_extra(module, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, module, None)
    (tmp_path / "a.db").touch()
    kind = {"psycopg": "postgresql", "pymysql": "mysql", "duckdb": "duckdb"}.get(module, "sqlite")
    url = f"{kind}:///a.db" if kind in ("sqlite", "duckdb") else f"{kind}://reader@127.0.0.1/a"
    with pytest.raises(InputError, match=rf"{module}; install reportkit\[databases\]") as error:
        read_database(
            DatabaseSource(url=url, table="a"), schemas()["fees"], key="fees", data=tmp_path
        )
    assert error.value.reason == "driver-missing"


def test_a_server_that_is_gone_is_asked_again_and_then_told(monkeypatch):
    waited = []
    monkeypatch.setattr(database.time, "sleep", waited.append)
    asked = DatabaseSource(url="postgresql://reader@127.0.0.1:1/oa", table="apply")
    with pytest.raises(InputError, match=r"tried 4 times") as error:
        read_database(asked, schemas()["fees"], key="fees", data=DATA)
    assert waited == [0, 0.5, 1.0, 2.0]
    assert error.value.reason == "ledger-source"
    assert "postgresql://127.0.0.1:1/oa#apply" in str(error.value)
    assert error.value.fields["ledger"] == "fees"


def test_a_connection_lost_on_the_way_is_made_again(postgres, monkeypatch):
    load(postgres, "procurement", "lost")
    monkeypatch.setattr(database, "_PAUSES", (0, 0))
    times = []

    def cut():
        times.append(1)
        if len(times) < 3:
            postgres.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader'"
            )

    between(monkeypatch, cut)
    assert len(read(postgres, "lost", "procurement").lines) > 0
    assert len(times) == 3
    between(monkeypatch, lambda: (times.clear(), cut()))
    with pytest.raises(InputError, match="tried 3 times") as error:
        read(postgres, "lost", "procurement")
    assert error.value.reason == "ledger-source"


def test_a_slow_statement_is_ended(postgres, monkeypatch):
    begin = (*database._BEGIN["postgresql"], "SET LOCAL statement_timeout = 200")
    monkeypatch.setitem(database._BEGIN, "postgresql", begin)
    select = (
        "SELECT '1' AS receipt_number, 'a' AS item_code, '2020-01-01' AS charged_date, "
        "1 AS amount FROM pg_sleep(60)"
    )
    begun = time.monotonic()
    with pytest.raises(InputError, match="statement timeout") as error:
        read(postgres, None, "fees", select=select)
    assert time.monotonic() - begun < 10
    assert error.value.reason == "ledger-source"


def test_a_cell_in_a_database_message_is_not_repeated(postgres):
    select = (
        "SELECT '1' AS receipt_number, 'a' AS item_code, CAST(who AS DATE) AS charged_date, "
        "1 AS amount FROM (SELECT CAST('金丝雀' AS TEXT) AS who) AS people"
    )
    with pytest.raises(InputError, match=r"DataError|InvalidDatetimeFormat") as error:
        read(postgres, None, "fees", select=select)
    assert "金丝雀" not in str(error.value)


# --- the password ---


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql+psycopg://reader:{CANARY}@db/oa",
        f"postgresql://reader@db/oa?password={CANARY}",
        f"mysql://reader:{CANARY}/x@db/oa",
        f"mysql://reader@db/oa?passwd={CANARY}",
    ],
)
def test_a_password_in_the_url_is_refused_and_not_repeated(url, tmp_path):
    for ledgers in (
        {"applications": {"url": url, "table": "apply"}},
        {"applications": {"url": [url], "table": "apply"}},
        {"applications": {"url": url}},
        {"applications": {"url": url, "table": "a", "pasword_env": "X"}},
    ):
        shutil.rmtree(tmp_path / "params", ignore_errors=True)
        params = project(tmp_path, ledgers)
        with pytest.raises(InputError) as error:
            Project(params, DATA).district("huli")
        assert error.value.reason == "parameters"
        assert CANARY not in "".join(traceback.format_exception(error.value))
        assert "huli.yaml:" in str(error.value)


@pytest.mark.parametrize("server", [Postgres, MariaDB], ids=lambda k: k.kind, indirect=True)
def test_a_refused_password_is_tried_once_and_never_shown(server, monkeypatch):
    monkeypatch.setattr(database.time, "sleep", lambda seconds: None if not seconds else 1 / 0)
    monkeypatch.setenv("OA_PASSWORD", "wrong-" + CANARY)
    with pytest.raises(InputError, match="reader") as error:
        read(server)
    chain = traceback.TracebackException.from_exception(error.value, capture_locals=True)
    assert CANARY not in "".join(chain.format())
    assert error.value.reason == "ledger-source"
    monkeypatch.delenv("OA_PASSWORD")
    with pytest.raises(InputError, match="export OA_PASSWORD"):
        read(server)


def test_no_output_of_a_run_holds_the_password(postgres, tmp_path):
    for key in WITH_DATABASES:
        load(postgres, key, key)
    params = project(tmp_path, tables(postgres))
    command = [BIN / "reportkit", "run", "huli", "2020", "--params", params, "--data", DATA,
               "--out", tmp_path / "out", "--json"]  # fmt: skip
    env = os.environ | {"OA_PASSWORD": CANARY}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["unchanged"] is False
    told = [done.stdout, done.stderr]
    current = tmp_path / "out/huli/2020/current"
    (entry,) = [
        one for one in json.loads((current / "MANIFEST.json").read_text("utf-8"))["inputs"]
        if one["path"].endswith("#applications")
    ]  # fmt: skip
    assert entry == {
        "path": "postgresql:///postgres#applications",
        "sha256": read(postgres).sha256,
    }
    # Nothing has changed: not made again. A record changes: made again.
    again = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert json.loads(again.stdout)["unchanged"] is True
    postgres.run("""UPDATE applications SET "所需信息" = '别的'""")
    anew = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert json.loads(anew.stdout)["unchanged"] is False

    # A failure inside the kernel, with the traceback in the notebook, and on the command.
    wrong = env | {"OA_PASSWORD": "wrong-" + CANARY}
    failed = subprocess.run(
        [BIN / "papermill", ROOT / "notebooks/annual_report.ipynb", tmp_path / "out/failed.ipynb",
         "-p", "district", "huli", "-p", "year", "2020", "-p", "params", params,
         "-p", "data", DATA],
        cwd=tmp_path, env=wrong, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert failed.returncode != 0
    assert "ledger-source" in (tmp_path / "out/failed.ipynb").read_text(encoding="utf-8")
    intake = subprocess.run(
        [BIN / "reportkit", "intake", "huli", "2020", "--params", params, "--data", DATA],
        cwd=ROOT, env=wrong, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert intake.returncode == 2
    assert "ledger-source" in intake.stdout
    for process in (again, anew, failed, intake):
        told += [process.stdout, process.stderr]
    told += [json.dumps(text) for text in told]
    spelt = [CANARY, json.dumps(CANARY)[1:-1]]
    assert not [text for text in told for word in spelt if word in text]
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [word for word in spelt if word.encode() in content], path


def test_records_that_change_during_the_run_stop_it(postgres, tmp_path):
    load(postgres, "procurement", "live")
    params = project(tmp_path, {"procurement": tables(postgres)["procurement"] | {"table": "live"}})
    notebook = nbformat.read(ROOT / "notebooks/annual_report.ipynb", as_version=4)
    code = (
        "import psycopg\n"
        f"with psycopg.connect(host={str(postgres.home)!r}, user='owner', dbname='postgres',\n"
        "                     password=__import__('os').environ['OA_PASSWORD']) as c:\n"
        "    _ = c.execute('UPDATE live SET \"项目名称\" = \\'X\\'')\n"
    )
    notebook.cells.insert(-1, nbformat.v4.new_code_cell(code, id="change"))
    nbformat.write(notebook, tmp_path / "changing.ipynb")
    with pytest.raises(ExecutionError, match=r"postgresql:///postgres#live changed") as error:
        run("huli", 2020, params=params, data=DATA, out=tmp_path / "out",
            notebook=tmp_path / "changing.ipynb")  # fmt: skip
    assert error.value.reason == "input-changed"
    assert not (tmp_path / "out/huli/2020/current").exists()


def test_intake_goes_on_after_a_table_that_is_not_there(postgres, tmp_path):
    load(postgres, "procurement", "procurement_here")
    ledgers = tables(postgres)
    ledgers["procurement"]["table"], ledgers["decisions"]["table"] = (
        "procurement_here",
        "nothing_like_it",
    )
    params = project(tmp_path, {key: ledgers[key] for key in ("procurement", "decisions")})
    read_them, problems = read_ledgers("huli", 2020, params=params, data=DATA)
    assert [problem.reason for problem in problems] == ["ledger-missing"]
    assert {"procurement", "applications"} <= set(read_them)


def test_files_and_tables_together_are_one_ledger(folder, tmp_path):
    lite = SQLite(owned(folder / "both", "root"))
    load(lite, "procurement", "bought")
    text = "项目编号,项目名称,组织形式,合同签订日期,合同金额（元）\nn1,A,分散采购,2021-01-05,3.50\n"
    (tmp_path / "procurement-2021.csv").write_text(text, encoding="utf-8")
    asked = [tmp_path / "procurement-2021.csv", source(lite, "bought")]
    ledger = read_ledger("procurement", asked)
    assert [one.format for one in ledger.sources] == ["csv", "sql"]
    assert ledger.read == 1 + ledger.sources[1].rows
    assert dataclasses.asdict(ledger.sources[1])["headings"]["项目编号"] == "项目编号"
