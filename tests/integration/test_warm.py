"""Forked kernels against cold ones: the same outputs, a fresh process each, nothing left over."""

import json
import os
import re
import subprocess
import sys
from collections import Counter

import nbformat
import pytest
from batches import BIN, batch, currents, make_project, states, working_in
from nbformat.v4 import new_code_cell, new_notebook

CELLS = [
    "x = 1\nx",
    "import sys\nprint('out')\nprint('err', file=sys.stderr)",
    "import os, subprocess\nos.system('echo from a shell')\nsubprocess.run(['echo', 'child']).args",
    "!echo magic",
    "%%bash\necho bash",
    "import asyncio\nawait asyncio.sleep(0)\n'awaited'",
    "from IPython.display import HTML, clear_output, display\n"
    "handle = display(HTML('first'), display_id='one')",
    "handle.update(HTML('second'))",
    "print('gone')\nclear_output()\nprint('kept')",
    "import pandas as pd\npd.DataFrame({'a': [1, 2]})",
    "%matplotlib inline\nimport matplotlib.pyplot as plt\nfigure = plt.figure(); 1",
    "__name__, _, In[1]",
    "try:\n    input()\nexcept Exception as error:\n    print(type(error).__name__)",
    "import threading\ngo = threading.Event()\n"
    "def late():\n    go.wait()\n    print('late')\n"
    "thread = threading.Thread(target=late)\nthread.start()",
    "go.set()\nthread.join()\n2",
    "raise ValueError('the end')",
    "'never'",
]


def notebook(path, cells):
    """A notebook of these cells."""
    spec = {"name": "python3", "language": "python", "display_name": "Python 3"}
    made = new_notebook(cells=[new_code_cell(c) for c in cells], metadata={"kernelspec": spec})
    nbformat.write(made, path)
    return path


def papermill(path, *options):
    """Execute a notebook with plain papermill: count and outputs of each cell, and its messages."""
    out = path.with_suffix(".out.ipynb")
    command = [BIN / "papermill", "--no-progress-bar", *options, path, out]
    done = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, check=False)
    cells = [cell for cell in nbformat.read(out, as_version=4).cells if cell.cell_type == "code"]
    return [(cell.execution_count, cell.outputs) for cell in cells], done.stderr


def test_plain_papermill_gets_the_same_from_a_forked_kernel(tmp_path):
    path = notebook(tmp_path / "kinds.ipynb", CELLS)
    warm, result = papermill(path, "--engine", "reportkit-warm")
    assert "kernel: cold" not in result
    cold, _ = papermill(path)
    assert warm == cold
    assert warm[-2][1][-1].evalue == "the end"
    assert warm[-1] == (None, [])


def test_a_forked_report_is_the_cold_one(tmp_path):
    warm, cold = (make_project(tmp_path / kind, "abc") for kind in ("warm", "cold"))
    # Cold kernels that start at the same time have sockets of their own, and none in the project.
    assert states(batch(cold, "--cold", "--jobs", "3", "--retries", "0")) == dict.fromkeys(
        "abc", "made"
    )
    assert {path.name for path in cold.iterdir()} == {"data", "notebooks", "outputs", "params"}
    assert states(batch(warm, "--districts", "a")) == {"a": "made"}
    ours, reference = currents(warm)["a"], currents(cold)["a"]
    assert "forked from" in (ours / "run.log").read_text(encoding="utf-8")
    assert "kernel: cold" in (reference / "run.log").read_text(encoding="utf-8")
    for name in ("facts.json", "checks.json", "report.html", "audit.html", "report.pdf"):
        assert (ours / name).read_bytes() == (reference / name).read_bytes(), name
    assert normal(ours / "report.ipynb") == normal(reference / "report.ipynb")


@pytest.mark.parametrize("district", ["a", "raises"])
def test_a_single_report_is_forked_and_equals_the_cold_one(district, tmp_path):
    cells = {"outcomes": "if district == 'raises': 1 / 0"}
    document = {}
    for kind in ("warm", "cold"):
        project = make_project(tmp_path / kind, [district], cells)
        command = [str(BIN / "reportkit"), "run", district, "2021", "--json"]
        command += ["--cold"] if kind == "cold" else []
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
        document[kind] = (done.returncode, json.loads(done.stdout), done.stderr)
        assert working_in(project) == []
    if district == "raises":
        # A refusal has its fields, and a folder that keeps notebook and log.
        assert document["warm"] == document["cold"]
        assert (document["warm"][0], document["warm"][1]["error"]) == (3, "cell-failed")
        assert document["warm"][1]["cell"] > 5
        kept = sorted(p.name for p in (tmp_path / "warm/outputs/raises/2021/failed").iterdir())
        assert kept == ["report.ipynb", "run.log"]
        return
    ours, reference = (currents(tmp_path / kind)["a"] for kind in ("warm", "cold"))
    assert "forked from" in (ours / "run.log").read_text(encoding="utf-8")
    assert "kernel: cold" in (reference / "run.log").read_text(encoding="utf-8")
    for name in ("facts.json", "checks.json", "report.html", "audit.html", "report.pdf"):
        assert (ours / name).read_bytes() == (reference / name).read_bytes(), name


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        ("reportkit.cli, reportkit.batch.command", {"nbconvert", "matplotlib"}),
        # What verifies a run draws nothing and starts no kernel.
        ("reportkit.proof.inspection", {"matplotlib", "ipykernel"}),
    ],
)
def test_what_one_process_needs_the_others_do_not_import(modules, heavy):
    code = f"import sys, {modules}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def normal(path):
    """A notebook without what differs between any two runs: times, and the new cell's id."""
    found = json.loads(path.read_text(encoding="utf-8"))
    del found["metadata"]["papermill"]
    for cell in found["cells"]:
        if "injected-parameters" in cell["metadata"].get("tags", []):
            del cell["id"]
        for name in ("papermill", "execution"):
            cell["metadata"].pop(name, None)
    return found


