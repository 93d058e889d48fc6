import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError
from shipped import RULES

import reportkit
from reportkit.checks import relation_checks
from reportkit.errors import InputError
from reportkit.facts import Fact, Facts
from reportkit.params import Relation

ROOT = Path(__file__).parents[2]
VALUES = {
    "a.whole": "502", "a.bound": "448", "a.left": "66", "b.part": "73", "b.whole": "76",
    "b.percent": "96.1", "b.exact": "96.05", "b.none": "0", "b.words": "本年无答复",
    "b.open": "〔待填〕",
}  # fmt: skip


def value(text):
    return Decimal(text) if text[0].isdigit() else text


FACTS = Facts(
    {name: Fact(name, f"标签{name}", value(v), "项", "declared", "") for name, v in VALUES.items()}
)


def share(percent, part="b.part", whole="b.whole"):
    return {"share": {"percent": percent, "part": part, "whole": whole}}


@pytest.mark.parametrize(
    ("relation", "holds", "message"),
    [
        ({"left": ["a.whole"], "right": ["a.bound", "a.left"]}, False,
         "502 ≠ 448 + 66 = 514，相差12"),
        ({"parts": ["b.part"], "whole": "b.whole"}, True, "76中的73"),
        ({"parts": ["a.bound", "a.left"], "whole": "a.whole"}, False,
         "502中的448 + 66 = 514，部分大于总数"),
        (share("b.percent"), True, "73 ÷ 76 = 96.1%，文中为96.1%"),
        (share("b.exact"), True, "73 ÷ 76 = 96.05%，文中为96.05%"),
        (share("b.percent", "b.whole"), False, "76 ÷ 76 = 100%，文中为96.1%"),
        (share("b.percent", whole="b.none"), False, "73 ÷ 0：文中为“96.1”"),
        (share("b.words", whole="b.none"), True, "73 ÷ 0：文中为“本年无答复”"),
        (share("b.words"), False, "73 ÷ 76：文中为“本年无答复”"),
        ({"parts": ["b.open"], "whole": "b.whole"}, False, "尚未填写：标签b.open"),
    ],
)  # fmt: skip
def test_a_relation_of_the_text(relation, holds, message):
    made = Relation(title="某项关系", **relation)
    (check,) = relation_checks(RULES, [made], FACTS)
    assert (check.id, check.holds, check.message) == ("N1", holds, message)
    assert set(check.facts) == set(made.facts)


@pytest.mark.parametrize(
    "kind",
    [
        {},
        {"left": ["a.b"]},
        {"left": ["a.b"], "right": ["a.b"], "whole": "a.b"},
        {"parts": ["a.b"]},
    ],
)
def test_a_relation_is_of_one_kind(kind):
    with pytest.raises(ValidationError, match="left and right, or parts and whole, or share"):
        Relation(title="x", **kind)


def test_a_relation_of_an_unknown_fact_suggests_the_nearest(tmp_path):
    shutil.copytree(ROOT / "params", tmp_path, dirs_exist_ok=True)
    path = tmp_path / "reports/huli/2020.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("[approval.bound,", "[approval.bond,"), encoding="utf-8")
    report = reportkit.open_report("huli", 2020, params=tmp_path, data=ROOT / "data")
    result = r"2020\.yaml: relation '审批服务事项总数.*'approval\.bond'; nearest: approval\.bound"
    with pytest.raises(InputError, match=result):
        _ = report.all_checks
