import datetime as dt
import re
import time

import openpyxl
import pandas as pd
import pytest
from shipped import ZFXXGK

from reportkit.errors import InputError
from reportkit.ledgers import find_files, read_ledger
from reportkit.ledgers.intake import unread_files
from reportkit.proof.recount.rawledgers import SUMS

HEADING = ["登记号", "申请人类型", "收到日期", "答复日期", "办理结果", "申请人", "联系电话"]
RECORDS = [
    ["依〔2020〕1号", "自然人", "2020-03-02", "2020-03-20", "予以公开", "张三", "000-1"],
    ["依〔2020〕2号", "商业企业", "2020-05-06", "2020-05-28", "1.本机关不掌握相关政府信息", "", ""],
    ["依〔2020〕3号", "自然人", "2020-12-30", "", "", "李四", "000-2"],
]


def csv_text(rows, delimiter=","):
    return "\r\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows) + "\r\n"


def write_csv(folder, rows, encoding="utf-8", delimiter=",", name="applications.csv"):
    (folder / name).write_bytes(csv_text(rows, delimiter).encode(encoding))


def write_xlsx(folder, rows, name="依申请公开台账.xlsx"):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(folder / name)


def dated(record):
    days = [dt.date.fromisoformat(cell) if cell else None for cell in record[2:4]]
    return [*record[:2], *days, *record[4:]]


def read(folder):
    return read_ledger(
        ZFXXGK, "applications", find_files(ZFXXGK, folder, "applications"), root=folder
    )


def test_personal_columns_stay_behind(tmp_path):
    write_csv(tmp_path, [HEADING, *RECORDS])
    ledger = read(tmp_path)
    assert "联系电话" not in ledger.frame
    assert "张三" not in ledger.frame.to_csv()
    assert ledger.frame["申请人"].str.fullmatch(r"申请人-[0-9a-f]{12}").tolist() == [
        True,
        False,
        True,
    ]
    assert set(ledger.personal.to_pylist()) >= {"张三", "李四", "000-1", "000-2"}


def test_an_applicant_has_one_pseudonym_and_is_hidden_in_texts(tmp_path):
    heading = [*HEADING, "所需信息"]
    text = "张三要求公开预算，回电13800138000"
    rows = [[f"{n}", *RECORDS[0][1:], text] for n in range(2)]
    write_csv(tmp_path, [heading, *rows])
    frame = read(tmp_path).frame
    assert frame["申请人"].nunique() == 1
    assert set(frame["所需信息"]) == {"〔申请人〕要求公开预算，回电〔手机号码〕"}


def test_persons_of_every_ledger_are_known(tmp_path):
    rows = [
        ["决定书文号", "种类", "决定日期", "机关", "行政相对人"],
        ["厦湖罚〔2020〕1号", "行政处罚", "2020-03-02", "某局", "欧阳小测"],
        ["厦湖罚〔2020〕2号", "行政处罚", "2020-03-02", "某局", "厦门某某贸易有限公司"],
        ["厦湖罚〔2020〕3号", "行政处罚", "2020-03-02", "某局", "自然人"],
        ["厦湖罚〔2020〕4号", "行政处罚", "2020-03-02", "某局", "张某某"],
        ["厦湖罚〔2020〕5号", "行政处罚", "2020-03-02", "某局", "王小测"],
    ]
    write_csv(tmp_path, rows, name="decisions.csv")
    ledger = read_ledger(ZFXXGK, "decisions", find_files(ZFXXGK, tmp_path, "decisions"))
    assert "行政相对人" not in ledger.frame
    assert ledger.personal.to_pylist() == ["欧阳小测", "王小测"]


def test_two_characters_of_an_address_are_no_name(tmp_path):
    heading = [*HEADING[:6], "联系地址"]
    write_csv(tmp_path, [heading, [*RECORDS[0][:6], "江头"], [*RECORDS[2][:6], "江头路1号"]])
    sought = set(read(tmp_path).personal.to_pylist()) - {None}
    assert sought == {"张三", "李四", "江头路1号"}


def test_a_row_knows_its_physical_line(tmp_path):
    rows = [HEADING, *RECORDS]
    rows[1] = ["依〔2020〕\n1号", *RECORDS[0][1:]]
    (tmp_path / "applications.csv").write_text(csv_text(rows), encoding="utf-8", newline="")
    ledger = read(tmp_path)
    assert [ledger.place(row) for row in ledger.frame.index] == [
        ("applications.csv", "2"),
        ("applications.csv", "4"),
        ("applications.csv", "5"),
    ]


