"""Pages of audited documents, and what many documents say together."""

import json
import re
import shutil
from pathlib import Path

import pytest
from accessibility import violations
from click.testing import CliRunner
from lxml import html
from reprinted import FORM, WAYS, as_html, invented

from reportkit.audit.overview import ALIKE, bodies
from reportkit.audit.read import read_published
from reportkit.cli import cli

DATA = Path(__file__).resolve().parents[1] / "data"
OWN = (
    "公开内容不够及时，个别单位更新较慢；解读形式单一，群众看不懂；依申请答复文书不规范，说理不足。"
    "今年组织两次业务培训，逐单位检查栏目，对更新超过时限的发出提醒；请法律顾问参与重要答复的审核；"
    "把解读改为图解和短视频，由起草科室负责。下一步将健全考核办法，把公开质量列入年度评价内容。"
)


def command(*arguments, language="en"):
    result = CliRunner().invoke(cli, ["--lang", language, "audit", *map(str, arguments)])
    return result.exit_code, result.stdout


def report(seed, year, issuer="海州区人民政府", **texts):
    content = invented(seed, year)
    content.title = content.title.replace("海州区人民政府", issuer)
    content.texts |= texts
    return content


def write(folder, name, content):
    (folder / name).write_bytes(WAYS["html"][1](content))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two bodies in two years, one of them without the second; a copy; a broken file."""
    made = tmp_path_factory.mktemp("documents")
    write(made, "a-2022.html", report(1, 2022, "海州市东港区人民政府", 五=OWN))
    wrong = report(1, 2023, "东港区人民政府", 五=OWN + "此外，增加一句。")
    wrong.cells["t4.review.total"] += 1
    wrong.cells["t3.new.natural_person"] = None
    wrong.texts["一"] = "全区收到政府信息公开申请7777件，组织培训3次，发放材料120份。"
    write(made, "a-2023.html", wrong)
    write(made, "b-2022.html", report(2, 2022, "西塘街道办事处"))
    (made / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    return made


@pytest.fixture(scope="module")
def pages(folder, tmp_path_factory):
    to = tmp_path_factory.mktemp("pages")
    shutil.copy(DATA / "audit/hongze-2023.pdf", to / "hongze.pdf")
    command(folder, "--html", to / "all")
    command(to / "hongze.pdf", "--html", to / "hongze.html")
    return to


def test_a_page_shows_the_tables_with_what_is_wrong(pages):
    page = html.fromstring((pages / "hongze.html").read_text("utf-8"))
    cells = {one.get("id")[2:]: one for one in page.iter("td") if one.get("id")}
    assert len(cells) == 186
    assert cells["t2.penalties.decisions"].text_content().strip() == "4119"
    total = cells["t4.review.total"]
    assert (total.get("class"), total.text, total.xpath(".//a/@href")) == ("error", "0", ["#f1"])
    first = page.get_element_by_id("f1").text_content()
    for message in (
        "错误",
        "R4",
        "应为 11",
        "印作 0",
        "第4页，表4",
        "由格式表四的结构得出",
        "check: ",
    ):
        assert message in first
    # A figure of the text leads to the cell that it restates.
    (bound,) = page.xpath("//a[@class='holds']")
    assert (bound.text, bound.get("href")) == ("21", "#c-t3.new.total")


def test_a_page_marks_sentences_and_blank_cells(pages):
    text = (pages / "all/a-2023.html.html").read_text("utf-8")
    page = html.fromstring(text)
    (mark,) = page.xpath("//mark")
    assert mark.get("class") == "error"
    assert mark.text_content().startswith("全区收到政府信息公开申请7777件")
    assert [one.text for one in mark.xpath(".//a[@class='differs']")] == ["7777"]
    assert [one.text for one in mark.xpath(".//span[@class='free']")] == ["3", "120"]
    blank = page.get_element_by_id("c-t3.new.natural_person")
    assert blank.get("class") == "warning blank"
    # Nothing is asked for anywhere.
    assert re.findall(r'(?:src|href)="(?!#)([^"]+)"', text) == ["index.html"]


def test_what_was_unread_inferred_or_dismissed_is_marked(tmp_path):
    content = invented(4, 2023)
    content.printed["t2.permits.decisions"] = "1O3"
    content.cells["t4.review.total"] += 1
    total = content.cells["t3.new.total"]
    path = tmp_path / "a.html"
    page = as_html(content).decode()
    at = page.index("本年新收")
    split = f"<p>{str(total)[:-1]}</p><p>{str(total)[-1]}</p></td></tr>"
    whole = f"<p class=MsoNormal>{total}</p></td></tr>"
    path.write_text(page[:at] + page[at:].replace(whole, split, 1), "utf-8")
    (finding,) = json.loads(command(path, "--json")[1])["documents"][0]["findings"]
    entry = {name: finding[name] for name in ("check", "cells", "printed")}
    entry |= {"document": "a.html", "reason": "更正公告已发"}
    (tmp_path / "dismissed.yaml").write_text(json.dumps([entry]), "utf-8")
    to = tmp_path / "page.html"
    assert command(path, "--html", to, "--dismissed", tmp_path / "dismissed.yaml")[0] == 0
    page = html.fromstring(to.read_text("utf-8"))
    shown = {
        name: page.get_element_by_id(f"c-{name}")
        for name in (
            "t2.permits.decisions",
            "t3.new.total",
            "t4.review.total",
        )
    }
    assert [one.get("class") for one in shown.values()] == ["unread", "inferred", "waived"]
    assert shown["t2.permits.decisions"].text_content() == "1O3未读出"
    assert "更正公告已发" in page.get_element_by_id("f1").text_content()


def test_the_dismissal_that_a_page_offers_is_accepted(folder, pages, tmp_path):
    page = html.fromstring((pages / "all/a-2023.html.html").read_text("utf-8"))
    offered = [one.text_content() + "已核对\n" for one in page.xpath("//pre/code")]
    assert len(offered) >= 3
    path = tmp_path / "dismissed.yaml"
    path.write_text("".join(offered), "utf-8")
    code, out = command(folder / "a-2023.html", "--dismissed", path, "--json")
    document = [one["dismissed"] for one in json.loads(out)["documents"][0]["findings"]]
    assert (code, set(document) - {None}) == (0, {"已核对"})


def test_a_folder_is_one_table(folder):
    code, out = command(folder, "--json")
    document = json.loads(out)["overview"]
    rows = {Path(one["path"]).name: one for one in document["rows"]}
    body = "海州市东港区人民政府"
    assert {name: (one["body"], one["year"], one["verdict"]) for name, one in rows.items()} == {
        "a-2022.html": (body, 2022, "sound"),
        "a-2023.html": (body, 2023, "errors"),
        "b-2022.html": ("西塘街道办事处", 2022, "sound"),
        "broken.pdf": (None, None, "unreadable"),
    }
    assert Path(rows["a-2023.html"]["previous"]).name == "a-2022.html"
    assert document["missing"] == {"西塘街道办事处": [2023]}
    (alike,) = document["alike"]
    assert (Path(alike["one"]).name, Path(alike["other"]).name) == ("a-2022.html", "a-2023.html")
    assert alike["percent"] >= ALIKE
    trend = next(one for one in document["trends"] if one["label"] == "办结")
    last = invented(1, 2022).cells["t3.results_total.total"]
    assert trend["values"]["2022"] == last
    assert code == 2


def test_a_folder_is_reported_in_the_readers_language(folder):
    _, english = command(folder)
    assert "海州市东港区人民政府, 2023: errors (" in english
    assert "missing: 西塘街道办事处, 2023" in english
    assert re.search(r"^  R4 error: ", english, re.MULTILINE)
    assert "海州市东港区人民政府, 新收: 2022" in english
    _, chinese = command(folder, language="zh")
    assert "海州市东港区人民政府，2023年：有错误（" in chinese
    assert "未见报告：西塘街道办事处，2023" in chinese
    single = command(folder / "a-2023.html", language="zh")[1]
    assert re.search(r"^  1\. R4 错误：", single, re.MULTILINE)
    for word in ("error", "warning", "unread", "missing", "alike"):
        assert re.search(rf"\b{word}", chinese + single) is None


def test_each_year_is_held_against_the_one_before(folder):
    documents = json.loads(command(folder, "--json")[1])["documents"]
    by_name = {Path(one["path"]).name: one for one in documents}
    found = {one["check"] for one in by_name["a-2023.html"]["findings"]}
    assert {"X1", "D5"} <= found
    assert "X1" not in {one["check"] for one in by_name["a-2022.html"]["findings"]}


def test_copies_of_a_report_that_differ_are_reported(tmp_path):
    first, second = report(3, 2023), report(3, 2023)
    second.cells["t2.permits.decisions"] += 1
    write(tmp_path, "a.html", first)
    write(tmp_path, "b.html", second)
    document = json.loads(command(tmp_path, "--json")[1])["overview"]
    assert [one["cells"] for one in document["copies"]] == [["t2.permits.decisions"]]
    assert document["alike"] == []


def test_names_of_different_bodies_stay_apart(tmp_path):
    names = ("南城区朝阳区人民政府", "北城市朝阳区人民政府", "朝阳区", "东区人民政府", "海东区")
    for at, issuer in enumerate(names):
        write(tmp_path, f"{at}.html", report(at, 2023, issuer))
    read = [read_published(path, FORM) for path in sorted(tmp_path.iterdir())]
    # Two end in 朝阳区; 东区 and 海东区 have both reported on the same year.
    assert bodies(read, FORM) == {name: name for name in names}


def test_districts_of_the_project_are_missed(tmp_path):
    for name, called in (("a", "东港区"), ("b", "西港区")):
        path = tmp_path / f"params/districts/{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            f"id: {name}\nname: 海州市{called}\nissuer: 海州市{called}人民政府\n", "utf-8"
        )
    documents = tmp_path / "documents"
    documents.mkdir()
    for year in (2022, 2023):
        write(documents, f"{year}.html", report(year, year, "东港区人民政府"))
    # Whoever has spoilt a district's file has not spoilt the documents.
    (tmp_path / "params/districts/c.yaml").write_text("id: c\nname: 某区\ncolour: red\n", "utf-8")
    _, out = command(documents, "--params", tmp_path / "params", "--json")
    assert json.loads(out)["overview"]["missing"] == {"海州市西港区人民政府": [2022, 2023]}


def test_pages_never_replace_documents(folder, tmp_path):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    one = tmp_path / "a-2022.html"
    before = one.read_bytes()
    for arguments in (
        (one, "--html", one),
        (tmp_path, "--html", tmp_path),
        (tmp_path, "--html", tmp_path / "x.html"),
    ):
        code, out = command(*arguments, "--json")
        assert (code, json.loads(out)["error"]) == (2, "audit-page")
    assert one.read_bytes() == before


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
@pytest.mark.parametrize("name", ["hongze.html", "all/index.html", "all/a-2023.html.html"])
def test_pages_of_documents_are_accessible_and_fit(chromium, pages, name, width, scheme):
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
    )
    page = context.new_page()
    faults, asked = [], []
    page.on("console", lambda said: faults.append(said.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((pages / name).as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert (faults, len(asked)) == ([], 1)
    context.close()
