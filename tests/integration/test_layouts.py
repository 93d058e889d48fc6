"""The records of a published report give the same facts from every format, encoding and layout.

How databases are read is in test_databases.py.
"""

import csv
import datetime as dt
import io
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from sheets import Table, save
from shipped import ZFXXGK

from reportkit.facts import Computer
from reportkit.facts.published import load_published, read_report
from reportkit.ledgers import find_files, read_ledger, schema_of

ROOT = Path(__file__).parents[2]
CELLS = [cell for cell in ZFXXGK.edition(2020).cells(2020) if cell.table == "t3"]


@pytest.fixture(scope="module")
def records():
    """Heading and rows of 湖里 2020's applications, as text."""
    book = openpyxl.load_workbook(ROOT / "data/huli/依申请公开台账2020.xlsx")
    rows = [
        ["" if cell is None else str(cell).removesuffix(" 00:00:00") for cell in row]
        for row in book.active.iter_rows(values_only=True)
    ]
    start = next(i for i, row in enumerate(rows) if "登记号" in row)
    return rows[start:]


def text_of(rows, delimiter=",", quoting=csv.QUOTE_MINIMAL):
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, quoting=quoting).writerows(rows)
    return buffer.getvalue()


def save_csv(folder, rows, encoding="utf-8", *, name="applications.csv", **dialect):
    (folder / name).write_bytes(text_of(rows, **dialect).encode(encoding))


def save_xlsx(folder, rows, name="依申请公开台账.xlsx"):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(folder / name)


def save_macros(folder, rows):
    """A workbook with macros, as .xlsm."""
    save_xlsx(folder, rows, "依申请公开台账.xlsm")
    with zipfile.ZipFile(folder / "依申请公开台账.xlsm", "a") as book:
        book.writestr("xl/vbaProject.bin", b"x")


def save_parquet(folder, rows, cell=str):
    columns = {title: [cell(row[i]) for row in rows[1:]] for i, title in enumerate(rows[0])}
    pq.write_table(pa.table(columns), folder / "applications.parquet")


def spelt(rows, day):
    """The same rows with every day in another spelling."""

    def cell(text):
        try:
            return day(dt.date.fromisoformat(text))
        except ValueError:
            return text

    return [rows[0], *[[cell(text) for text in row] for row in rows[1:]]]


def keys(heading):
    """The English key of each column."""
    known = {column.name: column.key for column in schema_of(ZFXXGK, "applications").columns}
    return [known.get(title, title) for title in heading]


def numbered(rows):
    """An export with title, running numbers and a sum row."""
    title = ["湖里区依申请公开台账", *[""] * len(rows[0])]
    body = [[str(i), *row] for i, row in enumerate(rows[1:], 1)]
    total = ["合计", *[""] * len(rows[0])]
    return [title, ["序号", *rows[0]], *body, total]


def grouped(rows):
    """A heading in two rows: a group over its columns, the others over both rows."""
    steps = ["收到日期", "答复日期", "办理结果"]
    above = [title if title not in steps else "" for title in rows[0]]
    above[rows[0].index(steps[0])] = "办理情况"
    below = [title if title in steps else "" for title in rows[0]]
    return [["依申请公开台账"], above, below, *rows[1:]]


def wide(rows):
    """Days in full-width digits."""
    digits = {ord(str(n)): 0xFF10 + n for n in range(10)}
    return spelt(rows, lambda day: day.isoformat().translate(digits))


def broken(rows):
    """A line break and quotes in a cell of each record, and in the heading."""
    notes = [["备\n注"], *[['第一行\r\n"第二行"，'] for _ in rows[1:]]]
    return [row + note for row, note in zip(rows, notes, strict=True)]


def save_sheets(folder, rows):
    """A page of notes, then two sheets of records, days of an epoch of its own."""
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    book.active.append(["填表说明"])
    for title, part in (("下半年", rows[40:]), ("上半年", rows[1:40])):
        sheet = book.create_sheet(title)
        for row in spelt([rows[0], *part], lambda day: day):
            sheet.append(row)
    book.save(folder / "applications.xlsx")


