"""``reportkit form check``: what is wrong with a form folder, with file and line."""

import pytest

from reportkit.checks import refuse_broken
from reportkit.checks.folder import look_over
from reportkit.errors import InputError
from reportkit.forms import project_form

GOOD = """\
edition: "1"
years: {first: 2020}
name: 样例表
basis: 样例
sections:
  - {number: 一, title: 情况, table: t1}
tables:
  - id: t1
    title: 数量
    bands:
      - define: {ledger: visits, unit: 次, where: {日期: {during: Y}}}
        columns:
          - {key: times, label: 次数}
        rows:
          - label: 查阅
            by: 种类
            rows:
              - {key: paper, label: 纸质}
              - {key: screen, label: 电子}
              - {key: both, label: 合计, total: true}
rules:
  - {id: K1, equal: {table: t1, each: column, left: parts, right: [both]}}
"""
# Columns that add up, over rows that need not.
GRID = """\
edition: "1"
years: {first: 2020}
name: 样例表
basis: 样例
sections:
  - {number: 一, title: 情况, table: t1}
  - {number: 二, title: 金额, table: t2}
tables:
  - id: t1
    title: 数量
    bands:
      - define: {ledger: visits, unit: 次}
        columns:
          - label: 方式
            by: 种类
            columns:
              - {key: paper, label: 纸质}
              - {key: screen, label: 电子}
              - {key: both, label: 合计, total: true}
        rows:
          - {key: first, label: 上半年, where: {日期: {from: Y-01-01, to: Y-06-30}}}
          - {key: second, label: 下半年, where: {日期: {from: Y-07-01, to: Y-12-31}}}
          - {key: year, label: 全年, total: true}
  - id: t2
    title: 金额
    bands:
      - define: {ledger: visits, unit: 元, where: {日期: {during: Y}}}
        columns:
          - {key: cost, label: 金额, sum: 工本费（元）}
        rows:
          - {key: all, label: 全部}
rules:
  - {id: K1, equal: {table: t1, each: row, left: parts, right: [both]}}
  - {id: K2, complete: {table: t1, parts_of: both}}
follows:
  - {cells: t1.*.copies, here: [t1.*.paper], why: 合并}
headlines:
  - {label: 查阅, facts: [t1.year.both], months: 日期}
"""
FORM = "name: k\ntitle: 样例\nlaw: 样例\nnotebook: k.ipynb\n"
LEDGERS = """\
visits:
  name: 查阅台账
  row: 次查阅
  columns:
    - {name: 编号, key: number, required: true}
    - {name: 日期, key: day, type: date, required: true}
    - {name: 种类, key: kind, type: category, values: [纸质, 电子], required: true}
    - {name: 工本费（元）, key: cost, type: amount}
    - {name: 姓名, key: person, personal: true}
"""
WORDS = "{title: 合计, severity: error, basis: 样例, todo: 核对}\n"
RULES = f"K1: {WORDS}"


def found(folder, edition, **others):
    files = {"form": FORM, "ledgers": LEDGERS, "rules": RULES, "1": edition} | others
    (folder / "k").mkdir()
    for name, text in files.items():
        (folder / f"k/{name}.yaml").write_text(text, encoding="utf-8")
    return [one.removeprefix(f"{folder}/k/") for one in look_over(folder / "k")]


def test_good_forms_have_no_findings(tmp_path):
    for name, edition, rules in (("a", GOOD, RULES), ("b", GRID, f"{RULES}K2: {WORDS}")):
        (tmp_path / name).mkdir()
        assert found(tmp_path / name, edition, rules=rules) == []


