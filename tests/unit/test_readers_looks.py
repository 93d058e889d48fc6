"""What a cell looks like: its value is right, or told, or refused with its place; read twice."""

import datetime as dt
from decimal import Decimal

import duckdb
import pytest
from sheets import Cell, Table, save

from reportkit.errors import InputError, ReportkitError
from reportkit.ledgers import read_ledger, schema_of
from reportkit.ledgers.readers import read_file
from reportkit.ledgers.schema import map_headings
from reportkit.proof.recount.rawledgers import read_cells

DAY = dt.date(2020, 3, 2)
FORMATS = ["xlsx", "xls", "ods"]
YUAN, WAN = "合同金额（元）", "合同金额（万元）"


def rows(*amounts, unit=YUAN, **change):
    """A purchase for each amount; a change is of the first one's cells."""
    names = ["项目编号", "项目名称", "组织形式", "合同签订日期", unit]
    made = [[f"采{n}", "办公设备", "政府集中采购", DAY, cell] for n, cell in enumerate(amounts, 1)]
    for name, cell in change.items():
        made[0][names.index(name)] = cell
    return [names, *made]


def told(ledger):
    return [(v.rule, v.place.partition("!")[2]) for v in ledger.violations]


def read(path):
    """The ledger, if both readers see the same in its workbook."""
    ledger = read_ledger("procurement", [path], root=path.parent)
    schema = schema_of("procurement")
    for table in read_file(path, schema, name=path.name):
        mapped = map_headings(list(table.columns), schema, path.name, "procurement")
        source = {
            "path": path.name, "format": path.suffix[1:], "sheet": table.sheet, "encoding": None,
            "columns": {name: heading for name, (heading, _) in mapped.items()},
        }  # fmt: skip
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
        read_ledger("procurement", [path], root=path.parent)
    return error.value.reason, error.value.fields.get("cell")


@pytest.fixture(params=FORMATS)
def path(request, tmp_path):
    return tmp_path / f"procurement.{request.param}"


