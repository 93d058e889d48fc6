"""One district that reports by two forms: from the first file to verify, batch and diff."""

import json
import shutil

import pytest
from batches import make_project, name_parents
from commands import reportkit

PENALTIES = (
    "决定书文号,决定日期,处罚种类,罚没金额（元）\n1,2021-05-01,罚款、警告,2000\n"
    "2,2021-06-01,警告,\n3,2020-06-01,罚款,500\n"
)
LEDGERS = {
    "permits": "申请编号,申请日期,受理日期,决定日期,许可结果,撤销日期\n"
    "1,2021-01-04,2021-01-05,2021-01-08,准予许可,\n",
    "penalties": PENALTIES,
    "coercion": "文书号,类别,方式,日期\n",
    "other_acts": "编号,类别,日期\n1,行政检查,2021-03-01\n",
}


class Project:
    """The folder, and the command in it."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, *words, status=0):
        return reportkit(*words, cwd=self.folder, status=status).stdout

    def read(self, report, name):
        path = self.folder / f"outputs/jia/{report}/current/{name}"
        return json.loads(path.read_text("utf-8"))

    def facts(self, report):
        return {one["id"]: one["value"] for one in self.read(report, "facts.json")["facts"]}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Make a district of the usual form, then its reports of 2020 and 2021 by a second one."""
    made = Project(tmp_path_factory.mktemp("two"))
    make_project(made.folder, ["jia"])
    (made.folder / "notebooks/enforcement_report.ipynb").unlink()
    for name, rows in LEDGERS.items():
        (made.folder / f"data/jia/{name}.csv").write_text(rows, encoding="utf-8")
    result = made("new", "jia", "2020", "--form", "xzzf")
    assert "say in params/districts/jia.yaml that it reports by this form too" in result
    assert "next: reportkit intake jia 2020 --form xzzf, then reportkit run jia 2020" in result
    with (made.folder / "params/districts/jia.yaml").open("a", encoding="utf-8") as file:
        file.write("forms: [xzzf]\n")
    made("run", "jia", "2020", "--form", "xzzf")
    assert "made from 2020" in made("new", "jia", "2021", "--form", "xzzf")
    made("run", "jia", "2021", "--form", "xzzf")
    (made.folder / "params/reports/jia/2021.yaml").write_text("year: 2021\n", encoding="utf-8")
    made("run", "jia", "2021")
    return made


def test_each_form_has_files_and_folders_of_its_own(project):
    reports = sorted(path.name for path in (project.folder / "params/reports/jia").iterdir())
    assert reports == [
        "2020-xzzf.md",
        "2020-xzzf.yaml",
        "2021-xzzf.md",
        "2021-xzzf.yaml",
        "2021.yaml",
    ]
    outputs = sorted(path.name for path in (project.folder / "outputs/jia").iterdir())
    assert outputs == ["2020-xzzf", "2021", "2021-xzzf"]
    assert (project.folder / "notebooks/enforcement_report.ipynb").is_file()
    enforcement = project.facts("2021-xzzf")
    assert {name: enforcement[name] for name in ("t2.fine.count", "t2.total.count")} == {
        "t2.fine.count": "1",
        "t2.total.count": "2",
    }
    assert project.facts("2021")["t3.new.total"] == "2"
    forms = [project.read(one, "MANIFEST.json")["form"] for one in ("2021", "2021-xzzf")]
    assert forms == ["zfxxgk", "xzzf"]


def test_the_year_before_is_by_the_same_form(project):
    (document,) = (one for one in project.read("2021-xzzf", "checks.json") if one["id"] == "X0")
    assert document["message"] == "上年的报告：jia/2020-xzzf/current"
    (alone,) = (one for one in project.read("2021", "checks.json") if one["id"] == "X0")
    assert alone["message"] == "没有上年的报告，未作跨年核对"


def test_ledgers_of_the_other_form_are_not_reported_as_unread(project):
    open_ = {one["id"] for one in project.read("2021", "checks.json") if not one["holds"]}
    assert "L2" not in open_
    assert "penalties" not in project("intake", "jia", "2021")
    result = project("intake", "jia", "2021", "--form", "xzzf")
    assert "行政处罚台账: 3 read, 3 accepted" in result
    assert "依申请公开台账" not in result


def test_all_runs_are_verified_and_made_again(project):
    messages = project("verify", "outputs", "--rerun")
    assert "3 of 3 runs hold" in messages
    assert "jia 2021 by xzzf, run " in messages


def test_a_run_in_the_folder_of_another_form_is_refused(project, tmp_path):
    out = tmp_path / "outputs"
    shutil.copytree(project.folder / "outputs", out, symlinks=True)
    shutil.rmtree(out / "jia/2021")
    (out / "jia/2021-xzzf").rename(out / "jia/2021")
    messages = project("verify", str(out / "jia/2021/current"), status=1)
    assert "under jia/2021 stands the run" in messages


def test_explain_diff_and_prune_tell_forms_apart(project):
    messages = project("explain", "t2.fine.count", "--run", "jia/2021", "--form", "xzzf")
    assert "1 宗" in messages
    assert "last year   1 宗" in messages
    assert project("explain", "t2.fine.count", "--run", "jia/2021-xzzf") == messages
    messages = project(
        "diff", "outputs/jia/2021/current", "outputs/jia/2021-xzzf/current", status=1
    )
    assert "测试区 2021 by zfxxgk" in messages
    assert "测试区 2021 by xzzf" in messages
    assert "0 runs would be reduced" in project("prune", "--dry-run")


