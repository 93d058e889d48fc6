"""Looks of a cell: its value is right, or reported, or refused with its place; read twice."""

import datetime as dt
import re
import zipfile
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import xlsxwriter
import xlwt
from sheets import Cell, Table, save
from shipped import ZFXXGK

from reportkit.errors import InputError, ReportkitError
from reportkit.ledgers import read_ledger, schema_of
from reportkit.ledgers.readers.files import read_file
from reportkit.ledgers.schema import map_headings
from reportkit.proof.recount.rawledgers import read_cells

DAY = dt.date(2020, 3, 2)
SAVED = Path(__file__).parents[1] / "data/workbooks"
FORMATS = ["xlsx", "xls", "ods"]
YUAN, WAN = "合同金额（元）", "合同金额（万元）"


def rows(*amounts, unit=YUAN, **change):
    """A purchase for each amount; a change is of the first one's cells."""
    names = ["项目编号", "项目名称", "组织形式", "合同签订日期", unit]
    made = [[f"采{n}", "办公设备", "政府集中采购", DAY, cell] for n, cell in enumerate(amounts, 1)]
    for name, cell in change.items():
        made[0][names.index(name)] = cell
    return [names, *made]


def findings(ledger):
    return [(v.rule, v.place.partition("!")[2]) for v in ledger.violations]


def read(path):
    """The ledger, if both readers see the same in its workbook."""
    ledger = read_ledger(ZFXXGK, "procurement", [path], root=path.parent)
    schema = schema_of(ZFXXGK, "procurement")
    for table in read_file(path, schema, name=path.name):
        mapped = map_headings(list(table.columns), schema, path.name, "procurement")
        source = {
            "path": path.name,
            "format": path.suffix[1:],
            "sheet": table.sheet,
            "encoding": None,
            "columns": {name: heading for name, (heading, _) in mapped.items()},
        }
        with duckdb.connect() as connection:
            again = read_cells(source, path, connection, schema)
        assert again.lines.tolist() == table.lines.tolist()
        assert again.epoch == table.epoch
        for name, (heading, _) in mapped.items():
            cells = [cell.strip() for cell in table.columns[heading].to_pylist()]
            assert cells == again.columns[name].to_pylist()
    return ledger


def amounts(ledger):
    return [format(amount.normalize(), "f") for amount in ledger.frame["合同金额（元）"]]


def refused(path):
    with pytest.raises(InputError) as error:
        read_ledger(ZFXXGK, "procurement", [path], root=path.parent)
    return error.value.reason, error.value.fields.get("cell")


@pytest.fixture(params=FORMATS)
def path(request, tmp_path):
    return tmp_path / f"procurement.{request.param}"


def test_plain_cells_are_read_by_both_readers(path):
    ledger = read(save(path, Table(rows(300, 3.3000000000000003, "1,234.50", 1234567890.25))))
    assert amounts(ledger) == ["300", "3.3", "1234.5", "1234567890.25"]
    assert ledger.frame["合同签订日期"].dt.date.tolist() == [DAY] * 4
    assert findings(ledger) == []


@pytest.mark.parametrize(
    ("unit", "format_", "reason"),
    [
        (YUAN, "0.0,", "ledger-shown"), (WAN, "0.0,", "ledger-shown"),
        (YUAN, "0%", "ledger-shown"), (YUAN, '0.0"万元"', "ledger-shown"),
        (WAN, '0.0"万元"', None), (YUAN, "0", None),
    ],
)  # fmt: skip
def test_heading_format_and_value_must_agree(unit, format_, reason, path):
    save(path, Table(rows(1, Cell(12, format_), unit=unit)))
    if reason:
        assert refused(path) == (reason, "E3")
    else:
        assert amounts(read(path)) == (["10000", "120000"] if unit == WAN else ["1", "12"])


