"""The catalogue of 9 000 runs in Chromium, from files and offline: found, sorted, read by all."""

import json
import statistics
from pathlib import Path

import pytest
from accessibility import violations
from catalogues import enforcement, make_many, publish, table_of
from machine import PAGE_PATIENCE, focused
from playwright.sync_api import expect

from reportkit.catalogue.site import write_site
from reportkit.catalogue.store import refresh
from reportkit.params import Project

PLACES = 3000
# Bytes of the first page with all that it shows, and milliseconds of a search.
LARGEST, LONGEST = 300_000, 50


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The pages of 3 000 invented places in three years."""
    folder = make_many(tmp_path_factory.mktemp("many"), PLACES)
    project = Project(folder / "params", folder / "data", folder / "outputs")
    return write_site(project, refresh(project.out), project.out / "site").folder


@pytest.fixture
def visit(chromium, site):
    """Open a page; nothing but files of the catalogue may be asked for, and nothing go wrong."""
    contexts = []

    def opened(name="index.html", width=1280, folder=site, **options):
        context = chromium.new_context(viewport={"width": width, "height": 900}, **options)
        context.set_default_timeout(PAGE_PATIENCE * 1000)
        contexts.append(context)
        page = context.new_page()
        page.asked, page.faults = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda said: page.faults.append(said.text))
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        path, _, fragment = name.partition("#")
        page.goto(f"{(folder / path).as_uri()}{'#' + fragment if fragment else ''}")
        contexts.append((page, folder))
        return page

    yield opened
    for one in contexts:
        if isinstance(one, tuple):
            page, folder = one
            assert page.faults == []
            assert [url for url in page.asked if not url.startswith(folder.as_uri())] == []
        else:
            one.close()


def loaded(page):
    """Wait until all years are there."""
    page.locator("#y").select_option("")
    expect(page.locator("#found")).to_have_text("共 9,000 份")
    return page


def shown(page, count=3):
    """Names in the first rows of the table."""
    rows = page.locator("#reports tbody tr:not(.gap) th a")
    return [one.inner_text() for one in rows.all()[:count]]


def test_the_first_page_is_small(visit, site):
    page = visit()
    expect(page.locator("#found")).to_have_text("共 3,000 份")
    first = [url for url in page.asked if "y2019" not in url and "y2020" not in url]
    sizes = {
        url: (site / url.removeprefix(f"{site.as_uri()}/").partition("?")[0].partition("#")[0])
        for url in first
    }
    assert len(sizes) == 5
    assert sum(path.stat().st_size for path in sizes.values()) < LARGEST


def test_few_of_many_rows_are_in_the_page(visit):
    page = loaded(visit())
    assert page.locator("#reports tbody tr").count() < 80
    assert page.locator("#reports").get_attribute("aria-rowcount") == "9001"
    page.evaluate("document.querySelector('#reports').scrollIntoView({block: 'end'})")
    last = page.locator("#reports tbody tr:not(.gap)").last
    expect(last).to_have_attribute("aria-rowindex", "9001")
    assert page.locator("#reports tbody tr").count() < 80


@pytest.mark.parametrize(
    ("words", "first", "count"),
    [
        ("东松泉区", "东松泉区", 1),
        ("d0003", "东松泉区", 1),
        ("DongBaiXiQu", "东柏溪区", 1),
        ("松泉 区", "东松泉区", 5),
        ("dhtx", "东槐潭县", 4),
        ("没有这里", None, 0),
    ],
)
def test_a_place_is_found_by_name_id_and_pinyin(visit, words, first, count):
    page = visit()
    page.locator("#q").fill(words)
    assert shown(page, 1) == ([first] if first else [])
    expect(page.locator("#found")).to_have_text(f"找到 {count} 份")


def test_a_search_takes_no_longer_than_a_blink(visit):
    page = loaded(visit())
    measure = """(word) => {
      const field = document.getElementById("q");
      const times = [0, 1, 2].map(() => {
        const begun = performance.now();
        field.value = word;
        field.dispatchEvent(new Event("input"));
        document.getElementById("reports").getBoundingClientRect();
        return performance.now() - begun;
      });
      return Math.min(...times);
    }"""
    words = ["东", "松溪", "d12", "xq", "shi", "西柏湾", "q", "南榆江县", "zzz"]
    assert statistics.median(page.evaluate(measure, word) for word in words) < LONGEST


def test_worst_reports_stand_first_and_columns_sort(visit):
    page = visit()
    states = page.locator("#reports tbody tr:not(.gap) .state")
    expect(states.first).to_have_text("✕ 失败")
    expect(page.locator("#reports tbody tr:not(.gap) td.reason.wide").first).to_have_text(
        "ledger-heading: the heading has no 收到日期"
    )
    page.get_by_role("button", name="新收申请（件）").click()
    head = page.locator("#reports th[aria-sort]")
    expect(head).to_have_attribute("aria-sort", "ascending")
    page.get_by_role("button", name="新收申请（件）").press("Enter")
    expect(head).to_have_attribute("aria-sort", "descending")
    cells = page.locator("#reports tbody tr:not(.gap) td.n.wide:nth-child(4)").all()[:5]
    values = [int(one.inner_text().replace(",", "")) for one in cells]
    assert values == sorted(values, reverse=True)
    assert values[0] > 1000


def test_filters_live_in_the_address(visit):
    page = visit()
    page.locator("#s").select_option("absent")
    expect(page.locator("#found")).to_have_text("找到 200 份")
    page.locator("#p").select_option("p07")
    expect(page.locator("#found")).to_have_text("找到 100 份")
    again = visit("index.html#" + page.url.partition("#")[2])
    expect(again.locator("#found")).to_have_text("找到 100 份")
    again.locator("tr.newest a", has_text="150").click()
    expect(again.locator("#found")).to_have_text("找到 150 份")
    again.locator("#s").select_option("findings")
    expect(again.locator("#found")).to_have_text("找到 120 份")


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The pages of thirty places of which ten report by a second form too."""
    folder = make_many(tmp_path_factory.mktemp("both"), 30)
    project = Project(folder / "params", folder / "data", folder / "outputs")
    for number in range(10):
        facts = enforcement(30 + number, 5)
        said = {"name": f"执法{number}区", "edition": "广东2018", "further": "xzzf"}
        publish(project.out, f"d{number:04}", 2021, facts=facts, **said)
    return write_site(project, refresh(project.out), project.out / "site").folder


