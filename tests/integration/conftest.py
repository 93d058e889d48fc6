"""Fixtures: one real, signed run; and database servers with the ledgers of 湖里 2020."""

import gc
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from commands import reportkit
from databases import CANARY, Database, DuckDB, loaded, mysql, postgresql

from reportkit.proof.signing.keys import keygen

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Sealed:
    """A project of its own (平潭 2021), its signed run, and the folder of trusted keys."""

    project: Path
    run: Path
    keys: Path
    key: Path

    def reportkit(self, *arguments, env=None):
        return reportkit(*arguments, cwd=self.project, env=env)


@pytest.fixture(scope="session")
def sealed(tmp_path_factory):
    project = tmp_path_factory.mktemp("proof")
    for name in ("params", "data/pingtan", "notebooks"):
        shutil.copytree(ROOT / name, project / name)
    (project / "keys/preparer").mkdir(parents=True)
    public, _ = keygen(project / "own.key")
    shutil.copy(public, project / "keys/preparer/zhang.pub")
    made = Sealed(project, project, project / "keys", project / "own.key")
    env = {"REPORTKIT_SIGNING_KEY_FILE": str(project / "own.key")}
    done = made.reportkit("run", "pingtan", 2021, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    run = (project / "outputs/pingtan/2021/current").resolve()
    return Sealed(project, run, project / "keys", project / "own.key")


@pytest.fixture(scope="session")
def folder():
    """A short path (socket names are limited) that the servers' users may enter."""
    path = Path(tempfile.mkdtemp(prefix="rk-db-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def postgres(folder):
    with postgresql(folder / "pg") as made:
        yield loaded(made)


@pytest.fixture(scope="session")
def mariadb(folder):
    with mysql(folder / "my") as made:
        yield loaded(made)


@pytest.fixture(scope="session")
def sqlite(folder):
    made = Database("sqlite", *[f"sqlite:///{folder / '区 oa.db'}"] * 2)
    made.run("PRAGMA journal_mode = WAL")
    return loaded(made)


@pytest.fixture(scope="session")
def duck(folder):
    return loaded(DuckDB(folder / "oa.duckdb"))


@pytest.fixture(scope="session", params=["postgres", "mariadb", "sqlite", "duck"])
def server(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def password(monkeypatch):
    monkeypatch.setenv("OA_PASSWORD", CANARY)
    yield CANARY
    gc.collect()