@pytest.mark.parametrize(
    ("code", "unit", "right"),
    [
        ("0!.0,", WAN, False), ("0\\.0,", WAN, False), ('0"."0000', WAN, False),
        ("#,##0.00,,", YUAN, False), ("0‰", YUAN, False), ('0.00"亿元"', WAN, False),
        ("[>=10000]0!.0,\"万\";0", YUAN, False), ("[$元-804]0.00", WAN, False),
        ("[$$-409]#,##0.00", YUAN, False), ('0.00"美元"', YUAN, False),
        ('0.00"萬元"', YUAN, False), ('0"k"', YUAN, False), ('0"0000"', YUAN, False),
        ('0\\0\\0', YUAN, False), ("#,##0\"'000\"", YUAN, False), ('"1"0', YUAN, False),
        ('0.00"e4"', YUAN, False), ('0"仟"', YUAN, False), ("[$kr] 0", YUAN, False),
        ('"人民币"0"元整"', YUAN, True), ('0.00"元/月"', YUAN, True),
        ("[$￥-804]#,##0.00", YUAN, True), ("[$CNY] 0.00", YUAN, True),
        ('_ ¥* #,##0.00_ ;_ ¥* -#,##0.00_ ;_ ¥* "-"??_ ;_ @_ ', YUAN, True),
        ('#,##0.00"元"', YUAN, True), ("[DBNum2][$-804]General", YUAN, True),
        ("0.00_);[Red]\\(0.00\\)", YUAN, True), ("0.00E+00", YUAN, True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("suffix", ["xlsx", "xls"])
def test_formats_as_spreadsheets_spell_them(suffix, code, unit, right, tmp_path):
    path = save(tmp_path / f"procurement.{suffix}", Table(rows(Cell(500, code), unit=unit)))
    if right:
        assert amounts(read(path)) == ["500"]
    else:
        assert refused(path) == ("ledger-shown", "E2")


@pytest.mark.parametrize("suffix", ["xlsx", "xls"])
def test_a_format_may_write_its_unit_short(suffix, tmp_path):
    path = tmp_path / f"procurement.{suffix}"
    assert amounts(read(save(path, Table(rows(Cell(12, '0.0"万"'), unit=WAN))))) == ["120000"]
    save(path, Table(rows(Cell(12, '0.0"万"'), unit=YUAN)))
    assert refused(path) == ("ledger-shown", "E2")


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        (Cell(12.345, "0.0"), "L-shown"), (Cell(12.5, "0"), "L-shown"),
        (Cell(12, ";;;"), "L-shown"),
        (Cell(12, '"已付"'), "L-shown"), (Cell(-12, "0.00;[Red]0.00"), "L-shown"),
        (Cell(12, "[White]0"), "L-shown"), (Cell(12, '"-"0'), "L-shown"),
        (Cell(12, "(0)"), "L-shown"),
        (Cell(12, "-0;0"), "L-shown"), (Cell(12.5, "@"), None), (Cell(-12, "0;[$-804]-0"), None),
        (Cell(123456, "0.00E+00"), "L-shown"),
        (Cell(12.3, "0.00"), None), (Cell(-12, "0.00_);(0.00)"), None), (Cell(0, '0;-0;"-"'), None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("suffix", ["xlsx", "xls"])
def test_a_number_shown_short_counts_and_is_reported(suffix, cell, rule, tmp_path):
    ledger = read(save(tmp_path / f"procurement.{suffix}", Table(rows(cell))))
    assert amounts(ledger) == [format(Decimal(str(cell.value)), "f")]
    assert findings(ledger) == [(rule, "E2")] * bool(rule)


def test_a_struck_run_is_left_out_and_reported(tmp_path):
    old_and_new = Cell(runs=(("12", "struck"), ("15", "")))
    ledger = read(save(tmp_path / "procurement.xlsx", Table(rows(300, old_and_new))))
    assert amounts(ledger) == ["300", "15"]
    assert [(v.rule, v.found) for v in ledger.violations] == [("L-struck", "12")]


@pytest.mark.parametrize("suffix", ["xls", "ods"])
def test_a_struck_run_is_refused_unless_read_twice(suffix, tmp_path):
    old_and_new = Cell(runs=(("12", "struck"), ("15", "")))
    path = save(tmp_path / f"procurement.{suffix}", Table(rows(300, old_and_new)))
    assert refused(path) == ("ledger-shown", "E3")


@pytest.mark.parametrize("name", ["项目编号", "组织形式", "合同签订日期", YUAN])
def test_a_raised_sign_is_no_part_of_a_value(name, path):
    value = {
        "项目编号": "采1",
        "组织形式": "政府集中采购",
        "合同签订日期": "2020-03-0",
        YUAN: "300",
    }
    cell = Cell(runs=((value[name], ""), ("1", "raised")))
    save(path, Table(rows(300, **{name: cell})))
    assert refused(path)[0] == "ledger-shown"


def test_a_raised_sign_in_a_title_stays(path):
    ledger = read(save(path, Table(rows(300, 项目名称=Cell(runs=(("30m", ""), ("2", "raised")))))))
    assert ledger.frame["项目名称"].tolist() == ["30m2"]


def test_struck_records_are_counted_and_reported(path):
    table = rows(300, 200, 100)
    table[2] = [Cell(cell, struck=True) for cell in table[2]]
    table[3][4] = Cell(100, struck=True)
    ledger = read(save(path, Table(table)))
    assert amounts(ledger) == ["300", "200", "100"]
    assert findings(ledger) == [("L-struck", "E4"), ("L-struck", "3")]


@pytest.mark.parametrize("suffix", ["xlsx", "xls"])
def test_a_text_with_all_runs_struck_is_struck_out(suffix, tmp_path):
    cell = Cell(runs=(("采", "struck"), ("9", "struck")))
    ledger = read(save(tmp_path / f"procurement.{suffix}", Table(rows(300, 项目编号=cell))))
    assert (ledger.frame["项目编号"].tolist(), findings(ledger)) == (["采9"], [("L-struck", "A2")])


def test_what_is_written_in_white_is_read_and_reported(path):
    white, plain = Cell(300, white=True), Cell(20, white=True, filled=True)
    ledger = read(save(path, Table(rows(white, plain, 5))))
    assert (amounts(ledger), findings(ledger)) == (["300", "20", "5"], [("L-hidden", "E2")])


@pytest.mark.parametrize(
    ("font", "fill", "unseen"),
    [("#FEFEFE", None, 1), ("#FF0000", "#FF0000", 1), ("#FFFFFF", "#F2F2F2", 1),
     ("#FF0000", None, 0), ("#FFFFFF", "#00B050", 0), ("#000000", "#FFFFFF", 0)],
)  # fmt: skip
def test_what_has_the_colour_of_its_ground_is_reported(font, fill, unseen, tmp_path):
    path = tmp_path / "procurement.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("台账")
    heading, record = rows("300")
    sheet.write_row(0, 0, heading)
    look = {"font_color": font} | ({"bg_color": fill} if fill else {})
    sheet.write_row(1, 0, map(str, record), book.add_format(look))
    book.close()
    assert findings(read(path)) == [("L-hidden", f"{one}2") for one in "ABCDE"] * unseen


@pytest.mark.parametrize("suffix", ["xlsx", "xls"])
@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ('"2021-"mm-dd', None),
        ('"2021年1月1日"', "L-shown"),
        ("yyyy年m月", ""),
        ('h"时"', "L-shown"),
        ('m"月"d"日"', "L-shown"),
        ("[$-404]e/m/d", ""),
    ],
)
def test_a_day_that_its_format_shows_otherwise(code, rule, suffix, tmp_path):
    path = tmp_path / f"procurement.{suffix}"
    save(path, Table(rows(1, 合同签订日期=Cell(43892, code))))
    if rule is None:
        assert refused(path) == ("ledger-shown", "D2")
    else:
        ledger = read(path)
        assert ledger.frame["合同签订日期"].dt.date.tolist() == [DAY]
        assert findings(ledger) == [(rule, "D2")] * bool(rule)


@pytest.mark.parametrize(("number", "rule"), [(14, ""), (31, ""), (16, "L-shown"), (58, "L-shown")])
def test_a_day_in_formats_that_no_workbook_spells_out(number, rule, tmp_path):
    path = save(tmp_path / "procurement.xlsx", Table(rows(1, 合同签订日期=Cell(43892, "0.0"))))
    style = rb'(<cellXfs.*?)numFmtId="164"'
    edited(path, style, rb'\g<1>numFmtId="%d"' % number, "xl/styles.xml")
    ledger = read(path)
    assert ledger.frame["合同签订日期"].dt.date.tolist() == [DAY]
    assert findings(ledger) == [(rule, "D2")] * bool(rule)


def test_white_space_in_a_value_is_none_to_both_readers(tmp_path):
    path = save(tmp_path / "procurement.xlsx", Table(rows(300)))
    edited(path, b"<v>300</v>", b"<v> 300\n</v>")
    assert amounts(read(path)) == ["300"]


@pytest.mark.parametrize("suffix", ["xlsx", "ods"])
@pytest.mark.parametrize("look", ["struck", "white", "0.0,", "red"])
def test_what_a_conditional_format_may_show_otherwise_is_reported(look, suffix, tmp_path):
    path = tmp_path / f"procurement.{suffix}"
    ledger = read(save(path, Table(rows(300, 20), conditional=look)))
    assert amounts(ledger) == ["300", "20"]
    assert findings(ledger) == ([] if look == "red" else [("L-shown", "E2, E3")])


def test_an_unstruck_run_in_a_struck_cell(tmp_path):
    path = tmp_path / "procurement.xlsx"
    save(path, Table(rows(1, Cell(struck=True, runs=(("12", ""), ("15", ""))))))
    edited(path, rb"<rPr>.*?</rPr><t>12", b"<t>12", "xl/sharedStrings.xml")
    assert refused(path) == ("ledger-shown", "E3")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("struck-run.ods", "ledger-shown"), ("struck-run.xls", "ledger-shown"),
        ("thousands-if-large.ods", "ledger-shown"), ("conditional.xls", None),
        ("long-key.ods", "L-rounded"),
    ],
)  # fmt: skip
def test_workbooks_that_libreoffice_saved(name, reason):
    path = SAVED / name
    ledger = None
    if reason != "ledger-shown":
        ledger = read_ledger(ZFXXGK, "procurement", [path], refuse=False)
    if ledger is None:
        assert refused(SAVED / name) == (reason, "E3")
    elif reason:
        assert [v.rule for v in ledger.violations if v.severity == "reject"] == [reason]
    else:
        assert (amounts(ledger), findings(ledger)) == (
            ["100", "200", "5"],
            [("L-shown", "E2, E3, E4")],
        )


