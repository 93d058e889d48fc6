"""Coverage: classes by their own examples, real quotes with the misses counted, what is told."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from shipped import RULES

import reportkit
from reportkit.checks import coverage_checks
from reportkit.facts import Fact
from reportkit.facts.numerals import NUMBER, chinese_number, read_number
from reportkit.text.coverage import allowed_classes, cover
from reportkit.text.narrative import render

ROOT = Path(__file__).parents[2]
QUOTES = yaml.safe_load((ROOT / "tests/data/texts/quotes.yaml").read_text(encoding="utf-8"))
EXAMPLES = [(one, text) for one in allowed_classes() for text in one.match]
MISSES = [(one, text) for one in allowed_classes() for text in one.miss]


def paragraph(*runs):
    """Runs from plain text and (text, fact) pairs."""
    made = [{"text": r} if isinstance(r, str) else {"text": r[0], "fact": r[1]} for r in runs]
    return {"一": [{"type": "paragraph", "runs": made}]}


def unbound(*runs, units=None):
    return [spot.text for spot in cover(paragraph(*runs), units).of("unbound")]


def covers(one, text):
    """Return True where one class alone covers every numeral of a text."""
    covered = {at for match in one.regex.finditer(text) for at in range(*match.span())}
    return {at for m in NUMBER.finditer(text) for at in range(*m.span())} <= covered


@pytest.mark.parametrize(("one", "text"), EXAMPLES, ids=lambda x: getattr(x, "name", x))
def test_a_class_covers_its_examples(one, text):
    assert NUMBER.search(text)
    assert covers(one, text)


@pytest.mark.parametrize(("one", "text"), MISSES, ids=lambda x: getattr(x, "name", x))
def test_a_class_leaves_what_it_must(one, text):
    assert not covers(one, text)


def test_every_class_says_why_and_has_both_kinds_of_examples():
    for one in allowed_classes():
        assert one.reason
        assert len(one.match) >= 3
        assert len(one.miss) >= 2
    names = [one.name for one in allowed_classes()]
    assert len(set(names)) == len(names)


def test_every_word_of_a_class_holds_a_number():
    words = [w for one in allowed_classes() for line in one.words for w in line.split()]
    assert [word for word in words if not NUMBER.search(word)] == []
    # A word that is itself a number, or a number and its measure, would let figures pass.
    counted = re.compile(f"(?:{NUMBER.pattern})[件条次个项篇份名场期家人元处]")
    assert [word for word in words if counted.fullmatch(word)] == []
    named = {word for word in words if NUMBER.fullmatch(word) and read_number(word)}
    assert named == set("三八 五一 五四 六一 七一 八一".split())  # days; nobody counts like this


@given(
    st.integers(1, 99_999),
    st.sampled_from([str, chinese_number, "{:,}".format, "{}.5".format, "{}万".format]),
    st.sampled_from(
        "公开 共 全区 总数 各部门 中心 街道 统一 进一步 第一时间 占 《条例》印发 （一）培训 分别为 "
        "件数 人次 条例 其中 至 2020年 8月19日 一是办结 电话 会议室 每周 "
        "一般 十分 尤其 不一 第三方".split()
    ),
    st.sampled_from(
        "件 条 次 个 项 篇 份 名 场 期 家 人 元 万元 % 余件 座 处 小时 分钟 家企业 类".split()
    ),
)
def test_a_typed_figure_is_found_wherever_it_stands(number, form, before, after):
    # The 万 of 万元 belongs to the number.
    figure = form(number) + ("万" if after == "万元" else "")
    result = unbound(f"{before}{form(number)}{after}，其余略。")
    assert result == [figure]


@pytest.mark.parametrize(
    ("part", "counted"),
    [("seen", (178, 75, 0, 0)), ("unseen", (170, 93, 2, 0))],
)
def test_real_quotes_numbers_figures_false_alarms_and_misses(part, counted):
    numbers = figures = false = missed = 0
    for source in QUOTES[part]:
        for quote in source["quotes"].splitlines():
            coverage = cover(paragraph(re.sub("[【】]", "", quote)))
            wanted, result = (
                re.findall("【(.*?)】", quote),
                [s.text for s in coverage.of("unbound")],
            )
            numbers, figures = numbers + len(coverage.spots), figures + len(wanted)
            hit = sum(min(wanted.count(text), result.count(text)) for text in set(wanted))
            false, missed = false + len(result) - hit, missed + len(wanted) - hit
    assert (numbers, figures, false, missed) == counted


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("采购金额24161987.13元", ["24161987.13"]),
        ("金额24,161,987.13元", ["24,161,987.13"]),
        ("每周推送3至5篇", ["3", "5"]),
        ("办结率９７.4％", ["９７.4"]),
        ("约1.2万条", ["1.2万"]),
        ("30余万份", ["30余万"]),
        ("百分之三十", ["百分之三十"]),
        ("三分之二以上", ["三分之二"]),
        ("培训二十六场次", ["二十六"]),
        ("培训两次、双周一次", ["两", "一"]),
        ("罚款壹佰元", ["壹佰"]),
        ("统一三十件", ["三十"]),
        ("半年、若干、数十次、双随机", []),
        ("二〇二一年十二月三十一日", []),
        ("增长1.5倍", ["1.5"]),
        ("①第十五条第（十六）项", []),
    ],
)
def test_numbers_as_texts_write_them(text, figures):
    assert unbound(text) == figures


@pytest.mark.parametrize(
    ("runs", "units", "expected"),
    [
        (["公开", ("1313", "pub.total"), "条"], {}, []),
        # A typed digit beside a bound one makes another number of both.
        (["公开", ("1313", "pub.total"), "0条"], {}, ["13130"]),
        (["公开1", ("313", "pub.total"), "条"], {}, ["1313"]),
        ([("12", "a.b"), ("34", "a.c")], {}, ["1234"]),
        ([("1.2", "a.b"), "万条"], {}, ["1.2万"]),
        ([("1.2", "a.b"), "万元"], {"a.b": "万元"}, []),
        ([("1.2", "a.b"), "万元"], {"a.b": "元"}, ["1.2万"]),
        (["〔", ("2020", "a.b"), "〕60号"], {}, []),
    ],
)
def test_a_figure_is_bound_only_as_a_whole(runs, units, expected):
    assert unbound(*runs, units=units) == expected


def test_the_text_is_marked_where_a_number_stands():
    (node,) = cover(paragraph("2020年公开12条，", ("7", "a.b"), "件")).sections["一"]
    assert node["runs"] == [
        {"text": "2020", "allowed": "日期和年份"},
        {"text": "年公开"},
        {"text": "12", "unbound": True},
        {"text": "条，"},
        {"text": "7", "fact": "a.b"},
        {"text": "件"},
    ]


def fact(name, value, unit="条"):
    return Fact(name, f"标签{name}", value, unit, "declared", "")


def findings(*runs, facts=()):
    known = {one.id: one for one in facts}
    checks = coverage_checks(RULES, cover(paragraph(*runs)), known, titles={"一": "一、总体情况"})
    return [(check.id, check.holds, check.message) for check in checks]


def test_an_unbound_number_has_its_place_and_a_remedy():
    facts = [fact("pub.total", Decimal(1313)), fact("a.b", Decimal(7))]
    assert findings("全年公开政府信息1313条。", facts=facts) == [
        (
            "C1",
            False,
            "一、总体情况：“全年公开政府信息【1313】条。”中的1313没有绑定数据。"
            '请改用{{ 数据项标识 }}；不是统计数据的，写成{{ "1313" | allowed("理由") }}',
        ),
        (
            "C2",
            False,
            "一、总体情况：“全年公开政府信息【1313】条。”中的1313与pub.total（标签pub.total）相同",
        ),
    ]


def test_a_typed_day_that_a_fact_gives_is_a_hint():
    facts = [fact("act.notice", "2020-08-19", "日期"), fact("act.other", "2020-08-01", "日期")]
    result = findings("8月19日印发，", ("8月1日", "act.other"), "部署", facts=facts)
    assert [(name, holds) for name, holds, _ in result] == [("C1", True), ("C2", False)]
    assert result[1][2].endswith("中的8月19日与act.notice（标签act.notice）相同")


def test_a_text_without_findings_says_what_was_looked_at():
    runs = {"text": "7", "allowed": "词语"}  # a reason is never taken for a class
    sections = paragraph("一是公开", ("12", "a.b"), "条，每周")
    sections["一"][0]["runs"].append(runs)
    (check,) = coverage_checks(RULES, cover(sections), {}, titles={"一": "一"})
    assert check.message == "3个数字，绑定数据1个，序号和条款1个；文稿自行说明的1个：7（词语）"


NARRATIVES = [
    ("huli", 2020, 76),
    ("pingtan", 2019, 25),
    ("pingtan", 2020, 26),
    ("pingtan", 2021, 20),
]
PLACEHOLDER = re.compile(r"\{\{ ([a-z0-9_]+(?:\.[a-z0-9_]+)+)(?: \| \w+)? \}\}")


def changed_by_hand(report, template):
    """Facts whose figure, typed in place of its placeholder, is not told as unbound."""
    context = {"year": report.year, "district": report.district.printable()}

    def covered(text):
        given = {"figures": report.compiled.computer, "edition": report.edition, "context": context}
        return cover(render(text, name="x.md", **given).sections)

    quiet = set()
    for found in PLACEHOLDER.finditer(template):
        if found[1] not in report.compiled.computer:
            continue
        printed = "".join(
            run["text"]
            for node in render(
                f"x{found[0]}",
                name="x.md",
                figures=report.compiled.computer,
                edition=report.edition,
                context={},
            ).sections[""]
            for run in node["runs"]
        )[1:]
        typed = covered(template[: found.start()] + printed + template[found.end() :])
        if [spot.text for spot in typed.of("unbound")] != [printed.removesuffix("%")]:
            quiet.add(found[1])
    return quiet


@pytest.mark.parametrize(("district", "year", "bound"), NARRATIVES)
def test_our_narratives_are_bound_and_hand_changes_are_found(district, year, bound, monkeypatch):
    monkeypatch.chdir(ROOT)
    report = reportkit.open_report(district, year)
    assert [spot.context for spot in report.compiled.coverage.of("unbound")] == []
    assert len(report.compiled.coverage.of("bound")) == bound
    assert [check.id for check in report.all_checks if check.id == "C2"] == []
    template = (ROOT / f"params/reports/{district}/{year}.md").read_text(encoding="utf-8")
    # A typed day is allowed (and hinted at, C2), and IPv6 is a name.
    quiet = {fact.id for fact in report.facts.values() if fact.unit == "日期"} & {
        found[1] for found in PLACEHOLDER.finditer(template)
    }
    assert changed_by_hand(report, template) == quiet | (
        {"website.ip_version"} if district == "huli" else set()
    )


@pytest.mark.parametrize("year", [2020, 2021])
def test_default_narratives_are_bound_and_hand_changes_are_found(year, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    for folder in ("districts", "facts"):
        (tmp_path / folder).symlink_to(ROOT / "params" / folder)
    report = reportkit.open_report("pingtan", year, params=tmp_path, data=ROOT / "data")
    assert report.compiled.as_draft
    assert report.compiled.coverage.of("unbound") == ()
    assert len(report.compiled.coverage.of("bound")) == 12
    assert changed_by_hand(report, report.edition.narrative) == set()