LAYOUTS = {
    "csv": lambda f, r: save_csv(f, r),
    "csv with BOM": lambda f, r: save_csv(f, r, "utf-8-sig"),
    "csv in GB18030": lambda f, r: save_csv(f, r, "gb18030"),
    "csv in UTF-16": lambda f, r: save_csv(f, r, "utf-16"),
    "csv, semicolons": lambda f, r: save_csv(f, r, "gb18030", delimiter=";"),
    "csv, tabs": lambda f, r: save_csv(f, r, delimiter="\t"),
    "csv, all quoted": lambda f, r: save_csv(f, r, quoting=csv.QUOTE_ALL),
    "csv, English keys": lambda f, r: save_csv(f, [keys(r[0]), *r[1:]]),
    "csv, title, numbers and sum": lambda f, r: save_csv(f, numbered(r), "gb18030"),
    "2020/3/2": lambda f, r: save_csv(f, spelt(r, lambda d: f"{d.year}/{d.month}/{d.day}")),
    "2020.03.02": lambda f, r: save_csv(f, spelt(r, lambda d: f"{d:%Y.%m.%d}")),
    "2020年3月2日": lambda f, r: save_csv(f, spelt(r, lambda d: f"{d.year}年{d.month}月{d.day}日")),
    "20200302": lambda f, r: save_csv(f, spelt(r, lambda d: f"{d:%Y%m%d}")),
    "serials": lambda f, r: save_xlsx(f, spelt(r, lambda d: (d - dt.date(1899, 12, 30)).days)),
    "xlsx": lambda f, r: save_xlsx(f, r),
    "xlsx with days": lambda f, r: save_xlsx(f, spelt(r, lambda d: d)),
    "xlsx, title, numbers and sum": lambda f, r: save_xlsx(f, numbered(r)),
    "xlsx, heading in two rows": lambda f, r: save_xlsx(f, grouped(r)),
    "xlsx, several sheets of 1904": save_sheets,
    "xls": lambda f, r: save(f / "依申请公开台账.xls", Table(r)),
    "xls with days": lambda f, r: save(f / "applications.xls", Table(spelt(r, lambda d: d))),
    "xls, title, numbers and sum": lambda f, r: save(f / "applications.xls", Table(numbered(r))),
    "ods": lambda f, r: save(f / "依申请公开台账.ods", Table(r)),
    "ods with days": lambda f, r: save(f / "applications.ods", Table(spelt(r, lambda d: d))),
    "ods, heading in two rows": lambda f, r: save(f / "applications.ods", Table(grouped(r))),
    "xlsm": save_macros,
    "csv that says its separator": lambda f, r: (f / "applications.csv").write_text(
        "sep=|\n" + text_of(r, "|"), encoding="utf-8"
    ),
    "csv, line breaks in cells": lambda f, r: save_csv(f, broken(r), "gb18030"),
    "csv, full-width digits": lambda f, r: save_csv(f, wide(r)),
    "parquet": lambda f, r: save_parquet(f, r),
    "parquet with days": lambda f, r: save_parquet(f, spelt(r, lambda d: d), lambda c: c or None),
    "two files": lambda f, r: (
        save_csv(f, r[:40], "gb18030", name="applications-1.csv"),
        save_xlsx(f, [r[0], *r[40:]], name="依申请公开台账2.xlsx"),
    ),
}


def in_postgresql(server, rows):
    """A table of texts, empty cells NULL."""
    frame = pd.DataFrame(rows[1:], columns=rows[0]).replace("", None)
    server.write("layout", frame, {})
    return [server.source("layout")]


@pytest.mark.usefixtures("password")
@pytest.mark.parametrize("layout", [*LAYOUTS, "PostgreSQL"])
def test_every_layout_gives_the_published_table(layout, records, tmp_path, request):
    if layout == "PostgreSQL":
        sources = in_postgresql(request.getfixturevalue("postgres"), records)
    else:
        LAYOUTS[layout](tmp_path, records)
        sources = find_files(ZFXXGK, tmp_path, "applications")
    ledger = read_ledger(ZFXXGK, "applications", sources)
    made = Computer(2020, cells=CELLS, specs={}, declared=[], ledgers={"applications": ledger})
    path = ROOT / "params/reports/huli/2020.published.json"
    published = read_report(ZFXXGK, load_published(path)).published
    assert {cell.id: made.get(cell.id).number for cell in CELLS} == {
        name: value for name, value in published.items() if name.startswith("t3.")
    }
    assert len(ledger.frame) == len(records) - 1