def test_hidden_rows_and_columns_are_counted_and_reported(path):
    table = Table(rows(*range(1, 7)), hidden=(3, 4), flat=(6,), hidden_column=5)
    ledger = read(save(path, table))
    assert len(ledger.frame) == 6
    assert findings(ledger) == [("L-hidden", "3-4, 6"), ("L-hidden", "E")]


def test_a_number_beside_several_records_is_refused(path):
    save(path, Table(rows(300, None, None, 20), merges=((2, 5, 4, 5),)))
    assert refused(path) == ("ledger-merged", "E2:E4")


def test_a_merged_number_over_empty_rows_is_one_records(path):
    table = rows(300, 20)
    table.insert(2, ["", "", "", "", ""])
    save(path, Table(table, merges=((2, 5, 3, 5),)))
    assert amounts(read_ledger(ZFXXGK, "procurement", [path])) == ["300", "20"]


@pytest.mark.parametrize("suffix", ["xlsx", "xls"])
def test_a_category_beside_several_records_is_each_ones(suffix, tmp_path):
    table = rows(1, 2, 3)
    table[2][2] = table[3][2] = None
    path = save(tmp_path / f"procurement.{suffix}", Table(table, merges=((2, 3, 4, 3),)))
    ledger = read(path)
    assert ledger.frame["组织形式"].tolist() == ["政府集中采购"] * 3
    assert findings(ledger) == [("L-merged", "C2:C4")]


