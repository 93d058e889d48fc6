"""Databases that are not there, or that may not be read, without a server."""

import sys

import duckdb
import pytest
from shipped import SCHEMAS

from reportkit.errors import InputError
from reportkit.ledgers import database, read_database
from reportkit.params.sources import DatabaseSource


def read(folder, **source):
    return read_database(DatabaseSource(**source), SCHEMAS["fees"], key="fees", data=folder)


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_a_missing_file_is_reported(kind, tmp_path):
    with pytest.raises(InputError, match=r"none\.db is not there") as error:
        read(tmp_path, url=f"{kind}:///none.db", table="fees")
    assert error.value.reason == "ledger-missing"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("select", ["read_csv('/etc/passwd')", "read_text('/etc/hostname')"])
def test_duckdb_reads_no_other_file(select, tmp_path):
    with duckdb.connect(str(tmp_path / "shut.duckdb")) as connection:
        connection.execute("CREATE TABLE a (b TEXT)")
    with pytest.raises(InputError, match="disabled"):
        read(tmp_path, url="duckdb:///shut.duckdb", select=f"SELECT * FROM {select}")


@pytest.mark.parametrize(
    ("module", "url"),
    [
        ("sqlalchemy", "sqlite:///a.db"),
        ("psycopg", "postgresql://reader@127.0.0.1/a"),
        ("pymysql", "mysql://reader@127.0.0.1/a"),
        ("duckdb", "duckdb:///a.db"),
    ],
)
def test_a_missing_driver_names_the_extra(module, url, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, module, None)
    (tmp_path / "a.db").touch()
    with pytest.raises(
        InputError, match=rf"{module}: pip install 'reportkit-zwgk\[databases\]'"
    ) as error:
        read(tmp_path, url=url, table="a")
    assert error.value.reason == "driver-missing"


def test_a_server_that_is_gone_is_asked_again(monkeypatch, tmp_path):
    waited = []
    monkeypatch.setattr(database.time, "sleep", waited.append)
    with pytest.raises(InputError, match=r"tried 4 times") as error:
        read(tmp_path, url="postgresql://reader@127.0.0.1:1/oa", table="apply")
    assert waited == [0, 0.5, 1.0, 2.0]
    assert error.value.reason == "ledger-source"
    assert "postgresql://127.0.0.1:1/oa#apply" in str(error.value)
    assert error.value.fields["ledger"] == "fees"