FORKS = """
import gc, json, logging, os, sys, threading
os.environ.update(OPENBLAS_NUM_THREADS="1", JE_ARROW_MALLOC_CONF="background_thread:false")
logging.basicConfig(level=logging.INFO)
import papermill
import reportkit.batch.template as template
import zmq
def cells(name):
    options = dict(engine_name="reportkit-warm", progress_bar=False)
    made = papermill.execute_notebook(name, None, **options)
    return [c.outputs[0].text for c in made.cells if c.get("outputs")]
state = {"threads": template.threads(), "context": zmq.Context._instance is not None,
         "frozen": gc.get_freeze_count()}
state["first"], state["second"] = cells("fork.ipynb"), cells("fork.ipynb")
state["after"] = [template.threads(), threading.active_count()]
thread = threading.Thread(target=threading.Event().wait, daemon=True)
thread.start()
state["cold"] = cells("fork.ipynb")
print(json.dumps(state))
"""

FORK_CELLS = [
    "import os\nprint(os.getpid(), os.getpid() == os.getpgid(0))",
    "import random, uuid, numpy\nprint(random.random(), numpy.random.rand(), uuid.uuid4())",
    "import builtins\nprint(getattr(builtins, 'left', 'clean'))\nbuiltins.left = 'dirty'",
    "import pyarrow as pa, pyarrow.compute as pc\nprint(pc.sum(pa.array(range(1000))))",
    "import matplotlib.pyplot as plt\nprint(plt.get_fignums())",
    "from pathlib import Path\nimport re\n"
    "ours = ' '.join(os.readlink(path) for path in Path('/proc/self/fd').iterdir() "
    "if path.is_symlink())\n"
    "listening = [l.split()[9] for l in Path('/proc/net/tcp').read_text().splitlines()[1:] "
    "if l.split()[3] == '0A']\n"
    "print([inode for inode in listening if f'socket:[{inode}]' in ours])",
    "import subprocess as s\nprint(s.Popen(['sleep', '1000'], stdout=s.DEVNULL).poll())",
]


def test_each_fork_is_fresh_and_leaves_nothing(tmp_path):
    notebook(tmp_path / "fork.ipynb", FORK_CELLS)
    command = [sys.executable, "-c", FORKS]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    state = json.loads(done.stdout.splitlines()[-1])
    assert (state["threads"], state["context"]) == (1, False)
    assert state["after"] == [1, 1]
    assert state["frozen"] > 100_000
    for key in ("first", "second"):
        assert [text.strip() for text in state[key][2:]] == ["clean", "499500", "[]", "[]", "None"]
    pids = [state[key][0].split() for key in ("first", "second")]
    assert [own for _, own in pids] == ["True", "True"]
    assert pids[0] != pids[1]
    numbers = [state[key][1].split() for key in ("first", "second")]
    assert not set(numbers[0]) & set(numbers[1])
    assert len(state["cold"]) == len(FORK_CELLS)
    assert re.search(
        "kernel: cold, since this process has threads: MainThread, Thread", done.stderr
    )
    assert working_in(tmp_path) == []


@pytest.mark.parametrize(
    "cell", ["import time\ntime.sleep(60)", "while True:\n try:\n  1\n except BaseException: 2"]
)
def test_a_cell_that_takes_too_long_is_ended(cell, tmp_path):
    path = notebook(tmp_path / "slow.ipynb", [cell])
    cells, result = papermill(path, "--engine", "reportkit-warm", "--execution-timeout", "1")
    assert "CellTimeoutError: A cell timed out" in result
    # A busy machine may not even have begun it.
    assert [outputs for _, outputs in cells] == [[]]
    assert working_in(tmp_path) == []


WHY = """
import asyncio, json, sys, threading
import multiprocessing
from reportkit.warm.forked import _obstacle
def obstacle(name): return _obstacle(name, multiprocessing.get_context("fork"))
found = {"plain": obstacle("python3"), "nowhere": obstacle("nowhere"), "other": obstacle("other")}
async def inside():
    return obstacle("python3")
found["loop"] = asyncio.run(inside())
import zmq
context = zmq.Context.instance()
found["context"] = obstacle("python3")
context.term()
found["ended"] = obstacle("python3")
sys.platform = "darwin"
found["mac"] = obstacle("python3")
print(json.dumps(found))
"""


