"""Private parts of libraries are where `reportkit.internals` looks for them."""

import ast
import multiprocessing
import subprocess
import sys
from pathlib import Path

import docx
import pytest

from reportkit import internals
from reportkit.internals import xml_of

SOURCE = Path(internals.__file__).parent
# A new process: neither the fork server nor the context of zmq of this one is touched.
MOVED = """
import os
from multiprocessing import forkserver, get_context
import zmq
from reportkit.internals import allow_children, fork_server_process, forget_fork_server
from reportkit.internals import has_zmq_context, leave_fork_server

if __name__ == "__main__":
    assert (fork_server_process(), has_zmq_context()) == (None, False)
    context = zmq.Context.instance()
    assert has_zmq_context()
    context.term()
    assert not has_zmq_context()
    forkserver.ensure_running()
    first = fork_server_process()
    os.kill(first, 0)
    leave_fork_server()  # the last end of its pipe: it ends
    os.waitpid(first, 0)
    forget_fork_server()
    forkserver.ensure_running()
    assert fork_server_process() not in (None, first)
    print("whole")
"""


def test_the_fork_server_and_zmq_are_where_they_were():
    done = subprocess.run([sys.executable, "-c", MOVED], capture_output=True, text=True, check=True)
    assert done.stdout == "whole\n"


def _has_child(results):
    internals.allow_children()
    child = multiprocessing.Process(target=results.put, args=("child",))
    child.start()
    child.join()


def test_a_process_marked_childless_may_have_children():
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    process = context.Process(target=_has_child, args=(results,), daemon=True)
    process.start()
    assert results.get(timeout=60) == "child"
    process.join()


def test_parts_of_a_word_document_have_their_elements(tmp_path):
    word = docx.Document()
    paragraph = word.add_paragraph("一")
    run = paragraph.add_run("二")
    table, (section,) = word.add_table(1, 1), word.sections
    found = [xml_of(part).tag.partition("}")[2] for part in (paragraph, run, table, section)]
    assert found == ["p", "r", "tbl", "sectPr"]


def foreign(path):
    """Names with one underscore before them that this file takes from elsewhere."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    own = {node.name for node in ast.walk(tree) if hasattr(node, "name")}
    own |= {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    own |= {
        node.target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    for node in ast.walk(tree):
        name = node.attr if isinstance(node, ast.Attribute) else "public"
        if name[0] == "_" and name[1] != "_" and name not in own:
            yield f"{path.name}:{node.lineno} {name}"


@pytest.mark.parametrize("text", ["zmq.Context._instance", "x.y._z()"])
def test_a_foreign_private_name_is_seen(text, tmp_path):
    path = tmp_path / "one.py"
    path.write_text(text, encoding="utf-8")
    assert len(list(foreign(path))) == 1


def test_nobody_else_uses_private_parts():
    # A named tuple's, IPython's hooks and the system's call.
    public = {"_replace", "_repr_mimebundle_", "_repr_html_", "_exit"}
    paths = [path for path in SOURCE.rglob("*.py") if path.name != "internals.py"]
    found = [one for path in paths for one in foreign(path) if one.split()[1] not in public]
    assert found == []
