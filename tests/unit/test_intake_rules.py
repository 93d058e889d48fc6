"""Rows that are no records, keys that are alike, headings that are not read, problems in groups."""

import csv
import io

import pytest
from shipped import ZFXXGK

from reportkit.errors import InputError
from reportkit.ledgers import read_ledger
from reportkit.ledgers.records import Violation, grouped
from reportkit.proof.record import ledger_record
from reportkit.proof.recount.sqlledger import ROW, Wanted, read_again
from reportkit.worktime import work_calendar

FEES = ["编号", "项目编码", "收费日期", "金额（元）"]
APPLICATIONS = ["登记号", "申请人类型", "收到日期", "答复日期", "办理结果"]
RECORD = ["自然人", "2020-03-02", "2020-03-20", "予以公开"]


def written(path, rows):
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def read(key, tmp_path, rows, name="a.csv"):
    """The ledger, if the second engine counts the same rows."""
    path = written(tmp_path / name, rows)
    ledger = read_ledger(ZFXXGK, key, [path], root=tmp_path, refuse=False)
    if not ledger.refused:
        wanted = [Wanted(ZFXXGK, ledger_record(ledger, keyed=False), [path])]
        (raw,) = read_again(tmp_path, wanted, work_calendar()).values()
        query = f'SELECT "{ROW}" FROM {raw.table} ORDER BY "{ROW}"'
        there = raw.connection.sql(query).to_arrow_table()[ROW].to_pylist()
        assert there == ledger.frame.index.tolist()
    return ledger


def findings(ledger, *rules):
    found = [(v.rule, v.place, v.column, v.found) for v in ledger.violations]
    return [one for one in found if one[0] in rules] if rules else found


@pytest.mark.parametrize(
    ("row", "counts"),
    [
        # 合计 in a column of the ledger, and no key or no day.
        (["合计", "", "", "500", ""], False),
        (["", "合计", "", "500", ""], False),
        (["9", "合计", "", "500", ""], False),
        (["合计", "", "2021-12-31", "500", ""], False),
        (["——", "小　计：", "2021-12-31", "500", ""], False),
        # In a column of no ledger, and neither.
        (["", "", "", "500", "合计"], False),
        (["／", "A", "-", "500", "本月合计"], False),
        # A record whose note or code says so.
        (["9", "A", "2021-12-31", "500", "本月合计"], True),
        (["9", "合计", "2021-12-31", "500", ""], True),
        (["9", "A", "2021-12-31", "500", "合计"], True),
        (["9", "第一季度小计", "2021-03-31", "500", ""], True),
        (["9", "1-6月累计", "2021-06-30", "500", ""], True),
        (["全区总计", "A", "2021-12-31", "500", ""], True),
    ],
)
def test_a_sum_row_lacks_its_key_or_day(row, counts, tmp_path):
    rows = [[*FEES, "摘要"], ["1", "A", "2021-01-31", "300", ""], row]
    ledger = read("fees", tmp_path, rows)
    assert (len(ledger.frame), ledger.set_aside) == ((2, 0) if counts else (1, 1))
    assert [one[0] for one in findings(ledger)] == ["L-odd" if counts else "L-sum"]


def test_months_that_each_call_themselves_a_sum_are_records(tmp_path):
    months = [[str(n), "A", f"2021-{n:02}-28", "5", "本月合计"] for n in range(1, 13)]
    ledger = read("fees", tmp_path, [[*FEES, "摘要"], *months])
    assert (len(ledger.frame), findings(ledger)) == (12, [])
    for row in months:
        row[-1] = f"{row[0]}月合计"
    assert findings(read("fees", tmp_path, [[*FEES, "摘要"], *months])) == []
    year = ["2021", "A", "2021-12-31", "60", "本年累计"]
    ledger = read("fees", tmp_path, [[*FEES, "摘要"], *months, year])
    assert [v[:2] for v in findings(ledger)] == [("L-odd", "14")]


