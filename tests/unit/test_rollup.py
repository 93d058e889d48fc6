"""Sums over members: what is added, what is not, and records that several members have."""

import json
from decimal import Decimal

import pytest

from reportkit.checks import rules_of
from reportkit.errors import InputError
from reportkit.export.blocks import packed, unpacked
from reportkit.facts import Fact, Facts
from reportkit.facts.specs import FactSpec
from reportkit.forms import shipped_form
from reportkit.params import Project
from reportkit.rollup.findings import own_total_checks, rollup_checks
from reportkit.rollup.members import Member, read_members
from reportkit.rollup.shared import Shared
from reportkit.rollup.sums import Sums

FORM = shipped_form()
EDITION = FORM.edition(2021)
RULES = rules_of(FORM, EDITION)
CELLS = {cell.id: cell for cell in EDITION.cells(2021)}
NEW = "t3.new.natural_person"


def member(name, values, **more):
    numbers = dict.fromkeys(CELLS, Decimal(0)) | {n: Decimal(v) for n, v in values.items()}
    known = {n: v for n, v in numbers.items() if values.get(n) != "NaN"}
    return Member(name, f"{name}区", more.pop("origin", "published"), values=known, **more)


def sums(*members):
    return Sums({one.id: one for one in members}, CELLS, {})


def added(made, name=NEW):
    cell = CELLS[name]
    return made.fact(Fact(name, cell.label, "", cell.unit, "ledger", ""), cell.definition)


def messages(made, specs=None):
    """Messages of the checks of a roll-up that do not hold, by rule."""
    facts = Facts({name: added(made, name) for name, cell in CELLS.items() if cell.definition})
    checks = rollup_checks(RULES, EDITION, made, facts, specs=specs or {}, year=2021)
    return {one.id: one.message for one in checks if not one.holds}


def test_a_sum_names_each_member_also_those_with_nought():
    fact = added(sums(member("a", {NEW: "3"}), member("b", {}), member("c", {NEW: "0.5"})))
    assert (fact.value, fact.origin) == (Decimal("3.5"), "sum")
    assert fact.sum_of == tuple(f"{name}/{NEW}" for name in "abc")
    assert fact.definition == "所属3个单位报告中此数之和"


def test_a_missing_member_is_no_part():
    made = sums(member("a", {NEW: "3"}), Member("b", "乙区", "missing"))
    assert added(made).sum_of == (f"a/{NEW}",)
    assert messages(made)["M1"] == "2个单位，1个有本年的报告；没有的：乙区"


def test_a_blank_cell_of_a_published_report_is_an_error():
    made = sums(member("a", {NEW: "3"}), member("b", {NEW: "NaN"}))
    assert added(made).value == 3
    assert messages(made)["M7"] == f"{CELLS[NEW].label}：b区没有此数，未计入"


def test_a_printed_total_that_contradicts_its_parts_is_reported():
    done = {"t3.granted.natural_person": "3", "t3.results_total.natural_person": "3"}
    totals = {"t3.granted.total": "3", "t3.results_total.total": "4", "t3.new.total": "4"}
    made = sums(member("a", {NEW: "3"} | done | totals))
    message = "a区公布的报告自相矛盾，汇总的合计取各项之和：R2 总计：3 ≠ 4，相差1"
    assert messages(made)["M3"].startswith(message)
    assert "R3 一、本年新收政府信息公开申请数量：3 ≠ 4" in messages(made)["M3"]
    assert "R1" not in messages(made)["M3"]  # 4 + 0 = 4 + 0


@pytest.mark.parametrize("measure", [{"median": "办理工作日"}, {"first": "收到日期"}])
def test_medians_and_first_days_do_not_add_up(measure):
    spec = FactSpec(id="x.y", label="某数", ledger="applications", measure=measure)
    with pytest.raises(InputError) as caught:
        sums(member("a", {})).fact(Fact("x.y", "某数", "", "", "ledger", ""), spec.definition(2021))
    assert caught.value.reason == "not-added"


def test_a_figure_of_the_text_needs_all_members():
    spec = FactSpec(id="x.y", label="某数", ledger="applications")
    text = spec.definition(2021).text("applications")
    blank = Fact("x.y", "某数", "", "件", "ledger", "")
    alike = [member(name, {"x.y": "2"}, definitions={"x.y": text}) for name in "ab"]
    assert sums(*alike).fact(blank, spec.definition(2021)).value == 4
    other = member("c", {"x.y": "2"}, definitions={"x.y": "别的口径"})
    for lacking in (other, member("c", {})):
        made = sums(*alike, lacking)
        with pytest.raises(InputError, match="not in the reports of c, or counted otherwise"):
            made.fact(blank, spec.definition(2021))
        assert messages(made, {"x.y": spec})["M7"] == "c区没有或口径不同，文字不能用其汇总数：某数"


