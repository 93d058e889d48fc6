"""The pages in Debian's Chromium, from a folder and offline: by hand, by keyboard, by phone."""

import re
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import pytest
from accessibility import violations
from machine import PAGE_PATIENCE, focused
from playwright.sync_api import expect

from reportkit.export.audit import AuditHTML
from reportkit.export.html import ReportHTML

DATA = Path(__file__).parents[1] / "data" / "blocks"
sample = SimpleNamespace(**run_path(str(DATA / "sample.py")))

FACT, ROWS = "t3.new.natural_person", 1200


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The two pages and the evidence of one fact, as a run leaves them."""
    made = tmp_path_factory.mktemp("run")
    blocks = sample.blocks()
    seal = blocks[-1]
    next(f for f in seal["facts"]["facts"] if f["id"] == FACT)["rows"] = ROWS
    labels = {"natural_person": "自然人", "commercial": "法人或其他组织/商业企业", "total": "总计"}
    for fact in seal["facts"]["facts"]:
        if fact["id"].startswith("t3.new.") and (own := labels.get(fact["id"].split(".")[2])):
            fact["label"] = f"一、本年新收政府信息公开申请数量/申请人情况/{own}"
    seal["facts"]["facts"].append(seal["facts"]["facts"][0] | {"id": "own.none", "value": ""})
    past = {"year": 2019, "origin": "published", "value": "60", "change": "+14"}
    seal["past"] = {FACT: past}
    accepted = {"reason": "已与业务科室核对", "by": "办公室", "on": "2021-01-05"}
    seal["checks"][-1] |= {"waived": accepted, "facts": ["t3.granted.total"]}
    blocks[2]["body"][0]["runs"].append({"text": "37", "unbound": True})
    notebook = sample.notebook(blocks)
    for exporter, name in ((ReportHTML, "report.html"), (AuditHTML, "audit.html")):
        text, _ = exporter().from_notebook_node(notebook)
        (made / name).write_text(text, encoding="utf-8")
    text, _ = ReportHTML().from_notebook_node(sample.notebook(sample.corrected()))
    (made / "corrected.html").write_text(text, encoding="utf-8")
    sample.rows_scripts(made / "evidence", FACT, ROWS)
    return made


@pytest.fixture
def visit(chromium, folder):
    """Open a page of the folder; what it asks for beside itself is in ``page.asked``."""
    contexts = []

    def opened(name, width=1280, **options):
        context = chromium.new_context(viewport={"width": width, "height": 900}, **options)
        context.set_default_timeout(PAGE_PATIENCE * 1000)
        contexts.append(context)
        page = context.new_page()
        page.asked, page.faults = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda said: page.faults.append(said.text))
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("dialog", lambda dialog: page.faults.append("dialog"))
        page.goto(f"{folder.as_uri()}/{name}")
        page.asked.pop(0)
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [("report.html", 1280, "light"), ("report.html", 390, "dark"),
     ("report.html", 320, "light"), ("report.html", 1920, "dark"),
     ("report.html", 768, "light"), ("corrected.html", 390, "light"),
     ("audit.html", 1280, "dark"), ("audit.html", 390, "light")],
)  # fmt: skip
def test_pages_are_accessible_ask_for_nothing_and_fit(visit, name, width, scheme):
    page = visit(name, width, color_scheme=scheme)
    assert page.asked == []
    if name == "audit.html":
        page.locator("#review").click()
        page.locator(f"main [data-fact='{FACT}']").first.click()
        expect(page.locator("#panel table")).to_be_visible()
    else:
        for box in page.locator(".lastyear").all():
            box.check()
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.faults == []


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(("exporter", "name"), [(ReportHTML, "report"), (AuditHTML, "audit")])
def test_what_people_write_does_nothing_and_fits(visit, folder, exporter, name, width):
    text, _ = exporter().from_notebook_node(sample.notebook(sample.hostile()))
    (folder / f"hostile-{name}.html").write_text(text, encoding="utf-8")
    page = visit(f"hostile-{name}.html", width)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert (page.asked, page.faults) == ([], [])


def test_a_wide_table_scrolls_under_its_fixed_labels(visit):
    page = visit("report.html", 390)
    label = page.locator("#t3 tbody th.c2").first
    before = label.bounding_box()["x"]
    page.locator(".scroll:has(#t3)").evaluate("region => { region.scrollLeft = 90 }")
    assert label.bounding_box()["x"] == pytest.approx(before, abs=25)
    assert page.locator("#t3 thead th").last.bounding_box()["x"] < 390


def test_print_shows_the_whole_table_and_no_tools(visit):
    page = visit("audit.html")
    page.emulate_media(media="print")
    assert page.locator("#t3").bounding_box()["width"] <= 1280
    for tool in (".jump", ".review", "#panel"):
        assert not page.locator(tool).is_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_a_number_opens_its_rows_and_they_are_paged(visit):
    page = visit("audit.html")
    page.locator(f"main [data-fact='{FACT}']").first.click()
    panel = page.locator("#panel")
    expect(panel.locator("tbody tr")).to_have_count(50)
    assert [Path(url).name for url in page.asked] == [
        "facts.js",
        "rows-applications-0.js",
    ]
    assert re.sub(r"\s", "", panel.locator("dd:below(dt:text('上年'))").first.inner_text())
    expect(panel).to_contain_text("2019年 60")
    expect(panel).to_contain_text("+14")
    expect(panel).not_to_contain_text("申请人-1")
    expect(panel.locator("tbody tr").nth(3)).to_contain_text("<img src=x onerror=alert(1)>")
    panel.get_by_role("button", name="下一页").click()
    expect(panel.locator("tbody th").first).to_have_text("52")
    expect(panel.locator("[role=status]")).to_contain_text("共 1200 行；第 2/24 页")
    assert page.faults == []


def test_rows_are_filtered_over_all_pages(visit):
    page = visit(f"audit.html#fact={FACT}")
    box = page.get_by_role("searchbox", name="筛选来源行")
    box.fill("湖依〔2020〕1200号")
    expect(page.locator("#panel tbody tr")).to_have_count(1)
    expect(page.locator("#panel [role=status]")).to_contain_text("筛出 1 行，共 1200 行")
    box.fill("没有这样的文字")
    expect(page.locator("#panel")).to_contain_text("没有符合筛选的行")


def test_lists_are_sifted_by_all_words(visit):
    page = visit("audit.html")
    rows = page.locator("#checks tbody tr:visible")
    whole = rows.count()
    box = page.get_by_role("searchbox", name="筛选核对")
    box.fill("已接受 n1")
    expect(rows).to_have_count(1)
    expect(page.locator("#checks [role=status]")).to_have_text(f"筛出 1 行，共 {whole} 行")
    box.fill("")
    expect(rows).to_have_count(whole)
    page.get_by_role("searchbox", name="筛选数据").fill("t3.new.")
    expect(page.locator("#all tbody tr:visible")).to_have_count(7)
    page.get_by_role("checkbox", name="由其他数据算得").uncheck()
    expect(page.locator("#all tbody tr:visible")).to_have_count(6)


def test_facts_are_sorted_by_each_heading(visit):
    page = visit("audit.html")
    value = page.locator("#every th", has_text="值")
    first = page.locator("#every tbody tr").first
    value.get_by_role("button").click()
    value.get_by_role("button").click()
    expect(value).to_have_attribute("aria-sort", "descending")
    expect(first).to_contain_text("24161987.13")
    page.locator("#every th", has_text="上年").get_by_role("button").click()
    expect(first).to_contain_text(FACT)  # the only one that has one
    page.locator("#every th", has_text="标识").get_by_role("button").click()
    expect(first).to_contain_text("narrative.published")


def test_a_check_lists_its_cells_among_all_facts(visit):
    page = visit("audit.html")
    row = page.locator("#checks tbody tr", has_text="R1")
    row.locator("summary").click()
    row.get_by_role("button", name="在全部数据里列出").click()
    expect(page.locator("#every tbody tr:visible code")).to_have_text(
        ["t3.new.total", "t3.results_total.total"]
    )
    page.get_by_role("button", name="现在只列核对 R1").click()
    expect(page.locator("#every tbody tr:visible")).to_have_count(201)


def test_a_thousand_facts_are_sifted(visit, folder):
    blocks = sample.blocks()
    facts = blocks[-1]["facts"]["facts"]
    facts += [
        facts[0] | {"id": f"own.n{number}", "label": f"第{number}项"} for number in range(900)
    ]
    text, _ = AuditHTML().from_notebook_node(sample.notebook(blocks))
    (folder / "thousand.html").write_text(text, encoding="utf-8")
    page = visit("thousand.html")
    page.locator("#all .sift input").fill("第77")
    expect(page.locator("#every tbody tr:visible")).to_have_count(11)


def test_last_year_opens_beside_a_table_without_a_script(visit):
    page = visit("report.html")
    assert page.locator("script:not([type])").count() == 0
    shown = """cell => getComputedStyle(cell, "::after").content.startsWith('"60"')"""
    cell = page.locator("#t3 td[data-was]")
    assert not cell.evaluate(shown)
    page.get_by_label(re.compile("与上年对照")).check()
    assert cell.evaluate(shown)
    assert cell.inner_text() == "74"


@pytest.mark.parametrize("width", [320, 768, 1920])
def test_charts_and_lines_are_whole_at_every_width(visit, width):
    page = visit("report.html", width)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    for one in page.locator("figure .drawing:visible, figure .narrow:visible").all():
        box = one.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert one.evaluate("e => e.scrollWidth <= e.clientWidth")


def test_a_justified_line_is_not_torn_apart(visit):
    """No gap between two Han characters of a line is wider than half of one."""
    page = visit("report.html")
    worst = page.evaluate(
        """() => { let worst = 0;
        for (const p of document.querySelectorAll("main section > p")) {
          const walker = document.createTreeWalker(p, NodeFilter.SHOW_TEXT), boxes = [];
          for (let node; (node = walker.nextNode()); ) for (let i = 0; i < node.length; i++) {
            const range = new Range(); range.setStart(node, i); range.setEnd(node, i + 1);
            boxes.push([node.data[i], range.getBoundingClientRect()]);
          }
          const size = parseFloat(getComputedStyle(p).fontSize);
          for (let i = 1; i < boxes.length; i++) {
            const [[a, one], [b, two]] = [boxes[i - 1], boxes[i]];
            if (one.top === two.top && /[\u4e00-\u9fff]/.test(a) && /[\u4e00-\u9fff]/.test(b))
              worst = Math.max(worst, (two.left - one.left) / size - 1);
          }
        } return worst; }"""
    )
    assert 0 <= worst < 0.5


@pytest.mark.parametrize(
    ("scheme", "bar", "ground"),
    [("light", "rgb(31, 78, 121)", "rgba(0, 0, 0, 0)"),
     ("dark", "rgb(127, 176, 227)", "rgba(0, 0, 0, 0)")],
)  # fmt: skip
def test_a_chart_suits_the_page_it_stands_on(visit, scheme, bar, ground):
    page = visit("report.html", color_scheme=scheme)
    page.locator(".drawing svg").first.evaluate(
        """svg => { const bar = svg.appendChild(document.createElementNS(svg.namespaceURI, "rect"));
        bar.setAttribute("style", "fill: #1f4e79"); bar.id = "bar"; }"""
    )
    assert page.locator("#bar").evaluate("bar => getComputedStyle(bar).fill") == bar
    drawing = page.locator(".drawing").first
    assert drawing.evaluate("box => getComputedStyle(box).backgroundColor") == ground


def test_the_contents_mark_the_section_that_is_read(visit):
    page = visit("report.html", reduced_motion="reduce")
    page.locator(".contents a").nth(2).click()
    page.wait_for_function("document.querySelectorAll('.contents a')[2].matches(':target-current')")


def test_the_keyboard_opens_and_closes_the_panel(visit):
    page = visit("audit.html")
    selector = f"main [data-fact='{FACT}']"
    number = page.locator(selector).first
    number.focus()
    page.keyboard.press("Enter")
    assert focused(page, "#panel-title")
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    assert focused(page, selector)


def test_a_part_of_a_sum_is_one_step_away(visit):
    page = visit("audit.html#fact=t3.new.total")
    expect(page.locator("#panel .parts a").nth(1)).to_have_text("法人或其他组织/商业企业2")
    page.locator("#panel .parts a").first.click()
    expect(page).to_have_url(re.compile(r"#fact=t3\.new\.natural_person$"))
    expect(page.locator("#panel .value")).to_contain_text("74")


@pytest.mark.parametrize(
    ("fragment", "shown"),
    [("t9.none", "没有标识为 t9.none 的数据"), ("%3Cb%3E", "没有标识为 <b> 的数据"),
     ("t3.new.commercial", "没有找到依据文件 evidence/facts.js")],
)  # fmt: skip
def test_what_is_not_there_is_reported(visit, fragment, shown):
    page = visit(f"audit.html#fact={fragment}")
    expect(page.locator("#panel")).to_contain_text(shown)


def test_review_lights_up_what_rests_on_somebodys_word(visit):
    page = visit("audit.html")
    page.get_by_role("button", name="复核模式").click()
    expect(page.locator("#review-count")).to_have_text(
        "申报 1 处，不符 0 处，已接受的不符 2 处，未绑定 1 处"
    )
    page.get_by_role("button", name="下一处").click()
    assert page.evaluate("document.activeElement.textContent") == "37"
