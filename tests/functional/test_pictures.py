"""Parts of the documents look as they did when somebody looked at them."""

from functools import cache
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import pandas as pd
import pypdfium2
import pytest
from machine import PAGE_PATIENCE
from pictures import compare, difference, opened, small
from playwright.sync_api import expect

from reportkit.export.audit import AuditHTML
from reportkit.export.html import ReportHTML
from reportkit.export.pdf import ReportPDF
from reportkit.export.typesetting import pictures
from reportkit.notebook.charts import chart

DATA = Path(__file__).parents[1] / "data" / "blocks"
sample = SimpleNamespace(**run_path(str(DATA / "sample.py")))
# Of 255 greys. Measured: keeping 24 greys, and other hinting or LCD text in Chromium, differ by at
# most 0.4 on average and 3 in a tile; the smallest fault below by 1.48 and 18.6, others by far.
MEAN, WORST = 1.5, 12.0
FACT, ROWS = "t3.new.natural_person", 60


def alike(name, made):
    mean, worst = compare(name, made)
    assert (mean <= MEAN, worst <= WORST) == (True, True), f"{name}: {mean:.2f}, {worst:.1f}"


MONTHS = pd.DataFrame(
    {"收到": [7, 6, 11, 5], "答复": [4, 5, 8, 6], "月末未答复": [3, 4, 7, 6]},
    index=["1月", "2月", "3月", "4月"],
)
RESULTS = pd.DataFrame(
    {"2021年": [30, 5, 25, 1], "2020年": [7, 6, 4, 4]},
    index=["予以公开", "部分公开", "本机关不掌握相关政府信息", "其他处理"],
)
DAYS = pd.DataFrame({"件数": [15, 23, 9]}, index=["10日以内", "11—20日", "20日以上"])
CHARTS = {
    "flows": (MONTHS, {"kind": "columns", "line": "月末未答复"}),
    "bars": (RESULTS, {}),
    "limit": (DAYS, {"kind": "columns", "limit": ("11—20日", "法定期限20个工作日")}),
}


@cache
def blocks():
    made = sample.blocks()
    shown = [chart("outcomes", RESULTS, title="办结申请的办理结果").block]
    made = [shown[0] if one.get("id") == "outcomes" else one for one in made]
    next(f for f in made[-1]["facts"]["facts"] if f["id"] == FACT)["rows"] = ROWS
    return made


def drawn(shown):
    return pictures([shown.block["svg"]])[0]


@pytest.mark.parametrize("name", CHARTS)
def test_charts(name):
    data, how = CHARTS[name]
    alike(f"chart-{name}", opened(drawn(chart("c", data, title="图", **how))))


def printed(shown, first, last):
    """Return the strip of the PDF's page from one text to another, as wide as the page."""
    content, _ = ReportPDF().from_notebook_node(sample.notebook(shown))
    for page in pypdfium2.PdfDocument(content):
        text = page.get_textpage()
        found = [text.search(words).get_next() for words in (first, last)]
        if all(found):
            edges = [text.get_charbox(at) for at, _ in found]
            bottom, top = min(edge[1] for edge in edges) - 12, max(edge[3] for edge in edges) + 12
            crop = (70, bottom, 60, page.get_height() - top)
            return page.render(scale=2, crop=crop).to_pil()
    raise AssertionError(first)


PRINTED = {
    "table-2": (blocks, "第二十条第（八）项", "24161987.13"),
    "table-3": (blocks, "申请人情况", "四、结转下年度继续办理"),
    "table-4": (blocks, "行政复议、行政诉讼", "五、存在的主要问题"),
    "correction": (sample.corrected, "更正说明", "新收申请"),
}


@pytest.mark.parametrize("name", PRINTED)
def test_parts_of_the_pdf(name):
    shown, first, last = PRINTED[name]
    alike(f"pdf-{name}", printed(shown(), first, last))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("run")
    for exporter, name in ((ReportHTML, "report.html"), (AuditHTML, "audit.html")):
        text, _ = exporter().from_notebook_node(sample.notebook(blocks()))
        (made / name).write_text(text, encoding="utf-8")
    text, _ = ReportHTML().from_notebook_node(sample.notebook(sample.corrected()))
    (made / "corrected.html").write_text(text, encoding="utf-8")
    sample.rows_scripts(made / "evidence", FACT, ROWS)
    return made


