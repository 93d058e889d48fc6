"""The state of all reports in Chromium, from a file and offline: sorted, filtered, accessible."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from reportkit.batch.page import state_page
from reportkit.catalogue.state import Standing, StateOfAll

NOW = "2022-01-03T18:00:00+00:00"
BATCH = {
    "batch": "x",
    "ended": NOW,
    "exit_status": 2,
    "stopped": None,
    "refused": None,
    "again": "reportkit batch --failed",
}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def made(district, name, received, run="one", **fields):
    figures = {"t3.new.total": str(received)}
    return Standing(district, 2021, name, run, NOW, figures=figures, **fields)


REPORTS = [
    made("huli", "湖里区", 9, draft=True, errors=2),
    made("pingtan", "平潭综合实验区", 100),
    made("siming", "思明区", 20),
    Standing("jimei", 2021, "集美区", reason="ledger-heading", message="no <heading> here"),
    Standing("tongan", 2020, "同安区", reason="not-handed-in", message="nothing is handed in"),
]


@pytest.fixture(params=["en", "zh"])
def page(request, chromium, tmp_path):
    reports = {(one.district, one.year): one for one in REPORTS}
    before = {
        ("siming", 2021): reports["siming", 2021],
        ("huli", 2021): made("huli", "湖里区", 8, run="zero"),
    }
    state = StateOfAll(reports, "2022-01-03", before, "2022-01-02")
    text = state_page(state, BATCH, out=tmp_path, language=request.param)
    (tmp_path / "batch.html").write_text(text, encoding="utf-8")
    page = chromium.new_page()
    asked, faults = [], []
    page.on("request", lambda request: asked.append(Path(request.url).name))
    page.on("console", lambda said: faults.append(said.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto((tmp_path / "batch.html").as_uri())
    yield page
    assert (asked, faults) == (["batch.html"], [])
    page.close()


def shown(page):
    """The districts of the rows that are seen, in their order."""
    rows = page.locator("#reports tbody tr:visible td:first-child")
    return [row.get_attribute("title") for row in rows.all()]


def test_rows_are_sorted_by_a_click_on_their_heading(page):
    assert shown(page) == ["jimei", "tongan", "huli", "pingtan", "siming"]
    received = page.locator("#reports th button").nth(3)
    received.click()
    assert shown(page) == ["huli", "siming", "pingtan", "jimei", "tongan"]
    received.press("Enter")
    assert shown(page) == ["pingtan", "siming", "huli", "jimei", "tongan"]
    assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"


def test_rows_are_filtered_by_words_state_and_year(page):
    page.locator("#words").fill("heading LEDGER")
    assert (shown(page), page.locator("#shown").text_content()) == (["jimei"], "1")
    page.locator("#words").fill("")
    page.locator("#state").select_option("unchanged")
    assert shown(page) == ["siming"]
    page.locator("#state").select_option("")
    page.locator("#year").select_option("2020")
    assert shown(page) == ["tongan"]


def test_everybody_can_use_it(page):
    found = Axe().run(page, options={"runOnly": RULES}).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []


def test_counts_and_changes_are_told(page):
    counts = [one.text_content() for one in page.locator(".counts b").all()]
    assert counts == ["2", "1", "0", "1", "1", "1"]
    told = page.locator(".changes").inner_text()
    assert "湖里区 2021" in told
    assert "8 → 9" in told
    assert "思明区" not in told
