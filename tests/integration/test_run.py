"""Whole reports with real kernels: documents, repetition, failures, other ways to one result."""

import csv
import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import commands
import nbformat
import pyarrow.parquet as pq
import pypdf
import pytest

from reportkit.export.blocks import from_notebook

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


def reportkit(*arguments, cwd=ROOT):
    return commands.reportkit(*arguments, cwd=cwd)


@pytest.fixture(scope="module")
def huli(tmp_path_factory):
    """The run of 湖里 2020, and the output of the command that made it."""
    out = tmp_path_factory.mktemp("outputs")
    done = reportkit("run", "huli", 2020, "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    return out / "huli/2020/current", json.loads(done.stdout), out


def test_a_run_is_made_with_its_findings(huli):
    current, result, _ = huli
    assert [finding["id"] for finding in result["findings"]] == ["N3"]
    checks = json.loads((current / "checks.json").read_text(encoding="utf-8"))
    (finding,) = [check for check in checks if not check["holds"]]
    assert {"502", "448", "66"} <= set(re.findall(r"\d+", finding["message"]))
    assert finding["waived"]["by"] == "示例"
    assert not result["draft"]


def test_pages_are_as_small_as_they_were_promised(huli):
    current, _, _ = huli
    assert (current / "report.html").stat().st_size < 200_000
    assert (current / "audit.html").stat().st_size < 800_000


def test_open_data_is_made_of_the_run_in_force(huli):
    current, _, out = huli
    done = reportkit("run", "huli", 2020, "--out", out, "--json", "--open-data")
    document = json.loads(done.stdout)
    assert (document["unchanged"], document["open_data"]) == (
        True,
        str(out / "huli/2020/open-data"),
    )
    folder = out / "huli/2020/open-data"
    names = ["csv-metadata.json", "facts.csv", "t2.csv", "t3.csv", "t4.csv"]
    assert sorted(path.name for path in folder.iterdir()) == names
    with (folder / "facts.csv").open(encoding="utf-8", newline="") as file:
        found = {r["fact"]: r["value"] + r["day"] + r["words"] for r in csv.DictReader(file)}
    facts = json.loads((current / "facts.json").read_text(encoding="utf-8"))["facts"]
    assert found == {fact["id"]: fact["value"] for fact in facts}
    (folder / "t3.csv").write_text("another's", encoding="utf-8")
    reportkit("run", "huli", 2020, "--out", out, "--open-data")
    assert (folder / "t3.csv").read_text(encoding="utf-8").startswith("fact,")


def test_the_documents_show_the_report(huli):
    current, _, _ = huli
    page = (current / "report.html").read_text(encoding="utf-8")
    assert 'data-fact="t3.new.total">76</data>' in page
    audit = (current / "audit.html").read_text(encoding="utf-8")
    assert "502 ≠ 448 + 66 = 514" in audit
    pdf = pypdf.PdfReader(current / "report.pdf")
    text = re.sub(r"\s", "", "".join(page.extract_text() for page in pdf.pages))
    assert "厦湖府〔2021〕1号" in text
    assert "一、总体情况" in text
    assert "24161987.13" in text


def test_a_figure_changed_by_hand_is_named(project):
    shutil.copytree(ROOT / "data/huli", project / "data/huli")
    path = project / "params/reports/huli/2020.md"
    text = path.read_text(encoding="utf-8")
    bound = "全年主动公开政府信息{{ pub.total }}条"
    assert bound in text
    path.write_text(text.replace(bound, "全年主动公开政府信息1313条"), encoding="utf-8")
    done = reportkit("run", "huli", 2020, "--json", cwd=project)
    assert done.returncode == 1
    found = {one["id"]: one for one in json.loads(done.stdout)["findings"]}
    assert set(found) == {"N3", "C1", "C2"}
    assert found["C1"]["severity"] == "error"
    assert "一、总体情况：“" in found["C1"]["message"]
    assert "政府信息【1313】条" in found["C1"]["message"]
    assert found["C2"]["facts"] == ["pub.total"]
    current = project / "outputs/huli/2020/current"
    mark = '<mark class="unbound" title="没有绑定数据">1313</mark>'
    assert mark in (current / "audit.html").read_text(encoding="utf-8")
    page = (current / "report.html").read_text(encoding="utf-8")
    assert "政府信息1313条" in page


def test_figures_left_to_do_are_listed_in_a_draft(project):
    path = project / "params/reports/pingtan/2021.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("value: 2, unit: 个", "value: , unit: 个"), encoding="utf-8")
    done = reportkit("run", "pingtan", 2021, cwd=project)
    assert done.returncode == 2
    assert "params/reports/pingtan/2021.yaml:6: media.closed (关停政务新媒体)" in done.stderr
    done = reportkit("run", "pingtan", 2021, "--draft", cwd=project)
    assert done.returncode == 0, done.stderr
    page = (project / "outputs/pingtan/2021/current/report.html").read_text(encoding="utf-8")
    assert "〔待填〕" in page


def test_facts_json_is_whole(huli):
    current, _, _ = huli
    document = json.loads((current / "facts.json").read_text(encoding="utf-8"))
    assert (document["schema"], document["edition"]) == ("reportkit/facts/1", "2019")
    facts = {fact["id"]: fact for fact in document["facts"]}
    assert list(facts) == sorted(facts)
    assert facts["t3.new.total"]["value"] == "76"
    for fact in facts.values():
        if fact["origin"] == "sum" and fact["unit"] != "%":
            parts = [facts[part] for part in fact["sum_of"]]
            assert int(fact["value"]) == sum(int(part["value"]) for part in parts)
        if fact["rows"]:
            assert (current / fact["evidence"]).is_file()


def test_the_evidence_is_few_files_and_the_notebook_small(huli):
    current, _, _ = huli
    names = sorted(path.name for path in (current / "evidence").iterdir())
    assert len(names) == 18
    assert names[:3] == ["facts.js", "facts.parquet", "records.parquet"]
    notebook = nbformat.read(current / "report.ipynb", as_version=4)
    (output,) = notebook["cells"][-1]["outputs"]
    block = output["data"]["application/vnd.reportkit.block+json"]
    assert len(json.dumps(block, ensure_ascii=False, indent=1).encode()) < 155_000


def test_the_sums_verify_with_coreutils(huli):
    current, _, _ = huli
    command = ["sha256sum", "-c", "--quiet", "--strict", "SHA256SUMS"]
    done = subprocess.run(command, cwd=current, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert reportkit("verify", current).returncode == 0


def test_a_changed_file_is_named(huli, tmp_path):
    current, _, _ = huli
    copy = tmp_path / "run"
    shutil.copytree(current, copy)
    data = bytearray((copy / "report.pdf").read_bytes())
    data[1000] ^= 1
    (copy / "report.pdf").write_bytes(data)
    done = reportkit("verify", copy)
    assert done.returncode == 1
    assert "report.pdf was changed" in done.stdout


def test_an_unchanged_report_is_not_made_again(huli):
    _, result, out = huli
    again = json.loads(reportkit("run", "huli", 2020, "--out", out, "--json").stdout)
    assert again["unchanged"]
    assert again["run"] == result["run"]


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_plain_papermill_and_nbconvert_give_the_same(huli, tmp_path):
    current, _, _ = huli
    out = tmp_path / "out.ipynb"
    done = commands.papermill(
        "notebooks/annual_report.ipynb", out, cwd=ROOT, district="huli", year=2020
    )
    assert done.returncode == 0, done.stderr
    (seal,) = from_notebook(nbformat.read(out, as_version=4), "seal")
    facts = json.loads((current / "facts.json").read_text(encoding="utf-8"))
    assert seal["facts"] == facts
    assert seal["rows"] == {}
    for exporter, name in (
        ("html", "report.html"),
        ("audit", "audit.html"),
        ("pdf", "report.pdf"),
        ("docx", "report.docx"),
    ):
        command = [BIN / "jupyter", "nbconvert", "--to", f"reportkit-{exporter}", out]
        subprocess.run(command, check=True, capture_output=True)
        assert digest(out.with_suffix(Path(name).suffix)) == digest(current / name)


def test_an_executed_notebook_is_valid(huli):
    current, _, _ = huli
    nbformat.validate(nbformat.read(current / "report.ipynb", as_version=4))


def test_explain_shows_source_rows(huli):
    _, _, out = huli
    done = reportkit("explain", "t3.new.commercial", "--run", "huli/2020", "--out", out)
    assert done.returncode == 0
    assert "申请人类型为“商业企业”" in done.stdout
    row = r"商业企业 +2020-\d\d-\d\d +data/huli/依申请公开台账2020\.xlsx +\S+!\d+$"
    rows = re.findall(row, done.stdout, re.M)
    assert len(rows) == 2
    assert reportkit("explain", "t3.new.commercial", "--out", out).stdout == done.stdout


def test_the_next_edition_is_one_year_away(tmp_path):
    done = reportkit("run", "pingtan", 2021, "--out", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    current = tmp_path / "pingtan/2021/current"
    facts = json.loads((current / "facts.json").read_text(encoding="utf-8"))
    assert facts["edition"] == "2021"
    values = {fact["id"]: fact["value"] for fact in facts["facts"]}
    assert values["t2.fees.amount_wan"] == "24252.311082"
    assert values["t3.other_3_other.total"] == "1"


@pytest.fixture
def project(tmp_path):
    """A small project of its own: 平潭 with a changed notebook or ledger."""
    for name in ("params", "data/pingtan", "notebooks"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["run", "pingtann", "2020"], "pingtan"),
        (["run", "pingtan", "2018"], "2018"),
        (["run", "pingtan", "twenty"], "twenty"),
        (["run", "../pingtan", "2020"], "no district id"),
        (["run", "pingtan", "2020", "--scop", "office"], "scope"),
        (["run", "pingtan"], "YEAR"),
        (["explain", "t3.new.totl", "--run", "nowhere"], "no run"),
        (["verify", "nowhere"], "no run"),
    ],
)
def test_bad_input_stops_before_a_notebook(arguments, expected, project):
    done = reportkit(*arguments, cwd=project)
    assert done.returncode == 2
    assert expected in done.stderr
    assert not list(project.glob("outputs/*/*/runs"))


def test_missing_ledgers_are_all_named(project):
    for path in [*project.glob("data/pingtan/cases*"), *project.glob("data/pingtan/fees*")]:
        path.unlink()
    done = reportkit("run", "pingtan", "2021", cwd=project)
    assert done.returncode == 2
    assert "复议诉讼台账" in done.stderr
    assert "收费台账" in done.stderr


def test_a_report_without_narrative_is_a_plain_draft(project):
    for path in project.glob("params/reports/pingtan/2021.*"):
        path.unlink()
    done = reportkit("run", "pingtan", "2021", "--json", cwd=project)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["draft"]
    page = (project / "outputs/pingtan/2021/current/report.html").read_text(encoding="utf-8")
    assert "尚未填写" in page


PERSONS = {
    "申请人": "卡那利测试甲",
    "证件号码": "11010119900307123X",
    "联系电话": "13800138000",
    "联系地址": "金丝雀路一百零七号",
}


def plant_persons(project, persons=PERSONS):
    """A ledger whose every personal column, and free text, names a person."""
    for path in [
        *project.glob("data/pingtan/applications*"),
        *project.glob("data/pingtan/依申请*"),
    ]:
        path.unlink()
    heading = ["登记号", "申请人类型", "收到日期", "答复日期", "办理结果", *persons, "所需信息"]
    text = "请寄{申请人}，{联系地址}，电话{联系电话}，证件{证件号码}".format(**persons)
    rows = [
        [f"依{number}", "自然人", "2021-03-01", "2021-03-10", "予以公开", *persons.values(), text]
        for number in range(3)
    ]
    lines = [",".join(row) for row in [heading, *rows]]
    path = project / "data/pingtan/applications.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_persons_of_the_ledgers_are_found_nowhere(project):
    plant_persons(project)
    done = reportkit("run", "pingtan", "2021", cwd=project)
    assert done.returncode in (0, 1), done.stderr
    files = [path for path in project.glob("outputs/**/*") if path.is_file()]
    assert len(files) > 20
    for value in PERSONS.values():
        assert value not in done.stdout + done.stderr
        assert not [path for path in files if value.encode() in path.read_bytes()]
    page = (project / "outputs/pingtan/2021/current/evidence/rows-applications-0.js").read_text(
        encoding="utf-8"
    )
    assert "请寄〔申请人〕" in page
    assert "电话〔手机号码〕" in page


def test_a_notebook_that_shows_a_person_is_not_published(project):
    plant_persons(project)
    change_cell(project, "outcomes", 'print(open("data/pingtan/applications.csv").read())')
    done = reportkit("run", "pingtan", "2021", cwd=project)
    assert done.returncode == 3
    assert "report.ipynb" in done.stderr
    assert PERSONS["申请人"] not in done.stderr
    assert not (project / "outputs/pingtan/2021/current").exists()
    kept = [path for path in project.glob("outputs/**/*") if path.is_file()]
    assert {path.name for path in kept} == {".lock", "run.log"}


def test_a_name_of_two_characters_is_not_published_either(project):
    plant_persons(project, PERSONS | {"申请人": "李强"})
    done = reportkit("run", "pingtan", "2021", cwd=project)
    assert done.returncode in (0, 1), done.stderr
    change_cell(project, "outcomes", 'print("申请人\\n李强")')
    done = reportkit("run", "pingtan", "2021", cwd=project)
    assert done.returncode == 3
    assert re.search(r"report\.ipynb[^;]*\[15\][^;]*: 个人信息栏内容", done.stderr)
    assert "李强" not in done.stderr


def test_a_bad_record_makes_a_draft(project):
    path = project / "data/pingtan/applications.csv"
    rows = [f"补{number},自然人,2021-03-01,2021-03-10,予以公开" for number in range(120)]
    rows += ["补x,自然人,2021-03-41,2021-03-10,予以公开"]
    path.write_text(
        "\n".join(["登记号,申请人类型,收到日期,答复日期,办理结果", *rows]), encoding="utf-8"
    )
    done = reportkit("run", "pingtan", "2021", "--json", cwd=project)
    document = json.loads(done.stdout)
    assert document["draft"]
    assert done.returncode == 1
    assert "L1" in {finding["id"] for finding in document["findings"]}
    run = project / "outputs/pingtan/2021/current/evidence"
    violations = pq.read_table(run / "violations.parquet").to_pylist()
    assert [(v["place"], v["found"]) for v in violations if v["severity"] == "reject"] == [
        ("122", "2021-03-41")
    ]
    (bad,) = pq.read_table(run / "quarantine.parquet").to_pylist()
    assert (bad["ledger"], bad["place"]) == ("applications", "122")
    assert json.loads(bad["cells"])["登记号"] == "补x"


def change_cell(project, cell_id, source):
    path = project / "notebooks/annual_report.ipynb"
    notebook = nbformat.read(path, as_version=4)
    cell = next(cell for cell in notebook["cells"] if cell["id"] == cell_id)
    cell["source"] = source
    nbformat.write(notebook, path)


# A fact counted in a cell; and rows that are not those that it was counted on, of its own or ours.
OWN = """
applications = report.ledger("applications")
natural = applications["申请人类型"] == "自然人"
own = report.fact("own.natural", rows=natural, ledger="applications", unit="件")
"""
FORGED = """
from dataclasses import replace
report.compiled.own["own.natural"] = replace(own, rows=own.rows + 10**6)
"""
BENT = """
from dataclasses import replace
facts = report.compiled.computer.facts
fact = facts["t3.new.natural_person"]
facts[fact.id] = replace(fact, rows=fact.rows[::-1])
"""


def test_the_evidence_has_rows_of_facts_made_in_notebooks(project):
    change_cell(project, "outcomes", OWN)
    assert reportkit("run", "pingtan", "2019", cwd=project).returncode == 0
    current = project / "outputs/pingtan/2019/current"
    done = reportkit("explain", "own.natural", "--json", cwd=project)
    fact = json.loads(done.stdout)
    assert (fact["value"], fact["places"], len(fact["source_rows"])) == ("113", ["notebook"], 113)
    assert len({row["file"] for row in fact["source_rows"]}) == 3
    (seal,) = from_notebook(nbformat.read(current / "report.ipynb", as_version=4), "seal")
    assert list(seal["rows"]) == ["own.natural"]
    assert '"own.natural":{"steps":' in (current / "evidence/facts.js").read_text(encoding="utf-8")
    assert reportkit("verify", current, cwd=project).returncode == 0


@pytest.mark.parametrize(
    ("cell", "source", "expected"),
    [
        ("outcomes", "1 / 0", "ZeroDivisionError"),
        ("outcomes", "import os; os.kill(os.getpid(), 9)", "died"),
        ("seal", "import os; report.seal(); os.kill(os.getpid(), 9)", ""),
        ("outcomes", "import sys; sys.exit(0)", ""),
        ("seal", "report.checks()", "seal"),
        ("seal", "report.all_checks.clear()\nreport.seal()", "checks"),
        ("open", "import reportkit as rk\nreport = rk.open_report(district, 2020)", "not"),
        ("outcomes", BENT, "t3.new.natural_person: rows_sha256 in the notebook are not what"),
        ("outcomes", OWN + FORGED, "the rows of own.natural are not those"),
    ],
)
def test_a_faulty_notebook_publishes_nothing(cell, source, expected, project):
    change_cell(project, cell, source)
    done = reportkit("run", "pingtan", "2019", cwd=project)
    assert done.returncode == 3, done.stdout + done.stderr
    assert expected in done.stderr
    place = project / "outputs/pingtan/2019"
    assert not (place / "current").exists()
    assert not list(place.glob(".staging-*"))
    assert (place / "failed/run.log").read_text(encoding="utf-8")


def test_a_failed_run_leaves_the_one_in_force(project):
    assert reportkit("run", "pingtan", "2019", cwd=project).returncode == 0
    current = project / "outputs/pingtan/2019/current"
    before = current.resolve()
    change_cell(project, "outcomes", "1 / 0")
    assert reportkit("run", "pingtan", "2019", cwd=project).returncode == 3
    assert current.resolve() == before
    assert reportkit("verify", current).returncode == 0