CELLS = [
    ("key: paper", "key: Paper",
     "1.yaml:18: 't1.Paper.times' is no id: keys are of small letters, digits and _"),
    ("key: paper, ", "",
     "1.yaml:18: 't1..times' is no id: keys are of small letters, digits and _"),
    ("key: times", "key: 次",
     "1.yaml:18: 't1.paper.次' is no id: keys are of small letters, digits and _"),
    ("by: 种类", "by: 姓名",
     "1.yaml:18: t1.paper.times counts by 姓名, which holds persons and is not kept"),
    ("ledger: visits", "ledger: visit",
     "1.yaml:18: t1.paper.times counts in a ledger visit that there is not"),
    ("ledger: visits, ", "", "1.yaml:18: t1.paper.times says no ledger to count in"),
    ("where: {日期: {during", "where: {日子: {during",
     "1.yaml:18: t1.paper.times: 查阅台账 has no column 日子"),
    ("{日期: {during: Y}}", "{日期: {within: Y}}",
     "1.yaml:18: t1.paper.times: condition on '日期' reads \"{'within': 'Y'}\"; operators "
     "are from/to, not, contains, empty, heaviest with over, during, before, until, not_before, "
     "not_until"),
    ("{日期: {during: Y}}", "{日期: {from: Y-02-30, to: Y}}",
     "1.yaml:18: t1.paper.times: 'Y-02-30' is no day; write Y, Y-1, Y-11-30 or 2020-11-30"),
    ("{日期: {during: Y}}", "{编号: {during: Y}}",
     "1.yaml:18: t1.paper.times: '编号' is no date, so it has no before and after"),
    ("label: 电子}", "label: 网上}",
     "1.yaml:19: t1.screen.times: '种类' is never '网上'; nearest: 纸质、电子"),
    ("label: 次数}", "label: 次数, sum: 种类}",
     "1.yaml:18: t1.paper.times adds up 种类, which holds no numbers"),
    ("by: 种类", "by: 种类\n            heaviest: [纸质]",
     "1.yaml:20: t1.screen.times: 电子 of 种类 has no place among heaviest, the kinds from light "
     "to heavy"),
    ("{key: screen, label: 电子}", "{key: screen, label: 电子, value: 纸质}",
     "1.yaml:19: t1.screen.times counts the same as t1.paper.times"),
]  # fmt: skip
TOTALS = [
    ("            by: 种类\n", "            where: {}\n",
     "1.yaml:19: a record can be counted in paper and in screen, which both adds"),
    ("label: 电子}", "label: 电子, values: [电子, 纸质]}",
     "1.yaml:19: a record can be counted in paper and in screen, which both adds"),
    ("              - {key: screen, label: 电子}\n", "",
     "1.yaml:19: the total both leaves out 种类 电子"),
    ("              - {key: both, label: 合计, total: true}\n",
     "              - {key: both, label: 合计, total: true}\n"
     "              - {key: none, label: 未填, value: 电子}\n",
     "1.yaml:21: none stands after the total both, which leaves it out"),
    ("              - {key: paper, label: 纸质}\n              - {key: screen, label: 电子}\n", "",
     "1.yaml:18: the total both adds up nothing"),
]  # fmt: skip
TWICE = [
    ("{key: screen, label: 电子}", "{key: screen, label: 纸质}",
     "1.yaml:19: t1 has the label 查阅/纸质 twice"),
    ("- {key: times, label: 次数}", "- {key: times, label: 次数}\n"
     "          - {key: cost, label: 次数, sum: 工本费（元）}",
     "1.yaml:14: t1 has the label 次数 twice"),
    ("{key: screen,", "{key: paper,",
     "1.yaml:19: two cells have the id t1.paper.times; give one another key"),
    ("  - {number: 一, title: 情况, table: t1}\n", "  - {number: 一, title: 情况, table: t1}\n"
     "  - {number: 一, title: 说明}\n", "1.yaml:7: there are two sections 一"),
    ("  - {number: 一, title: 情况, table: t1}\n", "  - {number: 一, title: 情况, table: t1}\n"
     "  - {number: 二, title: 情况}\n", "1.yaml:7: there are two sections 情况"),
    ("right: [both]}}\n", "right: [both]}}\n  - {id: K1, natural: [t1]}\n",
     "1.yaml:23: there are two rules K1"),
    ("rules:\n", "  - {id: t1, title: 又, bands: []}\nrules:\n",
     "1.yaml:21: there are two tables t1"),
]  # fmt: skip
NAMED = [
    ("equal: {table: t1, each: column, left: parts, right: [both]}",
     "share: {table: t1, column: times, rows: [paper], of: both}",
     "1.yaml:22: rule K1 has no limits {percent: …, least: …} in rules.yaml"),
    ("right: [both]", "right: [all]",
     "1.yaml:22: rule K1 names all, which table t1 does not have; correct or drop it"),
    ("{id: K1, equal: {table: t1", "{id: K1, equal: {table: t2",
     "1.yaml:22: rule K1 names a table t2 that there is not; correct or drop it"),
    ("{id: K1, equal", "{id: K2, equal", "1.yaml:22: rule K2 has no words in rules.yaml"),
    ("title: 情况, table: t1}", "title: 情况, table: t3}",
     "1.yaml:6: section 一 shows a table t3 that there is not"),
    ("each: column, left: parts, right: [both]", "each: column, left: parts, right: [paper]",
     "1.yaml:22: rule K1 adds up the parts of paper, which is no total; correct or drop it"),
    ("each: column, left", "each: row, left",
     "1.yaml:22: rule K1 applies nowhere: no part of table t1 has the columns both; correct "
     "or drop it"),
    ("equal: {table: t1, each: column, left: parts, right: [both]}", "zero: [t1.both.cost]",
     "1.yaml:22: rule K1 names no cell by t1.both.cost; correct or drop it"),
    ("equal: {table: t1, each: column, left: parts, right: [both]}", "natural: [t2]",
     "1.yaml:22: rule K1 names a table t2 that there is not; correct or drop it"),
    ("equal: {table: t1, each: column, left: parts, right: [both]}",
     "disjoint: {table: t1, parts_of: paper}",
     "1.yaml:22: rule K1 looks at the parts of paper, which is no total; correct or drop it"),
    ("rules:\n", "bases: {K9: 新规定}\nrules:\n",
     "1.yaml:21: bases names a rule K9 that there is not"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), [*CELLS, *TOTALS, *TWICE, *NAMED])
