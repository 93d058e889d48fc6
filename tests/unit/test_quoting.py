"""Quotations in messages: never a row, nor a person in whatever cell one stands."""

import csv
import sqlite3

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from shipped import SCHEMAS, ZFXXGK

from reportkit.errors import InputError
from reportkit.ledgers import find_files, read_ledger
from reportkit.ledgers.quoting import Quoting, headings_near
from reportkit.params.sources import DatabaseSource

PERSONS = {
    "name": "欧阳小测",
    "short name": "王小测",
    "blank in the name": "张　测",
    "point in the name": "买买提·艾力",
    "identity": "110101199003071233",
    "wide identity": "１１０１０１１９９００３０７１２３３",
    "mobile": "138-1234-5678",
    "landline": "0592-5722601",
    "address": "湖里区枋湖南路161号721室",
}
GOOD = {
    "text": "甲1", "date": "2020-03-02", "integer": "1", "amount": "12.5", "flag": "是",
}  # fmt: skip


def good(schema):
    """A record without fault, in the order of the columns."""
    return {
        column.name: column.categories()[0] if column.type == "category" else GOOD[column.type]
        for column in schema.columns
    }


def texts_of(folder, key):
    """Everything that reading a ledger says, to a person or to a file that is published."""
    try:
        ledger = read_ledger(ZFXXGK, key, find_files(ZFXXGK, folder, key), root=folder)
    except InputError as error:
        return f"{error} {error.fields}"
    texts = [violation.text() for violation in ledger.violations]
    return "\n".join([*texts, *(str(one) for one in ledger.refused)])


def write(folder, key, rows):
    with (folder / f"{key}.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


CELLS = [(key, column.name) for key, schema in SCHEMAS.items() for column in schema.columns]


@pytest.mark.parametrize(("key", "name"), CELLS)
@pytest.mark.parametrize("joined", ["{}", "2021-13-40 {}", "{}、其他", "12.5.1 {}"])
def test_a_person_in_any_cell_is_in_no_message(key, name, joined, tmp_path):
    schema = SCHEMAS[key]
    record = good(schema)
    rows = [record | {name: joined.format(person)} for person in PERSONS.values()]
    for number, row in enumerate(rows):
        if schema.key_column != name:
            row[schema.key_column] = str(number)
    write(tmp_path, key, [[*record], *([*row.values()] for row in rows)])
    text = texts_of(tmp_path, key)
    for person in PERSONS.values():
        assert person not in text, text


@pytest.mark.parametrize("key", SCHEMAS)
@pytest.mark.parametrize("shift", [1, 2, -1])
def test_shifted_columns_put_no_person_into_a_message(key, shift, tmp_path):
    schema = SCHEMAS[key]
    heading = [column.name for column in schema.columns]
    rows = []
    for person in PERSONS.values():
        row = list(good(schema).values())
        for number, column in enumerate(schema.columns):
            if column.personal or number == len(row) - 1:
                row[number] = person
        rows.append(row[-shift:] + row[:-shift])
    write(tmp_path, key, [heading, *rows])
    text = texts_of(tmp_path, key)
    for person in PERSONS.values():
        assert person not in text, text


@pytest.mark.parametrize("key", SCHEMAS)
@pytest.mark.parametrize("suffix", ["csv", "parquet", "sqlite"])
def test_records_without_a_heading_are_not_repeated(key, suffix, tmp_path):
    rows = [[*good(SCHEMAS[key]).values(), *PERSONS.values()]] * 3
    if suffix == "csv":
        write(tmp_path, key, rows)
        text = texts_of(tmp_path, key)
    elif suffix == "parquet":
        columns = {f"{cell}{at}": [cell] for at, cell in enumerate(rows[0])}
        columns |= {person: [person] for person in PERSONS.values()}
        pq.write_table(pa.table(columns), tmp_path / f"{key}.parquet")
        text = texts_of(tmp_path, key)
    else:
        with sqlite3.connect(tmp_path / "a.db") as base:
            names = ", ".join(f'"{person}" TEXT' for person in PERSONS.values())
            base.execute(f"CREATE TABLE t ({names})")
        base.close()
        source = DatabaseSource(url="sqlite:///a.db", table="t")
        with pytest.raises(InputError) as error:
            read_ledger(ZFXXGK, key, [source], data=tmp_path)
        text = str(error.value)
    assert "of the ledger" in text or "are missing" in text
    for person in PERSONS.values():
        assert person not in text, text


def test_what_is_wrong_with_a_value_is_still_reported(tmp_path):
    schema = SCHEMAS["applications"]
    records = [good(schema) | {"登记号": f"湖公申〔2020〕{n}号"} for n in range(4)]
    records[0]["收到日期"] = "2020.02.30"
    records[1]["办理结果"] = "部分公开了"
    records[3]["登记号"] = "湖公申〔2020〕2号"
    write(tmp_path, "applications", [[*records[0]], *([*one.values()] for one in records)])
    text = texts_of(tmp_path, "applications")
    for found in ("'2020.02.30'", "'部分公开了'", "'湖公申〔2020〕2号'"):
        assert found in text, text


@pytest.mark.parametrize(
    ("ledger", "name", "cell", "found"),
    [
        ("applications", "收到日期", "2020年13月4日", "2020年13月4日"),
        ("applications", "收到日期", "20201340", "20201340"),
        ("applications", "收到日期", "57226010", "…"),
        ("applications", "办理结果", "已公开", "已公开"),
        ("applications", "办理结果", "1.予以公开(部分)", "1.予以公开(部分)"),
        ("applications", "申请人类型", "科研院所", "科研院所"),
        ("applications", "申请人类型", "Zhang San", "…"),
        ("applications", "申请人类型", "厦门市某路1号", ""),
        ("applications", "申请人", "自然人", ""),
        ("applications", "承办单位", "某科", ""),
        ("fees", "金额（元）", "12,34元整", "12,34元整"),
        ("fees", "金额（元）", "6222021234567890128", "…"),
        ("fees", "金额（元）", "见发票", "…"),
    ],
)
def test_the_rule_of_one_cell(ledger, name, cell, found):
    assert Quoting(SCHEMAS[ledger].column(name))(cell) == found


def test_only_headings_that_are_nearly_known_are_quoted():
    wanted = SCHEMAS["applications"].headings()
    cells = [
        "登记号",
        "收到时期",
        "申请人王小测",
        "王小测",
        "2020-03-02",
        "备注",
        "办理结果（必填）",
    ]
    assert headings_near(cells, wanted) == ["登记号", "收到时期", "办理结果（必填）"]
