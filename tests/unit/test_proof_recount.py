"""The second engine reads cells and counts records as the first one does, and trusts nobody."""

import hashlib
import random
from dataclasses import replace
from datetime import date, datetime, timedelta

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from shipped import ZFXXGK

from reportkit.evidence.digests import read_record, record_columns, row_digests
from reportkit.facts import measure, plain
from reportkit.forms.conditions import Definition, parse_where
from reportkit.ledgers import read_ledger
from reportkit.proof.record import ledger_record
from reportkit.proof.recount.recount import changed_lines, count, recount
from reportkit.proof.recount.sqlledger import ROW, Wanted, read_again
from reportkit.worktime import work_calendar

HEADING = ["登记号", "申请人类型", "收到日期", "答复日期", "办理结果", "申请人", "延期工作日",
           "所需信息", "承办单位"]  # fmt: skip
APPLICATIONS = [
    ["1", "自然人", "2020-01-02", "2020-01-15", "予以公开", "张三", "", "a", "甲局"],
    [" 2 ", "自然人", "2020/1/2", "2020.01.15", "（一）予以公开", "张三", "10", "b", "甲局"],
    ["3", " 商业企业", "2020年1月2日", "20200115", "予以公开", "李四", "１０", "c,d", "乙 局"],
    ["4", "商业企业", "２０２０-１-２", "2020-01-15 08:30", "部分公开", "", "10.0", "", "丙\u3000"],
    ["5", "科研机构", "43832", "", "", "", "—", "f", ""],
    ["6", "其他", "2019-12-30", "2020-02-30", "区分处理", "王五", "", "g", "无"],
    ["7", "其他", "2021-01-04", "/", "无", "王五", "-", "h", "甲局"],
    ["8", "自然人", "2019-11-01", "2020-03-02", "其他", "赵六", "20", "i", "“丁”局"],
    ["合计", "", "", "", "", "", "", "", ""],
    ["小　计：", "", "", "", "", "", "", "", ""],
    HEADING,
    ["必填", "必填", "必填", "选填", "选填", "", "", "", ""],
    ["", "必填", "选填", "", "", "", "", "", ""],
    ['="10"', "自然人", "2020-01-02", "2020-01-15", "予以公开", "", "", "'001", "甲局"],
    ["9", "自然人", "2020年1月2日 9时30分", "2020-01-15 10:20:30", "重复申请", "", "", "k", ""],
    *[
        [f"r{n}", "自然人", "2020-05-06", "2020-05-20", "重复申请", f"人{n}", "", "j", "戊局"]
        for n in range(120)
    ],
    ["填表人：王五", "", "", "", "审核人（签字）：赵六", "", "", "", ""],
    ["填表人", "王五", "", "", "审核人：", "赵六", "", "", ""],
    ["以下空白", "", "", "", "", "", "", "", ""],
]  # fmt: skip
FEES = [
    ["1", "项1", "2021-03-03", "1,234.50"],
    ["2", "项1", "2021-03-04", "１２３"],
    ["3", "项2", "2021-12-31", "1.5万元"],
    ["4", "项2", "2022-01-01", "¥ 99.999999"],
    ["5", "项3", "2021-01-01", "0"],
]


MORNING = datetime(2020, 1, 15, 8, 30)  # noqa: DTZ001 - a cell has no zone


def csv_of(path, heading, rows, encoding="utf-8"):
    lines = [",".join(f'"{cell}"' if "," in cell else cell for cell in row) for row in rows]
    path.write_bytes("\r\n".join([",".join(heading), *lines]).encode(encoding))
    return path


def both(key, path, tmp_path):
    """A ledger as the first engine has it, and as the second."""
    ledger = read_ledger(ZFXXGK, key, [path], root=tmp_path)
    (tmp_path / "evidence").mkdir(exist_ok=True)
    if ledger.refused:
        refused = [one | {"cells": ""} for one in ledger.refused]
        pq.write_table(pa.Table.from_pylist(refused), tmp_path / "evidence/quarantine.parquet")
    result = ledger_record(ledger, keyed=False)
    (raw,) = read_again(tmp_path, [Wanted(ZFXXGK, result, [path])], work_calendar()).values()
    return ledger, raw


