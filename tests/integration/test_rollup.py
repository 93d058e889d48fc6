"""Roll-ups from units to districts to a city: exact, with what is amiss told on every level."""

import json
import shutil
import signal
import subprocess

import nbformat
import papermill
import pyarrow.parquet as pq
import pytest
from batches import (
    BIN,
    LEDGERS,
    ROOT,
    add_district,
    batch,
    make_project,
    name_parents,
    plan,
    states,
)
from commands import reportkit
from forging import reseal
from places import make_places

from reportkit.export.blocks import from_notebook, prose_text
from reportkit.export.document import arrange
from reportkit.export.documents import make_documents
from reportkit.notebook.filled import fill

YEAR = "2021"


def command(folder, *words):
    """The command as a user gives it: exit status, and its JSON document."""
    done = reportkit(*words, "--json", cwd=folder)
    return done.returncode, json.loads(done.stdout)


def run_of(project, name, year=YEAR):
    return project / "outputs" / name / year / "current"


def values(project, name):
    """Values of a run in force by fact."""
    document = json.loads((run_of(project, name) / "facts.json").read_text("utf-8"))
    return {fact["id"]: fact["value"] for fact in document["facts"]}


def findings(project, name):
    """Messages of what does not hold in a run in force, by rule."""
    checks = json.loads((run_of(project, name) / "checks.json").read_text("utf-8"))
    return {one["id"]: (one["severity"], one["message"]) for one in checks if not one["holds"]}


def holds(project, name):
    """Level to verdict of verifying a run in force."""
    status, document = command(project, "verify", str(run_of(project, name)))
    levels = {one["level"]: one["holds"] for one in document["runs"][0]["levels"]}
    return status, levels, [f for one in document["runs"][0]["levels"] for f in one["findings"]]


ALL_HOLD = dict.fromkeys(["files", "ledgers", "facts", "render", "environment"], True)


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    """The city that does not exist, every report made by one batch."""
    project = make_places(tmp_path_factory.mktemp("places") / "city")
    done = batch(project)
    assert done.returncode == 2, done.stderr
    expected = dict.fromkeys([path.stem for path in project.glob("params/districts/*")], "made")
    assert states(done) == expected | {
        "baipu-zhen": "not-handed-in",
        "qingtang-zrj": "not-handed-in",
    }
    return project


def test_units_add_up_to_districts_and_these_to_the_city(city):
    result = {name: values(city, name) for name in ("chengchuan", "beidu", "liushi", "qingtang")}
    rows = ("t3.new.total", "t3.results_total.total", "t3.carried_out.total", "t4.review.total")
    assert [result["beidu"][row] for row in rows] == ["16", "16", "0", "3"]
    assert [result["liushi"][row] for row in rows] == ["17", "17", "0", "0"]
    assert [result["qingtang"][row] for row in rows] == ["17", "16", "1", "0"]
    # The published 70, 69, 1 and 3, less the 7, 7, 0 and 0 of the unit that is missing.
    assert [result["chengchuan"][row] for row in rows] == ["63", "62", "1", "3"]
    assert result["chengchuan"]["t2.fees.amount_wan"] == "22231.285159"
    assert result["chengchuan"]["t2.permits.decisions"] == "2102"


def test_every_added_figure_is_the_sum_of_the_members(city):
    members = ["baipu", "beidu", "liushi", "qingtang"]
    theirs = [values(city, name) for name in members]
    document = json.loads((run_of(city, "chengchuan") / "facts.json").read_text("utf-8"))
    added = [fact for fact in document["facts"] if "/" in "".join(fact["sum_of"])]
    assert {fact["origin"] for fact in document["facts"]} == {"sum"}
    assert len(added) == 166  # the cells of the form that are no totals
    for fact in added:
        assert fact["sum_of"] == [f"{name}/{fact['id']}" for name in members]
        shared = fact["id"] == "t4.litigation_direct.maintain"
        total = sum(round(float(own[fact["id"]]) * 10**6) for own in theirs)
        assert round(float(fact["value"]) * 10**6) == total - shared * 10**6, fact["id"]