def test_a_workbook_row_is_sheet_and_row(tmp_path):
    write_xlsx(tmp_path, [["台账"], HEADING, *map(dated, RECORDS)])
    assert read(tmp_path).place(0) == ("依申请公开台账.xlsx", "Sheet!3")


def test_text_stays_text(tmp_path):
    rows = [[f"{i:03}", *record[1:]] for i, record in enumerate(RECORDS)]
    rows[1][0] = "NA"
    write_csv(tmp_path, [HEADING, *rows])
    assert read(tmp_path).frame["登记号"].tolist() == ["000", "NA", "002"]


def many(change):
    """A hundred and one good records and one changed: few enough to be rejected, not refused."""
    rows = [[f"{i:03}", *RECORDS[0][1:]] for i in range(101)]
    return [HEADING, *rows, change]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (["101", "自然人", "2020-13-02", "2020-03-20", "予以公开", "", ""], "L-value"),
        (["101", "外星人", "2020-03-02", "2020-03-20", "予以公开", "", ""], "L-value"),
        (["101", "", "2020-03-02", "2020-03-20", "予以公开", "", ""], "L-empty"),
        (["101", "自然人", "2020-03-02", "2020-03-01", "予以公开", "", ""], "L-dates"),
        (["101", "自然人", "2020-03-02", "", "予以公开", "", ""], "L-outcome"),
        (["101", "自然人", "2020-03-02", "2020-03-20", "", "", ""], "L-outcome"),
        (["007", "自然人", "2020-03-02", "2020-03-20", "予以公开", "", ""], "L-unique"),
        (["", "自然人", "2020-03-02", "2020-03-20", "予以公开", "", ""], "L-key"),
        (["101", "自然人", "2020-03-02", "2120-03-20", "予以公开", "", ""], "L-range"),
    ],
)
def test_a_bad_record_is_rejected_with_its_place(change, rule, tmp_path):
    write_csv(tmp_path, many(change))
    ledger = read(tmp_path)
    (violation,) = ledger.violations
    assert (violation.rule, violation.file, violation.place) == (rule, "applications.csv", "103")
    assert (ledger.read, len(ledger.frame), len(ledger.refused)) == (102, 101, 1)
    unread = rule in ("L-value", "L-empty", "L-key")
    assert (ledger.quarantined, ledger.rejected) == ((1, 0) if unread else (0, 1))


def test_what_is_refused_is_kept_without_persons(tmp_path):
    rows = [[f"{i:03}", *RECORDS[0][1:], ""] for i in range(101)]
    bad = [
        "101",
        "自然人",
        "2020-13-02",
        "",
        "",
        "王小二",
        "13800138000",
        "王小二的电话13800138000",
    ]
    write_csv(tmp_path, [[*HEADING, "所需信息"], *rows, bad])
    (refused,) = read(tmp_path).refused
    assert (refused["file"], refused["place"]) == ("applications.csv", "103")
    assert refused["cells"]["收到日期"] == "2020-13-02"
    assert refused["cells"]["所需信息"] == "〔申请人〕的电话〔手机号码〕"
    assert "申请人" not in refused["cells"]


def test_what_is_signed_below_a_table_is_set_aside(tmp_path):
    below = [["小计", "3"], ["填表人：王五", "", "", "", "审核人：赵六"], ["说明：不含撤回的"]]
    below = [[*row, *[""] * (7 - len(row))] for row in below]
    write_csv(tmp_path, [HEADING, *RECORDS, *below])
    ledger = read(tmp_path)
    result = [(v.rule, v.place, v.column, v.found) for v in ledger.violations]
    assert result == [
        ("L-sum", "5", "登记号", "小计"),
        ("L-footer", "6", "登记号", ""),
        ("L-footer", "7", "登记号", ""),
    ]
    assert (len(ledger.frame), ledger.set_aside, ledger.refused) == (3, 3, ())