@pytest.mark.parametrize("suffix", ["xlsx", "xls"])
def test_what_a_merged_cell_hides_is_no_value(suffix, tmp_path):
    table = rows(1, 2, 3)
    table = [[*row, buyer] for row, buyer in zip(table, ("采购人", "甲", "乙", "丙"), strict=True)]
    table[2][2] = table[3][2] = "分散采购"
    merges = ((2, 3, 4, 3), (3, 5, 3, 6))
    ledger = read(save(tmp_path / f"procurement.{suffix}", Table(table, merges=merges)))
    assert ledger.frame["组织形式"].tolist() == ["政府集中采购"] * 3
    assert ledger.frame["采购人"].fillna("").tolist() == ["甲", "", "丙"]
    assert ("L-merged", "C3, C4, F3") in findings(ledger)


def test_merged_cells_of_ods_are_not_read_twice(tmp_path):
    table = rows(1, 2)
    table[2][2] = None
    path = save(tmp_path / "procurement.ods", Table(table, merges=((2, 3, 3, 3),)))
    assert len(read_ledger(ZFXXGK, "procurement", [path]).frame) == 2
    with pytest.raises(ReportkitError, match="not read twice"):
        read(path)


def test_ranges_that_overlap_are_refused(tmp_path):
    merges = ((2, 3, 4, 3), (3, 2, 3, 3))
    path = save(tmp_path / "procurement.xlsx", Table(rows(1, 2, 3), merges=merges))
    assert refused(path) == ("ledger-unreadable", None)


def test_a_struck_amount_under_a_merge_in_wan(tmp_path):
    struck = Cell(runs=(("5", "struck"), ("3", "")))
    path = tmp_path / "procurement.xlsx"
    save(path, Table(rows(1.5, struck, 2, unit=WAN), merges=((3, 5, 4, 5),)))
    assert refused(path) == ("ledger-merged", "E3:E4")
    save(path, Table(rows(1.5, struck, 2, unit=WAN), merges=((2, 2, 4, 2), (3, 5, 3, 6))))
    ledger = read(path)
    assert amounts(ledger) == ["15000", "30000", "20000"]
    assert {rule for rule, _ in findings(ledger)} == {"L-struck", "L-merged"}


