"""A notebook is the report: what it shows, and what is told of what it does not show."""

import copy
import json
from pathlib import Path

import pandas as pd
import pytest

from notebooks import MARKDOWN, executed, whole
from reportkit.errors import InputError
from reportkit.export.blocks import MIME
from reportkit.export.document import arrange
from reportkit.notebook.filled import fill, foresee
from reportkit.notebook.report import open_report

ROOT = Path(__file__).parents[2]
CHOSEN = 'apps = report.ledger("applications")\n'


@pytest.fixture
def report(monkeypatch):
    monkeypatch.chdir(ROOT)
    return open_report("pingtan", 2021)


def filled(report, *own, **how):
    tags = how.pop("tags", None)
    return fill(executed(report, whole(*own, **how), tags=tags))


def messages(notebook, rule):
    checks = notebook["metadata"]["reportkit"]["checks"]
    return [one["message"] for one in checks if one["id"] == rule and not one["holds"]]


def section(notebook, number):
    (found,) = [one for one in arrange(notebook).sections if one["number"] == number]
    return found


def said(part):
    return ["".join(run["text"] for run in node.get("runs", ())) for node in part["prose"]]


def test_a_whole_report_is_no_draft(report):
    made = filled(report)
    assert not made["metadata"]["reportkit"]["draft"]
    (one,) = [c for c in made["metadata"]["reportkit"]["checks"] if c["id"] == "B1"]
    assert (one["holds"], one["message"]) == (True, "11项各列出一次")


@pytest.mark.parametrize(
    ("without", "message"),
    [
        ("report.head()", "标题和落款（report.head()）没有列出"),
        ('report.section("六")', "第六部分“其他需要报告的事项”（report.section('六')）没有列出"),
        ("report.table(3)", "表格“收到和处理政府信息公开申请情况”（report.table(3)）没有列出"),
        ("report.checks()", "核对（report.checks()）没有列出"),
    ],
)
def test_what_the_form_prescribes_must_be_shown(report, without, message):
    made = filled(report, without=without)
    assert messages(made, "B1") == [message]
    assert made["metadata"]["reportkit"]["draft"]
    assert arrange(made).head["draft"]


def test_a_table_shown_twice_is_reported_and_printed_once(report):
    made = filled(report, "report.table(3)")
    assert messages(made, "B1") == [
        "表格“收到和处理政府信息公开申请情况”（report.table(3)）列出了2次"
    ]
    assert [one["id"] for one in section(made, "三")["shown"]] == ["t3"]


def test_sections_out_of_order_are_reported(report):
    cells = whole()
    five, six = cells.index('report.section("五")'), cells.index('report.section("六")')
    cells[five], cells[six] = cells[six], cells[five]
    assert messages(fill(executed(report, cells)), "B1") == ["各部分的次序是一、二、三、四、六、五"]


def test_a_block_for_the_worker_is_in_no_document(report):
    cells = whole()
    at = cells.index("report.table(3)")
    made = fill(executed(report, cells, tags={at: ["notes"]}))
    assert len(messages(made, "B1")) == 1
    assert section(made, "三")["shown"] == []


def test_markdown_is_prose_in_its_place_with_its_figures(report):
    text = MARKDOWN + "## 说明\n\n全年新收**{{ t3.new.total }}**件（{{ year }}年）。\n\n- 见表"
    made = filled(report, text)
    (cell,) = [one for one in made["cells"] if one["cell_type"] == "markdown"]
    assert cell["source"] == "## 说明\n\n全年新收**70**件（2021年）。\n\n- 见表"
    parts = section(made, "三")["parts"]
    assert said(parts[0])[-3:-1] == ["说明", "全年新收70件（2021年）。"]
    assert {"text": "70", "fact": "t3.new.total", "strong": True} in parts[0]["prose"][-2]["runs"]
    assert [set(part) - {"name"} for part in parts] == [{"prose"}, {"shown"}]


def test_filling_in_twice_changes_nothing(report):
    own = [MARKDOWN + "新收{{ t3.new.total }}件。", 'report.text("共{{ t3.new.total }}件")']
    made = filled(report, *own)
    again = fill(copy.deepcopy(made))
    assert json.dumps(again, sort_keys=True) == json.dumps(made, sort_keys=True)


def test_a_number_typed_in_own_text_is_an_error(report):
    made = filled(report, MARKDOWN + "全年新收70件。", 'report.text("另有77件。")')
    found = messages(made, "C1")
    assert len(found) == 2
    assert "全年新收【70】件" in found[0]
    assert "另有【77】件" in found[1]
    assert any("t3.new.total" in message for message in messages(made, "C2"))
    assert made["metadata"]["reportkit"]["draft"]


def test_a_heading_that_stands_already_is_left_out(report):
    made = filled(report, MARKDOWN + "## 三、收到和处理政府信息公开申请情况\n\n如下。")
    assert said(section(made, "三")["parts"][0])[-1] == "如下。"
    assert "三、收到和处理政府信息公开申请情况" not in said(section(made, "三")["parts"][0])


def test_headings_skip_no_level(report):
    made = filled(report, MARKDOWN + "### 深\n\n##### 更深", after='report.section("六")')
    levels = [n["level"] for n in section(made, "六")["parts"][0]["prose"] if "level" in n]
    assert levels == [1, 2]


