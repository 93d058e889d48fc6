"""The site builds without a warning; examples of the how-tos and the tutorial hold."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import reportkit
from reportkit.params import District
from reportkit.yamlfile import read_yaml

ROOT = Path(__file__).parents[2]


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.M | re.S)


def test_the_site_builds_without_a_warning(tmp_path):
    """Links and anchors inside the documentation are followed, and every page is in the menu."""
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--quiet",
        "--strict",
        "--site-dir",
        tmp_path,
    ]
    env = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "data-from" in (tmp_path / "explanation/layers.svg").read_text("utf-8")


@pytest.fixture(scope="module")
def huli():
    return reportkit.open_report("huli", 2020, params=ROOT / "params", data=ROOT / "data")


def test_charts_and_facts_of_the_how_to(huli):
    known = {"report": huli, "year": 2020, "pd": pd}
    shown = []
    for code in blocks("how-to/new-chart.md", "python"):
        *before, last = ast.parse(code).body
        exec(compile(ast.Module(before, []), "how-to", "exec"), known)
        shown.append(eval(compile(ast.Expression(last.value), "how-to", "eval"), known))
    channels, months, december = shown
    assert [one.block["title"] for one in (channels, months)] == [
        "2020年申请的渠道", "2020年各月收到和答复的申请",
    ]  # fmt: skip
    assert (december.id, december.text, len(december.rows)) == ("applications.december", "10", 10)


def test_the_district_of_the_how_to(tmp_path):
    (text,) = blocks("how-to/new-district.md", "yaml")
    path = tmp_path / "futian.yaml"
    path.write_text(text, encoding="utf-8")
    district = read_yaml(path).validate(District)
    assert (district.id, district.code, district.contact.phone) == (
        "futian", "440304", "0755-12345678",
    )  # fmt: skip


def test_the_sentence_of_the_tutorial(huli):
    (text,) = blocks("tutorial.md", "markdown")
    names = re.findall(r"\{\{ (\S+) \}\}", text)
    assert [huli.fact(name).text for name in names] == ["1313", "76", "74"]
