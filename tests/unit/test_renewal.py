"""Texts of a new year: the parts that are kept, emptied and reported."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from shipped import ZFXXGK

from reportkit.errors import ExecutionError, InputError
from reportkit.params import Project
from reportkit.scaffold.new_year import Renewal, renew
from reportkit.scaffold.next_text import Turn, renew_narrative, renew_parameters
from reportkit.scaffold.stale_years import advance, typed
from reportkit.text.placeholders import placeholders
from reportkit.yamlfile import read_yaml

KNOWN = {"t3.new.total", "t2.normative_documents.made", "pub.total"}


def turn(year):
    return Turn(2020, year, ZFXXGK.model.title, ZFXXGK.edition(year), KNOWN)


def narrative(text, year=2021):
    return renew_narrative(text, turn(year))


def parameters(text, year=2021):
    return renew_parameters(text, turn(year))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("统计期限自2020年1月1日起，至2020年12月31日止。", "Y年1月1日起，至Y年12月31日止。"),
        ("2020年，全区公开", "Y年，全区公开"),
        ("工作有序。2020年，全区公开", "工作有序。Y年，全区公开"),
        ("某区2020年政府信息公开工作年度报告", "某区Y年政府信息公开工作年度报告"),
        ("自 2020 年 1 月 1 日起", "自 Y 年 1 月 1 日起"),
        ("2020 年，全区公开", "Y 年，全区公开"),
        ("二〇二〇年，全区公开", "二〇二一年，全区公开"),
        ("二零二〇年，全区公开", "二〇二一年，全区公开"),
        ("从2020年起", "从2020年起"),
        ("在2020年，", "在2020年，"),
        ("《某区2020年政府信息公开工作年度报告》", "《某区2020年政府信息公开工作年度报告》"),
        ("2020年3月5日", "2020年3月5日"),
        ("12020年，", "12020年，"),
        ("2019年，", "2019年，"),
    ],
)
def test_only_what_can_mean_nothing_else_is_advanced(old, new):
    text, found = advance(
        old, 2020, title="政府信息公开工作年度报告", digits="Y", numerals="二〇二一"
    )
    assert text.endswith(new)
    assert len(found) == text.count("Y") + ("二〇二一" in text)


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        ("截至2020年11月30日", "date", "2020年11月30日"),
        ("截至 2020 年 11 月 30 日", "date", "2020 年 11 月 30 日"),
        ("于8月19日印发", "date", "8月19日"),
        ("二〇二〇年三月五日", "date", "二〇二〇年三月五日"),
        ("在2020-11-30前", "date", "2020-11-30"),
        ("比2019年多", "year", "2019"),
        ("2021年将", "year", "2021"),
        ("二〇二〇年起", "year", "二〇二〇"),
        ("厦湖府〔2020〕12号", "year", "〔2020〕12号"),
        ("共502项", "number", "502"),
        ("占96.5%", "number", "96.5"),
        ("金额1,234.5元", "number", "1,234.5"),
        ("共二十六条", "number", "二十六"),
        ("百分之九十五", "number", "百分之九十五"),
        ("三十余件", "number", "三十"),
        ("1.2万人次", "number", "1.2万"),
        ("制定2008条", "number", "2008"),
        ("公开{{ pub.total }}0条", "number", "0"),
    ],
)
def test_what_is_typed_is_reported(text, kind, found):
    (one,) = typed(f"# 一、总体情况\n\n{text}\n", 2020)
    assert (one.line, one.kind, one.found) == (3, kind, found)


@pytest.mark.parametrize(
    "text",
    [
        "去年、上年、本年",
        "{{ year }}年1月1日至12月31日",
        "{{ year }} 年 1 月 1 日至 12 月 31 日",
        "公开{{ pub.total }}条，{{ act.day | date('2020') }}印发",
        "{% if t3.new.total > 5 %}多{% endif %}",
        "## （一）主动公开\n\n### 1.推进标准化\n\n1. 其一，",
        "依据《条例》第五十条、第 20 条",
        "一是、二是、“三安全一稳定”、五公开",
        "地址：枋湖南路161号721室，电话：0592-5722601",
        "《某区八条措施》，12345热线，党的二十大，进一步、统一",
        "国办发〔2007〕3号",
        "自2008年5月1日起施行",
        "互联网协议（IPv6）",
    ],
)
def test_what_stays_right_is_not_reported(text):
    assert typed(text, 2020) == []


def test_an_advanced_year_is_not_reported_again():
    text, advanced, todo = narrative("2020年，公开，比2019年多。\n\n二〇二〇年，二〇二〇年底前\n")
    assert text == "{{ year }}年，公开，比2019年多。\n\n二〇二一年，二〇二〇年底前\n"
    assert [note.message for note in advanced] == [
        "2020年 → {{ year }}年",
        "二〇二〇年 → 二〇二一年",
    ]
    assert [(note.line, note.found) for note in todo] == [(1, "2019"), (3, "二〇二〇")]


def test_placeholders_know_their_lines():
    text = "a\n{{ t3.new.total | share(t3.granted.total) }}\n{# t9.no.more #}{% if\nx.y %}"
    assert placeholders(text) == [(2, "t3.new.total"), (2, "t3.granted.total"), (4, "x.y")]


def test_a_cell_of_the_old_form_names_its_successor():
    text = (
        "# 一、总体情况\n\n{{ t2.normative_documents.disclosed }}件，{{ t2.procurement.amount }}元"
    )
    _, _, todo = narrative(text + "，{{ pub.totl }}条，{{ district.name }}")
    assert [(note.line, note.kind, note.found) for note in todo] == [
        (3, "fact", "t2.normative_documents.disclosed"),
        (3, "fact", "t2.procurement.amount"),
        (3, "fact", "pub.totl"),
    ]
    assert "in its place: t2.normative_documents.made" in todo[0].message
    assert "nothing in its place (2021年版不再统计政府集中采购)" in todo[1].message
    assert "nearest: pub.total" in todo[2].message


def test_a_heading_that_the_form_does_not_have_is_reported():
    _, _, todo = narrative("# 序言\n\n# 二、主动公开情况\n\n# 七、附表\n")
    assert [(note.line, note.kind) for note in todo] == [(3, "section"), (5, "section")]
    assert "it has 二、主动公开政府信息情况" in todo[0].message


YAML = """\
# 某区 2020年
year: 2020  # the report year
title: 某区2020年政府信息公开工作年度报告
document_number: 某府〔2021〕7号
dated: 2021-01-05
declared:
  # What the office states.
  - {id: media.closed, label: 关停, value: 2, unit: 个, source: 2020年台账, stated_on: 2021-01-05}
  - id: hall.hours
    label: "开放时间"
    value: "24"
    source: 办公室
    stated_by: 办公室
