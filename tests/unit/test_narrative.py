import pytest
from shipped import ZFXXGK

from reportkit.errors import InputError
from reportkit.facts import Computer
from reportkit.params import Declared, District
from reportkit.text.narrative import render

FORM = ZFXXGK.edition(2020)
DECLARED = [
    Declared(id=name, label="", value=value, source="x", stated_by="某科", stated_on="2021-01-05")
    for name, value in (
        ("pub.total", "1313"), ("pub.insurance", "26"), ("act.notice", "2020-08-19"),
    )
]  # fmt: skip


def read(template, **context):
    computer = Computer(2020, cells=[], specs={}, declared=DECLARED, ledgers={})
    context = {"year": 2020, "district": District(id="a", name="某区").printable()} | context
    return render(template, figures=computer, edition=FORM, context=context, name="2020.md")


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


@pytest.mark.parametrize("text", ["月公开**{{ pub.total }}**条", "**{{ pub.total }}**条"])
def test_a_figure_alone_is_strong(text):
    runs = read(f"# 一、总体情况\n\n{text}").sections["一"][0]["runs"]
    assert {"text": "1313", "fact": "pub.total", "strong": True} in runs
    assert "*" not in "".join(run["text"] for run in runs)


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
    ("template", "expected"),
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
        ("# 一、总体情况\n\n{{ district }}", r"2020\.md:3: district is no text"),
        ("# 一、总体情况\n\n{{ district.website }}", r"2020\.md:3: .*website is not filled in"),
        ("# 一、总体情况\n\n{{ pub.total | cn | wan }}", r"2020\.md:3: .* a second filter"),
        ("# 一、总体情况\n\n{{ pub.total | date('2020') }}", r"2020\.md:3: .* in this form"),
    ],
)
def test_a_wrong_narrative_is_refused_with_its_line(template, expected):
    with pytest.raises(InputError, match=expected) as error:
        read(template)
    assert error.value.reason == "narrative"


def test_markup_in_text_stays_text():
    (paragraph,) = read("# 一、总体情况\n\n<script>alert(1)</script>与 `$x$`").sections["一"]
    assert "".join(run["text"] for run in paragraph["runs"]).startswith("<script>alert(1)</script>")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("| 项 | 数 |\n|---|---|\n| 甲 | 乙 |", "2020.md:5: 'table'.*report.show"),
        ("话[^1]\n\n[^1]: 注", "2020.md:5: 'footnote'.*in brackets"),
        ("[^1]: 没有提到的注", "2020.md:3: 'footnote'"),
        ("~~删去的~~", "2020.md:3: 'strikethrough'"),
        ("共 $x^2$ 件", "2020.md:3: 'inline_math'.*in words"),
        ("$$\nx\n$$", "2020.md:5: 'block_math'"),
        ("- [ ] 要做的", "2020.md:3: 'task_list_item'"),
        ("![图](a.png)", "2020.md:3: 'image'.*report.show"),
        ("> 引", "2020.md:3: 'block_quote'.*write a paragraph"),
    ],
)
def test_markup_that_no_document_shows_is_refused(text, expected):
    with pytest.raises(InputError, match=expected):
        read(f"# 一、总体情况\n\n{text}")


@pytest.mark.parametrize(
    ("text", "paragraphs"),
    [
        ("见[网站](http://www.huli.gov.cn/a)。", ["见网站（http://www.huli.gov.cn/a）。"]),
        ("见<http://www.huli.gov.cn>。", ["见http://www.huli.gov.cn。"]),
        ("见[上文](#甲)", ["见上文"]),
        ("中文\n接着写", ["中文接着写"]),
        ("open\ngovernment", ["open government"]),
        ("**open**\n*data*", ["open data"]),
        ("网站 IPv6\n支持", ["网站 IPv6支持"]),
        ("地址：甲路  \n电话：略\\\n传真：略", ["地址：甲路", "电话：略", "传真：略"]),
        (r"价\$甲，\$乙", ["价$甲，$乙"]),
        ("甲|乙", ["甲|乙"]),
        ("a ~ b，c ~ d", ["a ~ b，c ~ d"]),
    ],
)
def test_links_and_ends_of_lines_are_kept(text, paragraphs):
    body = read(f"# 一、总体情况\n\n{text}").sections["一"]
    assert ["".join(run["text"] for run in node["runs"]) for node in body] == paragraphs


