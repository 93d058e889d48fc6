"""The catalogue's pages as files: what they say, and that only what changed is written."""

import csv
import gzip
import io
import json
import re
import shutil
import xml.etree.ElementTree as ET
from decimal import Decimal

import pyarrow.parquet as pq
import pytest
from catalogues import ENDED, check, enforcement, failed, make_many, publish, table_of
from click.testing import CliRunner
from csvw import TableGroup

from reportkit.catalogue.comparing import distribution
from reportkit.catalogue.places import Place, tree
from reportkit.catalogue.rendering import script, style
from reportkit.catalogue.site import write_site
from reportkit.catalogue.store import NAME, refresh
from reportkit.cli import cli
from reportkit.errors import InputError
from reportkit.forms.model import Comparison
from reportkit.params import Project


@pytest.fixture
def project(tmp_path):
    """A city with two counties, one of them with a finding; a third that has not handed in."""
    made = Project(tmp_path / "params", tmp_path / "data", tmp_path / "outputs")
    (made.params / "districts").mkdir(parents=True)
    made.out.mkdir()
    names = {"city": "松溪市", "east": "东柏县", "west": "单县", "late": "迟县"}
    more = {"west": "pinyin: shan xian\n", "city": ""}
    for district, name in names.items():
        text = f"id: {district}\nname: {name}\n" + more.get(district, "")
        text += "" if district == "city" else "parent: city\n"
        (made.params / f"districts/{district}.yaml").write_text(text, encoding="utf-8")
    for year, new in ((2020, 40), (2021, 50)):
        accepted = {"reason": "照原文", "by": "办公室", "on": "2022-01-04"}
        checks = [check("X1", title="结转应当相符", message="3 ≠ 4"), check("N1", waived=accepted)]
        put(made, "east", year, new, checks=checks)
        put(made, "west", year, new + 1)
        put(made, "city", year, 2 * new + 1, name="松溪市")
    event = failed("late", 2021, "not-handed-in", "nothing in \udcff is handed in")
    (made.out / "batch.jsonl").write_text(json.dumps(event) + "\n", encoding="utf-8")
    return made


def put(project, district, year, new, run="one", **said):
    names = {"east": "东柏县", "west": "单县", "city": "松溪市"}
    fields = {"name": names.get(district, district), "parent": "city"} | said
    facts = table_of(new, new // 2, 9)
    return publish(project.out, district, year, f"{run}-{year}", facts=facts, **fields)


def made(project, to=None):
    return write_site(project, refresh(project.out), to or project.out / "site")


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def text_of(site, name):
    page = (site.folder / name).read_text(encoding="utf-8")
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.partition("<main")[2]))


def data(site, name):
    result = (site.folder / f"data/{name}.js").read_text(encoding="utf-8")
    return json.loads(re.fullmatch(r'catalogue\.take\("[\w-]+",(.*)\);\n', result)[1])


def test_the_first_page_tells_the_state_of_everything(project):
    page = text_of(made(project), "index.html")
    assert "● 定稿 ○ 未报送 有问题 2021年 3 1 1 2020年 3 0 1" in page
    assert "2021年 （1）：迟县" in page
    # 50 and 51 in 2021, 40 and 41 the year before: the city's own sum is not added to them.
    assert re.search(r"新收申请 101 件 2021年，2 个单位 2020年 81件", page)
    assert "没有更早的一夜可比" in page


@pytest.mark.parametrize(
    ("stopped", "left", "expected"),
    [
        (15, 6281, "中途停止（SIGTERM），还有 6,281 份没有做：再用同一条命令，就从那里接着做。"),
        ("no-space", 0, "中途停止（no-space）。"),
    ],
)
def test_the_first_page_says_how_a_night_was_stopped(project, stopped, left, expected):
    batch = {"batch": "x", "stopped": stopped, "counts": {"left": left}}
    (project.out / "batch.json").write_text(json.dumps(batch), encoding="utf-8")
    assert "最近一次批量生成" + expected in text_of(made(project), "index.html")