def test_what_is_wrong_is_reported_with_its_line(tmp_path, old, new, expected):
    assert GOOD.count(old) == 1
    assert expected in found(tmp_path, GOOD.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("              - {key: screen, label: 电子}\n", "",
         "1.yaml:18: the total both leaves out 种类 电子"),
        ("label: 电子}", "label: 电子, value: 纸质}",
         "1.yaml:18: a record can be counted in paper and in screen, which both adds"),
        ("            by: 种类\n", "",
         "1.yaml:17: a record can be counted in paper and in screen, which both adds"),
        ("to: Y-06-30", "to: Y-07-01",
         "1.yaml:22: a record can be counted in first and in second, which year adds"),
        ("{from: Y-07-01, to: Y-12-31}", "{not_before: Y-06-30}",
         "1.yaml:22: a record can be counted in first and in second, which year adds"),
        ("label: 全年, total: true}\n", "label: 全年, total: true}\n"
         "          - {key: third, label: 上年, where: {日期: {during: Y-1}}}\n",
         "1.yaml:24: third stands after the total year, which leaves it out"),
        ("{key: both, label: 合计, total: true}", "{key: paper, label: 合计, total: true}",
         "1.yaml:21: two cells have the id t1.first.paper; give one another key"),
        ("label: 电子}", "label: 纸质}", "1.yaml:18: t1 has the label 方式/纸质 twice"),
        ("each: row", "each: column",
         "1.yaml:33: rule K1 applies nowhere: no part of table t1 has the rows both; "
         "correct or drop it"),
        ("here: [t1.*.paper]", "here: [t1.*.films]",
         "1.yaml:36: follows names a cell t1.*.films that there is not"),
        ("facts: [t1.year.both]", "facts: [t1.year.all]",
         "1.yaml:38: headline 查阅 names a fact t1.year.all that there is not"),
        ("months: 日期", "months: 种类", "1.yaml:38: headline 查阅: no ledger has a date 种类"),
    ],
)  # fmt: skip
def test_totals_of_columns_close_as_those_of_rows(tmp_path, old, new, expected):
    assert GRID.count(old) == 1
    assert expected in found(tmp_path, GRID.replace(old, new), rules=f"{RULES}K2: {WORDS}")


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("{before: Y}", "{during: Y}", True),
        ("{until: Y}", "{not_until: Y}", True),
        ("{until: Y-1}", "{during: Y}", True),
        ("{before: Y}", "{not_before: Y}", True),
        ("{during: Y}", "{empty: true}", True),
        ("{until: Y}", "{during: Y}", False),
        ("{not_before: Y}", "{empty: true}", False),
        ("{not_until: Y}", "{not_before: Y}", False),
    ],
)
def test_days_that_exclude_each_other_do_not_overlap(tmp_path, one, other, apart):
    text = GRID.replace("{from: Y-01-01, to: Y-06-30}", one)
    text = text.replace("{from: Y-07-01, to: Y-12-31}", other)
    result = "1.yaml:22: a record can be counted in first and in second, which year adds"
    assert (result not in found(tmp_path, text, rules=f"{RULES}K2: {WORDS}")) == apart


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("rules", f"{RULES}K7: {WORDS}",
         "rules.yaml:2: these are words for a rule K7 that no edition has"),
        ("ledgers", LEDGERS + "  rules: []\nmore: {name: 查阅台账, row: 次, columns: [{name: 编号, "
         "key: n}]}\n",
         "ledgers.yaml:11: two ledgers are named 查阅台账"),
        ("ledgers", LEDGERS.replace("key: cost", "key: kind"),
         "ledgers.yaml:8: 查阅台账 has two columns with the key kind"),
        ("ledgers", LEDGERS + "    - {name: 日期, key: again}\n",
         "ledgers.yaml:10: 查阅台账 has two columns with the name 日期"),
        ("form", FORM + "summary:\n  - {label: 查阅, facts: [t1.both.cost]}\n",
         "form.yaml:6: summary 查阅 names a fact t1.both.cost that there is not"),
        ("facts", "facts:\n  - {id: a.b, label: 甲, ledger: visits, where: {种类: 网上}}\n",
         "facts.yaml:2: '种类' is never '网上'; nearest: 纸质、电子"),
    ],
)  # fmt: skip
def test_the_other_files_of_a_form_are_looked_over(tmp_path, name, text, expected):
    assert expected in found(tmp_path, GOOD, **{name: text})


