"""``reportkit form check``: what is wrong with a form folder, with file and line."""

import pytest

from reportkit.checks.folder import look_over

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
FORM = "name: k\ntitle: 样例\nlaw: 样例\nnotebook: k.ipynb\n"
LEDGERS = """\
visits:
  name: 查阅台账
  row: 次查阅
  columns:
    - {name: 编号, key: number, required: true}
    - {name: 日期, key: day, type: date, required: true}
    - {name: 种类, key: kind, type: category, values: [纸质, 电子], required: true}
"""
RULES = "K1: {title: 合计, severity: error, basis: 样例, todo: 核对}\n"


def found(folder, edition):
    files = {"form": FORM, "ledgers": LEDGERS, "rules": RULES, "1": edition}
    (folder / "k").mkdir()
    for name, text in files.items():
        (folder / f"k/{name}.yaml").write_text(text, encoding="utf-8")
    return [one.removeprefix(f"{folder}/k/") for one in look_over(folder / "k")]


def test_a_good_form_has_no_findings(tmp_path):
    assert found(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "            by: 种类\n", "            where: {}\n",
            "1.yaml:19: a record can be counted in paper and in screen, which both adds",
        ),
        (
            "{key: screen, label: 电子}", "{key: screen, label: 纸质}",
            "1.yaml:19: t1 has the label 查阅/纸质 twice",
        ),
        (
            "              - {key: screen, label: 电子}\n", "",
            "1.yaml:19: the total both leaves out 种类 电子",
        ),
        ("label: 电子}", "label: 网上}", "1.yaml:19: t1.screen.times: 种类 is never 网上"),
        ("right: [both]", "right: [all]",
         "1.yaml:22: rule K1 names all, which table t1 does not have"),
        ("{id: K1, equal: {table: t1", "{id: K1, equal: {table: t2",
         "1.yaml:22: rule K1 names a table t2 that there is not"),
        ("{id: K1, equal", "{id: K2, equal", "1.yaml:22: rule K2 has no words in rules.yaml"),
        ("title: 情况, table: t1}", "title: 情况, table: t3}",
         "1.yaml:6: section 一 shows a table t3 that there is not"),
        ("ledger: visits", "ledger: visit",
         "1.yaml:18: t1.paper.times counts in a ledger visit that there is not"),
        ("{key: screen,", "{key: paper,",
         "1.yaml:18: two cells have the id t1.paper.times; give one another key"),
        ("where: {日期: {during", "where: {日子: {during",
         "1.yaml:18: t1.paper.times: 查阅台账 has no column 日子"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(tmp_path, old, new, told):
    assert old in GOOD
    findings = found(tmp_path, GOOD.replace(old, new))
    assert told in findings


def test_a_cell_without_condition_counts_everything(tmp_path):
    text = GOOD.replace(", where: {日期: {during: Y}}}", "}").replace("            by: 种类\n", "")
    assert (
        "1.yaml:17: t1.paper.times has no condition: it would count every record of 查阅台账"
        in found(tmp_path, text)
    )


def test_a_total_without_parts_adds_up_nothing(tmp_path):
    lines = (
        "              - {key: paper, label: 纸质}\n              - {key: screen, label: 电子}\n"
    )
    assert "1.yaml:18: the total both adds up nothing" in found(tmp_path, GOOD.replace(lines, ""))