def test_the_first_page_names_changes_that_no_correction_mentions(project):
    reports = [
        {"district": "east", "year": 2021, "form": None, "untold": 3},
        {"district": "east", "year": 2020, "form": None, "untold": 0},
        {"district": "removed", "year": 2019, "form": None, "untold": 1},
    ]
    (project.out / "batch.json").write_text(json.dumps({"reports": reports}), encoding="utf-8")
    site = made(project)
    page = text_of(site, "index.html").partition("更正说明没有写的变动")[2]
    shown = page.partition("看是哪些。 ")[2]
    assert shown.startswith("东柏县 2021年：3 项 未报送单位")
    assert "更正说明没有写的变动" in site.front_page(project.out)


def test_a_place_shows_its_years_and_documents(project):
    site = made(project)
    page = (site.folder / "d/east.html").read_text(encoding="utf-8")
    assert "../../east/2021/current/report.pdf" in page
    assert (site.folder / "d" / "../../east/2021/current").is_dir()
    text = text_of(site, "d/east.html")
    assert re.search(r"新收申请（件） 40 50", text)
    assert re.search(r"予以公开和部分公开（%） 50 20／40 50 25／50", text)
    assert "X1 结转应当相符 3 ≠ 4" in text
    assert "（已接受：照原文）" in text
    assert "所属： 松溪市" in text
    city = text_of(site, "d/city.html")
    assert re.search(r"东柏县 ● 定稿 1 50", city)
    assert re.search(r"迟县 ○ 未报送", city)
    assert "not-handed-in nothing in \\udcff is handed in" in text_of(site, "d/late.html")


def test_a_failed_report_leads_to_its_log(project):
    log = project.out / "late/2021/failed/run.log"
    assert "late/2021/failed" not in (made(project).folder / "d/late.html").read_text("utf-8")
    log.parent.mkdir(parents=True)
    log.write_text("why", encoding="utf-8")
    page = (made(project).folder / "d/late.html").read_text(encoding="utf-8")
    assert '<a href="../../late/2021/failed/run.log">日志</a>' in page


def test_a_rule_names_who_fails_it(project):
    site = made(project)
    assert "2021年 3 份报告中 1 份不符；2020年 3 份报告中 1 份不符。" in text_of(site, "r/X1.html")
    assert "东柏县 2021年 结转应当相符 3 ≠ 4" in text_of(site, "r/X1.html")
    assert re.search(r"N1 应当相等 警告 0 2 1 .*X1", text_of(site, "r/index.html"))


def test_comparisons_leave_out_sums_and_say_what_they_are(project):
    page = text_of(made(project), "compare/2021.html")
    assert "2 个单位，中位数 9个工作日" in page
    assert "3 个单位" not in page
    assert "快慢不等于好坏" in page
    head = (made(project).folder / "compare/2021.html").read_text(encoding="utf-8")
    assert "分布，不是排名" in head


