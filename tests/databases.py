"""Database servers that are started here, each with the ledgers of 湖里 2020."""

import os
import random
import shutil
import subprocess
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import sqlalchemy as sql
import yaml
from machine import PATIENCE, program, until
from shipped import SCHEMAS, ZFXXGK

from reportkit.ledgers import find_files, read_database, read_ledger
from reportkit.ledgers.readers.files import read_file
from reportkit.params.sources import DatabaseSource

DATA = Path(__file__).parents[1] / "data"
CANARY = "Kanarien-4711-秘密"
LOADED = ("applications", "decisions", "procurement")


class Database:
    """A database as its owner fills it and as reportkit reads it."""

    def __init__(self, kind, url, owner, **more):
        self.kind, self.url = kind, url
        self.engine = sql.create_engine(owner, poolclass=sql.NullPool, **more)
        self.quote = self.engine.dialect.identifier_preparer.quote

    def run(self, *statements):
        own = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        with own.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def write(self, table, frame, types):
        exact = sql.Float() if self.kind == "sqlite" else sql.Numeric(18, 2)
        sql_types = {
            "date": sql.Date(),
            "integer": sql.Integer(),
            "amount": exact,
            "flag": sql.Boolean(),
        }
        kinds = {name: sql_types.get(types.get(name), sql.String(500)) for name in frame}
        frame.to_sql(table, self.engine, index=False, dtype=kinds)

    def load(self, key, table, *, mixed=False):
        """A ledger's file as a table: typed columns where it has types, and one nobody knows."""
        schema = SCHEMAS[key]
        (file,) = find_files(ZFXXGK, DATA / "huli", key)
        cells = read_file(file, schema, name=file.name)[0].columns
        frame = pd.DataFrame({name: column.to_pylist() for name, column in cells.items()})
        frame = frame.astype(object).where(frame != "", None)
        types = {column.name: column.type for column in schema.columns if column.name in cells}
        read = read_ledger(ZFXXGK, key, [file]).frame
        assert len(read) == len(frame)
        for name, kind in types.items():
            if kind in ("date", "integer", "amount", "flag"):
                column = read[name].dt.date if kind == "date" else read[name]
                frame[name] = column.astype(object).where(column.notna(), None)
        frame.insert(0, "内部备注", None)
        if mixed:
            order = list(range(len(frame)))
            random.Random(7).shuffle(order)
            frame = frame.iloc[order]
        self.write(table, frame, types)

    def source(self, table="applications", **more):
        given = {"url": self.url, "table": table, "password_env": "OA_PASSWORD"} | more
        return DatabaseSource(**{name: value for name, value in given.items() if value})

    def read(self, table="applications", key="applications", **more):
        return read_database(self.source(table, **more), SCHEMAS[key], key=key, data=DATA)

    def ledgers(self, suffix=""):
        """Return the ledgers as a district file names them."""
        return {
            key: {"url": self.url, "table": key + suffix, "password_env": "OA_PASSWORD"}
            for key in LOADED
        }


class DuckDB(Database):
    """SQLAlchemy has no dialect of it."""

    def __init__(self, path):
        self.kind, self.url, self.path = "duckdb", f"duckdb:///{path}", path
        self.quote = '"{}"'.format

    def run(self, *statements):
        with closing(duckdb.connect(str(self.path))) as connection:
            for statement in statements:
                connection.execute(statement)

    def write(self, table, frame, types):
        with closing(duckdb.connect(str(self.path))) as connection:
            connection.register("held", pa.Table.from_pandas(frame, preserve_index=False))
            connection.execute(f'CREATE TABLE "{table}" AS SELECT * FROM held')


def owned(path, user):
    """A folder of a user, and how root runs programs as that user: servers refuse to be root.

    The user is there when the server's package is.
    """
    path.mkdir()
    if os.getuid():
        return []
    shutil.chown(path, user, user)
    return [program("setpriv"), "--reuid", user, "--regid", user, "--init-groups"]


@contextmanager
def postgresql(home):
    initdb, ctl = program("initdb"), program("pg_ctl")
    as_user = owned(home, "postgres")
    secret, data = home / "password", home / "data"
    secret.write_text(CANARY, encoding="utf-8")
    secret.chmod(0o644)

    def do(*command):
        # The server inherits the pipes; files do not keep us waiting for it.
        with (home.parent / "pg.out").open("w") as out:
            subprocess.run(
                [*as_user, *map(str, command)],
                check=True,
                stdout=out,
                stderr=out,
                cwd="/",
                timeout=PATIENCE,
            )

    do(
        initdb,
        "-D",
        data,
        "-U",
        "owner",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
        "--auth=scram-sha-256",
        f"--pwfile={secret}",
    )
    options = f"-c listen_addresses='' -c unix_socket_directories={home} -c fsync=off"
    do(ctl, "-D", data, "-w", "-l", home / "log", "-o", options, "start")
    try:
        url = f"postgresql+psycopg://reader@/postgres?host={home}"
        owner = sql.make_url(url).set(username="owner", password=CANARY)
        made = Database("postgresql", url, owner)
        made.run(
            f"CREATE ROLE reader LOGIN PASSWORD '{CANARY}' CONNECTION LIMIT 20",
            "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO reader",
        )
        yield made
    finally:
        do(ctl, "-D", data, "-m", "immediate", "stop")


@contextmanager
def mysql(home):
    install, server = program("mariadb-install-db"), program("mariadbd")
    owned(home, "mysql")
    user = [] if os.getuid() else ["--user=mysql"]
    data, socket = home / "data", home / "s"
    subprocess.run(
        [
            install,
            "--no-defaults",
            *user,
            f"--datadir={data}",
            "--skip-test-db",
            "--auth-root-authentication-method=normal",
        ],
        check=True,
        capture_output=True,
        timeout=PATIENCE,
        cwd="/",
    )
    process = subprocess.Popen(
        [
            server,
            "--no-defaults",
            *user,
            f"--datadir={data}",
            f"--socket={socket}",
            "--skip-networking",
            f"--pid-file={home}/pid",
            "--innodb-buffer-pool-size=64M",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
    )
    try:
        until(socket.exists)
        root = f"mysql+pymysql://root@/{{}}?unix_socket={socket}"
        Database("mysql", "", root.format("")).run(
            "CREATE DATABASE oa CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
            f"CREATE USER reader@localhost IDENTIFIED BY '{CANARY}'",
            "GRANT SELECT ON oa.* TO reader@localhost",
        )
        url = f"mysql+pymysql://reader@/oa?unix_socket={socket}"
        yield Database("mysql", url, root.format("oa"), connect_args={"charset": "utf8mb4"})
    finally:
        process.terminate()
        process.wait(PATIENCE)


def loaded(made):
    """With its ledgers, once in file order and once shuffled."""
    for key in LOADED:
        made.load(key, key)
        made.load(key, f"{key}_mixed", mixed=True)
    return made


def project(folder, ledgers):
    """湖里's parameters with other ledger sources; the data folder is the project's own."""
    shutil.copytree(DATA.parent / "params", folder / "params")
    path = folder / "params/districts/huli.yaml"
    district = yaml.safe_load(path.read_text(encoding="utf-8")) | {"ledgers": ledgers}
    path.write_text(yaml.safe_dump(district, allow_unicode=True), encoding="utf-8")
    return folder / "params"
