"""`reportkit audit`: published reports in, findings out."""

import json
import random
import re
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from reprinted import FORM, WAYS, as_html, content_of, invented

from reportkit.audit.findings import findings_of
from reportkit.audit.published import document_json
from reportkit.audit.read import read_published
from reportkit.cli import cli
from reportkit.errors import InputError
from reportkit.facts.published import load_published, read_report

DATA = Path(__file__).resolve().parents[1] / "data"
PUBLISHED = DATA / "published"


def write(content, folder, name="report.html"):
    path = folder / name
    path.write_bytes(as_html(content))
    return path


def audit(path, form, **options):
    report = read_published(path, form)
    return report, findings_of(report, form, **options)


def found(content, folder, **options):
    """Ids and severities of the findings in a content."""
    _, findings = audit(write(content, folder), FORM, **options)
    return [(one.check, one.severity) for one in findings]


def text_findings(text, folder, *, year=2023, issuer="海州区人民政府"):
    """Findings in a text without tables."""
    path = folder / "text.md"
    title = f"{issuer}{year}年政府信息公开工作年度报告"
    path.write_text(f"{title}\n\n一、总体情况\n\n{text}\n", "utf-8")
    return [(one.check, one.severity) for one in audit(path, FORM)[1]]


def command(*arguments):
    result = CliRunner().invoke(cli, ["audit", *map(str, arguments)])
    return result.exit_code, result.stdout


def test_a_real_published_report_is_read_and_checked():
    code, out = command(DATA / "audit/hongze-2023.pdf", "--json")
    (document,) = json.loads(out)["documents"]
    content = content_of(load_published(PUBLISHED / "hongze-2023.json"))
    read = {
        f"t{number}.{row}.{column}": value
        for number, names in (("3", content.edition("t3")), ("4", content.edition("t4")))
        for row, cells in document["tables"][number].items()
        for band in names.tables[f"t{number}"].model.bands
        for column, value in zip(
            [leaf.key for leaf in names.tables[f"t{number}"].columns(band)], cells, strict=True
        )
    }
    cells = {name: float(value) for name, value in content.cells.items()}
    assert read | document["tables"]["2"] == cells
    assert document["unread"] == []
    assert [(one["check"], one["severity"]) for one in document["findings"]] == [
        ("R4", "error"),
        ("R4", "error"),
        ("A1", "error"),
    ]
    first = document["findings"][0]
    assert (first["expected"], first["printed"]) == ("11", "0")
    assert first["place"].startswith("第4页，表4")
    assert (document["issuer"], document["year"]) == ("洪泽区人民政府", 2023)
    assert document["edition"] == "2021"
    assert code == 1