def test_a_struck_row_without_height_in_another_unit(path):
    table = rows(Cell(1, struck=True), 2, unit=WAN)
    table[1] = [cell if isinstance(cell, Cell) else Cell(cell, struck=True) for cell in table[1]]
    ledger = read(save(path, Table(table, flat=(2,))))
    assert amounts(ledger) == ["10000", "20000"]
    assert findings(ledger) == [("L-hidden", "2"), ("L-struck", "2")]


def test_a_day_in_a_text_column_is_reported(path):
    ledger = read(save(path, Table(rows(1, 项目编号=dt.date(2020, 3, 1)))))
    assert ledger.frame["项目编号"].tolist() == ["2020-03-01"]
    assert findings(ledger) == [("L-day", "A2")]


@pytest.mark.parametrize(("code", "value"), [("000", 7), ("0.00E+00", 2020e10), ("0%", 0.5)])
@pytest.mark.parametrize("suffix", ["xlsx", "xls"])
def test_a_key_that_is_a_number_shown_otherwise_is_reported(suffix, code, value, tmp_path):
    path = tmp_path / f"procurement.{suffix}"
    ledger = read(save(path, Table(rows(1, 项目编号=Cell(value, code)))))
    assert findings(ledger) == [("L-shown", "A2")]


@pytest.mark.parametrize(
    "formula",
    ["=TODAY()", "=NOW()", "=OFFSET(D3,0,0)", '=INDIRECT("D3")', "=DATE(2020,1,1)+RAND()"],
)
def test_a_formula_that_changes_by_itself_is_reported(formula, path):
    cell = Cell(DAY if path.suffix == ".ods" else 43892, "yyyy-mm-dd", formula=formula)
    ledger = read(save(path, Table(rows(1, 2, 合同签订日期=cell))))
    assert ledger.frame["合同签订日期"].dt.date.tolist() == [DAY] * 2
    assert ("L-formula", "D2") in findings(ledger)


def test_a_formula_without_a_value_is_refused(path):
    save(path, Table(rows(1, Cell(formula="=E2+1"))))
    assert refused(path) == ("ledger-formula", "E3")


@pytest.mark.parametrize("suffix", ["xlsx", "ods"])
def test_a_comment_is_reported_and_no_part_of_the_text(suffix, tmp_path):
    path = tmp_path / f"procurement.{suffix}"
    ledger = read(save(path, Table(rows(Cell(300, comment=True), Cell("20", comment=True)))))
    assert amounts(ledger) == ["300", "20"]
    assert findings(ledger) == [("L-comment", "E2, E3")]


def repacked(path, change):
    """The workbook with its parts as *change* leaves them in a dictionary."""
    with zipfile.ZipFile(path) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    change(parts)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, part in parts.items():
            target.writestr(name, part)


SHEET = "xl/worksheets/sheet1.xml"


def edited(path, old, new, part=SHEET):
    def change(parts):
        assert re.search(old, parts[part])
        parts[part] = re.sub(old, new, parts[part], count=1)

    repacked(path, change)


def test_a_tables_row_of_sums_is_set_aside(tmp_path):
    path = tmp_path / "procurement.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("台账")
    heading, *body = rows("300", "20")
    columns = [{"header": title} for title in heading]
    columns[0]["total_string"], columns[4]["total_string"] = "汇总", "320"
    body = [[str(cell) for cell in row] for row in body]
    sheet.add_table(0, 0, 3, 4, {"data": body, "columns": columns, "total_row": True})
    book.close()
    ledger = read(path)
    assert amounts(ledger) == ["300", "20"]
    assert findings(ledger) == [("L-sum", "4")]


def test_a_list_to_choose_from_changes_nothing(tmp_path):
    path = save(tmp_path / "procurement.xlsx", Table(rows(300)))
    listed = b'<dataValidations count="1"><dataValidation type="list" sqref="C2:C99"><formula1>'
    listed += '"政府集中采购,分散采购"</formula1></dataValidation></dataValidations>'.encode()
    edited(path, b"</sheetData>", b"</sheetData>" + listed)
    ledger = read(path)
    assert (amounts(ledger), findings(ledger)) == (["300"], [])


def test_threaded_comments_are_reported(tmp_path):
    path = save(tmp_path / "procurement.xlsx", Table(rows(300)))
    kind = "http://schemas.microsoft.com/office/2017/10/relationships/threadedComment"

    def change(parts):
        parts["xl/worksheets/_rels/sheet1.xml.rels"] = (
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f'<Relationship Id="r" Type="{kind}" Target="../threadedComments/one.xml"/>'
            "</Relationships>"
        ).encode()
        parts["xl/threadedComments/one.xml"] = (
            b'<ThreadedComments xmlns="http://schemas.microsoft.com/office/spreadsheetml/2018/'
            b'threadedcomments"><threadedComment ref="E2"><text>?</text></threadedComment>'
            b"</ThreadedComments>"
        )

    repacked(path, change)
    assert findings(read(path)) == [("L-comment", "E2")]


