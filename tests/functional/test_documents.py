"""The documents as users make them: by nbconvert's command, read in a browser from a folder."""

import shutil
import subprocess
import sys
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import nbformat
import pytest

DATA = Path(__file__).parents[1] / "data" / "blocks"
sample = SimpleNamespace(**run_path(str(DATA / "sample.py")))
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


def convert(folder, target):
    """Run ``jupyter nbconvert`` on the sample in a folder and return what it wrote."""
    nbformat.write(sample.notebook(), folder / "report.ipynb")
    command = [sys.executable, "-m", "nbconvert", "--to", target, "report.ipynb"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (made,) = [path for path in folder.iterdir() if path.suffix in (".html", ".pdf")]
    return made


@pytest.mark.parametrize(
    ("target", "opening"),
    [
        ("reportkit-html", b"<!DOCTYPE html>"),
        ("reportkit-audit", b"<!DOCTYPE html>"),
        ("reportkit-pdf", b"%PDF-1.7"),
    ],
)
def test_nbconvert_makes_the_same_document_again(tmp_path, target, opening):
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    made = [convert(folder, target).read_bytes() for folder in folders]
    assert made[0].startswith(opening)
    assert made[0] == made[1]


def browse(tmp_path, address):
    """Return a page as it stands in a browser after its scripts ran."""
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
    flags += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=4000", "--dump-dom"]
    done = subprocess.run(
        [str(CHROMIUM), *flags, address], check=True, capture_output=True, timeout=120
    )
    return done.stdout.decode()


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.parametrize("kept", [True, False], ids=["with evidence", "evidence lost"])
def test_number_opens_its_rows_from_a_folder(tmp_path, kept):
    name = "t3.new.natural_person"
    page = convert(tmp_path, "reportkit-audit")
    if kept:
        folder = tmp_path / "evidence"
        folder.mkdir()
        (folder / f"{name}.js").write_text(sample.rows_script(name, 74), encoding="utf-8")
    shown = browse(tmp_path, f"{page.as_uri()}#fact={name}").split('id="panel"')[1]
    assert "湖依〔2020〕74号" in shown if kept else "没有找到证据文件" in shown
    assert f"<code>{name}</code>" in shown