@pytest.fixture
def both(project):
    """The same, with reports of enforcement by the east, and by a late one that has failed."""
    for year, permits in ((2020, 30), (2021, 40)):
        publish(
            project.out,
            "east",
            year,
            f"one-{year}",
            facts=enforcement(permits, 5),
            name="东柏县",
            parent="city",
            edition="广东2018",
            further="xzzf",
            draft=year == 2020,
            checks=[check("X1", title="许可应当相符", message="5 ≠ 6")],
        )
    event = {
        "event": "failed",
        "at": ENDED.isoformat(),
        "district": "late",
        "year": 2021,
        "form": "xzzf",
        "reason": "ledger-heading",
        "message": "late 2021: no 决定日期",
    }
    with (project.out / "batch.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(event) + "\n")
    return project


def test_reports_of_each_form_are_counted_among_themselves(both):
    page = text_of(made(both), "index.html")
    states = "年度 ● 定稿 ◐ 草稿 ○ 未报送 ✕ 失败 有问题"
    assert f"政府信息公开工作年度报告 {states} 2021年 3 0 1 0 1 2020年 3 0 0 0 1" in page
    assert f"行政执法数据公开 {states} 2021年 1 0 0 1 1 2020年 0 1 0 0 1" in page
    assert re.search(r"新收申请 101 件 2021年，2 个单位 2020年 81件", page)
    assert re.search(r"行政许可 39 件 2021年，1 个单位 2020年 29件", page)
    assert "2021年政府信息公开工作年度报告 （1）：迟县" in page
    assert "1 × ledger-heading 迟县 2021年行政执法数据公开 no 决定日期" in page


def test_a_place_shows_its_reports_of_each_form(both):
    site = made(both)
    text = text_of(site, "d/east.html")
    assert re.search(r"政府信息公开工作年度报告 指标 2020 2021 走势 .*新收申请（件） 40 50", text)
    assert re.search(r"行政执法数据公开 指标 2020 2021 走势 .*行政许可（件） 29 29／30 39", text)
    assert "2020年行政执法数据公开 X1 许可应当相符 5 ≠ 6" in text
    page = (site.folder / "d/east.html").read_text(encoding="utf-8")
    assert "../../east/2021/current/report.pdf" in page
    assert "../../east/2021-xzzf/current/report.pdf" in page
    city = text_of(site, "d/city.html")
    assert re.search(r"行政执法数据公开 单位 2021年 .*东柏县 ● 定稿 1 39 迟县 ✕ 失败", city)
    assert "东柏县 2020年政府信息公开工作年度报告● 2020年行政执法数据公开◐" not in city


def test_rules_of_one_name_have_a_page_in_each_form(both):
    site = made(both)
    result = "2021年 1 份报告中 1 份不符；2020年 1 份报告中 1 份不符。"
    assert result in text_of(site, "r/xzzf-X1.html")
    assert "3 份报告中 1 份" in text_of(site, "r/X1.html")
    assert "许可应当相符" not in text_of(site, "r/X1.html")


def test_comparisons_stay_within_a_form(both):
    page = text_of(made(both), "compare/2021.html")
    usual, _, other = page.partition("行政执法数据公开")
    assert "2 个单位，中位数 9个工作日" in usual
    assert "准予许可占受理的比例" not in usual
    assert "1 个单位，中位数 97.5%" in other
    assert "准予许可" not in text_of(made(both), "compare/2020.html")  # that one is a draft


def test_open_data_and_feed_name_the_form(both):
    folder = made(both).folder
    rows = list(csv.DictReader(io.StringIO((folder / "open/runs.csv").read_text("utf-8"))))
    named = [row for row in rows if row["form"] == "xzzf"]
    assert [(row["district"], row["year"], row["state"]) for row in named] == [
        ("east", "2020", "draft"),
        ("east", "2021", "final"),
        ("late", "2021", "failed"),
    ]
    packed = gzip.decompress((folder / "open/facts-2021.csv.gz").read_bytes()).decode()
    result = {(row["district"], row["form"]) for row in csv.DictReader(io.StringIO(packed))}
    assert result == {("city", "zfxxgk"), ("east", "zfxxgk"), ("east", "xzzf"), ("west", "zfxxgk")}
    checks = (folder / "open/checks.csv").read_text("utf-8")
    assert "east,2021,xzzf,X1" in checks
    feed = (folder / "feed.xml").read_text("utf-8")
    assert "<title>东柏县2021年行政执法数据公开：定稿</title>" in feed
    assert len(set(re.findall("<id>(.*)</id>", feed))) == 9


def test_each_form_has_columns_of_its_own(both):
    site = made(both)
    kinds = data(site, "places")["kinds"]
    assert [(one["name"], one["columns"][0]) for one in kinds] == [
        ("zfxxgk", ["新收申请", "件"]),
        ("xzzf", ["行政许可", "件"]),
    ]
    result = data(site, "y2021-xzzf")
    assert (result["state"], result["figures"][0], result["year"]) == ("04", [39, None], 2021)
    shutil.rmtree(both.out / "east/2021-xzzf")
    shutil.rmtree(both.out / "east/2020-xzzf")
    (both.out / "batch.jsonl").unlink()
    again = made(both)
    assert {"data/y2021-xzzf.js", "data/y2020-xzzf.js", "r/xzzf-X1.html"} <= set(again.removed)
    assert "行政执法" not in text_of(again, "index.html")


def test_a_local_variant_counts_among_the_usual_reports(project):
    folder = project.params.parent / "forms/own"
    folder.mkdir(parents=True)
    edition = "edition: 本地\nextends: zfxxgk/2021\nyears: {first: 2021}\n"
    (folder / "2021.yaml").write_text(edition, encoding="utf-8")
    facts = table_of(70, 30, 9)
    said = {"name": "东柏县", "parent": "city", "edition": "本地"}
    publish(project.out, "east", 2021, "own", facts=facts, further="own", **said)
    site = made(project)
    assert "政府信息公开工作年度报告 年度" not in text_of(site, "index.html")
    text = text_of(site, "d/east.html")
    assert re.search(r"指标 2020 2021 2021 own .*新收申请（件） 40 50 70", text)
    assert "2021年（own） ● 定稿" in text
    assert data(site, "y2021")["variant"] == {"2": "own"}


def test_places_are_found_by_their_pinyin(project):
    result = data(made(project), "places")
    # 单县 is read shan xian, as its file says; it is found by the usual reading too.
    assert dict(zip(result["id"], result["alt"], strict=True)) == {
        "city": "sxs songxishi",
        "east": "dbx dongbaixian",
        "late": "cx chixian",
        "west": "sx shanxian dx danxian",
    }
    assert result["parent"] == [-1, 0, 0, 0]


def test_only_what_changed_is_written(project):
    first = made(project)
    assert set(first.written) == set(files(first.folder)) - {".lock", ".made.json"}
    assert made(project).written == ()
    put(project, "east", 2021, 60, run="two")
    assert set(made(project).written) == {
        "index.html",
        "feed.xml",
        "data/y2021.js",
        "d/east.html",
        "d/city.html",
        "r/X1.html",
        "r/N1.html",
        "r/index.html",
        "open/runs.csv",
        "open/checks.csv",
        "open/facts-2021.csv.gz",
        "open/facts-2021.parquet",
    }


def test_pages_of_what_is_gone_are_removed(project):
    site = made(project)
    own = site.folder / "d/mine.html"
    own.write_text("kept", encoding="utf-8")
    shutil.rmtree(project.out / "east")
    (project.params / "districts/east.yaml").unlink()
    again = made(project)
    assert {"d/east.html", "r/X1.html", "r/N1.html"} == set(again.removed)
    assert own.read_text(encoding="utf-8") == "kept"


@pytest.mark.parametrize(
    "harm",
    [
        lambda project: shutil.rmtree(project.out / "east/2021/runs"),
        lambda project: (project.out / "west/2021/runs/one-2021/facts.json").write_text("{"),
        lambda project: (project.out / "west/2020/current").unlink(),
        lambda project: (project.out / "site/d/west.html").write_text("<p>damaged"),
        lambda project: (project.out / "site/data/places.js").unlink(),
        lambda project: shutil.rmtree(project.out / NAME),
        lambda project: shutil.rmtree(project.out / "east/2021-xzzf"),
        lambda project: (project.out / "east/2020-xzzf/runs/one-2020/facts.json").write_text("{"),
        lambda project: (project.out / "site/.made.json").write_text('{"index.html": 1}'),
    ],
    ids=["deleted", "broken", "unpublished", "page", "data", "store", "form", "its", "list"],
)  # fmt: skip
def test_whatever_happened_it_is_made_again_to_the_same_bytes(both, harm):
    project = both
    made(project)
    harm(project)
    if (project.out / "site/.made.json").read_text(encoding="utf-8") == '{"index.html": 1}':
        # A list that says nothing of a page: that page may be somebody's own.
        with pytest.raises(InputError, match="no catalogue has made"):
            made(project)
        shutil.rmtree(project.out / "site")
    site = made(project)
    shutil.rmtree(project.out / NAME)
    whole = files(site.folder)
    shutil.rmtree(site.folder)
    assert files(made(project).folder) == whole


def test_a_broken_member_is_reported_on_its_page(project):
    path = project.out / "west/2021/runs/one-2021/facts.json"
    path.write_text("{", encoding="utf-8")
    page = text_of(made(project), "d/west.html")
    assert "✕ 失败" in page
    assert "run-changed 运行one-2021：facts.json封存后有改动" in page


def test_a_file_of_somebody_else_is_never_replaced(project, tmp_path):
    other = tmp_path / "www"
    other.mkdir()
    (other / "index.html").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError) as refused:
        made(project, other)
    assert refused.value.reason == "not-ours"
    assert files(other) == {"index.html": b"mine", ".lock": b""}