PICKLE = "cposix\\nsystem\\n(S'touch {mark}'\\ntR."
HOSTILE = {
    # Reaching for objects and code.
    "pickle": (
        '{{ district.parse_raw("PICKLE", content_type="application/pickle", allow_pickle=True) }}'
    ),
    "method": "{{ district.model_dump() }}",
    "copy": "{{ district.name.upper() }}",
    "dunder": "{{ ''.__class__.__mro__ }}",
    "dunder of a name": "{{ district.__class__ }}",
    "item": "{{ district['name'] }}",
    "ledgers of a district": "{{ district.ledgers }}",
    "globals": "{{ cycler.__init__.__globals__ }}",
    "self": "{{ self.__init__ }}",
    "attr filter": "{{ district | attr('name') }}",
    "map filter": "{{ [district] | map(attribute='name') | list }}",
    # What takes all memory or time.
    "power": "{{ 9 ** 999999999 }}",
    "repeated text": "{{ 'a' * 10**9 }}",
    "repeated list": "{{ [0] * 10**9 }}",
    "range": "{{ range(10**9) | list }}",
    "loop": "{% for i in range(10**9) %}a{% endfor %}",
    "loop over text": "{% for i in 'abc' %}{{ i }}{% endfor %}",
    "percent width": "{{ '%999999999d' % 1 }}",
    "format": "{{ '{:>999999999}'.format(1) }}",
    "format filter": "{{ '%999999999d' | format(1) }}",
    "center": "{{ 'a' | center(999999999) }}",
    "indent": "{{ district.name | indent(999999999) }}",
    "joined": "{{ 'a' ~ 'b' }}",
    "decimals": "{{ pub.total | wan(999999999) }}",
    "digits": "{{ " + "9" * 10_000 + " }}",
    "brackets": "{{ " + "(" * 5_000 + "1" + ")" * 5_000 + " }}",
    "blocks": "{% filter allowed('x') %}" * 5_000,
    "long name": "{{ a" + ".b" * 50_000 + " }}",
    # Other templates, and names that the template sets itself.
    "include": "{% include '/etc/passwd' %}",
    "import": "{% import 'os' as os %}",
    "from": "{% from 'os' import system %}",
    "extends": "{% extends '/etc/passwd' %}",
    "macro": "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
    "call block": "{% call a() %}{% endcall %}",
    "set": "{% set year = 1999 %}{{ year }}",
    "with": "{% with year = 1999 %}{{ year }}{% endwith %}",
    "if": "{% if year %}{{ year }}{% endif %}",
    "block": "{% block a %}{% endblock %}",
    "do": "{% do a.b() %}",
    # Marks of figures, forged.
    "forged mark": "{{ '\\ue0000\\ue001' | allowed('x') }}",
    "bare text": "{{ '\\ue0000\\ue001' }}",
    "named option": "{{ '7' | allowed(reason='x') }}",
    # Markup that no report shows.
    "picture": "![x](http://example.com/a.png)",
    "quotation": "> a",
    "code": "```\na\n```",
}


@pytest.mark.parametrize("template", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_narrative_is_refused_with_its_line(template, tmp_path):
    mark = tmp_path / "executed"
    template = template.replace("PICKLE", PICKLE.format(mark=mark))
    with pytest.raises(InputError, match=r"^2020\.md:[35]: ") as error:
        read(f"# 一、总体情况\n\n{template}\n")
    assert (error.value.reason, len(error.value.message) < 1_000) == ("narrative", True)
    assert error.value.fields["line"] in (3, 5)
    assert not mark.exists()


def test_a_long_name_printed_often_is_refused():
    district = District(id="a", name="某" * 10_000).printable()
    with pytest.raises(InputError, match=r"2020\.md:40: the text is longer than 400000"):
        read("{{ district.name }}\n" * 100_000, district=district)


def test_comments_and_raw_passages_are_no_placeholders():
    runs = read("{# {{ nothing.here }} #}{% raw %}{{ x }}{% endraw %}").sections[""][0]["runs"]
    assert runs == [{"text": "{{ x }}"}]