@pytest.mark.parametrize(
    "cell",
    ["合计", "小　计", " 总 计：", "合\xa0计", "本页小计", "全年合计:", "合计（件）", "合计(150)"],
)
def test_a_sum_row_in_its_spellings(cell, tmp_path):
    write_csv(tmp_path, [HEADING, *RECORDS, [cell, *[""] * 6]])
    ledger = read(tmp_path)
    assert (len(ledger.frame), ledger.set_aside, ledger.refused) == (3, 1, ())
    # The second count must leave out the same rows.
    assert re.search(SUMS, cell.strip())


@pytest.mark.parametrize(
    "cell", ["审计", "3月审计", "合计算法", "共计划", "关于合计的说明", "合计（一二三四五六七）"]
)
def test_a_text_that_speaks_of_a_sum_is_none(cell, tmp_path):
    write_csv(tmp_path, [HEADING, *RECORDS, [cell, *RECORDS[0][1:]]])
    assert len(read(tmp_path).frame) == 4


def test_the_heading_of_a_further_page_is_set_aside(tmp_path):
    rows = [["必填", "必填", "必填", "选填", "选填", "", ""], RECORDS[0], HEADING, RECORDS[1]]
    write_csv(tmp_path, [HEADING, *rows])
    ledger = read(tmp_path)
    result = [(v.rule, v.place, v.found) for v in ledger.violations]
    assert result == [("L-heading", "2", "必填"), ("L-heading", "4", "")]
    assert (len(ledger.frame), ledger.set_aside, ledger.refused) == (2, 2, ())
    assert set(ledger.personal.to_pylist()) - {None} == {"张三", "000-1"}


@pytest.mark.parametrize(
    ("second", "differs"),
    [
        (["项目编号", "项目名称", "组织形式", "合同签订日期", "合同金额（万元）"], True),
        (["项目编号", "项目名称", "组织形式", "合同签订日期", "合同金额（千元）"], True),
        (["采购项目编号", "组织形式", "项目名称", "签订日期", "合同金额（元）"], True),
        (["序号", "项目编号", "项目名称", "组织形式", "合同签订日期"], True),
        (["采购项目编号*", "项目 名称", "组织形式 ", "签订日期", "合同金额元"], True),
        (["项目编号", "项目 名称", "组织形式 ", "签订日期", "合同金额元"], False),
    ],
)
def test_a_second_heading_that_differs_is_refused(second, differs, tmp_path):
    first = ["项目编号", "项目名称", "组织形式", "合同签订日期", "合同金额（元）"]
    rows = [[f"P{n}", "桌", "政府集中采购", "2020-03-02", "100"] for n in range(300)]
    write_csv(tmp_path, [first, rows[0], second, *rows[1:]], name="procurement.csv")
    files = find_files(ZFXXGK, tmp_path, "procurement")
    if differs:
        with pytest.raises(InputError, match="csv:3 is a second heading"):
            read_ledger(ZFXXGK, "procurement", files, root=tmp_path)
    else:
        ledger = read_ledger(ZFXXGK, "procurement", files, root=tmp_path)
        assert (len(ledger.frame), ledger.set_aside) == (300, 1)


@pytest.mark.parametrize("write", [write_csv, write_xlsx])
def test_rows_that_are_numbered_and_empty_are_set_aside(write, tmp_path):
    rows = [["1", *RECORDS[0], ""], *([str(n), *[""] * 7, ""] for n in range(2, 30))]
    write(tmp_path, [["序号", *HEADING, "备注"], *rows])
    ledger = read(tmp_path)
    (violation,) = ledger.violations
    assert violation.rule == "L-blank"
    assert violation.place.endswith("3")
    assert re.match(r"28 rows, the last at (Sheet!)?30, ", violation.expected)
    assert (ledger.read, len(ledger.frame), ledger.set_aside) == (29, 1, 28)


def test_a_record_without_its_key_is_no_empty_row(tmp_path):
    write_csv(tmp_path, many(["", "自然人", "", "", "", "", ""]))
    ledger = read(tmp_path)
    assert {v.rule for v in ledger.violations} == {"L-key", "L-empty"}
    assert (ledger.set_aside, ledger.quarantined) == (0, 1)


@pytest.mark.parametrize("key", ["/", "无", "—"])
def test_a_stroke_is_no_key(key, tmp_path):
    write_csv(tmp_path, many([key, *RECORDS[0][1:]]))
    assert [v.rule for v in read(tmp_path).violations] == ["L-key"]