def counted(raw, where):
    """Value and row numbers of a fact, or why it was not counted."""
    (found,) = count(raw, [{"id": "x", "where": where}])
    return found if isinstance(found, str) else (found[0], found[1].tolist())


def same_records(ledger, raw):
    names = [name for name in record_columns(ledger.schema) if name in raw.types]
    there = read_record(ledger.frame, ledger.schema).select(names)
    cells = ", ".join(f'CAST("{name}" AS VARCHAR) AS "{name}"' for name in names)
    query = f'SELECT "{ROW}", {cells} FROM {raw.table} ORDER BY "{ROW}"'
    here = raw.connection.sql(query).to_arrow_table()
    assert here[ROW].to_pylist() == ledger.frame.index.tolist()
    assert here.drop_columns([ROW]).to_pylist() == there.to_pylist()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_is_read_the_same(encoding, tmp_path):
    ledger, raw = both(
        "applications", csv_of(tmp_path / "a.csv", HEADING, APPLICATIONS, encoding), tmp_path
    )
    assert (len(ledger.frame), ledger.set_aside, ledger.rejected + ledger.quarantined) == (
        129,
        8,
        1,
    )
    same_records(ledger, raw)


def test_parquet_is_read_the_same(tmp_path):
    cells = zip(*APPLICATIONS, strict=True)
    table = pa.table({name: list(column) for name, column in zip(HEADING, cells, strict=True)})
    pq.write_table(table, tmp_path / "a.parquet")
    same_records(*both("applications", tmp_path / "a.parquet", tmp_path))


