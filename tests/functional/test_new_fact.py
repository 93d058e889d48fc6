"""The how-to "A new fact without Python": every example on it is run."""

import re
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

import reportkit
from reportkit.errors import InputError

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/new-fact.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"```yaml\n# (\S+)\n(.*?)```", PAGE, flags=re.S))
ROWS = [
    [cell.strip().strip("`").replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    for line in PAGE.splitlines()
    if line.startswith("|") and not line.startswith("|---")
]
PRINTED = [row for row in ROWS if len(row) == 2 and "{{" in row[0]]
CHANGES = [row for row in ROWS if len(row) == 3 and row[0].isdigit()]


@pytest.fixture(scope="module")
def params(tmp_path_factory):
    """The parameters of the project with every block of the page added."""
    folder = tmp_path_factory.mktemp("howto") / "params"
    shutil.copytree(ROOT / "params", folder)
    for name, text in re.findall(r"```yaml\n# params/(\S+)\n(.*?)```", PAGE, flags=re.S):
        path = folder / name
        if "/facts/" in f"/{name}":
            if "wrong" not in name:
                path.write_text(text, encoding="utf-8")
            continue
        key, entries = text.split("\n", 1)
        before = path.read_text(encoding="utf-8")
        assert f"\n{key}\n" in before
        path.write_text(before.replace(f"\n{key}\n", f"\n{key}\n{entries}"), encoding="utf-8")
    return folder


def opened(params, text):
    """The report of 湖里 2020 with one more paragraph."""
    path = params / "reports/huli/2020.md"
    path.write_text(f"{text}\n\n# 一、总体情况\n", encoding="utf-8")
    return reportkit.open_report("huli", 2020, params=params, data=ROOT / "data")


def printed(report):
    (node,) = report.compiled.coverage.sections[""]
    return "".join(run["text"] for run in node["runs"])


def test_what_the_placeholders_print(params):
    assert len(PRINTED) >= 8
    for placeholder, text in PRINTED:
        report = opened(params, placeholder)
        result = [spot.text for spot in report.compiled.coverage.of("unbound")]
        assert (printed(report), result) == (text, [])


def test_the_words_of_a_change(params):
    assert len(CHANGES) == 4
    heads = next(row for row in ROWS if row[0] == "last year")
    for last, *texts in CHANGES:
        for placeholder, text in zip(heads[1:], texts, strict=True):
            report = opened(params, placeholder)
            report.compiled.computer.past = {"t3.new.total": Decimal(last)}
            assert printed(report) == text
    with pytest.raises(InputError, match=r"2020\.md:1: 'example\.change' compares .* with 2019"):
        _ = opened(params, heads[1]).compiled.narrative


def test_the_declared_figure_and_the_relations(params):
    report = opened(params, "{{ example.hours }}{{ example.web }}")
    assert report.fact("example.hours").source == "值班安排（区政府办公室，2020-12-31）"
    checks = [check for check in report.all_checks if check.id in ("N1", "N2", "N3")]
    assert [check.holds for check in checks] == [True, True, True]
    definition = "依申请公开台账中，申请渠道为“网络”、收到日期在2020年内的记录数"
    assert report.fact("example.web").definition == definition
    assert definition in PAGE


def test_the_wrong_entry(params):
    path = params / "facts/wrong.yaml"
    # The page leaves out the line that names the file, which is the first of the block.
    path.write_text("#\n" + BLOCKS["params/facts/wrong.yaml"], encoding="utf-8")
    result = re.search(r"```text\nparams/(.*)\n```", PAGE)[1]
    with pytest.raises(InputError, match=re.escape(result)):
        opened(params, "x")
    path.unlink()
