"""Workbooks as districts have them, and workbooks that nobody should have."""

import datetime as dt
import io
import re
import zipfile

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from python_calamine import CalamineWorkbook
from shipped import ZFXXGK

from reportkit.errors import InputError
from reportkit.ledgers import find_files, read_ledger, schema_of
from reportkit.ledgers.readers import package
from reportkit.ledgers.readers.formats import built_in, number_text
from reportkit.ledgers.readers.sheet import cell_name, column_number
from reportkit.ledgers.readers.table import as_text
from reportkit.ledgers.readers.workbook import read_workbook

HEADING = ["登记号", "申请人类型", "收到日期", "答复日期", "办理结果"]
DAY, LATER = dt.date(2020, 3, 2), dt.date(2020, 3, 20)


def record(number, **change):
    cells = dict(zip(HEADING, [f"依{number}", "自然人", DAY, LATER, "予以公开"], strict=True))
    return list((cells | change).values())


def book_of(*rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    return book


def saved(folder, book, name="applications.xlsx"):
    book.save(folder / name)
    return folder / name


def repacked(path, change):
    """The workbook with its parts as *change* leaves them in a dictionary."""
    with zipfile.ZipFile(path) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    change(parts)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, part in parts.items():
            target.writestr(name, part)


def edited(path, old, new, part="xl/worksheets/sheet1.xml"):
    def change(parts):
        assert re.search(old, parts[part])
        parts[part] = re.sub(old, new, parts[part], count=1)

    repacked(path, change)


def read(folder):
    return read_ledger(
        ZFXXGK, "applications", find_files(ZFXXGK, folder, "applications"), root=folder
    )


def findings(ledger, rule):
    return [violation for violation in ledger.violations if violation.rule == rule]


def refused(folder):
    with pytest.raises(InputError) as error:
        read(folder)
    assert "applications.xlsx" in str(error.value)
    return error.value


def test_hidden_rows_are_counted_and_reported(tmp_path):
    book = book_of(HEADING, *[record(n) for n in range(6)])
    for row in (3, 4, 6):
        book.active.row_dimensions[row].hidden = True
    saved(tmp_path, book)
    ledger = read(tmp_path)
    assert len(ledger.frame) == 6
    (violation,) = findings(ledger, "L-hidden")
    assert (violation.place, violation.severity) == ("Sheet!3-4, 6", "warn")
    assert "3 records" in violation.expected


def test_a_hidden_column_is_read_and_reported(tmp_path):
    book = book_of(HEADING, record(1))
    book.active.column_dimensions["C"].hidden = True
    saved(tmp_path, book)
    ledger = read(tmp_path)
    (violation,) = findings(ledger, "L-hidden")
    assert (violation.column, violation.place) == ("收到日期", "Sheet!C")


def test_a_hidden_sheet_with_records_is_refused(tmp_path):
    book = book_of(HEADING, record(1))
    other = book.create_sheet("去年")
    other.append(HEADING)
    other.sheet_state = "veryHidden"
    saved(tmp_path, book)
    error = refused(tmp_path)
    assert (error.reason, error.fields["sheet"]) == ("ledger-hidden", "去年")


def test_sheets_with_the_heading_are_read_and_others_reported(tmp_path):
    book = book_of(["依申请公开台账"], HEADING, record(1))
    second = book.create_sheet("下半年")
    for row in (HEADING, record(2), record(3)):
        second.append(row)
    book.create_sheet("填表说明").append(["请如实填写"])
    book.create_sheet("空")
    hidden = book.create_sheet("字典")
    hidden.append(["自然人", "商业企业"])
    hidden.sheet_state = "hidden"
    saved(tmp_path, book)
    ledger = read(tmp_path)
    places = [ledger.place(row)[1] for row in ledger.frame.index]
    assert places == ["Sheet!3", "下半年!2", "下半年!3"]
    assert [violation.place for violation in findings(ledger, "L-sheet")] == ["填表说明", "字典"]


def test_a_table_far_down_and_right_keeps_its_rows(tmp_path):
    book = openpyxl.Workbook()
    for line, row in enumerate((HEADING, record(1)), 40):
        for column, value in enumerate(row, 4):
            book.active.cell(line, column, value)
    saved(tmp_path, book)
    assert read(tmp_path).place(0) == ("applications.xlsx", "Sheet!41")


@pytest.mark.parametrize(
    ("above", "merges"),
    [
        (["台账"], ("A2:A3", "B2:B3", "C2:E2", "F2:G2")),
        (
            ["登记号", "申请人类型", "办理过程", None, None, None, None],
            ("A1:A3", "B1:B3", "C1:G1", "C2:E2", "F2:G2"),
        ),
    ],
    ids=["two rows under a title", "three rows"],
)
def test_a_heading_in_several_rows(above, merges, tmp_path):
    own = [None, None] if "登记号" in above else ["登记号", "申请人类型"]
    book = book_of(
        above,
        [*own, "办理", None, None, "补正", None],
        [None, None, "收到日期", "答复日期", "办理\n结果", "告知日期", "收到日期"],
        [*record(1), DAY, LATER],
    )
    for merged in merges:
        book.active.merge_cells(merged)
    saved(tmp_path, book)
    ledger = read(tmp_path)
    assert ledger.frame["补正告知日期"].dt.date.tolist() == [DAY]
    assert ledger.frame["补正收到日期"].dt.date.tolist() == [LATER]
    assert ledger.frame["收到日期"].dt.date.tolist() == [DAY]
    assert ledger.sources[0].headings["补正告知日期"] == "补正告知日期"
    assert ledger.place(0)[1] == "Sheet!4"


def test_a_cell_over_several_records_counts_for_each(tmp_path):
    book = book_of(HEADING, *[record(n) for n in range(4)])
    book.active.merge_cells("C3:C4")
    saved(tmp_path, book)
    ledger = read(tmp_path)
    assert ledger.frame["收到日期"].dt.date.tolist() == [DAY] * 4
    (violation,) = findings(ledger, "L-merged")
    assert (violation.place, violation.column) == ("Sheet!C3:C4", "收到日期")


def test_a_key_over_several_records_is_not_repeated(tmp_path):
    book = book_of(HEADING, *[record(n) for n in range(200)])
    book.active.merge_cells("A3:A4")
    saved(tmp_path, book)
    ledger = read(tmp_path)
    (violation,) = findings(ledger, "L-key")
    assert violation.place == "Sheet!4"


def test_a_cell_over_two_columns_is_read_in_the_first(tmp_path):
    book = book_of(HEADING, record(1), record(2, 答复日期=None, 办理结果=None))
    book.active.merge_cells("D2:E2")
    saved(tmp_path, book)
    with pytest.raises(InputError, match="答复日期与办理结果"):
        read(tmp_path)


def test_a_sum_row_over_merged_cells_is_set_aside(tmp_path):
    book = book_of(HEADING, record(1), ["合计", None, None, 1, None])
    book.active.merge_cells("A3:C3")
    saved(tmp_path, book)
    ledger = read(tmp_path)
    assert (len(ledger.frame), ledger.set_aside) == (1, 1)
    assert [violation.rule for violation in ledger.violations] == ["L-sum"]


@pytest.mark.parametrize("epoch", [1900, 1904])
def test_days_count_from_the_epoch_of_the_workbook(epoch, tmp_path):
    book = book_of(HEADING, record(1))
    serial = (DAY - (dt.date(1899, 12, 30) if epoch == 1900 else dt.date(1904, 1, 1))).days
    if epoch == 1904:
        book.epoch = CALENDAR_MAC_1904
    book.active.append(record(2, 收到日期=serial))
    book.active.append(record(3, 收到日期=serial + 0.5))
    book.active.append(record(4, 收到日期=str(serial)))
    saved(tmp_path, book)
    frame = read(tmp_path).frame
    assert frame["收到日期"].dt.date.tolist() == [DAY] * 4
    assert frame["答复日期"].dt.date.tolist() == [LATER] * 4


def test_files_of_both_epochs_are_one_ledger(tmp_path):
    for number, zero in ((1, dt.date(1899, 12, 30)), (2, dt.date(1904, 1, 1))):
        book = book_of(HEADING)
        if number == 2:
            book.epoch = CALENDAR_MAC_1904
        book.active.append(record(number, 收到日期=(DAY - zero).days))
        saved(tmp_path, book, f"applications-{number}.xlsx")
    assert read(tmp_path).frame["收到日期"].dt.date.tolist() == [DAY, DAY]


def test_a_rounded_number_is_no_key(tmp_path):
    book = book_of(HEADING, *[record(n) for n in range(150)])
    book.active["A5"] = 350203199001011234
    saved(tmp_path, book)
    ledger = read(tmp_path)
    (violation,) = findings(ledger, "L-rounded")
    assert (violation.place, violation.severity) == ("Sheet!A5", "reject")
    assert (len(ledger.refused), len(ledger.frame)) == (1, 149)


def test_a_rounded_number_elsewhere_is_reported(tmp_path):
    saved(tmp_path, book_of([*HEADING, "答复文号"], [*record(1), 350203199001011234]))
    (violation,) = findings(read(tmp_path), "L-rounded")
    assert (violation.place, violation.severity) == ("Sheet!F2", "warn")


def test_rounded_numbers_of_persons_are_counted_and_not_shown(tmp_path):
    rows = [[*record(n), 350203199001011234 + n] for n in range(3)]
    saved(tmp_path, book_of([*HEADING, "证件号码"], *rows))
    (violation,) = findings(read(tmp_path), "L-rounded")
    assert (violation.place, violation.column, violation.found) == ("Sheet!F", "证件号码", "")
    assert violation.expected.startswith("3 numbers")


def test_error_values_are_refused_with_sheet_and_cells(tmp_path):
    book = book_of(HEADING, *[record(n) for n in range(9)])
    book.active.title = "台账"
    for row in range(3, 10):
        book.active.cell(row, 4, "#N/A")
    saved(tmp_path, book)
    error = refused(tmp_path)
    assert error.reason == "ledger-error-cell"
    assert "台账!D3、D4、D5、D6、D7 and 2 more" in str(error)


def test_an_error_value_in_an_unread_column_is_reported(tmp_path):
    saved(tmp_path, book_of([*HEADING, "备注"], [*record(1), "#REF!"]))
    (violation,) = findings(read(tmp_path), "L-cell")
    assert violation.place == "Sheet!F2"


def test_a_formula_without_a_value_is_refused(tmp_path):
    saved(tmp_path, book_of(HEADING, record(1, 答复日期="=C2+18")))
    error = refused(tmp_path)
    assert (error.reason, error.fields["cell"]) == ("ledger-formula", "D2")


def test_a_formula_with_its_value_is_read(tmp_path):
    path = saved(tmp_path, book_of(HEADING, record(1, 答复日期="=C2+18")))
    edited(path, rb"<f>C2\+18</f><v ?(/>|></v>)", b"<f>C2+18</f><v>43910</v>")
    # Whoever wrote it left the calculation to the program that opens it.
    assert refused(tmp_path).reason == "ledger-formula"
    edited(path, rb' fullCalcOnLoad="1"', b"", "xl/workbook.xml")
    assert read(tmp_path).frame["答复日期"].dt.date.tolist() == [LATER]


def add(name, part=b"x"):
    return lambda parts: parts.update({name: part})


def entities(parts):
    part = parts["xl/workbook.xml"]
    parts["xl/workbook.xml"] = b'<!DOCTYPE a [<!ENTITY b "c">]>' + part


def bomb(parts):
    parts["xl/styles.xml"] = b" " * (package._RATIO_FROM + 1)


def far(parts):
    part = parts["xl/worksheets/sheet1.xml"]
    cell = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    parts["xl/worksheets/sheet1.xml"] = part.replace(b"</sheetData>", cell)


def beyond(parts):
    part = parts["xl/worksheets/sheet1.xml"]
    part = part.replace(b'r="2"', b'r="9999999"')
    parts["xl/worksheets/sheet1.xml"] = part.replace(b'r="A2"', b'r="A9999999"')


@pytest.mark.parametrize(
    ("change", "reason", "said"),
    [
        (add("xl/vbaProject.bin"), "ledger-unsafe", "macros"),
        (add("xl/externalLinks/externalLink1.xml"), "ledger-unsafe", "other workbooks"),
        (add("XL/styles.xml"), "ledger-unsafe", "one part twice"),
        (entities, "ledger-unsafe", "entities"),
        (bomb, "ledger-unsafe", "times its size"),
        (far, "ledger-ragged", "Sheet!1048576"),
        (beyond, "ledger-unsafe", "row 9999999"),
        (lambda parts: parts.pop("xl/workbook.xml"), "ledger-format", "without a workbook"),
        (lambda parts: parts.pop("xl/worksheets/sheet1.xml"), "ledger-unreadable", "save it again"),
        (
            lambda parts: parts.update({"xl/workbook.xml": b"<workbook><sheets>"}),
            "ledger-unreadable",
            "damaged",
        ),
    ],
)
def test_what_is_no_plain_workbook_is_refused(change, reason, said, tmp_path):
    repacked(saved(tmp_path, book_of(HEADING, record(1))), change)
    error = refused(tmp_path)
    assert error.reason == reason
    assert said in str(error)


def test_too_much_to_unpack_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(package, "_BYTES", 1000)
    saved(tmp_path, book_of(HEADING, record(1)))
    assert "split it by year" in str(refused(tmp_path))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old .xls"),
        (b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "password"),
        ("<html><table><tr><td>登记号".encode(), "web page"),
        ("登记号,申请人类型".encode("gbk"), "named .csv"),
    ],
)
def test_another_format_under_the_name_of_xlsx(content, said, tmp_path):
    (tmp_path / "applications.xlsx").write_bytes(content)
    error = refused(tmp_path)
    assert error.reason == "ledger-format"
    assert said in str(error)