def test_a_list_cannot_have_other_files_removed(project, tmp_path):
    site = made(project)
    (tmp_path / "precious").write_text("kept", encoding="utf-8")
    listed = json.loads((site.folder / ".made.json").read_text(encoding="utf-8"))
    more = {"../../precious": ["", ""], "/etc/hostname": ["", ""], "a/../../../precious": ["", ""]}
    (site.folder / ".made.json").write_text(json.dumps(listed | more), encoding="utf-8")
    assert made(project).removed == ()
    assert (tmp_path / "precious").read_text(encoding="utf-8") == "kept"


def test_names_out_of_runs_cannot_write_pages(project):
    hostile = "<script>alert(1)</script>\u202e"
    checks = [check("../../x", title=hostile, message=hostile), check("index")]
    put(project, "evil", 2021, 5, name=hostile, checks=checks)
    site = made(project)
    for name, content in files(site.folder).items():
        if name.endswith((".html", ".xml")):
            assert b"<script>alert" not in content
            assert "\u202e".encode() not in content
    rules = sorted(name for name in files(site.folder) if name.startswith("r/"))
    assert rules[:3] == ["r/N1.html", "r/X1.html", "r/index.html"]
    assert [bool(re.fullmatch(r"r/x-[0-9a-f]{12}\.html", name)) for name in rules[3:]] == [True] * 2
    assert not (project.out / "x.html").exists()
    assert not list(ET.fromstring((site.folder / "feed.xml").read_bytes()).iter("script"))


