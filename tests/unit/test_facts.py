import hashlib
import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from reportkit.definitions import Definition, parse_where
from reportkit.errors import InputError
from reportkit.facts import Computer, facts_bytes, measure, plain, rows_sha256
from reportkit.forms import form_for
from reportkit.ledgers import Ledger, schema_of
from reportkit.params import Declared, FactSpec


def ledger(key, **columns):
    """A ledger of the given columns; row numbers start at 10, as if rows had been rejected."""
    size = len(next(iter(columns.values())))
    schema = schema_of(key)
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


def computer(year=2020, **ledgers):
    return Computer(year, cells=form_for(year).cells(year), specs={}, declared=[], ledgers=ledgers)


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


def test_a_missing_ledger_is_told_with_the_fact():
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


def test_an_unknown_column_is_told_with_the_known_ones():
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
    declared = [Declared(id="t3.new.total", label="", value="1", source="x")]
    with pytest.raises(InputError, match="declared"):
        Computer(2020, cells=form_for(2020).cells(2020), specs={}, declared=declared, ledgers={})


def test_a_declared_fact_names_its_source():
    declared = [Declared(id="a.b", label="", value="007.50", source="公报", stated_by="某科")]
    fact = Computer(2020, cells=[], specs={}, declared=declared, ledgers={}).get("a.b")
    assert (fact.text, fact.origin, fact.source) == ("7.5", "declared", "公报（某科）")


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