def test_strict_office_open_xml_is_read(tmp_path):
    path = save(tmp_path / "procurement.xlsx", Table(rows(300, Cell("20", struck=True))))
    old = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relations = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"

    def change(parts):
        for name, part in parts.items():
            new = part.replace(old, b"http://purl.oclc.org/ooxml/spreadsheetml/main")
            purl = b"http://purl.oclc.org/ooxml/officeDocument/relationships"
            parts[name] = new.replace(relations, purl)

    repacked(path, change)
    ledger = read(path)
    assert (amounts(ledger), findings(ledger)) == (["300", "20"], [("L-struck", "E3")])


def test_names_of_parts_as_other_programs_write_them(tmp_path):
    path = save(tmp_path / "procurement.xlsx", Table(rows(300)))

    def change(parts):
        for name in [*parts]:
            if name.startswith("xl/"):
                parts[name.replace("/", "\\").replace("sheet1", "Sheet1")] = parts.pop(name)

    repacked(path, change)
    assert amounts(read_ledger(ZFXXGK, "procurement", [path])) == ["300"]


def test_macros_are_reported_and_not_run(tmp_path):
    path = save(tmp_path / "procurement.xlsm", Table(rows(300)))
    repacked(path, lambda parts: parts.update({"xl/vbaProject.bin": b"x"}))
    ledger = read(path)
    assert (amounts(ledger), [v.rule for v in ledger.violations]) == (["300"], ["L-macros"])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"<v>0</v>", b"<v>99</v>", "台账: A1: it names text 99 of the"),
        (b"<v>300</v>", b"<v>300x</v>", "台账: E2: '300x' is no number"),
        (b"<v>300</v>", b"<v>300</v><v>3</v>", "台账: E2: it has two values"),
        (b"<v>300</v>", b"<v>1e999</v>", "台账: E2: '1e999' is no number"),
        (b"<v>300</v>", b"<v>3_0</v>", "台账: E2: '3_0' is no number"),
        (b"</sheetData>", b'</sheetData><sheetData><row r="9"/></sheetData>', "at row 9"),
    ],
)
def test_a_cell_that_cannot_be_read_is_named(old, new, said, tmp_path):
    path = save(tmp_path / "procurement.xlsx", Table(rows(300)))
    edited(path, old, new)
    with pytest.raises(InputError, match=re.escape(said)):
        read_ledger(ZFXXGK, "procurement", [path])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<v>300</v>", b"<v> 300\n</v>"), (b"<v>300</v>", b"<v>3<!-- -->00</v>"),
        (b"<v>300</v>", b"<v><![CDATA[300]]></v>"), (b"<v>300</v>", b"<v>3E2</v>"),
        (b"<v>300</v>", b"<v>300.00000000000006</v>"), (b"<v>300</v>", b"<v>+300.</v>"),
    ],
)  # fmt: skip
def test_a_number_in_its_spellings(old, new, tmp_path):
    path = save(tmp_path / "procurement.xlsx", Table(rows(300)))
    edited(path, old, new)
    assert amounts(read(path)) == ["300"]


def test_a_text_that_is_shared_and_empty(tmp_path):
    path = save(tmp_path / "procurement.xlsx", Table(rows(300)))
    edited(path, b"</row></sheetData>", b'<c r="F2" t="s"><v></v></c></row></sheetData>')
    assert amounts(read(path)) == ["300"]


def test_cells_far_apart_end_in_a_refusal_in_both_readers(tmp_path):
    path = save(tmp_path / "procurement.xlsx", Table(rows(300)))
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    edited(path, b"</sheetData>", far)
    assert refused(path)[0] == "ledger-ragged"
    source = {"path": path.name, "format": "xlsx", "sheet": "台账", "encoding": None, "columns": {}}
    with duckdb.connect() as connection, pytest.raises(ReportkitError, match="too far apart"):
        read_cells(source, path, connection, schema_of(ZFXXGK, "procurement"))


@pytest.mark.parametrize("inside", [b"<c/>", b"<is><t>x</t></is>", b"<x/>"])
def test_a_row_that_would_fill_the_memory_is_refused(inside, tmp_path, monkeypatch):
    path = save(tmp_path / "procurement.xlsx", Table(rows(300)))
    monkeypatch.setattr("reportkit.ledgers.readers.package._LONGEST", 1 << 16)
    row = b'<row r="9">' + inside * (1 << 16) + b"</row></sheetData>"
    edited(path, b"</sheetData>", row)
    with pytest.raises(InputError, match="no row of a sheet is as long"):
        read_ledger(ZFXXGK, "procurement", [path])