@pytest.mark.parametrize("parent", ["../../evil", "/etc/x", "a b", "<x>"])
def test_a_parent_that_is_no_id_is_none(project, parent):
    put(project, "other", 2021, 5, parent=parent)
    with (project.params / "districts/west.yaml").open("w", encoding="utf-8") as file:
        file.write(f"id: west\nname: 单县\nparent: '{parent}'\n")
    (project.params / f"districts/{parent.replace('/', '!')}.yaml").write_text("id: x\nname: x\n")
    site = made(project)
    assert made(project).written == ()
    result = data(site, "places")
    assert result["id"] == ["city", "east", "late", "other", "west"]
    assert result["parent"] == [-1, 0, 0, -1, -1]


def test_the_feed_has_what_atom_asks_for(project):
    atom = "{http://www.w3.org/2005/Atom}"
    feed = ET.fromstring((made(project).folder / "feed.xml").read_bytes())
    for one in (feed, *feed.iter(f"{atom}entry")):
        assert {f"{atom}id", f"{atom}title", f"{atom}updated"} <= {child.tag for child in one}
    entries = list(feed.iter(f"{atom}entry"))
    assert len(entries) == 6
    ids = [entry.findtext(f"{atom}id") for entry in entries]
    assert len(set(ids)) == 6
    put(project, "east", 2021, 60, run="two")
    again = ET.fromstring((made(project).folder / "feed.xml").read_bytes())
    assert set(ids) == {entry.findtext(f"{atom}id") for entry in again.iter(f"{atom}entry")}