def test_an_unknown_fact_is_refused_before_and_after(report):
    cells = whole(MARKDOWN + "新收{{ t3.new.totl }}件。")
    notebook = executed(report, cells)
    for attempt in (lambda: fill(notebook), lambda: foresee(notebook, report.compiled)):
        with pytest.raises(
            InputError, match=r"“新收\{\{ t3.new.totl \}\}件.*nearest: t3.new.total"
        ):
            attempt()


def test_a_notebooks_fact_can_be_named_above_and_below(report):
    fact = CHOSEN + 'report.fact("own.some", rows=apps["收到日期"].dt.month == 3, label="三月")'
    made = filled(
        report, 'report.text("上：{{ own.some }}件")', fact, 'report.text("下：{{ own.some }}件")'
    )
    assert messages(made, "B2") == []
    number = report.fact("own.some").text
    assert int(number) > 0
    assert said(section(made, "三")["parts"][0])[-2:] == [f"上：{number}件", f"下：{number}件"]
    assert "own.some" in arrange(made).facts


@pytest.mark.parametrize(
    ("cell", "what", "how"),
    [
        ("pd.DataFrame({'a': [1]})", "一个表", "report.show(…)"),
        ("'看一眼'", "一段文字", "report.text(…)"),
        ("report.table(2)\nNone", "一个表", "report.show(…)"),
        ("report.text('没有放在最后')\nNone", "一段文字", "report.text(…)"),
        ("pd.Series([1, 2]).plot()", "一张图", "report.show(…, alt=…)"),
        ("print('一行')", "一段文字", "report.text(…)"),
    ],
)
def test_what_no_document_holds_is_reported_with_its_cell(report, cell, what, how):
    made = filled(report, "import pandas as pd", cell)
    (message,) = messages(made, "B2")
    first = cell.split("\n")[0]
    assert "格（" in message
    assert first in message
    assert what in message
    assert how in message
    assert "notes" in message
    assert not made["metadata"]["reportkit"]["draft"]


def test_a_cell_for_the_worker_may_show_anything(report):
    cells = whole("import pandas as pd", "pd.DataFrame({'a': [1]})", MARKDOWN + "给自己{{ 没有 }}")
    at = cells.index("import pandas as pd")
    made = fill(executed(report, cells, tags={at + 1: ["notes"], at + 2: ["notes"]}))
    assert messages(made, "B2") == []
    assert "给自己" not in str(section(made, "三")["parts"])


@pytest.mark.parametrize(
    ("output", "is_told"),
    [
        ({"output_type": "stream", "name": "stdout", "text": "一行\n"}, True),
        ({"output_type": "stream", "name": "stderr", "text": "Warning: x\n"}, True),
        ({"output_type": "stream", "name": "stderr", "text": "\r 50%|███  | 1/2"}, False),
        ({"output_type": "stream", "name": "stdout", "text": "\n"}, False),
    ],
)
def test_what_is_printed_is_reported_but_not_a_bar(report, output, is_told):
    notebook = executed(report, whole("1 if 0 else None"))
    (cell,) = [one for one in notebook["cells"] if one["source"] == "1 if 0 else None"]
    cell["outputs"] = [output]
    assert bool(messages(fill(notebook), "B2")) == is_told


def test_where_an_object_lay_in_memory_is_left_out(report):
    made = filled(report, "object()")
    (cell,) = [one for one in made["cells"] if one["source"] == "object()"]
    assert cell["outputs"][0]["data"]["text/plain"] == "<object at 0x…>"


def test_the_head_and_the_checks_are_those_of_the_whole(report):
    made = filled(report, without="report.table(4)")
    shown = {
        output["data"][MIME]["kind"]: output["data"]
        for cell in made["cells"]
        for output in cell.get("outputs", ())
        if MIME in output["data"]
    }
    assert shown["head"][MIME]["draft"]
    assert any(one["id"] == "B1" and not one["holds"] for one in shown["checks"][MIME]["checks"])
    assert "report.table(4)" in shown["checks"]["text/html"]


def test_a_waiver_accepts_what_a_notebook_leaves_out(report):
    from reportkit.params import Waiver

    waiver = Waiver(
        check="B1",
        place="表格“政府信息公开行政复议、行政诉讼情况”",
        reason="本年不列",
        by="某人",
        on="2022-01-05",
    )
    report.compiled.params.waivers.append(waiver)
    made = filled(report, without="report.table(4)")
    (one,) = [c for c in made["metadata"]["reportkit"]["checks"] if c["id"] == "B1"]
    assert (one["holds"], one["waived"]["reason"]) == (False, "本年不列")
    assert not made["metadata"]["reportkit"]["draft"]
    again = fill(executed(open_report("pingtan", 2021), whole()))
    assert messages(again, "W1") == []


def test_counts_of_the_notebook_that_differ_are_an_error(report):
    good = pd.DataFrame({"新收": [1]})
    assert good.size == 1
    cell = (
        CHOSEN + "import pandas as pd\n"
        'kinds = apps["申请人类型"][apps["收到日期"].dt.year == 2021]\n'
        'report.compare(3, kinds.value_counts().rename("new"))'
    )
    wrong = cell.replace("== 2021", "< 2021")
    assert messages(filled(report, cell), "B3") == []
    made = filled(open_report("pingtan", 2021), wrong)
    (message,) = messages(made, "B3")
    assert "自然人：笔记本" in message
    assert made["metadata"]["reportkit"]["draft"]
    document = arrange(made)
    assert document.counted["t3.new.natural_person"] != document.facts["t3.new.natural_person"]
