"""From the steps in 依申请公开台账 to derived columns, facts and findings."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from shipped import RULES, ZFXXGK

from reportkit.checks import limit_checks
from reportkit.errors import InputError
from reportkit.facts import Computer, measure
from reportkit.facts.specs import read_specs
from reportkit.forms.conditions import Definition, parse_where
from reportkit.ledgers import read_ledger
from reportkit.worktime import work_calendar

ROOT = Path(__file__).resolve().parents[2]
STEPS = [
    "补正告知日期",
    "补正收到日期",
    "征求意见发出日期",
    "征求意见回复日期",
    "延期告知日期",
    "延期工作日",
]
CALENDAR = work_calendar()

# In 2020: answered in time; extended; late; received in 2019 and late; open and late; open, due on
# the last day of the year; open and not due; answered late, but in the next year.
APPLICATIONS = {
    "1": ("2020-03-02", "2020-03-30", {}),
    "2": ("2020-03-02", "2020-04-17", {"延期告知日期": "2020-03-27", "延期工作日": "20"}),
    "3": ("2020-03-02", "2020-03-31", {}),
    "4": ("2019-11-25", "2020-01-02", {}),
    "5": ("2020-11-02", "", {}),
    "6": ("2020-12-03", "", {}),
    "7": ("2020-12-25", "", {}),
    "8": ("2020-11-03", "2021-02-01", {}),
}


def applications(folder, rows=APPLICATIONS):
    lines = [",".join(["登记号,申请人类型,收到日期,答复日期,办理结果,申请人", *STEPS])]
    for number, (received, answered, steps) in rows.items():
        outcome = "予以公开" if answered else ""
        cells = [number, "自然人", received, answered, outcome, "张三"]
        lines.append(",".join([*cells, *(steps.get(name, "") for name in STEPS)]))
    path = folder / "applications.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_ledger(ZFXXGK, "applications", [path])


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    return applications(tmp_path_factory.mktemp("limits"))


def fact(ledger, name, year=2020):
    specs = read_specs(ZFXXGK, ROOT / "params/facts")
    computer = Computer(year, cells=[], specs=specs, declared=[], ledgers={"applications": ledger})
    return computer.get(f"timeliness.{name}")


def test_derived_columns_are_typed(ledger):
    derived = ledger.frame[["法定期限", "办理工作日", "延期", "超期"]]
    assert [str(kind) for kind in derived.dtypes] == [
        "datetime64[s]",
        "Int64",
        "boolean",
        "boolean",
    ]
    assert [str(day.date()) for day in derived["法定期限"]] == [
        "2020-03-30",
        "2020-04-27",
        "2020-03-30",
        "2019-12-23",
        "2020-11-30",
        "2020-12-31",
        "2021-01-25",
        "2020-12-01",
    ]
    assert derived["办理工作日"].tolist()[:4] == [20, 33, 21, 27]
    assert derived["办理工作日"].isna().tolist() == [False] * 4 + [True] * 3 + [False]
    assert derived["延期"].tolist() == [False, True] + [False] * 6
    assert derived["超期"].tolist()[:4] == [False, False, True, True]
    assert derived["超期"].isna().tolist() == [False] * 4 + [True] * 3 + [False]


@pytest.mark.parametrize(
    ("name", "year", "value", "rows"),
    [
        ("answered_on_time", 2020, "2", [0, 1]),
        ("extended", 2020, "1", [1]),
        ("answered_late", 2020, "2", [2, 3]),
        ("open_late", 2020, "2", [4, 7]),
        ("overdue", 2020, "4", None),
        ("median_days", 2020, "24", [0, 1, 2, 3]),
        ("longest_days", 2020, "33", [0, 1, 2, 3]),
        ("open_late", 2019, "1", [3]),
        ("answered_late", 2021, "1", [7]),
        ("median_days", 2019, "", []),
    ],
)
def test_facts(ledger, name, year, value, rows):
    found = fact(ledger, name, year)
    assert found.text == value
    assert (None if found.rows is None else found.rows.tolist()) == rows


def test_a_fact_says_what_it_measures(ledger):
    assert fact(ledger, "longest_days").definition == (
        "依申请公开台账中，答复日期在2020年内、办理工作日不为空的最大的办理工作日"
    )
    assert "超期为“否”" in fact(ledger, "answered_on_time").definition


@pytest.mark.parametrize(
    ("values", "median", "largest"),
    [
        ([3, None, 1, 2], "2", "3"),
        ([1, 2], "1.5", "2"),
        ([None], "", ""),
        ([Decimal("0.10"), Decimal("0.30"), Decimal("0.25")], "0.25", "0.3"),
        ([Decimal("12345678901234567890.10"), Decimal("0.1")], "6172839450617283945.1", None),
    ],
)
def test_median_and_max_are_exact(ledger, values, median, largest):
    amounts = pd.ArrowDtype(pa.decimal128(38, 6))
    exact = isinstance(values[0], Decimal)
    column = pd.array(values, dtype=amounts if exact else "Int64")
    frame = pd.DataFrame({"数": column})
    rows = np.zeros(len(frame))
    numbers = type(ledger)("fees", ledger.schema, frame, (), rows, rows)
    for kind, expected in (("median", median), ("max", largest)):
        value, _, _ = measure(Definition("fees", (), measure=kind, column="数"), numbers)
        if expected is not None:
            assert value == (expected and Decimal(expected))


def test_only_numbers_have_a_median(ledger):
    with pytest.raises(InputError, match="no amount or number") as raised:
        measure(Definition("applications", (), measure="median", column="登记号"), ledger)
    assert raised.value.reason == "fact-measure"


@pytest.mark.parametrize(
    ("test", "rows"),
    [("是", 3), ("否", 2), (["是", "否"], 5), ({"not": "是"}, 5), ({"empty": "true"}, 3)],
)
def test_flags_are_asked_for_in_words(ledger, test, rows):
    (condition,) = parse_where({"超期": test}, 2020)
    assert condition.mask(ledger.frame).sum() == rows


def test_each_overdue_application_is_a_finding(ledger):
    checks = limit_checks(RULES, ledger, 2020, CALENDAR)
    assert {(check.id, check.severity, check.holds) for check in checks} == {
        ("T1", "warning", False)
    }
    assert [check.message for check in checks] == [
        "4：法定期限2019-12-23，2020-01-02答复",
        "3：法定期限2020-03-30，2020-03-31答复",
        "5：法定期限2020-11-30，2020年末未答复",
        "8：法定期限2020-12-01，2020年末未答复",
    ]
    assert (checks[0].left, checks[0].right) == ("2020-01-02", "2019-12-23")
    assert "张三" not in str(checks)
    assert len(checks) == int(fact(ledger, "overdue").number)


def test_without_overdue_applications_the_check_holds(tmp_path):
    ledger = applications(tmp_path, {"1": APPLICATIONS["1"], "6": APPLICATIONS["6"]})
    (check,) = limit_checks(RULES, ledger, 2020, CALENDAR)
    assert (check.id, check.holds) == ("T1", True)
    assert check.message == "答复1件、年末未答复1件，未见超过法定期限"


def test_limits_that_cannot_be_known_are_a_finding(tmp_path):
    rows = {
        "1": ("2026-12-10", "2027-03-01", {}),
        "2": ("2026-12-20", "", {}),
        "3": ("2027-05-10", "2027-06-30", {}),
        "4": ("2027-10-11", "", {}),
    }
    ledger = applications(tmp_path, rows)
    # The report of 2026 needs no day of 2027: what was due then was not overdue at its end.
    assert [check.holds for check in limit_checks(RULES, ledger, 2026, CALENDAR)] == [True]
    found = {check.id: check for check in limit_checks(RULES, ledger, 2027, CALENDAR)}
    assert not found["T2"].holds
    assert found["T2"].message.startswith("3件申请的法定期限无法计算")


@pytest.mark.parametrize(
    ("steps", "rule"),
    [
        ({"补正告知日期": "2020-03-10", "补正收到日期": "2020-03-09"}, "L-correction"),
        ({"补正告知日期": "2020-03-01"}, "L-correction"),
        ({"补正收到日期": "2020-04-01"}, "L-correction"),
        ({"补正告知日期": "2020-03-12", "补正收到日期": "2020-03-13"}, "L-correction-late"),
        ({"征求意见发出日期": "2020-03-10", "征求意见回复日期": "2020-03-09"}, "L-consultation"),
        ({"征求意见回复日期": "2020-03-31"}, "L-consultation"),
        ({"延期告知日期": "2020-03-31"}, "L-extension"),
        ({"延期告知日期": "2020-03-10", "延期工作日": "21"}, "L-extension-long"),
        ({"补正告知日期": "2020-03-11", "补正收到日期": "2020-03-13"}, None),
        ({"征求意见发出日期": "2020-03-10", "征求意见回复日期": "2020-03-30"}, None),
        ({"延期告知日期": "2020-03-10", "延期工作日": "20"}, None),
    ],
)
def test_steps_that_do_not_nest_are_reported(tmp_path, steps, rule):
    ledger = applications(tmp_path, {"1": ("2020-03-02", "2020-03-30", steps)})
    result = [(found.rule, found.severity) for found in ledger.violations]
    assert result == ([(rule, "warn")] if rule else [])
    assert len(ledger.frame) == 1


def test_sample_ledgers_keep_their_limits():
    for district in ("huli", "pingtan"):
        paths = [
            path
            for path in sorted((ROOT / "data" / district).iterdir())
            if path.name.startswith(("applications", "依申请公开台账"))
        ]
        ledger = read_ledger(ZFXXGK, "applications", paths)
        assert ledger.violations == ()
        assert not ledger.frame["超期"].any()
        assert ledger.frame["延期"].any()
