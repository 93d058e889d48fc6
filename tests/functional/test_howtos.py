"""The site builds without a warning; examples of the how-tos and the tutorial hold."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import reportkit
from reportkit.notebook.printed import printed
from reportkit.params import District
from reportkit.yamlfile import read_yaml

ROOT = Path(__file__).parents[2]


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.M | re.S)


def test_both_parts_of_the_site_build_without_a_warning(tmp_path):
    """Links and anchors inside the documentation are followed, and every page is in the menu."""
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    for name, folder, rest in (("mkdocs.yml", "docs", "zh"), ("mkdocs.zh.yml", "docs/zh", "")):
        shutil.copy(ROOT / name, tmp_path)
        zensical = Path(sys.executable).parent / "zensical"
        command = [zensical, "build", "--strict", "--config-file", name]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        menu = (ROOT / name).read_text(encoding="utf-8")
        found = {page.relative_to(ROOT / folder) for page in (ROOT / folder).rglob("*.md")}
        pages = {page.as_posix() for page in found if page.parts[0] != rest}
        assert {page for page in pages if f": {page}\n" not in menu} == set()
    assert "data-from" in (tmp_path / "site/explanation/layers.svg").read_text("utf-8")
    for path in ("index.html", "zh/index.html", "zh/reference/facts/index.html"):
        page = (tmp_path / "site" / path).read_text("utf-8")
        assert f'<html lang="{"zh" if "zh" in path else "en"}"' in page
        for link in re.findall(r'<(?:a|img|link)[^>]* (?:src|href)="([^"#:]+)[^":]*"', page):
            target = (tmp_path / "site" / path).parent / link
            assert (target / "index.html" if target.is_dir() else target).is_file(), link


@pytest.fixture(scope="module")
def huli():
    return reportkit.open_report("huli", 2020, params=ROOT / "params", data=ROOT / "data")


def shown(page, report):
    """Return the outputs of a page's cells, one after the other."""
    known = {"report": report, "year": 2020, "pd": pd}
    for code in blocks(page, "python"):
        *before, last = ast.parse(code).body
        exec(compile(ast.Module(before, []), "how-to", "exec"), known)
        yield eval(compile(ast.Expression(last.value), "how-to", "eval"), known)


def test_charts_of_the_how_to(huli):
    assert [one.block["title"] for one in shown("how-to/new-chart.md", huli)] == [
        "2020年申请的渠道",
        "2020年各月收到和答复的申请",
    ]


def test_tables_facts_and_counts_of_the_how_to(huli):
    units, rates, december, compared = shown("how-to/new-table.md", huli)
    assert units.block["title"] == "2020年各单位收到的申请"
    assert rates.block["rows"][1][1]["text"].endswith("%")
    assert (december.id, december.text, len(december.rows)) == ("own.december", "10", 10)
    assert compared.block["differ"] == compared.block["unknown"] == []
    result = "0.0526", "5.26%", "5.3%", "0.05"
    forms = "", "percent", ".1%", ",.2f"
    assert result == tuple(printed([0.0526], form)[0] for form in forms)


def test_the_figure_of_the_how_to(huli):
    (figure,) = shown("how-to/new-figure.md", huli)
    assert figure.block["alt"] == "散点图：多数申请在20个工作日以内办结"


def test_the_district_of_the_how_to(tmp_path):
    (text,) = blocks("how-to/new-district.md", "yaml")
    path = tmp_path / "futian.yaml"
    path.write_text(text, encoding="utf-8")
    district = read_yaml(path).validate(District)
    assert (district.id, district.code, district.contact.phone) == (
        "futian",
        "440304",
        "0755-12345678",
    )


def test_the_sentence_of_the_tutorial(huli):
    (text,) = blocks("tutorial.md", "markdown")
    names = re.findall(r"\{\{ (\S+) \}\}", text)
    assert [huli.fact(name).text for name in names] == ["1313", "76", "74"]
