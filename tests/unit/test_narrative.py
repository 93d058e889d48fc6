import pytest

from reportkit.errors import InputError
from reportkit.facts import Computer
from reportkit.forms import form_for
from reportkit.params import Declared, District
from reportkit.text.narrative import render

FORM = form_for(2020)
DECLARED = [
    Declared(id=name, label="", value=value, source="x", stated_by="某科", stated_on="2021-01-05")
    for name, value in (
        ("pub.total", "1313"), ("pub.insurance", "26"), ("act.notice", "2020-08-19"),
    )
]  # fmt: skip


def read(template, **context):
    computer = Computer(2020, cells=[], specs={}, declared=DECLARED, ledgers={})
    context = {"year": 2020, "district": District(id="a", name="某区")} | context
    return render(template, computer=computer, form=FORM, context=context, name="2020.md")


def test_a_figure_is_bound_to_its_fact():
    text = read("# 一、总体情况\n\n{{ year }}年，{{ district.name }}公开{{ pub.total }}条。\n")
    (paragraph,) = text.sections["一"]
    assert paragraph == {
        "type": "paragraph",
        "runs": [
            {"text": "2020年，某区公开"},
            {"text": "1313", "fact": "pub.total"},
            {"text": "条。"},
        ],
    }
    assert text.places == {"pub.total": ("section:一",)}


def test_renderings():
    template = "# 一、总体情况\n\n{{ pub.insurance | cn }}、{{ act.notice | date }}、"
    text = read(template + "{{ act.notice | date_full }}")
    runs = text.sections["一"][0]["runs"]
    assert [run["text"] for run in runs] == ["二十六", "、", "8月19日", "、", "2020年8月19日"]


def test_options_of_a_rendering_and_what_the_template_allows():
    template = "# 一、总体情况\n\n{{ pub.total | wan(2) }}，每周{{ '7' | allowed('开放天数') }}天"
    assert read(template).sections["一"][0]["runs"] == [
        {"text": "约0.13万", "fact": "pub.total"},
        {"text": "，每周"},
        {"text": "7", "allowed": "开放天数"},
        {"text": "天"},
    ]
    template = "# 一、总体情况\n\n{% filter allowed('法定用语') %}属于四类信息{% endfilter %}"
    (run,) = read(template).sections["一"][0]["runs"]
    assert run == {"text": "属于四类信息", "allowed": "法定用语"}


def test_headings_lists_and_preamble():
    text = read("序。\n\n# 一、总体情况\n\n## （一）主动公开\n\n### 1.目录\n\n- 甲\n- **乙**\n")
    assert text.sections[""][0]["runs"] == [{"text": "序。"}]
    first, second, third = text.sections["一"]
    assert (first["type"], first["level"], second["level"]) == ("heading", 1, 2)
    assert third["items"] == [[{"text": "甲"}], [{"text": "乙", "strong": True}]]


def test_lines_of_a_chinese_paragraph_join_without_a_space():
    assert read("# 一、总体情况\n\n上\n下").sections["一"][0]["runs"] == [
        {"text": "上"},
        {"text": "下"},
    ]


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("# 一、总体情况\n\n\n{{ pub.totl }}", r"2020\.md:4: .*pub\.total"),
        ("# 一、总体情况\n\n{{ nothing.here }}", r"2020\.md:3"),
        ("# 一、总体情况\n\n{{ pub.total", r"2020\.md:3"),
        ("# 一、总体情况\n\n{{ pub.total | shout }}", r"2020\.md:3"),
        ("# 一、总体情况\n\n{{ pub.total | date }}", "no day"),
        ("# 一、总体情况\n\n{{ year | cn }}", r"2020\.md:3: 'cn' prints facts; 2020 is none"),
        ("# 一、总体情况\n\n{{ '7' | allowed(' ') }}", r"2020\.md:3: 'allowed' takes"),
        ("# 一、总体情况\n\n{{ pub.total | allowed('x') }}", r"2020\.md:3: 'allowed' takes"),
        ("# 一、总体情况\n\n{{ pub.total | yoy }}", "compares no years"),
        ("# 七、别的\n", "七、别的"),
        ("# 一、总体情况\n\n# 一、总体情况\n", "opens no section"),
        ("# 一、总体情况\n\n![x](http://a/b.png)\n", "image"),
        ("# 一、总体情况\n\n\ue0000\ue001", "private-use"),
        ("{{ ''.__class__.__mro__ }}", r"2020\.md:1"),
    ],
)
def test_a_wrong_narrative_is_refused_with_its_line(template, told):
    with pytest.raises(InputError, match=told) as error:
        read(template)
    assert error.value.reason == "narrative"


def test_markup_in_text_stays_text():
    (paragraph,) = read("# 一、总体情况\n\n<script>alert(1)</script>与 `$x$`").sections["一"]
    assert "".join(run["text"] for run in paragraph["runs"]).startswith("<script>alert(1)</script>")