@pytest.fixture
def visit(chromium, folder):
    made = []

    def opened_page(name, width=1280, *, style="", media="screen", **options):
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            bypass_csp=True,
            reduced_motion="reduce",
            **options,
        )
        context.set_default_timeout(PAGE_PATIENCE * 1000)
        made.append(context)
        page = context.new_page()
        page.goto(f"{folder.as_uri()}/{name}")
        page.emulate_media(media=media)
        if style:
            page.add_style_tag(content=style)
        return page

    yield opened_page
    for context in made:
        context.close()


PARTS = {
    "table-2": ("report.html", 1280, "#t2"),
    "table-3": ("report.html", 1280, "#t3"),
    "table-4": ("report.html", 1280, "#t4"),
    "masthead": ("report.html", 1280, ".masthead"),
    "corrected": ("corrected.html", 1280, ".masthead"),
    "correction": ("corrected.html", 1280, "#section-7"),
    "phone-correction": ("corrected.html", 390, "#section-7"),
    "tablet-headlines": ("report.html", 768, ".headlines"),
    "contents": ("report.html", 1280, ".contents"),
    "headlines": ("report.html", 1280, ".headlines"),
    "phone-headlines": ("report.html", 390, ".headlines"),
    "phone-chart": ("report.html", 390, "#outcomes .narrow"),
    "along": ("report.html", 1280, ".along"),
    "facts": ("audit.html", 1280, "#all"),
    "phone-table-3": ("report.html", 390, ".scroll:has(#t3)"),
    "verdict": ("audit.html", 1280, ".verdict"),
    "checks": ("audit.html", 1280, "#checks"),
}


@pytest.mark.parametrize("name", PARTS)
def test_parts_of_the_pages(visit, name):
    file, width, selector = PARTS[name]
    alike(name, opened(visit(file, width).locator(selector).screenshot()))


def test_a_chart_in_the_dark(visit):
    page = visit("report.html", color_scheme="dark")
    alike("chart-dark", opened(page.locator("#outcomes .drawing").screenshot()))


def test_the_panel(visit):
    page = visit(f"audit.html#fact={FACT}")
    expect(page.locator("#panel tbody tr")).to_have_count(50)
    alike("panel", opened(page.locator("#panel").screenshot()))


def test_a_table_on_paper(visit):
    page = visit("report.html", 794, media="print")
    alike("print-table-3", opened(page.locator("#t3").screenshot()))


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("table-3", ".statutory { border: 0 !important } .statutory td { border: 0 !important }"),
        ("table-3", ".labels3 .k2 { width: 12.4em !important }"),
        ("table-4", ".statutory .head { background: #d0d0d0 !important }"),
        ("table-2", ".statutory td { text-align: right !important }"),
        ("checks", ".list td { padding-block: .5rem !important }"),
        ("verdict", ".verdict { border-left: 0 !important }"),
        ("contents", ".contents li { border: 0 !important }"),
        ("headlines", ".headlines .now { width: 20px !important }"),
        ("phone-chart", ".narrow i { width: 50% !important }"),
    ],
)
def test_a_fault_is_seen(visit, name, fault):
    file, width, selector = PARTS[name]
    made = opened(visit(file, width, style=fault).locator(selector).screenshot())
    mean, worst = compare(name, made, faulty=True)
    assert mean > MEAN or worst > WORST, (mean, worst)


def test_other_edges_are_no_fault():
    made = opened(drawn(chart("c", RESULTS, title="图")))
    moved = made.resize((made.width * 3 // 4, made.height * 3 // 4))
    mean, worst = difference(small(made), small(moved))
    assert 0 < mean <= MEAN
    assert 0 < worst <= WORST


def test_pictures_are_small():
    sizes = [path.stat().st_size for path in (DATA.parent / "pictures").glob("*.png")]
    assert len(sizes) == len(CHARTS) + len(PRINTED) + len(PARTS) + 3
    assert max(sizes) < 12_000