def test_a_lawsuit_of_two_districts_counts_once(city):
    assert values(city, "beidu")["t4.litigation_direct.maintain"] == "4"
    assert values(city, "baipu")["t4.litigation_direct.maintain"] == "3"
    assert values(city, "chengchuan")["t4.litigation_direct.maintain"] == "12"  # 4+3+3+3-1
    severity, message = findings(city, "chengchuan")["M6"]
    assert severity == "info"
    assert message.startswith("编号相同的只计一次，共减1：（2021）示0101行初7号见于白浦县、北渡区")


def test_what_is_amiss_is_reported_where_it_is(city):
    assert findings(city, "baipu")["M1"] == (
        "error",
        "3个单位，2个有本年的报告；没有的：白浦县云砚镇",
    )
    assert findings(city, "liushi")["M3"] == ("error", "不符而未接受的：柳石区教育局（N1）")
    assert findings(city, "qingtang")["M5"] == (
        "info",
        "取已公布的数：青棠县自然资源局（reports/qingtang-zrj/2021.published.json）",
    )
    above = findings(city, "chengchuan")
    assert above["M3"] == ("error", "不符而未接受的：白浦县（M1）、柳石区（M3）")
    assert above["M1"] == (
        "error",
        "4个单位，4个有本年的报告；下级没有的：白浦县云砚镇",
    )
    assert above["M5"] == ("info", "下级取已公布的数：青棠县自然资源局")
    assert "M1" not in findings(city, "beidu")


@pytest.mark.parametrize("name", ["chengchuan", "qingtang"])
def test_a_roll_up_is_verified_like_any_run(city, name):
    assert holds(city, name) == (0, ALL_HOLD, [])


def test_the_notebook_of_a_roll_up_runs_again_alike(city):
    status, document = command(city, "verify", "--rerun", str(run_of(city, "beidu")))
    assert status == 0, document
    assert document["runs"][0]["levels"][-1]["findings"] == []


def test_the_evidence_has_each_figure_of_each_member(city):
    table = pq.read_table(run_of(city, "qingtang") / "evidence/members.parquet").to_pylist()
    rows = {one["member"]: one["value"] for one in table if one["fact"] == "t3.new.natural_person"}
    assert rows == {"qingtang-jyj": "5", "qingtang-zhen": "7", "qingtang-zrj": "5"}
    assert len(list((run_of(city, "qingtang") / "evidence").iterdir())) <= 20


def test_a_fact_is_explained_by_its_members(city):
    status, document = command(city, "explain", "t3.new.natural_person", "--run", "qingtang/2021")
    assert status == 0
    assert [(one["id"].partition("/")[0], one["value"]) for one in document["parts"]] == [
        ("qingtang-jyj", "5"),
        ("qingtang-zhen", "7"),
        ("qingtang-zrj", "5"),
    ]


@pytest.fixture(scope="module")
def compared(city, tmp_path_factory):
    """The notebook over the city's districts, executed."""
    folder = tmp_path_factory.mktemp("districts")
    notebook = papermill.execute_notebook(
        str(ROOT / "notebooks/districts.ipynb"),
        str(folder / "districts.ipynb"),
        parameters={"year": 2021, "parent": "chengchuan"},
        progress_bar=False,
        cwd=city,
    )
    nbformat.validate(notebook)
    return fill(notebook)


def test_districts_are_reported_in_words_that_are_facts(compared):
    blocks = from_notebook(compared, "prose", "seal")
    result = [prose_text(one["body"]) for one in blocks[:-1]]
    assert result[0] == (
        "4个区县的新收申请，中位数16.5件，中间一半在15.3件至17件之间；最少的13件（白浦县），"
        "最多的17件（柳石区、青棠县）。区县不到八个，不说离群。"
    )
    facts = {fact["id"]: fact for fact in blocks[-1]["facts"]["facts"]}
    assert facts["spread.new.most"]["value"] == "17"
    assert facts["spread.new.median"]["definition"] == (
        "4个区县的新收申请的中位数，在两个数之间的按比例取"
    )
    (first, *_) = blocks[0]["body"][0]["runs"]
    assert first == {"text": "4", "fact": "spread.new.count"}


def test_districts_have_documents_like_any_other(compared):
    for name, content in make_documents(arrange(compared)):
        text = content.decode() if name.endswith(".html") else ""
        assert len(content) > 5000, name
        if name == "report.html":
            assert "澄川市2021年各区县比较" in text
            assert "办结申请的构成" in text
            assert "草稿" in text  # as the reports are that it compares


