"""Csv and parquet, and headings in their spellings."""

import datetime as dt
import io
from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shipped import SCHEMAS, ZFXXGK

from reportkit.errors import InputError
from reportkit.ledgers import find_files, read_ledger, schema_of
from reportkit.ledgers.normal import loose
from reportkit.ledgers.readers.delimited import read_csv
from reportkit.params.mapping import LedgerMapping
from reportkit.proof.recount.rawledgers import csv_lines, read_cells

HEADING = ["登记号", "申请人类型", "收到日期", "答复日期", "办理结果"]
RECORD = ["依1", "自然人", "2020-03-02", "2020-03-20", "予以公开"]
DAY = dt.date(2020, 3, 2)


FEES = ["编号", "项目编码", "收费日期"]


def lines(*rows, delimiter=",", end="\n"):
    return "".join(delimiter.join(row) + end for row in rows)


def written(folder, text, encoding="utf-8", name="applications.csv"):
    (folder / name).write_bytes(text.encode(encoding))


def read(folder, key="applications"):
    return read_ledger(ZFXXGK, key, find_files(ZFXXGK, folder, key), root=folder)


def refused(folder):
    with pytest.raises(InputError) as error:
        read(folder)
    return error.value


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        (lines(HEADING, RECORD) + "\ufeff" + lines(HEADING, RECORD), "ledger-unreadable", 3),
        (lines(HEADING, RECORD, RECORD[:2]), "ledger-ragged", "3"),
        (lines(HEADING, RECORD, RECORD[:3]).removesuffix("\n"), "ledger-ragged", "3"),
        (lines(HEADING, RECORD, RECORD).replace("\n依1", "\r依1"), "ledger-unreadable", 3),
        (lines(HEADING, RECORD, ["依\r2", *RECORD[1:]]), "ledger-unreadable", 3),
        (lines(HEADING, RECORD, [*RECORD, "x"]), "ledger-ragged", "3"),
        (lines(HEADING, RECORD) + lines(RECORD, delimiter=";"), "ledger-ragged", "3"),
        (lines(HEADING, RECORD, ["依\x002", *RECORD[1:]]), "ledger-unreadable", 3),
        (lines(HEADING, RECORD, ['"依2', *RECORD[1:]]), "ledger-unreadable", 3),
        (lines(HEADING, ['"依\n1"', *RECORD[1:]], ["x"]), "ledger-ragged", "4"),
        (lines(HEADING, RECORD, ["长" * 140_000, *RECORD[1:]]), "ledger-unreadable", 3),
    ],
)
def test_a_damaged_line_is_refused_with_its_number(text, reason, line, tmp_path):
    written(tmp_path, text)
    error = refused(tmp_path)
    assert (error.reason, error.fields["line"]) == (reason, line)
    assert f"applications.csv:{line}" in str(error)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_a_cut_off_character_is_refused_with_its_place(encoding, tmp_path):
    content = lines(HEADING, RECORD).rstrip().encode(encoding)[:-1]
    (tmp_path / "applications.csv").write_bytes(content)
    error = refused(tmp_path)
    assert error.reason == "ledger-encoding"
    assert "(byte " in str(error)


def test_two_encodings_are_refused_where_the_second_begins(tmp_path):
    content = lines(HEADING, RECORD).encode() + lines(RECORD).encode("gb18030")
    (tmp_path / "applications.csv").write_bytes(content)
    assert refused(tmp_path).fields["line"] == 3


def test_text_under_no_heading_is_reported_as_that(tmp_path):
    written(tmp_path, lines([*HEADING, "", ""], [*RECORD, "", ""], [*RECORD, "", "x"]))
    error = refused(tmp_path)
    assert (error.reason, error.fields["line"]) == ("ledger-ragged", "3")
    assert "text to the right of the heading's last column (5)" in str(error)


@pytest.mark.parametrize(
    ("start", "said"),
    [(b"PK\x03\x04", ".xlsx"), (b"\xd0\xcf\x11\xe0", ".xls"), (b"PAR1", "parquet")],
)
def test_another_format_under_the_name_of_csv(start, said, tmp_path):
    (tmp_path / "applications.csv").write_bytes(start + b"\x00\xff" * 50)
    error = refused(tmp_path)
    assert error.reason == "ledger-format"
    assert said in str(error)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_blank_lines(end, tmp_path):
    written(tmp_path, end + lines(HEADING, RECORD, end=end) + ",,,,,," + end * 2 + "   " + end)
    ledger = read(tmp_path)
    assert (ledger.read, ledger.place(0)[1]) == (1, "3")