CELLS = st.one_of(
    st.text(st.sampled_from("甲<&>\"'_x1 \n\u3000年"), max_size=6),
    st.integers(-10, 10**15), st.floats(-1e300, 1e300), st.booleans(),
    st.dates(dt.date(1900, 3, 1), dt.date(2100, 1, 1)), st.none(),
    st.datetimes(
        dt.datetime.fromisoformat("1950-01-01"), dt.datetime.fromisoformat("2100-01-01")
    ).map(lambda moment: moment.replace(microsecond=0)),
)  # fmt: skip
TITLES = [*HEADING, "答复文号", "申请渠道", "备注"]


def parts_of(content):
    schema = schema_of(ZFXXGK, "applications")
    return [
        ({title: cells.to_pylist() for title, cells in part.columns.items()}, part.lines.tolist())
        for part in read_workbook(io.BytesIO(content), schema, "applications.xlsx")
    ]


def shared(path):
    """The workbook with its texts as shared strings, as Excel writes them."""

    def change(parts):
        sheet = "xl/worksheets/sheet1.xml"
        texts = []

        def share(match):
            texts.append(match[2])
            return b'<c%b t="s"><v>%d</v></c>' % (match[1], len(texts) - 1)

        cell = rb'<c( r="\w+"(?: s="\d+")?) t="inlineStr"><is>(.*?)</is></c>'
        parts[sheet] = re.sub(cell, share, parts[sheet], flags=re.DOTALL)
        strings = b"".join(b"<si>%b</si>" % text for text in texts)
        name = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
        parts["xl/sharedStrings.xml"] = b"<sst %b>%b</sst>" % (name, strings)
        rels = "xl/_rels/workbook.xml.rels"
        kind = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
        added = b'<Relationship Id="s" Type="%b" Target="sharedStrings.xml"/>' % kind
        # openpyxl names a part of its own, which is empty.
        parts[rels] = re.sub(rb"<Relationship [^>]*sharedStrings[^>]*>", b"", parts[rels])
        parts[rels] = parts[rels].replace(b"</Relationships>", added + b"</Relationships>")

    repacked(path, change)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(CELLS, min_size=8, max_size=8), max_size=5), share=st.booleans())