def test_one_kind_of_report_has_its_figures_in_columns(visit, both):
    page = visit("index.html", folder=both)
    expect(page.locator("#found")).to_have_text("共 100 份")
    heads = page.locator("#reports thead th")
    assert heads.all_inner_texts() == ["单位", "年度", "状态", "主要数据", "历年"]
    page.locator("#q").fill("d0002")
    brief = page.locator("#reports td.brief", has_text="行政执法数据公开")
    expect(brief).to_have_text("行政执法数据公开行政许可 31件行政处罚 5宗罚没金额 —")
    page.locator("#k").select_option("xzzf")
    expect(page.locator("#found")).to_have_text("找到 1 份")
    figures = ["行政许可（件）", "行政处罚（宗）", "罚没金额", "行政强制", "行政检查"]
    assert heads.all_inner_texts() == ["单位", "年度", "状态", *figures, "历年"]
    page.get_by_role("button", name="行政处罚（宗）").click()
    again = visit("index.html#" + page.url.partition("#")[2], folder=both)
    expect(again.locator("#reports th[aria-sort]")).to_have_text("行政处罚（宗）")
    again.locator("#k").select_option("zfxxgk")
    expect(again.locator("#found")).to_have_text("找到 3 份")
    expect(again.locator("#reports th[aria-sort]")).to_have_text("状态")
    again.locator("tr.newest a", has_text="10").last.click()
    expect(again.locator("#found")).to_have_text("找到 10 份")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
