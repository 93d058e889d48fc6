from dataclasses import replace
from datetime import date

import chinese_calendar
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportkit.errors import InputError
from reportkit.worktime import limits, work_calendar

CALENDAR = work_calendar()
DAYS = np.arange("2018-01-01", "2027-01-01", dtype="datetime64[D]")
STEPS = [
    "received_date", "answered_date", "correction_asked_date", "correction_received_date",
    "consultation_sent_date", "consultation_answered_date", "extension_date",
]  # fmt: skip


def test_every_day_is_as_another_table_has_it():
    theirs = [chinese_calendar.is_workday(day) for day in DAYS.tolist()]
    assert CALENDAR.is_working_day(DAYS).tolist() == theirs


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        ("2019-05-03", False),  # 国办发明电〔2019〕3号 made 劳动节 longer
        ("2019-05-05", True),
        ("2020-01-19", True),
        ("2020-01-31", False),  # 国办发明电〔2020〕1号 made 春节 longer,
        ("2020-02-01", False),  # and this Saturday is not worked as first announced
        ("2020-02-03", True),
        ("2021-10-09", True),
    ],
)
def test_days_as_announced(day, worked):
    assert CALENDAR.is_working_day(day) == worked


@pytest.mark.parametrize(
    ("received", "n", "end"),
    [
        ("2021-03-01", 20, "2021-03-29"),
        ("2020-01-20", 20, "2020-02-25"),  # over the long 春节
        ("2020-12-25", 20, "2021-01-25"),  # over the end of a year
        ("2021-09-13", 20, "2021-10-15"),  # three worked weekend days in between
        ("2020-05-02", 1, "2020-05-06"),  # received on a day off
        ("2020-05-05", 1, "2020-05-06"),
        ("2018-01-01", 1, "2018-01-02"),  # the first day of the table
    ],
)
def test_a_limit_begins_on_the_day_after(received, n, end):
    assert CALENDAR.add_working_days(received, n) == np.datetime64(end)
    assert CALENDAR.working_days_between(received, end) == n


def test_a_limit_may_begin_on_the_same_day():
    same = replace(CALENDAR, first_day="same")
    assert same.add_working_days(["2021-03-01", "2020-05-02"], [20, 1]).tolist() == [
        date(2021, 3, 26),
        date(2020, 5, 6),
    ]
    assert same.working_days_between("2021-03-01", "2021-03-26") == 20


@given(
    st.dates(date(2018, 1, 1), date(2025, 12, 31)),
    st.integers(1, 200),
    st.sampled_from(["next", "same"]),
)
def test_add_then_count(day, n, first_day):
    calendar = replace(CALENDAR, first_day=first_day)
    end = calendar.add_working_days(day, n)
    assert calendar.is_working_day(end)
    assert calendar.working_days_between(day, end) == n
    assert calendar.working_days_between(day, end - 1) == n - 1


def test_beyond_the_table_is_refused_and_says_what_to_do():
    for ask in (
        lambda: CALENDAR.is_working_day("2027-01-04"),
        lambda: CALENDAR.is_working_day("2017-12-31"),
        lambda: CALENDAR.add_working_days("2026-12-20", 20),
        lambda: CALENDAR.working_days_between("2026-12-20", ["2026-12-31", "2027-01-01"]),
    ):
        with pytest.raises(InputError, match=r"params/holidays\.yaml") as raised:
            ask()
        assert raised.value.reason == "holidays-unknown"


def own(folder, text):
    path = folder / "holidays.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_project_adds_a_year_and_sets_the_first_day(tmp_path):
    text = (
        "first_day: same\nyears:\n  - year: 2027\n    notices: [甲]\n"
        "    off: [2027-01-01..2027-01-03]\n    worked: [2027-01-09]\n"
    )
    calendar = work_calendar(own(tmp_path, text))
    assert calendar.first_day == "same"
    assert calendar.is_working_day(["2026-10-10", "2027-01-01", "2027-01-09"]).tolist() == [
        True,
        False,
        True,
    ]
    assert work_calendar(tmp_path / "absent.yaml").last == np.datetime64("2026-12-31")


@pytest.mark.parametrize(
    ("years", "expected"),
    [
        ("{year: 2028, notices: [甲], off: [], worked: []}", "2027 is missing before 2028"),
        ("{year: 2027, notices: [甲], off: [2028-01-01], worked: []}", "no day of 2027"),
        ("{year: 2027, notices: [甲], off: [], worked: [2027-01-04]}", "no weekend day"),
        ("{year: 2027, notices: [甲], off: [2027-01-02], worked: [2027-01-02]}", "off too"),
        ("{year: 2027, notices: [甲], off: [2027-01-03..2027-01-01], worked: []}", "before"),
        ("{year: 2027, notices: [甲], free: [], off: [], worked: []}", "unknown key"),
        ("{year: 2027, notices: [], off: [], worked: []}", "notices"),
    ],
)
def test_a_wrong_year_is_refused(tmp_path, years, expected):
    path = own(tmp_path, f"years:\n  - {years}\n")
    with pytest.raises(InputError, match=expected) as raised:
        work_calendar(path)
    assert str(path) in str(raised.value)