@pytest.mark.parametrize(
    "key",
    ["1月合计", "累计数", "Total", "汇总", "（例）依〔2020〕1号", "样本", "测试", "××",
     "XX〔2020〕X号", "***", "依〔2020〕7号（作废）", "依〔2020〕7号、8号", "7号至9号"],
)  # fmt: skip
def test_a_key_that_reads_like_no_record_is_reported(key, tmp_path):
    rows = [FEES, [key, "A", "2021-01-31", "300"], ["2", "A", "2021-01-31", "300"]]
    ledger = read("fees", tmp_path, rows)
    assert [v[:3] for v in findings(ledger)] == [("L-odd", "2", "编号")]
    assert len(ledger.frame) == 2


def test_keys_of_which_most_read_like_none_are_meant(tmp_path):
    rows = [[f"XX-{n}", "A", "2021-01-31", "300"] for n in range(50)]
    assert findings(read("fees", tmp_path, [FEES, *rows])) == []


@pytest.mark.parametrize(
    "key", ["3月1日", "1-Mar", "Mar-01", "2020/3/1", "2020年3月1日", "0:01", "2020/3/1 0:00"]
)
def test_a_key_that_became_a_day_is_reported(key, tmp_path):
    rows = [FEES, [key, "A", "2021-01-31", "300"], ["3-1", "A", "2021-01-31", "300"]]
    assert findings(read("fees", tmp_path, rows)) == [("L-day", "2", "编号", key)]


@pytest.mark.parametrize("key", ["2.02103E+11", "2.02103e+11", "2E+05"])
def test_a_key_written_short_is_refused(key, tmp_path):
    ledger = read("fees", tmp_path, [FEES, [key, "A", "2021-01-31", "300"]])
    assert findings(ledger) == [("L-rounded", "2", "编号", key)]


@pytest.mark.parametrize(
    ("heading", "column"),
    [("是否延期", "延期告知日期"), ("延期原因", "延期告知日期"), ("是否补正", "补正收到日期"),
     ("是否征求第三方意见", "征求意见回复日期")],
)  # fmt: skip
@pytest.mark.parametrize("there", [True, False])
def test_records_of_which_another_column_says_so_are_reported(heading, column, there, tmp_path):
    said = ["是", "否", "", "已发函", "不予", "N"]
    days = ["2020-01-08", "", "", "", "", ""]
    rows = [[*APPLICATIONS, heading, *[column] * there]]
    rows += [
        [str(n), "自然人", "2020-01-05", "2020-01-15", "予以公开", one, *[days[n]] * there]
        for n, one in enumerate(said)
    ]
    ledger = read("applications", tmp_path, rows)
    found = [(v.place, v.column) for v in ledger.violations if "says so" in v.expected]
    assert found == [("2", column)] * (not there) + [("5", column)]


@pytest.mark.parametrize(
    "key",
    ["示例", "示例1", "（示例）", "【例】", "例1", "样例", "填写示例", "例：依〔2020〕1号",
     "例如：1", "示例: 001", "\u200b例：1", "示例-001"],
)  # fmt: skip
def test_an_example_is_set_aside(key, tmp_path):
    ledger = read("applications", tmp_path, [APPLICATIONS, [key, *RECORD], ["依1", *RECORD]])
    assert ledger.frame["登记号"].tolist() == ["依1"]
    assert [one[:3] for one in findings(ledger)] == [("L-example", "2", "登记号")]