@pytest.mark.parametrize(
    "row",
    [
        ["填表人：", "王五", "审核人", "赵六", "填表日期：2022年1月5日", "", ""],
        ["填报人", "王五", "填报日期", "2021-03-02", "", "", ""],
        ["以下空白", "", "", "", "", "", ""],
    ],
)
def test_a_label_and_what_stands_beside_it_are_signed_below(row, tmp_path):
    write_csv(tmp_path, [HEADING, *RECORDS, row])
    ledger = read(tmp_path)
    assert [(v.rule, v.found) for v in ledger.violations] == [("L-footer", "")]
    assert (len(ledger.frame), ledger.set_aside) == (3, 1)


def test_a_number_shown_short_is_no_key(tmp_path):
    write_csv(tmp_path, many(["2.02103E+11", *RECORDS[0][1:]]))
    (violation,) = read(tmp_path).violations
    assert (violation.rule, violation.found) == ("L-rounded", "2.02103E+11")


def test_numbers_of_persons_shown_short_are_counted_and_not_shown(tmp_path):
    rows = [[*record, "3.50203E+17"] for record in RECORDS]
    write_csv(tmp_path, [[*HEADING, "证件号码"], *rows])
    (violation,) = read(tmp_path).violations
    assert (violation.rule, violation.place, violation.found) == ("L-rounded", "2", "")
    assert violation.expected.startswith("3 numbers were written short")


def test_the_mark_of_a_text_is_no_part_of_numbers(tmp_path):
    rows = [
        ['=""001""', "自然人", '=""2020-03-02""', "\u200e2020/3/20\u200e", "予以公开", "", ""],
        ["'002", "自然人", "'20200302", "2020-03-20", "予以公开", "", ""],
        ["'十四五'规划", *RECORDS[0][1:]],
    ]
    write_csv(tmp_path, [HEADING, *rows])
    frame = read(tmp_path).frame
    assert frame["登记号"].tolist() == ["001", "002", "'十四五'规划"]
    assert frame["收到日期"].nunique() == 1


def test_a_long_list_of_values_is_reported_with_the_nearest(tmp_path):
    write_csv(tmp_path, many(["101", "自然人", "2020-03-02", "2020-03-20", "不予公开", "", ""]))
    (violation,) = read(tmp_path).violations
    assert violation.expected.startswith("not one of 予以公开、部分公开、")
    assert "`reportkit template` lists them" in violation.expected
    assert len(violation.expected) < 250


def test_a_day_before_the_law_is_reported_and_counted(tmp_path):
    write_csv(tmp_path, [HEADING, *RECORDS, ["4", "自然人", "2007-03-02", "", "", "", ""]])
    ledger = read(tmp_path)
    assert [v.rule for v in ledger.violations] == ["L-early"]
    assert len(ledger.frame) == 4


def test_a_document_published_before_it_was_made_is_reported(tmp_path):
    heading = ["文号", "名称", "种类", "成文日期", "公布日期", "废止日期"]
    row = ["1号", "办法", "规范性文件", "2021-03-01", "2021-02-01", ""]
    write_csv(tmp_path, [heading, row], name="documents.csv")
    (violation,) = read_ledger(
        ZFXXGK, "documents", find_files(ZFXXGK, tmp_path, "documents")
    ).violations
    assert (violation.rule, violation.severity) == ("L-published", "warn")


def test_free_text_of_many_records_is_hidden_at_once(tmp_path):
    heading = [*HEADING, "所需信息"]
    rows = [
        [f"{n}", *RECORDS[0][1:5], f"王小{n}", "", f"王小{n}的电话138{n:08}"] for n in range(20_000)
    ]
    write_csv(tmp_path, [heading, *rows])
    start = time.process_time()
    frame = read(tmp_path).frame
    assert set(frame["所需信息"]) == {"〔申请人〕的电话〔手机号码〕"}
    # Changed one by one, each change would copy the column: minutes.
    assert time.process_time() - start < 10


@pytest.mark.parametrize("name", ["申请台账.csv", "2021依申请公开台账.xlsx", "x.xls", "y.ET"])
def test_a_table_of_no_ledger_is_reported(name, tmp_path):
    for other in (name, "APPLICATIONS-1.CSV", "~$applications.xlsx", "README.md", ".a.csv"):
        (tmp_path / other).write_text("")
    assert [path.name for path in unread_files(ZFXXGK, tmp_path)] == [name]
    assert [path.name for path in find_files(ZFXXGK, tmp_path, "applications")] == [
        "APPLICATIONS-1.CSV"
    ]


