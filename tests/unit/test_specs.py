import pytest
from shipped import ZFXXGK

from reportkit.errors import InputError
from reportkit.facts.specs import read_specs


def read(tmp_path, *facts):
    (tmp_path / "x.yaml").write_text("facts:\n" + "\n".join(facts), encoding="utf-8")
    return read_specs(ZFXXGK, tmp_path)


def test_a_right_fact_is_read_with_its_place(tmp_path):
    spec = read(
        tmp_path,
        "- {id: a.b, label: x, ledger: applications, where: {超期: 否, 答复日期: {during: Y}}}",
    )["a.b"]
    assert spec.place == f"{tmp_path}/x.yaml:2"
    assert spec.definition(2020).text("依申请公开台账") == (
        "依申请公开台账中，超期为“否”、答复日期在2020年内的记录数"
    )


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        ("{id: pub, label: x, ledger: fees}", "lower case words joined by dots"),
        ("{id: t3.new.total, label: x, ledger: fees}", "is in the namespace of the form's own"),
        ("{id: t2.mine, label: x, ledger: fees}", "is in the namespace of the form's own"),
        ("{id: a.b, label: x}", r"needs one of ledger, sum_of, share_of, change_of"),
        ("{id: a.b, label: x, ledger: fees, sum_of: [a.c]}", "needs one of"),
        ("{id: a.b, label: x, share_of: a.c}", "'part' and 'share_of' go together"),
        ("{id: a.b, label: x, share_of: a.c, part: a.d, decimals: 9}", "decimals"),
        ("{id: a.b, label: x, ledger: fee}", "no ledger 'fee'; nearest: fees"),
        ("{id: a.b, label: x, ledgr: fees}", "did you mean 'ledger'"),
        ("{id: a.b, label: x, ledger: fees, measure: {mean: 金额（元）}}", "measure"),
        ("{id: a.b, label: x, ledger: fees, measure: {sum: 金额}}", "nearest: 金额（元）"),
        ("{id: a.b, label: x, ledger: fees, measure: {sum: 收费日期}}", "integer or amount"),
        ("{id: a.b, label: x, ledger: fees, measure: {first: 金额（元）}}", "type date"),
        ("{id: a.b, label: x, ledger: fees, where: {收费日: {during: Y}}}", "nearest: 收费日期"),
        ("{id: a.b, label: x, ledger: fees, where: {收费日期: {durign: Y}}}", "operators are"),
        ("{id: a.b, label: x, ledger: fees, where: {收费日期: {until: 六月}}}", "is no day"),
        ("{id: a.b, label: x, ledger: fees, where: {编号: {during: Y}}}", "'编号' is no date"),
        ("{id: a.b, label: x, ledger: decisions, where: {种类: 行政处分}}", "nearest: 行政处罚"),
        (
            "{id: a.b, label: x, ledger: applications, where: {超期: 不}}",
            "never '不'; nearest: 是、否",
        ),
        (
            "{id: a.b, label: x, ledger: applications, where: {联系电话: {empty: true}}}",
            "no column",
        ),
        ("{id: a.b, label: x, ledger: items, minus: {取消日: {during: Y}}}", "nearest: 取消日期"),
    ],
)
def test_a_wrong_fact_is_refused_with_its_line(fact, expected, tmp_path):
    with pytest.raises(InputError, match=expected) as error:
        read(tmp_path, "- {id: z.z, label: x, ledger: fees}", f"- {fact}")
    assert "x.yaml:3: " in error.value.message


def test_a_fact_defined_twice_is_refused_with_its_line(tmp_path):
    fact = "- {id: a.b, label: x, ledger: fees}"
    with pytest.raises(InputError, match=r"x\.yaml:3: fact 'a\.b' is defined twice"):
        read(tmp_path, fact, fact)


def test_all_wrong_facts_are_reported_at_once(tmp_path):
    with pytest.raises(InputError) as error:
        read(tmp_path, "- {id: a.b, label: x, ledger: y}", "- {id: a.c, label: x}")
    assert ":2: " in str(error.value)
    assert ":3: " in str(error.value)


def test_a_column_that_a_mapping_keeps_is_a_column(tmp_path):
    (tmp_path / "facts").mkdir()
    (tmp_path / "districts").mkdir()
    (tmp_path / "districts/a.yaml").write_text(
        "id: a\nname: 甲\nmapping:\n"
        "  applications: {keep: [是否涉密]}\n  decisions: 双公示许可2018\n"
    )
    secret = "- {id: a.b, label: x, ledger: applications, where: {是否涉密: 是}}"
    kinds = "- {id: a.c, label: x, ledger: decisions, measure: {distinct: 许可类别}}"
    assert {"a.b", "a.c"} <= set(read(tmp_path / "facts", secret, kinds))
    with pytest.raises(InputError, match="has no column '是否涉'; nearest: 是否涉密"):
        read(tmp_path / "facts", secret.replace("涉密:", "涉:"))
    with pytest.raises(InputError, match="has no column '许可类别'"):
        read(tmp_path / "facts", kinds.replace("decisions", "fees"))


def test_a_projects_fact_goes_before_one_of_the_form(tmp_path):
    assert read(tmp_path, "- {id: a.b, label: x, ledger: fees}")["pub.total"].unit == "条"
    own = read(tmp_path, "- {id: pub.total, label: 总数, unit: 件, ledger: publications}")
    assert (own["pub.total"].unit, own["pub.total"].place) == ("件", f"{tmp_path}/x.yaml:2")