def test_cells_are_as_other_readers_take_them(rows, share, tmp_path):
    book = book_of(TITLES, [*record(1), "答1", "网", "备"])
    for line, row in enumerate(rows, 3):
        for column, value in enumerate(row, 1):
            if value is not None:
                cell = book.active.cell(line, column, value)
                cell.data_type = "s" if isinstance(value, str) else cell.data_type
    path = saved(tmp_path, book)
    if share:
        shared(path)
    with CalamineWorkbook.from_path(path) as other:
        known = [
            [as_text(cell).replace("\r\n", "\n") for cell in row]
            for row in other.get_sheet_by_index(0).to_python()[1:]
        ]
    expected = {line: row for line, row in enumerate(known, 2) if any(map(str.strip, row))}
    ((columns, lines),) = parts_of(path.read_bytes())
    assert lines == list(expected)
    for number, title in enumerate(TITLES[:-1]):
        cells = [cell or "" for cell in columns[title]]
        assert cells == [row[number] for row in expected.values()]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (rb'<c r="A2"', b"<c"),
        (rb'<c r="A2"', b"<c r='A2'"),
        (rb'<c r="A2"', b'<c ph="&#49;" r="A2"'),
        (rb"<sheetData>", b"<!-- --><sheetData>"),
        (rb"<row ", b"<!-- --><row "),
        (rb'<c r="A2"', b'<?a b?><c r="A2"'),
        (rb"<t>[^<]*1</t>", "<r><t>依</t></r><r><t>1</t></r><rPh><t>yi</t></rPh>".encode()),
        (rb"<t>[^<]*1</t>", "<t><![CDATA[依1]]></t>".encode()),
        (rb"<t>[^<]*1</t>", "<t>依1</t><t></t>".encode()),
        (rb"</row></sheetData>", b"</row ></sheetData>"),
        (rb"</sheetData>", b"</sheetData >"),
        (rb"<row ", b"<row hidden='0' "),
    ],
)
def test_bytes_that_say_the_same_otherwise(old, new, tmp_path):
    path = saved(tmp_path, book_of(HEADING, record(1)))
    edited(path, old, new)
    assert read(tmp_path).frame["登记号"].tolist() == ["依1"]