def test_a_file_of_a_ledger_kept_elsewhere_is_reported(tmp_path):
    for name in ("applications.csv", "收费台账2021.xlsx"):
        (tmp_path / name).write_text("")
    result = [path.name for path in unread_files(ZFXXGK, tmp_path, elsewhere={"fees": ["a.csv"]})]
    assert result == ["收费台账2021.xlsx"]


def test_a_table_in_a_folder_within_is_reported(tmp_path):
    (tmp_path / "2021").mkdir()
    for other in ("2021/applications.csv", "2021/notes.md", "旧台账.zip"):
        (tmp_path / other).write_text("")
    assert find_files(ZFXXGK, tmp_path, "applications") == []
    result = [path.relative_to(tmp_path).as_posix() for path in unread_files(ZFXXGK, tmp_path)]
    assert result == ["旧台账.zip", "2021/applications.csv"]


def test_what_is_named_like_the_ledger_is_not_overlooked(tmp_path):
    (tmp_path / "applications.csv").symlink_to(tmp_path / "gone.csv")
    with pytest.raises(InputError, match="a link to no file; mend or remove it"):
        find_files(ZFXXGK, tmp_path, "applications")
    (tmp_path / "applications.csv").unlink()
    (tmp_path / "依申请公开台账2020.ZIP").write_bytes(b"")
    with pytest.raises(InputError, match="unpack it"):
        find_files(ZFXXGK, tmp_path, "applications")


def test_a_record_that_begins_like_a_footer_is_a_record(tmp_path):
    write_csv(tmp_path, [HEADING, *RECORDS, ["说明：4", *RECORDS[0][1:]]])
    assert len(read(tmp_path).frame) == 4


def test_an_extension_without_its_day_is_reported(tmp_path):
    heading = [*HEADING, "延期告知日期", "延期工作日"]
    rows = [[*RECORDS[0], "", "20"], [*RECORDS[1], "2020-05-20", "20"], [*RECORDS[2], "", ""]]
    write_csv(tmp_path, [heading, *rows])
    (violation,) = read(tmp_path).violations
    assert (violation.rule, violation.place, violation.found) == ("L-extension-undated", "2", "20")


@pytest.mark.parametrize("large", [False, True])
def test_a_file_written_to_while_it_is_read_is_refused(large, tmp_path):
    rows = [[f"依{n}", *RECORDS[0][1:]] for n in range(60_000 if large else 1)]
    write_csv(tmp_path, [HEADING, *rows])

    path = tmp_path / "applications.csv"
    size = path.stat().st_size

    def write(*_):
        if path.stat().st_size == size:
            path.write_bytes(path.read_bytes() + b"\n")

    with pytest.raises(InputError, match="written to while it was read"):
        read_ledger(
            ZFXXGK,
            "applications",
            find_files(ZFXXGK, tmp_path, "applications"),
            root=tmp_path,
            tell=write,
        )


def test_rows_are_reported_while_they_are_read(tmp_path):
    write_csv(tmp_path, [HEADING, *RECORDS])
    write_xlsx(tmp_path, [HEADING, *map(dated, RECORDS)], name="applications2.xlsx")
    result = []
    with pytest.raises(InputError, match="L-unique"):
        read_ledger(
            ZFXXGK,
            "applications",
            find_files(ZFXXGK, tmp_path, "applications"),
            root=tmp_path,
            tell=lambda name, rows: result.append((name, rows)),
        )
    assert result == [("applications.csv", 3), ("applications2.xlsx", 3)]


def test_many_bad_records_refuse_the_ledger_and_tell_all(tmp_path):
    bad = [[str(i), "自然人", "2020-13-40", "", "", "", ""] for i in range(3)]
    write_csv(tmp_path, [HEADING, *bad])
    with pytest.raises(InputError) as error:
        read(tmp_path)
    assert error.value.reason == "ledger-rejected"
    assert "收到日期 '2020-13-40' ×3 (applications.csv:2, 3, 4): month must" in error.value.message


