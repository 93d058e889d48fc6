"""The documents as users make them: by nbconvert's command."""

import subprocess
import sys
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import nbformat
import pytest

DATA = Path(__file__).parents[1] / "data" / "blocks"
sample = SimpleNamespace(**run_path(str(DATA / "sample.py")))


def convert(folder, target):
    """Run ``jupyter nbconvert`` on the sample in a folder and return what it wrote."""
    nbformat.write(sample.notebook(), folder / "report.ipynb")
    command = [sys.executable, "-m", "nbconvert", "--to", target, "report.ipynb"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (made,) = [path for path in folder.iterdir() if path.suffix != ".ipynb"]
    return made


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
def test_nbconvert_makes_the_same_document_again(tmp_path, target, opening):
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    made = [convert(folder, target).read_bytes() for folder in folders]
    assert made[0].startswith(opening)
    assert made[0] == made[1]
