"""An edition of next year as a folder of the project: everything follows without the package."""

import json
import shutil

import commands
import pytest
from howtos import NEXT

APPLICATIONS = """\
登记号,申请人类型,收到日期,答复日期,办理结果
2026-1,自然人,2026-02-03,2026-02-10,属于平台运行数据
2026-2,自然人,2026-03-03,2026-03-10,属于行政查询事项
2026-3,商业企业,2026-03-04,2026-03-11,属于行政查询类事项
2025-9,自然人,2025-12-30,2026-01-05,予以公开
2025-1,自然人,2025-03-30,2025-04-05,属于行政查询事项
"""


def reportkit(*words, folder, status=0):
    return commands.reportkit(*words, cwd=folder, status=status).stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("next")
    reportkit("init", ".", "--district", "jia", "--name", "甲区", "--year", "2025", folder=folder)
    (folder / "forms/zfxxgk").mkdir(parents=True)
    (folder / "forms/zfxxgk/2026.yaml").write_text(NEXT, encoding="utf-8")
    (folder / "data/jia/依申请公开台账.xlsx").unlink()
    (folder / "data/jia/applications.csv").write_text(APPLICATIONS, encoding="utf-8")
    reportkit("run", "jia", "2025", folder=folder)
    result = reportkit("new", "jia", "2026", folder=folder)
    assert "七、数据开放情况" in result
    assert 'add a cell report.section("七")' in result
    notebook = folder / "notebooks/annual_report.ipynb"
    cells = json.loads(notebook.read_text("utf-8"))
    at = next(n for n, c in enumerate(cells["cells"]) if c["source"] == 'report.section("六")')
    cells["cells"].insert(
        at + 1, cells["cells"][at] | {"id": "x7", "source": 'report.section("七")'}
    )
    notebook.write_text(json.dumps(cells, ensure_ascii=False), encoding="utf-8")
    text = folder / "params/reports/jia/2026.md"
    text.write_text(
        text.read_text("utf-8").replace(
            "【尚未填写：数据开放情况】",
            "以平台运行数据为由不予公开{{ t3.deny_9_platform.total }}件。",
        ),
        encoding="utf-8",
    )
    reportkit("run", "jia", "2026", "--draft", folder=folder)
    return folder


def read(project, name):
    return json.loads((project / "outputs/jia/2026/current" / name).read_text("utf-8"))


def test_cells_of_the_new_row_and_the_changed_label_count(project):
    facts = {one["id"]: one["value"] for one in read(project, "facts.json")["facts"]}
    assert read(project, "facts.json")["edition"] == "2026"
    assert {
        name: facts[name]
        for name in (
            "t3.new.total",
            "t3.carried_in.total",
            "t3.deny_9_platform.natural_person",
            "t3.deny_8_admin_query.natural_person",
            "t3.deny_8_admin_query.commercial",
            "t3.results_total.total",
            "t3.carried_out.total",
        )
    } == {
        "t3.new.total": "3",
        "t3.carried_in.total": "1",
        "t3.deny_9_platform.natural_person": "1",
        "t3.deny_8_admin_query.natural_person": "1",
        "t3.deny_8_admin_query.commercial": "1",
        "t3.results_total.total": "4",
        "t3.carried_out.total": "0",
    }


def test_checks_hold_and_the_old_label_is_reported(project):
    open_ = {one["id"]: one["message"] for one in read(project, "checks.json") if not one["holds"]}
    assert set(open_) == {"D5", "D6", "F2"}
    assert open_["F2"] == ("“属于行政查询类事项”原为“属于行政查询事项”，按原名称登记的1件已计入")


@pytest.mark.parametrize("name", ["report.html", "audit.html"])
def test_the_documents_have_the_row_the_label_and_the_section(project, name):
    text = (project / "outputs/jia/2026/current" / name).read_text("utf-8")
    assert "9.属于平台运行数据" in text
    assert "8.属于行政查询类事项" in text
    assert "七、数据开放情况" in text