def test_what_is_not_forked_and_why(tmp_path, monkeypatch):
    spec = {"display_name": "R", "language": "R", "argv": ["R", "--slave"]}
    (tmp_path / "kernels/other").mkdir(parents=True)
    (tmp_path / "kernels/other/kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    command = [sys.executable, "-c", WHY]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {
        "plain": "",
        "nowhere": "there is no kernel 'nowhere'",
        "other": "kernel 'other' is another Python",
        "loop": "this process has an event loop or a zmq context",
        "context": "this process has an event loop or a zmq context",
        "ended": "",
        "mac": "processes are not forked safely on darwin",
    }


# Tells of each ledger that is opened, in whatever process of a run.
OPENS = """
import os, sys
def hook(event, arguments):
    if event == "open" and isinstance(arguments[0], str) and "data/a/" in arguments[0]:
        told = os.open(os.environ["OPENED"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(told, f"{arguments[0]}\\n".encode())
        os.close(told)
sys.addaudithook(hook)
"""


def opened(tmp_path, project, *options):
    """Count how often a run opens each ledger, and read its log on the kernel."""
    (tmp_path / "hook").mkdir(exist_ok=True)
    (tmp_path / "hook/sitecustomize.py").write_text(OPENS, encoding="utf-8")
    result = tmp_path / "opened"
    result.unlink(missing_ok=True)
    world = os.environ | {"PYTHONPATH": str(tmp_path / "hook"), "OPENED": str(result)}
    command = [BIN / "reportkit", "run", "a", "2021", *options]
    done = subprocess.run(
        command, cwd=project, env=world, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    log = (project / "outputs/a/2021/current/run.log").read_text(encoding="utf-8")
    return Counter(result.read_text(encoding="utf-8").split()), re.findall(
        "INFO kernel: (\\w+)", log
    )


def test_a_run_opens_each_ledger_twice_forked_or_cold(tmp_path):
    project = make_project(tmp_path / "project", ["a"])
    ledgers = [f"data/a/{path.name}" for path in (project / "data/a").iterdir()]
    forked, log = opened(tmp_path, project)
    assert (set(forked.values()), log) == ({2}, ["process"])
    assert sorted(forked) == sorted(ledgers)
    first = currents(project)["a"]
    unchanged, _ = opened(tmp_path, project)
    assert set(unchanged.values()) == {1}
    cold, log = opened(tmp_path, project, "--force", "--cold")
    assert (cold, log) == (forked, ["cold"])
    second = currents(project)["a"]
    assert first != second
    for name in (
        "facts.json",
        "checks.json",
        "report.html",
        "audit.html",
        "report.pdf",
        "report.docx",
        "tables.xlsx",
        "evidence/facts.parquet",
    ):
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
    assert working_in(project) == []


DIES = """
import os, sys
from reportkit.warm import template
started = template.start_template
def start(module):
    context = started(module)
    template.stop_template()
    return context
template.start_template = start
from reportkit.__main__ import main
sys.argv = ["reportkit", "run", "a", "2021"]
main()
"""


def test_where_the_template_has_died_the_kernel_is_cold(tmp_path):
    project = make_project(tmp_path, ["a"])
    command = [sys.executable, "-c", DIES]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    log = (currents(project)["a"] / "run.log").read_text(encoding="utf-8")
    assert "kernel: cold, since the warm process has ended" in log


SPAWNED = """
import json, multiprocessing
from pathlib import Path
from reportkit.batch.loop import _work
from reportkit.batch.jobs import Job, Settings
from reportkit.batch.workers.local import Living, in_process
if __name__ == "__main__":
    job = Job("a", (2021,), Settings(None, None, Path("outputs"), Path.cwd()))
    context = multiprocessing.get_context("spawn")
    (made,) = in_process(context, _work, job, tell=lambda _: None, living=Living())
    print(json.dumps([made.state, made.message, made.peak > 0]))
"""


def test_without_forks_spawned_processes_do_the_same(tmp_path):
    spawned, forked = (make_project(tmp_path / kind, ["a"]) for kind in ("spawned", "forked"))
    (spawned / "spawned.py").write_text(SPAWNED, encoding="utf-8")
    command = [sys.executable, "spawned.py"]
    done = subprocess.run(command, cwd=spawned, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == ["made", "", True], done.stderr
    assert states(batch(forked)) == {"a": "made"}
    ours, theirs = currents(spawned)["a"], currents(forked)["a"]
    assert "kernel: cold" in (ours / "run.log").read_text(encoding="utf-8")
    for name in ("facts.json", "checks.json", "report.html", "audit.html", "report.pdf"):
        assert (ours / name).read_bytes() == (theirs / name).read_bytes(), name
    assert working_in(tmp_path) == []
