"""Rules across years and members, plausibility, the notices' demands, and what is accepted."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shipped import RULES, ZFXXGK

from reportkit.checks import (
    accept,
    check,
    continuity_checks,
    member_checks,
    notice_checks,
    plausibility_checks,
    share_checks,
    waiver_yaml,
)
from reportkit.errors import InputError
from reportkit.facts.published import load_published, read_report
from reportkit.forms import project_form
from reportkit.params import District, Project

PUBLISHED = Path(__file__).parents[1] / "data" / "published"


def published(name):
    return read_report(ZFXXGK, load_published(PUBLISHED / f"{name}.json")).published


def failing(checks):
    return [(one.id, one.left, one.right, one.message) for one in checks if not one.holds]


@pytest.mark.parametrize(
    ("year", "rules", "broken"),
    [
        (2020, {"X1": 7, "X3": 5, "X4": 2},
         [("X4", "7", "0", "规章：对外公开总数量7 ≠ 0 = 上年的对外公开总数量0 + 本年新公开数量0")]),
        (2021, {"X1": 7}, []),
    ],
)  # fmt: skip
def test_pingtan_goes_on_from_year_to_year_as_published(year, rules, broken):
    now, last = published(f"pingtan-{year}"), published(f"pingtan-{year - 1}")
    checks = continuity_checks(RULES, ZFXXGK.edition(year), now, last)
    assert {name: [c.id for c in checks].count(name) for name in {c.id for c in checks}} == rules
    assert failing(checks) == broken


@pytest.mark.parametrize(("unit", "amount"), [("元", "592"), ("万元", "5920000"), (None, "592")])
def test_a_published_amount_is_in_its_own_unit(unit, amount):
    report = load_published(PUBLISHED / "huli-2020.json")
    report["table2"]["art20_9"]["政府集中采购"] |= {"采购总金额": 592, "采购总金额_单位": unit}
    assert read_report(ZFXXGK, report).published["t2.procurement.amount"] == Decimal(amount)


def test_a_published_amount_in_an_unknown_unit_is_refused():
    report = load_published(PUBLISHED / "huli-2020.json")
    report["table2"]["art20_9"]["政府集中采购"]["采购总金额_单位"] = "美元"
    with pytest.raises(InputError, match="美元"):
        read_report(ZFXXGK, report)


def test_a_carry_over_that_differs_names_its_column():
    last = published("pingtan-2020") | {"t3.carried_out.commercial": Decimal(2)}
    (found,) = failing(
        continuity_checks(RULES, ZFXXGK.edition(2021), published("pingtan-2021"), last)
    )
    assert found == (
        "X1",
        "0",
        "2",
        "商业企业：上年结转政府信息公开申请数量0 ≠ 上年的结转下年度继续办理2",
    )


X2 = ("regulations", "normative_documents")
X3 = ("permits", "other_services", "penalties", "coercion", "fees")
LABELS = dict(zip(X2 + X3, "规章 行政规范性文件 行政许可 其他对外管理服务事项 行政处罚 行政强制 "
                  "行政事业性收费".split(), strict=True))  # fmt: skip
NUMBER = st.integers(0, 100_000).map(Decimal)


@given(st.data())
def test_any_change_visible_to_x2_or_x3_is_found(data):
    draw = data.draw
    now, last = {}, {}
    for row in X2:
        made, repealed, before = draw(NUMBER), draw(NUMBER), draw(NUMBER)
        last[f"t2.{row}.in_force"] = before
        now |= {f"t2.{row}.made": made, f"t2.{row}.repealed": repealed}
        now[f"t2.{row}.in_force"] = before + made - repealed
    for row in X3:
        items, change = draw(NUMBER), draw(st.integers(-50, 50).map(Decimal))
        last |= {f"t2.{row}.items_last_year": items, f"t2.{row}.items_change": change}
        now[f"t2.{row}.items_last_year"] = items + change

    def found():
        return [
            one
            for year in (2020, 2022)
            for one in continuity_checks(RULES, ZFXXGK.edition(year), now, last)
            if not one.holds
        ]

    assert found() == []
    table = draw(st.sampled_from([now, last]))
    cell = draw(st.sampled_from(sorted(table)))
    table[cell] += draw(NUMBER.filter(bool))
    (one,) = found()
    row = cell.split(".")[1]
    assert one.message.startswith(f"{LABELS[row]}：")
    assert one.id == ("X2" if row in X2 else "X3")


def test_a_parent_is_the_sum_of_its_members():
    form, whole = ZFXXGK.edition(2020), published("pingtan-2020")
    half = dict(whole)
    zero = dict.fromkeys(whole, Decimal(0))
    cells = form.cells(2020)
    (holds,) = member_checks(RULES, cells, whole, {"east": half, "west": zero})
    assert holds.message == "2个单位，198格逐一相加相等"
    half["t4.review.total"] = Decimal(2)
    (found,) = failing(member_checks(RULES, cells, whole, {"east": half, "west": zero}))
    assert found == ("X5", "0", "2", "行政复议/总计：汇总0 ≠ east 2 + west 0 = 2")
    (absent,) = failing(member_checks(RULES, cells, whole, {"east": half, "west": None}))
    assert absent[3] == "west没有本年的报告，不能核对汇总数"
    assert member_checks(RULES, cells, whole, {}) == []


def test_jumps_and_zeros_are_questioned_but_no_small_numbers():
    form, now, last = ZFXXGK.edition(2021), published("pingtan-2021"), published("pingtan-2020")
    found = failing(plausibility_checks(RULES, form.cells(2021), now, last))
    assert found == [
        ("Y1", "2293", "278", "行政许可/本年处理决定数量：本年2293，上年278"),
        ("Y1", "70", "21", "一、本年新收政府信息公开申请数量/申请人情况/总计：本年70，上年21"),
        ("Y1", "69", "21", "三、本年度办理结果/（七）总计/申请人情况/总计：本年69，上年21"),
    ]
    gone = now | {"t2.coercion.decisions": Decimal(0)}
    assert ("Y2", "0", "29", "行政强制/本年处理决定数量：本年0，上年29") in failing(
        plausibility_checks(RULES, form.cells(2021), gone, last)
    )


def test_many_other_outcomes_are_asked_about():
    many = published("pingtan-2020") | {"t3.other.total": Decimal(10)}
    many["t3.results_total.total"] = Decimal(50)
    assert failing(share_checks(RULES, ZFXXGK.edition(2020), many))[0][0] == "Y3"
    many["t3.results_total.total"] = Decimal(51)
    assert failing(share_checks(RULES, ZFXXGK.edition(2020), many)) == []


def test_outcomes_are_reported_in_the_unit_of_their_cells(tmp_path):
    (tmp_path / "own").mkdir()
    rows = "[{key: results_total, unit: 次}]"
    edition = (
        "edition: 本地\nextends: zfxxgk/2019\nyears: {first: 2020}\n"
        f"tables:\n  - {{id: t3, rows: {rows}}}\n"
    )
    (tmp_path / "own/2020.yaml").write_text(edition, encoding="utf-8")
    (check,) = share_checks(
        RULES, project_form("own", tmp_path).edition(2020), published("pingtan-2020")
    )
    assert check.message == "办理结果21次中，其他处理4次"


TEXT = {"一": "总" * 1000, "五": "答复的释法说理有待加强。" * 3, "六": "收取信息处理费0元。"}


def notices(sections=TEXT, *, last=None, year=2021, level="county", published=None):
    return notice_checks(
        RULES,
        ZFXXGK.edition(year),
        sections,
        last=last or {},
        year=year,
        level=level,
        published=published,
    )


def test_what_the_notice_demands_is_there():
    checks = notices(published=date(2022, 2, 20))
    assert failing(checks) == []
    assert [one.id for one in checks] == ["D1", "D2", "D1", "D1", "D3", "D6", "D4"]


def test_a_place_that_is_still_to_be_written_is_reported():
    text = TEXT | {"五": "答复的释法说理有待加强。【尚未填写：怎样改进】"}
    assert failing(notices(text)) == [("D6", None, None, "第五部分有【尚未填写】之处")]


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"一": "总" * 1001}, ("D2", "1001", "1000", "第一部分1001字，超过1000字")),
        ({"五": " "}, ("D1", None, None, "第五部分没有文字")),
        ({"六": "无。"}, ("D3", None, None, "第六部分没有提到“信息处理费”")),
    ],
)
def test_what_the_notice_demands_and_is_missing(changed, found):
    assert failing(notices(TEXT | changed)) == [found]


def test_the_old_edition_asks_for_less():
    assert failing(notices({"一": "总" * 1001, "五": "略", "六": "无"}, year=2020)) == []


@pytest.mark.parametrize(
    ("level", "last_day"),
    [("department", "2022-01-31"), ("county", "2022-02-20"), ("city", "2022-03-10"),
     ("province", "2022-03-31")],
)  # fmt: skip
def test_the_deadline_is_that_of_the_level(level, last_day):
    due = date.fromisoformat(last_day)
    late = date.fromordinal(due.toordinal() + 1)
    assert failing(notices(level=level, published=due)) == []
    ((name, left, right, _),) = failing(notices(level=level, published=late))
    assert (name, left, right) == ("D4", str(late), last_day)


def test_a_section_like_last_years_is_shown_with_its_passages():
    last = "主要问题是队伍业务能力不够强，培训不够系统。下一步将加强培训，完善制度，提高答复质量。"
    copied = TEXT | {"五": last.replace("不够系统", "还不系统")}
    ((name, left, right, message),) = failing(notices(copied, last={"五": last}))
    assert (name, left, right) == ("D5", "98%", "80%")
    assert "“系统。下一步将加强培训，完善制度，提高答复质量。”" in message
    assert failing(notices(TEXT, last={"五": last})) == []


FINDING = check(RULES, "N3", False, "502 ≠ 514", left="502", right="514", facts=["a.x", "a.y"])


def waivers(tmp_path, text):
    (tmp_path / "reports/a1").mkdir(parents=True)
    path = tmp_path / "reports/a1/2020.yaml"
    path.write_text(f"year: 2020\nwaivers:\n{text}", encoding="utf-8")
    report = Project(tmp_path, tmp_path).report(District(id="a1", name="甲区"), 2020)
    return report.waivers


def filled(finding):
    text = waiver_yaml(finding.as_json())
    for name, value in (("reason", "照原文"), ("by", "王某"), ("on", "2021-01-05")):
        text = text.replace(f"  {name}:\n", f"  {name}: {value}\n")
    return text


@pytest.mark.parametrize(
    "finding",
    [
        FINDING,
        check(RULES, "D3", False, "第六部分没有提到“信息处理费”"),
        check(RULES, "L1", False, "甲：x"),
    ],
)
def test_the_printed_waiver_accepts_its_finding_once_filled_in(finding, tmp_path):
    other = check(RULES, "N4", False, "1 ≠ 2", left="1", right="2", facts=["a.x", "a.z"])
    checks = accept(RULES, [finding, other], waivers(tmp_path, filled(finding)))
    assert [(one.id, one.open) for one in checks] == [(finding.id, False), ("N4", True)]
    assert checks[0].as_json()["waived"] == {"reason": "照原文", "by": "王某", "on": "2021-01-05"}
    assert not checks[0].holds


def test_figures_tell_apart_two_findings_in_one_place(tmp_path):
    place = "一、总体情况：“整改隐患17处，关停12个”"
    first, second = (check(RULES, "C1", False, f"{place}中的{n}", left=n) for n in ("17", "12"))
    checks = accept(RULES, [first, second], waivers(tmp_path, filled(second)))
    assert [one.open for one in checks] == [True, False]


def test_a_relation_keeps_its_waiver_when_its_number_changes(tmp_path):
    moved = replace(FINDING, id="N4")
    assert not accept(RULES, [moved], waivers(tmp_path, filled(FINDING)))[0].open


def test_an_empty_waiver_is_refused_with_its_lines(tmp_path):
    with pytest.raises(InputError) as refused:
        waivers(tmp_path, waiver_yaml(FINDING.as_json()))
    for line, name in ((6, "reason"), (7, "by"), (8, "on")):
        assert f"2020.yaml:{line}: 'waivers.0.{name}'" in refused.value.message


def test_a_waiver_lapses_when_the_figures_change(tmp_path):
    changed = check(RULES, "N3", False, "503 ≠ 514", left="503", right="514", facts=["a.x", "a.y"])
    found, lapsed = accept(RULES, [changed], waivers(tmp_path, filled(FINDING)))
    assert found.open
    assert (lapsed.id, lapsed.severity) == ("W1", "warning")
    assert lapsed.message == "N3、a.x、a.y：接受时为502与514，现为503与514"


@pytest.mark.parametrize(
    ("checks", "expected"),
    [
        ([], "没有这样的不符，请删去"),
        ([check(RULES, "N3", True, "", left="502", right="514", facts=["a.x", "a.y"])], "请删去"),
        ([FINDING, FINDING], "同时符合2项"),
    ],
)
def test_a_waiver_that_means_no_single_finding_is_reported(checks, expected, tmp_path):
    *same, unused = accept(RULES, checks, waivers(tmp_path, filled(FINDING)))
    assert same == checks
    assert unused.id == "W1"
    assert expected in unused.message