def test_a_missing_column_is_named_with_what_is_near(tmp_path):
    heading = ["登记号", "申请人类型", "收件日期", "答复日期", "办理结果", "申请人", "联系电话"]
    write_csv(tmp_path, [heading, *RECORDS])
    with pytest.raises(InputError, match=r"收到日期.*收件日期") as error:
        read(tmp_path)
    assert error.value.reason == "ledger-column"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "ledger-heading"),
        ("随便什么\n1,2\n".encode(), "ledger-heading"),
        (csv_text([HEADING, *RECORDS]).encode("gb18030")[:-5] + b"\x81", "ledger-encoding"),
        ((csv_text([HEADING]) + '"a","b"\r\n').encode(), "ledger-ragged"),
        ((csv_text([HEADING]) + '"a\x00"\r\n').encode(), "ledger-unreadable"),
        ((csv_text([HEADING]) + '"a').encode(), "ledger-unreadable"),
    ],
)
def test_a_file_that_cannot_be_read_whole_is_refused(content, reason, tmp_path):
    (tmp_path / "applications.csv").write_bytes(content)
    with pytest.raises(InputError) as error:
        read(tmp_path)
    assert error.value.reason == reason
    assert "applications.csv" in str(error.value)


def test_an_error_cell_is_refused_with_its_cell(tmp_path):
    write_xlsx(tmp_path, [HEADING, *map(dated, RECORDS), ["依4", "自然人", "#N/A", None, None]])
    with pytest.raises(InputError, match="C5") as error:
        read(tmp_path)
    assert error.value.reason == "ledger-error-cell"


def test_what_is_no_workbook_is_refused(tmp_path):
    (tmp_path / "applications.xlsx").write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(InputError) as error:
        read(tmp_path)
    assert error.value.reason == "ledger-unreadable"


def test_a_heading_alone_is_an_empty_ledger(tmp_path):
    write_csv(tmp_path, [HEADING])
    ledger = read(tmp_path)
    assert (ledger.read, len(ledger.frame)) == (0, 0)
    assert pd.api.types.is_datetime64_any_dtype(ledger.frame["收到日期"].dtype)


@pytest.mark.parametrize(
    "suffix", [".xlsb", ".et", ".xml", ".dbf", ".HTML", ".zip", ".txt", ".tsv"]
)
def test_a_file_of_another_kind_is_not_overlooked(suffix, tmp_path):
    (tmp_path / f"依申请公开台账2020{suffix}").write_bytes(b"x")
    with pytest.raises(InputError, match=r"save it as \.xlsx|unpack it"):
        find_files(ZFXXGK, tmp_path, "applications")


@pytest.mark.parametrize("name", ["passwd", "register.txt", "台账.DOCX"])
def test_a_named_file_of_another_kind_is_refused(name, tmp_path):
    (tmp_path / name).write_text("a")
    with pytest.raises(InputError, match="of a kind that is not read") as error:
        read_ledger(ZFXXGK, "fees", [tmp_path / name], root=tmp_path)
    assert error.value.reason == "ledger-format"


def test_a_scan_named_like_the_ledger_is_reported(tmp_path):
    for name in ("依申请公开台账2020.pdf", "applications.csv", "~$applications.xlsx", "备注.pdf"):
        (tmp_path / name).write_bytes(b"x")
    assert [path.name for path in unread_files(ZFXXGK, tmp_path)] == ["依申请公开台账2020.pdf"]


def test_amounts_under_a_heading_in_wan(tmp_path):
    rows = [["编号", "项目编码", "收费日期", "金额（万元）"], ["1", "a", "2021-02-03", "1.25"]]
    write_csv(tmp_path, rows, name="fees.csv")
    ledger = read_ledger(ZFXXGK, "fees", find_files(ZFXXGK, tmp_path, "fees"))
    assert str(ledger.frame["金额（元）"].sum()).rstrip("0") == "12500."


def test_files_in_different_units_add_up(tmp_path):
    for unit, amount, name in (("万元", "1.25", "fees-1.csv"), ("元", "0.5", "fees-2.csv")):
        rows = [
            ["编号", "项目编码", "收费日期", f"金额（{unit}）"],
            [name, "a", "2021-02-03", amount],
        ]
        write_csv(tmp_path, rows, name=name)
    ledger = read_ledger(ZFXXGK, "fees", find_files(ZFXXGK, tmp_path, "fees"))
    assert [float(amount) for amount in ledger.frame["金额（元）"]] == [12500.0, 0.5]