def test_empty_columns_at_the_end_are_no_columns(tmp_path):
    written(tmp_path, lines([*HEADING, "", ""], [*RECORD, "", ""]))
    assert len(read(tmp_path).frame) == 1


CELLS = st.text(st.sampled_from('甲1 ,;\t"\n\r\u3000\u200b\xa0一年-.'), max_size=4)


@given(
    rows=st.lists(st.lists(CELLS, min_size=4, max_size=7), max_size=6),
    delimiter=st.sampled_from(",;\t"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    last=st.booleans(),
)
def test_csv_is_the_same_to_the_second_reader(rows, delimiter, end, last):
    text = lines(HEADING, RECORD, *rows, delimiter=delimiter, end=end)
    text = text if last else text.removesuffix(end)
    first = outcome(text.encode())
    if isinstance(first, str):
        return
    columns, numbers = first
    again = [(line, row) for line, row in csv_lines(text, delimiter) if any(map(str.strip, row))]
    assert [line for line, _ in again[1:]] == numbers
    for at, cells in enumerate(columns.values()):
        assert cells == [(row + [""] * 5)[at] for _, row in again[1:]]


@pytest.mark.parametrize("mark", [",", ";", "|", "\t"])
def test_the_first_line_says_what_separates_the_cells(mark, tmp_path):
    written(tmp_path, f"sep={mark}\r\n" + lines(HEADING, RECORD, delimiter=mark, end="\r\n"))
    ledger = read(tmp_path)
    assert (ledger.frame["登记号"].tolist(), ledger.place(0)[1]) == (["依1"], "3")


def test_optional_cells_may_be_missing_at_the_end(tmp_path):
    written(tmp_path, lines([*HEADING, "申请渠道", "备注"], RECORD, ["依2", *RECORD[1:3]]))
    frame = read(tmp_path).frame
    assert frame["登记号"].tolist() == ["依1", "依2"]
    assert frame["答复日期"].isna().tolist() == [False, True]


def test_an_amount_that_a_comma_has_cut_is_reported(tmp_path):
    heading = ["项目编号", "项目名称", "组织形式", "合同签订日期", "合同金额（元）", "采购人"]
    begun = ["桌", "政府集中采购", "2020-03-02"]
    cells = [("1", "234.50"), ("12", "300"), ("1", "区政府"), ("1234", "300"), ("12",)]
    rows = [[str(number), *begun, *one] for number, one in enumerate(cells)]
    written(tmp_path, lines(heading, *rows), name="procurement.csv")
    found = [(v.rule, v.place, v.column, v.found) for v in read(tmp_path, "procurement").violations]
    column = "合同金额（元）"
    assert found == [("L-odd", "2", column, "1"), ("L-odd", "3", column, "12")]


def test_a_record_of_many_lines_is_reported(tmp_path):
    written(
        tmp_path,
        lines([*HEADING, "备注"], [*RECORD, '"' + "一\n" * 50 + '"'], ["依2", *RECORD[1:], ""]),
    )
    (note,) = [v for v in read(tmp_path).violations if v.rule == "L-lines"]
    assert note.place == "2-52"


@pytest.mark.parametrize(("above", "expected"), [
        ("单位：万元", "单位：万元"), ("（单位:元）", ""), ("", ""), ("单位（千元）", "单位（千元"),
        ("2021年收费（万元）", "万元"), ("单位：万", "单位：万"), ("50万元以上合同", ""),
        ("三万元以下", ""),
    ],
)  # fmt: skip
def test_a_unit_above_the_heading_that_says_another(above, expected, tmp_path):
    rows = [above, "", "", ""], [*FEES, "金额（元）"], ["1", "a", "2021-02-03", "1.5"]
    written(tmp_path, lines(*rows), name="fees.csv")
    found = [v for v in read(tmp_path, "fees").violations if v.rule == "L-unit"]
    assert [(v.place, v.found) for v in found] == [("1", expected)] * bool(expected)


@pytest.mark.parametrize("heading", ["amount", "实收"])
def test_a_unit_above_a_heading_without_one_is_refused(heading, tmp_path):
    rows = ["单位：万元", "", "", ""], [*FEES, heading], ["1", "a", "2021-02-03", "1.5"]
    written(tmp_path, lines(*rows), name="fees.csv")
    mapping = LedgerMapping(columns={"实收": "金额（元）"})
    with pytest.raises(InputError) as error:
        read_ledger(ZFXXGK, "fees", [tmp_path / "fees.csv"], mappings=[mapping])
    assert error.value.reason == "ledger-unit"


def test_a_sum_row_says_so_in_any_column(tmp_path):
    written(tmp_path, lines(["序号", *HEADING], ["1", *RECORD], ["合计", *[""] * 5]))
    assert (read(tmp_path).read, read(tmp_path).set_aside) == (2, 1)


def outcome(content):
    try:
        (part,) = read_csv(io.BytesIO(content), schema_of(ZFXXGK, "applications"), "a.csv")
    except InputError as error:
        return str(error)
    return {title: cells.to_pylist() for title, cells in part.columns.items()}, part.lines.tolist()


@pytest.mark.parametrize(
    "heading",
    [
        "＊收到日期", "收到 日期", "收到\n日期", "收到日期：", "收到日期（必填）", "【收到日期】",
        "收到日期(yyyy-mm-dd)", "收到日期（年月日）", "received_date", "Received Date",
        "收到申请日期",
    ],
)  # fmt: skip
def test_a_heading_in_its_spellings(heading, tmp_path):
    quoted = f'"{heading}"'
    written(tmp_path, lines(["序号", *HEADING[:2], quoted, *HEADING[3:]], ["1", *RECORD]))
    ledger = read(tmp_path)
    assert ledger.frame["收到日期"].dt.date.tolist() == [DAY]
    assert ledger.sources[0].headings["收到日期"] == heading


def test_a_columns_own_name_goes_before_its_aliases(tmp_path):
    written(tmp_path, lines(["编号", *HEADING], ["甲", *RECORD]))
    ledger = read(tmp_path)
    assert ledger.frame["登记号"].tolist() == ["依1"]
    assert ledger.sources[0].headings["登记号"] == "登记号"


def test_two_other_names_are_one_too_many(tmp_path):
    written(tmp_path, lines(["编号", "登记编号", *HEADING[1:]], ["甲", *RECORD]))
    assert refused(tmp_path).reason == "ledger-heading-twice"


def test_columns_that_are_not_read_may_repeat(tmp_path):
    written(tmp_path, lines([*HEADING, "备注", "备注"], [*RECORD, "一", "二"]))
    assert len(read(tmp_path).frame) == 1


def test_no_other_name_means_two_columns():
    for key, schema in SCHEMAS.items():
        names = [loose(n) for c in schema.columns for n in (c.name, c.key, *c.aliases)]
        assert len(names) == len(set(names)), key


def test_a_unit_said_in_the_heading(tmp_path):
    rows = [*FEES, "金额（单位：万元）"], ["1", "a", "2021-02-03", "1.5"]
    written(tmp_path, lines(*rows), name="fees.csv")
    assert read(tmp_path, "fees").frame["金额（元）"].tolist() == [Decimal("15000")]


@pytest.mark.parametrize("amount", ["1" * 40, "0.1234567", "123456789012345678901"])
def test_an_amount_that_cannot_be_kept_exactly_is_rejected(amount, tmp_path):
    rows = [*FEES, "金额（元）"], ["1", "a", "2021-02-03", amount]
    written(tmp_path, lines(*rows), name="fees.csv")
    with pytest.raises(InputError, match="not an amount of at most"):
        read(tmp_path, "fees")


MOMENT = dt.datetime(2020, 3, 1, 16, 30, tzinfo=dt.UTC)
TYPES = {
    "large_string": pa.array(["2020-03-02"], pa.large_string()),
    "string_view": pa.array(["2020-03-02"], pa.string_view()),
    "dictionary": pa.array(["2020-03-02"]).dictionary_encode(),
    "dictionary of days": pa.array([DAY]).dictionary_encode(),
    "date32": pa.array([DAY], pa.date32()),
    "date64": pa.array([DAY], pa.date64()),
    "timestamp": pa.array([DAY]).cast(pa.timestamp("ns")),
    "timestamp with zone": pa.array([MOMENT], pa.timestamp("ms", tz="UTC")).cast(
        pa.timestamp("ms", tz="Asia/Shanghai")
    ),
    "integer": pa.array([20200302]),
    "serial": pa.array([43892.0]),
    "decimal": pa.array([Decimal("43892")], pa.decimal128(10, 0)),
}


@pytest.mark.parametrize("kind", TYPES)
def test_a_day_in_each_type_of_parquet(kind, tmp_path):
    columns = dict(zip(HEADING, ([cell] for cell in RECORD), strict=True))
    pq.write_table(pa.table(columns | {"收到日期": TYPES[kind]}), tmp_path / "applications.parquet")
    assert read(tmp_path).frame["收到日期"].dt.date.tolist() == [DAY]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/New_York"])
def test_an_instant_is_the_day_that_it_is_in_china(zone, tmp_path):
    path = tmp_path / "applications.parquet"
    columns = dict(zip(HEADING, ([cell] for cell in RECORD), strict=True))
    columns["收到日期"] = TYPES["timestamp with zone"].cast(pa.timestamp("us", zone))
    pq.write_table(pa.table(columns), path)
    assert read(tmp_path).frame["收到日期"].dt.date.tolist() == [DAY]
    source = {"path": "a", "format": "parquet", "columns": dict(zip(HEADING, HEADING, strict=True))}
    with duckdb.connect() as connection:
        again = read_cells(source, path, connection, schema_of(ZFXXGK, "applications"))
    assert again.columns["收到日期"].to_pylist() == ["2020-03-02 00:30:00"]


def test_times_that_name_no_zone_are_refused(tmp_path):
    columns = dict(zip(HEADING, ([cell] for cell in RECORD), strict=True))
    table = pa.table(columns | {"收到日期": TYPES["timestamp"]})
    pq.write_table(table, tmp_path / "applications.parquet", use_deprecated_int96_timestamps=True)
    error = refused(tmp_path)
    assert (error.reason, error.fields["column"]) == ("ledger-type", "收到日期")


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (pa.array([12.000000000000002]), "12"),
        (pa.array([12.0]), "12"),
        (pa.array([12]), "12"),
        (pa.array([Decimal("12")]), "12"),
        (pa.array(["012"]), "012"),
    ],
)
def test_a_key_in_types_of_parquet(key, text, tmp_path):
    columns = dict(zip(HEADING, ([cell] for cell in RECORD), strict=True))
    pq.write_table(pa.table(columns | {"登记号": key}), tmp_path / "applications.parquet")
    assert read(tmp_path).frame["登记号"].tolist() == [text]