@pytest.mark.parametrize("year", [2020, 2023])
@pytest.mark.parametrize("way", ["html", "docx", "markdown", "pdf", "spaces"])
def test_a_sound_report_has_no_finding(year, way, tmp_path):
    suffix, make = WAYS[way]
    path = tmp_path / f"report{suffix}"
    for seed in range(2):
        path.write_bytes(make(invented(seed, year)))
        report, findings = audit(path, FORM)
        assert findings == []
        assert (report.heading.issuer, report.heading.year) == ("海州区人民政府", year)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("hongze-2023", [("R4", "error"), ("R4", "error"), ("A1", "error")]),
        ("huli-2020", []),
        ("pingtan-2019", []),
        ("pingtan-2020", [("R2", "error"), ("R2", "error")]),
        ("pingtan-2021", []),
        ("suqian-2023", []),
    ],
)
def test_the_broken_rules_of_published_reports_are_found(name, expected, tmp_path):
    content = content_of(load_published(PUBLISHED / f"{name}.json"))
    content.texts = {"一": "概述。", "五": "问题。", "六": "收取信息处理费0元。"}
    assert found(content, tmp_path) == expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("changchun-xinqu-scjg-2020", "概述。", []),
        (
            "shaoxing-donghu-2023",
            "2023年，东湖街道办事处在越城区政府信息公开系统上主动公开政府信息47条，其中部门文件22件，"
            "通知公告16条，人事任免5条，财政预决算2条，工作计划1条，工作总结1条。2023年度东湖街道办事处"
            "通过政府门户网站共办理并答复信息公开申请3件、纸质申请36件，顺延至下一年答复2件。",
            ["A2"],
        ),
        (
            "sjz-qiaoxi-zhongshan-2021",
            "中山街道累计对外公示2021年政务135条，处理行政决定数量2910个，开展政务公开培训12次，"
            "累计接待群众5320人次，共回答各类问题1536个。",
            ["A2", "N"],
        ),
        (
            "urumqi-gaoxin-2022",
            "截至目前，2022年我区公开行政规范性文件2件，行政许可3606件，行政处罚499件，接收政府信息公开"
            "申请13件，产生行政复议及行政诉讼0件。",
            ["N"],
        ),
        ("wuhan-huangpi-sanliqiao-2020", "概述。", ["A5"]),
        (
            "xian-yanliang-wlj-2020",
            "2020年区文化和旅游体育局共公开政府信息366条，其中通过阎良区人民政府网站发布信息39条，通过"
            "网站、微信公众号发布信息298条，通过微信小程序发布信息10条，西安市信用平台、信息公开栏等途径"
            "发布信息19条。",
            ["A5", "A6", "A7"],
        ),
        ("xixian-dizhang-2023", "全年未收到依申请公开来信，无意见投诉情况。", ["A1"]),
        (
            "yangling-sjj-2022",
            "2022年，我局通过示范区管委会网站审计信息栏目公开信息20条。2022年，未收到依申请公开事项。"
            "全年通过审计信息专栏公开政府信息16条。",
            ["N"],
        ),
    ],
)
@pytest.mark.parametrize(
    "way", ["html", *(pytest.param(way, marks=pytest.mark.slow) for way in ("docx", "pdf"))]
)
def test_the_broken_rules_of_observed_reports_are_found(name, text, expected, way, tmp_path):
    content = content_of(load_published(DATA / f"observed/{name}.json"))
    content.texts = {"一": text, "五": "问题。", "六": "收取信息处理费0元。"}
    suffix, make = WAYS[way]
    path = tmp_path / f"report{suffix}"
    path.write_bytes(make(content))
    # Whatever was not stored is blank here.
    ids = sorted(one.check for one in audit(path, FORM)[1] if one.check != "A4")
    assert ids == expected


@pytest.mark.parametrize("seed", range(8))
def test_every_changed_cell_is_found(seed, tmp_path):
    chance = random.Random(seed)
    content = invented(seed, 2023)
    cell = chance.choice([name for name in content.cells if name[:2] in ("t3", "t4")])
    content.cells[cell] += chance.randint(1, 9)
    _, findings = audit(write(content, tmp_path), FORM)
    named = [one for one in findings if one.severity == "error" and cell in one.cells]
    assert {one.check for one in named} & {"R1", "R2", "R3", "R4"}
    column, row = cell.split(".")[2], cell.split(".")[1]
    for one in findings:
        parts = {tuple(name.split(".")[1:]) for name in one.cells}
        assert any(row in part or column in part for part in parts) or one.check == "N"


def test_two_exchanged_outcomes_break_no_rule(tmp_path):
    content = invented(4, 2023)
    cells = content.cells
    for name in [name for name in cells if name.startswith("t3.granted.")]:
        other = name.replace("granted", "deny_5_internal")
        cells[name], cells[other] = cells[other], cells[name]
    assert found(content, tmp_path) == []


def test_blank_cells_are_null_and_reported(tmp_path):
    content = invented(4, 2023)
    content.cells |= {name: None for name in content.cells if name.startswith("t3.carried_in.")}
    report, findings = audit(write(content, tmp_path), FORM)
    document = document_json(report, findings)
    assert document["tables"]["3"]["carried_in"] == [None] * 7
    assert document["unread"] == []
    assert [(one.check, one.severity) for one in findings] == [("A4", "warning")]


def test_a_local_row_that_is_counted_is_no_error(tmp_path):
    content = invented(4, 2023)
    content.texts["一"] = "概述。"
    page = as_html(content).decode()
    row = re.search(r"<tr>(?:(?!<tr>).)*5\.要求行政机关确认.*?</tr>", page)[0]
    local = re.sub(r"MsoNormal>\d+<", "MsoNormal>0<", row)
    local = local.replace("5.要求行政机关确认或重新出具已获取信息", "6.其他情形转办的")
    path = tmp_path / "a.html"
    path.write_text(page.replace(row, row + local).replace("rowspan=5", "rowspan=6"), "utf-8")
    report, findings = audit(path, FORM)
    assert report.tables[1].extra_rows == [("6.其他情形转办的", ["0"] * 7)]
    assert findings == []
    # Two that a natural person asked for are in the totals, and in no row of the form.
    for cell in ("results_total", "new"):
        for column in ("natural_person", "total"):
            content.cells[f"t3.{cell}.{column}"] += 2
    page = as_html(content).decode()
    local = local.replace(">0<", ">2<", 1)
    local = local[::-1].replace(">0<"[::-1], ">2<"[::-1], 1)[::-1]
    path.write_text(page.replace(row, row + local).replace("rowspan=5", "rowspan=6"), "utf-8")
    assert audit(path, FORM)[1] == []


