import hashlib
import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from shipped import SCHEMAS, ZFXXGK

from reportkit.errors import InputError
from reportkit.facts import Computer, facts_bytes, measure, plain, rows_sha256
from reportkit.facts.derived import compared
from reportkit.facts.specs import FactSpec
from reportkit.forms.conditions import Definition, parse_where
from reportkit.ledgers import Ledger, schema_of
from reportkit.params import Declared


def ledger(key, **columns):
    """A ledger of the given columns; row numbers start at 10, as if rows had been rejected."""
    size = len(next(iter(columns.values())))
    schema = schema_of(ZFXXGK, key)
    frame = pd.DataFrame(columns, index=pd.RangeIndex(10, 10 + size, name="row"))
    for column in schema.columns:
        if column.name not in frame and not column.personal:
            kind = "datetime64[s]" if column.type == "date" else "str"
            frame[column.name] = pd.Series([None] * size, index=frame.index, dtype=kind)
    rows = np.zeros(10 + size, np.int16)
    return Ledger(key, schema, frame, (), rows, rows.astype(np.int32), rejected=10)


def days(*texts):
    return pd.array(np.array([text or "NaT" for text in texts], dtype="datetime64[s]"))


APPLICATIONS = ledger(
    "applications",
    登记号=["1", "2", "3", "4", "5"],
    申请人类型=["自然人", "商业企业", "自然人", "自然人", "自然人"],
    收到日期=days("2019-12-20", "2020-01-02", "2020-06-01", "2020-12-30", "2021-01-04"),
    答复日期=days("2020-01-10", "2020-02-01", "2020-06-20", "2021-01-08", None),
    办理结果=["予以公开", "重复申请", "部分公开", "予以公开", None],
)
AMOUNTS = pd.ArrowDtype(pa.decimal128(38, 6))
FEES = ledger(
    "fees",
    编号=["1", "2", "3"],
    收费日期=days("2021-02-01", "2021-12-31", "2022-01-01"),
    **{"金额（元）": pd.array([Decimal("0.10"), Decimal("123456.72"), Decimal(5)], dtype=AMOUNTS)},
)
ITEMS = ledger(
    "items",
    事项编码=["a", "b", "c"],
    种类=["行政许可"] * 3,
    设立日期=days("2018-01-01", "2020-05-01", "2020-06-01"),
    取消日期=days("2020-07-01", None, "2020-08-01"),
)


def declare(name, value, label="", unit=""):
    return Declared(
        id=name,
        label=label,
        value=value,
        unit=unit,
        source="公报",
        stated_by="某科",
        stated_on="2021-01-05",
    )


def computer(year=2020, **ledgers):
    return Computer(
        year,
        cells=ZFXXGK.edition(year).cells(year),
        specs={},
        declared=[],
        ledgers=ledgers,
        names={key: schema.name for key, schema in SCHEMAS.items()},
    )


@pytest.mark.parametrize(
    ("cell", "value", "rows"),
    [
        ("t3.new.natural_person", "2", [12, 13]),
        ("t3.new.commercial", "1", [11]),
        ("t3.carried_in.natural_person", "1", [10]),
        ("t3.granted.natural_person", "1", [10]),
        ("t3.partial.natural_person", "1", [12]),
        ("t3.reject_2_duplicate.commercial", "1", [11]),
        ("t3.carried_out.natural_person", "1", [13]),
    ],
)
def test_cells_of_table_3_are_made_from_their_rows(cell, value, rows):
    fact = computer(applications=APPLICATIONS).get(cell)
    assert (fact.text, fact.origin) == (value, "ledger")
    assert fact.rows.tolist() == rows


def test_the_next_year_carries_in_what_was_carried_out():
    facts = computer(2021, applications=APPLICATIONS)
    assert facts.get("t3.carried_in.natural_person").rows.tolist() == [13]
    assert facts.get("t3.new.natural_person").rows.tolist() == [14]
    assert facts.get("t3.carried_out.natural_person").rows.tolist() == [14]


def test_a_total_adds_its_leaves_and_holds_no_rows():
    fact = computer(applications=APPLICATIONS).get("t3.results_total.total")
    assert (fact.text, fact.origin, fact.rows) == ("3", "sum", None)
    assert "t3.reject_2_duplicate.commercial" in fact.sum_of


def test_fees_are_exact_and_without_trailing_zeros():
    fact = computer(2021, fees=FEES).get("t2.fees.amount_wan")
    assert (fact.text, fact.unit) == ("12.345682", "万元")
    assert fact.as_json()["decimals"] == 6