@pytest.mark.parametrize(
    "cells",
    [pa.array([["x"]]), pa.array([{"a": 1}]), pa.array([b"x"]), pa.array([1], pa.duration("s")),
     pa.array([1.5], pa.float32())],
)  # fmt: skip
def test_what_is_no_cell_is_refused_with_its_column(cells, tmp_path):
    columns = dict(zip(HEADING, ([cell] for cell in RECORD), strict=True))
    table = pa.table(columns | {"登记号": pa.array(cells)})
    pq.write_table(table, tmp_path / "applications.parquet")
    error = refused(tmp_path)
    assert (error.reason, error.fields["column"]) == ("ledger-type", "登记号")


def test_a_nested_column_that_is_not_read_is_no_matter(tmp_path):
    columns = dict(zip(HEADING, ([cell] for cell in RECORD), strict=True))
    pq.write_table(pa.table(columns | {"附件": [["x"]]}), tmp_path / "applications.parquet")
    assert len(read(tmp_path).frame) == 1


def test_a_rounded_number_in_parquet_is_no_key(tmp_path):
    columns = dict(zip(HEADING, ([cell] * 200 for cell in RECORD), strict=True))
    columns["登记号"] = [float(n) for n in range(199)] + [350203199001011234.0]
    pq.write_table(pa.table(columns), tmp_path / "applications.parquet")
    ledger = read(tmp_path)
    assert [(v.rule, v.place) for v in ledger.violations] == [("L-rounded", "200")]


def test_a_cut_off_parquet_file_is_refused(tmp_path):
    path = tmp_path / "applications.parquet"
    pq.write_table(pa.table(dict(zip(HEADING, ([c] for c in RECORD), strict=True))), path)
    path.write_bytes(path.read_bytes()[:-20])
    assert refused(tmp_path).reason == "ledger-unreadable"