@pytest.fixture(scope="module")
def districts(tmp_path_factory):
    """Two districts of a city, made, and the city not yet."""
    project = make_project(tmp_path_factory.mktemp("small"), ["a", "b", "city"])
    shutil.rmtree(project / "data/city")
    name_parents(project, {"a": "city", "b": "city"})
    assert set(states(batch(project, "--districts", "a,b")).values()) == {"made"}
    return project


@pytest.fixture
def small(districts, tmp_path):
    """A copy of the two, to be changed."""
    return shutil.copytree(districts, tmp_path / "p", symlinks=True)


def test_a_changed_member_makes_its_parent_again(small):
    assert states(batch(small)) == {"a": "unchanged", "b": "unchanged", "city": "made"}
    assert states(batch(small)) == dict.fromkeys(["a", "b", "city"], "unchanged")
    assert values(small, "city")["t3.new.total"] == "4"
    with (small / "data/a/applications.csv").open("a", encoding="utf-8") as file:
        file.write("3,自然人,2021-05-01,2021-05-11,予以公开\n")
    assert {name for name, why in plan(small).items() if why} == {"a", "city"}
    assert states(batch(small)) == {"a": "made", "b": "unchanged", "city": "made"}
    assert values(small, "city")["t3.new.total"] == "5"
    assert holds(small, "city") == (0, ALL_HOLD, [])


def test_a_roll_up_holds_after_its_members_have_moved_on(small):
    assert command(small, "rollup", "city", YEAR)[0] == 0
    with (small / "data/a/fees.csv").open("a", encoding="utf-8") as file:
        file.write("2,A1,2021-02-28,99.50\n")
    assert command(small, "run", "a", YEAR)[0] == 0
    assert holds(small, "city") == (0, ALL_HOLD, [])
    assert values(small, "city")["t2.fees.amount_wan"] == "0.2001"
    status, document = command(small, "rollup", "city", YEAR)
    assert (status, document["unchanged"]) == (0, False)
    assert values(small, "city")["t2.fees.amount_wan"] == "0.21005"


def test_a_sum_that_was_bent_is_found(small):
    assert command(small, "rollup", "city", YEAR)[0] == 0
    run = run_of(small, "city").resolve()
    path = run / "facts.json"
    document = json.loads(path.read_text("utf-8"))
    (fact,) = (one for one in document["facts"] if one["id"] == "t3.new.natural_person")
    fact["value"] = "3"
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    reseal(run)
    _, levels, found = holds(small, "city")
    assert levels["facts"] is False
    assert "t3.new.natural_person is 3, its members' facts come to 2" in found


def test_a_member_that_was_changed_is_not_added(small):
    facts = run_of(small, "a") / "facts.json"
    facts.write_text(facts.read_text("utf-8").replace('"value": "2"', '"value": "9"'), "utf-8")
    status, document = command(small, "rollup", "city", YEAR)
    assert (status, document["error"]) == (2, "past-changed")
    assert "a/2021" in document["message"]


def test_a_new_year_of_a_parent_begins_with_a_text(small):
    messages = reportkit("new", "city", YEAR, cwd=small, status=0).stdout
    assert messages.endswith("next: reportkit rollup city 2021\n")
    assert "the report needs it" not in messages  # no ledger is
    text = small / "params/reports/city/2021.md"
    text.write_text(text.read_text("utf-8") + "\n两区共收{{ t3.new.total }}件。\n", "utf-8")
    assert command(small, "new", "city", "2022")[1]["previous"] == 2021
    command(small, "rollup", "city", YEAR, "--draft")
    assert "两区共收<" in (run_of(small, "city") / "report.html").read_text("utf-8")


def test_a_roll_up_is_previewed_from_its_members(small):
    words = [BIN / "reportkit", "preview", "city", YEAR]
    with subprocess.Popen(words, cwd=small, stderr=subprocess.PIPE, text=True) as process:
        messages = [process.stderr.readline() for _ in range(2)]
        process.send_signal(signal.SIGTERM)
    assert messages[0].startswith("http://127.0.0.1:")
    assert messages[1] == "draft 1\n"
    assert not (small / "outputs/city").exists()