@pytest.mark.parametrize(
    "key", ["例字〔2020〕1号", "条例1", "案例：1", "判例2", "比例1号", "例外1"]
)
def test_a_key_with_such_a_character_is_a_key(key, tmp_path):
    assert len(read("applications", tmp_path, [APPLICATIONS, [key, *RECORD]]).frame) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("依〔2021〕1号", "依[2021]1号"),
        ("依〔2021〕1号", "依﹝2021﹞1号"),
        ("依(2021)1号", "依（２０２１）１号"),
        ("依【2021】1号", "依〔2021〕 1号"),
        ("依〔2021〕1号", "依〔2021〕01号"),
        ("依〔2021〕1号", "依〔2021〕\u200b1号"),
        ("YSQ-2021-007", "ysq-2021-7"),
        ("2021–1", "2021-1"),
        ("⾏1", "行1"),
        ("依〔2021〕1号", "依（2021年）第1号"),
        ("依〔2021〕1号", "依〔2021〕1"),
        ("2021/1", "2021_1"),
        ("依1号。", "依1号"),
        ("依〔2021〕1号", "依2021-1"),
    ],
)
def test_one_key_in_two_spellings_is_reported(one, other, tmp_path):
    rows = [APPLICATIONS, *([key, *RECORD] for key in ("依9", one, other, "依10", "依100"))]
    ledger = read("applications", tmp_path, rows)
    assert [v[:3] for v in findings(ledger, "L-like-key")] == [("L-like-key", "4", "登记号")]
    assert ledger.violations[0].expected.startswith(f"spelt as '{one}' at a.csv:3")
    assert len(ledger.frame) == 5


def test_keys_of_the_year_are_different_keys(tmp_path):
    keys = ["1", "10", "100", "1-1", "11", "依〔2020〕1号", "依〔2021〕1号", "依〔202〕11号"]
    ledger = read("applications", tmp_path, [APPLICATIONS, *([key, *RECORD] for key in keys)])
    assert findings(ledger) == []


def test_a_value_unknown_to_the_form_is_reported_once(tmp_path):
    heading = ["项目编号", "项目名称", "组织形式", "合同签订日期", "合同金额（元）"]
    kinds = ["政府集中采购", "集采", "集采", "网上超市", "集中采购", "分散采购"]
    rows = [[f"{n}", "a", kind, "2020-06-01", "1"] for n, kind in enumerate(kinds)]
    ledger = read("procurement", tmp_path, [heading, *rows])
    assert findings(ledger) == [
        ("L-other", "3", "组织形式", "集采"),
        ("L-other", "5", "组织形式", "网上超市"),
    ]
    assert (
        "counted as none of them (2 records)"
        in grouped(ledger.violations)[0] + grouped(ledger.violations)[1]
    )


def test_values_unknown_to_the_form_are_reported_in_order(tmp_path):
    heading = ["项目编号", "项目名称", "组织形式", "合同签订日期", "合同金额（元）"]
    kinds = ["丙", "甲", "丁", "乙", "己", "戊", "庚"]
    rows = [[f"{n}", "a", kind, "2020-06-01", "1"] for n, kind in enumerate(kinds)]
    ledger = read("procurement", tmp_path, [heading, *rows])
    assert [v.place for v in ledger.violations] == ["2", "3", "4", "5", "6", "7", "8"]


@pytest.mark.parametrize(
    ("heading", "column", "follows"),
    [
        ("延期告知书送达时间", "延期告知日期", "no extension is counted"),
        ("是否延期", "延期告知日期", "counts as late"),
        ("是否延长答复期限", "延期告知日期", "no extension is counted"),
        ("收到时间", "收到日期", "收到日期 is read from '收到日期'"),
        ("征求意见答复日期", "征求意见回复日期", "counted as our own"),
        ("补正通知日期", "补正告知日期", "rename it or map it"),
    ],
)
def test_a_heading_that_is_not_read_is_reported(heading, column, follows, tmp_path):
    ledger = read("applications", tmp_path, [[*APPLICATIONS, heading], ["依1", *RECORD, ""]])
    assert findings(ledger) == [("L-unread", "heading", column, heading)]
    assert follows in ledger.violations[0].expected


def test_a_note_that_a_record_is_none_is_reported(tmp_path):
    notes = ["作废", "申请人撤回，不计入", "关于公章作废的申请", "已办结", ""]
    rows = [["依" + str(n), *RECORD, note, note] for n, note in enumerate(notes)]
    ledger = read("applications", tmp_path, [[*APPLICATIONS, "备 注", "所需信息"], *rows])
    found = [("L-odd", place, "备 注", "") for place in ("2", "3", "4")]
    assert (findings(ledger), len(ledger.frame)) == (found, 5)