def test_the_year_before_is_continued(tmp_path):
    last, now = invented(4, 2022), invented(5, 2023)
    now.cells["t2.normative_documents.in_force"] = 7777777
    path = write(last, tmp_path, "last.html")
    before = read_published(path, FORM)
    ids = [check for check, _ in found(now, tmp_path, previous=before)]
    assert "X1" in ids
    assert "X2" in ids
    for column in "natural_person commercial research public_welfare legal_service other".split():
        left = last.cells[f"t3.carried_out.{column}"]
        change = left - now.cells[f"t3.carried_in.{column}"]
        for row, sign in (("carried_in", 1), ("new", -1)):
            for where in (column, "total"):
                now.cells[f"t3.{row}.{where}"] += sign * change
    for row in ("regulations", "normative_documents"):
        stock = last.cells[f"t2.{row}.in_force"] + now.cells[f"t2.{row}.made"]
        now.cells[f"t2.{row}.in_force"] = stock - now.cells[f"t2.{row}.repealed"]
    now.texts["一"] = "概述。"
    ids = {check for check, _ in found(now, tmp_path, previous=before)}
    assert ids & {"X1", "X2"} == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("共受理申请54件，按时办结54件，办理上年结转2件，结转下年度办理1件。", [("N", "error")]),
        ("共受理申请54件，其中自然人50件，法人5件。", [("N", "error")]),
        ("收到申请57件，分别为网络40件、信函30件。", [("N", "error")]),
        ("全年发布信息465条，其中网站400条，微信64条。", [("N", "warning")]),
        ("收到申请100件，其中网络申请86件，占86.9%。", [("N", "warning")]),
        ("全年主动公开政府信息100条。全年主动公开政府信息120条。", [("N", "warning")]),
        ("2023年主动公开信息  条。", [("A9", "error")]),
        ("统计期限自2023年1月1日至11月30日。", [("A8", "error")]),
        ("依据国办公开办函〔2019〕60号编制。", [("A3", "warning")]),
        ("根据贵办通知，现报告如下。", [("A9", "error")]),
        ("下一步，一是学习；三是落实。", [("A10", "warning")]),
        ("下一步，2021年将加强培训。", [("A10", "warning")]),
    ],
)
def test_what_is_wrong_in_a_text_is_found(text, expected, tmp_path):
    assert text_findings(text, tmp_path) == expected


@pytest.mark.parametrize(
    "text",
    [
        # 受理 with what was carried in; both suits in one; others' figures; shares of 99.9.
        "共收到162件，上年度结转1件，办结159件，结转下年度办理4件。",
        "办理政府信息公开申请61件，办结54件，结转下一年办理7件，行政复议7件，复议后起诉1件。",
        "受理95件，其中自然人申请89件，法人或其他组织申请6件。答复98件（含上年度转结申请8件）。",
        "收到22起，比2022年（31起）下降29%，答复22起。公开1起，不存在9起。",
        "收到1499件。网络1303件86.92%；信函172件11.47%；当面24件1.60%。",
        "主动公开政府信息47条，其中部门文件22件，通知公告16条，人事任免5条，财政预决算2条，"
        "工作计划1条，工作总结1条。",
        "公开信息140余条，其中网站100条，微信30条。",
        "占比分别为66.5%、33.4%。",
        # What was carried in is not said.
        "全年新收政府信息公开申请41件，办结46件，结转下年度5件。",
        "2023年1月1日至6月30日举办培训3场。",
        "下一步，一是学习；二是落实。二是指统一的平台。",
    ],
)
def test_what_is_right_somewhere_is_no_alarm(text, tmp_path):
    assert [one for one in text_findings(text, tmp_path) if one[1] == "error"] == []


