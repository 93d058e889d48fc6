"""A project of small districts, for tests of batches."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
from commands import reportkit
from machine import PATIENCE

from reportkit.facts import facts_bytes
from reportkit.proof import verify_files
from reportkit.run.gate import gate

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent

LEDGERS = {
    "applications": "登记号,申请人类型,收到日期,答复日期,办理结果\n"
    "1,自然人,2021-03-01,2021-03-10,予以公开\n2,商业企业,2021-12-30,,\n",
    "cases": "案号,类型,收到日期,结案日期,结果\n1,行政复议,2021-05-01,2021-06-01,结果维持\n",
    "documents": "文号,名称,种类,成文日期,公布日期,废止日期\n"
    "1号,办法,行政规范性文件,2021-02-01,2021-02-03,\n",
    "decisions": "决定书文号,种类,决定日期\n1,行政许可,2021-01-05\n2,行政处罚,2021-07-05\n",
    "fees": "编号,项目编码,收费日期,金额（元）\n1,A1,2021-01-31,1000.50\n",
}


def make_project(folder: Path, districts, cells=None) -> Path:
    """A project; *cells* are put before the source of the notebook's cells of these ids."""
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    (folder / "params/districts").mkdir(parents=True)
    for name in districts:
        add_district(folder, name)
    path = folder / "notebooks/annual_report.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["id"] in (cells or {}):
            cell["source"] = [cells[cell["id"]], "\n", *cell["source"]]
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return folder


def add_district(folder: Path, name: str) -> None:
    """A district with a handful of records."""
    text = f"id: {name}\nname: 测试区\n"
    (folder / f"params/districts/{name}.yaml").write_text(text, encoding="utf-8")
    (folder / "data" / name).mkdir(parents=True)
    for key, rows in LEDGERS.items():
        (folder / "data" / name / f"{key}.csv").write_text(rows, encoding="utf-8")


def name_parents(project: Path, parents: dict[str, str]) -> None:
    """Write into district files who their parents are."""
    for name, parent in parents.items():
        with (project / f"params/districts/{name}.yaml").open("a", encoding="utf-8") as file:
            file.write(f"parent: {parent}\n")


def share_fees(project: Path, districts) -> None:
    """Have districts name one ledger of fees instead of their own."""
    (project / "data/fees-of-all.csv").write_text(LEDGERS["fees"], encoding="utf-8")
    for name in districts:
        (project / f"data/{name}/fees.csv").unlink()
        with (project / f"params/districts/{name}.yaml").open("a", encoding="utf-8") as file:
            file.write("ledgers:\n  fees: fees-of-all.csv\n")


BATCH = ["batch", "--years", "2021", "--json"]


def batch(project: Path, *arguments, env=None):
    """The command as a user gives it; in an environment of its own the program is started."""
    if env is None:
        return reportkit(*BATCH, *arguments, cwd=project)
    command = [str(BIN / "reportkit"), *BATCH, *map(str, arguments)]
    return subprocess.run(
        command, cwd=project, env=env, capture_output=True, text=True, check=False, timeout=PATIENCE
    )


def start(project: Path, *arguments):
    """The same, left running."""
    command = [str(BIN / "reportkit"), *BATCH, *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=project, stdout=pipe, stderr=pipe, text=True)


def states(done) -> dict[str, str]:
    """District to state, or to the cause of its failure."""
    reports = json.loads(done.stdout)["reports"]
    return {r["district"]: r.get("reason") or r["state"] for r in reports}


def plan(project, *arguments):
    """District to the reasons for which it would be made."""
    done = batch(project, "--dry-run", *arguments)
    assert done.returncode == 0, done.stderr
    return {one["district"]: one["why"] for one in json.loads(done.stdout)["reports"]}


def currents(project: Path) -> dict[str, Path]:
    """The runs in force, each proved whole and sealed, with nothing half-made or held beside."""
    found = {}
    for current in sorted(project.glob("outputs/*/*/current")):
        run = current.resolve()
        verify_files(run)
        seal = gate(nbformat.read(run / "report.ipynb", as_version=4))
        assert facts_bytes(seal["facts"]) == (run / "facts.json").read_bytes()
        found[current.parents[1].name] = run
    assert not list(project.glob("outputs/*/*/.staging-*"))
    for path in project.glob("outputs/*/*/.lock"):
        with path.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return found


def alive(mark: str) -> list[str]:
    """Command lines of processes that mention *mark*, this one left out."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if mark in words and path.parent.name != str(os.getpid()):
            lines.append(words)
    return lines


def working_in(folder: Path) -> list[str]:
    """Processes whose working folder is inside *folder*: all that a batch there started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if path.readlink().is_relative_to(folder):
                found.append(f"{path.parent.name} {(path.parent / 'cmdline').read_bytes()!r}")
        except OSError:
            continue
    return found
