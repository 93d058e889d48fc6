"""Documents of all kinds into lines of cells."""

import io
import zipfile

import docx
import pytest

from reportkit.audit.numbers import read_cell
from reportkit.audit.readers.html import read_html
from reportkit.audit.readers.plain import read_plain
from reportkit.audit.readers.reading import read_lines
from reportkit.audit.readers.word import read_docx
from reportkit.errors import InputError


def rows(lines):
    return [[(cell.at, cell.text) for cell in line.cells] for line in lines if line.table]


@pytest.mark.parametrize(
    ("text", "value", "clear"),
    [
        ("22(其中修订16件)", 22, True), ("+3", 3, True), ("-18", -18, True), ("−18", -18, True),
        ("1,808,595", 1808595, True), ("21件", 21, True), ("/", None, True), ("", None, True),
        ("——", None, True), ("无", None, True), ("零", 0, True), ("1O", None, False),
        ("12\n3", None, False), ("0123", None, False), ("3-5", None, False), ("二十六", 26, True),
    ],
)  # fmt: skip
def test_a_cell_is_read_or_not(text, value, clear):
    printed = read_cell(text)
    assert (printed.value, printed.clear) == (value, clear)


def test_an_amount_is_reported_in_the_cells_unit():
    assert read_cell("592万元").in_unit("元") == 5_920_000
    assert read_cell("9200元").in_unit("万元") == read_cell("0.92").value


def test_spans_of_a_page_are_placed():
    page = b"""<meta charset=gb2312><table><tr><td rowspan=2>a<td colspan=2>b<td>c
    <tr><td>1<td><p>2</p><p>3</p><td></table>"""
    assert rows(read_html(page)) == [
        [(0, "a"), (1, "b"), (3, "c")],
        [(1, "1"), (2, "2\n3"), (3, "")],
    ]


def test_hidden_parts_of_a_page_are_left_out():
    page = "<p>看得见</p><p style='display: none'>看不见</p><details>折起</details><nav>首页</nav>"
    assert [line.text for line in read_html(page.encode())] == ["看得见"]


def test_layout_tables_are_no_tables():
    page = (
        "<table><tr><td><p>标题</p><table><tr><td>1</td><td>2</td></tr></table></td></tr></table>"
    )
    lines = list(read_html(page.encode("gb18030")))
    assert [line.text for line in lines] == ["标题", "1 2"]
    assert rows(lines) == [[(0, "1"), (1, "2")]]


def test_merged_cells_of_word_are_read_once():
    document = docx.Document()
    table = document.add_table(2, 3)
    table.cell(0, 0).merge(table.cell(1, 0)).text = "甲"
    table.cell(0, 1).merge(table.cell(0, 2)).text = "乙"
    table.cell(1, 1).text, table.cell(1, 2).text = "1", "2"
    file = io.BytesIO()
    document.save(file)
    assert rows(read_docx(file.getvalue())) == [[(0, "甲"), (1, "乙")], [(1, "1"), (2, "2")]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("| 甲 | 1 | |\n|---|---|---|\n| **乙** | 2 | 3 |", [["甲", "1", ""], ["乙", "2", "3"]]),
        ("甲\t1\t\n乙\t\t3", [["甲", "1", ""], ["乙", "", "3"]]),
        ("甲|1|\n乙||3", [["甲", "1", ""], ["乙", "", "3"]]),
    ],
)
def test_pipes_and_tabs_are_columns(text, expected):
    found = [[cell.text for cell in line.cells] for line in read_plain(text.encode())]
    found = [row + [""] * (3 - len(row)) for row in found]
    assert found == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_texts_are_decoded(tmp_path, encoding):
    path = tmp_path / "a.txt"
    path.write_bytes("政府信息公开 21 件".encode(encoding))
    assert [line.text for line in read_lines(path)] == ["政府信息公开 21 件"]


def bomb():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"<a>" * 1000)
    return file.getvalue()


PICTURE = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>endobj
trailer<</Root 1 0 R>>
"""


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.pdf", PICTURE, "audit-picture"),
        ("a.pdf", b"%PDF-1.4 broken", "audit-damaged"),
        ("a.docx", b"PK\x03\x04 broken", "audit-damaged"),
        ("a.docx", bomb(), "audit-damaged"),
        ("a.xlsx", b"no workbook", "audit-damaged"),
        ("a.doc", b"\xd0\xcf\x11\xe0", "audit-format"),
        ("a.txt", b" \n", "audit-empty"),
        ("a.txt", bytes(range(128, 256)) * 9, "audit-encoding"),
        ("a.html", b"", "audit-empty"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path, name, content, reason):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as refused:
        read_lines(path)
    assert refused.value.reason == reason
    assert refused.value.fields["file"] == str(path)


def test_a_document_that_is_not_there_is_reported(tmp_path):
    with pytest.raises(InputError, match="no such document"):
        read_lines(tmp_path / "none.pdf")
