"""The documents as users make them: by nbconvert's command."""

import subprocess
import sys
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import nbformat
import pytest
from nbconvert.exporters import get_exporter

DATA = Path(__file__).parents[1] / "data" / "blocks"
sample = SimpleNamespace(**run_path(str(DATA / "sample.py")))


@pytest.mark.parametrize(
    ("target", "opening"),
    [
        ("reportkit-html", b"<!DOCTYPE html>"),
        ("reportkit-audit", b"<!DOCTYPE html>"),
        ("reportkit-pdf", b"%PDF-1.7"),
        ("reportkit-docx", b"PK"),
        ("reportkit-xlsx", b"PK"),
    ],
)
def test_nbconvert_from_a_file_gives_the_bytes_of_the_exporter(tmp_path, target, opening):
    notebook = sample.notebook()
    nbformat.write(notebook, tmp_path / "report.ipynb")
    command = [sys.executable, "-m", "nbconvert", "--to", target, "report.ipynb"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    (made,) = [path for path in tmp_path.iterdir() if path.suffix != ".ipynb"]
    content, _ = get_exporter(target)().from_notebook_node(notebook)
    assert made.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert made.read_bytes().startswith(opening)