def the_limit(received, answered=None, *, days=None, **steps):
    """Due date, working days, extended, overdue of one application; None for what is empty."""
    given = {"received_date": received, "answered_date": answered, **steps}
    made = limits(
        {key: np.array([given.get(key) or "NaT"], dtype="datetime64[D]") for key in STEPS},
        np.array([np.nan if days is None else days]),
        CALENDAR,
    )
    due = made.due_date[0]
    return (
        None if np.isnat(due) else str(due),
        made.working_days.tolist()[0],
        made.extended.tolist()[0],
        made.overdue.tolist()[0],
    )


def asked(asked, received=None):
    return {"correction_asked_date": asked, "correction_received_date": received}


def consulted(sent, answered=None):
    return {"consultation_sent_date": sent, "consultation_answered_date": answered}


# In 2021, 3-5 April and 1-5 May were off; Sunday 25 April and Saturday 8 May were worked.
@pytest.mark.parametrize(
    ("received", "answered", "steps", "expected"),
    [
        ("2021-03-01", "2021-03-29", {}, ("2021-03-29", 20, False, False)),
        ("2021-03-01", "2021-03-30", {}, ("2021-03-29", 21, False, True)),
        ("2021-03-01", "2021-03-01", {}, ("2021-03-29", 0, False, False)),
        ("2021-03-01", None, {}, ("2021-03-29", None, False, None)),
        # A day off after the limit is late as well.
        ("2021-03-05", "2021-04-04", {}, ("2021-04-02", 20, False, True)),
        # 延期: told within the limit, at most 20 working days.
        (
            "2021-03-01", "2021-04-26", {"extension_date": "2021-03-29"},
            ("2021-04-26", 40, True, False),
        ),
        (
            "2021-03-01", "2021-04-14", {"extension_date": "2021-03-10", "days": 10},
            ("2021-04-13", 31, True, True),
        ),
        (
            "2021-03-01", None, {"extension_date": "2021-03-10", "days": 30},
            ("2021-04-26", None, True, None),
        ),
        (
            "2021-03-01", "2021-04-01", {"extension_date": "2021-03-30", "days": 20},
            ("2021-03-29", 23, False, True),
        ),
        # 补正: the limit runs from the day it arrives, and not before.
        (
            "2021-03-01", "2021-04-13", asked("2021-03-05", "2021-03-15"),
            ("2021-04-13", 20, False, False),
        ),
        ("2021-03-01", None, asked("2021-03-05"), (None, None, False, None)),
        ("2021-03-01", "2021-05-31", asked("2021-03-05"), (None, None, False, False)),
        # 征求意见: its time is not counted.
        (
            "2021-03-01", "2021-04-13", consulted("2021-03-08", "2021-03-22"),
            ("2021-04-13", 20, False, False),
        ),
        (
            "2021-03-01", "2021-04-14", consulted("2021-03-08", "2021-03-22"),
            ("2021-04-13", 21, False, True),
        ),
        # No reply: 15 working days, then the office decides.
        (
            "2021-03-01", "2021-04-20", consulted("2021-03-08"),
            ("2021-04-20", 20, False, False),
        ),
        # What begins after the limit does not bring it back.
        (
            "2021-03-01", "2021-04-08", consulted("2021-03-30", "2021-04-06"),
            ("2021-03-29", 27, False, True),
        ),
        # A consultation in the extension, and an extension after a consultation.
        (
            "2021-03-01", "2021-05-06",
            {"extension_date": "2021-03-26"} | consulted("2021-04-06", "2021-04-13"),
            ("2021-05-06", 40, True, False),
        ),
        (
            "2021-03-01", "2021-05-13",
            {"extension_date": "2021-04-12"} | consulted("2021-03-08", "2021-03-22"),
            ("2021-05-12", 41, True, True),
        ),
        # The long 春节, and the end of a year.
        ("2020-01-20", "2020-02-26", {}, ("2020-02-25", 21, False, True)),
        ("2020-12-25", "2021-01-25", {}, ("2021-01-25", 20, False, False)),
        # The table ends: what is certain is said, and nothing else.
        ("2026-12-10", None, {}, (None, None, False, None)),
        ("2026-12-10", "2026-12-25", {}, (None, 11, False, False)),
        ("2026-12-10", "2027-02-26", {}, (None, None, False, None)),
        ("2026-11-02", "2027-01-04", {}, ("2026-11-30", None, False, True)),
        ("2017-12-01", "2018-03-01", {}, (None, None, False, None)),
    ],
)  # fmt: skip
def test_limits_counted_by_hand(received, answered, steps, expected):
    assert the_limit(received, answered, **steps) == expected


@given(
    st.dates(date(2018, 1, 1), date(2026, 6, 30)),
    st.integers(0, 90),
    st.booleans(),
    st.one_of(st.none(), st.tuples(st.integers(0, 30), st.integers(0, 40))),
)
def test_overdue_is_more_working_days_than_allowed(received, took, extended, consultation):
    day = np.datetime64(received)
    steps = {"extension_date": str(day + 1)} if extended else {}
    if consultation:
        steps |= consulted(str(day + consultation[0]), str(day + sum(consultation)))
    due, used, _, overdue = the_limit(str(day), str(day + took), **steps)
    assert CALENDAR.is_working_day(due)
    assert overdue == (np.datetime64(due) < day + took)
    if CALENDAR.is_working_day(day + took) and (not consultation or consultation[0] <= 20):
        # An answer on a day off can be late without a further working day.
        assert overdue == (used > (40 if extended else 20))