def test_plain_cells_are_read_by_both_readers(path):
    ledger = read(save(path, Table(rows(300, 3.3000000000000003, "1,234.50", 1234567890.25))))
    assert amounts(ledger) == ["300", "3.3", "1234.5", "1234567890.25"]
    assert ledger.frame["合同签订日期"].dt.date.tolist() == [DAY] * 4
    assert told(ledger) == []


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


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        (Cell(12.345, "0.0"), "L-shown"), (Cell(12.5, "0"), "L-shown"),
        (Cell(12, ";;;"), "L-shown"),
        (Cell(12, '"已付"'), "L-shown"), (Cell(-12, "0.00;[Red]0.00"), "L-shown"),
        (Cell(12, "[White]0"), "L-shown"), (Cell(123456, "0.00E+00"), "L-shown"),
        (Cell(12.3, "0.00"), None), (Cell(-12, "0.00_);(0.00)"), None), (Cell(0, '0;-0;"-"'), None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("suffix", ["xlsx", "xls"])
def test_a_number_shown_short_or_not_at_all_counts_and_is_told(suffix, cell, rule, tmp_path):
    ledger = read(save(tmp_path / f"procurement.{suffix}", Table(rows(cell))))
    assert amounts(ledger) == [format(Decimal(str(cell.value)), "f")]
    assert told(ledger) == [(rule, "E2")] * bool(rule)


def test_a_struck_run_is_left_out_and_told(tmp_path):
    old_and_new = Cell(runs=(("12", "struck"), ("15", "")))
    ledger = read(save(tmp_path / "procurement.xlsx", Table(rows(300, old_and_new))))
    assert amounts(ledger) == ["300", "15"]
    assert [(v.rule, v.found) for v in ledger.violations] == [("L-struck", "12")]


@pytest.mark.parametrize("suffix", ["xls", "ods"])
def test_a_struck_run_is_refused_where_it_is_not_read_twice(suffix, tmp_path):
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


def test_struck_records_are_counted_and_told(path):
    table = rows(300, 200, 100)
    table[2] = [Cell(cell, struck=True) for cell in table[2]]
    table[3][4] = Cell(100, struck=True)
    ledger = read(save(path, Table(table)))
    assert amounts(ledger) == ["300", "200", "100"]
    assert told(ledger) == [("L-struck", "E4"), ("L-struck", "3")]


@pytest.mark.parametrize("suffix", ["xlsx", "xls"])
def test_a_text_struck_out_in_all_its_runs_is_struck_out(suffix, tmp_path):
    cell = Cell(runs=(("采", "struck"), ("9", "struck")))
    ledger = read(save(tmp_path / f"procurement.{suffix}", Table(rows(300, 项目编号=cell))))
    assert (ledger.frame["项目编号"].tolist(), told(ledger)) == (["采9"], [("L-struck", "A2")])


def test_hidden_rows_and_columns_are_counted_and_told(path):
    table = Table(rows(*range(1, 7)), hidden=(3, 4), flat=(6,), hidden_column=5)
    ledger = read(save(path, table))
    assert len(ledger.frame) == 6
    assert told(ledger) == [("L-hidden", "3-4, 6"), ("L-hidden", "E")]


def test_a_number_beside_several_records_is_refused(path):
    save(path, Table(rows(300, None, None, 20), merges=((2, 5, 4, 5),)))
    assert refused(path) == ("ledger-merged", "E2:E4")


def test_a_merged_number_over_empty_rows_is_one_records(path):
    table = rows(300, 20)
    table.insert(2, ["", "", "", "", ""])
    save(path, Table(table, merges=((2, 5, 3, 5),)))
    assert amounts(read_ledger("procurement", [path])) == ["300", "20"]


@pytest.mark.parametrize("suffix", ["xlsx", "xls"])
def test_a_category_beside_several_records_is_each_ones(suffix, tmp_path):
    table = rows(1, 2, 3)
    table[2][2] = table[3][2] = None
    path = save(tmp_path / f"procurement.{suffix}", Table(table, merges=((2, 3, 4, 3),)))
    ledger = read(path)
    assert ledger.frame["组织形式"].tolist() == ["政府集中采购"] * 3
    assert told(ledger) == [("L-merged", "C2:C4")]


@pytest.mark.parametrize("suffix", ["xlsx", "xls"])
def test_what_a_merged_cell_hides_is_no_value(suffix, tmp_path):
    table = rows(1, 2, 3)
    table = [[*row, buyer] for row, buyer in zip(table, ("采购人", "甲", "乙", "丙"), strict=True)]
    table[2][2] = table[3][2] = "分散采购"
    merges = ((2, 3, 4, 3), (3, 5, 3, 6))
    ledger = read(save(tmp_path / f"procurement.{suffix}", Table(table, merges=merges)))
    assert ledger.frame["组织形式"].tolist() == ["政府集中采购"] * 3
    assert ledger.frame["采购人"].fillna("").tolist() == ["甲", "", "丙"]
    assert ("L-merged", "C3, C4, F3") in told(ledger)


def test_merged_cells_of_ods_are_not_told_to_be_read_twice(tmp_path):
    table = rows(1, 2)
    table[2][2] = None
    path = save(tmp_path / "procurement.ods", Table(table, merges=((2, 3, 3, 3),)))
    assert len(read_ledger("procurement", [path]).frame) == 2
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
    assert {rule for rule, _ in told(ledger)} == {"L-struck", "L-merged"}


def test_a_struck_row_without_height_in_another_unit(path):
    table = rows(Cell(1, struck=True), 2, unit=WAN)
    table[1] = [cell if isinstance(cell, Cell) else Cell(cell, struck=True) for cell in table[1]]
    ledger = read(save(path, Table(table, flat=(2,))))
    assert amounts(ledger) == ["10000", "20000"]
    assert told(ledger) == [("L-hidden", "2"), ("L-struck", "2")]


def test_a_day_in_a_text_column_is_told(path):
    ledger = read(save(path, Table(rows(1, 项目编号=dt.date(2020, 3, 1)))))
    assert ledger.frame["项目编号"].tolist() == ["2020-03-01"]
    assert told(ledger) == [("L-day", "A2")]


@pytest.mark.parametrize(("code", "value"), [("000", 7), ("0.00E+00", 2020e10), ("0%", 0.5)])
@pytest.mark.parametrize("suffix", ["xlsx", "xls"])
def test_a_key_that_is_a_number_shown_otherwise_is_told(suffix, code, value, tmp_path):
    path = tmp_path / f"procurement.{suffix}"
    ledger = read(save(path, Table(rows(1, 项目编号=Cell(value, code)))))
    assert told(ledger) == [("L-shown", "A2")]


@pytest.mark.parametrize(
    "formula",
    ["=TODAY()", "=NOW()", "=OFFSET(D3,0,0)", '=INDIRECT("D3")', "=DATE(2020,1,1)+RAND()"],
)
def test_a_formula_that_changes_by_itself_is_told(formula, path):
    cell = Cell(DAY if path.suffix == ".ods" else 43892, "yyyy-mm-dd", formula=formula)
    ledger = read(save(path, Table(rows(1, 2, 合同签订日期=cell))))
    assert ledger.frame["合同签订日期"].dt.date.tolist() == [DAY] * 2
    assert ("L-formula", "D2") in told(ledger)


def test_a_formula_without_a_value_is_refused(path):
    save(path, Table(rows(1, Cell(formula="=E2+1"))))
    assert refused(path) == ("ledger-formula", "E3")


@pytest.mark.parametrize("suffix", ["xlsx", "ods"])
def test_a_comment_is_told_and_no_part_of_the_text(suffix, tmp_path):
    path = tmp_path / f"procurement.{suffix}"
    ledger = read(save(path, Table(rows(Cell(300, comment=True), Cell("20", comment=True)))))
    assert amounts(ledger) == ["300", "20"]
    assert told(ledger) == [("L-comment", "E2, E3")]