def test_open_data_follow_their_own_description(project):
    folder = made(project).folder / "open"
    group = TableGroup.from_file(folder / "csv-metadata.json")
    tables = {table.url.string: list(table) for table in group.tables}
    assert [row["state"] for row in tables["runs.csv"]].count("final") == 6
    assert {row["check"] for row in tables["checks.csv"]} == {"X1", "N1"}
    packed = gzip.decompress((folder / "facts-2021.csv.gz").read_bytes()).decode()
    rows = [row for row in csv.DictReader(io.StringIO(packed)) if row["fact"] == "t3.new.total"]
    assert {row["district"]: row["value"] for row in rows} == {
        "city": "101",
        "east": "50",
        "west": "51",
    }
    table = pq.read_table(folder / "facts-2021.parquet")
    assert table.num_rows == packed.count("\n") - 1


def test_without_a_run_there_is_a_catalogue_too(tmp_path):
    (tmp_path / "outputs").mkdir()
    done = CliRunner().invoke(
        cli, ["site", "--out", str(tmp_path / "outputs"), "--params", str(tmp_path), "--json"]
    )
    assert done.exit_code == 0, done.output
    assert "还没有报告" in (tmp_path / "outputs/site/index.html").read_text(encoding="utf-8")


def test_the_command_writes_where_it_is_reported(project, tmp_path):
    to = tmp_path / "www" / "reports"
    folders = ["--out", str(project.out), "--params", str(project.params)]
    done = CliRunner().invoke(cli, ["site", *folders, "--to", str(to), "--json"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["written"] == document["files"] == len(files(to)) - 2
    page = (to / "d/east.html").read_text(encoding="utf-8")
    assert "../../../outputs/east/2021/current/report.html" in page


def test_who_belongs_to_himself_is_not_lost():
    parents = {"a": "b", "b": "c", "c": "a", "d": None, "e": "d", "self": "self"}
    places = {name: Place(name, name, parent) for name, parent in parents.items()}
    assert tree(places) == {None: ["a", "b", "c", "d", "self"], "d": ["e"]}


def distributed(values, unit="%", **fields):
    one = Comparison(label="占比", facts=["a"], caveat="高低不等于好坏。", **fields)
    return distribution(one, [Decimal(value) for value in values], unit)


def test_a_distribution_counts_each_place_once():
    result = distributed([0, 10, 20, 30, 100])
    assert (result["units"], result["median"], result["low"], result["high"]) == (
        5,
        "20",
        "5",
        "65",
    )
    assert sum(bar["count"] for bar in result["bars"]) == 5
    assert (result["bars"][0]["from"], result["end"]) == ("0", "100")
    assert result["bars"][-1]["count"] == 1


@pytest.mark.parametrize("values", [[5], [0], [0, 0], ["0.3", "0.1"], [12345678], [100, 100]])
def test_any_values_are_drawn(values):
    result = distributed(values, unit="天")
    drawn = [bar for bar in result["bars"] if bar["height"] < 0 or bar["x"] + bar["width"] > 541]
    assert drawn == []
    assert result["units"] == len(values)


def test_where_most_are_none_the_rest_is_drawn_alone():
    result = distributed([0] * 9 + [4], unit="件")
    assert (result["zeros"], sum(bar["count"] for bar in result["bars"])) == (9, 1)
    assert "middle" not in result


def test_invented_places_have_names_of_their_own(tmp_path):
    make_many(tmp_path, 40)
    store = refresh(tmp_path / "outputs")
    names = [row["name"] for row in store.read("runs").to_pylist() if row["year"] == 2019]
    assert len(set(names)) == 40


def test_style_and_script_stand_as_they_are_written():
    assert ".depth1 > th" in style()
    assert 'content: " ▲"' in style()
    assert not re.search(r"&(gt|lt|amp|#\d+);", style() + script())