@pytest.mark.parametrize("name", ["index", "d/d0004", "d/p00", "compare/2021", "r/index"])
def test_two_kinds_of_report_can_be_read(visit, both, name, width, scheme):
    page = visit(f"{name}.html", width, folder=both, color_scheme=scheme)
    assert violations(page, preload=False) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_keyboard_is_enough(visit):
    page = visit()
    page.keyboard.press("/")
    assert focused(page, "#q")
    page.keyboard.type("东松泉")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert focused(page, "#reports [aria-rowindex='3'] a")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert focused(page, "#q")
    page.keyboard.press("Escape")
    expect(page.locator("#found")).to_have_text("共 3,000 份")
    page.keyboard.type("d0004")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("东松泉县")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
@pytest.mark.parametrize(
    "name", ["index", "d/d0004", "d/p03", "compare/2021", "r/X1", "r/index", "open/index"]
)
def test_everybody_can_read_it(visit, name, width, scheme):
    page = visit(f"{name}.html", width, color_scheme=scheme)
    assert violations(page, preload=False) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_script_the_essentials_are_there(visit):
    page = visit(java_script_enabled=False)
    assert page.locator("tr.newest").inner_text().split("\t")[:3] == ["2021年", "2,550", "100"]
    expect(page.locator("#reports-part")).to_be_hidden()
    expect(page.get_by_role("link", name="槐溪省")).to_be_visible()
    expect(page.get_by_text("不用脚本请看")).to_be_visible()
    every = visit("all.html", java_script_enabled=False)
    assert every.locator("main li").count() == 3030


def test_what_is_found_is_printed_and_the_rest_counted(visit):
    page = visit()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#reports tbody tr").count() == 300
    expect(page.locator("#printed")).to_have_text("只印前 300 份，共 3000 份；先查找再打印。")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("#reports tbody tr").count() < 80
    expect(page.locator("#printed")).to_be_hidden()


def test_no_number_is_cut_on_a_phone(visit):
    page = visit("index.html#y=2021&s=final", 390)
    cut = """() => [...document.querySelectorAll("#reports td.rest span")].filter((one) => {
      const [inner, outer] = [one, one.parentElement].map((part) => part.getBoundingClientRect());
      return inner.top < outer.bottom - 4 && inner.right > outer.right + 1;
    }).length"""
    assert page.locator("#reports td.rest span").count() > 20
    assert page.evaluate(cut) == 0


@pytest.fixture
def few(tmp_path):
    """A project of two places, after a batch that was refused."""
    project = Project(tmp_path / "params", tmp_path / "data", tmp_path / "outputs")
    (project.params / "districts").mkdir(parents=True)
    for year in (2020, 2021):
        publish(project.out, "songxi", year, f"r{year}", facts=table_of(9, 3, 5), name="松溪区")
    batch = {
        "batch": "x",
        "exit_status": 2,
        "ended": "2022-01-04T02:00:00+08:00",
        "stopped": None,
        "refused": {"reason": "batch", "message": "unknown key <jbos>"},
        "again": None,
    }
    (project.out / "batch.json").write_text(json.dumps(batch), encoding="utf-8")
    made = write_site(project, refresh(project.out), project.out / "site")
    (project.out / "batch.html").write_text(made.front_page(project.out), encoding="utf-8")
    return project.out


def test_the_page_of_a_batch_is_the_first_page(visit, few):
    page = visit("batch.html", folder=few)
    expect(page.locator(".alarm + pre")).to_have_text("unknown key <jbos>")
    expect(page.locator("#found")).to_have_text("共 2 份")
    page.locator("#reports a").first.click()
    expect(page.locator("h1")).to_have_text("松溪区")
    link = page.get_by_role("link", name="PDF").first.get_attribute("href")
    assert Path(few / "site/d" / link).resolve() == few / "songxi/2021/runs/r2021/report.pdf"


def test_all_years_of_a_few_reports_are_there_at_once(visit, few):
    page = visit("batch.html", folder=few, java_script_enabled=False)
    rows = page.locator("tr[data-state]")
    assert [row.locator("a").nth(1).get_attribute("href") for row in rows.all()] == [
        "songxi/2020/current/report.html",
        "songxi/2021/current/report.html",
    ]