def test_a_change_is_signed_and_keeps_both_sides():
    fact = computer(items=ITEMS).get("t2.permits.items_change")
    assert fact.text == "0"
    assert fact.rows.tolist() == [11, 12, 10, 12]
    assert fact.subtracted == 2
    assert computer(items=ITEMS).get("t2.permits.items_last_year").rows.tolist() == [10]


def test_a_missing_ledger_is_reported_with_the_fact():
    with pytest.raises(InputError, match="收费台账") as error:
        computer(2021).get("t2.fees.amount_wan")
    assert error.value.reason == "ledger-missing"


@pytest.mark.parametrize(
    ("how", "value"),
    [
        ({"measure": "count"}, "5"),
        ({"measure": {"distinct": "申请人类型"}}, "2"),
        ({"measure": {"first": "收到日期"}}, "2019-12-20"),
        ({"measure": {"last": "答复日期"}}, "2021-01-08"),
    ],
)
def test_measures_of_narrative_facts(how, value):
    spec = FactSpec(id="x.y", label="", ledger="applications", **how)
    made = Computer(
        2020, cells=[], specs={"x.y": spec}, declared=[], ledgers={"applications": APPLICATIONS}
    )
    assert made.get("x.y").text == value


def test_an_unknown_column_is_reported_with_the_known_ones():
    definition = Definition("applications", parse_where({"渠道": "网络"}, 2020))
    with pytest.raises(InputError, match="申请渠道"):
        measure(definition, APPLICATIONS)


def test_a_sum_of_itself_is_refused():
    specs = {
        "a.x": FactSpec(id="a.x", label="", sum_of=["a.y"]),
        "a.y": FactSpec(id="a.y", label="", sum_of=["a.x"]),
    }
    with pytest.raises(InputError, match=r"a\.x → a\.y → a\.x"):
        Computer(2020, cells=[], specs=specs, declared=[], ledgers={}).get("a.x")


def test_a_declared_fact_may_not_replace_a_computed_one():
    declared = [declare("t3.new.total", "1")]
    with pytest.raises(InputError, match="declared"):
        Computer(
            2020, cells=ZFXXGK.edition(2020).cells(2020), specs={}, declared=declared, ledgers={}
        )


def test_a_declared_fact_names_its_source():
    declared = [declare("a.b", "007.50")]
    fact = Computer(2020, cells=[], specs={}, declared=declared, ledgers={}).get("a.b")
    assert (fact.text, fact.origin, fact.source) == ("7.5", "declared", "公报（某科，2021-01-05）")


def test_row_digests_can_be_made_with_other_tools():
    rows = np.array([1, 256], dtype=np.int64)
    expected = hashlib.sha256(bytes([1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0])).hexdigest()
    assert rows_sha256(rows) == expected


def test_facts_bytes_are_utf8_and_end_with_a_line():
    data = facts_bytes({"label": "公开"})
    assert "公开" in data.decode()
    assert data.endswith(b"}\n")
    assert json.loads(data) == {"label": "公开"}


@pytest.mark.parametrize(
    ("value", "text"), [("0.00", "0"), ("-0", "0"), ("10", "10"), ("1E+3", "1000"), ("2.50", "2.5")]
)
def test_plain_numbers(value, text):
    assert plain(Decimal(value)) == text


FIGURES = [
    declare("a.part", "74", "按期答复", "件"), declare("a.whole", "76", "答复", "件"),
    declare("a.none", "0", "无", "件"), declare("a.fall", "-3", "增减", "项"),
]  # fmt: skip


def derive(past=None, **spec):
    specs = {"x.y": FactSpec(id="x.y", label="比例", **spec)}
    return Computer(2020, cells=[], specs=specs, declared=FIGURES, ledgers={}, past=past).get("x.y")


def test_a_share_tells_its_base_and_its_rounding():
    fact = derive(part="a.part", share_of="a.whole", decimals=2)
    assert (fact.text, fact.unit, fact.origin) == ("97.37", "%", "sum")
    assert fact.sum_of == ("a.part", "a.whole")
    assert fact.definition == (
        "“按期答复”74件 ÷ “答复”76件 × 100%，四舍五入保留2位小数；基数为“答复”"
    )