waivers:
  - check: N3
    reason: 口径不同
    by: 某人
# Figures that add up.
relations:
  - {title: 相等, left: [t3.new.total], right: [t2.normative_documents.disclosed]}
  - {title: 占比, share: {percent: pub.total, part: t3.new.total, whole: t3.new.totl}}
"""


def test_parameters_keep_their_layout_and_lose_last_years_figures():
    text, advanced, todo = parameters(YAML)
    assert (
        text
        == """\
# 某区 2020年
year: 2021  # the report year
title: 某区2021年政府信息公开工作年度报告
document_number:
dated:
declared:
  # What the office states.
  - {id: media.closed, label: 关停, value: , unit: 个, source: 2020年台账, stated_on: }
  - id: hall.hours
    label: "开放时间"
    value:
    source: 办公室
    stated_by: 办公室
# Figures that add up.
relations:
  - {title: 相等, left: [t3.new.total], right: [t2.normative_documents.disclosed]}
  - {title: 占比, share: {percent: pub.total, part: t3.new.total, whole: t3.new.totl}}
"""
    )
    messages = [(note.line, note.message) for note in advanced]
    assert messages == [(3, "2020年 → 2021年"), (0, "waivers of 2020 are dropped: 1")]
    assert sorted((note.line, note.kind) for note in todo) == [
        (1, "year"),
        (4, "parameter"),
        (5, "parameter"),
        (8, "declared"),
        (9, "declared"),
        (16, "fact"),
        (17, "fact"),
    ]
    messages = {note.line: note.message for note in todo}
    assert messages[4].endswith("last year's was 某府〔2021〕7号, which would now be of 2022")
    assert messages[8] == "state media.closed (关停); last year 2 个, source: 2020年台账"


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1) | st.text(
    "ab 12:,{}[]'\"#\n-", min_size=1
)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(WORDS, WORDS, WORDS), max_size=3), st.booleans(), st.sampled_from([20, 500])
)
def test_whatever_the_layout_only_the_statements_go(facts, flow, width):
    declared = [
        {"id": "a.b", "value": value, "label": label, "stated_on": "2021-01-05", "source": source}
        for value, label, source in facts
    ]
    layout = {"allow_unicode": True, "default_flow_style": flow, "width": width}
    before = {"dated": "2021-01-05", "declared": declared, "year": "2020"}
    after = yaml.load(parameters(yaml.safe_dump(before, **layout))[0], yaml.BaseLoader)
    emptied = [one | {"value": "", "stated_on": ""} for one in declared]
    assert after == {"dated": "", "declared": emptied or [], "year": "2021"}


def test_windows_line_ends_stay():
    text, _, _ = parameters("year: 2020\r\ndated: 2021-01-05\r\ndeclared:\r\n")
    assert text == "year: 2021\r\ndated:\r\ndeclared:\r\n"


@pytest.fixture
def project(tmp_path):
    for name in ("districts", "reports/a"):
        (tmp_path / "params" / name).mkdir(parents=True)
    (tmp_path / "params/districts/a.yaml").write_text("id: a\nname: 某区\n", encoding="utf-8")
    return Project(tmp_path / "params", tmp_path / "data")


def write(project, name, text):
    path = project.params / "reports/a" / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_latest_earlier_year_is_taken(project):
    write(project, "2019.yaml", "year: 2019\n")
    write(project, "2020.md", "# 一、总体情况\n")
    write(project, "2020.published.json", "{}")
    write(project, "2023.yaml", "year: 2023\n")
    made = renew(project, "a", 2022)
    assert made.previous == 2020
    assert {path.name: text for path, text in made.files.items()} == {
        "2022.yaml": "year: 2022\n",
        "2022.md": "# 一、总体情况\n",
    }
    missing = {note.found for note in made.todo if note.kind == "ledger"}
    assert missing == {
        "依申请公开台账",
        "复议诉讼台账",
        "规范性文件目录",
        "行政执法决定",
        "收费台账",
    }


def test_a_named_ledger_that_is_gone_is_to_do(project):
    district = "id: a\nname: 某区\nledgers: {fees: [a/fees-2020.csv]}\n"
    (project.params / "districts/a.yaml").write_text(district, encoding="utf-8")
    write(project, "2020.yaml", "year: 2020\n")
    messages = {note.found: note.message for note in renew(project, "a", 2021).todo}
    assert "fees-2020.csv, named in the district file, is not there" in messages["收费台账"]


@pytest.mark.parametrize("there", ["2021.yaml", "2021.md"])
def test_nothing_is_replaced_and_nothing_half_written(project, there):
    write(project, "2020.yaml", "year: 2020\n")
    write(project, "2020.md", "# 一、总体情况\n")
    made = renew(project, "a", 2021)
    path = write(project, there, "mine")  # while the other one was being made
    with pytest.raises(InputError) as error:
        made.write()
    assert error.value.reason == "exists"
    assert path.read_text(encoding="utf-8") == "mine"
    names = {found.name for found in path.parent.iterdir()}
    assert names == {"2020.yaml", "2020.md", there}
    with pytest.raises(InputError, match=there):
        renew(project, "a", 2021)


def test_a_write_that_fails_half_way_leaves_nothing(project):
    write(project, "2020.yaml", "year: 2020\n")
    folder = project.params / "reports/a"
    write(project, "full", "no folder")
    files = {folder / "2021.yaml": "year: 2021\n", folder / "full/2021.md": "text"}
    with pytest.raises(ExecutionError, match="nothing is written"):
        Renewal("a", 2021, 2020, files, (), (), sums=False).write()
    assert {path.name for path in folder.iterdir()} == {"2020.yaml", "full"}


def test_a_link_to_nowhere_is_in_the_way(project):
    write(project, "2020.yaml", "year: 2020\n")
    (project.params / "reports/a/2021.md").symlink_to("nowhere")
    with pytest.raises(InputError, match="exist already"):
        renew(project, "a", 2021)


def test_without_an_earlier_year_it_says_what_to_write(project):
    write(project, "2022.yaml", "year: 2022\n")
    with pytest.raises(InputError, match=r"2021\.yaml \(year: 2021\)") as error:
        renew(project, "a", 2021)
    assert error.value.reason == "report-missing"


def test_the_new_file_is_read_again(project):
    path = write(project, "2021.yaml", parameters(YAML)[0])
    assert [fact["value"] for fact in read_yaml(path).data["declared"]] == [None, None]