@pytest.mark.parametrize("last", ["A1", "B2", "A3"])
def test_cells_out_of_their_order_are_refused(last, tmp_path):
    path = saved(tmp_path, book_of(HEADING, record(1), record(2)))
    edited(path, rb"</row></sheetData>", f'<c r="{last}"/></row></sheetData>'.encode())
    assert "not in their order" in str(refused(tmp_path))


def test_references_to_characters(tmp_path):
    path = saved(tmp_path, book_of(HEADING, record(1), record(2)))
    text = b"&#20381;&#169;a&#128512;&#60;&#x4f9d;&#38;#20381;&#13;&#00020381;"
    edited(path, rb"<t>[^<]*1</t>", b"<t>%b</t>" % text)
    assert read(tmp_path).frame["登记号"].tolist() == ["依©a😀<依&#20381;\r依", "依2"]


def test_a_line_break_and_an_underscore_as_excel_writes_them(tmp_path):
    path = saved(tmp_path, book_of(HEADING, record(1)))
    edited(path, rb"<t>[^<]*1</t>", b"<t>1_x000D_&#10;2_x005F_x3&amp;amp;</t>")
    assert read(tmp_path).frame["登记号"].tolist() == ["1\r\n2_x3&amp;"]


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        ("yyyy-mm-dd", "2020-03-02"), ('yyyy"年"m"月"d"日"', "2020-03-02"),
        ("[$-804]aaaa", "43892"), ("General", "43892"), ("0.00_);[Red]\\(0.00\\)", "43892"),
        ('0"d"', "43892"), ("@", "43892"), ("0.00E+00", "43892"),
    ],
)  # fmt: skip
def test_a_number_is_a_day_where_its_style_shows_one(shown, text, tmp_path):
    book = book_of([*HEADING, "答复文号"], [*record(1), 43892])
    book.active["F2"].number_format = shown
    saved(tmp_path, book)
    assert read(tmp_path).frame["答复文号"].tolist() == [text]


@pytest.mark.parametrize(
    ("number", "epoch", "text"),
    [
        ("44196.9999999653", 1900, "2020-12-31 23:59:59.997000"), ("1", 1900, "1900-01-01"),
        ("59", 1900, "1900-02-28"), ("60", 1900, "60"), ("43891.999999999999", 1900, "2020-03-02"),
        ("61", 1900, "1900-03-01"), ("0", 1904, "00:00:00"), ("1", 1904, "1904-01-02"),
        ("0.5", 1900, "12:00:00"), ("43892.75", 1900, "2020-03-02 18:00:00"),
        ("43891.9999999", 1900, "2020-03-01 23:59:59.991000"), ("-1", 1900, "-1"),
        ("9999999", 1900, "9999999"),
    ],
)  # fmt: skip
def test_day_numbers(number, epoch, text):
    assert number_text(number, built_in(14), epoch)[0] == text


def test_cells_by_name():
    assert [cell_name(5, column) for column in (0, 25, 26, 701, 702)] == [
        "A5",
        "Z5",
        "AA5",
        "ZZ5",
        "AAA5",
    ]
    assert all(column_number(cell_name(1, n)[:-1]) == n for n in range(2000))