@pytest.mark.parametrize(
    ("decimals", "part", "whole", "value"),
    [
        (0, "a.half", "a.whole8", "63"),  # 62.5: a half goes up, not to the even digit
        (1, "a.half", "a.whole8", "62.5"),
        (1, "a.whole8", "a.whole8", "100"),
        (2, "a.half", "a.three", "166.67"),
    ],
)
def test_a_share_is_rounded_half_up(decimals, part, whole, value):
    declared = [declare("a.half", "5"), declare("a.whole8", "8"), declare("a.three", "3")]
    specs = {"x.y": FactSpec(id="x.y", label="", part=part, share_of=whole, decimals=decimals)}
    made = Computer(2020, cells=[], specs=specs, declared=declared, ledgers={})
    assert made.get("x.y").text == value


def test_a_share_of_nothing_is_said_in_words():
    assert derive(part="a.none", share_of="a.none").text == "基数为0，不计算比例"
    own = derive(part="a.part", share_of="a.none", if_zero="本年无答复")
    assert (own.value, own.as_json()["value"]) == ("本年无答复", "本年无答复")
    assert own.definition.endswith("基数为“无”，本年为0，不计算比例")


@pytest.mark.parametrize(
    ("of", "last", "unit", "value"),
    [
        ("a.whole", "60", "", "26.7"),
        ("a.whole", "80", "", "-5"),
        ("a.whole", "60", "件", "16"),
        ("a.whole", "76", "", "0"),
        ("a.whole", "0", "", "上年为0，无可比增幅"),
        ("a.none", "0", "", "0"),
        ("a.none", "5", "", "-100"),
        ("a.fall", "5", "", "由上年增加5项转为减少3项"),
        ("a.fall", "-5", "", "由上年减少5项变为减少3项"),
        ("a.fall", "0", "", "由上年没有增减转为减少3项"),
        ("a.whole", "-4", "", "由上年减少4件转为增加76件"),
        ("a.fall", "5", "项", "-8"),
    ],
)
def test_a_change_against_last_year(of, last, unit, value):
    assert derive({of: Decimal(last)}, change_of=of, unit=unit).text == value


@pytest.mark.parametrize(
    ("before", "now", "text"),
    [
        ("21", "70", "比上年增加49件（增长233.3%）"),
        ("70", "21", "比上年减少49件（下降70%）"),
        ("0", "0", "与上年持平"),
        ("0", "5", "比上年增加5件（上年为0，无可比增幅）"),
        ("-5", "3", "由上年减少5件转为增加3件"),
        ("2000", "2001", "比上年增加1件（增长0.1%）"),  # 0.05 is rounded half up
        ("10000", "10001", "比上年增加1件（基本持平）"),
        ("1.5", "1.25", "比上年减少0.25件（下降16.7%）"),
    ],
)
def test_two_years_in_words(before, now, text):
    assert compared(Decimal(now), Decimal(before), unit="件") == text


def test_a_change_tells_its_base():
    fact = derive({"a.whole": Decimal(60)}, change_of="a.whole")
    assert fact.definition == (
        "（“答复”76件 − 上年60件） ÷ 上年60件 × 100%，四舍五入保留1位小数；基数为上年数"
    )
    assert (fact.origin, fact.sum_of) == ("sum", ("a.whole",))


@pytest.mark.parametrize("past", [None, {"a.part": Decimal(1)}])
def test_a_change_without_last_year_says_how_to_get_it(past):
    with pytest.raises(InputError, match=r"run the report of 2019 first.*2019\.published") as error:
        derive(past, change_of="a.whole")
    assert error.value.reason == "past-missing"


def test_a_figure_to_fill_in_goes_on_as_one():
    declared = [declare("a.whole", "76"), Declared(id="a.part", label="某数", value=None)]
    specs = {
        "x.sum": FactSpec(id="x.sum", label="", sum_of=["a.whole", "a.part"]),
        "x.share": FactSpec(id="x.share", label="", part="a.part", share_of="a.whole"),
    }
    made = Computer(2020, cells=[], specs=specs, declared=declared, ledgers={})
    texts = [made.get(name).text for name in ("a.part", "x.sum", "x.share")]
    assert texts == ["〔待填〕"] * 3
    assert made.get("a.part").source == "来源待填"


def test_hints_add_no_fact_to_the_report():
    made = computer(applications=APPLICATIONS)
    made.get("t3.new.total")
    before = set(made.facts)
    assert "t3.granted.natural_person" in made.possible()
    assert "t2.fees.items_last_year" not in made.possible()
    assert set(made.facts) == before
