"""From a figure of a roll-up's audit page to the member's own page, in Debian's Chromium."""

import json
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from reportkit.export.audit import AuditHTML

DATA = Path(__file__).parents[1] / "data" / "blocks"
sample = SimpleNamespace(**run_path(str(DATA / "sample.py")))
FACT = "t3.new.natural_person"
MEMBERS = {"beidu": ("北渡区", "30"), "qingtang": ("青棠县", "44"), "liushi": ("柳石区", None)}


def member(name, printed):
    source = f"{name}/2020/runs/r-{name}"
    return {
        "id": name,
        "name": printed,
        "origin": "run",
        "source": source,
        "draft": False,
        "errors": [],
        "late": "",
        "below": [],
        "sha256": "0" * 64,
        "page": f"{source}/audit.html",
    }


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """A roll-up, and a page for each of its members."""
    out = tmp_path_factory.mktemp("out")
    blocks = sample.blocks()
    fact = next(one for one in blocks[-1]["facts"]["facts"] if one["id"] == FACT)
    parts = [f"{name}/{FACT}" for name, (_, value) in MEMBERS.items() if value]
    fact |= {"origin": "sum", "ledger": None, "where": [], "rows": 0, "sum_of": parts}
    listed = [member(name, printed) for name, (printed, _) in MEMBERS.items()]
    inputs = next(one for one in blocks if one["kind"] == "inputs")
    inputs |= {"ledgers": [], "members": listed}
    run = out / "city/2020/runs/r-city"
    (run / "evidence").mkdir(parents=True)
    (run.parents[1] / "current").symlink_to("runs/r-city")
    text, _ = AuditHTML().from_notebook_node(sample.notebook(blocks))
    (run / "audit.html").write_text(text, encoding="utf-8")
    result = {
        "members": [[one["id"], one["name"], one["page"]] for one in listed],
        "facts": {FACT: [value for _, value in MEMBERS.values()]},
    }
    script = f"RK.members({json.dumps(result)});\n"
    (run / "evidence/members.js").write_text(script, encoding="utf-8")
    for one in listed:
        (out / one["page"]).parent.mkdir(parents=True)
        (out / one["page"]).write_text(f"<title>{one['name']}</title>", encoding="utf-8")
    return out


@pytest.mark.parametrize("place", ["current", "runs/r-city"])
def test_a_figure_leads_to_the_pages_of_its_members(chromium, outputs, place):
    page = chromium.new_page()
    page.goto(f"{outputs.as_uri()}/city/2020/{place}/audit.html")
    page.locator(f"main [data-fact='{FACT}']").first.click()
    rows = page.locator("#panel tbody tr")
    expect(rows).to_have_count(3)
    # The largest first; who has none says so.
    assert [row.inner_text().split("\t")[:2] for row in rows.all()] == [
        ["青棠县", "44"],
        ["北渡区", "30"],
        ["柳石区", "没有此数"],
    ]
    page.locator("#panel tbody a").first.click()
    expect(page).to_have_title("青棠县")
    assert page.url.endswith(f"/qingtang/2020/runs/r-qingtang/audit.html#fact={FACT}")
    page.go_back()
    page.locator("#sources a.member").first.click()
    expect(page).to_have_title("北渡区")
    page.close()