def test_the_form_is_an_input_and_verify_uses_the_own(project):
    (form,) = [
        i for i in read(project, "MANIFEST.json")["inputs"] if i["name"].startswith("forms/")
    ]
    assert form["name"] == "forms/zfxxgk/2026.yaml"
    messages = reportkit("verify", "outputs/jia/2026/current", "--rerun", folder=project)
    assert "rerun: holds" in messages


def test_a_verifier_with_another_form_refuses(project):
    file = project / "forms/zfxxgk/2026.yaml"
    text = file.read_text("utf-8")
    try:
        file.write_text(text.replace(", was: [属于行政查询事项]", ""), encoding="utf-8")
        messages = reportkit("verify", "outputs/jia/2026/current", folder=project, status=1)
    finally:
        file.write_text(text, encoding="utf-8")
    assert "t3.deny_8_admin_query.natural_person: where is" in messages


def test_a_change_of_the_form_makes_the_report_anew(project):
    result = reportkit("run", "jia", "2026", "--draft", folder=project)
    assert "unchanged" in result
    file = project / "forms/zfxxgk/2026.yaml"
    text = file.read_text("utf-8")
    try:
        file.write_text(text.replace("9号", "11号"), encoding="utf-8")
        reportkit("run", "jia", "2026", "--draft", folder=project)
        assert read(project, "MANIFEST.json")["basis"] == "国办公开办函〔2026〕11号"
    finally:
        file.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def city(project):
    """The same, and a city above the district and a neighbour that still has the old edition."""
    for name, more in {"shi": "level: city\n", "yi": "parent: shi\n"}.items():
        text = f"id: {name}\nname: {name}\n{more}"
        (project / f"params/districts/{name}.yaml").write_text(text, encoding="utf-8")
    with (project / "params/districts/jia.yaml").open("a", encoding="utf-8") as file:
        file.write("\nparent: shi\n")
    shutil.copytree(project / "data/jia", project / "data/yi")
    rows = APPLICATIONS.replace("属于平台运行数据", "予以公开").replace("查询类事项", "查询事项")
    (project / "data/yi/applications.csv").write_text(rows, encoding="utf-8")
    # A project without that folder makes the report of the same year by the package's edition.
    old = project.with_name("old")
    for name in ("data", "params"):
        shutil.copytree(project / name, old / name)
    reportkit("run", "yi", "2026", "--draft", folder=old)
    shutil.copytree(old / "outputs/yi", project / "outputs/yi", symlinks=True)
    reportkit("run", "jia", "2026", "--draft", folder=project)
    return project


def test_a_roll_up_adds_members_of_its_own_edition_alone(city):
    document = reportkit("rollup", "shi", "2026", "--draft", "--json", folder=city, status=2)
    refused = json.loads(document)
    assert refused["error"] == "member-differs"
    assert "the report of yi is of edition 2021, the roll-up of edition 2026" in refused["message"]
    assert not (city / "outputs/shi/2026/current").exists()
    reportkit("run", "yi", "2026", "--draft", folder=city)
    reportkit("rollup", "shi", "2026", "--draft", folder=city)
    run = city / "outputs/shi/2026/current"
    facts = {one["id"]: one for one in json.loads((run / "facts.json").read_text("utf-8"))["facts"]}
    added = facts["t3.deny_9_platform.natural_person"]
    assert added["value"] == "1"
    assert added["sum_of"] == [f"{one}/t3.deny_9_platform.natural_person" for one in ("jia", "yi")]
    assert facts["t3.deny_8_admin_query.total"]["value"] == "4"
    text = (run / "report.html").read_text("utf-8")
    assert "9.属于平台运行数据" in text
    assert "8.属于行政查询类事项" in text
    assert "七、数据开放情况" in text
    assert "rerun: holds" in reportkit("verify", str(run), "--rerun", folder=city)