@pytest.mark.parametrize(
    ("sentence", "holds"),
    [
        ("全区共收到政府信息公开申请{both}件。", True),
        ("全区共收到政府信息公开申请{wrong}件。", False),
        ("办结{done}件，结转下年度{left}件。", True),
        ("办结{done}件，结转下年度{wrong}件。", False),
        ("其中予以公开{granted}件。", True),
        ("其中予以公开{wrong}件。", False),
        ("其中区政府办公室收到申请{wrong}件。", True),
        ("较2022年收到申请{wrong}件有所下降。", True),
        ("全年未收到政府信息公开申请。", False),
    ],
)
def test_figures_of_the_text_are_held_against_cells(sentence, holds, tmp_path):
    content = invented(4, 2023)
    total = {row: content.cells[f"t3.{row}.total"] for row in ("new", "carried_in", "granted")}
    text = sentence.format(
        both=total["new"] + total["carried_in"],
        done=content.cells["t3.results_total.total"],
        left=content.cells["t3.carried_out.total"],
        granted=total["granted"],
        wrong=7777,
    )
    content.texts["一"] = text
    assert found(content, tmp_path) == ([] if holds else [("N", "error")])


def test_a_bureau_makes_no_regulations(tmp_path):
    content = invented(4, 2023)
    content.title = "海州区文化旅游局2023年政府信息公开工作年度报告"
    content.cells["t2.regulations.in_force"] = 2
    assert found(content, tmp_path) == [("A7", "warning")]


def test_labels_of_the_old_edition_are_reported(tmp_path):
    content = invented(4, 2023)
    content.labels["t2", "normative_documents"] = "规范性文件"
    assert found(content, tmp_path) == [("A2", "warning")]


def test_several_documents_are_reported_together(tmp_path):
    sound = write(invented(1, 2023), tmp_path)
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7 nothing")
    code, out = command(sound, broken, "--json")
    first, second = json.loads(out)["documents"]
    assert (first["findings"], second["error"], code) == ([], "audit-damaged", 2)
    code, out = command(broken, "--json")
    assert (json.loads(out)["error"], code) == ("audit-damaged", 2)
    code, out = command(sound)
    assert "no findings" in out
    assert code == 0


@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_mutated_documents_neither_crash_nor_hang(count, tmp_path):
    chance = random.Random(count)
    content = invented(3, 2023)
    made = {way: WAYS[way][1](content) for way in ("html", "docx", "markdown", "stack", "pdf")}
    for number in range(count):
        # Damaged PDFs take the longest.
        way = "pdf" if number % 10 == 0 else chance.choice(["html", "docx", "markdown", "stack"])
        damaged = bytearray(made[way])
        for _ in range(chance.randint(1, 40)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        if number % 3 == 0:
            del damaged[chance.randrange(len(damaged)) :]
        path = tmp_path / f"a{WAYS[way][0]}"
        path.write_bytes(damaged)
        with suppress(InputError):  # anything else is a crash
            audit(path, FORM)


def test_a_dismissed_finding_keeps_its_reason(tmp_path):
    content = invented(4, 2023)
    content.cells["t4.review.total"] += 1
    path = write(content, tmp_path)
    code, out = command(path, "--json")
    (one,) = json.loads(out)["documents"][0]["findings"]
    kept = {key: one[key] for key in ("check", "cells", "printed")}
    kept |= {"document": path.name, "reason": "更正公告已发"}
    (tmp_path / "dismissed.yaml").write_text(json.dumps([kept]), "utf-8")
    assert code == 1
    code, out = command(path, "--dismissed", tmp_path / "dismissed.yaml", "--json")
    assert json.loads(out)["documents"][0]["findings"] == [one | {"dismissed": "更正公告已发"}]
    assert code == 0
    # Another figure is another finding.
    content.cells["t4.review.total"] += 1
    write(content, tmp_path)
    assert command(path, "--dismissed", tmp_path / "dismissed.yaml")[0] == 1


def test_a_folder_is_read_and_handed_over(tmp_path):
    folder = tmp_path / "reports"
    folder.mkdir()
    contents = {"haizhou-2022": invented(4, 2022), "haizhou-2020": invented(4, 2020)}
    for name, content in contents.items():
        write(content, folder, f"{name}.html")
    code, out = command(folder, "--to-published", tmp_path / "made")
    assert code == 0
    assert out.count("sound (0 errors, 0 warnings, 0 unread)") == 2
    for name, content in contents.items():
        report = read_report(FORM, load_published(tmp_path / "made" / f"{name}.json"))
        assert (report.district, report.year) == ("haizhou", content.year)
        assert report.published == {name: Decimal(str(v)) for name, v in content.cells.items()}


def test_an_empty_folder_is_refused(tmp_path):
    code, out = command(tmp_path, "--json")
    assert (code, json.loads(out)["error"]) == (2, "audit-missing")