def test_title_two_heading_rows_and_merged_cells_read_the_same(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "台账"
    sheet.append(["收费情况"])
    sheet.append(["编号", "项目编码", "收费日期", "金额", None])
    sheet.append([None, None, None, "（万元）", "备注"])
    sheet.append([1, "项1", date(2021, 3, 3), 1.5, "x"])
    sheet.append([2, None, date(2021, 3, 4), 0.000123, "y"])
    sheet.append([None, None, None, None, None])
    sheet.append([3, "项2", "2021年3月5日", "12.5", "z"])
    sheet.append(["合计", None, None, 14.000123, None])
    sheet.merge_cells("B4:B5")
    book.save(tmp_path / "fees.xlsx")
    ledger, raw = both("fees", tmp_path / "fees.xlsx", tmp_path)
    assert len(ledger.frame) == 3
    same_records(ledger, raw)
    total = Definition("fees", (), measure="sum", column="金额（元）")
    value, _, _ = measure(total, ledger)
    assert plain(value) == "140001.23"
    assert counted(raw, total.where_json())[0] == "140001.23"


def test_three_heading_rows_and_a_signature_read_the_same(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    for row in [
        ["依申请公开台账"],
        ["登记号", "申请人类型", "收到日期", "答复", None, "征求第三方意见", None],
        [None, None, None, "答复日期", "办理结果", "征求意见", None],
        [None, None, None, None, None, "发出日期", "回复日期"],
        ["1", "自然人", date(2020, 1, 2), MORNING, "予以公开", 43840, "2020-01-12"],
        ["2", "其他", 43833.0, None, None, None, None],
        ["审核人：王五", None, None, None, None, "填表日期： 2020年", None],
        ["说明：含转办件", None, None, None, None, None, None],
    ]:
        sheet.append(row)
    book.save(tmp_path / "applications.xlsx")
    ledger, raw = both("applications", tmp_path / "applications.xlsx", tmp_path)
    assert (len(ledger.frame), ledger.set_aside) == (2, 2)
    assert ledger.frame["征求意见发出日期"].notna().tolist() == [True, False]
    same_records(ledger, raw)


def test_days_and_numbers_of_workbooks_read_as_shown(tmp_path):
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    sheet = book.active
    sheet.append(["编号", "项目编码", "收费日期", "金额（元）"])
    for number, (day, form, amount) in enumerate(
        [
            (date(2021, 3, 3), 'yyyy"年"m"月"d"日"', 0.1 + 0.2),
            (date(2021, 3, 4), "[$-804]d-m", 1e-6),
            (MORNING, "yyyy-mm-dd hh:mm", 123456789.25),
            (42798, "General", 12345678901234),
            (43799, "0", -5),
            (date(2021, 3, 6), "mm-dd-yy", 7.0),
        ],
        1,
    ):
        sheet.append([f"a{number}", "项", day, amount])
        sheet.cell(number + 1, 3).number_format = form
    book.save(tmp_path / "fees.xlsx")
    ledger, raw = both("fees", tmp_path / "fees.xlsx", tmp_path)
    assert len(ledger.frame) == 6
    same_records(ledger, raw)


def test_amounts_are_read_the_same(tmp_path):
    heading = ["编号", "项目编码", "收费日期", "金额（元）"]
    same_records(*both("fees", csv_of(tmp_path / "fees.csv", heading, FEES), tmp_path))


STEPS = ["收到日期", "答复日期", "补正告知日期", "补正收到日期", "征求意见发出日期",
         "征求意见回复日期", "延期告知日期"]  # fmt: skip


@pytest.mark.parametrize("first_day", ["next", "same"])
def test_limits_are_counted_the_same(first_day, tmp_path):
    """Steps at random, in no order, over holidays and beyond both ends of the table."""
    (tmp_path / "holidays.yaml").write_text(f"first_day: {first_day}\n", encoding="utf-8")
    calendar = work_calendar(tmp_path / "holidays.yaml")
    chance = random.Random(7)
    ends = [date.fromisoformat(str(day)) for day in (calendar.first, calendar.last)]
    rows = []
    for number in range(3000):
        begun = chance.choice([*ends, date(2020, 1, 20), date(2020, 9, 28), date(2021, 5, 1)])
        days = [begun + timedelta(chance.randrange(-9, 70)) for _ in STEPS]
        days[0] = min(days[:2])
        cells = [str(day) if chance.random() < 0.6 else "" for day in days]
        cells[0] = str(days[0])
        outcome = "予以公开" if cells[1] else ""
        extension = chance.choice(["", "0", "5", "20", "30"])
        rows.append([str(number), "自然人", *cells, outcome, extension])
    heading = ["登记号", "申请人类型", *STEPS, "办理结果", "延期工作日"]
    path = csv_of(tmp_path / "a.csv", heading, rows)
    ledger = read_ledger(ZFXXGK, "applications", [path], root=tmp_path, calendar=calendar)
    result = ledger_record(ledger, keyed=False)
    (raw,) = read_again(tmp_path, [Wanted(ZFXXGK, result, [path])], calendar).values()
    assert len(ledger.frame) == 3000
    names = [column.name for column in ledger.schema.derived]
    there = {n: pa.array(ledger.frame[n], from_pandas=True) for n in names}
    for name in names:
        query = f'SELECT "{name}" FROM {raw.table} ORDER BY "{ROW}"'
        here = [cell for (cell,) in raw.connection.sql(query).fetchall()]
        first = there[name].to_pylist()
        if name == "法定期限":
            first = [day and day.date() for day in first]
        assert here == first, name
        assert len(set(here)) > 1
        assert name == "延期" or None in here


DEFINITIONS = [
    {},
    {"申请人类型": "自然人"},
    {"申请人类型": ["自然人", "其他"]},
    {"申请人类型": {"not": "自然人"}},
    {"办理结果": {"not": ["予以公开", "其他"]}},
    {"答复日期": {"during": "Y"}},
    {"收到日期": {"until": "Y-1"}, "答复日期": {"not_before": "Y"}},
    {"收到日期": {"before": "Y"}, "答复日期": {"not_until": "Y"}},
    {"收到日期": {"from": "Y-01-01", "to": "Y-01-31"}},
    {"承办单位": {"contains": "局"}},
    {"承办单位": {"empty": "true"}},
    {"延期工作日": {"empty": "false"}},
    {"超期": "是"},
    {"延期": "否", "法定期限": {"during": "Y"}},
]


@pytest.fixture(scope="module")
def applications(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recount")
    return both("applications", csv_of(folder / "a.csv", HEADING, APPLICATIONS), folder)


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        ("count", None), ("distinct", "申请人"), ("first", "答复日期"), ("last", "收到日期"),
        ("sum", "延期工作日"), ("median", "办理工作日"), ("max", "办理工作日"),
    ],
)  # fmt: skip
def test_both_engines_count_the_same(kind, column, applications):
    ledger, raw = applications
    for where in DEFINITIONS:
        made = Definition("applications", parse_where(where, 2020), measure=kind, column=column)
        value, rows, _ = measure(made, ledger)
        text = value if isinstance(value, str) else plain(value)
        assert counted(raw, made.where_json()) == (text, rows.tolist()), where


def test_differences_and_divisions_are_counted_the_same(applications):
    ledger, raw = applications
    made = Definition(
        "applications",
        parse_where({"收到日期": {"during": "Y"}}, 2020),
        minus=parse_where({"答复日期": {"during": "Y"}}, 2020),
        divide=8,
    )
    value, rows, _ = measure(made, ledger)
    assert counted(raw, made.where_json()) == (plain(value), rows.tolist())


@pytest.mark.parametrize(
    "group",
    [
        {"sign": "+", "all": [{"column": '登记号" IS NULL; DROP TABLE ledger', "op": "="}]},
        {"sign": "+", "all": [{"column": "登记号", "op": "= 1; DROP TABLE ledger", "value": "1"}]},
        {"sign": "+", "measure": "count(*) FROM raw; --", "column": "登记号", "all": []},
        {"sign": "+", "measure": "sum", "column": '登记号"); DROP TABLE ledger; --', "all": []},
    ],
    ids=["column", "operator", "measure", "measured"],
)  # fmt: skip
def test_what_facts_json_states_is_no_sql(group, applications):
    assert counted(applications[1], [group]).endswith("is not known here")


def test_a_value_with_quotes_is_a_value(applications):
    evil = "x' OR true; DROP TABLE ledger; --"
    where = [{"sign": "+", "all": [{"column": "承办单位", "op": "=", "value": evil}]}]
    assert counted(applications[1], where) == ("0", [])


def test_the_database_reaches_nothing_outside(applications, tmp_path):
    (tmp_path / "secret.csv").write_text("a\n1\n", encoding="utf-8")
    with pytest.raises(Exception, match=r"(?i)disabled|permission|not allowed|external access"):
        applications[1].connection.sql(f"SELECT * FROM '{tmp_path}/secret.csv'").fetchall()


def test_a_row_digest_is_keyed_blake2b_over_its_cells():
    record = pa.table({"登记号": ["A-1"], "收到日期": pa.array([None], pa.string())})
    keyed = row_digests(record, b"k" * 100).to_pylist()
    own = hashlib.blake2b(b"k" * 100).digest()
    assert keyed == [hashlib.blake2b(b"A-1\x1f", key=own, digest_size=16).digest()]


def test_rows_are_known_by_a_key_where_there_is_one(applications):
    ledger, raw = applications
    record = read_record(ledger.frame, ledger.schema)
    open_, keyed = row_digests(record, None), row_digests(record, b"k" * 32)
    assert not set(open_.to_pylist()) & set(keyed.to_pylist())
    assert len(set(keyed.to_pylist())) == len(ledger.frame)
    full = [None] * ledger.read
    for row, digest in zip(ledger.frame.index, keyed.to_pylist(), strict=True):
        full[row] = digest
    records = pa.table(
        {
            "file": ["a.csv"] * ledger.read,
            "sheet": [""] * ledger.read,
            "line": pa.array(ledger.line_of, pa.int64()),
            "digest": pa.array(full, pa.binary()),
        }
    )
    assert changed_lines(raw, records, b"k" * 32) == []
    assert len(changed_lines(raw, records, None)) == len(ledger.frame)


def test_keyed_records_are_not_compared_without_the_key(applications, tmp_path):
    raw = replace(applications[1], record=applications[1].record | {"rows_keyed": True})
    found = recount(raw, [], run=tmp_path)
    assert found.lines == ()
    assert "REPORTKIT_PRIVACY_KEY_FILE names no key" in found.unchecked[0]


def test_no_person_is_in_what_a_digest_covers(applications):
    covered = record_columns(applications[0].schema)
    assert not {"申请人", "证件号码", "联系电话", "联系地址", "所需信息"} & set(covered)
