"""report.html and audit.html: what they hold, and what they never hold."""

import base64
import hashlib
import json
import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup

from reportkit.export.audit import AuditHTML
from reportkit.export.html import ReportHTML

FILES = {
    "checks.json",
    "MANIFEST.json",
    "SHA256SUMS",
    "attestation.dsse.json",
    "ro-crate-metadata.json",
    "run.log",
    "report.html",
    "report.pdf",
    "report.docx",
    "tables.xlsx",
    "facts.json",
    "report.ipynb",
    "audit.html",
}

DATA = Path(__file__).parents[1] / "data" / "blocks"
sample = SimpleNamespace(**run_path(str(DATA / "sample.py")))


def make(exporter, blocks):
    return exporter().from_notebook_node(sample.notebook(blocks))[0]


@cache
def page(exporter, name="huli-2020", failing=True):
    return make(exporter, sample.blocks(name, failing=failing))


def soup(text):
    return BeautifulSoup(text, "html.parser")


@pytest.mark.parametrize("exporter", [ReportHTML, AuditHTML])
def test_same_notebook_same_bytes(exporter):
    assert make(exporter, sample.blocks()) == page(exporter)


@pytest.mark.parametrize("exporter", [ReportHTML, AuditHTML])
def test_nothing_is_fetched(exporter):
    for element in soup(page(exporter)).find_all(True):
        assert element.name not in {"link", "iframe", "img", "object", "embed", "base"}
        assert not element.get("src")
        assert not [key for key in element.attrs if key.startswith("on")]
        # Files beside the page, and data within it, are taken where somebody asks for them.
        taken = element.get("href", "#").startswith("data:") and element.has_attr("download")
        assert taken or element.get("href") in FILES or element.get("href", "#").startswith("#")
    assert "@import" not in page(exporter)
    assert not re.search(r"url\((?!#)", page(exporter))


@pytest.mark.parametrize("exporter", [ReportHTML, AuditHTML])
def test_ids_are_unique_and_links_arrive(exporter):
    one = soup(page(exporter))
    ids = [element["id"] for element in one.find_all(id=True)]
    assert len(ids) == len(set(ids))
    targets = {a["href"][1:] for a in one.select("a[href^='#']")}
    assert {target for target in targets if not target.startswith("fact=")} <= set(ids)
    for element in one.find_all(attrs={"aria-labelledby": True}):
        assert element["aria-labelledby"] in ids


@pytest.mark.parametrize("exporter", [ReportHTML, AuditHTML])
def test_page_names_its_language_and_headings_descend(exporter):
    one = soup(page(exporter))
    assert one.html["lang"] == "zh-Hans"
    levels = [int(heading.name[1]) for heading in one.find_all(re.compile(r"^h\d$"))]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_report_has_no_code():
    one = soup(page(ReportHTML))
    kinds = [script["type"] for script in one.find_all("script")]
    assert kinds == ["application/ld+json", "application/json"]
    policy = one.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


def test_report_values_are_data():
    one = soup(page(ReportHTML))
    total = one.select_one("#t3 tbody tr").find_all("data")[-1]
    assert (total["value"], total["data-fact"], total.string) == ("76", "t3.new.total", "76")
    assert len(one.select("#t3 data")) == 161
    assert len(one.select("#t2 data")) == 22
    public = json.loads(one.find(id="facts").string)
    facts = [dict(zip(public["columns"], fact, strict=True)) for fact in public["facts"]]
    (total,) = [fact for fact in facts if fact["id"] == "t3.new.total"]
    assert (total["value"], total["unit"], total["origin"]) == ("76", "件", "sum")


def test_tables_keep_their_merged_heads():
    one = soup(page(ReportHTML))
    head = one.select("#t3 thead th")
    assert (head[0]["colspan"], head[0]["rowspan"], head[1]["colspan"]) == ("3", "3", "7")
    assert all(th.get("scope") for th in one.select("table th"))
    assert [t.caption is not None for t in one.select("table.statutory")] == [True] * 3
    result = next(th for th in one.select("#t3 th") if th.get_text() == "三、本年度办理结果")
    assert result["rowspan"] == "20"
    assert len(one.select("#t2 th.band")) == 5


def test_charts_speak_and_show_their_data():
    one = soup(page(ReportHTML))
    for name in ("publications", "outcomes"):
        figure = one.find("figure", id=name)
        drawing = figure.find(role="img")
        assert drawing["aria-label"].startswith("柱状图")
        assert drawing.svg
        assert len(figure.select("details tbody tr")) > 3


def test_notices_are_shown_when_due():
    assert "示例数据" in soup(page(ReportHTML)).select_one(".notice").get_text()
    other = soup(page(ReportHTML, "pingtan-2021"))
    assert [n.strong.string for n in other.select(".notice")] == ["草稿"]


def test_audit_names_the_district_first_and_its_id_beside():
    place, year, scope, *_ = soup(page(AuditHTML)).select(".top .meta:not(.files-beside) > span")
    assert place.get_text(" ", strip=True) == "地区 厦门市湖里区 huli"
    assert (place.b.string, place.code.string) == ("厦门市湖里区", "huli")
    assert [one.get_text(" ", strip=True) for one in (year, scope)] == ["年度 2020", "口径 汇总"]