def test_no_member_with_a_report_is_refused(small):
    status, document = command(small, "rollup", "city", "2022")
    assert (status, document["error"], document["district"]) == (2, "members-missing", "city")
    assert not (small / "outputs/city/2022/current").exists()


def test_the_parents_own_office_is_a_member_by_its_scope(small):
    add_district(small, "town")
    with (small / "params/districts/town.yaml").open("a", encoding="utf-8") as file:
        file.write("scope: office\n")
    add_district(small, "village")
    name_parents(small, {"village": "town"})
    both = ("--districts", "town,village")
    assert states(batch(small, *both)) == {"town": "made", "village": "made"}
    document = json.loads((run_of(small, "town") / "facts.json").read_text("utf-8"))
    (fact,) = (one for one in document["facts"] if one["id"] == "t3.new.natural_person")
    assert document["scope"] == "district"
    assert (fact["value"], fact["sum_of"]) == (
        "2",
        ["town/t3.new.natural_person", "village/t3.new.natural_person"],
    )
    assert holds(small, "town") == (0, ALL_HOLD, [])
    assert states(batch(small, *both)) == {"town": "unchanged", "village": "unchanged"}


def test_what_the_parent_published_itself_is_compared(small):
    folder = small / "params/reports/city"
    folder.mkdir(parents=True)
    (folder / "2021.yaml").write_text(
        "year: 2021\ndeclared:\n  - {id: t3.new.total, label: 新收, value: '5', unit: 件, "
        "source: 上报的汇总表, stated_by: 办公室, stated_on: 2022-01-20}\n",
        encoding="utf-8",
    )
    assert command(small, "rollup", "city", YEAR)[0] == 0
    severity, message = findings(small, "city")["X5"]
    assert (severity, message) == (
        "warning",
        "一、本年新收政府信息公开申请数量/申请人情况/总计：本级申报（上报的汇总表）为5，"
        "各单位之和4（测试区 2 + 测试区 2）",
    )


def test_a_lawsuit_that_members_record_differently_is_reported(small):
    head = LEDGERS["cases"].splitlines()[0] + "\n"
    number = "（2021）示01行初3号"
    serial = "8,复议后起诉,2021-03-01,,\n"
    rows = {
        "a": f"{number},未经复议直接起诉,2021-03-01,2021-06-01,结果维持\n{serial}",
        "b": f"{number},未经复议直接起诉,2021-03-02,,\n{serial}",
    }
    for name, text in rows.items():
        (small / f"data/{name}/cases.csv").write_text(head + text, encoding="utf-8")
    assert set(states(batch(small)).values()) == {"made"}
    result = values(small, "city")
    # A mere serial says nothing: both lawsuits 8 count, and that they cannot be told apart is said.
    assert (result["t4.litigation_direct.total"], result["t4.litigation_after_review.total"]) == (
        "2",
        "2",
    )
    severity, message = findings(small, "city")["M6"]
    assert severity == "warning"
    assert message == (
        f"编号相同而各单位所记不同，不能只计一次，仍分别计入：{number}：测试区记作"
        "“行政诉讼/未经复议直接起诉/结果维持”、测试区记作“行政诉讼/未经复议直接起诉/尚未审结”"
    )
    assert holds(small, "city") == (0, ALL_HOLD, [])


def test_more_members_than_are_listed_leave_no_number_unbound(tmp_path):
    published = ROOT / "params/reports/pingtan/2021.published.json"
    districts = tmp_path / "params/districts"
    districts.mkdir(parents=True)
    (districts / "city.yaml").write_text("id: city\nname: 测试市\nlevel: city\n", "utf-8")
    for number in range(21):
        member = f"id: u{number}\nname: 第{number}局\nlevel: department\nscope: office\n"
        member += "parent: city\n"
        (districts / f"u{number}.yaml").write_text(member, "utf-8")
        folder = tmp_path / f"params/reports/u{number}"
        folder.mkdir(parents=True)
        shutil.copy(published, folder)
    command(tmp_path, "rollup", "city", YEAR)
    assert "C1" not in findings(tmp_path, "city")
    shown = (run_of(tmp_path, "city") / "report.html").read_text("utf-8")
    assert "单位较多，只列新收申请最多的" in shown
