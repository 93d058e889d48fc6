import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportkit.errors import InputError
from reportkit.facts import Computer
from reportkit.forms import form_for
from reportkit.narrative import chinese_number, render
from reportkit.params import Declared, District

FORM = form_for(2020)
DECLARED = [
    Declared(id="pub.total", label="", value="1313", source="x"),
    Declared(id="pub.insurance", label="", value="26", source="x"),
    Declared(id="act.notice", label="", value="2020-08-19", source="x"),
]


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


def test_default_narratives_render_for_their_edition():
    for year in (2020, 2021):
        assert "# 六、其他需要报告的事项" in form_for(year).default_narrative()


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "零"), (3, "三"), (10, "十"), (11, "十一"), (20, "二十"), (26, "二十六"), (100, "一百"),
        (101, "一百零一"), (110, "一百一十"), (1010, "一千零一十"), (2003, "二千零三"),
        (10_000, "一万"), (10_020, "一万零二十"), (120_345, "十二万零三百四十五"),
    ],
)  # fmt: skip
def test_chinese_numbers(number, text):
    assert chinese_number(number) == text


@given(st.integers(0, 99_999_999))
def test_chinese_numbers_read_back(number):
    digits = {d: i for i, d in enumerate("零一二三四五六七八九")}
    units = {"十": 10, "百": 100, "千": 1000}
    total = section = digit = 0
    text = chinese_number(number)
    for character in "一" + text if text.startswith("十") else text:
        if character in digits:
            digit = digits[character]
        elif character == "万":
            total, section, digit = (section + digit) * 10_000, 0, 0
        else:
            section, digit = section + digit * units[character], 0
    assert total + section + digit == number