@pytest.mark.parametrize(
    ("suffix", "content", "said"),
    [
        ("xls", b"<html><table>", "web page"), ("xls", "项目编号,".encode(), "no workbook"),
        ("xls", b"PK\x03\x04", "zip archive"), ("xls", b"\xd0\xcf\x11\xe0", "damaged"),
        ("xls", b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "password"),
        ("ods", b"<?xml ", "web page"), ("ods", b"\xd0\xcf\x11\xe0", "old .xls"),
        ("xlsm", b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "password"),
    ],
)  # fmt: skip
def test_another_format_under_the_name_of_a_workbook(suffix, content, said, tmp_path):
    (tmp_path / f"procurement.{suffix}").write_bytes(content)
    with pytest.raises(InputError, match=said):
        read_ledger(ZFXXGK, "procurement", [tmp_path / f"procurement.{suffix}"])


def test_an_ods_file_with_a_password_is_refused(tmp_path):
    path = save(tmp_path / "procurement.ods", Table(rows(300)))
    edited(path, b"/>$", b"><encryption-data/></manifest:manifest>", "META-INF/manifest.xml")
    with pytest.raises(InputError, match="password"):
        read_ledger(ZFXXGK, "procurement", [path])


def test_cells_repeated_without_end_are_refused(tmp_path):
    path = save(tmp_path / "procurement.ods", Table(rows(300, "20")))
    new = b'<table:table-cell table:number-columns-repeated="99999999" '
    edited(path, b"<table:table-cell (?=[^>]*><text:p>20<)", new, "content.xml")
    assert refused(path)[0] == "ledger-unreadable"


@pytest.mark.parametrize("change", ["errors", "hidden sheet", "repeated", "text"])
def test_open_documents_as_other_programs_write_them(change, tmp_path):
    path = save(tmp_path / "procurement.ods", Table(rows(300, "20")))
    part = "content.xml"
    if change == "errors":
        error = b'<table:table-cell table:formula="of:=1/0" office:value-type="string">'
        edited(path, b"<table:table-cell[^>]*><text:p>20<", error + b"<text:p>#DIV/0!<", part)
        assert refused(path) == ("ledger-error-cell", "E3")
    elif change == "hidden sheet":
        style = b'<style:style style:name="h" style:family="table"><style:table-properties '
        style += b'table:display="false"/></style:style></office:automatic-styles>'
        edited(path, b"</office:automatic-styles>", style, part)
        edited(path, b"<table:table ", b'<table:table table:style-name="h" ', part)
        assert refused(path)[0] == "ledger-hidden"
    elif change == "repeated":
        row = b"<table:table-row><table:table-cell/></table:table-row>"
        row += b'<table:table-row table:number-rows-repeated="3">'
        edited(path, b"<table:table-row>", row, part)
        assert findings(read(path)) == [("L-heading", "3"), ("L-heading", "4")]
    else:
        spans = b'<text:p>20<text:s text:c="2"/><text:span>.5</text:span><'
        edited(path, b"<text:p>20<", spans, part)
        with pytest.raises(InputError, match=r"20  \.5"):
            read_ledger(ZFXXGK, "procurement", [path])


def test_an_old_workbook_counts_days_from_1904(tmp_path):
    path = tmp_path / "procurement.xls"
    book = xlwt.Workbook()
    book.dates_1904 = True
    sheet = book.add_sheet("台账")
    for row, cells in enumerate(rows(1, 合同签订日期=(DAY - dt.date(1904, 1, 1)).days)):
        for column, cell in enumerate(cells):
            sheet.write(row, column, cell)
    book.save(str(path))
    assert read(path).frame["合同签订日期"].dt.date.tolist() == [DAY]


def test_an_old_workbook_with_a_password_is_refused(tmp_path):
    path = save(tmp_path / "procurement.xls", Table(rows(300)))
    # The record after the first one becomes that of a password.
    content = path.read_bytes().replace(b"\xe1\x00\x02\x00", b"\x2f\x00\x02\x00", 1)
    path.write_bytes(content)
    with pytest.raises(InputError, match="take the password off"):
        read_ledger(ZFXXGK, "procurement", [path])