def test_a_row_of_several_records_is_reported(tmp_path):
    rows = [["依" + str(n), *RECORD, many] for n, many in enumerate(["1", "3", "", "12件", "第2"])]
    ledger = read("applications", tmp_path, [[*APPLICATIONS, "件数"], *rows])
    found = [("L-odd", place, "件数", "") for place in ("3", "5")]
    assert (findings(ledger), len(ledger.frame)) == (found, 5)


@pytest.mark.parametrize(
    ("amount", "heading", "units", "refused"),
    [
        ("金额（元）", "单位", ["元", "万元"], True),
        ("金额（万元）", "计量单位", ["元", "万元"], True),
        ("金额（元）", "币种", ["人民币", "美元"], True), ("金额（元）", "币种", ["USD", ""], True),
        ("金额（万元）", "单位", ["万元", "人民币万元"], False),
        ("金额（元）", "缴费单位", ["某公司", "万元小贷公司"], False),
        ("金额（元）", "备注", ["万元", "元"], False),
    ],
)  # fmt: skip
def test_another_unit_beside_an_amount_is_refused(amount, heading, units, refused, tmp_path):
    rows = [[str(n), "A", "2021-01-31", "300", unit] for n, unit in enumerate(units)]
    rows = [["编号", "项目编码", "收费日期", amount, heading], *rows]
    if refused:
        with pytest.raises(InputError, match=f"below '{heading}'") as error:
            read("fees", tmp_path, rows)
        assert error.value.reason == "ledger-unit"
    else:
        assert len(read("fees", tmp_path, rows).frame) == 2


@pytest.mark.parametrize("heading", ["备注", "序号", "法律依据", "送达方式", "标题", "经办人"])
def test_a_heading_near_nothing_is_not_reported(heading, tmp_path):
    ledger = read("applications", tmp_path, [[*APPLICATIONS, heading], ["依1", *RECORD, ""]])
    assert findings(ledger) == []
    assert ledger.sources[0].titles == (*APPLICATIONS, heading)


def test_thousands_of_bad_records_are_reported_in_a_few_lines(tmp_path):
    rows = [[f"依{n}", "外星人", f"2020-13-{n % 40:02}", "", ""] for n in range(5_000)]
    with pytest.raises(InputError) as error:
        read_ledger(ZFXXGK, "applications", [written(tmp_path / "a.csv", [APPLICATIONS, *rows])])
    lines = error.value.message.splitlines()
    assert len(lines) == 13
    assert lines[0].startswith("5000 of 5000 records of 依申请公开台账 are rejected")
    assert lines[1].startswith("申请人类型 '外星人' ×5000 (")
    assert "a.csv:2, 3, 4 …): not one of 自然人" in lines[1]
    assert lines[2].startswith("收到日期 '2020-13-00' ×125 (")
    assert lines[-1] == "收到日期: 30 further values, in 3750 records [L-value]"


def test_what_is_alike_stands_once_with_its_files():
    def one(file, place, found="已公开", rule="L-value"):
        return Violation("applications", file, place, rule, "reject", "办理结果", found, "no value")

    many = [one("a.csv", "2"), one("b.csv", "7"), one("b.csv", "9"), one("c.csv", "4")]
    assert grouped([*many, one("a.csv", "3", "公开了")]) == [
        "办理结果 '已公开' ×4 (a.csv:2; b.csv:7, 9 …): no value [L-value]",
        "a.csv:3: 办理结果 reads '公开了': no value [L-value]",
    ]


def test_a_refused_ledger_keeps_its_counts(tmp_path):
    rows = [["1", "A", "2021-01-31", "1200¹"], ["2", "A", "2021-01-31", "3"], ["合计", "", "", "4"]]
    ledger = read("fees", tmp_path, [FEES, *rows])
    assert ledger.account == {
        "read": 3,
        "accepted": 1,
        "quarantined": 1,
        "rejected": 0,
        "set_aside": 1,
    }