def planned(project, *words):
    document = json.loads(project("batch", "--dry-run", "--json", *words))
    return [(one["year"], one["form"], one["runs"]) for one in document["reports"]]


def test_a_batch_makes_the_reports_of_both(project):
    both = [(2021, None, False), (2020, "xzzf", False), (2021, "xzzf", False)]
    assert planned(project) == both
    assert planned(project, "--form", "xzzf") == both[1:]
    assert planned(project, "--form", "zfxxgk", "--years", "2021") == both[:1]
    path = project.folder / "params/batch.yaml"
    path.write_text("form: [xzzf]\nyears: [2021]\n", encoding="utf-8")
    try:
        assert planned(project) == both[2:]
    finally:
        path.unlink()
    result = project("batch", "--force", status=0)
    assert "3 made, 0 unchanged, 0 failed" in result
    page = (project.folder / "outputs/batch.html").read_text("utf-8")
    assert 'href="jia/2021-xzzf/current/report.html"' in page
    assert "4 of 4 runs hold" not in project("verify", "outputs")


def test_a_report_that_fails_is_reported_and_tried_again_alone(project):
    ledger = project.folder / "data/jia/penalties.csv"
    ledger.write_text(PENALTIES.replace("决定日期", "日子"), encoding="utf-8")
    try:
        result = project("batch", status=2)
        assert "1 unchanged, 2 failed" in result
        document = json.loads((project.folder / "outputs/batch.json").read_text("utf-8"))
        failed = [(one["year"], one["form"]) for one in document["reports"] if one["reason"]]
        assert failed == [(2020, "xzzf"), (2021, "xzzf")]
    finally:
        ledger.write_text(PENALTIES, encoding="utf-8")
    assert planned(project, "--failed") == [(2020, "xzzf", False), (2021, "xzzf", False)]
    assert "0 made, 2 unchanged" in project("batch", "--failed")


def test_a_batch_sums_up_members_by_their_other_form(tmp_path):
    made = Project(tmp_path)
    make_project(tmp_path, ["jia", "yi", "city"])
    shutil.rmtree(tmp_path / "data/city")
    name_parents(tmp_path, {"jia": "city", "yi": "city"})
    for district, penalties in (("jia", PENALTIES), ("yi", PENALTIES.replace("2020-", "2021-"))):
        for name, rows in (LEDGERS | {"penalties": penalties}).items():
            (tmp_path / f"data/{district}/{name}.csv").write_text(rows, encoding="utf-8")
    for district in ("jia", "yi", "city"):
        with (tmp_path / f"params/districts/{district}.yaml").open("a", encoding="utf-8") as file:
            file.write("forms: [xzzf]\n")
    words = ("batch", "--form", "xzzf", "--years", "2021")
    plan = json.loads(made(*words, "--dry-run", "--json"))
    assert sorted(plan["order"][:2]) == [["jia", [2021], "xzzf"], ["yi", [2021], "xzzf"]]
    assert plan["order"][2:] == [["city", [2021], "xzzf"]]
    assert "3 made, 0 unchanged, 0 failed" in made(*words)
    path = tmp_path / "outputs/city/2021-xzzf/current/facts.json"
    facts = {one["id"]: one for one in json.loads(path.read_text("utf-8"))["facts"]}
    # One fine in 2021 and another in 2020; in the second district both are of 2021.
    assert facts["t2.fine.count"]["value"] == "3"
    assert facts["t2.fine.count"]["sum_of"] == ["jia/t2.fine.count", "yi/t2.fine.count"]
    assert "0 made, 3 unchanged" in made(*words)


def test_a_local_variant_stands_beside_the_usual_form(tmp_path):
    made = Project(tmp_path)
    make_project(tmp_path, ["jia"])
    (tmp_path / "forms/own").mkdir(parents=True)
    edition = (
        "edition: 本地\nextends: zfxxgk/2021\nyears: {first: 2021}\n"
        "tables:\n  - id: t2\n    rows:\n"
        "      - {key: other, after: normative_documents, label: 其他文件, values: [规章]}\n"
        "      - {key: regulations, drop: true}\n"
    )
    (tmp_path / "forms/own/2021.yaml").write_text(edition, encoding="utf-8")
    # The notebook is the same; what it is given says which form it opens.
    made("run", "jia", "2021", "--form", "own", "--cold")
    log = (tmp_path / "outputs/jia/2021-own/current/run.log").read_text(encoding="utf-8")
    assert "unknown parameter" not in log
    made("run", "jia", "2021", "--form", "zfxxgk")
    assert "t2.other.made" in made.facts("2021-own")
    assert "t2.other.made" not in made.facts("2021")
    messages = made("verify", "outputs/jia/2021-own/current", "--rerun")
    assert "rerun: holds" in messages


def test_an_unknown_form_names_those_that_there_are(project):
    done = reportkit("run", "jia", "2021", "--form", "xzfz", cwd=project.folder, status=2)
    assert "there is no form 'xzfz'; there are: xzzf" in done.stderr
    assert not (project.folder / "outputs/jia/2021-xzfz").exists()