@pytest.mark.parametrize("mark", ["macros", "other books"])
def test_old_workbooks_tell_their_macros_and_links(mark, tmp_path):
    path = save(tmp_path / "procurement.xls", Table(rows(300)))
    content = path.read_bytes()
    if mark == "macros":
        path.write_bytes(content + "_VBA_PROJECT_CUR".encode("utf-16-le"))
        assert [v.rule for v in read(path).violations] == ["L-macros"]
    else:
        # The record of who saved it becomes one of a workbook elsewhere, and of its sheet.
        at = content.index(b"\x5c\x00\x70\x00")
        book = b"\xae\x01\x70\x00\x01\x00\x05\x00\x00a.xls\x01\x00\x00S".ljust(116, b"\x00")
        path.write_bytes(content[:at] + book + content[at + 116 :])
        assert refused(path)[0] == "ledger-unsafe"


def test_an_error_of_an_old_workbook_is_refused(tmp_path):
    path = tmp_path / "procurement.xls"
    book = xlwt.Workbook()
    sheet = book.add_sheet("台账")
    for row, cells in enumerate(rows("x")):
        for column, cell in enumerate(cells):
            sheet.write(row, column, str(cell))
    sheet.row(1).set_cell_error(5, 0x2A)
    sheet.row(2).set_cell_error(4, 0x2A)
    book.save(str(path))
    assert refused(path) == ("ledger-error-cell", "E3")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        (rb"<sheetFormatPr ", b'<sheetFormatPr zeroHeight="1" ', "2-3"),
        (rb'<row r="3"', b'<row r="3" ht="0" customHeight="1"', "3"),
        (rb'<row r="3"', b'<row r="3" ht="0.5" customHeight="1"', "3"),
        (rb"<sheetData>", b'<cols><col min="5" max="5" width="0"/></cols><sheetData>', "E"),
        (rb"<sheetData>", b'<cols><col min="5" max="5" width="0.1"/></cols><sheetData>', "E"),
        (rb'<row r="3"', b'<row r="3" hidden="true"', "3"),
    ],
)
def test_what_has_no_height_or_width_is_reported(old, new, place, tmp_path):
    path = save(tmp_path / "procurement.xlsx", Table(rows(300, 20)))
    edited(path, old, new)
    ledger = read(path)
    assert (amounts(ledger), findings(ledger)) == (["300", "20"], [("L-hidden", place)])


def test_days_are_floored_and_have_no_time_below_a_millisecond(tmp_path):
    late, noise = Cell(44196.9999999653, "yyyy-mm-dd"), Cell(44195.99999999999, "yyyy-mm-dd")
    table = rows(1, 2, 合同签订日期=late)
    table[2][3] = noise
    ledger = read(save(tmp_path / "procurement.xlsx", Table(table)))
    days = [dt.date(2020, 12, 31), dt.date(2020, 12, 31)]
    assert ledger.frame["合同签订日期"].dt.date.tolist() == days


def test_a_struck_run_in_a_cell_and_a_key(tmp_path):
    path = save(tmp_path / "procurement.xlsx", Table(rows(300, 20)))
    runs = (
        "<is><r><rPr><strike/></rPr><t>旧</t></r><r><rPr><strike val='0'/></rPr><t>新</t></r></is>"
    )
    cell = f'<c r="A2" t="inlineStr">{runs}</c>'.encode()
    edited(path, rb'<c r="A2"[^>]*><v>\d+</v></c>', cell)
    ledger = read(path)
    assert ledger.frame["项目编号"].tolist() == ["新", "采2"]
    assert [(v.rule, v.found) for v in ledger.violations] == [("L-struck", "旧")]


def test_formulas_that_share_one_text_change_together(tmp_path):
    path = save(tmp_path / "procurement.xlsx", Table(rows(300, 20)))
    edited(path, rb"<v>300</v>", b'<f t="shared" ref="E2:E3" si="0">NOW()*0</f><v>300</v>')
    edited(path, rb"<v>20</v>", b'<f t="shared" si="0"/><v>20</v>')
    assert findings(read(path)) == [("L-formula", "E2, E3")]


@pytest.mark.parametrize(
    ("runs", "text", "rules"),
    [
        ((("采", ""), (" ", "struck"), ("1", "")), "采1", []),
        ((("旧", "struck"), (" ", ""), ("采", "struck")), "旧 采", ["L-struck"]),
        ((("旧", "struck"), (" ", ""), ("采", "")), "采", ["L-struck"]),
        ((("采", ""), ("1", "")), "采1", []),
    ],
)
def test_runs_of_a_key(runs, text, rules, tmp_path):
    path = save(tmp_path / "procurement.xlsx", Table(rows(300, 项目编号=Cell(runs=runs))))
    ledger = read(path)
    assert ledger.frame["项目编号"].tolist() == [text]
    assert [v.rule for v in ledger.violations] == rules
