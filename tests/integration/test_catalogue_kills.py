"""Writers of the store and of the pages that are killed: what they leave is read whole."""

import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from catalogues import fact, publish, table_of

from reportkit.catalogue.site import write_site
from reportkit.catalogue.store import NAME, _read_index, opened, refresh
from reportkit.params import Project

TESTS = str(Path(__file__).parents[1])
# Publishes one report again and again, and brings store and pages up to date after each.
WRITER = """
import sys
from pathlib import Path
from catalogues import publish, table_of
from reportkit.catalogue.site import write_site
from reportkit.catalogue.store import refresh
from reportkit.params import Project
root = Path(sys.argv[1])
project = Project(root / "params", root / "data", root / "outputs")
print("ready", flush=True)
for number in range(10_000):
    publish(project.out, "d3", 2021, f"{sys.argv[2]}{number}", facts=table_of(number, 1, 2))
    write_site(project, refresh(project.out), project.out / "site")
"""


@pytest.fixture
def project(tmp_path):
    made = Project(tmp_path / "params", tmp_path / "data", tmp_path / "outputs")
    (made.params / "districts").mkdir(parents=True)
    for number in range(8):
        for year in (2020, 2021):
            publish(made.out, f"d{number}", year, facts=[*table_of(9, 3, 5), fact("x", number)])
    return made


def contents(folder):
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_a_killed_writer_leaves_store_and_pages_to_be_read(project, tmp_path):
    write_site(project, refresh(project.out), project.out / "site")
    draw = random.Random(20080501)
    for number in range(8):
        command = [sys.executable, "-c", WRITER, tmp_path, f"k{number}-"]
        writer = subprocess.Popen(
            command, env={"PYTHONPATH": TESTS}, stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout.readline() == "ready\n"
        time.sleep(draw.uniform(0.02, 0.4))
        writer.kill()
        assert writer.wait() == -signal.SIGKILL
        writer.stdout.close()
        # The index in place names files that are there and whole, before anybody mends anything.
        assert _read_index(project.out / NAME)["broken"] == {}
        with opened(project.out) as store:
            assert store.read("runs").num_rows == 16
    site = write_site(project, refresh(project.out), project.out / "site")
    store, pages = contents(project.out / NAME), contents(site.folder)
    shutil.rmtree(project.out / NAME)
    shutil.rmtree(site.folder)
    write_site(project, refresh(project.out), project.out / "site")
    assert (contents(project.out / NAME), contents(site.folder)) == (store, pages)


def test_a_publish_that_was_killed_is_not_seen(project):
    place = project.out / "d3/2021"
    before = refresh(project.out).index
    (place / ".staging-two").mkdir()
    (place / ".staging-two/facts.json").write_text("{", encoding="utf-8")
    shutil.copytree(place / "runs/one", place / "runs/two")  # renamed, but not yet in force
    assert refresh(project.out).index == before