def test_an_edition_of_no_year_is_refused(tmp_path):
    with pytest.raises(InputError, match="the last year is before the first"):
        found(tmp_path, GOOD.replace("{first: 2020}", "{first: 2020, last: 2019}"))


def test_a_cell_without_condition_counts_everything(tmp_path):
    text = GOOD.replace(", where: {日期: {during: Y}}}", "}").replace("            by: 种类\n", "")
    assert (
        "1.yaml:17: t1.paper.times has no condition: it would count every record of 查阅台账"
        in found(tmp_path, text)
    )


def test_an_edition_is_looked_over_with_what_it_extends(tmp_path):
    found(tmp_path, GOOD)
    change = (
        'edition: "2"\nextends: k/1\nyears: {first: 2025}\ntables:\n  - id: t1\n    rows:\n'
        "      - {key: film, after: screen, label: 纸质}\n"
        "      - {key: screen, drop: true}\n"
    )
    path = tmp_path / "k/2.yaml"
    path.write_text(change.replace("drop: true", "label: 电子版"), encoding="utf-8")
    result = look_over(tmp_path / "k")
    assert f"{path}:7: t1 has the label 查阅/纸质 twice" in result
    assert f"{path}:7: t1.film.times counts the same as t1.paper.times" in result
    assert f"{path}:8: t1.screen.times: '种类' is never '电子版'; nearest: 电子" in result
    # What the base says is told where the base says it.
    assert f"{tmp_path}/k/1.yaml:20: the total both leaves out 种类 电子" in result


def test_an_edition_of_the_base_meets_a_changed_ledger(tmp_path):
    found(tmp_path, GOOD)
    (tmp_path / "own").mkdir()
    (tmp_path / "own/form.yaml").write_text(
        FORM.replace("name: k", "name: own\nextends: k"), "utf-8"
    )
    path = tmp_path / "own/ledgers.yaml"
    path.write_text(
        "visits:\n  columns:\n    - {name: 种类, values: [纸质, 电子, 胶片]}\n", "utf-8"
    )
    assert look_over(tmp_path / "own") == [
        f"{tmp_path}/k/1.yaml:20: the total both leaves out 种类 胶片"
    ]


def test_a_default_text_names_facts_that_there_are(tmp_path):
    found(tmp_path, GOOD)
    path = tmp_path / "k/1.md"
    path.write_text(
        "# 一、情况\n\n{{ district.name }}{{ t1.both.times }}次，{{ t1.all }}。\n", "utf-8"
    )
    assert look_over(tmp_path / "k") == [
        f"{path}:3: the text names a fact t1.all that there is not"
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("ledger: visits", "ledger: visit", "counts in a ledger visit"),
        ("{id: K1,", "{id: K2,", "rule K2 has no words in rules.yaml"),
        ("right: [both]", "right: [all]", "rule K1 names all"),
        ("{key: screen,", "{key: paper,", "two cells have the id t1.paper.times"),
        ("{日期: {during: Y}}", "{日期: {within: Y}}", "condition on '日期' reads"),
    ],
)
def test_no_report_is_opened_by_a_broken_edition(tmp_path, old, new, expected):
    found(tmp_path, GOOD.replace(old, new))
    form = project_form("k", tmp_path)
    with pytest.raises(InputError, match=expected) as error:
        refuse_broken(form, form.edition(2021))
    assert error.value.reason == "form-broken"
    assert f"{tmp_path}/k/1.yaml:" in error.value.message


def test_what_is_only_odd_opens_a_report(tmp_path):
    found(tmp_path, GOOD.replace("label: 电子}", "label: 网上}"))
    form = project_form("k", tmp_path)
    refuse_broken(form, form.edition(2021))