def test_audit_opens_with_what_fails():
    one = soup(page(AuditHTML))
    verdict = one.select_one(".verdict")
    assert verdict.h2.get_text() == "核对未通过：1 项错误"
    assert [f.code.string for f in verdict.select(".failure")] == ["N3", "N1"]
    assert verdict.sourceline < one.main.sourceline
    document = verdict.select_one(".failure").get_text()
    assert "依据 统得出、报得准、可核查" in document
    assert "处理 核对文中各数的来源" in document
    good = soup(page(AuditHTML, failing=False)).select_one(".verdict")
    assert good.h2.get_text() == "核对全部通过"
    assert not good.select(".failure")


def test_audit_shows_what_was_accepted_after_what_is_open():
    blocks = sample.blocks()
    (seal,) = [one for one in blocks if one["kind"] == "seal"]
    error = next(check for check in seal["checks"] if check["id"] == "N3")
    error["waived"] = {"reason": "照原文保留", "by": "王某", "on": "2021-01-05"}
    verdict = soup(make(AuditHTML, blocks)).select_one(".verdict")
    assert verdict.h2.get_text() == "核对通过，另有 1 项需留意"
    assert [f.code.string for f in verdict.select(".failure")] == ["N1", "N3"]
    accepted = verdict.select(".failure")[1].get_text()
    assert "已接受" in accepted
    assert "照原文保留（王某，2021-01-05）" in accepted


def test_audit_numbers_are_links_and_declared_ones_differ():
    one = soup(page(AuditHTML))
    numbers = one.select("main a.n")
    assert len(numbers) == 161 + 22 + 15 + 9
    assert [n["data-fact"] for n in numbers if "declared" in n["class"]] == ["staff.trainings"]


def test_audit_counts_rows_and_shows_code():
    one = soup(page(AuditHTML))
    assert (
        one.select_one(".ledger .sides").get_text()
        == "读入 78＝计入 76＋无法读取 0＋退回 1＋另列 1"
    )
    blocks = sample.blocks()
    blocks[0]["ledgers"][0]["read"] = 79
    assert "行数不符" in make(AuditHTML, blocks)
    assert 'report.show("head")' in one.select_one("#run details").get_text()


def test_audit_policy_lets_only_its_own_script_run():
    one = soup(page(AuditHTML))
    code = one.find_all("script")[-1].string
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    policy = one.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
    assert f"script-src 'sha256-{digest}' 'self' file:;" in policy
    assert "unsafe-inline" not in policy.split("style-src")[0]
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", code)


@pytest.mark.parametrize(
    ("exporter", "first", "link"),
    [
        (
            ReportHTML,
            '<data data-fact="{0}" value="0">0</data>',
            '<a aria-label="链接：1.属于国家秘密" class="anchor" '
            'href="#t3-deny_1_state_secret"></a>',
        ),
        (AuditHTML, '<a class="n" data-fact="{0}" href="#fact={0}">0</a>', ""),
    ],
)
def test_a_row_is_set_like_this(exporter, first, link):
    row = soup(page(exporter)).select("#t3 tbody tr")[4]
    assert [str(cell) for cell in row.find_all(["th", "td"], limit=3)] == [
        '<th class="label c1 kept" rowspan="8" scope="row"><span>（三）<wbr/>不予公开</span></th>',
        f'<th class="label c2" scope="row"><span>1.属于国家秘密</span>{link}</th>',
        f"<td>{first.format('t3.deny_1_state_secret.natural_person')}</td>",
    ]


def test_a_finding_is_set_like_this():
    blocks = sample.blocks()
    check = blocks[-1]["checks"][-1]
    waived = {"reason": "已核对", "by": "办公室", "on": "2021-01-05"}
    check |= {"left": "1<2", "right": None, "waived": waived, "facts": ["t3.new.total"]}
    other = {"left": "2", "right": "3", "facts": [], "message": ""}
    blocks[-1]["checks"].append(check | other)
    blocks[-1]["rules"] = {check["id"]: {"basis": "条例第五十条", "todo": "改正"}}
    article = soup(make(AuditHTML, blocks)).select(".failure")[-1]
    assert str(article).replace("\n", "") == (
        '<article class="failure waived"><h3><span class="tag waived">已接受</span> '
        '<code>N1</code> 总体情况篇幅原则上不超过一千字 <span class="times">2 处</span></h3>'
        '<div class="place"><div><p>超出986字。</p>'
        '<p class="links">本报告数据：<a data-fact="t3.new.total" href="#fact=t3.new.total">'
        "t3.new · total＝76</a></p></div></div>"
        '<div class="place"><p class="sides"><span>左边 <b>2</b></span>'
        '<span aria-label="不符" class="sign" role="img">≠</span><span>右边 <b>3</b></span></p>'
        "<div></div></div>"
        '<p class="ground"><b>接受</b> 已核对（办公室，2021-01-05）</p>'
        '<p class="ground"><b>依据</b> 条例第五十条</p></article>'
    )