def test_records_of_one_key_in_one_cell_count_once():
    one, two = "t4.litigation_direct.maintain", "t4.litigation_direct.pending"
    shared = Shared(
        {
            "甲": [(one, "a"), (one, "b"), (one, "c")],
            "乙": [(one, "a"), (two, "b")],
            "丙": [(one, "a")],
            "丁": [(one, "a"), (one, "a")],
        }
    )
    assert dict(shared.less) == {one: 2}
    assert [key for key, _ in shared.several] == ["甲", "乙"]


def test_open_errors_of_a_member_are_reported_by_rule():
    made = sums(member("a", {}, origin="run", errors=("N1", "R2")), member("b", {}, origin="run"))
    assert messages(made)["M3"] == "不符而未接受的：a区（N1、R2）"


def test_what_members_miss_is_reported():
    made = sums(
        member("a", {}, draft=True, late="期限2022-01-31，报告日期2022-02-03，逾期"),
        member("b", {}, below=(("丙镇", "missing"), ("丁局", "published"))),
    )
    found = messages(made)
    assert found["M1"] == "2个单位，2个有本年的报告；下级没有的：丙镇"
    assert found["M2"] == "是草稿的：a区"
    assert found["M4"] == "逾期的：a区（期限2022-01-31，报告日期2022-02-03，逾期）"
    assert found["M5"].endswith("；下级取已公布的数：丁局")


def test_own_totals_are_compared_with_the_sum():
    made = sums(member("a", {NEW: "3"}), member("b", {NEW: "1"}))
    facts = Facts({NEW: added(made)})
    (same,) = own_total_checks(RULES, made, facts, {NEW: (Decimal(4), "本级已公布")})
    assert (same.holds, same.message) == (True, "2个单位逐格相加，与本级自报的1格相同")
    (other,) = own_total_checks(RULES, made, facts, {NEW: (Decimal(5), "本级已公布")})
    assert (other.holds, other.left, other.right) == (False, "5", "4")
    assert other.message.endswith("本级已公布为5，各单位之和4（a区 3 + b区 1）")


def places(folder, published):
    """A member with a published report, and its parent."""
    (folder / "params/districts").mkdir(parents=True)
    for name, more in (("city", ""), ("a", "parent: city\n")):
        path = folder / f"params/districts/{name}.yaml"
        path.write_text(f"id: {name}\nname: 某地\n{more}", encoding="utf-8")
    path = folder / "params/reports/a/2021.published.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(published), encoding="utf-8")
    return Project(folder / "params", folder / "data", folder / "outputs")


def test_a_member_of_another_year_is_refused(tmp_path):
    project = places(tmp_path, {"id": "a-2020", "report_year": 2020, "issuer": "某地"})
    with pytest.raises(InputError) as caught:
        read_members(project, project.district("city"), 2021, project.hierarchy(), members=["a"])
    assert caught.value.reason == "member-differs"
    assert caught.value.message.startswith("the report of a is of year 2020, the roll-up of year")


def test_a_member_of_another_form_is_refused(tmp_path):
    project = places(tmp_path, {"id": "a-2021", "report_year": 2021, "issuer": "某地"})
    path = tmp_path / "params/districts/a.yaml"
    path.write_text(path.read_text("utf-8") + "form: xzzf\n", encoding="utf-8")
    with pytest.raises(InputError, match="of a is of form xzzf, the roll-up of form zfxxgk"):
        read_members(
            project,
            project.district("city"),
            2021,
            project.hierarchy(),
            members=["a"],
            edition=("zfxxgk", "2021"),
        )


def test_members_stand_once_in_a_notebook():
    made = sums(member("a", {}), member("b", {}))
    names = [NEW, "t3.new.commercial", "t3.new.total"]
    listed = [added(made, name).as_json() for name in names[:2]]
    total = Fact(names[2], "总计", Decimal(0), "件", "sum", "两项之和", sum_of=tuple(names[:2]))
    block = {"kind": "seal", "facts": {"facts": [*listed, total.as_json()]}}
    assert unpacked(packed(block)) == block
    assert packed(block)["facts"]["facts"].count('"a"') == 1


def test_a_figure_that_cannot_be_added_may_be_declared():
    spec = FactSpec(id="x.y", label="某数", ledger="applications")
    text = spec.definition(2021).text("applications")
    alike = [member(name, {"x.y": "2"}, definitions={"x.y": text}) for name in "ab"]
    assert sums(*alike).adds("x.y", spec.definition(2021))
    assert not sums(*alike, member("c", {})).adds("x.y", spec.definition(2021))
    middle = FactSpec(
        id="x.y", label="某数", ledger="applications", measure={"median": "办理工作日"}
    )
    assert not sums(*alike).adds("x.y", middle.definition(2021))
